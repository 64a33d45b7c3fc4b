import { describe, expect, test } from 'vitest';
import type { Goal, Target } from '../../../src/wait/plan.ts';
import { JOBS, job, named, PODS, pod, selected } from '../objects.ts';
import { Script } from './script.ts';

const DELETE = { goals: [{ for: 'delete' }] } as const;
const why = (left: number, total: number, first?: string) => ({ code: 'deletion', left, total, first });

/** How the first target stands. */
const standing = (run: Script) => run.state.targets[0]?.status;
const a = pod('a', 'Running');
const b = pod('b', 'Running');

describe('one by name', () => {
  const target = named(PODS, 'a', DELETE);

  test('is not there: reached', () => {
    const run = new Script([target]).sees('pods', []);
    expect(run.ending).toBe('reached');
    expect(standing(run)).toEqual({ state: 'reached', why: why(0, 0) });
  });

  test('is there, then gone', () => {
    const run = new Script([target]).sees('pods', [a]);
    expect(standing(run)).toEqual({ state: 'pending', why: why(1, 1, 'a') });
    expect(run.wants).toHaveLength(1);
    run.sees('pods', [], [a]);
    expect(run.ending).toBe('reached');
    expect(standing(run)).toEqual({ state: 'reached', why: why(0, 1) });
  });

  test('is on its way out: still there', () => {
    const run = new Script([target]).sees('pods', [pod('a', 'Running', { deleting: true })]);
    expect(standing(run)).toEqual({ state: 'pending', why: why(1, 1, 'a') });
    expect(run.sees('pods', []).ending).toBe('reached');
  });

  test('is made again: the new one is another', () => {
    const run = new Script([target]).sees('pods', [a]);
    expect(run.sees('pods', [pod('a', 'Running', { uid: 'new' })]).ending).toBe('reached');
  });

  test('succeeds or fails: that is not what it waits for', () => {
    for (const phase of ['Succeeded', 'Failed']) {
      const run = new Script([target]).sees('pods', [pod('a', phase)]);
      expect(run.ending).toBeUndefined();
      expect(run.sees('pods', [], [pod('a', phase)]).ending).toBe('reached');
    }
  });

  test('what was seen to be gone stays gone', () => {
    const run = new Script([target, named(JOBS, 'j')]).sees('pods', [a]).sees('pods', []);
    expect(run.sees('pods', [a]).statuses).toEqual(['reached', 'unknown']);
  });
});

describe('those of a selector', () => {
  const start = (): Script => new Script([selected(PODS, DELETE)]).sees('pods', [a, b]);

  test('none at first: reached', () => {
    expect(new Script([selected(PODS, DELETE)]).sees('pods', []).ending).toBe('reached');
  });

  test('are counted as they go', () => {
    const run = start();
    expect(standing(run)).toEqual({ state: 'pending', why: why(2, 2, 'a') });
    run.sees('pods', [b], [a]).sees('pods', [], [], 'a');
    expect(standing(run)).toEqual({ state: 'pending', why: why(1, 2, 'b') });
    run.sees('pods', [], [b]).sees('pods', [], [], 'b');
    expect(standing(run)).toEqual({ state: 'reached', why: why(0, 2) });
    expect(run.ending).toBe('reached');
  });

  test('one that leaves the selection is looked up by name until it is gone', () => {
    const run = start().sees('pods', [b], [a]);
    expect(run.wants.find(({ spec }) => spec.name === 'a')).toMatchObject({
      need: 'required',
      spec: { resource: PODS, namespace: 'app', name: 'a', mode: 'watch', keep: 'metadata' },
    });
    run.sees('pods', [], [b]);
    expect(run.wants.map(({ spec }) => spec.name)).toEqual([undefined, 'a', 'b']);
    expect(standing(run)).toMatchObject({ why: why(2, 2, 'a') });
    // Its labels were edited: it is still there.
    run.sees('pods', [a], [], 'a').sees('pods', [], [], 'b');
    expect(standing(run)).toEqual({ state: 'pending', why: why(1, 2, 'a') });
    expect(run.sees('pods', [], [], 'a').ending).toBe('reached');
  });

  test('one that took the name of another does not stand for it', () => {
    const run = start().sees('pods', [], [a, b]).sees('pods', [], [], 'b');
    expect(run.sees('pods', [pod('a', 'Running', { uid: 'new' })], [], 'a').ending).toBe('reached');
  });

  test('one that comes later is none of them', () => {
    const run = start().sees('pods', [pod('c', 'Running')], [a, b]);
    expect(run.sees('pods', [], [], 'a').sees('pods', [], [], 'b').ending).toBe('reached');
  });
});

describe('with a goal before it', () => {
  const start = (...goals: readonly Goal[]): Script =>
    new Script([named(JOBS, 'x', { goals: [...goals, ...DELETE.goals] })]);
  const complete: Goal = { for: 'complete' };
  const create: Goal = { for: 'create' };

  test('it is to be done first, then gone', () => {
    const run = start(complete).sees('jobs', [job('x', undefined)]);
    expect(standing(run)).toMatchObject({ state: 'pending', why: { code: 'job' } });
    run.sees('jobs', [job('x', 'Complete')]);
    expect(standing(run)).toMatchObject({ state: 'pending', why: why(1, 1, 'x') });
    expect(run.sees('jobs', []).ending).toBe('reached');
  });

  test('it fails: so does the target', () => {
    expect(start(complete).sees('jobs', [job('x', 'Failed')]).ending).toBe('failed');
  });

  test('it goes before it is done: missing', () => {
    const run = start(complete)
      .sees('jobs', [job('x', undefined)])
      .sees('jobs', [], [job('x', undefined)]);
    expect(standing(run)).toMatchObject({ state: 'pending', why: { code: 'missing', lost: { outcome: 'not done' } } });
    expect(run.at(599).ending).toBeUndefined();
  });

  test('a service that was not ready goes: missing, though another takes its place', () => {
    const target = selected(PODS, { goals: [{ for: 'ready' }, ...DELETE.goals] });
    const seen = pod('x', 'Running', { policy: 'Always' });
    const run = new Script([target]).sees('pods', [seen]).at(1).sees('pods', [], [seen]);
    expect(run.at(2).statuses).toEqual(['pending']);
  });

  test('it was done when it went: reached', () => {
    const run = start(complete).sees('jobs', [job('x', undefined)]);
    expect(run.sees('jobs', [], [job('x', 'Complete')]).ending).toBe('reached');
  });

  test('it is not there to begin with: it is gone', () => {
    expect(start(complete).sees('jobs', []).ending).toBe('reached');
  });

  test('it is already on its way out: it counts', () => {
    const run = start(complete).sees('jobs', [job('x', 'Complete', { deleting: true })]);
    expect(standing(run)).toMatchObject({ state: 'pending', why: why(1, 1, 'x') });
  });

  test('it is to be made first', () => {
    const run = start(create).sees('jobs', []);
    expect(run.statuses).toEqual(['pending']);
    run.sees('jobs', [job('x', undefined)]);
    expect(standing(run)).toMatchObject({ state: 'pending', why: why(1, 1, 'x') });
    expect(run.sees('jobs', []).ending).toBe('reached');
  });

  test('it is to be made and done first', () => {
    const run = start(complete, create).sees('jobs', []);
    expect(run.statuses).toEqual(['pending']);
    run.sees('jobs', [job('x', undefined)]);
    expect(standing(run)).toMatchObject({ why: { code: 'job' } });
  });

  test('those of a selector that all go before they are done', () => {
    const target: Target = selected(JOBS, { goals: [complete, ...DELETE.goals] });
    const run = new Script([target]).sees('jobs', [job('x', undefined)]);
    run.sees('jobs', [], [job('x', undefined)]).sees('jobs', [], [], 'x');
    expect(run.statuses).toEqual(['pending']);
  });
});
