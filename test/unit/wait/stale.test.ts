/** What was true before the connection was cut is no reason to go on. */
import { describe, expect, test } from 'vitest';
import type { Emission } from '../../../src/kube/collection.ts';
import { CATCH_UP_MS } from '../../../src/wait/stale.ts';
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
