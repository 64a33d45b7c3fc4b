import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { RequestOptions } from 'node:https';
import { KubeConfig } from '@kubernetes/client-node';
import type { TestProject } from 'vitest/node';
import { SetupError } from '../cluster/binaries.ts';
import { type Access, connectRest, type Json } from '../cluster/rest.ts';
import type { EngineName, Images } from './engine.ts';

/** What each test file is told. */
export interface Given {
  readonly kubeconfig: string;
  readonly access: Access;
  readonly engine: EngineName;
  readonly images: Images;
  readonly kubectl: string;
  readonly helm: string;
  /** On every namespace of this run. */
  readonly label: string;
}

declare module 'vitest' {
  export interface ProvidedContext {
    e2e: Given;
  }
}

/** Keeps a pod, when it is deleted, until the test has read its last status. */
export const FINALIZER = 'kube-await.test/last-status';

/** Where `npm run test:e2e` says which cluster and images to use. */
export const VARIABLE = 'KUBE_AWAIT_E2E';

export interface Order {
  readonly kubeconfig: string;
  readonly engine: EngineName;
  readonly images: Images;
  readonly kubectl: string;
  readonly helm: string;
}

/** Connects to the cluster. At the end, waits until every namespace of the run is deleted. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const order = process.env[VARIABLE];
  if (order === undefined) throw new SetupError('start it as: npm run test:e2e -- --kubeconfig FILE --load COMMAND');
  const { kubeconfig, ...rest } = JSON.parse(order) as Order;
  const access = await accessOf(kubeconfig);
  const label = `kube-await-e2e=${randomBytes(4).toString('hex')}`;
  project.provide('e2e', { kubeconfig, access, ...rest, label });
  return async () => {
    const rest = connectRest(access, 'kube-await-e2e');
    const path = `/api/v1/namespaces?labelSelector=${encodeURIComponent(label)}`;
    // Also those of tests that failed or were cut short.
    for (const { metadata, status } of (await rest.get(path)).items as Json[]) {
      if (status.phase === 'Active') await rest.delete({ apiVersion: 'v1', kind: 'Namespace', metadata });
      for (const pod of (await rest.get(`/api/v1/namespaces/${metadata.name}/pods`)).items as Json[]) {
        if (pod.metadata.finalizers?.includes(FINALIZER)) {
          await rest.patch({ ...pod, apiVersion: 'v1', kind: 'Pod' }, { metadata: { finalizers: null } });
        }
      }
    }
    await rest.untilAll(path, (left) => left.length === 0, { timeoutMs: 120_000, what: 'the end of all namespaces' });
    rest.close();
  };
}

/** How to reach the cluster of a kubeconfig. @throws SetupError if the file cannot be read. */
export async function accessOf(kubeconfig: string): Promise<Access> {
  const config = new KubeConfig();
  try {
    config.loadFromFile(kubeconfig);
  } catch (error) {
    // A YAML error shows the lines of the file as well.
    const [reason] = (error as Error).message.split('\n');
    throw new SetupError(`--kubeconfig ${kubeconfig}: ${reason}`);
  }
  const server = config.getCurrentCluster()?.server;
  if (server === undefined) throw new SetupError(`${kubeconfig} names no cluster`);
  const options: RequestOptions = { headers: {} };
  await config.applyToHTTPSOptions(options);
  const { ca, cert, key, headers } = options;
  return {
    server,
    ...(ca ? { ca: String(ca) } : {}),
    ...(cert && key ? { cert: String(cert), key: String(key) } : {}),
    headers: Object.fromEntries(Object.entries(headers ?? {}).map(([name, value]) => [name, String(value)])),
  };
}

/** The version that the image must say. */
export const VERSION: string = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version;
