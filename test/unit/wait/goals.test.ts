import { describe, expect, test } from 'vitest';
import type { KubeObject } from '../../../src/kube/object.ts';
import type { ApiResource } from '../../../src/kube/resource.ts';
import { failed, pending, reached, type Verdict } from '../../../src/verdict/verdict.ts';
import { awaitsDeletion, isOwnMeaning, judgeGoals, keepOf, missedWith, ownMeaning } from '../../../src/wait/goals.ts';
import type { Goal, JsonPathJudge, Target } from '../../../src/wait/plan.ts';
import { JOBS, job, named, object, PODS, pod, resource, selected } from '../objects.ts';

const SECRETS = resource('', 'secrets', 'Secret');
const CONFIG_MAPS = resource('', 'configmaps', 'ConfigMap');
const SERVICES = resource('', 'services', 'Service');

const LEVEL = reached('level', { code: 'reading' });
const TERMINAL = reached('terminal', { code: 'no-container', containers: [] });
const WAITS = pending({ code: 'reading' });
const FAILS = failed({ code: 'reading' });

const X = pod('x', 'Running');

/** Judges where the kind's own meaning comes to `own`, and a jsonpath to `path`. */
function judge(
  goals: readonly Goal[],
  own: Verdict,
  path: ReturnType<JsonPathJudge> = { state: 'pending', shown: '' },
) {
  const jsonPaths = new Map([
    ['{.status.phase}', { judge: () => path, readsStatus: true }],
    ['{.spec.x}', { judge: () => path, readsStatus: false }],
  ]);
  return judgeGoals({ jsonPaths }, named(PODS, 'x', { goals }), X, () => own);
}

describe('goals that must hold together', () => {
  const ready: Goal = { for: 'ready' };
  const create: Goal = { for: 'create' };
  const remove: Goal = { for: 'delete' };
  const exists = { code: 'exists' };

  test.each([
    ['one that is reached', [ready], TERMINAL, TERMINAL],
    ['one that waits', [ready], WAITS, WAITS],
    ['one that fails', [ready], FAILS, FAILS],
    ['there, and not reached', [create, ready], WAITS, WAITS],
    ['there, and failed', [create, ready], FAILS, FAILS],
    ['there, and ready for now: it lasts as long', [create, ready], LEVEL, LEVEL],
    ['there, and done: the first is told', [create, ready], TERMINAL, reached('terminal', { code: 'exists' })],
    ['there', [create], WAITS, reached('terminal', { code: 'exists' })],
    ['only to go', [remove], FAILS, pending({ code: 'exists' })],
    ['done, then to go: that is another matter', [ready, remove], TERMINAL, TERMINAL],
  ])('%s', (_, goals, own, expected) => {
    expect(judge(goals, own)).toEqual(expected);
  });

  test('a failure comes before what is pending, whatever their order', () => {
    const condition: Goal = { for: 'condition', type: 'Ready', status: 'True' };
    expect(judge([condition, ready], FAILS)).toBe(FAILS);
    expect(judge([ready, condition], FAILS)).toBe(FAILS);
    expect(judge([condition, ready], LEVEL)).toMatchObject({ state: 'pending', why: { code: 'condition' } });
  });

  test.each(['default', 'complete', 'finished', 'ready', 'settled', 'partly'] as const)(
    "%s is the kind's own to judge",
    (goal) => {
      const own = (judged: KubeObject, given: string): Verdict =>
        failed({ code: 'no-container', containers: [judged.metadata.name, given] });
      expect(judgeGoals({ jsonPaths: new Map() }, named(PODS, 'x', { goals: [{ for: goal }] }), X, own)).toEqual(
        failed({ code: 'no-container', containers: ['x', goal] }),
      );
    },
  );

  test('being there is all that create takes', () => {
    expect(judge([create], WAITS).why).toEqual(exists);
  });
});

describe('a condition', () => {
  const judgeCondition = (type: string, status: string) => judge([{ for: 'condition', type, status }], FAILS);

  test('that holds is reached for now', () => {
    expect(judgeCondition('ready', 'false')).toEqual(
      reached('level', {
        code: 'condition',
        wanted: 'ready=false',
        condition: expect.objectContaining({ type: 'Ready', status: 'False' }),
        stale: false,
        problem: undefined,
      }),
    );
  });

  test('that does not is pending', () => {
    expect(judgeCondition('Ready', 'True')).toMatchObject({ state: 'pending', why: { wanted: 'Ready=True' } });
    expect(judgeCondition('Ready', 'True')).not.toHaveProperty('lasting');
  });

  test('that can never hold has failed', () => {
    const goals: readonly Goal[] = [{ for: 'condition', type: 'Complete', status: 'True' }];
    const verdict = judgeGoals({ jsonPaths: new Map() }, named(JOBS, 'x', { goals }), job('x', 'Failed'), () => WAITS);
    expect(verdict).toMatchObject({ state: 'failed', why: { code: 'condition', condition: { type: 'Failed' } } });
  });
});

describe('a jsonpath', () => {
  const path = (expression: string, value?: string): Goal => ({
    for: 'jsonpath',
    expression,
    ...(value === undefined ? {} : { value }),
  });

  test.each([
    ['reached', { state: 'reached', shown: 'v' }, { state: 'reached', lasting: 'level' }],
    ['pending', { state: 'pending', shown: 'w' }, { state: 'pending' }],
    ['failed', { state: 'failed', shown: undefined, problem: 'p' }, { state: 'failed' }],
  ] as const)('is %s as its judge says', (_, outcome, expected) => {
    const { shown: found, ...rest } = outcome;
    const problem = 'problem' in rest ? rest.problem : undefined;
    expect(judge([path('{.status.phase}', 'v')], FAILS, outcome)).toEqual({
      ...expected,
      why: { code: 'jsonpath', expression: '{.status.phase}', wanted: 'v', found, problem },
    });
  });

  test('asks its own judge, with the value and the object', () => {
    const asked: unknown[] = [];
    const ask: JsonPathJudge = (...given) => {
      asked.push(...given);
      return { state: 'reached', shown: '' };
    };
    const jsonPaths = new Map([['{.b}', { judge: ask, readsStatus: false }]]);
    judgeGoals({ jsonPaths }, named(PODS, 'x', { goals: [path('{.b}', 'v')] }), X, () => WAITS);
    expect(asked).toEqual(['v', X]);
  });

  test('that nobody has read is a bug', () => {
    expect(() => judge([path('{.other}')], WAITS)).toThrow('the jsonpath {.other} was not read');
  });

  test('that does not read the status says which object is meant: of another nothing counts', () => {
    const other = { state: 'pending', shown: 'w' } as const;
    const spec = path('{.spec.x}');
    for (const own of [FAILS, TERMINAL, WAITS]) {
      for (const goals of [
        [{ for: 'ready' }, spec],
        [spec, { for: 'ready' }],
      ] as const) {
        expect(judge(goals, own, other)).toMatchObject({ state: 'pending', why: { code: 'jsonpath' } });
      }
    }
    expect(judge([spec, { for: 'ready' }], FAILS, { state: 'reached', shown: 'v' })).toBe(FAILS);
    expect(judge([{ for: 'ready' }, spec], FAILS, { state: 'failed', shown: 'v' })).toBe(FAILS);
  });

  test('that reads the status says how the object stands: a failure beside it counts', () => {
    expect(judge([path('{.status.phase}'), { for: 'ready' }], FAILS)).toBe(FAILS);
  });

  test('of a Secret is not shown', () => {
    const finds = (shown: string | undefined) =>
      new Map([['{.data.a}', { judge: () => ({ state: 'pending', shown }) as const, readsStatus: false }]]);
    const jsonPaths = finds('c2VjcmV0');
    const nothing = finds(undefined);
    const whyOf = (kind: ApiResource, paths: typeof jsonPaths) =>
      judgeGoals({ jsonPaths: paths }, named(kind, 'x', { goals: [path('{.data.a}', 'guess')] }), X, () => WAITS).why;
    expect(whyOf(SECRETS, jsonPaths)).toMatchObject({ wanted: undefined, found: '(not shown)' });
    expect(whyOf(SECRETS, nothing)).toMatchObject({ wanted: undefined, found: undefined });
    expect(whyOf(CONFIG_MAPS, jsonPaths)).toMatchObject({ wanted: 'guess', found: 'c2VjcmV0' });
  });
});

describe('the own meaning', () => {
  test('of a kind', () => {
    expect(ownMeaning(named(PODS, 'x'))(pod('x', 'Succeeded'), 'default').state).toBe('reached');
    expect(ownMeaning(named(PODS, 'x'))(pod('x', 'Failed'), 'finished').state).toBe('reached');
  });

  test('of a kind that other objects decide', () => {
    const service = object(SERVICES, { metadata: { name: 'x' } });
    expect(ownMeaning(named(SERVICES, 'x'))(service, 'default')).toEqual(pending({ code: 'reading' }));
  });

  test('of one container', () => {
    const seen = object(PODS, {
      metadata: { name: 'x' },
      spec: { restartPolicy: 'Never', initContainers: [{ name: 'setup' }], containers: [{ name: 'main' }] },
      status: { phase: 'Running', containerStatuses: [{ name: 'main', state: { terminated: { exitCode: 0 } } }] },
    });
    expect(ownMeaning(named(PODS, 'x', { container: 'main' }))(seen, 'default').state).toBe('reached');
    expect(ownMeaning(named(PODS, 'x', { container: 'other' }))(seen, 'default')).toEqual(
      pending({ code: 'no-container', containers: ['setup', 'main'] }),
    );
  });
});

const CONDITION: Goal = { for: 'condition', type: 'Ready', status: 'True' };
const PATH: Goal = { for: 'jsonpath', expression: '{.a}' };

test.each<[string, ApiResource, readonly Goal[]]>([
  ['whole', PODS, [CONDITION]],
  ['whole', PODS, [PATH]],
  ['whole', PODS, [{ for: 'default' }, PATH]],
  ['whole', PODS, [{ for: 'delete' }, CONDITION]],
  ['metadata', PODS, [{ for: 'create' }]],
  ['metadata', PODS, [{ for: 'delete' }]],
  ['metadata', PODS, [{ for: 'create' }, { for: 'delete' }]],
  ['verdict', PODS, [{ for: 'default' }, { for: 'delete' }]],
  ['verdict', PODS, [{ for: 'ready' }]],
  ['metadata', CONFIG_MAPS, [{ for: 'default' }]],
])('%s is read of $kind for %o', (keep, kind, goals) => {
  expect(keepOf(named(kind, 'x', { goals }))).toBe(keep);
});

test.each<[readonly Goal[], boolean, boolean]>([
  [[{ for: 'default' }], true, false],
  [[{ for: 'settled' }], true, false],
  [[CONDITION], false, false],
  [[{ for: 'create' }], false, false],
  [[{ for: 'delete' }], false, true],
  [[{ for: 'ready' }, { for: 'delete' }], true, true],
  [[CONDITION, { for: 'ready' }], true, false],
])('%o: own meaning %s, awaits deletion %s', (goals, own, deletion) => {
  const target = named(PODS, 'x', { goals });
  expect([isOwnMeaning(target), awaitsDeletion(target)]).toEqual([own, deletion]);
});

describe('what is missed with an object that goes', () => {
  const of = (kind: string) => ({ owner: { kind, name: 'o', uid: 'o' } });
  const task = pod('x', 'Running');
  const service = pod('x', 'Running', { policy: 'Always' });
  const replaced = pod('x', 'Running', { ...of('CloneSet'), policy: 'Always' });
  const ofJob = pod('x', 'Running', of('Job'));

  test.each<[string, ApiResource, KubeObject, Partial<Target>, string]>([
    ['a task', PODS, task, {}, 'object'],
    ['a task, one of them is enough', PODS, task, { goals: [{ for: 'partly' }] }, 'object'],
    ['a task that is to be ready', PODS, task, { goals: [{ for: 'ready' }] }, 'nothing'],
    ['a task under settled', PODS, task, { goals: [{ for: 'settled' }] }, 'nothing'],
    ['a task that is to have a condition', PODS, task, { goals: [CONDITION] }, 'nothing'],
    ['a task with a condition beside', PODS, task, { goals: [CONDITION, { for: 'default' }] }, 'object'],
    ['a service', PODS, service, {}, 'nothing'],
    ['a service that is to be complete', PODS, service, { goals: [{ for: 'complete' }] }, 'object'],
    ['a service that is to be finished', PODS, service, { goals: [{ for: 'finished' }] }, 'object'],
    ['one to be complete and ready', PODS, service, { goals: [{ for: 'ready' }, { for: 'complete' }] }, 'object'],
    ['one that is replaced', PODS, replaced, { goals: [{ for: 'complete' }] }, 'nothing'],
    ['one that is replaced, under a condition', PODS, replaced, { goals: [CONDITION] }, 'nothing'],
    ['a task of another controller', PODS, pod('x', 'Running', of('Workflow')), {}, 'object'],
    ['of a Job', PODS, ofJob, {}, 'its Job'],
    ['of a Job that is to be ready', PODS, ofJob, { goals: [{ for: 'ready' }] }, 'nothing'],
    ['of a Job, N of which are expected', PODS, ofJob, { expect: 2 }, 'nothing'],
    ['of a Job, where that is readable', PODS, ofJob, { ownerJobs: 'where readable' }, 'its Job'],
    ['of a Job, one container', PODS, ofJob, { container: 'main' }, 'nothing'],
    ['of a Job that has no say', PODS, ofJob, { atLeast: 1 }, 'object'],
    ['a Job', JOBS, job('x', undefined), {}, 'object'],
    ['a ConfigMap', CONFIG_MAPS, object(CONFIG_MAPS, { metadata: { name: 'x' } }), {}, 'nothing'],
  ])('%s', (_, kind, gone, more, expected) => {
    expect(missedWith(selected(kind, more), gone)).toBe(expected);
  });
});
