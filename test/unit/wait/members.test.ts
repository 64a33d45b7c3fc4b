/** What is told of a target, and what counts towards one that a selector finds. */
import { describe, expect, test } from 'vitest';
import type { KubeObject } from '../../../src/kube/object.ts';
import type { Plan, Target } from '../../../src/wait/plan.ts';
import { JOBS, job, named, object, PODS, pod, resource, selected } from '../objects.ts';
import { counted, FORBIDDEN, Script, SECOND, standing } from './script.ts';

const missing = (taken: string, more: object = {}) => ({
  code: 'missing',
  lost: undefined,
  taken,
  containers: undefined,
  ...more,
});
const sees = (more: Partial<Target>, pods: readonly KubeObject[], plan: Partial<Plan> = {}) =>
  standing(new Script([selected(PODS, more)], plan).sees('pods', pods));

const owner = (kind: string, name = 'o') => ({ policy: 'Always', owner: { kind, name, uid: `uid-${name}` } });
const done = pod('done', 'Succeeded');
const bad = pod('bad', 'Failed');
const busy = pod('busy', 'Running');
const replaced = pod('old', 'Failed', owner('ReplicaSet'));
/** What the verdict of such a pod says. */
const whyOf = (phase: string) => expect.objectContaining({ code: 'pod', phase });

describe('one by name', () => {
  test('is told with its uid', () => {
    const run = new Script([named(PODS, 'busy')]).sees('pods', [busy]);
    expect(standing(run)).toEqual({ state: 'pending', uid: 'uid-busy', why: whyOf('Running') });
    expect(run.wants).toHaveLength(1);
    expect(run.wakeAt).toBe(599 * SECOND);
  });

  test('that is lost is told with the uid that it had, and how it went', () => {
    const run = new Script([named(PODS, 'busy')]).sees('pods', [busy]).sees('pods', [], [busy]);
    const why = missing('pending', { lost: { name: 'busy', outcome: 'not done' } });
    expect(standing(run)).toEqual({ state: 'pending', uid: 'uid-busy', why });
  });

  test('that was never there has none', () => {
    const run = new Script([named(PODS, 'busy')]).sees('pods', []);
    expect(standing(run)).toEqual({ state: 'pending', why: missing('pending') });
  });

  test('the newest of its name counts', () => {
    const run = new Script([named(PODS, 'a'), named(PODS, 'b')]);
    run.sees('pods', [pod('a', 'Succeeded', { uid: '1' })], [], 'a').sees('pods', [], [], 'b');
    run.sees('pods', [pod('a', 'Running', { uid: '2' })], [], 'a');
    expect(standing(run)).toMatchObject({ state: 'pending', uid: '2' });
  });

  test('any pod by name may be looked at, the waiter too', () => {
    const self = { namespace: 'app', name: 'busy' };
    expect(standing(new Script([named(PODS, 'busy')], { self }).sees('pods', [busy]))).toMatchObject({
      uid: 'uid-busy',
    });
  });
});

describe('a container that the pod does not have', () => {
  const has = (name: string, ...containers: readonly string[]): KubeObject =>
    object(PODS, {
      metadata: { name, namespace: 'app', uid: `uid-${name}` },
      spec: { restartPolicy: 'Never', containers: containers.map((one) => ({ name: one })) },
      status: {
        phase: 'Running',
        containerStatuses: containers.map((one) => ({ name: one, state: { terminated: { exitCode: 0 } } })),
      },
    });
  const container = 'main';

  test('is missing, of a pod by name', () => {
    const run = new Script([named(PODS, 'x', { container })]).at(3).sees('pods', [has('x', 'other')]);
    expect(standing(run)).toEqual({ state: 'pending', why: missing('pending', { containers: ['other'] }) });
    expect(run.wants).toHaveLength(1);
  });

  test('is missing since the pod was read', () => {
    const run = new Script([named(PODS, 'x', { container, onMissing: 'fail' })])
      .at(3)
      .sees('pods', [has('x', 'other')]);
    expect(run.wakeAt).toBe(13 * SECOND);
    expect(run.at(12.9).ending).toBeUndefined();
    expect(run.at(13).ending).toBe('failed');
  });

  test('is missing, where no pod of a selector has it', () => {
    expect(sees({ container }, [has('x', 'other'), has('y', 'else')])).toEqual({
      state: 'pending',
      why: missing('pending', { containers: ['else'] }),
    });
    const run = new Script([selected(PODS, { container, onMissing: 'fail' })]).at(3).sees('pods', [has('x', 'other')]);
    expect(run.at(12.9).ending).toBeUndefined();
    expect(run.at(13).ending).toBe('failed');
  });

  test('is not looked for in pods beside one that has it', () => {
    const run = new Script([selected(PODS, { container })]).sees('pods', [has('x', 'other'), has('y', 'main')]);
    expect(run.ending).toBe('reached');
    expect(standing(run)).toMatchObject({ why: counted({ reached: 1, total: 1, first: { label: 'pod/y' } }) });
  });

  test('beside pods that are replaced nothing is missing', () => {
    const gone = object(PODS, {
      ...has('z', 'main'),
      metadata: {
        name: 'z',
        namespace: 'app',
        uid: 'z',
        ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'r', uid: 'r', controller: true }],
      },
      spec: { restartPolicy: 'Always', containers: [{ name: 'main' }] },
      status: { phase: 'Failed' },
    });
    expect(sees({ container }, [has('x', 'other'), gone])).toEqual({ state: 'pending', why: counted({ replaced: 1 }) });
  });
});

describe('what a selector finds', () => {
  test.each<[string, Partial<Target>, readonly KubeObject[], object]>([
    [
      'one, done',
      {},
      [done],
      {
        state: 'reached',
        why: counted({ reached: 1, total: 1, first: { label: 'pod/done', why: whyOf('Succeeded') } }),
      },
    ],
    ['two, done', {}, [done, pod('b', 'Succeeded')], { state: 'reached', why: counted({ reached: 2, total: 2 }) }],
    [
      'one at work',
      {},
      [done, busy],
      {
        state: 'pending',
        why: counted({ reached: 1, total: 2, first: { label: 'pod/busy', why: expect.anything() } }),
      },
    ],
    [
      'one failed',
      {},
      [busy, done, bad],
      { state: 'failed', why: counted({ reached: 1, total: 3, first: { label: 'pod/bad', why: expect.anything() } }) },
    ],
    ['only one that is replaced', {}, [replaced], { state: 'pending', why: counted({ replaced: 1 }) }],
    [
      'two that are replaced, one done',
      {},
      [replaced, pod('o', 'Failed', owner('DaemonSet')), done],
      {
        state: 'reached',
        why: counted({ reached: 1, total: 1, replaced: 2, first: { label: 'pod/done', why: expect.anything() } }),
      },
    ],
    [
      'a failed one that counts as done',
      { goals: [{ for: 'settled' }] },
      [replaced],
      { state: 'reached', why: counted({ reached: 1, total: 1, first: { label: 'pod/old', why: expect.anything() } }) },
    ],
    [
      'a failed one that counts, among other goals',
      { goals: [{ for: 'create' }, { for: 'settled' }] },
      [replaced],
      { state: 'reached', why: expect.objectContaining({ replaced: 0 }) },
    ],
    [
      'of a failed one its condition',
      { goals: [{ for: 'condition', type: 'Ready', status: 'False' }] },
      [replaced],
      { state: 'reached', why: expect.objectContaining({ replaced: 0 }) },
    ],
    [
      'fewer than expected',
      { expect: 2 },
      [done],
      { state: 'pending', why: counted({ reached: 1, total: 1, expect: 2 }) },
    ],
    [
      'as many as expected',
      { expect: 2 },
      [done, pod('b', 'Succeeded')],
      { state: 'reached', why: counted({ reached: 2, total: 2, expect: 2 }) },
    ],
    [
      'more than enough',
      { atLeast: 1 },
      [busy, done],
      { state: 'reached', why: counted({ reached: 1, total: 2, atLeast: 1 }) },
    ],
    [
      'enough, but fewer than expected',
      { atLeast: 1, expect: 2 },
      [done],
      { state: 'pending', why: counted({ reached: 1, total: 1, atLeast: 1, expect: 2 }) },
    ],
    [
      'enough, as many as expected',
      { atLeast: 1, expect: 2 },
      [done, busy],
      { state: 'reached', why: counted({ reached: 1, total: 2, atLeast: 1, expect: 2 }) },
    ],
    [
      'enough, one failed',
      { atLeast: 1 },
      [bad, done],
      { state: 'reached', why: counted({ reached: 1, total: 2, atLeast: 1 }) },
    ],
    [
      'too many have failed',
      { atLeast: 2 },
      [bad, done],
      {
        state: 'failed',
        why: counted({ reached: 1, total: 2, atLeast: 2, first: { label: 'pod/bad', why: expect.anything() } }),
      },
    ],
    [
      'one has failed, more are expected',
      { atLeast: 2 },
      [bad],
      { state: 'pending', why: counted({ total: 1, atLeast: 2, first: { label: 'pod/bad', why: expect.anything() } }) },
    ],
    [
      'one has failed, as many as expected',
      { atLeast: 1, expect: 1 },
      [bad],
      { state: 'failed', why: expect.anything() },
    ],
    [
      'one has failed, more are expected',
      { atLeast: 1, expect: 3 },
      [bad, bad],
      { state: 'pending', why: expect.anything() },
    ],
    [
      'one at work rather than one that failed is told',
      { atLeast: 2 },
      [bad, busy, done],
      {
        state: 'pending',
        why: counted({ reached: 1, total: 3, atLeast: 2, first: { label: 'pod/busy', why: expect.anything() } }),
      },
    ],
  ])('%s', (_, more, pods, expected) => {
    expect(sees(more, pods)).toEqual(expected);
  });

  test('in all namespaces the namespace is told', () => {
    const other = object(PODS, {
      metadata: { name: 'x', namespace: 'other', uid: 'o' },
      spec: { restartPolicy: 'Never' },
      status: { phase: 'Failed' },
    });
    expect(sees({ namespace: undefined }, [done, other])).toMatchObject({ why: { first: { label: 'other/pod/x' } } });
  });

  test('what has no namespace is told without', () => {
    const NODES = { ...resource('', 'nodes', 'Node'), namespaced: false };
    const node = object(NODES, { metadata: { name: 'n', uid: 'n' } });
    const run = new Script([selected(NODES, { namespace: undefined })]).sees('nodes', [node]);
    expect(standing(run)).toMatchObject({ why: { first: { label: 'node/n' } } });
  });

  const trouble = (name: string, reason: string | undefined): KubeObject =>
    object(PODS, {
      metadata: { name, namespace: 'app', uid: `uid-${name}` },
      spec: { restartPolicy: 'Never' },
      status: {
        phase: 'Running',
        containerStatuses: [{ name: 'main', state: { waiting: { ...(reason === undefined ? {} : { reason }) } } }],
      },
    });
  const evicting = object(PODS, {
    metadata: { name: 'evicting', namespace: 'app', uid: 'e' },
    spec: { restartPolicy: 'Never' },
    status: { phase: 'Running', reason: 'NodeLost' },
  });
  const quiet = trouble('quiet', undefined);
  const crash = trouble('crash', 'CrashLoopBackOff');
  const image = trouble('image', 'ErrImagePull');

  test.each([
    ['at work before one that is at work', [quiet, trouble('other', undefined)], 'pod/quiet'],
    ['a container in trouble', [quiet, crash], 'pod/crash'],
    ['a pod with a reason', [quiet, evicting], 'pod/evicting'],
    ['of two in trouble the first', [crash, image, evicting], 'pod/crash'],
    ['of two in trouble the first, quiet ones aside', [quiet, image, crash], 'pod/image'],
  ])('of those that are awaited one is told: %s', (_, pods, label) => {
    expect(sees({}, pods)).toMatchObject({ state: 'pending', why: { first: { label } } });
  });

  test('a Job has no trouble of its own to tell', () => {
    const run = new Script([selected(JOBS)]).sees('jobs', [job('a', undefined), job('b', undefined)]);
    expect(standing(run)).toMatchObject({ why: { first: { label: 'job/a' } } });
  });
});

describe('one that left the selection before it was done', () => {
  const start = (more: Partial<Target> = {}, others: readonly KubeObject[] = [done]): Script =>
    new Script([selected(PODS, more)]).sees('pods', [busy, ...others]).sees('pods', others, [busy]);
  const lookUp = { resource: PODS, namespace: 'app', name: 'busy', mode: 'once', keep: 'metadata' };

  test('is looked up once, by name', () => {
    const run = start();
    expect(run.wants[1]).toMatchObject({ need: 'required', spec: lookUp });
    expect(standing(run)).toEqual({ state: 'pending', why: counted({ reached: 1, total: 2 }) });
    run.sees('pods', [], [], 'busy');
    expect(run.wants).toHaveLength(1);
  });

  test('was deleted: it is told', () => {
    const run = start().sees('pods', [], [], 'busy');
    const first = { label: 'pod/busy', why: missing('pending', { lost: { name: 'busy', outcome: 'not done' } }) };
    expect(standing(run)).toEqual({ state: 'pending', why: counted({ reached: 1, total: 2, first }) });
  });

  test('is told before one in trouble', () => {
    const run = start({}, [pod('a', 'Pending')]).sees('pods', [], [], 'busy');
    expect(standing(run)).toMatchObject({ why: { first: { label: 'pod/busy' } } });
  });

  test('counts as done under succeed, once its grace is over', () => {
    const run = start({ onMissing: 'succeed' }).sees('pods', [], [], 'busy');
    expect(run.wakeAt).toBe(10 * SECOND);
    const first = { label: 'pod/busy', why: expect.anything() };
    expect(standing(run)).toEqual({ state: 'pending', why: counted({ reached: 1, total: 2, first }) });
    run.at(10);
    expect(standing(run)).toEqual({ state: 'reached', why: counted({ reached: 2, total: 2 }) });
  });

  test('is none of it any more where its labels were edited', () => {
    const run = start({}, [pod('a', 'Running')]).sees('pods', [busy], [], 'busy');
    expect(run.wants).toHaveLength(1);
    expect(standing(run)).toMatchObject({ why: counted({ total: 1, first: { label: 'pod/a' } }) });
    // Nor is it looked up again.
    expect(run.at(1).at(2).wants).toHaveLength(1);
  });

  test('was the only one, and another of its name is there: it was deleted', () => {
    const run = start({}, []).sees('pods', [pod('busy', 'Running', { uid: 'new' })], [], 'busy');
    expect(standing(run)).toMatchObject({ why: { first: { label: 'pod/busy', why: { code: 'missing' } } } });
  });

  test.each<[string, Partial<Target>]>([
    ['--expect', { expect: 1 }],
    ['--at-least', { atLeast: 1 }],
    ['both', { expect: 1, atLeast: 1 }],
  ])('does not matter where %s says how many are enough', (_, more) => {
    const some = pod('a', 'Running');
    const run = start(more, [some]);
    expect(run.wants.find(({ spec }) => spec.mode === 'once')).toMatchObject({ spec: lookUp });
    run.sees('pods', [], [], 'busy');
    expect(standing(run)).toMatchObject({ state: 'pending', why: { total: 1 } });
    expect(run.sees('pods', [pod('a', 'Succeeded')]).ending).toBe('reached');
  });

  test('in all namespaces is looked up in its own', () => {
    const other = object(PODS, {
      metadata: { name: 'x', namespace: 'other', uid: 'o' },
      spec: { restartPolicy: 'Never' },
      status: { phase: 'Running' },
    });
    const run = new Script([selected(PODS, { namespace: undefined })]).sees('pods', [other]).sees('pods', [], [other]);
    expect(run.wants[1]?.spec).toMatchObject({ namespace: 'other', name: 'x' });
  });

  test('without a namespace is looked up without', () => {
    const WIDGETS = { ...resource('batch', 'jobs', 'Job'), namespaced: false };
    const widget = object(WIDGETS, { metadata: { name: 'x', uid: 'w' } });
    const run = new Script([selected(WIDGETS, { namespace: undefined })])
      .sees('jobs', [widget])
      .sees('jobs', [], [widget]);
    expect(run.wants[1]?.spec).toMatchObject({ namespace: undefined, name: 'x' });
  });

  test('a refusal to look it up is one of the run', () => {
    const run = start();
    const key = run.wants[1]?.key;
    expect(key).toBeDefined();
    const refuse = () => run.emit('pods', { what: 'problem', verb: 'list', problem: FORBIDDEN }, 'busy');
    refuse();
    run.at(5);
    expect(refuse().ending).toBe('refused');
  });
});

describe("the waiter's own pod", () => {
  const self = { namespace: 'app', name: 'busy' };

  test.each([
    [self, { state: 'reached' }],
    [{ ...self, name: 'other' }, { state: 'pending' }],
    [{ ...self, namespace: 'other' }, { state: 'pending' }],
    [undefined, { state: 'pending' }],
  ])('%o never counts in a selector: %o', (given, expected) => {
    expect(sees({}, [done, busy], { self: given })).toMatchObject(expected);
  });

  test('is no Job of the same name', () => {
    const run = new Script([selected(JOBS)], { self }).sees('jobs', [job('busy', undefined)]);
    expect(standing(run)).toMatchObject({ why: { code: 'members', total: 1 } });
  });

  test('is not missed when it goes', () => {
    const run = new Script([selected(PODS)], { self }).sees('pods', [busy, pod('a', 'Running')]);
    run.sees('pods', [pod('a', 'Running')], [busy]);
    expect(run.wants).toHaveLength(1);
    expect(run.sees('pods', [pod('a', 'Succeeded')]).ending).toBe('reached');
  });
});
