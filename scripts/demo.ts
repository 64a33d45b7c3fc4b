/**
 * `npm run demo`: runs kube-await on a real control plane, as a user would. It is the control plane of the tests, where
 * kwok stands in for the nodes and no container runs. With `--context NAME`, the demo uses the reader's own cluster, in a
 * namespace that it deletes afterwards. Exits with 0 if each wait has the expected exit code.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { parseArgs, styleText } from 'node:util';
import {
  KubeConfig,
  type KubernetesObject,
  KubernetesObjectApi,
  type V1Deployment,
  type V1Job,
} from '@kubernetes/client-node';
import { SetupError } from '../test/cluster/binaries.ts';
import { type RunningCluster, startCluster } from '../test/cluster/index.ts';
import type { Json, Reference } from '../test/cluster/rest.ts';
import { writeLog } from '../test/harness/logs.ts';
import { annotationsOf, ended, started } from '../test/harness/objects.ts';
import { runProgram } from '../test/harness/program.ts';

const USAGE = `Usage: npm run demo [-- [--context NAME] [--image IMAGE]]

  --context NAME  use the cluster of this kubeconfig context instead of a control plane of the demo's own
  --image IMAGE   image of the containers on that cluster; must have sh and sleep (default: busybox)`;

/** The end of kube-await, which has a limit, ends what the demo awaits too. */
const NO_LIMIT_MS = 2 ** 31 - 1;

/** Log and termination message of the Job that fails. */
const FAILURE = {
  log: ['inserting 200 products', 'ERROR: relation "products" does not exist'],
  message: 'relation "products" does not exist',
} as const;

/** A cluster, and the demo's namespace in it. */
interface Place {
  readonly namespace: string;
  /** Options that make kube-await use this cluster. */
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  create(object: KubernetesObject): Promise<unknown>;
  /** Set if kwok stands in for the nodes: then the demo does the work of the containers. */
  readonly simulated?: RunningCluster;
  leave(): Promise<void>;
}

async function ownCluster(): Promise<Place> {
  console.log(`Starting a Kubernetes control plane, in which kwok stands in for nodes and containers.
The first run builds its programs, which takes some minutes.`);
  const cluster = await startCluster({ progress: (line) => console.log(`  ${line}`) });
  const { rest } = cluster;
  const namespace = 'demo';
  await rest.create(namespaceOf(namespace));
  // No pod is admitted before.
  await rest.until({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace } }, Boolean);
  return {
    namespace,
    args: [],
    env: { KUBECONFIG: cluster.kubeconfig },
    create: (object) => rest.create(object as Reference),
    simulated: cluster,
    leave: () => cluster.stop(),
  };
}

async function readersCluster(context: string): Promise<Place> {
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromDefault();
  if (!kubeConfig.getContextObject(context)) {
    throw new SetupError(`no context ${context} in the kubeconfig`);
  }
  kubeConfig.setCurrentContext(context);
  const api = KubernetesObjectApi.makeApiClient(kubeConfig);
  const namespace = `kube-await-demo-${randomBytes(3).toString('hex')}`;
  await api.create(namespaceOf(namespace)).catch((error) => {
    throw new SetupError(`context ${context}: cannot create a namespace: ${error.body?.message ?? error.message}`);
  });
  return {
    namespace,
    args: ['--context', context],
    env: {},
    create: (object) => api.create(object),
    async leave() {
      console.log(`\nDeleting namespace ${namespace} ...`);
      await api.delete(namespaceOf(namespace));
    },
  };
}

const namespaceOf = (name: string) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });

function migrate(namespace: string, image: string): V1Job {
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'migrate', namespace },
    spec: {
      completions: 10,
      parallelism: 5,
      backoffLimit: 0,
      template: {
        metadata: { annotations: annotationsOf({ runFor: '2s' }) },
        spec: { restartPolicy: 'Never', containers: [{ name: 'main', image, command: ['sleep', '2'] }] },
      },
    },
  };
}

/**
 * A Deployment whose pods wait for the Job in an init container. A sleep stands in for kube-await, because the reader's
 * cluster may not be able to pull its image; with kwok, `startWeb` starts the pods.
 */
function web(namespace: string, image: string): V1Deployment {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace },
    spec: {
      replicas: 3,
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: {
          labels: { app: 'web' },
          annotations: annotationsOf({ waiting: 'PodInitializing', readyAfter: '2s' }),
        },
        spec: {
          initContainers: [{ name: 'wait-for-migrate', image, command: ['sleep', '8'] }],
          containers: [{ name: 'web', image: 'registry.k8s.io/pause:3.10' }],
        },
      },
    },
  };
}

/** Starts the pods of the Deployment once the Job is complete. */
async function startWeb({ rest }: RunningCluster, namespace: string, signal: AbortSignal): Promise<void> {
  const pods = `/api/v1/namespaces/${namespace}/pods?labelSelector=app%3Dweb`;
  const job = { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'migrate', namespace } };
  const isComplete = (found: Json): boolean =>
    found?.status?.conditions?.some(({ type, status }: Json) => type === 'Complete' && status === 'True');
  await rest.until(job, isComplete, { signal, timeoutMs: NO_LIMIT_MS });
  const waiting = await rest.untilAll(pods, (found) => found.length === 3, { signal, timeoutMs: NO_LIMIT_MS });
  await Promise.all(waiting.map((pod) => rest.patch({ ...pod, apiVersion: 'v1', kind: 'Pod' }, started)));
}

function seed(namespace: string, image: string): V1Job {
  const script = 'sleep 2; printf "%s\\n" "$@"; printf "%s" "$0" >/dev/termination-log; exit 1';
  const command = ['sh', '-c', script, FAILURE.message, ...FAILURE.log];
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'seed', namespace },
    spec: {
      backoffLimit: 0,
      template: {
        metadata: { annotations: annotationsOf({ runFor: '2s', exitCode: 'ask', message: FAILURE.message }) },
        spec: { restartPolicy: 'Never', containers: [{ name: 'main', image, command }] },
      },
    },
  };
}

/** Writes the log of the Job's only pod and ends the pod. */
async function failSeed(cluster: RunningCluster, namespace: string, signal: AbortSignal): Promise<void> {
  const pods = `/api/v1/namespaces/${namespace}/pods?labelSelector=job-name%3Dseed`;
  const isRunning = ([pod]: Json[]): boolean => pod?.status.phase === 'Running';
  const [found] = await cluster.rest.untilAll(pods, isRunning, { signal, timeoutMs: NO_LIMIT_MS });
  const pod: Reference = { ...found, apiVersion: 'v1', kind: 'Pod' };
  await writeLog(cluster, pod, FAILURE.log);
  await cluster.rest.patch(pod, ended(1));
}

/** Runs kube-await on the reader's terminal and returns its exit code; null if a signal ended it. */
async function kubeAwait(place: Place, args: readonly string[], stop: AbortSignal): Promise<number | null> {
  const all = [...args, '-n', place.namespace, '--timeout', '2m', ...place.args];
  console.log(`\n${styleText('bold', `$ kube-await ${all.join(' ')}`)}`);
  const program = join(import.meta.dirname, '..', 'dist', 'kube-await.cjs');
  const child = spawn(process.execPath, [program, ...all], {
    stdio: 'inherit',
    env: { ...process.env, ...place.env },
  });
  // It must not outlive the demo.
  place.simulated?.hold(child.pid ?? 0).catch(() => {});
  const kill = (): void => void child.kill('SIGTERM');
  stop.addEventListener('abort', kill, { once: true });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', resolve);
  });
  stop.removeEventListener('abort', kill);
  console.log(styleText('dim', `exit code ${code}`));
  return code;
}

interface Scene {
  readonly text: string;
  readonly objects: readonly KubernetesObject[];
  /** Does the work of the containers if kwok stands in for the nodes. */
  readonly play?: (cluster: RunningCluster, namespace: string, signal: AbortSignal) => Promise<void>;
  readonly args: readonly string[];
  readonly code: number;
}

function scenes(namespace: string, image: string): readonly Scene[] {
  return [
    {
      text: `The Job migrate has ten pods, five at a time. The three pods of the Deployment web start after it:
an init container holds them back. One wait covers both.`,
      objects: [migrate(namespace, image), web(namespace, image)],
      play: startWeb,
      args: ['job/migrate', 'deployment/web'],
      code: 0,
    },
    {
      text: 'The Job seed fails. kube-await shows the reason and the last log lines, and exits with 1.',
      objects: [seed(namespace, image)],
      play: failSeed,
      args: ['job/seed'],
      code: 1,
    },
    {
      text: `The ServiceAccount default has no permissions. kube-await prints the rule to add, and exits with 3.
It retries for five seconds first, because a new permission takes a moment to apply.`,
      objects: [],
      args: ['job/migrate', '--as', `system:serviceaccount:${namespace}:default`],
      code: 3,
    },
  ];
}

/** Creates the objects, runs kube-await and returns its exit code; null if a signal ended it. */
async function show(place: Place, { text, objects, play, args }: Scene, stop: AbortSignal): Promise<number | null> {
  console.log(`\n${text}`);
  for (const object of objects) {
    await place.create(object);
  }
  const over = new AbortController();
  const playing = place.simulated && play?.(place.simulated, place.namespace, over.signal);
  const [code] = await Promise.all([
    kubeAwait(place, args, stop).finally(() => over.abort()),
    playing?.catch((error) => {
      if (!over.signal.aborted) {
        throw error;
      }
    }),
  ]);
  return code;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      context: { type: 'string' },
      image: { type: 'string', default: 'busybox' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  // Until the cluster is up, Ctrl-C ends the demo and the cluster with it. Afterwards there is a namespace to delete.
  // The terminal sends the signal to kube-await as well.
  const place = await (values.context === undefined ? ownCluster() : readersCluster(values.context));
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => stop.abort());
  }
  try {
    const all = scenes(place.namespace, values.image);
    const expected = all.map(({ code }) => code).join(', ');
    const codes: (number | null)[] = [];
    for (const scene of all) {
      codes.push(await show(place, scene, stop.signal));
      if (stop.signal.aborted) {
        return 130;
      }
    }
    const asExpected = codes.join(', ') === expected;
    console.log(`\nThe exit codes were ${codes.join(', ')}${asExpected ? ', as expected' : `; expected ${expected}`}.`);
    return asExpected ? 0 : 1;
  } finally {
    await place.leave();
  }
}

await runProgram(main);
