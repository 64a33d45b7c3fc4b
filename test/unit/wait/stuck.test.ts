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
function pod(
  state: State,
  more: { readonly ready?: boolean; readonly init?: State; readonly meta?: object; readonly scheduled?: string } = {},
) {
  const { ready = false, init, meta, scheduled } = more;
  return object(PODS, {
    metadata: { name: 'x', namespace: 'app', uid: 'u', resourceVersion: '1', ...meta },
    spec: { restartPolicy: 'OnFailure' },
    status: {
      phase: 'Running',
      conditions: scheduled === undefined ? [] : [{ type: 'PodScheduled', status: scheduled }],
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
    'ImageInspectError',
    'RegistryUnavailable',
    'SignatureValidationFailed',
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

  test('a container has one clock, whatever the reasons', () => {
    for (const first of reasons) {
      for (const second of reasons) {
        const run = play([
          [0, pod(waiting(first))],
          [90, pod(waiting(second))],
        ]);
        expect(run.at(AFTER - 0.1).ending).toBeUndefined();
        expect(run.at(AFTER).ending).toBe('failed');
      }
    }
  });

  test.each(['constructor', 'toString', '__proto__', 'hasOwnProperty', ''])('the reason %j is not stuck', (reason) => {
    expect(play([[0, pod(waiting(reason))]]).at(9_000).ending).toBeUndefined();
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
    ['it has ended with 0', [[50, pod(ended(0))]]],
    [
      'it has run for 60 s',
      [
        [1, pod(running)],
        [61, pod(running)],
      ],
    ],
    [
      'it has run for 60 s, ready for a part of them',
      [
        [1, pod(running)],
        [20, pod(running, { ready: true })],
        [61, pod(running, { ready: true })],
      ],
    ],
  ] as const)('the clock stops when %s', (_, between) => {
    const run = play([[0, pod(waiting('CrashLoopBackOff'))], ...between, [80, pod(waiting('CrashLoopBackOff'))]]);
    expect(run.at(AFTER).ending).toBeUndefined();
    expect(run.at(80 + AFTER).ending).toBe('failed');
  });

  test.each([
    ['it runs for less than 60 s', pod(running)],
    ['it is ready for less than 60 s', pod(running, { ready: true })],
  ])('the clock continues when %s', (_, between) => {
    const run = play([
      [0, pod(waiting('CrashLoopBackOff'))],
      [1, between],
      [60.9, pod(ended(1))],
      [61, pod(waiting('CrashLoopBackOff'))],
    ]);
    expect(run.at(AFTER).ending).toBe('failed');
  });

  test('a restart between two looks shows in the number of restarts, and restarts the 60 s', () => {
    const restarted = (restartCount: number): KubeObject => {
      const one = pod(running);
      const [status] = (one.status as { containerStatuses: readonly object[] }).containerStatuses;
      return { ...one, status: { ...(one.status as object), containerStatuses: [{ ...status, restartCount }] } };
    };
    const run = play([
      [0, pod(waiting('CrashLoopBackOff'))],
      [10, restarted(1)],
      [50, restarted(2)],
      [71, restarted(2)],
      [80, pod(waiting('CrashLoopBackOff'))],
    ]);
    expect(run.at(AFTER).ending).toBe('failed');
  });

  test('an interruption restarts the 60 s, not the clock', () => {
    const run = play([
      [0, pod(waiting('CrashLoopBackOff'))],
      [1, pod(running)],
      [50, pod(ended(1))],
      [51, pod(running)],
      [99, pod(ended(1))],
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

  test.each([
    ['the past', -600],
    ['the future', 600],
  ])('Unschedulable: the clock starts when it is first seen, with a condition time in %s', (_, offset) => {
    const run = play([[50, unscheduled(at(50 + offset))]]);
    expect(run.wakeAt).toBe((50 + AFTER) * SECOND);
    expect(run.at(50 + AFTER - 0.1).ending).toBeUndefined();
    expect(run.at(50 + AFTER).ending).toBe('failed');
  });

  test('the scheduling clock stops when the pod is scheduled', () => {
    const run = play([
      [0, unscheduled(at(0))],
      [90, unscheduled(at(90), 'True', '')],
      [95, unscheduled(at(95))],
    ]);
    expect(run.at(95 + AFTER - 0.1).ending).toBeUndefined();
    expect(run.at(95 + AFTER).ending).toBe('failed');
  });

  test('scheduling and containers have separate clocks', () => {
    const run = play([
      [0, unscheduled(at(0))],
      [90, pod(waiting('ErrImagePull'), { scheduled: 'True' })],
    ]);
    expect(run.at(90 + AFTER - 0.1).ending).toBeUndefined();
    expect(run.at(90 + AFTER).ending).toBe('failed');
  });

  test.each([
    ['scheduled', 'True', ''],
    ['scheduled in the end', 'True', 'Unschedulable'],
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
    const run = new Script([selected(PODS, { stuckAfterMs: AFTER * SECOND, atLeast: 1 })]);
    const done = object(PODS, {
      metadata: { name: 'done', namespace: 'app', uid: 'd', resourceVersion: '2' },
      spec: { restartPolicy: 'Never' },
      status: { phase: 'Succeeded' },
    });
    run.sees('pods', [pod(waiting('CrashLoopBackOff'))]).at(AFTER);
    expect(run.ending).toBe('failed');
    const other = new Script([selected(PODS, { stuckAfterMs: AFTER * SECOND, atLeast: 1 })]);
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

describe('what is told of it', () => {
  test('of two the one that has been stuck for longer', () => {
    const two = (first: State, second: State): KubeObject =>
      object(PODS, {
        metadata: { name: 'x', namespace: 'app', uid: 'u', resourceVersion: '1' },
        spec: { restartPolicy: 'OnFailure' },
        status: {
          phase: 'Pending',
          containerStatuses: [
            { name: 'a', ready: false, state: first },
            { name: 'b', ready: false, state: second },
          ],
        },
      });
    const why = (run: Script) => run.state.targets[0]?.status;
    const later = new Script([named(PODS, 'x', { stuckAfterMs: AFTER * SECOND })]).sees('pods', [
      two({ waiting: { reason: 'ContainerCreating' } }, waiting('ErrImagePull')),
    ]);
    later.at(10).sees('pods', [two(waiting('CrashLoopBackOff'), waiting('ErrImagePull'))]);
    // Both are due before anybody looks.
    expect(why(later.at(AFTER + 10))).toMatchObject({ why: { label: 'pod/x container b', reason: 'ErrImagePull' } });
    const same = new Script([named(PODS, 'x', { stuckAfterMs: AFTER * SECOND })]).sees('pods', [
      two(waiting('CrashLoopBackOff'), waiting('ErrImagePull')),
    ]);
    expect(why(same.at(AFTER))).toMatchObject({ why: { label: 'pod/x container a', reason: 'CrashLoopBackOff' } });
  });

  test('that it cannot be scheduled, and why', () => {
    const lastTransitionTime = new Date(20 * SECOND).toISOString();
    const conditions = [
      { type: 'Ready', status: 'False', reason: 'Unschedulable' },
      { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/3 nodes', lastTransitionTime },
    ];
    const run = started().sees('pods', [
      object(PODS, {
        metadata: { name: 'x', namespace: 'app', uid: 'u' },
        status: { phase: 'Pending', conditions },
      }),
    ]);
    expect(run.at(AFTER).state.targets[0]?.status).toMatchObject({
      state: 'failed',
      why: { code: 'stuck', label: 'pod/x', reason: 'Unschedulable', message: '0/3 nodes' },
    });
  });
});

test('a container that runs again is judged once it has run for 60 s', () => {
  const run = play([
    [0, pod(waiting('CrashLoopBackOff'))],
    [10, pod(running)],
  ]);
  expect(run.wakeAt).toBe(70 * SECOND);
  run.at(70);
  expect(run.wakeAt).toBe(9_999 * SECOND);
});

test.each(['Succeeded', 'Failed'])('a pod that is %s is not stuck, whatever its containers say', (phase) => {
  const settled: Target = selected(PODS, { goals: [{ for: 'settled' }], stuckAfterMs: AFTER * SECOND });
  const ended = object(PODS, {
    metadata: { name: 'x', namespace: 'app', uid: 'u' },
    status: { phase, containerStatuses: [{ name: 'main', state: waiting('CrashLoopBackOff') }] },
  });
  const at = new Date(0).toISOString();
  const busy = object(PODS, {
    metadata: { name: 'y', namespace: 'app', uid: 'v' },
    status: { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'True', lastTransitionTime: at }] },
  });
  const run = new Script([settled]).sees('pods', [ended, busy]);
  expect(run.at(AFTER).ending).toBeUndefined();
  expect(run.state.targets[0]?.memory.stuck.size).toBe(0);
});

test('what has no pods of its own asks for none', () => {
  const maps = { ...PODS, name: 'deployments', group: 'apps', kind: 'Deployment' };
  const seen = object(maps, {
    metadata: { name: 'x', namespace: 'app', uid: 'u' },
    spec: { selector: { matchLabels: { a: 'b' } } },
  });
  const run = new Script([named(maps, 'x', { stuckAfterMs: AFTER * SECOND })]).sees('deployments', [seen]);
  expect(run.wants).toHaveLength(1);
  expect(run.at(AFTER).ending).toBeUndefined();
});

test.each([
  [{ matchLabels: { a: 'b', c: 'd' } }, 'a=b,c=d'],
  [{ matchLabels: 'a=b' }, undefined],
  [{ matchLabels: null }, undefined],
  [{}, undefined],
])('the pods of a Job with the selector %o: %s', (selector, expected) => {
  const seen = { ...job('migrate', undefined), spec: { selector } };
  const run = new Script([named(JOBS, 'migrate', { stuckAfterMs: AFTER * SECOND })]).sees('jobs', [seen]);
  expect(run.wanted('pods')?.spec).toEqual(
    expected === undefined
      ? undefined
      : { resource: PODS, namespace: 'app', labelSelector: expected, mode: 'watch', keep: 'verdict' },
  );
});
