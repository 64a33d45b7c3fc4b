import { describe, expect, test } from 'vitest';
import type { KubeObject } from '../../../src/kube/object.ts';
import { failed, pending, reached, type Verdict } from '../../../src/verdict/verdict.ts';
import { type MemoryRules, NOTHING_SEEN, placeOf, remember } from '../../../src/wait/memory.ts';
import type { Memory } from '../../../src/wait/state.ts';
import { object, PODS, pod } from '../objects.ts';

const WAITS = pending({ code: 'reading' });
const TERMINAL = reached('terminal', { code: 'exists' });
const LEVEL = reached('level', { code: 'exists' });
const FAILED = failed({ code: 'exists' });

/** What a pod of that phase comes to. */
const VERDICTS: Readonly<Record<string, Verdict>> = {
  Running: WAITS,
  Succeeded: TERMINAL,
  Ready: LEVEL,
  Failed: FAILED,
};

const RULES: MemoryRules = {
  judge: (one) => VERDICTS[String((one.status as { phase: string }).phase)] ?? WAITS,
  ignores: ({ metadata }) => metadata.name === 'me',
  replaced: () => false,
  predecessors: 'missing',
  missedWith: () => 'object',
  departure: 'deleted or left',
};

interface Told {
  readonly at?: number;
  readonly here?: readonly KubeObject[];
  readonly departed?: readonly KubeObject[];
}

/** What is remembered after these snapshots, one after the other. */
function after(told: readonly Told[], rules: Partial<MemoryRules> = {}): Memory {
  return told.reduce(
    (memory, { at = 0, here = [], departed = [] }) =>
      remember(
        memory,
        { objects: new Map(here.map((one) => [one.metadata.uid, one])), departed },
        { ...RULES, ...rules },
        at,
      ),
    NOTHING_SEEN,
  );
}

/** The uid, verdict and presence of each member. */
const members = (memory: Memory) => [...memory.members].map(([uid, { verdict, presence }]) => [uid, verdict, presence]);

const a = pod('a', 'Running');
const done = pod('a', 'Succeeded');
const bad = pod('a', 'Failed');
const again = pod('a', 'Running', { uid: 'again' });
const lost = (more: object = {}) => ({
  name: 'a',
  uid: 'uid-a',
  at: 5,
  outcome: 'not done',
  fate: 'open',
  job: undefined,
  ...more,
});

test('a place is a name in a namespace', () => {
  expect(placeOf(a)).toBe('app/a');
  expect(placeOf(object(PODS, { metadata: { name: 'a' } }))).toBe('/a');
});

describe('members', () => {
  test.each<[string, readonly Told[], readonly unknown[]]>([
    ['there', [{ here: [a] }], [['uid-a', WAITS, 'here']]],
    ['done, then gone: kept', [{ here: [a] }, { departed: [done] }], [['uid-a', TERMINAL, 'gone']]],
    ['failed, then gone: kept', [{ here: [a] }, { departed: [bad] }], [['uid-a', FAILED, 'gone']]],
    ['kept for ever', [{ here: [done] }, {}, {}, {}], [['uid-a', TERMINAL, 'gone']]],
    ['never seen alive, but done when it went', [{}, { departed: [done] }], [['uid-a', TERMINAL, 'gone']]],
    ['ready, then gone: not kept', [{ here: [pod('a', 'Ready')] }, { departed: [pod('a', 'Ready')] }], []],
    ['done, and another of its name', [{ here: [done] }, { here: [again] }], [['again', WAITS, 'here']]],
    ['done and gone, then another', [{ here: [done] }, {}, { here: [again] }], [['again', WAITS, 'here']]],
    [
      'done, gone in the moment in which another came',
      [{ here: [a] }, { here: [again], departed: [done] }],
      [['again', WAITS, 'here']],
    ],
    ['done, then told to run: stays done', [{ here: [done] }, { here: [a] }], [['uid-a', TERMINAL, 'here']]],
    ['done, then told to run as it went', [{ here: [done] }, { departed: [a] }], [['uid-a', TERMINAL, 'gone']]],
    ['ready, then not', [{ here: [pod('a', 'Ready')] }, { here: [a] }], [['uid-a', WAITS, 'here']]],
    ['failed, then told to run', [{ here: [bad] }, { here: [a] }], [['uid-a', WAITS, 'here']]],
    [
      'gone and there in one moment: it is there',
      [{ here: [a] }, { here: [done], departed: [a] }],
      [['uid-a', TERMINAL, 'here']],
    ],
    [
      'told to be gone twice: the first says how',
      [{ here: [a] }, { departed: [done, a] }],
      [['uid-a', TERMINAL, 'gone']],
    ],
    ['the waiter itself', [{ here: [pod('me', 'Running')] }, { departed: [pod('me', 'Succeeded')] }], []],
  ])('%s', (_, told, expected) => {
    expect(members(after(told))).toEqual(expected);
  });

  test('the waiter itself is known all the same', () => {
    const me = pod('me', 'Running');
    expect(after([{ here: [me] }, {}]).self).toBe(me);
    expect(after([{ here: [a] }]).self).toBeUndefined();
  });
});

describe('what is lost', () => {
  test.each<[string, readonly Told[], Partial<MemoryRules>, object | undefined]>([
    ['gone before it was done', [{ here: [a] }, { at: 5, departed: [a] }], {}, lost()],
    ['gone, nobody saw how', [{ here: [a] }, { at: 5 }], {}, lost({ outcome: 'unknown' })],
    [
      'certainly deleted',
      [{ here: [a] }, { at: 5, departed: [a] }],
      { departure: 'deleted' },
      lost({ fate: 'deleted' }),
    ],
    ['gone when it was ready', [{ here: [pod('a', 'Ready')] }, { at: 5, departed: [pod('a', 'Ready')] }], {}, lost()],
    ['still lost later', [{ here: [a] }, { at: 5, departed: [a] }, { at: 9 }], {}, lost()],
    ['done', [{ here: [a] }, { at: 5, departed: [done] }], {}, undefined],
    ['of no account', [{ here: [a] }, { at: 5, departed: [a] }], { missedWith: () => 'nothing' }, undefined],
    ['followed by another of its name', [{ here: [a] }, { at: 5, here: [again], departed: [a] }], {}, undefined],
    ['followed by another later', [{ here: [a] }, { at: 5, departed: [a] }, { at: 9, here: [again] }], {}, undefined],
    [
      'the waiter itself',
      [{ here: [pod('me', 'Running')] }, { at: 5, departed: [pod('me', 'Running')] }],
      {},
      undefined,
    ],
  ])('%s', (_, told, rules, expected) => {
    expect([...after(told, rules).lost]).toEqual(expected === undefined ? [] : [['app/a', expected]]);
  });

  test.each([
    ['its Job', 'j'],
    ['object', undefined],
  ] as const)('with it %s', (missed, uid) => {
    const owned = pod('a', 'Running', { owner: { kind: 'Job', name: 'migrate', uid: 'j' } });
    const memory = after([{ here: [owned] }, { at: 5, departed: [owned] }], { missedWith: () => missed });
    expect(memory.lost.get('app/a')?.job?.uid).toBe(uid);
  });
});

describe('an object on its way out when it is first seen', () => {
  const going = pod('a', 'Succeeded', { deleting: true });

  test('never counts, nor how it ends', () => {
    const memory = after([{ here: [going] }]);
    expect([memory.members.size, [...memory.predecessors]]).toEqual([0, ['uid-a']]);
    expect(after([{ here: [going] }, { here: [done] }]).members.size).toBe(0);
    const gone = after([{ here: [going] }, { departed: [going] }]);
    expect([gone.members.size, gone.predecessors.size, gone.lost.size]).toEqual([0, 0, 0]);
  });

  test('counts where the rules say so', () => {
    expect(members(after([{ here: [going] }], { predecessors: 'count' }))).toEqual([['uid-a', TERMINAL, 'here']]);
  });

  test('makes room for another of its name', () => {
    expect(members(after([{ here: [going] }, { here: [again], departed: [going] }]))).toEqual([
      ['again', WAITS, 'here'],
    ]);
  });

  test('that was seen alive counts on', () => {
    expect(members(after([{ here: [a] }, { here: [going] }]))).toEqual([['uid-a', TERMINAL, 'here']]);
  });
});

describe('since when nothing is there', () => {
  test.each<[string, readonly Told[], number]>([
    ['nothing ever was', [{ at: 1 }, { at: 2 }], 1],
    [
      'there from the first',
      [
        { at: 1, here: [a] },
        { at: 2, here: [a] },
      ],
      1,
    ],
    ['deleted', [{ at: 1, here: [a] }, { at: 2, departed: [a] }, { at: 3 }], 2],
    ['gone without a word', [{ at: 1, here: [a] }, { at: 2 }], 2],
    [
      'done and deleted',
      [
        { at: 1, here: [done] },
        { at: 2, departed: [done] },
      ],
      2,
    ],
    ['the newest deletion', [{ at: 1, here: [a, again] }, { at: 2, here: [again] }, { at: 3 }], 3],
    ['one on its way out is gone', [{ at: 1, here: [pod('a', 'Running', { deleting: true })] }, { at: 2 }], 2],
    [
      'one on its way out is still there',
      [
        { at: 1, here: [pod('a', 'Running', { deleting: true })] },
        { at: 2, here: [a] },
      ],
      1,
    ],
    [
      'the waiter itself went',
      [
        { at: 1, here: [pod('me', 'Running')] },
        { at: 2, departed: [pod('me', 'Running')] },
      ],
      1,
    ],
  ])('%s', (_, told, expected) => {
    const memory = after(told);
    expect([memory.syncedAt, memory.absentSince]).toEqual([1, expected]);
  });
});
