import { describe, expect, test } from 'vitest';
import { type JobGoal, judgeJob } from '../../../src/verdict/job.ts';
import { JOBS, object } from '../objects.ts';

type Json = Readonly<Record<string, unknown>>;

const condition = (type: string, status = 'True'): Json => ({ type, status, reason: 'Told', message: 'as it is' });
const told = (type: string): Json => ({ ...condition(type), observedGeneration: undefined });

const judge = (goal: JobGoal, status: Json, spec: Json = { completions: 3 }) =>
  judgeJob(object(JOBS, { metadata: { name: 'migrate', namespace: 'app', uid: 'u' }, spec, status }), goal);

const FAILED = { conditions: [condition('FailureTarget'), condition('Failed')], failed: 2 };
const FAILING = { conditions: [condition('FailureTarget')], active: 1, failed: 2 };
const COMPLETE = { conditions: [condition('SuccessCriteriaMet'), condition('Complete')], succeeded: 3 };
const SUCCEEDING = { conditions: [condition('SuccessCriteriaMet')], active: 1, succeeded: 3 };
const RUNNING = { active: 1, succeeded: 2, failed: 1 };

test.each([
  ['running', 'complete', RUNNING, 'pending', undefined],
  ['running', 'finished', RUNNING, 'pending', undefined],
  ['running, two succeeded', 'partly', RUNNING, 'pending', undefined],
  ['without a status', 'complete', {}, 'pending', undefined],
  ['all succeeded, but no condition yet', 'complete', { succeeded: 3 }, 'pending', undefined],
  ['its last pods still ending', 'complete', SUCCEEDING, 'pending', 'SuccessCriteriaMet'],
  ['its last pods still ending', 'finished', SUCCEEDING, 'pending', 'SuccessCriteriaMet'],
  ['complete', 'complete', COMPLETE, 'reached', 'Complete'],
  ['complete', 'finished', COMPLETE, 'reached', 'Complete'],
  ['complete, three succeeded', 'partly', COMPLETE, 'reached', 'Complete'],
  ['complete without a success', 'complete', { ...COMPLETE, succeeded: 0 }, 'reached', 'Complete'],
  ['complete without a success', 'partly', { ...COMPLETE, succeeded: 0 }, 'failed', 'Complete'],
  ['complete, no counter', 'partly', { conditions: COMPLETE.conditions }, 'failed', 'Complete'],
  ['about to fail', 'complete', FAILING, 'failed', 'FailureTarget'],
  ['about to fail', 'finished', FAILING, 'pending', 'FailureTarget'],
  ['about to fail', 'partly', FAILING, 'pending', 'FailureTarget'],
  ['failed', 'complete', FAILED, 'failed', 'Failed'],
  ['failed', 'finished', FAILED, 'reached', 'Failed'],
  ['failed without a success', 'partly', FAILED, 'failed', 'Failed'],
  ['failed, one succeeded', 'partly', { ...FAILED, succeeded: 1 }, 'reached', 'Failed'],
  ['conditions that are False', 'complete', { conditions: [condition('Failed', 'False')] }, 'pending', undefined],
  ['conditions that are Unknown', 'complete', { conditions: [condition('Complete', 'Unknown')] }, 'pending', undefined],
] as const)('%s, %s: %o is %s by %s', (_, goal, status, state, decider) => {
  const verdict = judge(goal, status);
  const { why } = verdict;
  expect(verdict).toEqual({ state, why, ...(state === 'reached' ? { lasting: 'terminal' } : {}) });
  expect(why).toMatchObject({ code: 'job', condition: decider === undefined ? undefined : told(decider) });
});

describe('what is told', () => {
  test('the counters', () => {
    expect(judge('complete', RUNNING).why).toEqual({
      code: 'job',
      counts: { succeeded: 2, active: 1, failed: 1, completions: 3 },
      suspended: false,
      condition: undefined,
    });
    expect(judge('complete', {}, {}).why).toMatchObject({
      counts: { succeeded: 0, active: 0, failed: 0, completions: undefined },
    });
  });

  test.each([
    ['asked for', { suspend: true }, {}, true],
    ['not asked for', { suspend: false }, {}, false],
    ['told by a condition', {}, { conditions: [condition('Suspended')] }, true],
    ['over, as a condition says', {}, { conditions: [condition('Suspended', 'False')] }, false],
  ])('that it is suspended: %s', (_, spec, status, suspended) => {
    expect(judge('complete', status, spec).why).toMatchObject({ suspended });
  });
});

describe('what is kept of it', () => {
  const scheduled = { 'batch.kubernetes.io/cronjob-scheduled-timestamp': '2026-01-01T00:00:00Z' };
  const manual = { 'cronjob.kubernetes.io/instantiate': 'manual' };
  const kept = (annotations: unknown) =>
    object(JOBS, {
      metadata: { name: 'migrate', namespace: 'app', uid: 'u', annotations, labels: { a: 'b' } },
      spec: {
        completions: 3,
        parallelism: 2,
        suspend: false,
        backoffLimit: 6,
        selector: { matchLabels: { a: 'b' } },
        template: { spec: { restartPolicy: 'OnFailure', containers: [{ name: 'main' }] } },
      },
      status: { active: 1 },
    });

  test('its status, and of its spec what is read', () => {
    expect(kept(undefined)).toEqual({
      metadata: { name: 'migrate', namespace: 'app', uid: 'u' },
      spec: {
        completions: 3,
        parallelism: 2,
        suspend: false,
        backoffLimit: 6,
        selector: { matchLabels: { a: 'b' } },
        restartPolicy: 'OnFailure',
      },
      status: { active: 1 },
    });
  });

  test.each([
    [
      { ...scheduled, ...manual, other: 'x' },
      { ...scheduled, ...manual },
    ],
    [scheduled, scheduled],
    [{ other: 'x' }, undefined],
    ['no map', undefined],
  ])('of the annotations %o: %o', (annotations, expected) => {
    expect(kept(annotations).metadata).toStrictEqual({
      name: 'migrate',
      namespace: 'app',
      uid: 'u',
      ...(expected === undefined ? {} : { annotations: expected }),
    });
  });
});
