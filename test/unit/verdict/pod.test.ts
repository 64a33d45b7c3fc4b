import { describe, expect, test } from 'vitest';
import type { KindGoal } from '../../../src/verdict/kind-goal.ts';
import { containerFacts, hasSuccessor, isReplaced, isService, judgePod, podFacts } from '../../../src/verdict/pod.ts';
import { object, PODS } from '../objects.ts';

type Json = Readonly<Record<string, unknown>>;

const pod = (status: Json, spec: Json = { restartPolicy: 'Never' }) =>
  object(PODS, { metadata: { name: 'x', namespace: 'app', uid: 'u' }, spec, status });
const terminating = (status: Json, spec?: Json) => {
  const { metadata, ...rest } = pod(status, spec);
  return { ...rest, metadata: { ...metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } };
};
const ready = (phase: string, status = 'True'): Json => ({ phase, conditions: [{ type: 'Ready', status }] });

const GOALS: readonly KindGoal[] = ['default', 'complete', 'finished', 'ready', 'settled', 'partly'];

/** What each goal makes of it, in the order of GOALS. */
const SAME = (state: string): readonly string[] => GOALS.map(() => state);
const END = ['failed', 'failed', 'terminal', 'failed', 'terminal', 'failed'];

describe.each([
  ['a task that runs', pod({ phase: 'Running' }), SAME('pending')],
  [
    'a task that runs and is ready',
    pod(ready('Running')),
    ['pending', 'pending', 'pending', 'level', 'level', 'level'],
  ],
  ['a task that succeeded', pod({ phase: 'Succeeded' }), SAME('terminal')],
  ['a task that failed', pod({ phase: 'Failed' }), END],
  ['a failed one that was ready before', pod(ready('Failed')), END],
  ['a service that is not ready', pod(ready('Running', 'False'), { restartPolicy: 'Always' }), SAME('pending')],
  [
    'a service that is ready',
    pod(ready('Running'), { restartPolicy: 'Always' }),
    ['level', 'pending', 'pending', 'level', 'level', 'level'],
  ],
  ['a service that succeeded', pod({ phase: 'Succeeded' }, { restartPolicy: 'Always' }), SAME('terminal')],
  ['a service that failed', pod({ phase: 'Failed' }, { restartPolicy: 'Always' }), END],
  ['one without a status', pod({}), SAME('pending')],
  ['a ready service that terminates', terminating(ready('Running'), { restartPolicy: 'Always' }), SAME('pending')],
  ['a ready task that terminates', terminating(ready('Running')), SAME('pending')],
  ['a task that succeeded and terminates', terminating({ phase: 'Succeeded' }), SAME('terminal')],
  ['a task that failed and terminates', terminating({ phase: 'Failed' }), END],
])('%s', (_, judged, expected) => {
  test.each(GOALS.map((goal, index) => [goal, expected[index]] as const))('under %s: %s', (goal, state) => {
    const verdict = judgePod(judged, goal);
    const { why } = verdict;
    const isReached = state === 'terminal' || state === 'level';
    expect(verdict).toEqual(isReached ? { state: 'reached', lasting: state, why } : { state, why });
    expect(why).toEqual(podFacts(judged));
  });
});

test.each([
  [{ restartPolicy: 'Always' }, true],
  [{}, true],
  [{ restartPolicy: 'OnFailure' }, false],
  [{ restartPolicy: 'Never' }, false],
])('%o is a service: %s', (spec, expected) => {
  expect(isService(pod({}, spec))).toBe(expected);
});

describe.each([
  ['apps/v1', 'ReplicaSet', 'another name'],
  ['apps/v1', 'DaemonSet', 'another name'],
  ['v1', 'ReplicationController', 'another name'],
  ['apps/v1', 'StatefulSet', 'the same name'],
  ['apps.kruise.io/v1alpha1', 'CloneSet', 'the same name'],
  ['core.strimzi.io/v1beta2', 'StrimziPodSet', 'the same name'],
  ['v1', 'Node', 'the same name'],
  ['batch/v1', 'Job', 'nothing'],
  [undefined, undefined, 'nothing'],
])('a pod of a %s %s is followed by %s', (apiVersion, kind, follows) => {
  const reference = { apiVersion, kind, name: 'o', uid: 'o', controller: true };
  const of = (phase: string, policy: string | undefined, deletionTimestamp?: string) =>
    object(PODS, {
      metadata: { name: 'x', uid: 'u', deletionTimestamp, ...(kind && { ownerReferences: [reference] }) },
      spec: { restartPolicy: policy },
      status: { phase },
    });
  const isFollowed = follows !== 'nothing';
  const same = follows === 'the same name';

  test.each([
    ['Running', 'Always', undefined, false, false],
    ['Succeeded', 'Always', undefined, isFollowed, same],
    ['Failed', 'Always', undefined, isFollowed, same],
    ['Failed', undefined, undefined, isFollowed, same],
    ['Running', 'Always', '2026-01-01T00:00:00Z', isFollowed, false],
    ['Failed', 'Always', '2026-01-01T00:00:00Z', isFollowed, same],
    ['Failed', 'Never', undefined, false, false],
    ['Failed', 'OnFailure', undefined, false, false],
    ['Running', 'Never', '2026-01-01T00:00:00Z', false, false],
  ])('%s under %s, terminating since %s: replaced %s, successor %s', (phase, policy, since, replaced, successor) => {
    const seen = of(phase, policy, since);
    expect([isReplaced(seen), hasSuccessor(seen)]).toEqual([replaced, successor]);
    expect(isReplaced(seen, 'gone')).toBe(isFollowed && (policy ?? 'Always') === 'Always');
  });
});

describe('what is told', () => {
  const unscheduled = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: 'no node' };
  const notReady = { type: 'Ready', status: 'False', reason: 'ContainersNotReady', message: 'not ready' };
  const crash = { name: 'main', restartCount: 2, state: { waiting: { reason: 'CrashLoopBackOff', message: '10 s' } } };
  const none = { reason: undefined, message: undefined };
  const crashed = {
    name: 'main',
    state: 'waiting',
    reason: 'CrashLoopBackOff',
    message: '10 s',
    exitCode: undefined,
    signal: undefined,
    restarts: 2,
  };

  test.each([
    ['no phase is Pending', {}, { phase: 'Pending', ...none }],
    [
      'its own reason',
      { phase: 'Failed', reason: 'Evicted' },
      { phase: 'Failed', reason: 'Evicted', message: undefined },
    ],
    ['its own message', { phase: 'Failed', message: 'm' }, { phase: 'Failed', reason: undefined, message: 'm' }],
    [
      'its own reason rather than a condition',
      { phase: 'Running', reason: 'NodeLost', conditions: [notReady] },
      { phase: 'Running', reason: 'NodeLost', message: undefined },
    ],
    [
      'its own message rather than a condition',
      { phase: 'Running', message: 'm', conditions: [notReady] },
      { phase: 'Running', reason: undefined, message: 'm' },
    ],
    [
      'why it is not scheduled while it is Pending',
      { phase: 'Pending', conditions: [notReady, unscheduled] },
      { phase: 'Pending', reason: 'Unschedulable', message: 'no node' },
    ],
    [
      'that it is scheduled is nothing to tell',
      { phase: 'Pending', conditions: [notReady, { ...unscheduled, status: 'True' }] },
      { phase: 'Pending', ...none },
    ],
    [
      'why it is not ready while it is Running',
      { phase: 'Running', conditions: [unscheduled, notReady] },
      { phase: 'Running', reason: 'ContainersNotReady', message: 'not ready' },
    ],
    [
      'no condition once it has ended',
      { phase: 'Failed', conditions: [unscheduled, notReady] },
      { phase: 'Failed', ...none },
    ],
  ])('%s', (_, status, expected) => {
    expect(podFacts(pod(status))).toEqual({ code: 'pod', containers: [], ...expected });
  });

  test('a container in trouble rather than a condition', () => {
    const status = { phase: 'Running', conditions: [notReady], containerStatuses: [crash] };
    expect(podFacts(pod(status))).toEqual({ code: 'pod', phase: 'Running', ...none, containers: [crashed] });
  });

  test('init containers first', () => {
    const status = { initContainerStatuses: [{ ...crash, name: 'setup' }], containerStatuses: [crash] };
    expect(podFacts(pod(status)).containers).toEqual([{ ...crashed, name: 'setup' }, crashed]);
  });

  test.each([
    ['waits to be made', { waiting: { reason: 'ContainerCreating' } }, false],
    ['waits for init containers', { waiting: { reason: 'PodInitializing' } }, false],
    ['waits for an image', { waiting: { reason: 'ErrImagePull' } }, true],
    ['waits, nobody says for what', { waiting: {} }, false],
    ['runs', { running: {} }, false],
    ['has ended well', { terminated: { exitCode: 0, reason: 'Completed' } }, false],
    ['has ended badly', { terminated: { exitCode: 1 } }, true],
    ['has ended, nobody says how', { terminated: { reason: 'ContainerStatusUnknown' } }, false],
    ['has no state', undefined, false],
  ])('a container that %s', (_, state, isTold) => {
    const { containers } = podFacts(pod({ containerStatuses: [{ name: 'main', state }] }));
    expect(containers.map(({ name }) => name)).toEqual(isTold ? ['main'] : []);
  });

  test('a container without a name', () => {
    expect(podFacts(pod({ containerStatuses: [{ ...crash, name: undefined }] })).containers).toEqual([
      { ...crashed, name: '' },
    ]);
  });

  const empty = { reason: undefined, message: undefined, exitCode: undefined, signal: undefined };
  const ended = { reason: 'OOMKilled', message: 'm', exitCode: 137, signal: 9 };
  test.each([
    ['no status', undefined, { state: 'waiting', ...empty, restarts: 0 }],
    [
      'waiting',
      { state: { waiting: { reason: 'r', message: 'm' } } },
      { state: 'waiting', ...empty, reason: 'r', message: 'm', restarts: 0 },
    ],
    ['running', { restartCount: 3, state: { running: {} } }, { state: 'running', ...empty, restarts: 3 }],
    ['ended', { restartCount: 1, state: { terminated: ended } }, { state: 'terminated', ...ended, restarts: 1 }],
    ['ended, without a word', { state: { terminated: {} } }, { state: 'terminated', ...empty, restarts: 0 }],
  ])('of a container: %s', (_, status, expected) => {
    expect(containerFacts(status, 'main')).toStrictEqual({ name: 'main', ...expected });
  });
});

test('what is kept of it', () => {
  const container = { name: 'main', restartPolicy: 'Never', restartPolicyRules: [{ action: 'Restart' }] };
  const status = { name: 'main', ready: true, restartCount: 1, state: { running: {} }, lastState: { terminated: {} } };
  const told = [
    { type: 'Ready', status: 'True' },
    { type: 'PodScheduled', status: 'True' },
  ];
  const spec = { restartPolicy: 'Never', nodeName: 'n' };
  const phase = { phase: 'Running', reason: 'r', message: 'm' };
  const made = pod(
    {
      ...phase,
      podIP: '10.0.0.1',
      conditions: [{ type: 'Initialized', status: 'True' }, ...told],
      initContainerStatuses: [{ ...status, name: 'setup', imageID: 'i' }],
      containerStatuses: [{ ...status, imageID: 'i' }],
    },
    {
      ...spec,
      volumes: [{ name: 'v' }],
      initContainers: [{ ...container, name: 'setup', image: 'i' }],
      containers: [{ ...container, image: 'i' }],
    },
  );
  expect(made).toEqual({
    metadata: { name: 'x', namespace: 'app', uid: 'u' },
    spec: { ...spec, initContainers: [{ ...container, name: 'setup' }], containers: [container] },
    status: {
      ...phase,
      conditions: told,
      initContainerStatuses: [{ ...status, name: 'setup' }],
      containerStatuses: [status],
    },
  });
});
