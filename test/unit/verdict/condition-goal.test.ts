import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { KubeObject } from '../../../src/kube/object.ts';
import { judgeConditionGoal } from '../../../src/verdict/condition-goal.ts';
import { CONDITION_CASES } from './condition-goal-cases.ts';

const JOB = { group: 'batch', name: 'jobs' };
const OTHER = { group: 'example.test', name: 'jobs' };

const object = (status: unknown): KubeObject => ({ metadata: { name: 'x', uid: 'u', generation: 2 }, status });

describe('as kubectl wait', () => {
  test.each(CONDITION_CASES.map((row) => [`${row.name}: ${row.ours ?? row.kubectl}`, row] as const))('%s', (_, row) => {
    const goal = { type: row.type, status: row.wanted };
    expect(judgeConditionGoal(goal, object(row.status), OTHER).state).toBe(row.ours ?? row.kubectl);
  });
});

describe('what is told beside', () => {
  const condition = { type: 'Ready', status: 'False', reason: 'Crash', message: 'gone', observedGeneration: undefined };
  const goal = { type: 'ready', status: 'True' };

  test('the condition as it is', () => {
    const judged = judgeConditionGoal(goal, object({ conditions: [{ ...condition, lastProbeTime: null }] }), OTHER);
    expect(judged).toEqual({ state: 'pending', condition, stale: false });
  });

  test('that there is none', () => {
    const pending = { state: 'pending', condition: undefined, stale: false };
    expect(judgeConditionGoal(goal, object({ conditions: [] }), OTHER)).toEqual(pending);
  });

  test('that it speaks of an earlier spec', () => {
    const conditions = [{ ...condition, status: 'True', observedGeneration: 1 }];
    expect(judgeConditionGoal(goal, object({ conditions }), OTHER)).toMatchObject({
      state: 'pending',
      condition: { status: 'True', observedGeneration: 1 },
      stale: true,
    });
  });

  test('why no condition can be read', () => {
    const problem = '.status.conditions is not a list';
    const failed = { state: 'failed', condition: undefined, stale: false, problem };
    expect(judgeConditionGoal(goal, object({ conditions: {} }), OTHER)).toEqual(failed);
    expect(judgeConditionGoal(goal, object('Ready'), OTHER)).toEqual(failed);
  });
});

describe('a Job that has ended the other way', () => {
  const complete = { type: 'Complete', status: 'True' };
  const failed = { type: 'Failed', status: 'True', reason: 'BackoffLimitExceeded', message: 'too often' };
  const wants = (type: string, status = 'True') => ({ type, status });

  test.each([
    ['Complete wanted of a failed one', 'failed', wants('Complete'), [failed]],
    ['complete=true wanted of a failed one', 'failed', wants('complete', 'true'), [failed]],
    ['Failed wanted of a complete one', 'failed', wants('Failed'), [complete]],
    ['Failed wanted of a failed one', 'reached', wants('Failed'), [failed]],
    ['Complete wanted of a complete one', 'reached', wants('Complete'), [complete]],
    ['Complete wanted of one that did not fail', 'pending', wants('Complete'), [{ ...failed, status: 'False' }]],
    [
      'Complete wanted of one that is about to fail',
      'pending',
      wants('Complete'),
      [{ ...failed, type: 'FailureTarget' }],
    ],
    ['Complete=False wanted of a failed one', 'pending', wants('Complete', 'False'), [failed]],
    ['Suspended wanted of a failed one', 'pending', wants('Suspended'), [failed]],
    ['constructor wanted of a failed one', 'pending', wants('constructor'), [failed]],
  ])('%s: %s', (_, state, goal, conditions) => {
    expect(judgeConditionGoal(goal, object({ conditions }), JOB).state).toBe(state);
  });

  test('the condition that rules it out is told', () => {
    const conditions = [{ type: 'FailureTarget', status: 'True' }, failed];
    expect(judgeConditionGoal(wants('Complete'), object({ conditions }), JOB)).toEqual({
      state: 'failed',
      condition: { ...failed, observedGeneration: undefined },
      stale: false,
    });
  });

  test.each([OTHER, { group: 'batch', name: 'cronjobs' }])('but not of $group/$name', (kind) => {
    expect(judgeConditionGoal(wants('Complete'), object({ conditions: [failed] }), kind).state).toBe('pending');
  });
});

test('never throws', () => {
  const conditions = fc.oneof(
    fc.anything(),
    fc.array(fc.oneof(fc.anything(), fc.record({ type: fc.constant('Ready'), status: fc.anything() }))),
  );
  const status = fc.oneof(fc.anything(), fc.record({ conditions, observedGeneration: fc.anything() }));
  fc.assert(
    fc.property(status, fc.constantFrom(JOB, OTHER), (any, kind) => {
      expect(judgeConditionGoal({ type: 'Ready', status: 'True' }, object(any), kind).state).toMatch(/^[a-z]+$/);
    }),
  );
});
