import { describe, expect, test } from 'vitest';
import type { KubeObject } from '../../../src/kube/object.ts';
import type { Target } from '../../../src/wait/plan.ts';
import { JOBS, job, named, object, PODS, selected } from '../objects.ts';
import { FORBIDDEN, Script, SECOND } from './script.ts';

const AFTER = 100;

type State = Readonly<Record<string, unknown>>;
const waiting = (reason: string): State => ({ waiting: { reason, message: 'as told' } });
const running: State = { running: {} };
const ended = (exitCode: number): State => ({ terminated: { exitCode } });

/** A pod with one container in that state. */
function pod(state: State, more: { readonly ready?: boolean; readonly init?: State; readonly meta?: object } = {}) {
  const { ready = false, init, meta } = more;
  return object(PODS, {
    metadata: { name: 'x', namespace: 'app', uid: 'u', resourceVersion: '1', ...meta },
    spec: { restartPolicy: 'OnFailure' },
    status: {
      phase: 'Running',
      initContainerStatuses: init === undefined ? [] : [{ name: 'setup', ready: false, state: init }],
      containerStatuses: [{ name: 'main', ready, state }],
    },
  });
}

const started = (more: Partial<Target> = {}): Script =>
  new Script([named(PODS, 'x', { stuckAfterMs: AFTER * SECOND, ...more })], { timeoutMs: 10_000 * SECOND });

/** Shows the pod in these states, one after the other, at these seconds. */
function play(script: readonly (readonly [second: number, pod: KubeObject])[]): Script {
  const run = started();
  for (const [second, seen] of script) run.at(second).sees('pods', [seen]);
  return run;
}

describe('--stuck-after', () => {
  const reasons = [
    'ErrImagePull',
    'ImagePullBackOff',
    'InvalidImageName',
    'ErrImageNeverPull',
    'CreateContainerConfigError',
    'CreateContainerError',
    'RunContainerError',
    'CrashLoopBackOff',
  ];
  test.each(reasons)('%s: fails after that time, not before', (reason) => {
    const run = play([[5, pod(waiting(reason))]]);
    expect(run.wakeAt).toBe((5 + AFTER) * SECOND);
    expect(run.at(5 + AFTER - 0.1).ending).toBeUndefined();
    expect(run.at(5 + AFTER).ending).toBe('failed');
    expect(run.state.targets[0]?.status).toMatchObject({
      state: 'failed',
      why: { code: 'stuck', label: 'pod/x container main', reason, message: 'as told' },
    });
  });

  test.each(['ContainerCreating', 'PodInitializing'])('%s is no trouble', (reason) => {
    expect(play([[0, pod(waiting(reason))]]).at(9_000).ending).toBeUndefined();
  });

  test('an init container, too', () => {
    const stuck = pod(waiting('PodInitializing'), { init: waiting('CrashLoopBackOff') });
    expect(play([[0, stuck]]).at(AFTER).ending).toBe('failed');
  });

  test('image reasons that take turns count as one', () => {
    const run = play([
      [0, pod(waiting('ErrImagePull'))],
      [40, pod(waiting('ImagePullBackOff'))],
      [80, pod(waiting('ErrImagePull'))],
    ]);
    expect(run.at(AFTER - 0.1).ending).toBeUndefined();
    expect(run.at(AFTER).ending).toBe('failed');
  });

  test('other reasons have a clock each', () => {
    const run = play([
      [0, pod(waiting('ImagePullBackOff'))],
      [90, pod(waiting('CrashLoopBackOff'))],
    ]);
    expect(run.at(AFTER).ending).toBeUndefined();
    expect(run.at(90 + AFTER).ending).toBe('failed');
  });

  test('the clock goes on while the container runs for a moment and crashes again', () => {
    const run = play([
      [0, pod(waiting('CrashLoopBackOff'))],
      [40, pod(running)],
      [50, pod(ended(1))],
      [51, pod(waiting('CrashLoopBackOff'))],
    ]);
    expect(run.at(AFTER - 0.1).ending).toBeUndefined();
    expect(run.at(AFTER).ending).toBe('failed');
  });

  test.each([
    ['it has been ready', [[50, pod(running, { ready: true })]]],
    ['it has ended with 0', [[50, pod(ended(0))]]],
    [
      'it has run for a minute',
      [
        [1, pod(running)],
        [61, pod(running)],
      ],
    ],
  ] as const)('the clock stops when %s', (_, between) => {
    const run = play([[0, pod(waiting('CrashLoopBackOff'))], ...between, [80, pod(waiting('CrashLoopBackOff'))]]);
    expect(run.at(AFTER).ending).toBeUndefined();
    expect(run.at(80 + AFTER).ending).toBe('failed');
  });

  test('the clock goes on when it has run for less than a minute', () => {
    const run = play([
      [0, pod(waiting('CrashLoopBackOff'))],
      [1, pod(running)],
      [60.9, pod(ended(1))],
      [61, pod(waiting('CrashLoopBackOff'))],
    ]);
    expect(run.at(AFTER).ending).toBe('failed');
  });

  test('a pod that runs is not stuck, however long ago its trouble began', () => {
    const run = play([
      [0, pod(waiting('CrashLoopBackOff'))],
      [90, pod(running)],
    ]);
    expect(run.at(149).ending).toBeUndefined();
    expect(run.at(9_000).ending).toBeUndefined();
  });

  const unscheduled = (since: string, status = 'False', reason = 'Unschedulable'): KubeObject =>
    object(PODS, {
      metadata: { name: 'x', namespace: 'app', uid: 'u', resourceVersion: '1' },
      spec: { restartPolicy: 'Never' },
      status: { phase: 'Pending', conditions: [{ type: 'PodScheduled', status, reason, lastTransitionTime: since }] },
    });
  const at = (seconds: number): string => new Date(seconds * SECOND).toISOString();

  test("Unschedulable counts from its condition's time", () => {
    const run = play([[50, unscheduled(at(20))]]);
    expect(run.wakeAt).toBe((20 + AFTER) * SECOND);
    expect(run.at(20 + AFTER).ending).toBe('failed');
  });

  test('Unschedulable for long enough fails at once', () => {
    expect(play([[500, unscheduled(at(20))]]).ending).toBe('failed');
  });

  test('a time of a clock that runs ahead counts from when it was seen', () => {
    const run = play([[50, unscheduled(at(1_000))]]);
    expect(run.at(50 + AFTER).ending).toBe('failed');
  });

  test.each([
    ['scheduled', 'True', ''],
    ['held back by a gate', 'False', 'SchedulingGated'],
  ])('%s is no trouble', (_, status, reason) => {
    expect(play([[0, unscheduled(at(0), status, reason)]]).at(9_000).ending).toBeUndefined();
  });

  test('a pod that is being deleted is not stuck', () => {
    const run = play([
      [0, pod(waiting('CrashLoopBackOff'))],
      [50, pod(waiting('CrashLoopBackOff'), { meta: { deletionTimestamp: at(50) } })],
    ]);
    expect(run.at(AFTER).ending).toBeUndefined();
  });

  test('a pod that took its place has a clock of its own', () => {
    const run = play([
      [0, pod(waiting('CrashLoopBackOff'))],
      [50, pod(waiting('CrashLoopBackOff'), { meta: { uid: 'v' } })],
    ]);
    expect(run.at(AFTER).ending).toBeUndefined();
    expect(run.at(50 + AFTER).ending).toBe('failed');
  });

  test('a target that is reached in the same moment is reached', () => {
    const run = new Script([selected(PODS, { stuckAfterMs: AFTER * SECOND, atLeast: 1, ownerJobs: 'never' })]);
    const done = object(PODS, {
      metadata: { name: 'done', namespace: 'app', uid: 'd', resourceVersion: '2' },
      spec: { restartPolicy: 'Never' },
      status: { phase: 'Succeeded' },
    });
    run.sees('pods', [pod(waiting('CrashLoopBackOff'))]).at(AFTER);
    expect(run.ending).toBe('failed');
    const other = new Script([selected(PODS, { stuckAfterMs: AFTER * SECOND, atLeast: 1, ownerJobs: 'never' })]);
    other.sees('pods', [pod(waiting('CrashLoopBackOff'))]);
    other.now = AFTER * SECOND;
    expect(other.sees('pods', [pod(waiting('CrashLoopBackOff')), done]).ending).toBe('reached');
  });
});

describe('--stuck-after of a Job', () => {
  const migrate = (condition?: string): KubeObject => {
    const made = job('migrate', condition);
    return { ...made, spec: { ...(made.spec as object), selector: { matchLabels: { 'controller-uid': 'j' } } } };
  };
  const begun = (more: Partial<Target> = {}): Script =>
    new Script([named(JOBS, 'migrate', { stuckAfterMs: AFTER * SECOND, ...more })]).sees('jobs', [migrate()]);

  test('looks at its pods', () => {
    const run = begun();
    expect(run.wanted('pods')).toMatchObject({ need: 'required', spec: { labelSelector: 'controller-uid=j' } });
    run.sees('pods', [pod(waiting('ImagePullBackOff'))]);
    expect(run.at(AFTER).ending).toBe('failed');
  });

  test('asks for no pods without it', () => {
    expect(begun({ stuckAfterMs: undefined }).wanted('pods')).toBeUndefined();
  });

  test('asks for no pods of a Job that has ended', () => {
    const run = new Script([
      named(JOBS, 'migrate', { stuckAfterMs: AFTER * SECOND }),
      named(JOBS, 'seed', { stuckAfterMs: AFTER * SECOND }),
    ]);
    run.sees('jobs', [migrate('Complete')], [], 'migrate').sees('jobs', [], [], 'seed');
    expect(run.statuses).toEqual(['reached', 'pending']);
    expect(run.wanted('pods')).toBeUndefined();
  });

  test('is refused where pods may not be read', () => {
    expect(begun().fails('pods', FORBIDDEN).at(5).fails('pods', FORBIDDEN).ending).toBe('refused');
  });
});
