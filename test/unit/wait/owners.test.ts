/** Pods of Jobs, which a selector finds: they are judged through their Jobs. */
import { describe, expect, test } from 'vitest';
import type { KubeObject } from '../../../src/kube/object.ts';
import type { Problem } from '../../../src/kube/problem.ts';
import type { Target } from '../../../src/wait/plan.ts';
import { JOBS, job, object, PODS, pod, selected } from '../objects.ts';
import { counted, DOWN, FORBIDDEN, Script, SECOND, standing } from './script.ts';

const owned = (name: string, phase: string, owner = 'migrate', uid = 'j1'): KubeObject =>
  pod(name, phase, { owner: { kind: 'Job', name: owner, uid } });
const migrate = (condition?: string, uid = 'j1'): KubeObject => job('migrate', condition, { uid });
const seed = (condition?: string): KubeObject => job('seed', condition, { uid: 'j2' });

const start = (more: Partial<Target>, ...pods: readonly KubeObject[]): Script =>
  new Script([selected(PODS, more)]).sees('pods', pods);

describe('--expect N beside pods that no Job owns', () => {
  const web = pod('web', 'Running', {
    policy: 'Always',
    ready: true,
    owner: { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: 'r' },
  });

  test('counts the pods of Jobs alone', () => {
    expect(start({ expect: 1 }, web, owned('a', 'Running')).ending).toBeUndefined();
    expect(start({ expect: 2 }, web, pod('seed', 'Succeeded'), owned('a', 'Running')).ending).toBeUndefined();
    expect(start({ expect: 1 }, pod('seed', 'Succeeded'), owned('a', 'Failed')).ending).toBeUndefined();
    expect(start({ expect: 1 }, web, owned('a', 'Succeeded'), owned('b', 'Running')).ending).toBe('reached');
  });
});

describe('which Jobs are asked for', () => {
  const spec = { resource: JOBS, namespace: 'app', mode: 'watch', keep: 'verdict' };

  test('the one by name', () => {
    const run = start({}, owned('a', 'Running'), owned('b', 'Running'));
    expect(run.wants[1]).toMatchObject({ need: 'required', spec: { ...spec, name: 'migrate' } });
  });

  test('the one that takes its place, too', () => {
    const run = start({}, owned('a', 'Running'), owned('b', 'Running', 'migrate', 'j9'));
    expect(run.wants[1]?.spec.name).toBe('migrate');
  });

  test('of several all, in the namespace', () => {
    const run = start({}, owned('a', 'Running'), owned('b', 'Running', 'seed', 'j2'));
    expect(run.wants[1]).toMatchObject({ need: 'required', spec });
    expect(run.wants[1]?.spec.name).toBeUndefined();
  });

  const elsewhere = (name: string, owner: string, uid: string): KubeObject =>
    object(PODS, {
      metadata: {
        name,
        namespace: 'other',
        uid: `other-${name}`,
        ownerReferences: [{ apiVersion: 'batch/v1', kind: 'Job', name: owner, uid, controller: true }],
      },
      spec: { restartPolicy: 'Never' },
      status: { phase: 'Running' },
    });

  test('in all namespaces the one in its own', () => {
    const run = start({ namespace: undefined }, elsewhere('a', 'migrate', 'j5'));
    expect(run.wants[1]?.spec).toMatchObject({ namespace: 'other', name: 'migrate' });
  });

  test('in all namespaces all, where two have one name', () => {
    const run = start({ namespace: undefined }, owned('a', 'Running'), elsewhere('a', 'migrate', 'j5'));
    expect(run.wants[1]?.spec).toMatchObject({ namespace: undefined });
    expect(run.wants[1]?.spec.name).toBeUndefined();
    // That of the other namespace does not take the place of one that is gone.
    const other = object(JOBS, {
      metadata: { name: 'migrate', namespace: 'other', uid: 'j5' },
      status: { conditions: [{ type: 'Complete', status: 'True' }] },
    });
    run.sees('jobs', [other]);
    expect(standing(run)).toMatchObject({
      state: 'pending',
      why: { reached: 1, total: 2, first: { label: 'job/migrate', why: { code: 'missing' } } },
    });
  });

  test('none for pods that no Job owns', () => {
    const run = start(
      {},
      pod('a', 'Running'),
      pod('b', 'Running', { owner: { kind: 'Workflow', name: 'w', uid: 'w' } }),
    );
    expect(run.wants).toHaveLength(1);
  });

  test('none where they are not to be asked for', () => {
    const run = start({ atLeast: 2 }, owned('a', 'Succeeded'), owned('b', 'Running'));
    expect(run.wants).toHaveLength(1);
    expect(standing(run)).toMatchObject({ why: { reached: 1, total: 2, first: { label: 'pod/b' } } });
    expect(start({ atLeast: 1 }, owned('a', 'Failed')).ending).toBe('failed');
  });

  test('none for what is no pod', () => {
    const child = job('child', 'Complete', { owner: { kind: 'Job', name: 'migrate', uid: 'j1' } });
    expect(new Script([selected(JOBS)]).sees('jobs', [child]).ending).toBe('reached');
  });
});

describe('what is told', () => {
  test('before the Jobs are read: how many pods there are', () => {
    const run = start({}, owned('a', 'Succeeded'), owned('b', 'Succeeded'));
    expect(standing(run)).toEqual({ state: 'pending', why: counted({ total: 2 }) });
  });

  test('the Job, once it is read', () => {
    const run = start({}, owned('a', 'Succeeded'), owned('b', 'Running')).sees('jobs', [migrate()]);
    const first = { label: 'job/migrate', why: expect.objectContaining({ code: 'job' }) };
    expect(standing(run)).toEqual({ state: 'pending', why: counted({ total: 1, first }) });
    run.sees('jobs', [migrate('Complete')]);
    expect(standing(run)).toEqual({ state: 'reached', why: counted({ reached: 1, total: 1, first }) });
  });

  test('pods that no Job owns beside it', () => {
    const run = start({}, owned('a', 'Running'), pod('b', 'Succeeded')).sees('jobs', [migrate('Complete')]);
    expect(standing(run)).toEqual({ state: 'reached', why: counted({ reached: 2, total: 2 }) });
    const waits = start({}, owned('a', 'Running'), pod('b', 'Running')).sees('jobs', [migrate('Complete')]);
    expect(standing(waits)).toMatchObject({ state: 'pending', why: { reached: 1, first: { label: 'pod/b' } } });
  });

  test('a Job that is not there', () => {
    const run = start({}, owned('a', 'Running')).sees('jobs', []);
    const lost = { name: 'migrate', outcome: 'unknown' };
    const first = { label: 'job/migrate', why: { code: 'missing', lost, taken: 'pending', containers: undefined } };
    expect(standing(run)).toEqual({ state: 'pending', why: counted({ total: 1, first }) });
  });

  test('the earliest of the times at which time alone may change it', () => {
    const run = start({ onMissing: 'fail' }, owned('a', 'Running'), owned('b', 'Running', 'seed', 'j2'));
    run.at(5).sees('jobs', [seed()]);
    expect(run.wakeAt).toBe(15 * SECOND);
    run.at(7).sees('jobs', []);
    expect(run.wakeAt).toBe(15 * SECOND);
  });
});

describe('a Job that ended', () => {
  test('counts on when it is gone, whoever saw it go', () => {
    const run = start({}, owned('a', 'Succeeded'), pod('b', 'Running')).sees('jobs', [migrate('Complete')]);
    run.sees('jobs', []);
    expect(standing(run)).toMatchObject({ state: 'pending', why: { reached: 1, total: 2, first: { label: 'pod/b' } } });
  });

  test('that was running when it went has an end that nobody has seen', () => {
    const run = start({}, owned('a', 'Succeeded')).sees('jobs', [migrate()]).sees('jobs', []);
    expect(standing(run)).toMatchObject({ state: 'pending', why: { first: { why: { code: 'missing' } } } });
    expect(run.state.targets[0]?.memory.endedJobs.size).toBe(0);
  });

  test('counts on while those of others are asked for', () => {
    const run = start({}, owned('a', 'Succeeded'), pod('b', 'Running')).sees('jobs', [migrate('Complete')]);
    run.sees('pods', [owned('a', 'Succeeded'), pod('b', 'Running'), owned('c', 'Running', 'seed', 'j2')]);
    // Nobody has told of the second one yet.
    expect(standing(run)).toMatchObject({ state: 'pending', why: { reached: 1, total: 3 } });
    run.sees('jobs', [migrate('Complete'), seed('Complete')]);
    expect(standing(run)).toMatchObject({ state: 'pending', why: { reached: 2, total: 3 } });
  });

  test('is enough by itself once the other ones are out of the selection', () => {
    const other = owned('c', 'Running', 'seed', 'j2');
    const run = start({ ownerJobs: 'where readable' }, owned('a', 'Succeeded'), other);
    run.sees('jobs', [migrate('Complete'), seed()]);
    run.sees('pods', [owned('a', 'Succeeded')], [other]);
    expect(run.ending).toBeUndefined();
    expect(run.sees('pods', [other], [], 'c').ending).toBe('reached');
  });

  test.each([
    [[{ for: 'finished' }], 'reached'],
    [[{ for: 'finished' }, { for: 'complete' }], 'failed'],
  ] as const)('badly, under %o: %s', (goals, ending) => {
    expect(start({ goals }, owned('a', 'Failed')).sees('jobs', [migrate('Failed')]).ending).toBe(ending);
  });
});

describe('a Job that was made anew', () => {
  test('and has failed: so has the target', () => {
    expect(start({}, owned('a', 'Succeeded')).sees('jobs', [migrate('Failed', 'j9')]).ending).toBe('failed');
  });

  test('and runs: that is told', () => {
    const run = start({}, owned('a', 'Succeeded')).sees('jobs', [migrate(undefined, 'j9')]);
    const first = { label: 'job/migrate', why: expect.objectContaining({ code: 'job' }) };
    expect(standing(run)).toEqual({ state: 'pending', why: counted({ total: 1, first }) });
  });

  test('with pods of both counts once', () => {
    const run = start({}, owned('a', 'Succeeded'), owned('b', 'Running', 'migrate', 'j9'));
    run.sees('jobs', [migrate('Complete', 'j9')]);
    expect(standing(run)).toMatchObject({ state: 'reached', why: { reached: 1, total: 1 } });
  });
});

describe('where Jobs may be read as far as that is allowed', () => {
  const begun = (...pods: readonly KubeObject[]): Script => start({ ownerJobs: 'where readable' }, ...pods);

  test('they decide', () => {
    const run = begun(owned('a', 'Succeeded'));
    expect(run.wants[1]?.need).toBe('optional');
    expect(standing(run)).toMatchObject({ state: 'pending' });
    expect(run.sees('jobs', [migrate()]).ending).toBeUndefined();
    expect(run.sees('jobs', [migrate('Complete')]).ending).toBe('reached');
  });

  test('where they are refused the pods do', () => {
    const done = begun(owned('a', 'Succeeded')).fails('jobs', FORBIDDEN);
    expect(done.wakeAt).toBe(5 * SECOND);
    expect(done.at(4.9).ending).toBeUndefined();
    expect(done.at(5).ending).toBe('reached');
    const run = begun(owned('a', 'Succeeded'), owned('b', 'Running')).fails('jobs', FORBIDDEN).at(5);
    expect(standing(run)).toMatchObject({ why: { reached: 1, total: 2, first: { label: 'pod/b' } } });
  });

  test('an outage is no refusal', () => {
    expect(begun(owned('a', 'Succeeded')).fails('jobs', DOWN).at(60).ending).toBeUndefined();
  });

  test.each<[string, Problem]>([
    ['a certificate that cannot be trusted', { kind: 'untrusted', message: '', code: 'CERT_HAS_EXPIRED' }],
    ['a credential plugin that fails', { kind: 'credentials', message: '' }],
  ])('%s says nothing about the permission', (_, problem) => {
    expect(begun(owned('a', 'Succeeded')).fails('jobs', problem).at(60).ending).toBeUndefined();
  });

  test('after an outage a refusal is believed only when it lasts', () => {
    const run = begun(owned('a', 'Succeeded')).fails('jobs', DOWN).at(2).fails('jobs', FORBIDDEN);
    expect(standing(run)).toEqual({ state: 'pending', why: counted({ total: 1 }) });
    expect(run.wakeAt).toBe(32 * SECOND);
    expect(run.at(31.9).ending).toBeUndefined();
    expect(run.at(32).ending).toBe('reached');
  });

  test('a refusal after they were read changes nothing', () => {
    const run = begun(owned('a', 'Succeeded')).sees('jobs', [migrate()]).fails('jobs', FORBIDDEN);
    expect(run.at(60).ending).toBeUndefined();
  });

  test('are required otherwise', () => {
    expect(start({}, owned('a', 'Succeeded')).fails('jobs', FORBIDDEN).at(60).ending).toBeUndefined();
  });
});

describe('where the pods decide', () => {
  const expected = (count: number, ...pods: readonly KubeObject[]): Script => start({ expect: count }, ...pods);

  test('--expect N: reached with N succeeded pods, at once', () => {
    const run = expected(1, owned('a', 'Failed'), owned('b', 'Running'));
    expect(run.wants[1]?.need).toBe('optional');
    expect(standing(run)).toMatchObject({ state: 'pending', why: { reached: 0, total: 1, first: { label: 'pod/b' } } });
    run.sees('pods', [owned('a', 'Failed'), owned('b', 'Running'), owned('c', 'Succeeded')]);
    const first = { label: 'pod/c', why: expect.objectContaining({ phase: 'Succeeded' }) };
    expect(standing(run)).toEqual({ state: 'reached', why: counted({ reached: 1, total: 1, expect: 1, first }) });
  });

  test('--expect N: a failed Job does not matter once N pods have succeeded', () => {
    const run = expected(1, owned('a', 'Running'), pod('other', 'Running')).sees('jobs', [migrate()]);
    run.sees('pods', [owned('a', 'Succeeded'), owned('b', 'Failed'), pod('other', 'Running')]);
    run.sees('jobs', [migrate('Failed')]);
    // What no Job owns must be reached all the same.
    expect(standing(run)).toMatchObject({ state: 'pending', why: { reached: 1, first: { label: 'pod/other' } } });
    expect(run.sees('pods', [owned('a', 'Succeeded'), pod('other', 'Succeeded')]).ending).toBe('reached');
  });

  test('--expect N under finished: a failed attempt is no end while the Job may retry', () => {
    const run = start({ expect: 2, goals: [{ for: 'finished' }] }, owned('a', 'Succeeded'), owned('b', 'Failed'));
    run.sees('jobs', [migrate()]);
    expect(standing(run)).toMatchObject({ state: 'pending', why: { reached: 1, total: 1 } });
    expect(run.sees('jobs', [migrate('Failed')]).ending).toBe('reached');
  });

  test('a Job that runs or is done says nothing', () => {
    const run = expected(2, owned('a', 'Succeeded'));
    expect(run.sees('jobs', [migrate()]).statuses).toEqual(['pending']);
    run.sees('jobs', [migrate('Complete')]);
    expect(standing(run)).toMatchObject({ state: 'pending', why: { reached: 1, total: 1 } });
    expect(run.sees('jobs', []).statuses).toEqual(['pending']);
  });

  test('a Job that has failed is the end', () => {
    const run = expected(2, owned('a', 'Succeeded')).sees('jobs', [migrate('Failed')]);
    expect(standing(run)).toMatchObject({
      state: 'failed',
      why: { first: { label: 'job/migrate', why: { code: 'job' } } },
    });
  });

  const one = (name: string, state: object, main = 'main'): KubeObject =>
    object(PODS, {
      metadata: {
        name,
        namespace: 'app',
        uid: `uid-${name}`,
        ownerReferences: [{ apiVersion: 'batch/v1', kind: 'Job', name: 'migrate', uid: 'j1', controller: true }],
      },
      spec: { restartPolicy: 'Never', containers: [{ name: main }] },
      status: { phase: 'Running', containerStatuses: [{ name: main, state }] },
    });

  test('one container is judged in each pod, and its failure is repeated', () => {
    const container = { container: 'main' };
    const failed = one('a', { terminated: { exitCode: 1 } });
    const done = one('b', { terminated: { exitCode: 0 } });
    const run = start(container, failed, one('b', { running: {} }));
    expect(run.wants[1]?.need).toBe('optional');
    expect(standing(run)).toMatchObject({ state: 'pending', why: { reached: 0, total: 1, first: { label: 'pod/b' } } });
    expect(run.sees('pods', [failed, done]).ending).toBeUndefined();
    expect(run.sees('jobs', [migrate()]).ending).toBe('reached');
  });

  test('no pod of a Job has that container: it is missing', () => {
    const run = start({ container: 'main' }, one('a', { running: {} }, 'other'));
    expect(standing(run)).toMatchObject({ state: 'pending', why: { code: 'missing', containers: ['other'] } });
  });

  test('a pod without that container says nothing', () => {
    const run = start(
      { container: 'main' },
      one('a', { running: {} }, 'other'),
      one('b', { terminated: { exitCode: 0 } }),
    );
    expect(standing(run)).toMatchObject({ state: 'reached', why: { reached: 1, total: 1 } });
  });
});

describe('a pod that goes', () => {
  test('takes its Job with it as long as it may merely have left the selection', () => {
    const gone = owned('a', 'Running');
    const run = start({}, gone, pod('b', 'Succeeded'))
      .sees('jobs', [migrate()])
      .sees('pods', [pod('b', 'Succeeded')], [gone]);
    expect(standing(run)).toMatchObject({ state: 'pending', why: { reached: 1, total: 2, first: undefined } });
    run.sees('pods', [], [], 'a');
    expect(standing(run)).toMatchObject({
      state: 'pending',
      why: { reached: 1, total: 2, first: { label: 'job/migrate' } },
    });
  });

  test('of another controller than a Job is missed itself', () => {
    const gone = pod('a', 'Running', { owner: { kind: 'Workflow', name: 'w', uid: 'w' } });
    const run = start({}, gone, pod('b', 'Succeeded'))
      .sees('pods', [pod('b', 'Succeeded')], [gone])
      .sees('pods', [], [], 'a');
    expect(standing(run)).toMatchObject({ state: 'pending', why: { reached: 1, total: 2, first: { label: 'pod/a' } } });
  });

  test('and another of a Job that is known to count need not be looked up', () => {
    const pods = [owned('a', 'Running'), owned('b', 'Running')];
    const run = start({}, ...pods).sees('jobs', [migrate()]);
    run.sees('pods', [pods[1] as KubeObject], [pods[0] as KubeObject]).sees('pods', [], [], 'a');
    run.sees('pods', [], [pods[1] as KubeObject]);
    expect(run.wants.map(({ spec }) => spec.name)).toEqual([undefined, 'migrate']);
    expect(standing(run)).toMatchObject({ state: 'pending', why: { total: 1, first: { label: 'job/migrate' } } });
    expect([...(run.state.targets[0]?.memory.lost.keys() ?? [])]).toEqual(['app/a']);
  });

  test('and another of a second Job is looked up as well', () => {
    const pods = [owned('a', 'Running'), owned('b', 'Running', 'seed', 'j2')];
    const run = start({}, ...pods)
      .sees('jobs', [migrate(), seed()])
      .sees('pods', [], pods);
    expect(run.wants.map(({ spec }) => spec.name)).toEqual([undefined, undefined, 'a', 'b']);
  });
});

describe('--for=ready', () => {
  const ready = (name: string): KubeObject =>
    pod(name, 'Running', { ready: true, owner: { kind: 'Job', name: 'migrate', uid: 'j1' } });
  const begun = (...pods: readonly KubeObject[]): Script => start({ goals: [{ for: 'ready' }] }, ...pods);

  test('ready and succeeded pods are reached, and no Job is read', () => {
    const run = begun(ready('a'), owned('b', 'Succeeded'), owned('c', 'Running'));
    expect(run.wants).toHaveLength(1);
    expect(standing(run)).toMatchObject({ state: 'pending', why: { reached: 2, total: 3, first: { label: 'pod/c' } } });
    expect(run.sees('pods', [ready('a'), owned('b', 'Succeeded'), ready('c')]).ending).toBe('reached');
  });

  test('a failed pod does not count while its Job may retry', () => {
    const run = begun(ready('a'), owned('b', 'Failed'));
    expect(run.wants[1]).toMatchObject({ need: 'optional', spec: { name: 'migrate' } });
    // Whether the Job has failed is not known yet.
    expect(standing(run)).toMatchObject({ state: 'pending', why: { reached: 1 } });
    expect(run.sees('jobs', [migrate()]).ending).toBe('reached');
  });

  test('only failed pods: pending, not missing', () => {
    const run = start({ goals: [{ for: 'ready' }], onMissing: 'fail', missingGraceMs: 0 }, owned('a', 'Failed'));
    run.sees('jobs', [migrate()]).at(60);
    expect(standing(run)).toEqual({ state: 'pending', why: counted({}) });
  });

  test.each([
    ['Failed', 'failed'],
    ['FailureTarget', 'failed'],
    ['Complete', 'reached'],
    [undefined, 'reached'],
  ])('the Job of a failed pod is %s: %s', (condition, ending) => {
    expect(begun(ready('a'), owned('b', 'Failed')).sees('jobs', [migrate(condition)]).ending).toBe(ending);
  });

  test('the Job of a failed pod is gone: it is missing', () => {
    const run = begun(ready('a'), owned('b', 'Failed')).sees('jobs', []);
    expect(standing(run)).toMatchObject({
      state: 'pending',
      why: { first: { label: 'job/migrate', why: { code: 'missing' } } },
    });
  });

  test('the Job of a failed pod was recreated: the pod is of an earlier run', () => {
    const run = begun(ready('a'), owned('b', 'Failed')).sees('jobs', [migrate(undefined, 'j9')]);
    expect(run.ending).toBe('reached');
  });

  test('Jobs are refused: the pods alone decide', () => {
    expect(begun(ready('a'), owned('b', 'Failed')).fails('jobs', FORBIDDEN).at(4.9).ending).toBeUndefined();
    expect(begun(ready('a'), owned('b', 'Failed')).fails('jobs', FORBIDDEN).at(5).ending).toBe('failed');
    const run = begun(ready('a'), owned('b', 'Failed')).fails('jobs', DOWN).at(2).fails('jobs', FORBIDDEN);
    expect(run.wakeAt).toBe(32 * SECOND);
    expect(run.at(31.9).ending).toBeUndefined();
    expect(run.at(32).ending).toBe('failed');
  });

  test('a pod that is deleted is not missed', () => {
    const run = begun(ready('a'), owned('b', 'Running'));
    expect(run.sees('pods', [ready('a')], [owned('b', 'Running')]).ending).toBe('reached');
  });

  test('with --expect N: N ready or succeeded pods', () => {
    const run = start({ goals: [{ for: 'ready' }], expect: 2 }, ready('a'), owned('b', 'Running'));
    expect(run.wants[1]?.need).toBe('optional');
    expect(run.ending).toBeUndefined();
    expect(run.sees('pods', [ready('a'), owned('b', 'Running'), owned('c', 'Succeeded')]).ending).toBe('reached');
  });
});

describe('who decides about pods of a Job', () => {
  const failed = owned('a', 'Failed');
  const done = owned('b', 'Succeeded');
  const READY = { goals: [{ for: 'ready' }] } as const;
  const RETRIES = [migrate()];
  const OVER = [migrate('Failed')];

  test.each<[string, Partial<Target>, readonly [retries: string, over: string, refused: string]]>([
    ['the default goal', {}, ['pending', 'failed', 'refused']],
    ['complete', { goals: [{ for: 'complete' }] }, ['pending', 'failed', 'refused']],
    ['finished', { goals: [{ for: 'finished' }] }, ['pending', 'reached', 'refused']],
    ['complete and ready', { goals: [{ for: 'complete' }, { for: 'ready' }] }, ['pending', 'failed', 'refused']],
    ['wait_for.sh pod', { ...READY, ownerJobs: 'where readable' }, ['pending', 'failed', 'failed']],
    ['ready', READY, ['reached', 'failed', 'failed']],
    ['--expect 1', { expect: 1 }, ['reached', 'reached', 'reached']],
    ['--expect 2', { expect: 2 }, ['pending', 'failed', 'failed']],
    ['--expect 2, ready', { ...READY, expect: 2 }, ['pending', 'failed', 'failed']],
    [
      '--expect 2, wait_for.sh pod',
      { ...READY, expect: 2, ownerJobs: 'where readable' },
      ['pending', 'failed', 'failed'],
    ],
    ['--at-least 1', { atLeast: 1 }, ['reached', 'reached', 'reached']],
    ['--at-least 2', { atLeast: 2 }, ['failed', 'failed', 'failed']],
    ['--at-least 2, --expect 1', { atLeast: 2, expect: 1 }, ['failed', 'failed', 'failed']],
    ['pod-we', { goals: [{ for: 'settled' }] }, ['reached', 'reached', 'reached']],
    ['pod-we, --expect 2', { goals: [{ for: 'settled' }], expect: 2 }, ['reached', 'reached', 'reached']],
    ['create', { goals: [{ for: 'create' }] }, ['reached', 'reached', 'reached']],
    [
      'a condition',
      { goals: [{ for: 'condition', type: 'Ready', status: 'False' }] },
      ['reached', 'reached', 'reached'],
    ],
    [
      'complete and a condition',
      { goals: [{ for: 'complete' }, { for: 'condition', type: 'Ready', status: 'False' }] },
      ['failed', 'failed', 'failed'],
    ],
  ])('%s', (_, more, [retries, over, refused]) => {
    const begun = (): Script => start(more, failed, done);
    const asks = begun().wanted('jobs') !== undefined;
    const after = (jobs: readonly KubeObject[]): string | undefined =>
      (asks ? begun().sees('jobs', jobs) : begun()).statuses[0];
    const last = asks ? begun().fails('jobs', FORBIDDEN).at(5).fails('jobs', FORBIDDEN) : begun();
    expect([after(RETRIES), after(OVER), last.ending ?? last.statuses[0]]).toEqual([retries, over, refused]);
  });
});
