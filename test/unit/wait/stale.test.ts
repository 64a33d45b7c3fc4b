/** What was true before the connection was cut is no reason to go on. */
import { describe, expect, test } from 'vitest';
import type { Emission } from '../../../src/kube/collection.ts';
import { NOTHING_SEEN } from '../../../src/wait/memory.ts';
import { CATCH_UP_MS, isStale, trusted, UNTIL_READ } from '../../../src/wait/stale.ts';
import type { CollectionState, Member, Memory, Status, Trouble, Want } from '../../../src/wait/state.ts';
import { wantOf } from '../../../src/wait/want.ts';
import { JOBS, job, named, PODS, pod } from '../objects.ts';
import { DOWN, Script, SECOND } from './script.ts';

const WATCHED: Emission = { what: 'answered', verb: 'watch' };
const LISTED: Emission = { what: 'answered', verb: 'list' };
const CUT: Emission = { what: 'problem', verb: 'watch', problem: { kind: 'interrupted', message: 'read ECONNRESET' } };
const CAUGHT_UP = CATCH_UP_MS / SECOND;

const READY = pod('db', 'Running', { ready: true, policy: 'Always' });
const NOT_READY = pod('db', 'Running', { ready: false, policy: 'Always' });

/** A pod that is ready and a Job that is not done: then the watch of the pod is cut, and the Job is Complete. */
function cutWhileReady(): Script {
  const run = new Script([named(PODS, 'db'), named(JOBS, 'migrate')]);
  run.sees('pods', [READY]).sees('jobs', [job('migrate', undefined)]);
  run.emit('pods', CUT);
  return run.sees('jobs', [job('migrate', 'Complete')]);
}

describe('what has to hold at the end', () => {
  test('is not taken for true while its watch is cut, nor until what was missed has come', () => {
    const run = cutWhileReady();
    expect([run.ending, run.statuses]).toEqual([undefined, ['pending', 'reached']]);
    run.emit('pods', WATCHED);
    expect(run.ending).toBeUndefined();
    run.sees('pods', [NOT_READY]);
    expect(run.at(CAUGHT_UP).ending).toBeUndefined();
    expect(run.sees('pods', [READY]).ending).toBe('reached');
  });

  test('counts again once the watch had time to tell', () => {
    const run = cutWhileReady();
    run.emit('pods', WATCHED);
    expect(run.wakeAt).toBe(CATCH_UP_MS);
    expect(run.at(CAUGHT_UP).ending).toBe('reached');
  });

  test('counts at once where all is read anew', () => {
    const run = cutWhileReady().emit('pods', LISTED);
    expect(run.ending).toBeUndefined();
    expect(run.sees('pods', [READY]).ending).toBe('reached');
  });

  test('counts in the end where each watch is cut at once', () => {
    const run = cutWhileReady();
    for (const second of [0, 0.5, 0.9]) run.at(second).emit('pods', WATCHED).emit('pods', CUT);
    expect(run.ending).toBeUndefined();
    run.now = CATCH_UP_MS;
    expect(run.emit('pods', WATCHED).ending).toBe('reached');
  });

  test('has to be told again after a later cut', () => {
    const run = new Script([named(PODS, 'db'), named(JOBS, 'migrate')]);
    run.sees('pods', [READY]).sees('jobs', [job('migrate', undefined)]);
    run.emit('pods', CUT).emit('pods', WATCHED).at(60).emit('pods', CUT).emit('pods', WATCHED);
    run.sees('jobs', [job('migrate', 'Complete')]);
    expect(run.ending).toBeUndefined();
    expect(run.at(60 + CAUGHT_UP).ending).toBe('reached');
  });
});

describe('what is done', () => {
  test('stays done, whatever becomes of the connection', () => {
    const run = new Script([named(JOBS, 'migrate'), named(PODS, 'db')]);
    run.sees('jobs', [job('migrate', 'Complete')]).sees('pods', [NOT_READY]);
    run.emit('jobs', CUT).sees('pods', [READY]);
    expect(run.ending).toBe('reached');
  });
});

describe('an absence', () => {
  test.each(['fail', 'succeed'] as const)('does not last on through an outage under %s', (onMissing) => {
    const run = new Script([named(JOBS, 'migrate', { onMissing, missingGraceMs: 10 * SECOND })]);
    run.sees('jobs', []).at(9);
    run.fails('jobs', DOWN);
    expect(run.at(60).ending).toBeUndefined();
    run.emit('jobs', LISTED);
    expect(run.sees('jobs', [job('migrate', undefined)]).ending).toBeUndefined();
    expect(run.sees('jobs', [job('migrate', 'Complete')]).ending).toBe('reached');
  });

  test('counts from its beginning, once the API server says that it lasts', () => {
    const run = new Script([named(JOBS, 'migrate', { onMissing: 'fail', missingGraceMs: 10 * SECOND })]);
    run.sees('jobs', []).at(9);
    run.fails('jobs', DOWN).at(60);
    expect(run.emit('jobs', LISTED).ending).toBeUndefined();
    expect(run.sees('jobs', []).ending).toBe('failed');
  });
});

test('a watch that is opened again in good order brings no doubt', () => {
  const run = new Script([named(PODS, 'db'), named(JOBS, 'migrate')]).sees('pods', [READY]);
  run.emit('pods', WATCHED);
  expect(run.sees('jobs', [job('migrate', 'Complete')]).ending).toBe('reached');
});

test('what comes before the watch has caught up is not yet the newest', () => {
  const run = cutWhileReady().emit('pods', WATCHED).sees('pods', [READY]);
  expect(run.ending).toBeUndefined();
  expect(run.at(CAUGHT_UP).ending).toBe('reached');
});

test('a watch that follows a list that did not come has its time to catch up', () => {
  const run = cutWhileReady().emit('pods', LISTED).emit('pods', CUT).emit('pods', WATCHED);
  expect(run.ending).toBeUndefined();
  expect(run.wakeAt).toBe(CATCH_UP_MS);
  expect(run.at(CAUGHT_UP).ending).toBe('reached');
});

test('a cut long after the watch has caught up begins anew', () => {
  const run = new Script([named(PODS, 'db'), named(JOBS, 'migrate')]).sees('pods', [READY]);
  run.emit('pods', CUT).emit('pods', WATCHED);
  // Two times as long as it takes.
  run
    .at(2 * CAUGHT_UP)
    .emit('pods', CUT)
    .emit('pods', WATCHED);
  run.sees('jobs', [job('migrate', 'Complete')]);
  expect(run.ending).toBeUndefined();
  expect(run.at(3 * CAUGHT_UP).ending).toBe('reached');
});

describe('one look', () => {
  test('is not held back by a connection that is cut after it', () => {
    const run = new Script([named(PODS, 'db'), named(JOBS, 'migrate')], { timeoutMs: 0 }).sees('pods', [READY]);
    run.emit('pods', CUT);
    expect(run.sees('jobs', [job('migrate', 'Complete')]).ending).toBe('reached');
  });
});

describe('a status', () => {
  const want = (name: string, need: Want['need'] = 'required'): Want =>
    wantOf({ resource: PODS, namespace: 'app', name, mode: 'watch', keep: 'verdict' }, need);
  const trouble: Trouble = { verb: 'watch', problem: DOWN, refusedSince: undefined, at: 0, afterOutage: true };
  const state = (of: Want, more: Partial<CollectionState> = {}): CollectionState => ({
    want: of,
    objects: new Map(),
    trouble: undefined,
    ...more,
  });
  const member = (verdict: Member['verdict']): Memory => ({
    ...NOTHING_SEEN,
    members: new Map([['u', { object: READY, verdict, presence: 'here' }]]),
  });
  const LASTS = member({ state: 'reached', lasting: 'terminal', why: { code: 'exists' } });
  const LEVEL = member({ state: 'reached', lasting: 'level', why: { code: 'exists' } });
  const BOTH: Memory = { ...LASTS, members: new Map([...LASTS.members, ['v', ...LEVEL.members.values()]] as never) };
  const GAP: Memory = {
    ...LASTS,
    lost: new Map([['app/x', { name: 'x', uid: 'x', at: 0, outcome: 'not done', fate: 'deleted', job: undefined }]]),
  };
  const missing = (taken: 'pending' | 'done' | 'failed') =>
    ({ code: 'missing', lost: undefined, taken, containers: undefined }) as const;
  const exists = { code: 'exists' } as const;
  const stuck = { code: 'stuck', label: 'x', reason: 'r', message: undefined } as const;
  const gone = { code: 'deletion', left: 0, total: 1, first: undefined } as const;

  test.each<[string, Status, Memory, Status]>([
    ['unknown', { state: 'unknown' }, LEVEL, { state: 'unknown' }],
    ['pending', { state: 'pending', why: exists }, LEVEL, { state: 'pending', why: exists }],
    ['missing', { state: 'pending', why: missing('pending') }, LEVEL, { state: 'pending', why: missing('pending') }],
    [
      'missing, taken for done',
      { state: 'reached', why: missing('done') },
      LASTS,
      { state: 'pending', why: missing('pending') },
    ],
    [
      'missing, taken for failed',
      { state: 'failed', why: missing('failed') },
      LASTS,
      { state: 'pending', why: missing('pending') },
    ],
    ['stuck', { state: 'failed', why: stuck }, LASTS, { state: 'pending', why: stuck }],
    ['failed', { state: 'failed', why: exists }, LEVEL, { state: 'failed', why: exists }],
    ['gone, as wanted', { state: 'reached', why: gone }, LEVEL, { state: 'reached', why: gone }],
    ['reached for good', { state: 'reached', why: exists }, LASTS, { state: 'reached', why: exists }],
    [
      'reached for now',
      { state: 'reached', why: exists, uid: 'u' },
      LEVEL,
      { state: 'pending', why: exists, uid: 'u' },
    ],
    [
      'reached, one for good and one for now',
      { state: 'reached', why: exists },
      BOTH,
      { state: 'pending', why: exists },
    ],
    [
      'reached, but for one that fails',
      { state: 'reached', why: exists },
      member({ state: 'failed', why: exists }),
      { state: 'pending', why: exists },
    ],
    ['reached, though one was lost', { state: 'reached', why: exists }, GAP, { state: 'pending', why: exists }],
  ])('%s', (_, given, memory, expected) => {
    const one = want('a');
    const collections = new Map([[one.key, state(one, { trouble })]]);
    expect(trusted(given, memory, [one], { collections, now: 0 })).toEqual({ status: expected, wakeAt: undefined });
    const well = new Map([[one.key, state(one)]]);
    expect(trusted(given, memory, [one], { collections: well, now: 0 })).toEqual({ status: given, wakeAt: undefined });
  });

  const reached: Status = { state: 'reached', why: exists };

  test.each<[string, Want, readonly Partial<CollectionState>[], 'reached' | 'pending', number | undefined]>([
    ['what only explains is in trouble', want('a', 'optional'), [{ trouble }], 'reached', undefined],
    ['one of two is in trouble', want('a'), [{ trouble }, {}], 'pending', undefined],
    ['one catches up', want('a'), [{ catchingUpUntil: 5 }], 'pending', 5],
    ['one has caught up', want('a'), [{ catchingUpUntil: 1 }], 'reached', undefined],
    ['one is yet to be read', want('a'), [{ catchingUpUntil: UNTIL_READ }], 'pending', undefined],
    ['two catch up: when both have', want('a'), [{ catchingUpUntil: 5 }, { catchingUpUntil: 7 }], 'pending', 7],
    [
      'one catches up, one is yet to be read',
      want('a'),
      [{ catchingUpUntil: 5 }, { catchingUpUntil: UNTIL_READ }],
      'pending',
      5,
    ],
    ['one catches up, one is in trouble', want('a'), [{ catchingUpUntil: 5 }, { trouble }], 'pending', 5],
  ])('where %s', (_, first, states, expected, wakeAt) => {
    const wants = states.map((__, index) => (index === 0 ? first : want(`other-${index}`)));
    const collections = new Map(wants.map((one, index) => [one.key, state(one, states[index])]));
    expect(trusted(reached, LEVEL, wants, { collections, now: 1 })).toEqual({
      status: { ...reached, state: expected },
      wakeAt,
    });
  });

  test('that is pending needs no moment at which it may be believed', () => {
    const one = want('a');
    const collections = new Map([[one.key, state(one, { catchingUpUntil: 5 })]]);
    const status: Status = { state: 'pending', why: exists };
    expect(trusted(status, LEVEL, [one], { collections, now: 1 })).toEqual({ status, wakeAt: undefined });
  });

  test('is not doubted for what was never asked for', () => {
    expect(trusted(reached, LEVEL, [want('a')], { collections: new Map(), now: 1 }).status).toBe(reached);
  });

  test.each<[Partial<CollectionState>, boolean]>([
    [{}, false],
    [{ trouble }, true],
    [{ catchingUpUntil: 1 }, false],
    [{ catchingUpUntil: 2 }, true],
  ])('%o is in doubt: %s', (more, expected) => {
    expect(isStale(state(want('a'), more), 1)).toBe(expected);
  });
});
