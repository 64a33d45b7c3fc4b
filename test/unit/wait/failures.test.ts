import { describe, expect, test } from 'vitest';
import type { KubeObject } from '../../../src/kube/object.ts';
import { hasFailed } from '../../../src/wait/failures.ts';
import type { Plan } from '../../../src/wait/plan.ts';
import { JOBS, job, named, object, PODS, pod, resource, selected } from '../objects.ts';
import { DOWN, FORBIDDEN, Script } from './script.ts';

const SELECTOR = { selector: { matchLabels: { 'controller-uid': 'j' } } };
const made = (spec: object, status: object): KubeObject => ({ ...job('migrate', undefined), spec, status });
const failing = made(SELECTOR, { active: 1, failed: 1 });
const ON_FAILURE = { ...SELECTOR, restartPolicy: 'OnFailure', backoffLimit: 6 };
const restarting = made(ON_FAILURE, { active: 2, ready: 1 });

const start = (seen: KubeObject = failing, more: Partial<Plan> = {}): Script =>
  new Script([named(JOBS, 'migrate')], more).sees('jobs', [seen]);

describe('the pods of a Job are watched', () => {
  test('from its first failure on, and only where they may be read', () => {
    expect(start().wanted('pods')).toMatchObject({
      need: 'optional',
      spec: {
        resource: PODS,
        namespace: 'app',
        labelSelector: 'controller-uid=j',
        mode: 'watch',
        keep: 'verdict',
      },
    });
  });

  test.each([
    ['all of its pods are ready', made(SELECTOR, { active: 1, ready: 1, failed: 0 })],
    ['it has no active pod', made(SELECTOR, { active: 0 })],
    ['it has so many pods that some are always starting', made(SELECTOR, { active: 11, ready: 3 })],
    ['it has no selector', made({}, { failed: 1 })],
    [
      'it is Complete',
      {
        ...job('migrate', 'Complete'),
        spec: SELECTOR,
        status: { ...(job('migrate', 'Complete').status as object), failed: 1 },
      },
    ],
    ['nothing of it runs', made({ ...ON_FAILURE, backoffLimit: 0 }, { active: 0 })],
  ])('but not where %s', (_, seen) => {
    const run = new Script([named(JOBS, 'migrate'), named(JOBS, 'seed')]).sees('jobs', [seen], [], 'migrate');
    expect(run.wanted('pods')).toBeUndefined();
    expect(run.at(60).wanted('pods')).toBeUndefined();
  });

  test('not where nothing is to be explained', () => {
    expect(start(failing, { explains: 'nothing' }).wanted('pods')).toBeUndefined();
  });

  test('not of what is no Job', () => {
    const other = resource('example.com', 'jobs', 'Job');
    const run = new Script([named(other, 'migrate')]).sees('jobs', [failing]);
    expect(run.ending).toBe('reached');
    const sets = resource('apps', 'replicasets', 'ReplicaSet');
    expect(new Script([named(sets, 'migrate')]).sees('replicasets', [failing]).wanted('pods')).toBeUndefined();
  });

  test('not of one that is gone', () => {
    const run = new Script([selected(JOBS), named(PODS, 'x')]).sees('jobs', [job('migrate', 'Failed')]);
    expect(run.ending).toBe('failed');
    const gone = new Script([named(JOBS, 'migrate')]).sees('jobs', [failing]).sees('jobs', [], [failing]);
    expect(gone.wanted('pods')).toBeUndefined();
  });

  test('after 5 s in which one that restarts in place is not ready', () => {
    const run = new Script([named(JOBS, 'migrate')]).at(10).sees('jobs', [restarting]);
    expect(run.wanted('pods')).toBeUndefined();
    expect(run.wakeAt).toBe(15_000);
    expect(run.at(14.9).wanted('pods')).toBeUndefined();
    expect(run.at(15).wanted('pods')).toBeDefined();
    // The time counts from its beginning.
    run.sees('jobs', [made(ON_FAILURE, { active: 1, ready: 1 })]);
    expect(run.wanted('pods')).toBeUndefined();
    expect(run.sees('jobs', [restarting]).wanted('pods')).toBeDefined();
  });

  test('pods that are not restarted in place are listed once after 5 s of being unready', () => {
    const unready = made({ ...SELECTOR, restartPolicy: 'Never' }, { active: 1, ready: 0 });
    const ready = made({ ...SELECTOR, restartPolicy: 'Never' }, { active: 1, ready: 1 });
    const run = new Script([named(JOBS, 'migrate')]).at(10).sees('jobs', [unready]);
    expect(run.at(14.9).wanted('pods')).toBeUndefined();
    expect(run.at(15).wanted('pods')).toMatchObject({ need: 'optional', spec: { mode: 'once' } });
    // Each time that a pod becomes unready counts from its own beginning.
    expect(run.sees('jobs', [ready]).wanted('pods')).toBeUndefined();
    expect(run.at(20).sees('jobs', [unready]).wanted('pods')).toBeUndefined();
    expect(run.at(25).wanted('pods')).toBeDefined();
  });

  test('no more once they are refused', () => {
    const run = start().fails('pods', FORBIDDEN);
    expect(run.wanted('pods')).toBeUndefined();
    expect(run.at(60).sees('jobs', [failing]).wanted('pods')).toBeUndefined();
    expect(run.ending).toBeUndefined();
  });

  test('still, where the server is only out of reach', () => {
    expect(start().fails('pods', DOWN).wanted('pods')).toBeDefined();
  });
});

describe('what is remembered', () => {
  const bad = (name: string): KubeObject => pod(name, 'Failed');
  const remembered = (run: Script) =>
    [...(run.state.targets[0]?.memory.failedPods.values() ?? [])].map(({ metadata }) => metadata.name);

  test('pods that have failed, also once they are gone', () => {
    const run = start().sees('pods', [bad('a'), pod('b', 'Running')]);
    expect(remembered(run)).toEqual(['a']);
    run.sees('pods', [], [bad('a')]);
    expect(remembered(run)).toEqual(['a']);
    expect(remembered(run.sees('jobs', [failing]))).toEqual(['a']);
  });

  test('the newest three', () => {
    const run = start();
    for (const name of ['a', 'b', 'c', 'd', 'e']) run.sees('pods', [bad(name)]);
    expect(remembered(run)).toEqual(['c', 'd', 'e']);
  });

  test('nothing before they are read', () => {
    expect(remembered(start())).toEqual([]);
  });
});

test.each([
  ['a pod that has failed', { phase: 'Failed' }, true],
  ['a pod that runs', { phase: 'Running' }, false],
  ['a container that has ended badly', { containerStatuses: [{ state: { terminated: { exitCode: 1 } } }] }, true],
  ['one of two', { containerStatuses: [{ state: { running: {} } }, { state: { terminated: { exitCode: 1 } } }] }, true],
  [
    'one that was started again',
    { containerStatuses: [{ state: { running: {} }, lastState: { terminated: { exitCode: 1 } } }] },
    true,
  ],
  ['an init container', { initContainerStatuses: [{ state: { terminated: { exitCode: 2 } } }] }, true],
  ['a container that has ended well', { containerStatuses: [{ state: { terminated: { exitCode: 0 } } }] }, false],
  ['one that does not say how it ended', { containerStatuses: [{ state: { terminated: {} } }] }, false],
])('%s has failed: %o %s', (_, status, expected) => {
  expect(hasFailed(object(PODS, { metadata: { name: 'x' }, status }))).toBe(expected);
});
