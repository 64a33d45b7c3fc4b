/**
 * `npm run demo`: kube-await on a real control plane, as its user sees it. The control plane is the one of the tests
 * (nothing runs in its pods), or with `--context NAME` the reader's own cluster, in a namespace that goes afterwards.
 * Exits with 0 if everything shown ended as it should.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { parseArgs, styleText } from 'node:util';
import { KubeConfig, KubernetesObjectApi, type V1Deployment, type V1Job } from '@kubernetes/client-node';
import { SetupError } from '../test/cluster/binaries.ts';
import { startCluster } from '../test/cluster/index.ts';
import { annotationsOf, type Behaviour } from '../test/harness/objects.ts';

const usage = `Usage: npm run demo [-- [--context NAME] [--image IMAGE]]

  --context NAME  on the cluster of this kubeconfig context, instead of one of the demo's own
  --image IMAGE   for the Jobs there; must have sh and sleep (default: busybox)`;

/** Where the demo happens. */
interface Place {
  readonly kubeConfig: KubeConfig;
  /** What kube-await is given to find it. */
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** The child must not outlive the demo. */
  hold(child: ChildProcess): void;
  leave(): Promise<void>;
}

async function ownCluster(): Promise<Place> {
  console.log('Starting etcd, kube-apiserver, the controllers, the scheduler and kwok ...');
  const cluster = await startCluster({ progress: (line) => console.log(`  ${line}`) });
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromFile(cluster.kubeconfig);
  return {
    kubeConfig,
    args: [],
    env: { KUBECONFIG: cluster.kubeconfig },
    hold: (child) => void cluster.hold(child.pid ?? 0).catch(() => {}),
    leave: () => cluster.stop(),
  };
}

function readersCluster(context: string): Place {
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromDefault();
  if (!kubeConfig.getContextObject(context)) {
    throw new SetupError(`no context ${context} in the kubeconfig`);
  }
  kubeConfig.setCurrentContext(context);
  return { kubeConfig, args: ['--context', context], env: {}, hold: () => {}, leave: async () => {} };
}

interface PodOptions {
  readonly image: string;
  readonly command?: readonly string[];
  /** What kwok pretends, where it is kwok that plays the node. */
  readonly behaviour: Behaviour;
}

function template({ image, command, behaviour }: PodOptions, labels: Record<string, string>, restartPolicy: string) {
  return {
    metadata: { labels, annotations: annotationsOf(behaviour) },
    spec: { restartPolicy, containers: [{ name: 'main', image, ...(command && { command: [...command] }) }] },
  };
}

function job(name: string, namespace: string, pods: PodOptions, spec: { completions: number; parallelism: number }) {
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name, namespace },
    spec: { ...spec, backoffLimit: 0, template: template(pods, { job: name }, 'Never') },
  } satisfies V1Job;
}

function deployment(name: string, namespace: string, pods: PodOptions) {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace },
    spec: {
      replicas: 3,
      selector: { matchLabels: { app: name } },
      template: template(pods, { app: name }, 'Always'),
    },
  } satisfies V1Deployment;
}

/** Runs the real program on the reader's own terminal and says how it ended. */
async function kubeAwait(place: Place, args: readonly string[], stop: AbortSignal): Promise<number | null> {
  if (stop.aborted) {
    return null;
  }
  const all = [...args, ...place.args];
  console.log(`\n${styleText('bold', `$ kube-await ${all.join(' ')}`)}`);
  const program = join(import.meta.dirname, '..', 'dist', 'kube-await.cjs');
  const child = spawn(process.execPath, [program, ...all], {
    stdio: 'inherit',
    env: { ...process.env, ...place.env },
  });
  place.hold(child);
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

async function show(place: Place, image: string, stop: AbortSignal): Promise<boolean> {
  const api = KubernetesObjectApi.makeApiClient(place.kubeConfig);
  const namespace = `kube-await-demo-${randomBytes(3).toString('hex')}`;
  const ownNamespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } };
  await api.create(ownNamespace);
  try {
    const migrate = { image, command: ['sleep', '2'], behaviour: { runFor: '2s' } };
    await api.create(job('migrate', namespace, migrate, { completions: 10, parallelism: 5 }));
    const web = { image: 'registry.k8s.io/pause:3.10', behaviour: { readyAfter: '6s' } };
    await api.create(deployment('web', namespace, web));
    console.log(`\nIn namespace ${namespace}: a Job of ten pods, five at a time, and a Deployment of three pods.`);
    const common = ['-n', namespace, '--timeout', '120s'];
    const complete = await kubeAwait(place, ['job/migrate', ...common], stop);
    const ready = await kubeAwait(place, ['pod', '-l', 'app=web', ...common], stop);

    if (stop.aborted) {
      return false;
    }
    console.log('\nAnd a Job that fails.');
    const seed = {
      image,
      command: ['sh', '-c', 'sleep 2; echo "seed: no such table" | tee /dev/termination-log; exit 1'],
      behaviour: { runFor: '2s', exitCode: 1, message: 'seed: no such table' },
    };
    await api.create(job('seed', namespace, seed, { completions: 1, parallelism: 1 }));
    const failed = await kubeAwait(place, ['job/seed', ...common], stop);
    return complete === 0 && ready === 0 && failed === 1;
  } finally {
    console.log(`\nDeleting namespace ${namespace} ...`);
    await api.delete(ownNamespace);
  }
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
    console.log(usage);
    return 0;
  }
  // Until the cluster is up a Ctrl-C may simply end us, and the cluster with us. From then on there is a namespace to
  // delete. The terminal sends the signal to kube-await as well.
  const place = values.context === undefined ? await ownCluster() : readersCluster(values.context);
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => stop.abort());
  }
  try {
    const expected = await show(place, values.image, stop.signal);
    if (stop.signal.aborted) {
      return 130;
    }
    console.log(expected ? 'All three ended as they should: 0, 0, 1.' : 'Not what was expected: 0, 0, 1.');
    return expected ? 0 : 1;
  } finally {
    await place.leave();
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  if (error instanceof SetupError) {
    console.error(error.message);
  } else if (error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')) {
    console.error(`${error.message}\n\n${usage}`);
  } else {
    throw error;
  }
  process.exitCode = 1;
}
