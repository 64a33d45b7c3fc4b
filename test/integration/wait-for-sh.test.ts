/**
 * Called as wait_for.sh: what k8s-wait-for makes of a state, and what we make of it. `waits`: it waits on; `fails`: exit
 * code 1. The results of k8s-wait-for are those of its script (master of 2025, bb1dc78) on such objects.
 */
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe } from 'vitest';
import {
  api,
  cluster,
  type Ended,
  type Json,
  makeNamespace,
  pod,
  type Run,
  type RunOptions,
  test,
  untilAnswered,
} from '../harness/index.ts';
import { slug } from '../harness/looks.ts';

type Result = 'ready' | 'waits' | 'fails';
/** k8s-wait-for's result, then ours. */
type Results = readonly [theirs: Result, ours: Result];

let link = '';
/** Shared by all tests that need no other. */
let space = '';
beforeAll(async () => {
  const folder = path.join(cluster().coordinates.dir, 'wait-for-sh');
  mkdirSync(folder);
  link = path.join(folder, 'wait_for.sh');
  symlinkSync(path.resolve(import.meta.dirname, '../../dist/kube-await.cjs'), link);
  space = await makeNamespace();
});

/** As a chart would call it. Standard error says with every second line why it still waits. */
const asScript = (env: Readonly<Record<string, string>> = {}): RunOptions => ({
  namespace: undefined,
  command: [process.execPath, link],
  env: { WAIT_TIME: '0.5', DEBUG: '2', KUBE_AWAIT_LOGS: '0', ...env },
});

const LINE = /^\[\d{4}-(0\d|1[0-2])-[0-3]\d [0-2]\d:[0-5]\d:[0-5]\d\] /;

/** The time is k8s-wait-for's in form, and any in value. */
function masked(stdout: string): string[] {
  return stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => line.replace(LINE, '[TIME] '));
}

interface Outcome extends Ended {
  readonly result: Result;
  /** The line about what was still awaited; empty where it did not wait. */
  readonly awaited: string;
}

/** One that waits is ended once it has looked and has said so for a second. */
async function outcomeOf(run: Run, expected: Result): Promise<Outcome> {
  let awaited = '';
  if (expected === 'waits') {
    awaited = (await run.line(/^still waiting after [1-9](?!.*(no answer yet|being looked up))/)).text;
    run.kill('SIGTERM');
  }
  const ended = await run.exit;
  const result = ended.code === 0 ? 'ready' : ended.stderr.includes('ended by SIGTERM') ? 'waits' : 'fails';
  return { ...ended, result, awaited };
}

/** What standard output must be: Waiting lines, how many depends on how fast the server is, and the line of success. */
function linesOf({ result, stdout }: Outcome, shown: string): { readonly got: string[]; readonly want: string[] } {
  const got = masked(stdout);
  const ready = result === 'ready' ? [`[TIME] ${shown} is ready.`] : [];
  const waits = Math.max(got.length - ready.length, result === 'waits' ? 1 : 0);
  return { got, want: [...Array<string>(waits).fill(`[TIME] Waiting for ${shown}...`), ...ready] };
}

const started = '2026-01-01T00:00:00Z';
const ended = '2026-01-01T00:01:00Z';
const isTrue = (...types: string[]) =>
  types.map((type) => ({ type, status: 'True', reason: `Because${type}`, lastTransitionTime: ended }));

/** Where a row's objects are. The rows of a table share a namespace: there `x` and `y` stand for names of the row's own. */
interface Place {
  readonly ns: string;
  readonly x?: string;
}

const named = ({ x }: Place, name: string): string => (x === undefined ? name : name === 'x' ? x : `${x}-${name}`);
const labelled = (at: Place, { app, ...more }: Labels): Labels => ({
  ...(app !== undefined && { app: named(at, app) }),
  ...more,
});
type Labels = Readonly<Record<string, string>>;

interface JobState {
  readonly name?: string;
  readonly labels?: Labels;
  readonly completions?: number;
  readonly suspend?: boolean;
  readonly status?: object;
}

const COMPLETE = { startTime: started, completionTime: ended, conditions: isTrue('SuccessCriteriaMet', 'Complete') };
const FAILED = { startTime: started, conditions: isTrue('FailureTarget', 'Failed') };

/** A Job of which nobody but the test sets the status: its controller is one that does not exist. */
async function makeJob(at: Place, { name = 'x', labels = { app: 'x' }, status, ...more }: JobState): Promise<Json> {
  const spec = {
    managedBy: 'example.test/nobody',
    backoffLimit: 1,
    template: { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'pretended' }] } },
    ...more,
  };
  const metadata = { name: named(at, name), namespace: at.ns, labels: labelled(at, labels) };
  const made = { apiVersion: 'batch/v1', kind: 'Job', metadata, spec };
  const job = await api.create(made);
  if (status !== undefined) await api.patchStatus(made, status);
  return job;
}

interface PodState {
  readonly name?: string;
  readonly labels?: Labels;
  readonly restartPolicy?: 'Always' | 'Never';
  readonly owner?: Json;
  readonly status?: object;
  readonly finalizers?: readonly string[];
}

/** A pod that is never scheduled, so that nobody but the test sets its status. */
async function makePod(at: Place, state: PodState): Promise<ReturnType<typeof pod>> {
  const { name = 'x', labels = { app: 'x' }, restartPolicy = 'Always', owner, status, finalizers } = state;
  const references = owner && {
    ownerReferences: [
      { apiVersion: 'batch/v1', kind: 'Job', name: owner.metadata.name, uid: owner.metadata.uid, controller: true },
    ],
  };
  const made = pod({
    namespace: at.ns,
    name: named(at, name),
    labels: labelled(at, labels),
    restartPolicy,
    metadata: { ...(finalizers && { finalizers }), ...references },
    spec: { schedulerName: 'nobody' },
  });
  await api.create(made);
  if (status !== undefined) await api.patchStatus(made, status);
  return made;
}

const readiness = (status: string, reason?: string) => [
  { type: 'Ready', status, ...(reason && { reason }), lastTransitionTime: started },
];
const container = (name: string, state: object, ready = false) => ({
  name,
  image: 'pretended',
  imageID: '',
  ready,
  restartCount: 0,
  state,
});
const terminated = (reason: string, exitCode: number) => ({
  terminated: { reason, exitCode, startedAt: started, finishedAt: ended },
});

const READY = {
  phase: 'Running',
  conditions: readiness('True'),
  containerStatuses: [container('main', { running: { startedAt: started } }, true)],
};
const NOT_READY = {
  phase: 'Running',
  conditions: readiness('False', 'ContainersNotReady'),
  containerStatuses: [container('main', { running: { startedAt: started } })],
};
const SUCCEEDED = {
  phase: 'Succeeded',
  conditions: readiness('False', 'PodCompleted'),
  containerStatuses: [container('main', terminated('Completed', 0))],
};
const ended1 = (reason: string, ...containers: string[]) => ({
  phase: 'Failed',
  conditions: readiness('False', 'PodFailed'),
  containerStatuses: (containers.length === 0 ? ['main'] : containers).map((name) =>
    container(name, terminated(reason, 1)),
  ),
});
const ERROR = ended1('Error');
const EVICTED = { phase: 'Failed', reason: 'Evicted', conditions: readiness('False', 'PodFailed') };
const PULLING = {
  phase: 'Pending',
  conditions: readiness('False', 'ContainersNotReady'),
  containerStatuses: [container('main', { waiting: { reason: 'ImagePullBackOff' } })],
};

interface Row {
  readonly state: string;
  readonly make: (at: Place) => Promise<unknown>;
  /** The arguments behind the kind; the namespace comes after them. Left out: the name x. */
  readonly args?: readonly string[];
  readonly results: Readonly<Record<string, Results>>;
  readonly env?: Readonly<Record<string, string>>;
}

const JOBS: readonly Row[] = [
  {
    state: 'new',
    make: (at) => makeJob(at, {}),
    results: { job: ['ready', 'waits'], 'job-we': ['ready', 'waits'], 'job-wr': ['waits', 'waits'] },
  },
  {
    state: 'suspended',
    make: (at) => makeJob(at, { suspend: true, status: { conditions: isTrue('Suspended') } }),
    results: { job: ['ready', 'waits'], 'job-we': ['ready', 'waits'], 'job-wr': ['waits', 'waits'] },
  },
  {
    state: '1 active',
    make: (at) => makeJob(at, { status: { startTime: started, active: 1 } }),
    results: { job: ['waits', 'waits'], 'job-we': ['waits', 'waits'], 'job-wr': ['waits', 'waits'] },
  },
  {
    state: 'Complete, 1 succeeded',
    make: (at) => makeJob(at, { status: { ...COMPLETE, succeeded: 1 } }),
    results: { job: ['ready', 'ready'], 'job-we': ['ready', 'ready'], 'job-wr': ['ready', 'ready'] },
  },
  {
    state: '1 of 3 succeeded, the next pod not there yet',
    make: (at) => makeJob(at, { completions: 3, status: { startTime: started, succeeded: 1 } }),
    results: { job: ['ready', 'waits'], 'job-we': ['ready', 'waits'], 'job-wr': ['ready', 'waits'] },
  },
  {
    state: 'Complete, 1 succeeded after 1 failed',
    make: (at) => makeJob(at, { status: { ...COMPLETE, succeeded: 1, failed: 1 } }),
    results: { job: ['waits', 'ready'], 'job-we': ['ready', 'ready'], 'job-wr': ['ready', 'ready'] },
  },
  {
    state: 'Failed, 1 failed',
    make: (at) => makeJob(at, { status: { ...FAILED, failed: 1 } }),
    results: { job: ['waits', 'fails'], 'job-we': ['ready', 'ready'], 'job-wr': ['waits', 'fails'] },
  },
  {
    state: 'Failed, its only pod deleted by activeDeadlineSeconds before it ended',
    make: (at) => makeJob(at, { status: FAILED }),
    results: { job: ['ready', 'fails'], 'job-we': ['ready', 'ready'], 'job-wr': ['waits', 'fails'] },
  },
  {
    state: 'Failed, 1 succeeded and 2 failed',
    make: (at) => makeJob(at, { completions: 2, status: { ...FAILED, succeeded: 1, failed: 2 } }),
    results: { job: ['waits', 'fails'], 'job-we': ['ready', 'ready'], 'job-wr': ['ready', 'ready'] },
  },
  {
    state: '1 failed, to be tried again',
    make: (at) => makeJob(at, { status: { startTime: started, failed: 1 } }),
    results: { job: ['waits', 'waits'], 'job-we': ['ready', 'waits'], 'job-wr': ['waits', 'waits'] },
  },
  {
    state: '1 succeeded, 1 failed to be tried again',
    make: (at) => makeJob(at, { completions: 2, status: { startTime: started, succeeded: 1, failed: 1 } }),
    results: { job: ['waits', 'waits'], 'job-we': ['ready', 'waits'], 'job-wr': ['ready', 'waits'] },
  },
  {
    state: 'FailureTarget, its last pod still ending',
    make: (at) =>
      makeJob(at, { status: { startTime: started, active: 1, failed: 1, conditions: isTrue('FailureTarget') } }),
    results: { job: ['waits', 'fails'], 'job-we': ['waits', 'waits'], 'job-wr': ['waits', 'waits'] },
  },
  {
    state: 'SuccessCriteriaMet, a pod still ending',
    make: (at) =>
      makeJob(at, {
        completions: 2,
        status: { startTime: started, active: 1, succeeded: 1, conditions: isTrue('SuccessCriteriaMet') },
      }),
    results: { job: ['waits', 'waits'], 'job-we': ['waits', 'waits'], 'job-wr': ['waits', 'waits'] },
  },
  {
    state: 'missing',
    make: async () => {},
    results: { job: ['fails', 'waits'], 'job-we': ['fails', 'waits'], 'job-wr': ['fails', 'waits'] },
  },
  {
    state: 'a selector that finds none',
    make: async () => {},
    args: ['-lapp=x'],
    results: { job: ['fails', 'waits'], 'job-we': ['fails', 'waits'], 'job-wr': ['fails', 'waits'] },
  },
  {
    state: 'a selector that finds one Complete and one Failed',
    make: async (at) => {
      await makeJob(at, { status: { ...COMPLETE, succeeded: 1 } });
      await makeJob(at, { name: 'y', status: { ...FAILED, failed: 1 } });
    },
    args: ['-lapp=x'],
    results: { job: ['waits', 'fails'], 'job-we': ['ready', 'ready'], 'job-wr': ['waits', 'fails'] },
  },
  {
    state: 'two names, one Complete and one active',
    make: async (at) => {
      await makeJob(at, { status: { ...COMPLETE, succeeded: 1 } });
      await makeJob(at, { name: 'y', status: { startTime: started, active: 1 } });
    },
    args: ['x', 'y'],
    results: { job: ['waits', 'waits'], 'job-we': ['waits', 'waits'], 'job-wr': ['waits', 'waits'] },
  },
  {
    state: 'Failed, with TREAT_ERRORS_AS_READY=1',
    make: (at) => makeJob(at, { status: { ...FAILED, failed: 1 } }),
    env: { TREAT_ERRORS_AS_READY: '1' },
    results: { job: ['ready', 'ready'], 'job-we': ['ready', 'ready'], 'job-wr': ['waits', 'fails'] },
  },
  {
    state: 'Failed with 1 succeeded, with TREAT_ERRORS_AS_READY=2',
    make: (at) => makeJob(at, { completions: 2, status: { ...FAILED, succeeded: 1, failed: 2 } }),
    env: { TREAT_ERRORS_AS_READY: '2' },
    results: { job: ['ready', 'ready'], 'job-we': ['ready', 'ready'], 'job-wr': ['ready', 'ready'] },
  },
];

const BY_SELECTOR = ['-lapp=x'];
const task = { restartPolicy: 'Never' } as const;

const PODS: readonly Row[] = [
  {
    state: 'Pending, not scheduled',
    make: (at) => makePod(at, {}),
    results: { pod: ['waits', 'waits'], 'pod-we': ['waits', 'waits'], 'pod-wr': ['waits', 'waits'] },
  },
  {
    state: 'Running and ready',
    make: (at) => makePod(at, { status: READY }),
    results: { pod: ['ready', 'ready'], 'pod-we': ['ready', 'ready'], 'pod-wr': ['ready', 'ready'] },
  },
  {
    state: 'Running and not ready',
    make: (at) => makePod(at, { status: NOT_READY }),
    results: { pod: ['waits', 'waits'], 'pod-we': ['waits', 'waits'], 'pod-wr': ['waits', 'waits'] },
  },
  {
    state: 'Ready unknown, its node being lost',
    make: (at) => makePod(at, { status: { ...READY, conditions: readiness('Unknown', 'NodeStatusUnknown') } }),
    results: { pod: ['ready', 'waits'], 'pod-we': ['ready', 'waits'], 'pod-wr': ['ready', 'waits'] },
  },
  {
    state: 'ready and being deleted',
    make: async (at) => {
      const made = await makePod(at, { status: READY, finalizers: ['example.test/hold'] });
      await api.delete(made);
    },
    results: { pod: ['ready', 'waits'], 'pod-we': ['ready', 'waits'], 'pod-wr': ['ready', 'waits'] },
  },
  {
    state: 'Succeeded',
    make: (at) => makePod(at, { ...task, status: SUCCEEDED }),
    results: { pod: ['ready', 'ready'], 'pod-we': ['ready', 'ready'], 'pod-wr': ['ready', 'ready'] },
  },
  {
    state: 'a task that is Running and ready',
    make: (at) => makePod(at, { ...task, status: READY }),
    results: { pod: ['ready', 'ready'], 'pod-we': ['ready', 'ready'], 'pod-wr': ['ready', 'ready'] },
  },
  {
    state: 'Failed with Error',
    make: (at) => makePod(at, { ...task, status: ERROR }),
    results: { pod: ['waits', 'fails'], 'pod-we': ['ready', 'ready'], 'pod-wr': ['ready', 'fails'] },
  },
  {
    state: 'Failed with OOMKilled',
    make: (at) => makePod(at, { ...task, status: ended1('OOMKilled') }),
    results: { pod: ['waits', 'fails'], 'pod-we': ['waits', 'ready'], 'pod-wr': ['waits', 'fails'] },
  },
  {
    state: 'Failed with two containers in Error',
    make: (at) => makePod(at, { ...task, status: ended1('Error', 'main', 'side') }),
    results: { pod: ['waits', 'fails'], 'pod-we': ['waits', 'ready'], 'pod-wr': ['waits', 'fails'] },
  },
  {
    state: 'evicted',
    make: (at) => makePod(at, { ...task, status: EVICTED }),
    results: { pod: ['waits', 'fails'], 'pod-we': ['waits', 'ready'], 'pod-wr': ['waits', 'fails'] },
  },
  {
    state: 'missing',
    make: async () => {},
    results: { pod: ['waits', 'waits'], 'pod-we': ['waits', 'waits'], 'pod-wr': ['waits', 'waits'] },
  },
  {
    state: 'a selector that finds none',
    make: async () => {},
    args: BY_SELECTOR,
    results: { pod: ['waits', 'waits'], 'pod-we': ['waits', 'waits'], 'pod-wr': ['waits', 'waits'] },
  },
  {
    state: 'two pods, both ready',
    make: async (at) => {
      await makePod(at, { status: READY });
      await makePod(at, { name: 'y', status: READY });
    },
    args: BY_SELECTOR,
    results: { pod: ['ready', 'ready'], 'pod-we': ['ready', 'ready'], 'pod-wr': ['ready', 'ready'] },
  },
  {
    state: 'one ready, one not ready',
    make: async (at) => {
      await makePod(at, { status: READY });
      await makePod(at, { name: 'y', status: NOT_READY });
    },
    args: BY_SELECTOR,
    results: { pod: ['waits', 'waits'], 'pod-we': ['waits', 'waits'], 'pod-wr': ['waits', 'ready'] },
  },
  {
    state: 'two names, one ready and one not ready',
    make: async (at) => {
      await makePod(at, { status: READY });
      await makePod(at, { name: 'y', status: NOT_READY });
    },
    args: ['y', 'x'],
    results: { pod: ['waits', 'waits'], 'pod-we': ['waits', 'waits'], 'pod-wr': ['waits', 'ready'] },
  },
  {
    state: 'one ready, one in ImagePullBackOff',
    make: async (at) => {
      await makePod(at, { status: READY });
      await makePod(at, { name: 'y', status: PULLING });
    },
    args: BY_SELECTOR,
    results: { pod: ['waits', 'waits'], 'pod-we': ['waits', 'waits'], 'pod-wr': ['waits', 'ready'] },
  },
  {
    state: 'one ready, one Failed with Error',
    make: async (at) => {
      await makePod(at, { status: READY });
      await makePod(at, { ...task, name: 'y', status: ERROR });
    },
    args: BY_SELECTOR,
    results: { pod: ['waits', 'fails'], 'pod-we': ['ready', 'ready'], 'pod-wr': ['ready', 'ready'] },
  },
  {
    state: 'two names, one Failed with Error and one ready',
    make: async (at) => {
      await makePod(at, { ...task, status: ERROR });
      await makePod(at, { name: 'y', status: READY });
    },
    args: ['x', 'y'],
    results: { pod: ['waits', 'fails'], 'pod-we': ['ready', 'ready'], 'pod-wr': ['ready', 'ready'] },
  },
  {
    state: 'one of a Deployment evicted, and a ready one in its place',
    make: evictedAndReplaced,
    args: BY_SELECTOR,
    results: { pod: ['waits', 'ready'], 'pod-we': ['waits', 'ready'], 'pod-wr': ['waits', 'ready'] },
  },
  {
    state: 'a failed and a succeeded pod of a Complete Job',
    make: async (at) => {
      const owner = await makeJob(at, { status: { ...COMPLETE, succeeded: 1, failed: 1 } });
      await makePod(at, { ...task, owner, status: ERROR });
      await makePod(at, { ...task, owner, name: 'y', status: SUCCEEDED });
    },
    args: BY_SELECTOR,
    results: { pod: ['waits', 'ready'], 'pod-we': ['ready', 'ready'], 'pod-wr': ['ready', 'ready'] },
  },
  {
    state: 'the first succeeded pod of a Job that wants three',
    make: async (at) => {
      const owner = await makeJob(at, { completions: 3, status: { startTime: started, succeeded: 1 } });
      await makePod(at, { ...task, owner, status: SUCCEEDED });
    },
    args: BY_SELECTOR,
    results: { pod: ['ready', 'waits'], 'pod-we': ['ready', 'ready'], 'pod-wr': ['ready', 'ready'] },
  },
  {
    state: 'a failed pod of a Failed Job',
    make: async (at) => {
      const owner = await makeJob(at, { status: { ...FAILED, failed: 1 } });
      await makePod(at, { ...task, owner, status: ERROR });
    },
    args: BY_SELECTOR,
    results: { pod: ['waits', 'fails'], 'pod-we': ['ready', 'ready'], 'pod-wr': ['ready', 'fails'] },
  },
  {
    state: 'Failed with Error, with TREAT_ERRORS_AS_READY=1',
    make: (at) => makePod(at, { ...task, status: ERROR }),
    env: { TREAT_ERRORS_AS_READY: '1' },
    results: { pod: ['ready', 'ready'], 'pod-we': ['ready', 'ready'], 'pod-wr': ['ready', 'fails'] },
  },
  {
    state: 'one ready, one Failed with Error, with TREAT_ERRORS_AS_READY=2',
    make: async (at) => {
      await makePod(at, { status: READY });
      await makePod(at, { ...task, name: 'y', status: ERROR });
    },
    args: BY_SELECTOR,
    env: { TREAT_ERRORS_AS_READY: '2' },
    results: { pod: ['ready', 'ready'], 'pod-we': ['ready', 'ready'], 'pod-wr': ['ready', 'ready'] },
  },
];

/** A Deployment whose pods wait for the test to say how they are. */
async function evictedAndReplaced(at: Place): Promise<void> {
  const { ns: namespace } = at;
  const name = named(at, 'x');
  const labels = { app: name };
  const template = {
    metadata: { labels },
    spec: { schedulerName: 'nobody', containers: [{ name: 'main', image: 'pretended' }] },
  };
  await api.create({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace },
    spec: { replicas: 1, selector: { matchLabels: labels }, template },
  } as Parameters<typeof api.create>[0]);
  const pods = `/api/v1/namespaces/${namespace}/pods?labelSelector=app%3D${name}`;
  const fresh = async (): Promise<Json> => {
    const isFresh = (one: Json): boolean => one.status.phase === 'Pending';
    const found = await api.untilAll(pods, (all) => all.some(isFresh), { what: 'a pod of the Deployment' });
    return { apiVersion: 'v1', kind: 'Pod', metadata: found.find(isFresh).metadata };
  };
  await api.patchStatus(await fresh(), EVICTED);
  await api.patchStatus(await fresh(), READY);
}

const SERVING = {
  ready: { behaviour: {}, phase: 'Running', ready: 'True' },
  'not ready': { behaviour: { ready: 'never' }, phase: 'Running', ready: 'False' },
  succeeded: { behaviour: { exitCode: 0 }, phase: 'Succeeded', ready: 'False' },
  failed: { behaviour: { exitCode: 1 }, phase: 'Failed', ready: 'False' },
} as const;

/** A pod on a node: endpoints are made for such pods only. */
async function makeServing(
  at: Place,
  name: string,
  state: keyof typeof SERVING,
  labels: Labels = { app: 'x' },
): Promise<void> {
  const { behaviour, phase, ready } = SERVING[state];
  const made = pod({ namespace: at.ns, name: named(at, name), labels: labelled(at, labels), ...behaviour });
  await api.create(made);
  const isSo = ({ status }: Json): boolean =>
    status.phase === phase && status.conditions.some((one: Json) => one.type === 'Ready' && one.status === ready);
  await api.until(made, (found) => found && isSo(found), { what: state });
}

async function makeService(at: Place, name: string, selector: Labels | undefined): Promise<void> {
  const spec = { ports: [{ port: 80 }], ...(selector && { selector: labelled(at, selector) }) };
  const metadata = { name: named(at, name), namespace: at.ns, labels: labelled(at, { app: 'x' }) };
  await api.create({ apiVersion: 'v1', kind: 'Service', metadata, spec } as Parameters<typeof api.create>[0]);
}

const SERVICES: readonly Row[] = [
  {
    state: 'all pods ready',
    make: async (at) => {
      await makeService(at, 'x', { app: 'x' });
      await makeServing(at, 'x', 'ready');
      await makeServing(at, 'y', 'ready');
    },
    results: { service: ['ready', 'ready'] },
  },
  {
    state: 'one pod not ready',
    make: async (at) => {
      await makeService(at, 'x', { app: 'x' });
      await makeServing(at, 'x', 'ready');
      await makeServing(at, 'y', 'not ready');
    },
    results: { service: ['waits', 'waits'] },
  },
  {
    state: 'no pod',
    make: (at) => makeService(at, 'x', { app: 'x' }),
    results: { service: ['waits', 'waits'] },
  },
  { state: 'missing', make: async () => {}, results: { service: ['waits', 'waits'] } },
  {
    state: 'a ready pod, and one that has succeeded',
    make: async (at) => {
      await makeService(at, 'x', { app: 'x' });
      await makeServing(at, 'x', 'ready');
      await makeServing(at, 'y', 'succeeded');
    },
    results: { service: ['ready', 'ready'] },
  },
  {
    state: 'without a selector, and without endpoints',
    make: (at) => makeService(at, 'x', undefined),
    results: { service: ['fails', 'waits'] },
  },
  {
    state: 'without a selector, with an endpoint',
    make: async (at) => {
      await makeService(at, 'x', undefined);
      const metadata = {
        name: named(at, '1'),
        namespace: at.ns,
        labels: { 'kubernetes.io/service-name': named(at, 'x') },
      };
      await api.create({
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata,
        addressType: 'IPv4',
        endpoints: [{ addresses: ['10.9.8.7'], conditions: { ready: true } }],
      } as Parameters<typeof api.create>[0]);
    },
    results: { service: ['fails', 'ready'] },
  },
  {
    state: 'two names, the pods of both ready',
    make: async (at) => {
      await makeService(at, 'x', { app: 'x' });
      await makeService(at, 'y', { app: 'y' });
      await makeServing(at, 'x', 'ready');
      await makeServing(at, 'y', 'ready', { app: 'y' });
    },
    args: ['x', 'y'],
    results: { service: ['fails', 'ready'] },
  },
  {
    state: 'a pod ready and one Failed with Error',
    make: async (at) => {
      await makeService(at, 'x', { app: 'x' });
      await makeServing(at, 'x', 'ready');
      await makeServing(at, 'y', 'failed');
    },
    results: { service: ['waits', 'waits'] },
  },
  {
    state: 'a pod ready and one Failed with Error, with TREAT_ERRORS_AS_READY=1',
    make: async (at) => {
      await makeService(at, 'x', { app: 'x' });
      await makeServing(at, 'x', 'ready');
      await makeServing(at, 'y', 'failed');
    },
    env: { TREAT_ERRORS_AS_READY: '1' },
    results: { service: ['ready', 'ready'] },
  },
  {
    state: 'a pod ready and one not, with TREAT_ERRORS_AS_READY=2',
    make: async (at) => {
      await makeService(at, 'x', { app: 'x' });
      await makeServing(at, 'x', 'ready');
      await makeServing(at, 'y', 'not ready');
    },
    env: { TREAT_ERRORS_AS_READY: '2' },
    results: { service: ['waits', 'ready'] },
  },
];

/** Where one of several names is enough, or one that fails ends the run, a row is seen only by itself. */
function isSeenAmongOthers(word: string, ours: Result): boolean {
  return word === 'pod-wr' ? ours === 'fails' : ours !== 'fails';
}

/** What one start awaits: one row, or all those whose result together says what the result of each is. */
interface Start {
  readonly word: string;
  readonly title: string;
  readonly names: readonly string[];
  readonly args: readonly string[];
  readonly ours: Result;
  readonly env: Row['env'];
}

function startsOf(kind: string, rows: readonly Row[]): readonly Start[] {
  const all = rows.flatMap(({ state, args = ['x'], results, env }) => {
    const at = { ns: '', x: slug(`${kind} ${state}`) };
    const names = args.map((arg) => (arg === BY_SELECTOR[0] ? `-lapp=${at.x}` : named(at, arg)));
    const isPlain = names.length === 1 && args[0] === 'x' && env === undefined;
    return Object.entries(results).map(([word, [, ours]]) => {
      const group = isPlain && isSeenAmongOthers(word, ours) ? `${word}, names: ${ours}` : `${word}: ${state}`;
      return { word, group, names, ours, env };
    });
  });
  return [...Map.groupBy(all, ({ group }) => group)].flatMap(([title, found]) => {
    const [first] = found;
    const names = found.flatMap((one) => one.names);
    return first === undefined ? [] : [{ ...first, title, names, args: names }];
  });
}

const TABLES = [
  ['job', JOBS],
  ['pod', PODS],
  ['service', SERVICES],
] as const;

describe.concurrent.each(TABLES)('%s', (kind, rows) => {
  beforeAll(() => Promise.all(rows.map(({ state, make }) => make({ ns: space, x: slug(`${kind} ${state}`) }))));

  test.for(startsOf(kind, rows))('$title', async ({ word, names, args, ours, env }, { bare, expect }) => {
    const outcome = await outcomeOf(bare([word, ...args, '-n', space], asScript(env)), ours);
    expect(outcome.result).toBe(ours);
    const { got, want } = linesOf(outcome, [kind, ...args, '-n', space].join(' '));
    expect(got).toEqual(want);
    expect(outcome.code).toBe(ours === 'ready' ? 0 : 1);
    const labels = names.map((name) => (name.startsWith('-l') ? `${kind} -l ${name.slice(2)}` : `${kind}/${name}`));
    if (ours === 'fails') {
      const failed = labels.filter((label) => outcome.stderr.includes(`${label} failed: `));
      expect(failed).toEqual(labels.length > 2 ? labels : [expect.any(String)]);
    }
    // More than one where each is awaited for itself: what was ready is no longer named.
    if (ours === 'waits' && labels.length > 2)
      expect(labels.filter((label) => outcome.awaited.includes(`${label} (`))).toEqual(labels);
  });
});

/** The rows of the guide's tables: state, kinds, k8s-wait-for's result and ours. */
function guideRows(): string[] {
  const guide = readFileSync(path.resolve(import.meta.dirname, '../../docs/migrating-from-k8s-wait-for.md'), 'utf8');
  const rows = guide.matchAll(
    /^\| (.+) \| ((?:`[a-z-]+`(?:, )?)+) \| (ready|waits|fails) \| (ready|waits|fails) \| .+ \|$/gm,
  );
  return [...rows].flatMap(([, state, kinds = '', theirs, ours]) =>
    kinds.split(', ').map((kind) => `${state}, ${kind.replaceAll('`', '')}: ${theirs}, ${ours}`),
  );
}

test('the guide names every state in which the results differ, and no other', ({ expect }) => {
  const differing = [...JOBS, ...PODS, ...SERVICES].flatMap(({ state, results }) =>
    Object.entries(results)
      .filter(([, [theirs, ours]]) => theirs !== ours)
      .map(([kind, [theirs, ours]]) => `${state}, ${kind}: ${theirs}, ${ours}`),
  );
  expect(guideRows().sort()).toEqual(differing.sort());
});

/** One of each kind of spelling, with NS for the namespace. A unit test holds the others to mean the same. */
const SPELLINGS: readonly (readonly string[])[] = [
  ['pod', 'db', '-n NS'],
  ['pod', '-l', 'app=x -n NS'],
  ['pod', '-l app in (x, z), tier notin (cache)', '-n', 'NS'],
  ['pod', '-lapp=x,ns=NS', '-A'],
  ['pod', 'db', 'cache -n NS'],
  ['job', 'pod', '-n', 'NS'],
  ['job-we', 'a', 'pod', 'b', '-n', 'NS'],
  ['service', '-lapp=x', '-n', 'NS'],
];

describe.concurrent('spelled', () => {
  let ns = '';
  beforeAll(async () => {
    ns = await makeNamespace();
    const at = { ns };
    const labels = { app: 'x', ns };
    await Promise.all([
      makeServing(at, 'db', 'ready', labels),
      makeServing(at, 'cache', 'ready', labels),
      makePod(at, { name: 'other', labels: { app: 'other' } }),
      ...['a', 'b', 'pod'].map((name) => makeJob(at, { name, labels, status: { ...COMPLETE, succeeded: 1 } })),
      makeService(at, 'svc', { app: 'x' }),
    ]);
  });

  test.for(SPELLINGS)('%j', async (args, { bare, expect }) => {
    const given = args.map((arg) => arg.replaceAll('NS', ns));
    const outcome = await outcomeOf(bare(given, asScript()), 'ready');
    const { got, want } = linesOf(outcome, given.join(' ').replace(/^(pod|job)-w[er]/, '$1'));
    expect({ result: outcome.result, code: outcome.code, lines: got }).toEqual({
      result: 'ready',
      code: 0,
      lines: want,
    });
  });
});

/** Arguments that no wait comes of: what is said on standard error. A unit test has more of each kind. */
describe.concurrent('what is refused', () => {
  test.for([
    [['deployment', 'x'], {}, /^ERROR: Unknown resource type: deployment\n$/],
    [['pod', 'x', '-o wide'], {}, /^wait_for\.sh: -o: expected one of the options --selector, .*\n$/],
    [['pod', 'x'], { WAIT_TIME: 'soon' }, /^wait_for\.sh: WAIT_TIME: expected seconds, such as 2, got "soon"\n$/],
  ] as const)('%j %j', async ([args, env, said], { bare, expect }) => {
    const { code, stdout, stderr } = await bare(args, asScript(env)).exit;
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(said);
  });

  test('fewer than two arguments print usage', async ({ bare, expect }) => {
    const { code, stdout, stderr } = await bare(['pod'], { ...asScript(), kubeconfig: 'none' }).exit;
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    expect(stdout).toMatch(/^usage: wait_for\.sh KIND NAME/m);
    for (const kind of ['job', 'job-we', 'job-wr', 'pod', 'pod-we', 'pod-wr', 'service']) {
      expect(stdout).toMatch(new RegExp(`^${kind} `, 'm'));
    }
  });
});

describe.concurrent('a run', () => {
  const quiet = { DEBUG: '', KUBE_AWAIT_LOGS: '' };

  test('that has to wait prints both lines, in local time, and nothing on standard error', async ({ bare, expect }) => {
    const ns = space;
    const labels = { app: 'local-time' };
    const made = await makePod({ ns }, { name: 'local-time', labels, status: NOT_READY });
    // A zone whose time of day is never that of UTC.
    const run = bare(['pod', '-lapp=local-time', '-n', ns], asScript({ ...quiet, TZ: 'Pacific/Kiritimati' }));
    const { text } = await run.line(/Waiting/);
    const hour = new Intl.DateTimeFormat('sv-SE', {
      dateStyle: 'short',
      timeStyle: 'medium',
      timeZone: 'Pacific/Kiritimati',
    });
    const now = hour.format(new Date());
    await api.patchStatus(made, READY);
    const outcome = await outcomeOf(run, 'ready');
    expect(text).toMatch(new RegExp(`^\\[....-..-.. ..:..:..\\] Waiting for pod -lapp=local-time -n ${ns}\\.\\.\\.$`));
    expect(Math.abs(Date.parse(`${text.slice(1, 20)}Z`) - Date.parse(`${now}Z`))).toBeLessThan(60 * 60 * 1000);
    expect(masked(outcome.stdout).at(-1)).toBe(`[TIME] pod -lapp=local-time -n ${ns} is ready.`);
    expect({ code: outcome.code, stderr: outcome.stderr }).toEqual({ code: 0, stderr: '' });
  });

  test('repeats the Waiting line every WAIT_TIME seconds', async ({ bare, expect }) => {
    const run = bare(['job', 'x', '-n', space], asScript({ WAIT_TIME: '0.2' }));
    await run.line(/^still waiting after 1s/);
    run.kill('SIGTERM');
    const { stdout } = await run.exit;
    const waiting = masked(stdout).filter((line) => line === `[TIME] Waiting for job x -n ${space}...`);
    expect(waiting.length).toBeGreaterThanOrEqual(3);
  });

  test('says on standard error why it failed, and which pod', async ({ bare, expect }) => {
    await makePod({ ns: space }, { ...task, name: 'killed', status: ended1('OOMKilled') });
    const { code, stderr, stdout } = await bare(['pod', 'killed', '-n', space], asScript(quiet)).exit;
    expect({ code, lines: masked(stdout) }).toEqual({ code: 1, lines: [] });
    expect(stderr).toMatch(/^pod\/killed failed: Failed, container main: exit code 1 \(OOMKilled\)$/m);
  });

  test('says on standard error after a while what it waits for', async ({ bare, expect }) => {
    const run = bare(['job', 'x', '-n', space], asScript({ ...quiet, KUBE_AWAIT_HEARTBEAT: '1s' }));
    await run.line(/^hint: job\/x: deleted by its ttlSecondsAfterFinished/);
    run.kill('SIGINT');
    const { code, signal, stderr } = await run.exit;
    expect({ code, signal }).toEqual({ code: 1, signal: null });
    expect(stderr).toMatch(/^wait_for\.sh: ended by SIGINT$/m);
  });

  test('has the time limit of KUBE_AWAIT_TIMEOUT', async ({ bare, expect }) => {
    const env = { ...quiet, KUBE_AWAIT_TIMEOUT: '1s' };
    const { code, stderr } = await untilAnswered(() => bare(['job', 'x', '-n', space], asScript(env)));
    expect(code).toBe(1);
    expect(stderr).toMatch(/^job\/x not reached after 1s: does not exist yet$/m);
  });

  test('takes a Job that is gone for done where KUBE_AWAIT_ON_MISSING says so', async ({ bare, expect }) => {
    const env = { ...quiet, KUBE_AWAIT_ON_MISSING: 'succeed', KUBE_AWAIT_MISSING_GRACE: '0s' };
    const { code, stdout } = await bare(['job', 'x', '-n', space], asScript(env)).exit;
    expect({ code, last: masked(stdout).at(-1) }).toEqual({ code: 0, last: `[TIME] job x -n ${space} is ready.` });
  });

  test('is explained where it is refused', async ({ ns, kubeAwait, identity, expect }) => {
    const as = await identity({ rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['list'] }] });
    const { code, stdout, stderr } = await kubeAwait(['job', 'x', '-n', ns], { ...asScript(quiet), as }).exit;
    expect(code).toBe(1);
    expect(new Set(masked(stdout))).toEqual(new Set([`[TIME] Waiting for job x -n ${ns}...`]));
    expect(stderr).toContain(`cannot list jobs.batch "x" in namespace "${ns}"`);
  });

  test.for([
    ['get and list', ['get', 'list']],
    ['get only', ['get']],
    ['list and watch', ['list', 'watch']],
  ] as const)('needs of a Role no more than %s', async ([, verbs], { ns, kubeAwait, identity, expect }) => {
    await makeJob({ ns }, { status: { ...COMPLETE, succeeded: 1, failed: 1 } });
    const rules = [{ apiGroups: ['batch'], resources: ['jobs'], verbs, resourceNames: ['x'] }];
    const as = await identity({ rules });
    const { code, stdout } = await kubeAwait(['job', 'x', '-n', ns], { ...asScript(quiet), as }).exit;
    expect({ code, last: masked(stdout).at(-1) }).toEqual({ code: 0, last: `[TIME] job x -n ${ns} is ready.` });
  });

  test('goes by the pods alone where Jobs may not be read', async ({ ns, kubeAwait, identity, expect }) => {
    const owner = await makeJob({ ns }, { completions: 3, status: { startTime: started, succeeded: 1 } });
    await makePod({ ns }, { ...task, owner, status: SUCCEEDED });
    const as = await identity({ rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get', 'list'] }] });
    const { code, stdout } = await kubeAwait(['pod', '-lapp=x', '-n', ns], { ...asScript(quiet), as }).exit;
    expect({ code, last: masked(stdout).at(-1) }).toEqual({ code: 0, last: `[TIME] pod -lapp=x -n ${ns} is ready.` });
  });
});

/** The same kinds where the image alone was changed, and the arguments go to kube-await itself. */
describe.concurrent('as arguments of kube-await', () => {
  let ns = '';
  beforeAll(async () => {
    ns = await makeNamespace();
    await Promise.all([
      makeJob({ ns }, { status: { ...FAILED, failed: 1 } }),
      makePod({ ns }, { ...task, name: 'p', status: ERROR }),
      makePod({ ns }, { name: 'q', status: READY }),
    ]);
  });

  test.for([
    ['job-we', ['job-we', 'x'], 'job/x reached: BecauseFailed'],
    ['job-wr', ['job-wr', 'x'], 'job/x failed: BecauseFailed'],
    ['job', ['job', 'x'], 'job/x failed: BecauseFailed'],
    ['pod-we', ['pod-we', '-l app=x'], 'pod -l app=x reached: 2/2 done'],
    ['pod-wr', ['pod-wr', '-l', 'app=x'], 'pod -l app=x reached: 1/1 done'],
    ['pod-wr with names', ['pod-wr', 'p', 'q'], 'pod/q reached: Ready'],
    ['pod', ['pod', '-lapp=x'], 'pod -l app=x failed: 1/2 done, pod/p Failed, container main: exit code 1'],
  ] as const)('%s', async ([, args, line], { bare, expect }) => {
    const { code, stdout } = await bare(args, { namespace: ns, env: { KUBE_AWAIT_LOGS: '0' } }).exit;
    expect({ code, stdout }).toEqual({ code: line.includes(' failed: ') ? 1 : 0, stdout: `${line}\n` });
  });
});
