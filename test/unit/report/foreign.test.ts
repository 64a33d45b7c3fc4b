/**
 * Nothing that others wrote reaches a terminal, a log or a parser as it is: whatever stands in any field of anything
 * that is told, each line that is written is one line of plain text.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Need, needsOf } from '../../../src/access/needs.ts';
import { rbacLines } from '../../../src/access/rbac.ts';
import type { Problem } from '../../../src/kube/problem.ts';
import type { ApiResource } from '../../../src/kube/resource.ts';
import { clean } from '../../../src/report/clean.ts';
import { jsonReporter } from '../../../src/report/json.ts';
import { liveReporter } from '../../../src/report/live.ts';
import type { Refusal } from '../../../src/report/refusal.ts';
import type { Reporter } from '../../../src/report/reporter.ts';
import { verdictLine } from '../../../src/report/results.ts';
import { openTerminationLog, writeTerminationLog } from '../../../src/report/termination-log.ts';
import { textReporter } from '../../../src/report/text.ts';
import { waitForShReporter } from '../../../src/report/wait-for-sh.ts';
import type { ContainerFacts, Why } from '../../../src/verdict/verdict.ts';
import type { ContainerReport, PodReport, RunEvent, Unexplained } from '../../../src/wait/events.ts';
import { NOTHING_SEEN } from '../../../src/wait/memory.ts';
import type { Target } from '../../../src/wait/plan.ts';
import type { CollectionState, Ending, Member, State, StatusWhy, TargetState, Want } from '../../../src/wait/state.ts';
import { HandClock, Paper } from './support.ts';

/** Stands in the samples below for every string that comes from elsewhere. */
const X = 'foreign';

/** The words that are ours, and decide what is told: everything else in the samples must be X. */
const OURS = new Set([
  // Of status and members.
  ...['pending', 'reached', 'failed', 'unknown', 'here', 'gone', 'terminal', 'not done', 'deleted', 'open', 'done'],
  // Codes, kinds and events.
  ...['job', 'pod', 'missing', 'members', 'container', 'service', 'cronjob', 'rollout', 'phase', 'condition'],
  ...[
    'jsonpath',
    'exists',
    'reading',
    'warning',
    'no-container',
    'stuck',
    'deletion',
    'status',
    'unreachable',
    'untrusted',
  ],
  ...['credentials'],
  ...['interrupted', 'refused', 'problem', 'timeout', 'changed', 'heartbeat', 'trouble', 'recovered', 'fallback'],
  ...['log', 'unexplained', 'name', 'selector', 'default', 'wait', 'required', 'optional', 'yes', 'custom', 'paused'],
  ...['unobserved', 'updating', 'replacing', 'starting', 'waiting', 'running', 'terminated', 'current', 'previous'],
  ...['pods', 'pods/log', 'logs', 'get', 'list', 'watch', 'poll', 'restart policy', 'deadline', 'others', 'verdict'],
  ...['for itself', 'exists', 'jobs', 'batch', 'v1', 'Job'],
]);

const CONTAINER: ContainerFacts = {
  ...{ name: X, state: 'terminated', reason: X, message: X, exitCode: 1, signal: 9, restarts: 2 },
};
const CONDITION = { type: X, status: X, reason: X, message: X };
const COUNTS = { succeeded: 0, active: 1, failed: 1, completions: 3 };
const JOB_WHY: Why = { code: 'job', counts: COUNTS, suspended: true, condition: CONDITION };
const ROLLOUT = { code: 'rollout', wanted: 3, updated: 2, available: 1 } as const;

/** Every way in which a target can stand; a new one has no place here until it has a sample. */
const WHYS: { readonly [Code in StatusWhy['code']]: readonly Extract<StatusWhy, { code: Code }>[] } = {
  job: [JOB_WHY as Extract<Why, { code: 'job' }>],
  pod: [{ code: 'pod', phase: X, reason: X, message: X, containers: [CONTAINER, { ...CONTAINER, state: 'waiting' }] }],
  container: [{ code: 'container', phase: X, container: CONTAINER }],
  service: [{ code: 'service', pods: { ready: 1, total: 2 }, endpoints: 1 }],
  cronjob: [{ code: 'cronjob', suspended: true, run: { name: X, state: 'failed', why: JOB_WHY } }],
  rollout: [
    { ...ROLLOUT, stage: 'paused', reason: undefined, message: undefined },
    { ...ROLLOUT, stage: 'updating', reason: X, message: X },
  ],
  phase: [{ code: 'phase', phase: X, reason: X, message: X }],
  condition: [
    { code: 'condition', wanted: X, condition: CONDITION, stale: true },
    { code: 'condition', wanted: X, condition: undefined, stale: false },
    { code: 'condition', wanted: X, condition: CONDITION, stale: false, problem: X },
  ],
  jsonpath: [
    { code: 'jsonpath', expression: X, wanted: X, found: X, problem: undefined },
    { code: 'jsonpath', expression: X, wanted: undefined, found: undefined, problem: undefined },
    { code: 'jsonpath', expression: X, wanted: X, found: undefined, problem: X },
  ],
  exists: [{ code: 'exists' }],
  reading: [{ code: 'reading' }],
  'no-container': [{ code: 'no-container', containers: [X] }],
  missing: [
    { code: 'missing', lost: { name: X, outcome: 'unknown' }, taken: 'pending', containers: undefined },
    { code: 'missing', lost: undefined, taken: 'failed', containers: [X] },
  ],
  stuck: [{ code: 'stuck', label: X, reason: X, message: X }],
  deletion: [{ code: 'deletion', left: 2, total: 3, first: X }],
  members: [
    {
      ...{ code: 'members', reached: 1, total: 3, expect: 4, atLeast: undefined, replaced: 1 },
      first: { label: X, why: JOB_WHY },
    },
  ],
};

const PROBLEMS: { readonly [Kind in Problem['kind']]: Extract<Problem, { kind: Kind }> } = {
  unreachable: { kind: 'unreachable', message: X, code: X },
  untrusted: { kind: 'untrusted', message: X, code: X, caFile: X },
  credentials: { kind: 'credentials', message: X },
  interrupted: { kind: 'interrupted', message: X },
  status: { kind: 'status', status: 403, reason: X, message: X },
};

const UNEXPLAINED: { readonly [Cause in Unexplained['why']]: Extract<Unexplained, { why: Cause }> } = {
  refused: { why: 'refused', resource: 'pods/log', verb: 'get' },
  gone: { why: 'gone', what: 'logs', by: 'restart policy' },
  warning: { why: 'warning', message: X },
  problem: { why: 'problem', problem: PROBLEMS.status },
};

const RESOURCE: ApiResource = {
  ...{ group: X, version: X, name: X, singularName: X, kind: X, shortNames: [X], namespaced: true, origin: 'custom' },
};
/** A kind with rules of its own. */
const JOBS: ApiResource = { ...RESOURCE, group: 'batch', version: 'v1', name: 'jobs', kind: 'Job' };

function targetOf(resource: ApiResource, select: Target['select']): Target {
  return {
    ...{ label: X, resource, namespace: X, select, goals: [{ for: 'default' }], onMissing: 'wait', missingGraceMs: 0 },
    ...{ expect: undefined, atLeast: undefined, container: X, stuckAfterMs: undefined },
  };
}

const OBJECT = {
  apiVersion: X,
  kind: X,
  metadata: {
    ...{ name: X, namespace: X, uid: X, resourceVersion: X },
    ownerReferences: [{ apiVersion: X, kind: X, name: X, uid: X, controller: true }],
  },
};
const MEMBER: Member = { object: OBJECT, verdict: { state: 'pending', why: JOB_WHY }, presence: 'here' };

const WANT: Want = {
  key: X,
  spec: { resource: RESOURCE, namespace: X, name: X, mode: 'watch', keep: 'verdict' },
  need: 'required',
};

const BY_NAME = targetOf(JOBS, { by: 'name', name: X });
const BY_SELECTOR = targetOf(RESOURCE, { by: 'selector', labelSelector: X, fieldSelector: X });
const STATES = ['pending', 'reached', 'failed'] as const;

/** Every way to stand, in every state; by name and by selector in turns. */
const TARGETS: readonly TargetState[] = Object.values(WHYS)
  .flat()
  .flatMap((why) => STATES.map((state) => ({ why, state })))
  .map(({ why, state }, at) => ({
    target: at % 2 === 0 ? BY_NAME : BY_SELECTOR,
    memory: { ...NOTHING_SEEN, members: new Map([[X, MEMBER]]), self: OBJECT },
    status: { state, why, uid: X },
  }));

const TROUBLED: CollectionState = {
  want: WANT,
  objects: undefined,
  trouble: { verb: 'list', problem: PROBLEMS.unreachable, refusedSince: undefined, afterOutage: false },
} as CollectionState;
const STATE: State = {
  startedAt: 0,
  collections: new Map([[X, TROUBLED]]),
  targets: [...TARGETS, { target: BY_NAME, memory: NOTHING_SEEN, status: { state: 'unknown' } }],
  ending: undefined,
} as State;
const [TARGET] = TARGETS as [TargetState];

const CONTAINERS: readonly ContainerReport[] = [
  { ...CONTAINER, instance: 'previous', waitsFor: X },
  { ...CONTAINER, state: 'waiting', instance: 'current', waitsFor: undefined },
];
const POD: PodReport = { name: X, node: X, phase: X, reason: X, message: X, containers: CONTAINERS, warnings: [X] };
const ENDINGS: readonly Ending[] = [
  { kind: 'failed' },
  { kind: 'timeout' },
  { kind: 'reached' },
  { kind: 'refused', want: WANT, verb: 'list', problem: PROBLEMS.status },
];

const EVENTS: { readonly [Event in RunEvent['event']]: readonly Extract<RunEvent, { event: Event }>[] } = {
  changed: TARGETS.map((target) => ({ event: 'changed', target, replaced: [X] })),
  heartbeat: [{ event: 'heartbeat', state: STATE, elapsedMs: 30_000, leftMs: 60_000 }],
  trouble: Object.values(PROBLEMS).map((problem) => ({ event: 'trouble', want: WANT, verb: 'list', problem })),
  recovered: [{ event: 'recovered', want: WANT }],
  fallback: (['poll', 'get'] as const).map((to) => ({ event: 'fallback', want: WANT, to, problem: PROBLEMS.status })),
  pod: [{ event: 'pod', target: TARGET, pod: POD }],
  log: [{ event: 'log', target: TARGET, pod: X, container: X, line: X }],
  unexplained: Object.values(UNEXPLAINED).map((cause) => ({ event: 'unexplained', target: TARGET, cause })),
  done: ENDINGS.map((ending) => ({ event: 'done', state: STATE, ending, elapsedMs: 30_000 })),
};

const NEED: Need = {
  ...{ verbs: ['list', 'watch'], apiGroup: X, resource: X, subresource: X, resourceName: X, namespaced: true },
  ...{ namespace: X, served: 'unknown', need: 'required', reasons: [X] },
};
const REFUSALS: readonly Refusal[] = Object.values(PROBLEMS).map((problem) => ({
  ...{ need: NEED, verb: 'list', problem, lacking: [NEED], server: X, identity: X, credentials: X },
}));

/** The same with something else in the place of every X. */
function replaced<T>(value: T, by: string): T {
  return map(value, (text) => (text === X ? by : text)) as T;
}

function map(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return value.map((each) => map(each, change));
  if (value instanceof Map) return new Map([...value].map(([key, each]) => [map(key, change), map(each, change)]));
  if (typeof value !== 'object' || value === null || value instanceof Set) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, map(each, change)]));
}

/** Written out, and not taken from the program. */
function isUnsafe(character: string): boolean {
  const code = character.codePointAt(0) ?? 0;
  const isControl = code < 0x20 || (code >= 0x7f && code <= 0x9f);
  const isBreak = code === 0x2028 || code === 0x2029;
  const isBidi =
    [0x061c, 0x200e, 0x200f].includes(code) || (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
  return isControl || isBreak || isBidi || (code >= 0xd800 && code <= 0xdfff);
}

const unsafeIn = (line: string): readonly string[] => [...line].filter(isUnsafe);

/** What moves the cursor, colours, reorders, breaks a line or is no character at all; and what is harmless. */
const UNITS = [
  ...['\u001b[35m', '\u001b]0;title\u0007', '\u009b2J', '\n', '\r', '\r\n', '\t', '\u0000', '\u007f', '\u0085', '\b'],
  ...['\u2028', '\u2029', '\u202e', '\u2066', '\u200f', '\u061c', '\ud800', '\udfff', '\u001b[K\n', '\u001b[J'],
  ...['a', 'job/x', ' ', '"', '\\', '漢', '👍', '%', '::set-output name=x::', '<b>', '\u0301'],
];
const nasty = fc.shuffledSubarray(UNITS, { minLength: 3 }).map((units) => units.join(''));

// biome-ignore lint/suspicious/noControlCharactersInRegex: the view moves the cursor by these
const FRAME = /^\r(?:\u001b\[\d+A)?\u001b\[J(.*\n)?$/s;
// biome-ignore lint/suspicious/noControlCharactersInRegex: its colours
const OUR_COLOURS = /\u001b\[(?:2|22|31|32|33|39)m/g;

/** Tells a reporter everything, and ends it. */
function tellAll({ tell, refused, end }: Reporter, by: string): void {
  for (const event of replaced(Object.values(EVENTS).flat(), by)) tell(event);
  for (const refusal of replaced(REFUSALS, by)) refused(refusal);
  end({ exitCode: 1 });
}

function linesOf(make: (paper: Paper) => Reporter, by: string): readonly string[] {
  const paper = new Paper();
  tellAll(make(paper), by);
  return paper.lines.map(({ line }) => line);
}

describe('what others wrote', () => {
  test('is in every field of the samples', () => {
    const known: string[] = [];
    map([EVENTS, REFUSALS], (text) => {
      known.push(text);
      return text;
    });
    expect([...new Set(known)].filter((text) => text !== X && !OURS.has(text))).toEqual([]);
  });

  test.each<[string, (paper: Paper) => Reporter]>([
    ['text', (paper) => textReporter(paper, { verbosity: 'progress' })],
    ['json', (paper) => jsonReporter(paper, { clock: new HandClock(), verbosity: 'progress' })],
    [
      'wait_for.sh',
      (paper) => waitForShReporter(paper, { shown: X, debug: 2, heartbeatMs: 1, date: () => new Date(0) }),
    ],
  ])('is plain text in each line of %s', (_, make) => {
    fc.assert(
      fc.property(nasty, (by) => {
        const lines = linesOf(make, by);
        expect(lines.length).toBeGreaterThan(40);
        expect(lines.flatMap(unsafeIn)).toEqual([]);
      }),
      { numRuns: 8 },
    );
  });

  test('is what it was in json, but for what is made visible', () => {
    fc.assert(
      fc.property(nasty, (by) => {
        const [failed] = linesOf((paper) => jsonReporter(paper, { clock: new HandClock(), verbosity: 'results' }), by)
          .map((line) => JSON.parse(line))
          .filter(({ event }) => event === 'failed');
        expect(failed.target).toBe(clean(by));
      }),
      { numRuns: 8 },
    );
  });

  test('is plain text in the live view, whose own sequences are few', () => {
    fc.assert(
      fc.property(nasty, fc.integer({ min: 1, max: 200 }), (by, columns) => {
        const paper = new Paper();
        const writes: string[] = [];
        const terminal = { size: () => ({ columns, rows: 24 }), write: (text: string) => void writes.push(text) };
        const look = { colours: 'on', characters: 'unicode' } as const;
        const { targets } = replaced(STATE, by);
        const view = liveReporter(paper, {
          ...{ terminal, clock: new HandClock(), look, results: 'written', timeoutMs: 60_000 },
          targets: targets.map(({ target }) => target),
        });
        tellAll(view, by);
        expect(writes.length).toBeGreaterThan(2);
        for (const write of writes) {
          // Up, erase, then line by line.
          expect(write).toMatch(FRAME);
          const lines = write.replace(FRAME, '$1').split('\n');
          const plain = lines.map((line) => line.replaceAll(OUR_COLOURS, ''));
          expect(plain.flatMap(unsafeIn)).toEqual([]);
        }
        expect(paper.lines.flatMap(({ line }) => unsafeIn(line))).toEqual([]);
      }),
      { numRuns: 8 },
    );
  });

  test('is plain text in what rbac prints', () => {
    const targets = [targetOf(RESOURCE, { by: 'name', name: X }), targetOf(JOBS, { by: 'name', name: X })];
    fc.assert(
      fc.property(nasty, (by) => {
        const needs = needsOf(replaced(targets, by), { explainFailures: true });
        const lines = rbacLines([...needs, replaced(NEED, by)], { serviceAccount: by, namespace: by });
        expect(lines.flatMap(unsafeIn)).toEqual([]);
      }),
    );
  });
});

describe('the termination log', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'kube-await-unit-'));
  });
  afterAll(() => {
    openTerminationLog('');
    rmSync(folder, { recursive: true });
  });

  test('is one line of plain text, of at most 1024 bytes and of whole characters', () => {
    const file = path.join(folder, 'log');
    openTerminationLog(file);
    const long = fc.string({ unit: fc.constantFrom(...UNITS, '漢'.repeat(50), 'é'), minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(long, (by) => {
        for (const event of replaced(EVENTS.done, by)) {
          const line = verdictLine(event, new Map([[TARGET.target, replaced(POD, by)]]));
          writeTerminationLog(line ?? '');
          const bytes = readFileSync(file);
          expect(bytes.length).toBeLessThanOrEqual(1024);
          const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
          expect(unsafeIn(text)).toEqual([]);
          expect(text).toBe(clean(line ?? '').slice(0, text.length));
        }
      }),
      { numRuns: 30 },
    );
  });
});
