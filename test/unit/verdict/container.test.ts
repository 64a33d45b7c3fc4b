import { describe, expect, test } from 'vitest';
import { containerNames, judgeContainer } from '../../../src/verdict/container.ts';
import type { KindGoal } from '../../../src/verdict/kind-goal.ts';
import { containerFacts } from '../../../src/verdict/pod.ts';
import { object, PODS } from '../objects.ts';

type Json = Readonly<Record<string, unknown>>;

interface Given {
  /** The policy of the pod. */
  readonly policy?: string;
  readonly phase?: string;
  /** What else stands in the container's own spec. */
  readonly spec?: Json;
  readonly state?: Json;
  readonly ready?: boolean;
  readonly as?: 'initContainers' | 'containers';
}

/** A pod with a container `main`, which is judged, and one beside it, which says nothing. */
function pod({ policy, phase = 'Running', spec, state, ready = false, as = 'containers' }: Given) {
  const other = as === 'containers' ? 'initContainers' : 'containers';
  const [statuses, others] =
    as === 'containers'
      ? ['containerStatuses', 'initContainerStatuses']
      : ['initContainerStatuses', 'containerStatuses'];
  return object(PODS, {
    metadata: { name: 'x', namespace: 'app', uid: 'u' },
    spec: { restartPolicy: policy, [as]: [{ name: 'main', ...spec }], [other]: [{ name: 'beside' }] },
    status: {
      phase,
      [statuses]: state === undefined ? [] : [{ name: 'main', ready, state }],
      [others]: [{ name: 'beside', ready: true, state: { terminated: { exitCode: 0 } } }],
    },
  });
}

const ended = (exitCode: number): Json => ({ terminated: { exitCode } });
const running: Json = { running: {} };
const GOALS: readonly KindGoal[] = ['default', 'complete', 'finished', 'ready', 'settled', 'partly'];
const SAME = (state: string): readonly string[] => GOALS.map(() => state);
const SUCCESS = SAME('terminal');
const FAILURE = ['failed', 'failed', 'terminal', 'failed', 'terminal', 'failed'];
const READY = ['level', 'pending', 'pending', 'level', 'level', 'level'];
const TASK_READY = ['pending', 'pending', 'pending', 'level', 'level', 'level'];
const PENDING = SAME('pending');

const rule = (action: string, operator: string, ...values: readonly number[]): Json => ({
  restartPolicyRules: [{ action, exitCodes: { operator, values } }],
});

describe.each<[string, Given, readonly string[]]>([
  ['not started', { policy: 'Never' }, PENDING],
  ['running', { policy: 'Never', state: running }, PENDING],
  ['running, Always', { policy: 'Always', state: running }, PENDING],
  ['ready, a task', { policy: 'Never', state: running, ready: true }, TASK_READY],
  ['ready, OnFailure', { policy: 'OnFailure', state: running, ready: true }, TASK_READY],
  ['ready, Always', { policy: 'Always', state: running, ready: true }, READY],
  ['ready, no policy is Always', { state: running, ready: true }, READY],
  ['ready, a policy that nobody knows is Always', { policy: 'Sometimes', state: running, ready: true }, READY],
  ['ended with 0, Never', { policy: 'Never', state: ended(0) }, SUCCESS],
  ['ended with 1, Never', { policy: 'Never', state: ended(1) }, FAILURE],
  ['ended with 0, OnFailure', { policy: 'OnFailure', state: ended(0) }, SUCCESS],
  ['ended with 1, OnFailure: it is started again', { policy: 'OnFailure', state: ended(1) }, PENDING],
  ['ended with 0, Always: it is started again', { policy: 'Always', state: ended(0) }, PENDING],
  ['ended with 1, Always: it is started again', { policy: 'Always', state: ended(1) }, PENDING],
  ['ended with 0, Always, in a pod that has failed', { policy: 'Always', phase: 'Failed', state: ended(0) }, SUCCESS],
  [
    'ended with 1, OnFailure, in a pod that has failed',
    { policy: 'OnFailure', phase: 'Failed', state: ended(1) },
    FAILURE,
  ],
  ['ended with 1, Always, in a pod that has succeeded', { phase: 'Succeeded', state: ended(1) }, FAILURE],
  ['not started in a pod that has failed', { policy: 'Never', phase: 'Failed' }, FAILURE],
  ['not started in a pod that has succeeded', { policy: 'Never', phase: 'Succeeded' }, FAILURE],
  ['running, as kubelet told last, in a pod that was evicted', { phase: 'Failed', state: running }, FAILURE],
  [
    'its own policy, Never, is before that of the pod',
    { policy: 'Always', spec: { restartPolicy: 'Never' }, state: ended(1) },
    FAILURE,
  ],
  ['its own policy, Always, too', { policy: 'Never', spec: { restartPolicy: 'Always' }, state: ended(1) }, PENDING],
  ['an init container ended with 0, Always', { policy: 'Always', as: 'initContainers', state: ended(0) }, SUCCESS],
  [
    'an init container ended with 1, Always: it is started again',
    { policy: 'Always', as: 'initContainers', state: ended(1) },
    PENDING,
  ],
  ['an init container ended with 1, Never', { policy: 'Never', as: 'initContainers', state: ended(1) }, FAILURE],
  [
    'an init container ended with 1, OnFailure',
    { policy: 'OnFailure', as: 'initContainers', state: ended(1) },
    PENDING,
  ],
  [
    'a sidecar that is ready',
    { policy: 'Never', as: 'initContainers', spec: { restartPolicy: 'Always' }, state: running, ready: true },
    READY,
  ],
  ['a rule starts it again', { policy: 'Never', spec: rule('Restart', 'In', 1, 42), state: ended(42) }, PENDING],
  [
    'a rule starts all again',
    { policy: 'Never', spec: rule('RestartAllContainers', 'In', 42), state: ended(42) },
    PENDING,
  ],
  ['a rule for other codes', { policy: 'Never', spec: rule('Restart', 'In', 1, 2), state: ended(42) }, FAILURE],
  ['a rule for all other codes', { policy: 'Never', spec: rule('Restart', 'NotIn', 1), state: ended(42) }, PENDING],
  ['a rule for all codes but this', { policy: 'Never', spec: rule('Restart', 'NotIn', 42), state: ended(42) }, FAILURE],
  [
    'a rule with an operator that nobody knows',
    { policy: 'Never', spec: rule('Restart', 'Above', 1), state: ended(42) },
    FAILURE,
  ],
  [
    'a rule that leaves it as it is',
    { policy: 'OnFailure', spec: rule('Terminate', 'In', 42), state: ended(42) },
    FAILURE,
  ],
  ['a rule in a pod that has failed', { phase: 'Failed', spec: rule('Restart', 'In', 42), state: ended(42) }, FAILURE],
  [
    'the first rule that fits decides',
    {
      policy: 'Never',
      spec: {
        restartPolicyRules: [
          ...(rule('Restart', 'In', 7).restartPolicyRules as readonly Json[]),
          ...(rule('Restart', 'In', 42).restartPolicyRules as readonly Json[]),
          ...(rule('Terminate', 'In', 42).restartPolicyRules as readonly Json[]),
        ],
      },
      state: ended(42),
    },
    PENDING,
  ],
])('%s', (_, given, expected) => {
  test.each(GOALS.map((goal, index) => [goal, expected[index]] as const))('under %s: %s', (goal, state) => {
    const verdict = judgeContainer(pod(given), 'main', goal);
    const { phase = 'Running', state: told, ready = false } = given;
    const status = told === undefined ? undefined : { name: 'main', ready, state: told };
    const why = { code: 'container', phase, container: containerFacts(status, 'main') };
    const isReached = state === 'terminal' || state === 'level';
    expect(verdict).toEqual(isReached ? { state: 'reached', lasting: state, why } : { state, why });
  });
});

test('without a phase the pod is Pending', () => {
  const bare = object(PODS, { metadata: { name: 'x', uid: 'u' }, spec: { containers: [{ name: 'main' }] } });
  expect(judgeContainer(bare, 'main', 'default')?.why).toMatchObject({ phase: 'Pending', container: { name: 'main' } });
});

test('one that the pod does not have', () => {
  expect(judgeContainer(pod({}), 'mains', 'default')).toBeUndefined();
});

test('the names of all, init containers first', () => {
  expect(containerNames(pod({}))).toEqual(['beside', 'main']);
  const nameless = object(PODS, { metadata: { name: 'x', uid: 'u' }, spec: { containers: [{}] } });
  expect(containerNames(nameless)).toEqual(['']);
});
