/** What integration tests are written with. `import { test, api, job, ... } from '../harness/index.ts'`. */
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test as base, inject } from 'vitest';
import { type Cluster, connectCluster } from '../cluster/index.ts';
import { type Json, type Reference, type Rest, RestError } from '../cluster/rest.ts';
import type {} from './global-setup.ts';
import { type LogOptions, writeLog as writeLogOf } from './logs.ts';
import { ended, started, type TestObject } from './objects.ts';
import { type Ended, type Run, type RunOptions, startRun } from './run.ts';

export type { Json } from '../cluster/rest.ts';
export { deployment, job, pod, type TestObject } from './objects.ts';
export type { Ended, Line, Run, RunOptions } from './run.ts';
export { RestError };

let connected: Cluster | undefined;

/** The cluster of this run. */
export function cluster(): Cluster {
  connected ??= connectCluster(inject('cluster'));
  return connected;
}

/** The administrator's client. Takes objects as the builders make them, or paths. */
export const api: Rest = {
  get: (target) => cluster().rest.get(target),
  create: (object) => cluster().rest.create(object),
  patch: (target, change) => cluster().rest.patch(target, change),
  patchStatus: (target, status) => cluster().rest.patchStatus(target, status),
  delete: (target, options) => cluster().rest.delete(target, options),
  post: (path, body) => cluster().rest.post(path, body),
  until: (target, accept, options) => cluster().rest.until(target, accept, options),
  untilAll: (path, accept, options) => cluster().rest.untilAll(path, accept, options),
  close: () => cluster().rest.close(),
};

/** Whether an object has this condition with status True. */
export function hasCondition(object: Json | undefined, type: string): boolean {
  return object?.status?.conditions?.some((item: Json) => item.type === type && item.status === 'True') ?? false;
}

/** Waits until the object has this condition, and gives the object. */
export function untilCondition(object: Reference, type: string): Promise<Json> {
  return api.until(object, (found) => hasCondition(found, type), { what: `condition ${type}` });
}

/** Lets a pod that was made with `exitCode: 'ask'` end. */
export const endPod = (target: Reference, code: number): Promise<Json> => api.patch(target, ended(code));

/** Lets a pod that was made with `start: 'never'` or `waiting` start. */
export const startPod = (target: Reference): Promise<Json> => api.patch(target, started);

/** `writeLog` for a pod of this cluster. */
export const writeLog = (target: Reference, lines: readonly string[], options?: LogOptions): Promise<void> =>
  writeLogOf(cluster(), target, lines, options);

/**
 * How a run ends that its own timeout ends. If a starved server has not answered by then, the output does not match, which
 * says nothing about the program: it runs again. A program that never gets there meets the time limit of the test.
 */
export async function untilAnswered(
  start: () => Run,
  says = /^(?![\s\S]*(never answered|no answer yet|no complete answer|no answer within))/,
): Promise<Ended> {
  for (;;) {
    const ended = await start().exit;
    if (says.test(`${ended.stdout}${ended.stderr}`)) return ended;
  }
}

/** One request of a process under test, as the API server saw it. */
export interface AuditedRequest {
  readonly verb: string;
  readonly resource: string;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  readonly subresource: string | undefined;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly userAgent: string;
  readonly code: number | undefined;
  /** A watch is open until the server, or the client, has ended it. */
  readonly state: 'open' | 'ended';
}

/** All requests of this user, in the order in which they arrived. Discovery (`/api`, `/version`) is among them. */
export function auditOf(user: string): AuditedRequest[] {
  const requests = new Map<string, AuditedRequest & { receivedAt: string }>();
  for (const event of cluster().auditEvents({ user })) {
    const url = new URL(event.requestURI, 'https://server');
    requests.set(event.auditID, {
      verb: event.verb,
      resource: event.objectRef?.resource ?? '',
      namespace: event.objectRef?.namespace,
      name: event.objectRef?.name,
      subresource: event.objectRef?.subresource,
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      userAgent: event.userAgent ?? '',
      code: event.responseStatus?.code,
      state: event.stage === 'ResponseStarted' ? 'open' : 'ended',
      receivedAt: event.requestReceivedTimestamp,
    });
  }
  return [...requests.values()]
    .sort((a, b) => a.receivedAt.localeCompare(b.receivedAt))
    .map(({ receivedAt: _, ...request }) => request);
}

export interface PolicyRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  readonly resourceNames?: readonly string[];
}

export interface IdentityOptions {
  /** May do this, in this namespace, and nothing else. Left out: everything. */
  readonly rules?: readonly PolicyRule[];
  readonly namespace?: string;
  /** How it proves who it is: a client certificate, or the token of a ServiceAccount of the namespace. */
  readonly by?: 'certificate' | 'token';
}

/** Somebody whose requests can be told from all others in the audit log. */
export interface Identity {
  readonly user: string;
  readonly kubeconfig: string;
}

const unique = (prefix: string): string => `${prefix}-${randomBytes(4).toString('hex')}`;

const rbac = 'rbac.authorization.k8s.io';

/** Gives this user the rules, in the namespace or (without rules) everywhere, and waits until they are in force. */
async function grant(name: string, user: string, { rules, namespace }: IdentityOptions): Promise<void> {
  const scope = rules ? { namespace: namespace ?? 'default' } : {};
  if (rules) {
    await api.create({ apiVersion: `${rbac}/v1`, kind: 'Role', metadata: { name, ...scope }, rules } as Reference);
  }
  await api.create({
    apiVersion: `${rbac}/v1`,
    kind: rules ? 'RoleBinding' : 'ClusterRoleBinding',
    metadata: { name, ...scope },
    roleRef: rules
      ? { apiGroup: rbac, kind: 'Role', name }
      : { apiGroup: rbac, kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: [{ apiGroup: rbac, kind: 'User', name: user }],
  } as Reference);
  const first = rules ? rules[0] : { apiGroups: ['*'], resources: ['*'], verbs: ['*'] };
  if (!first) {
    return;
  }
  const [resource, subresource] = (first.resources[0] ?? '').split('/');
  const question = {
    ...scope,
    verb: first.verbs[0],
    group: first.apiGroups[0],
    resource,
    ...(subresource !== undefined && { subresource }),
    ...(first.resourceNames && { name: first.resourceNames[0] }),
  };
  // The authorizer reads roles through a watch of its own, whose progress nobody else can watch: ask until it knows.
  for (;;) {
    const review = await api.post('/apis/authorization.k8s.io/v1/subjectaccessreviews', {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      spec: { user, resourceAttributes: question },
    });
    if (review.status.allowed) {
      return;
    }
  }
}

async function makeIdentity(options: IdentityOptions): Promise<Identity> {
  const name = unique('user');
  if (options.by !== 'token') {
    await grant(name, name, options);
    return { user: name, kubeconfig: await cluster().addUser(name) };
  }
  const namespace = options.namespace ?? 'default';
  const user = `system:serviceaccount:${namespace}:${name}`;
  await api.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } });
  await grant(name, user, options);
  const kubeconfig = join(cluster().coordinates.dir, `kubeconfig-${name}`);
  writeFileSync(kubeconfig, tokenKubeconfig(await cluster().token(namespace, name)), { mode: 0o600 });
  return { user, kubeconfig };
}

/** A kubeconfig (as JSON, which is YAML too) for this cluster with a bearer token. */
export function tokenKubeconfig(token: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'test',
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
    clusters: [{ name: 'test', cluster: { server: cluster().server, 'certificate-authority': cluster().caFile } }],
    users: [{ name: 'test', user: { token } }],
  });
}

/** A new namespace, in which pods are admitted. */
export async function makeNamespace(): Promise<string> {
  const name = unique('test');
  await api.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  // No pod is admitted before.
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: name } };
  await api.until(account, Boolean, { what: 'the default service account' });
  return name;
}

/** Gives each pod that this Job makes the next exit code; its pods must have been made with `exitCode: 'ask'`. */
async function decide(target: TestObject, codes: readonly number[], signal: AbortSignal): Promise<void> {
  const decided = new Map<string, Promise<Json>>();
  const pods = `/api/v1/namespaces/${target.metadata.namespace}/pods?labelSelector=job-name%3D${target.metadata.name}`;
  const giveCodes = (found: Json[]): boolean => {
    for (const item of found.filter(({ metadata }) => !decided.has(metadata.uid))) {
      const code = codes[decided.size];
      if (code !== undefined) {
        decided.set(item.metadata.uid, endPod({ ...item, apiVersion: 'v1', kind: 'Pod' }, code));
      }
    }
    return decided.size === codes.length;
  };
  await api.untilAll(pods, giveCodes, { timeoutMs: 2 ** 31 - 1, signal });
  await Promise.all(decided.values());
}

type Start = (args: readonly string[], options?: RunOptions & { readonly as?: Identity }) => Run;

interface Fixtures {
  /** A namespace of the test's own. */
  ns: string;
  /** Makes one more. */
  namespace: () => Promise<string>;
  /** Starts kube-await in `ns`, as administrator unless told otherwise. What still runs after the test is killed. */
  kubeAwait: Start;
  /** The same without a namespace of its own, which takes a moment to make: for tests that do not need one. */
  bare: Start;
  /** A fresh user: without rules it may do everything, with rules only that, in `ns`. */
  identity: (options?: IdentityOptions) => Promise<Identity>;
  /** The exit codes of the pods of a Job made with `exitCode: 'ask'`, in the order in which they are created. */
  exitCodes: (target: TestObject, codes: readonly number[]) => void;
}

/** Vitest's `test` with the helpers that clean up after themselves; they work in `test.concurrent` as well. */
export const test = base.extend<Fixtures>({
  namespace: async ({ task: _ }, use) => {
    // It stays as long as the cluster: its deletion, kind by kind, takes more CPU than the rest of most tests.
    await use(makeNamespace);
  },
  ns: async ({ namespace }, use) => {
    await use(await namespace());
  },
  kubeAwait: async ({ ns, bare }, use) => {
    await use((args, options) => bare(args, { namespace: ns, ...options }));
  },
  bare: async ({ task: _ }, use) => {
    const runs = new Set<Run>();
    await use((args, { as, ...options } = {}) => {
      const kubeconfig = options.kubeconfig ?? as?.kubeconfig ?? cluster().kubeconfig;
      const run = startRun(args, { ...options, kubeconfig });
      runs.add(run);
      // Not awaited: a cluster that is gone shows itself in what the test does next.
      cluster()
        .hold(run.pid)
        .catch(() => {});
      void run.exit.then(() => {
        runs.delete(run);
        cluster()
          .release(run.pid)
          .catch(() => {});
      });
      return run;
    });
    for (const run of runs) {
      run.kill('SIGKILL');
    }
    await Promise.all([...runs].map((run) => run.exit));
  },
  identity: async ({ ns }, use) => {
    await use((options = {}) => makeIdentity({ namespace: ns, ...options }));
  },
  exitCodes: async ({ task: _ }, use) => {
    const stop = new AbortController();
    await use((target, codes) => {
      decide(target, codes, stop.signal).catch((error) => {
        if (!stop.signal.aborted) {
          throw error;
        }
      });
    });
    stop.abort();
  },
});
