/** What e2e tests are written with: the image, pods on a real node, kubectl and helm. */
import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { test as base, inject } from 'vitest';
import { connectRest, type Json, type Reference, type Rest } from '../cluster/rest.ts';
import type { Images } from './engine.ts';
import { type PodOptions, podOf, waitsWith } from './pods.ts';
import type { Given } from './setup.ts';

export type { Json } from '../cluster/rest.ts';
export { jobOf, podOf, shell, waitsWith } from './pods.ts';

/** A node that starts thirty pods of other tests takes its time. */
const TIMEOUT_MS = 240_000;

const DIST = path.resolve(import.meta.dirname, '..', '..', 'dist', 'kube-await.cjs');

let given: Given | undefined;
let client: Rest | undefined;

export function e2e(): Given {
  given ??= inject('e2e');
  return given;
}

export function images(): Images {
  return e2e().images;
}

function rest(): Rest {
  client ??= connectRest(e2e().access, 'kube-await-e2e');
  return client;
}

/** The administrator's client. */
export const api = {
  get: (target: Reference | string) => rest().get(target),
  create: (object: Reference & { readonly spec?: object }) => rest().create(object),
  patch: (target: Reference, change: object) => rest().patch(target, change),
  delete: (target: Reference, options?: object) => rest().delete(target, options),
  until: (target: Reference, accept: (object: Json | undefined) => unknown, what: string): Promise<Json> =>
    rest().until(target, accept, { timeoutMs: TIMEOUT_MS, what }),
  untilAll: (url: string, accept: (objects: Json[]) => unknown, what: string): Promise<Json[]> =>
    rest().untilAll(url, accept, { timeoutMs: TIMEOUT_MS, what }),
} as const;

export const pod = (ns: string, name: string): Reference => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: ns },
});

export const job = (ns: string, name: string): Reference => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name, namespace: ns },
});

/** The path of the pods with these labels. */
export const podsWith = (ns: string, selector: string): string =>
  `/api/v1/namespaces/${ns}/pods?labelSelector=${encodeURIComponent(selector)}`;

export function hasCondition(object: Json | undefined, type: string): boolean {
  return object?.status?.conditions?.some((item: Json) => item.type === type && item.status === 'True') ?? false;
}

/** The status of a container, of whichever kind. */
export function containerOf(object: Json | undefined, name: string): Json | undefined {
  const { initContainerStatuses = [], containerStatuses = [] } = object?.status ?? {};
  return [...initContainerStatuses, ...containerStatuses].find((status: Json) => status.name === name);
}

export function logOf(ns: string, name: string, container: string): Promise<string> {
  return api.get(`/api/v1/namespaces/${ns}/pods/${name}/log?container=${container}`);
}

/** The first line of a container's log that matches, past or to come. It must have been started. */
export async function untilLine(ns: string, target: string, container: string, pattern: RegExp): Promise<string> {
  const args = ['--kubeconfig', e2e().kubeconfig, '-n', ns, 'logs', '-f', target, '-c', container];
  const child = spawn(e2e().kubectl, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const seen: string[] = [];
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      if (pattern.test(line)) return line;
      seen.push(line);
    }
  } finally {
    child.kill();
  }
  throw new Error(`no line matches ${pattern}:\n${seen.join('\n')}`);
}

export interface Output {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function run(command: string, args: readonly string[], input = ''): Promise<Output> {
  return new Promise((resolve, reject) => {
    const options = { maxBuffer: 64 * 1024 * 1024 };
    const child = execFile(command, args, options, (error, stdout, stderr) => {
      if (child.exitCode === null) reject(error ?? new Error(`${command} was ended by a signal`));
      else resolve({ code: child.exitCode, stdout, stderr });
    });
    child.stdin?.on('error', () => {}).end(input);
  });
}

async function mustRun(command: string, args: readonly string[], input?: string): Promise<string> {
  const { code, stdout, stderr } = await run(command, args, input);
  if (code !== 0) throw new Error(`${path.basename(command)} ${args.join(' ')}: exit ${code}\n${stdout}${stderr}`);
  return stdout;
}

/** kubectl as administrator; throws where it fails. */
export const kubectl = (args: readonly string[], input?: string): Promise<string> =>
  mustRun(e2e().kubectl, ['--kubeconfig', e2e().kubeconfig, ...args], input);

/** helm as administrator, whatever it ends with. */
export const helm = (args: readonly string[]): Promise<Output> =>
  run(e2e().helm, ['--kubeconfig', e2e().kubeconfig, ...args]);

/** Lets a ServiceAccount do what `kube-await rbac` says that a wait for these targets takes. */
export async function allow(ns: string, account: string, args: readonly string[]): Promise<void> {
  const dashes = args.indexOf('--');
  const targets = dashes === -1 ? args : args.slice(0, dashes);
  const rbac = [DIST, 'rbac', ...targets, '-n', ns, `--service-account=${account}`];
  await kubectl(['apply', '-f', '-'], await mustRun(process.execPath, rbac));
}

/** A pod in which kube-await waits, as its container `await`. */
export interface Waiter {
  readonly name: string;
  /** Until it has been started; gives the pod. */
  started(): Promise<Json>;
  /** The first line of its log that matches, past or to come. */
  line(pattern: RegExp): Promise<string>;
  /** How it ended. */
  end(): Promise<WaiterEnd>;
}

export interface WaiterEnd {
  readonly code: number;
  readonly log: string;
  /** What it wrote into the termination log. */
  readonly message: string;
  readonly status: Json;
}

export interface WaiterOptions extends Omit<PodOptions, 'containers'> {
  readonly name?: string;
  /** Options of `rbac` besides those of the wait. */
  readonly rbac?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly limit?: string;
  /** Other containers of its pod. */
  readonly beside?: readonly Json[];
}

export const unique = (prefix: string): string => `${prefix}-${randomBytes(3).toString('hex')}`;

/** Starts a pod that waits, with the rights that `kube-await rbac` says it needs. */
export async function waiter(
  ns: string,
  args: readonly string[],
  { name = unique('waiter'), rbac = [], env, limit, beside = [], ...options }: WaiterOptions = {},
): Promise<Waiter> {
  await allow(ns, name, [...rbac, ...args]);
  const containers = [waitsWith(images().own, args, { env, limit }), ...beside];
  await api.create(podOf({ ...options, namespace: ns, name, serviceAccount: name, containers }));
  const started = (): Promise<Json> =>
    api.until(
      pod(ns, name),
      (found) => {
        const state = containerOf(found, 'await')?.state;
        return state?.running ?? state?.terminated;
      },
      'the start of the waiter',
    );
  return {
    name,
    started,
    async line(pattern) {
      await started();
      return await untilLine(ns, name, 'await', pattern);
    },
    async end() {
      const ended = await api.until(
        pod(ns, name),
        (found) => containerOf(found, 'await')?.state.terminated,
        'the end of the waiter',
      );
      const status: Json = containerOf(ended, 'await');
      const { exitCode: code, message = '' } = status.state.terminated;
      return { code, message, status, log: await logOf(ns, name, 'await') };
    },
  };
}

export async function makeNamespace(): Promise<string> {
  const [key = '', value = ''] = e2e().label.split('=');
  const name = unique('kube-await-e2e');
  const labels = { [key]: value, 'pod-security.kubernetes.io/enforce': 'restricted' };
  await api.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } });
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: name } };
  await api.until(account, Boolean, 'the default service account');
  return name;
}

/** Nobody waits until it is gone, but for the end of the whole run. */
export async function deleteNamespace(name: string): Promise<void> {
  await api.delete({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
}

/** `ns`: a namespace of the test's own, in which only `restricted` pods may run; deleted after it. */
export const test = base.extend<{ ns: string }>({
  ns: async ({ task: _ }, use) => {
    const name = await makeNamespace();
    await use(name);
    await deleteNamespace(name);
  },
});
