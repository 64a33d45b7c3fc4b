/** Pods whose controller creates another one in their place, and pods that terminate: seen at first, and seen later. */
import { describe, expect, test } from 'vitest';
import type { KubeObject } from '../../../src/kube/object.ts';
import type { Goal, Plan, Target } from '../../../src/wait/plan.ts';
import { named, object, PODS, pod, selected } from '../objects.ts';
import { counted, Script, standing } from './script.ts';

type Controller = 'ReplicaSet' | 'StatefulSet' | 'DaemonSet' | 'ReplicationController' | 'CloneSet' | 'Node' | 'none';

const CONTROLLERS = ['ReplicaSet', 'StatefulSet', 'DaemonSet', 'ReplicationController', 'CloneSet', 'Node'] as const;
const GROUPS: Readonly<Record<string, string>> = { ReplicationController: 'v1', Node: 'v1', CloneSet: 'apps.x.io/v1' };

interface Of {
  readonly policy?: string;
  readonly ready?: boolean;
  readonly deleting?: boolean;
  readonly uid?: string;
}

const of = (kind: Controller, name: string, phase: string, more: Of = {}): KubeObject =>
  pod(name, phase, {
    policy: 'Always',
    ...more,
    ...(kind === 'none' ? {} : { owner: { apiVersion: GROUPS[kind] ?? 'apps/v1', kind, name: 'o', uid: 'o' } }),
  });

const alive = (kind: Controller): KubeObject => of(kind, 'old', 'Running', { ready: true });
const next = (kind: Controller, ready: boolean): KubeObject => of(kind, 'new', 'Running', { ready });

/** How the old pod ends. */
const ENDS: readonly (readonly [string, (kind: Controller, policy?: string) => KubeObject])[] = [
  ['Succeeded', (kind, policy = 'Always') => of(kind, 'old', 'Succeeded', { policy })],
  ['Failed', (kind, policy = 'Always') => of(kind, 'old', 'Failed', { policy })],
  ['terminating', (kind, policy = 'Always') => of(kind, 'old', 'Running', { policy, ready: true, deleting: true })],
  ['Failed and terminating', (kind, policy = 'Always') => of(kind, 'old', 'Failed', { policy, deleting: true })],
];

const WHEN = ['at first', 'later'] as const;

function run(when: (typeof WHEN)[number], before: KubeObject, now: readonly KubeObject[], more: Partial<Target> = {}) {
  const script = new Script([selected(PODS, more)]);
  if (when === 'later') script.sees('pods', [before]);
  return script.sees('pods', now);
}

const ready: Goal = { for: 'ready' };
const OPTIONS: readonly (readonly [string, Partial<Target>])[] = [
  ['by default', {}],
  ['--for=ready', { goals: [ready] }],
  ['--expect 1', { expect: 1 }],
  ['--at-least 1', { atLeast: 1 }],
  ['--container', { container: 'main' }],
];

describe.each(CONTROLLERS)('a pod of a %s in a selector', (kind) => {
  describe.each(ENDS)('%s', (_, end) => {
    test.each(WHEN.flatMap((when) => OPTIONS.map(([option, more]) => [when, option, more] as const)))(
      'seen %s, %s: not counted, its replacement decides',
      (when, _option, more) => {
        const inPod = (one: KubeObject): KubeObject => withContainer(one);
        // Not yet reached, or the run would be over.
        const before = inPod(of(kind, 'old', 'Running', { ready: false }));
        const old = inPod(end(kind));
        const script = run(when, before, [old], more);
        const { atLeast, expect: wanted } = more;
        expect(standing(script)).toEqual({ state: 'pending', why: counted({ replaced: 1, atLeast, expect: wanted }) });
        script.sees('pods', [old, inPod(next(kind, false))]);
        expect(standing(script)).toMatchObject({ state: 'pending', why: { reached: 0, total: 1, replaced: 1 } });
        script.sees('pods', [old, inPod(next(kind, true))]);
        expect(script.ending).toBe('reached');
      },
    );

    test('is pending, never missing', () => {
      const script = run('at first', alive(kind), [end(kind)], { onMissing: 'fail', missingGraceMs: 0 });
      expect(script.at(60).statuses).toEqual(['pending']);
    });

    test('under complete and finished as well', () => {
      for (const goal of ['complete', 'finished'] as const) {
        const script = run('at first', alive(kind), [end(kind)], { goals: [{ for: goal }] });
        expect(standing(script)).toEqual({ state: 'pending', why: counted({ replaced: 1 }) });
      }
    });
  });

  test.each([
    ['Succeeded', false, 'reached'],
    ['Failed', false, 'reached'],
    ['Failed', true, 'reached'],
    ['Running', true, undefined],
  ])('pod-we: %s, terminating %s: %s', (phase, deleting, ending) => {
    const end = of(kind, 'old', phase, { ready: true, deleting });
    expect(run('later', of(kind, 'old', 'Running'), [end], { goals: [{ for: 'settled' }] }).ending).toBe(ending);
  });

  test('a condition, a jsonpath and create read it as it is', () => {
    const jsonPaths: Plan['jsonPaths'] = new Map([
      ['{.a}', { judge: () => ({ state: 'reached', shown: 'x' }), readsStatus: true }],
    ]);
    for (const goal of [
      { for: 'condition', type: 'Ready', status: 'True' },
      { for: 'jsonpath', expression: '{.a}' },
      { for: 'create' },
    ] as const) {
      const script = new Script([selected(PODS, { goals: [goal] })], { jsonPaths });
      expect(script.sees('pods', [of(kind, 'old', 'Running', { ready: true, deleting: true })]).ending).toBe('reached');
    }
  });

  test('that was ready before and is replaced counts no longer, also when it is gone', () => {
    const script = new Script([selected(PODS)]);
    script.sees('pods', [of(kind, 'old', 'Pending'), next(kind, false)]);
    script.sees('pods', [alive(kind), next(kind, false)]);
    expect(standing(script)).toMatchObject({ why: { reached: 1, total: 2 } });
    script.sees('pods', [of(kind, 'old', 'Succeeded'), next(kind, false)]);
    expect(standing(script)).toMatchObject({ why: { reached: 0, total: 1, replaced: 1 } });
    script.sees('pods', [next(kind, false)], [of(kind, 'old', 'Succeeded')]);
    expect(standing(script)).toMatchObject({ why: { reached: 0, total: 1, replaced: 0 } });
    expect(script.sees('pods', [next(kind, true)]).ending).toBe('reached');
  });

  test('whose container was done, and that is gone without a word, counts no longer', () => {
    const container = { container: 'setup' };
    const done = withSetup(alive(kind));
    const script = new Script([selected(PODS, container), selected(PODS, { namespace: 'other' })]);
    const [first, second] = [...script.state.collections.keys()];
    if (first === undefined || second === undefined) throw new Error('two collections');
    const snapshot = (...objects: readonly KubeObject[]) =>
      ({
        what: 'snapshot',
        objects: new Map(objects.map((one) => [one.metadata.uid, one])),
        departed: [],
      }) as const;
    script.emitTo(first, snapshot(done));
    expect(script.statuses[0]).toBe('reached');
    script.emitTo(first, snapshot());
    expect(standing(script)).toMatchObject({ state: 'pending', why: { code: 'missing' } });
  });
});

/** A pod with the one container `main`, ready where the pod is, and ended where the pod has. */
function withContainer(one: KubeObject): KubeObject {
  const conditions = (one.status as { conditions: readonly { status: string }[] }).conditions;
  const isReady = conditions.some(({ status }) => status === 'True');
  return object(PODS, {
    ...one,
    spec: { ...(one.spec as object), containers: [{ name: 'main' }] },
    status: {
      ...(one.status as object),
      containerStatuses: [{ name: 'main', ready: isReady, state: { running: {} } }],
    },
  });
}

function withSetup(one: KubeObject): KubeObject {
  return object(PODS, {
    ...one,
    spec: { ...(one.spec as object), initContainers: [{ name: 'setup' }] },
    status: {
      ...(one.status as object),
      initContainerStatuses: [{ name: 'setup', state: { terminated: { exitCode: 0 } } }],
    },
  });
}

describe('a pod that no controller replaces', () => {
  const cases: readonly (readonly [string, Controller | 'Workflow', string, string, string])[] = [
    ['a bare service', 'none', 'Always', 'Succeeded', 'reached'],
    ['a bare service', 'none', 'Always', 'Failed', 'failed'],
    ['a bare task', 'none', 'Never', 'Failed', 'failed'],
    ['a task of a Workflow', 'Workflow', 'Never', 'Succeeded', 'reached'],
    ['a task of a Workflow', 'Workflow', 'Never', 'Failed', 'failed'],
    ['a task of a Workflow', 'Workflow', 'OnFailure', 'Failed', 'failed'],
  ];
  test.each(WHEN.flatMap((when) => cases.map((one) => [when, ...one] as const)))(
    'seen %s: %s (%s, %s), %s: %s',
    (when, _, kind, policy, phase, ending) => {
      const end = of(kind as Controller, 'old', phase, { policy });
      expect(run(when, of(kind as Controller, 'old', 'Running', { policy }), [end]).ending).toBe(ending);
    },
  );
});

describe('one by name that has ended', () => {
  const NEW_NAMES: readonly string[] = ['ReplicaSet', 'DaemonSet', 'ReplicationController', 'none'];
  const table = [...CONTROLLERS, 'none' as const].flatMap((kind) =>
    (['Succeeded', 'Failed'] as const).flatMap((phase) => WHEN.map((when) => [kind, phase, when] as const)),
  );
  const follows = (kind: Controller): boolean => !NEW_NAMES.includes(kind);
  const begun = (when: (typeof WHEN)[number], kind: Controller, phase: string, more: Partial<Target> = {}): Script => {
    const script = new Script([named(PODS, 'old', more)]);
    if (when === 'later') script.sees('pods', [of(kind, 'old', 'Running', { uid: '1' })]);
    return script.sees('pods', [of(kind, 'old', phase, { uid: '1' })]);
  };

  test.each(table)('of a %s, %s, seen %s', (kind, phase, when) => {
    const script = begun(when, kind, phase);
    if (!follows(kind)) return expect(script.ending).toBe(phase === 'Failed' ? 'failed' : 'reached');
    expect(standing(script)).toMatchObject({ state: 'pending', uid: '1', why: { phase, awaits: 'successor' } });
    script.sees('pods', [], [of(kind, 'old', phase, { uid: '1' })]);
    expect(standing(script)).toMatchObject({ state: 'pending', why: { code: 'missing' } });
    script.sees('pods', [of(kind, 'old', 'Running', { uid: '2', ready: true })]);
    return expect(script.ending).toBe('reached');
  });

  test.each(table)('of a %s, %s, seen %s, is reached under finished and pod-we', (kind, phase, when) => {
    expect(begun(when, kind, phase, { goals: [{ for: 'finished' }] }).ending).toBe('reached');
    expect(begun(when, kind, phase, { goals: [{ for: 'settled' }] }).ending).toBe('reached');
  });

  test('one container of it: a pod of the same name follows too', () => {
    const target = named(PODS, 'old', { container: 'main' });
    const seen = (kind: Controller) => new Script([target]).sees('pods', [withContainer(of(kind, 'old', 'Failed'))]);
    expect(seen('StatefulSet').statuses).toEqual(['pending']);
    expect(seen('ReplicaSet').ending).toBe('failed');
  });

  test('a task of a StatefulSet-like controller fails', () => {
    expect(
      new Script([named(PODS, 'x')]).sees('pods', [of('CloneSet', 'x', 'Failed', { policy: 'Never' })]).ending,
    ).toBe('failed');
  });
});

describe('one that terminates', () => {
  const LEAVING = { ready: true, deleting: true };

  test.each([
    ['by name, of a ReplicaSet', named(PODS, 'old'), 'ReplicaSet'],
    ['by name, of a StatefulSet', named(PODS, 'old'), 'StatefulSet'],
    ['by name', named(PODS, 'old'), 'none'],
    ['of a selector', selected(PODS), 'none'],
  ] as const)('seen at first, %s: it is missing', (_, target, kind) => {
    const script = new Script([target]).sees('pods', [of(kind, 'old', 'Running', LEAVING)]);
    expect(standing(script)).toMatchObject({ state: 'pending', why: { code: 'missing' } });
  });

  test.each([
    ['by name, of a ReplicaSet', named(PODS, 'old'), 'ReplicaSet'],
    ['by name, of a StatefulSet', named(PODS, 'old'), 'StatefulSet'],
    ['by name', named(PODS, 'old'), 'none'],
    ['of a selector', selected(PODS), 'none'],
  ] as const)('seen alive before, %s: it is pending until it is gone', (_, target, kind) => {
    const script = new Script([{ ...target, onMissing: 'fail', missingGraceMs: 0 }, named(PODS, 'other')]);
    const [key] = [...script.state.collections.keys()];
    const tell = (here: readonly KubeObject[], departed: readonly KubeObject[]): Script =>
      script.emitTo(key ?? '', {
        what: 'snapshot',
        objects: new Map(here.map((one) => [one.metadata.uid, one])),
        departed,
      });
    tell([of(kind, 'old', 'Running', { ready: true })], []);
    expect(script.statuses[0]).toBe('reached');
    tell([of(kind, 'old', 'Running', LEAVING)], []);
    expect(standing(script)).toMatchObject({ state: 'pending' });
    expect(script.at(60).ending).toBeUndefined();
    tell([], [of(kind, 'old', 'Running', LEAVING)]);
    expect(script.ending).toBe('failed');
  });

  test.each([
    ['Succeeded', 'reached'],
    ['Failed', 'failed'],
  ])('and ends as %s meanwhile: %s', (phase, ending) => {
    for (const target of [named(PODS, 'old'), selected(PODS)]) {
      const script = new Script([target]).sees('pods', [of('none', 'old', 'Running', { policy: 'Never' })]);
      expect(script.sees('pods', [of('none', 'old', phase, { policy: 'Never', deleting: true })]).ending).toBe(ending);
    }
  });

  test('its container is not ready either', () => {
    for (const [script, state] of [
      [new Script([named(PODS, 'old', { container: 'main' })]), 'pending'],
      [new Script([selected(PODS, { container: 'main' })]), 'pending'],
    ] as const) {
      script.sees('pods', [withContainer(of('none', 'old', 'Pending'))]);
      script.sees('pods', [withContainer(of('none', 'old', 'Running', LEAVING))]);
      expect(script.statuses).toEqual([state]);
    }
  });
});

describe('the own pod', () => {
  const mine = (uid: string): KubeObject => of('ReplicaSet', 'me', 'Running', { uid, ready: true });
  const begun = (self: Plan['self'], ...pods: readonly KubeObject[]): Script =>
    new Script([selected(PODS, { onMissing: 'fail', missingGraceMs: 0 })], { self }).sees('pods', pods);

  test('a selector that finds nothing else is missing', () => {
    expect(begun({ namespace: 'app', name: 'me' }, mine('1')).ending).toBe('failed');
  });

  test('is known by its uid, where the token has one', () => {
    const self = { namespace: 'app', name: 'me', uid: '1' };
    expect(begun(self, mine('1')).ending).toBe('failed');
    // Of another cluster.
    expect(begun(self, mine('2')).ending).toBe('reached');
  });
});
