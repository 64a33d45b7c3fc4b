/** What all cases are measured in: a cluster, a namespace, an identity, and the programs. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { SERVICE_ACCOUNT_DIR } from '../src/kube/in-cluster.ts';
import { type RunningCluster, startCluster } from '../test/cluster/index.ts';
import type { Json } from '../test/cluster/rest.ts';
import { job } from '../test/harness/objects.ts';
import type { Image } from './image.ts';
import { isInPod, mountServiceAccount } from './pod.ts';
import type { Command } from './process.ts';

export const NAMESPACE = 'bench';
const ACCOUNT = 'waiter';
const RBAC = 'rbac.authorization.k8s.io';
const ROOT = path.resolve(import.meta.dirname, '..');

/** How a program knows the API server. */
export type Way = 'in-cluster' | 'kubeconfig';

export interface World {
  readonly image: Image;
  readonly cluster: RunningCluster;
  /** For files of the cases; goes with the cluster. */
  readonly dir: string;
  /** The ways that there are here; `in-cluster` needs Linux and the right to mount. */
  readonly ways: readonly Way[];
  /** k8s-wait-for's script, where it was given. */
  readonly script: string | undefined;
  kubeAwait(args: readonly string[], way: Way, server?: Server): Command;
  kubectl(args: readonly string[], way: Way, server?: Server): Command;
  waitForSh(script: string, args: readonly string[], way: Way): Command;
  /** One TLS request of a bare Node. */
  floor(jobName: string, way: Way): Command;
}

/** Where the server is, if not where it is: behind a tap. */
export interface Server {
  readonly port: number;
}

export interface WorldOptions {
  readonly image: Image;
  readonly script: string | undefined;
}

/** Starts the cluster, and makes what every case needs. */
export async function makeWorld({ image, script }: WorldOptions): Promise<World> {
  const cluster = await startCluster({ programs: ['kubectl'], progress: (line) => console.error(line) });
  const { rest } = cluster;
  const { admin } = cluster.coordinates;
  const dir = path.join(cluster.coordinates.dir, 'bench');
  const home = path.join(dir, 'home');
  mkdirSync(home, { recursive: true });
  await rest.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } });
  await makeAccount(cluster);
  const token = await cluster.token(NAMESPACE, ACCOUNT, { seconds: 24 * 3600 });
  if (isInPod()) mountServiceAccount({ token, 'ca.crt': admin.ca, namespace: NAMESPACE });
  const files = { 'ca.crt': admin.ca, 'tls.crt': admin.cert, 'tls.key': admin.key };
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(dir, name), text, { mode: 0o600 });

  const url = new URL(cluster.server);
  const kubeconfigs = new Map<string, string>();
  /** The cluster's own kubeconfig; for a tap, the same with another port. */
  const kubeconfig = (port: string): string => {
    if (port === url.port) return cluster.kubeconfig;
    const known = kubeconfigs.get(port);
    if (known !== undefined) return known;
    const file = path.join(dir, `kubeconfig-${port}`);
    writeFileSync(file, readFileSync(cluster.kubeconfig, 'utf8').replace(url.host, `${url.hostname}:${port}`));
    kubeconfigs.set(port, file);
    return file;
  };
  const environment = (way: Way, server?: Server): Record<string, string> => {
    const port = String(server?.port ?? url.port);
    // kubectl keeps in its home what it has learned of the API. In a pod there is nothing yet, and here no place for it.
    if (way === 'kubeconfig') return { KUBECONFIG: kubeconfig(port), HOME: home };
    return { KUBERNETES_SERVICE_HOST: url.hostname, KUBERNETES_SERVICE_PORT: port, HOME: '/proc' };
  };
  const own = process.execPath;
  return {
    cluster,
    image,
    dir,
    script,
    ways: isInPod() ? ['in-cluster', 'kubeconfig'] : ['kubeconfig'],
    kubeAwait: (args, way, server) => ({
      program: 'kube-await',
      argv: [own, ...image.flags, image.program, '-n', NAMESPACE, ...args],
      env: environment(way, server),
    }),
    kubectl: (args, way, server) => ({
      program: `kubectl ${args[0]}`,
      argv: [cluster.bin('kubectl'), '-n', NAMESPACE, ...args],
      env: environment(way, server),
    }),
    waitForSh: (file, args, way) => ({
      program: 'k8s-wait-for',
      argv: ['sh', file, ...args, '-n', NAMESPACE],
      env: { ...environment(way), PATH: `${path.dirname(cluster.bin('kubectl'))}:${process.env.PATH}` },
    }),
    floor: (jobName, way) => ({
      program: 'bare Node',
      argv: [own, path.join(ROOT, 'bench', 'floor.cjs'), jobName],
      env: {
        SERVER_HOST: url.hostname,
        SERVER_PORT: url.port,
        NAMESPACE,
        ...(way === 'in-cluster'
          ? { CREDENTIALS: SERVICE_ACCOUNT_DIR, WITH: 'token' }
          : { CREDENTIALS: dir, WITH: 'certificate' }),
      },
    }),
  };
}

/** Who waits in a cluster: a service account that may do what it takes, and nothing else. */
async function makeAccount({ rest }: RunningCluster): Promise<void> {
  const metadata = { name: ACCOUNT, namespace: NAMESPACE };
  const verbs = ['get', 'list', 'watch'];
  const rules = [
    { apiGroups: [''], resources: ['pods'], verbs },
    { apiGroups: ['batch'], resources: ['jobs'], verbs },
  ];
  await rest.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata });
  await rest.create({ apiVersion: `${RBAC}/v1`, kind: 'Role', metadata, rules } as Parameters<typeof rest.create>[0]);
  await rest.create({
    apiVersion: `${RBAC}/v1`,
    kind: 'RoleBinding',
    metadata,
    roleRef: { apiGroup: RBAC, kind: 'Role', name: ACCOUNT },
    subjects: [{ kind: 'ServiceAccount', ...metadata }],
  } as Parameters<typeof rest.create>[0]);
  // No pod is admitted before.
  await rest.until(
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: NAMESPACE } },
    Boolean,
  );
}

const conditions = (type: string): Json[] =>
  ['SuccessCriteriaMet', type].map((each) => ({
    type: each,
    status: 'True',
    reason: 'Measured',
    message: 'it is done',
    lastTransitionTime: new Date().toISOString(),
  }));

/** A Job that no controller touches: its status is ours. */
export async function makeJob({ cluster }: World, name: string): Promise<ReturnType<typeof job>> {
  const made = job({ namespace: NAMESPACE, name, spec: { managedBy: 'example.com/bench' } });
  await cluster.rest.create(made);
  await cluster.rest.patchStatus(made, { startTime: new Date().toISOString(), active: 1 });
  return made;
}

/** Makes such a Job Complete; resolves when the API server has said that it is. */
export async function completeJob({ cluster }: World, made: ReturnType<typeof job>): Promise<void> {
  const status = { active: 0, succeeded: 1, completionTime: new Date().toISOString() };
  await cluster.rest.patchStatus(made, { ...status, conditions: conditions('Complete') });
}
