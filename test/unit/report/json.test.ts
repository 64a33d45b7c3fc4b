import { describe, expect, test } from 'vitest';
import type { Need } from '../../../src/access/needs.ts';
import type { Problem } from '../../../src/kube/problem.ts';
import { jsonReporter } from '../../../src/report/json.ts';
import type { Reporter } from '../../../src/report/reporter.ts';
import type { PodReport, RunEvent } from '../../../src/wait/events.ts';
import { type JsonLine, readJsonLines } from '../../json-lines.ts';
import { JOBS, named } from '../objects.ts';
import {
  done,
  failed,
  HandClock,
  heartbeat,
  jobWhy,
  MIGRATE,
  membersWhy,
  Paper,
  pending,
  reached,
  SEED,
  stands,
  WANT_PODS,
  WEB,
} from './support.ts';

/** The lines that a reporter prints, each held to the schema; `done` with 0 is added where the script does not end. */
function print(script: (reporter: Reporter, clock: HandClock) => void, verbosity: 'progress' | 'results' = 'progress') {
  const clock = new HandClock();
  const paper = new Paper();
  const reporter = jsonReporter(paper, { clock, verbosity });
  script(reporter, clock);
  reporter.end({ exitCode: 0 });
  expect(paper.lines.filter(({ stream }) => stream === 'err')).toEqual([]);
  return readJsonLines(paper.output);
}

const tell = (...events: readonly RunEvent[]) =>
  print(({ tell }) => {
    for (const event of events) tell(event);
  });

/** The line without what every line has. */
const facts = ({ time: _, elapsedSeconds: __, ...rest }: JsonLine): object => rest;

const running = jobWhy({ succeeded: 3, active: 5, failed: 1 });
const complete = jobWhy({ succeeded: 10 }, { type: 'Complete', status: 'True', reason: '', message: '' });
const broken = jobWhy(
  { failed: 1 },
  { type: 'Failed', status: 'True', reason: 'BackoffLimitExceeded', message: 'Job has reached the limit' },
);
const DOWN: Problem = { kind: 'unreachable', message: 'connect ECONNREFUSED', code: 'ECONNREFUSED' };
const FORBIDDEN: Problem = { kind: 'status', status: 403, reason: 'Forbidden', message: 'no' };

describe('while the run goes on', () => {
  test('the first status is waiting, each later one changed', () => {
    const lines = print(({ tell }, clock) => {
      clock.pass(21);
      tell({ event: 'changed', target: pending(MIGRATE, jobWhy({ active: 5 })) });
      clock.pass(1_479);
      tell({ event: 'changed', target: pending(MIGRATE, running) });
    });
    expect(lines).toEqual([
      {
        time: '2026-01-01T03:00:00.021Z',
        level: 'info',
        event: 'waiting',
        target: 'job/migrate',
        namespace: 'app',
        uid: 'uid-migrate',
        message: '0/10 succeeded, 5 active',
        counts: { succeeded: 0, active: 5, failed: 0, completions: 10 },
        elapsedSeconds: 0.021,
      },
      {
        time: '2026-01-01T03:00:01.500Z',
        level: 'info',
        event: 'changed',
        target: 'job/migrate',
        namespace: 'app',
        uid: 'uid-migrate',
        message: '3/10 succeeded, 5 active, 1 failed',
        counts: { succeeded: 3, active: 5, failed: 1, completions: 10 },
        elapsedSeconds: 1.5,
      },
      {
        time: '2026-01-01T03:00:01.500Z',
        level: 'info',
        event: 'done',
        message: 'every target is reached',
        exitCode: 0,
        elapsedSeconds: 1.5,
      },
    ]);
  });

  test('the reason is the API’s own, also that of one object of a selector', () => {
    const first = {
      label: 'pod/web-1',
      why: { code: 'phase', phase: 'Pending', reason: 'Evicted', message: 'full' },
    } as const;
    const [line] = tell({ event: 'changed', target: pending(WEB, membersWhy({ reached: 1, first, replaced: 2 })) });
    expect(line).toMatchObject({
      event: 'waiting',
      target: 'pod -l app=web',
      reason: 'Evicted',
      counts: { reached: 1, total: 3, replaced: 2 },
    });
    expect(line).not.toHaveProperty('uid');
  });

  test('pods that their controller replaces are named once, ten at most', () => {
    const target = pending(WEB, membersWhy({ replaced: 12 }));
    const names = Array.from({ length: 12 }, (_, at) => `pod/web-${at}`);
    const [one, all, none] = tell(
      { event: 'changed', target, replaced: names.slice(0, 1) },
      { event: 'changed', target, replaced: names },
      { event: 'changed', target, replaced: [] },
    );
    expect(one?.message).toBe('0/3 done, 12 replaced by the controller; replaced: pod/web-0');
    expect(all?.message).toBe(
      `0/3 done, 12 replaced by the controller; replaced: ${names.slice(0, 10).join(', ')} and 2 more`,
    );
    expect(none?.message).toBe('0/3 done, 12 replaced by the controller');
  });

  test('a target of all namespaces has none', () => {
    const everywhere = { ...WEB, namespace: undefined };
    const [line] = tell({ event: 'changed', target: pending(everywhere, membersWhy()) });
    expect(line).not.toHaveProperty('namespace');
  });

  test('what is being read is not told of', () => {
    expect(tell({ event: 'changed', target: pending(MIGRATE, { code: 'reading' }) })).toHaveLength(1);
  });

  test('a heartbeat is one line with everything that is awaited; a hint is told once', () => {
    const suspended = pending(MIGRATE, { ...jobWhy(), suspended: true });
    const targets = [suspended, reached(SEED, complete), stands(WEB, { state: 'unknown' })];
    const lines = tell(heartbeat(targets, 30_000, 570_000), heartbeat(targets, 60_000, Number.POSITIVE_INFINITY));
    expect(lines.slice(0, 2).map(facts)).toEqual([
      {
        level: 'info',
        event: 'heartbeat',
        message:
          'still waiting after 30s, 9m30s left: job/migrate (suspended: 0/10 succeeded), pod -l app=web (no answer yet)',
        leftSeconds: 570,
        awaited: [
          {
            target: 'job/migrate',
            namespace: 'app',
            uid: 'uid-migrate',
            message: 'suspended: 0/10 succeeded',
            counts: { succeeded: 0, active: 0, failed: 0, completions: 10 },
            hints: ['it is suspended: nothing runs until spec.suspend is false'],
          },
          { target: 'pod -l app=web', namespace: 'app', message: 'no answer yet' },
        ],
      },
      {
        level: 'info',
        event: 'heartbeat',
        message: 'still waiting after 1m: job/migrate (suspended: 0/10 succeeded), pod -l app=web (no answer yet)',
        awaited: [expect.not.objectContaining({ hints: expect.anything() }), expect.anything()],
      },
    ]);
  });

  test('a request that fails is a warning that names no target', () => {
    const lines = tell(
      { event: 'trouble', want: WANT_PODS, verb: 'list', problem: DOWN },
      { event: 'recovered', want: WANT_PODS },
      { event: 'fallback', want: WANT_PODS, to: 'poll', problem: FORBIDDEN },
    );
    const request = { event: 'changed', resource: 'pods', apiGroup: '', namespace: 'app' };
    expect(lines.slice(0, 3).map(facts)).toEqual([
      { ...request, level: 'warn', message: 'pods in namespace app: connect ECONNREFUSED; retrying' },
      { ...request, level: 'info', message: 'pods in namespace app: the API server answers again' },
      {
        ...request,
        level: 'warn',
        reason: 'Forbidden',
        message: 'cannot watch pods in namespace "app" (forbidden); polling every 2 to 10 s instead',
      },
    ]);
  });
});

describe('results', () => {
  const events = (lines: readonly JsonLine[]): readonly string[] =>
    lines.map(({ event, target }) => (target === undefined ? event : `${event} ${target}`));

  test('a Job that is complete is told of at once, and once', () => {
    const target = reached(MIGRATE, complete);
    const lines = tell({ event: 'changed', target }, done({ kind: 'reached' }, [target]));
    expect(events(lines)).toEqual(['reached job/migrate', 'done']);
  });

  test('what may yet be lost is told of at the end', () => {
    const ready = reached(WEB, membersWhy({ reached: 3 }));
    const lines = tell(
      { event: 'changed', target: ready },
      { event: 'changed', target: pending(WEB, membersWhy({ reached: 2 })) },
      { event: 'changed', target: ready },
      done({ kind: 'reached' }, [ready]),
    );
    expect(events(lines)).toEqual([
      'waiting pod -l app=web',
      'changed pod -l app=web',
      'changed pod -l app=web',
      'reached pod -l app=web',
      'done',
    ]);
  });

  test('a Job of that name that is made after the first was complete, and fails, is told of as well', () => {
    const lines = tell(
      { event: 'changed', target: reached(MIGRATE, complete) },
      done({ kind: 'failed' }, [failed(MIGRATE, broken)]),
    );
    expect(events(lines)).toEqual(['reached job/migrate', 'failed job/migrate', 'done']);
  });

  test('a failure is told with its pods, then their last log lines, then what was reached beside it', () => {
    const target = failed(MIGRATE, broken);
    const pod: PodReport = {
      name: 'migrate-x',
      node: 'node-1',
      phase: 'Failed',
      reason: undefined,
      message: undefined,
      containers: [
        {
          name: 'main',
          state: 'terminated',
          instance: 'current',
          reason: 'OOMKilled',
          message: undefined,
          exitCode: 137,
          signal: 9,
          restarts: 0,
          waitsFor: undefined,
        },
      ],
      warnings: [],
    };
    const lines = tell(
      { event: 'pod', target, pod },
      { event: 'log', target, pod: 'migrate-x', container: 'main', line: 'no such table' },
      { event: 'unexplained', target, cause: { why: 'gone', what: 'logs', by: 'restart policy' } },
      done({ kind: 'failed' }, [target, reached(SEED, complete), pending(WEB, membersWhy())]),
    );
    const about = { target: 'job/migrate', namespace: 'app', uid: 'uid-migrate' };
    expect(facts(lines[0] as JsonLine)).toEqual({
      level: 'error',
      event: 'failed',
      ...about,
      reason: 'BackoffLimitExceeded',
      message: 'BackoffLimitExceeded: Job has reached the limit',
      counts: { succeeded: 0, active: 0, failed: 1, completions: 10 },
      pods: [
        {
          name: 'migrate-x',
          node: 'node-1',
          phase: 'Failed',
          containers: [
            {
              name: 'main',
              state: 'terminated',
              instance: 'current',
              exitCode: 137,
              signal: 9,
              reason: 'OOMKilled',
              restarts: 0,
            },
          ],
        },
      ],
      notes: ['job/migrate: the logs are gone with the pod; restartPolicy: Never keeps them'],
    });
    expect(facts(lines[1] as JsonLine)).toEqual({
      level: 'error',
      event: 'log',
      ...about,
      pod: 'migrate-x',
      container: 'main',
      message: 'no such table',
    });
    expect(events(lines)).toEqual(['failed job/migrate', 'log job/migrate', 'reached job/seed', 'done']);
  });

  test('a timeout is one line for each target that is still pending', () => {
    const targets = [pending(MIGRATE, running), reached(SEED, complete), stands(WEB, { state: 'unknown' })];
    const lines = tell(done({ kind: 'timeout' }, targets, 5_000));
    expect(events(lines)).toEqual(['timeout job/migrate', 'reached job/seed', 'timeout pod -l app=web', 'done']);
    expect(lines[2]).toMatchObject({ level: 'error', message: 'the API server never answered' });
  });

  test('-q leaves out progress, and nothing else', () => {
    const target = pending(MIGRATE, running);
    const lines = print(({ tell }) => {
      tell({ event: 'changed', target });
      tell({ event: 'trouble', want: WANT_PODS, verb: 'list', problem: DOWN });
      tell(heartbeat([target], 1, 1));
      tell({ event: 'log', target, pod: 'p', container: 'c', line: '' });
      tell(done({ kind: 'timeout' }, [target]));
    }, 'results');
    expect(events(lines)).toEqual(['timeout job/migrate', 'log job/migrate', 'done']);
  });
});

describe('refused', () => {
  const need: Need = {
    verbs: ['list', 'watch'],
    apiGroup: 'batch',
    resource: 'jobs',
    subresource: undefined,
    resourceName: 'migrate',
    namespaced: true,
    namespace: 'app',
    served: 'yes',
    need: 'required',
    reasons: [],
  };
  const server = 'https://10.0.0.1/';
  const refused = (problem: Problem, more: Partial<Need> = {}) =>
    facts(
      print(({ refused }) => {
        const lacking = [{ ...need, ...more }];
        const who = { server, identity: 'ann', credentials: undefined };
        refused({ need: { ...need, ...more }, verb: 'watch', problem, lacking, ...who });
      })[0] as JsonLine,
    );

  test('names verb, resource, namespace, identity and the rule', () => {
    expect(refused(FORBIDDEN)).toEqual({
      level: 'error',
      event: 'refused',
      verb: 'watch',
      resource: 'jobs',
      apiGroup: 'batch',
      namespace: 'app',
      name: 'migrate',
      server,
      identity: 'ann',
      reason: 'Forbidden',
      message: '"ann" cannot watch jobs.batch "migrate" in namespace "app": 403 Forbidden: no',
      lacking: [
        {
          namespace: 'app',
          rule: { apiGroups: ['batch'], resources: ['jobs'], resourceNames: ['migrate'], verbs: ['list', 'watch'] },
        },
      ],
    });
  });

  test.each<[string, Problem]>([
    ['credentials', { kind: 'status', status: 401, reason: 'Unauthorized', message: 'no' }],
    ['a plugin', { kind: 'credentials', message: 'it failed' }],
    ['a mesh', { kind: 'status', status: 403, reason: 'Forbidden', message: 'no', from: 'intermediary' }],
    ['a certificate', { kind: 'untrusted', message: 'self-signed certificate', code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }],
  ])('where %s is refused, no rule would help', (_, problem) => {
    expect(refused(problem)).not.toHaveProperty('lacking');
  });

  test('all namespaces, every object', () => {
    const line = refused(FORBIDDEN, { namespace: undefined, resourceName: undefined });
    expect(line).not.toHaveProperty('namespace');
    expect(line).not.toHaveProperty('name');
  });
});

describe('done', () => {
  test.each([
    [{ exitCode: 0 }, 'info', 'every target is reached'],
    [{ exitCode: 1 }, 'error', 'a target has failed'],
    [{ exitCode: 2 }, 'error', 'the API server cannot answer for a target'],
    [{ exitCode: 3 }, 'error', 'the API server refused what is needed'],
    [{ exitCode: 124 }, 'error', 'the timeout has passed'],
    [{ exitCode: 143, signal: 'SIGTERM' as const }, 'error', 'ended by SIGTERM'],
    [{ exitCode: 70 }, 'error', 'internal error'],
  ])('%o', (end, level, message) => {
    const [line] = print((reporter) => reporter.end(end));
    expect(facts(line as JsonLine)).toEqual({ level, event: 'done', message, exitCode: end.exitCode });
  });

  test('comes once, and nothing comes after it', () => {
    const lines = print((reporter) => {
      reporter.end({ exitCode: 143, signal: 'SIGTERM' });
      reporter.tell({ event: 'changed', target: pending(named(JOBS, 'late'), running) });
      reporter.end({ exitCode: 70 });
    });
    expect(lines).toHaveLength(1);
  });
});

describe('the schema', () => {
  const line = {
    time: '2026-01-01T03:00:00.000Z',
    level: 'info',
    event: 'done',
    message: '',
    exitCode: 0,
    elapsedSeconds: 0,
  };

  test.each<[string, object]>([
    ['a field that it does not know', { ...line, more: 1 }],
    ['an event that it does not know', { ...line, event: 'undone' }],
    ['a time without milliseconds', { ...line, time: '2026-01-01T03:00:00Z' }],
    ['a target that is missing', { ...line, event: 'reached', exitCode: undefined }],
  ])('refuses %s', (_, wrong) => {
    expect(() => readJsonLines(JSON.stringify(wrong))).toThrow('not as docs/events.schema.json says');
    expect(readJsonLines(JSON.stringify(line))).toHaveLength(1);
  });
});
