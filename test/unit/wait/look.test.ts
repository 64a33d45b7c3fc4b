/** The LIST of each pending target shortly before the timeout. */
import { describe, expect, test } from 'vitest';
import type { KubeObject } from '../../../src/kube/object.ts';
import type { Plan, Target } from '../../../src/wait/plan.ts';
import { JOBS, job, named, object, PODS, resource, selected } from '../objects.ts';
import { DOWN, FORBIDDEN, Script, SECOND } from './script.ts';

const TIMEOUT = { timeoutMs: 20 * SECOND };
const running = job('migrate', undefined);
const complete = job('migrate', 'Complete');

const start = (targets: readonly Target[] = [named(JOBS, 'migrate')], more: Partial<Plan> = {}): Script =>
  new Script(targets, { ...TIMEOUT, ...more });

const looks = (run: Script) => run.wants.filter(({ spec }) => spec.mode === 'once');
const look = (run: Script, objects: readonly KubeObject[]): Script => {
  const [want] = looks(run);
  if (want === undefined) throw new Error('no look is under way');
  const byUid = new Map(objects.map((one) => [one.metadata.uid, one]));
  return run.emitTo(want.key, { what: 'snapshot', objects: byUid, departed: [] });
};

describe('the look before the timeout', () => {
  test('comes one second before it, beside the watch', () => {
    const run = start(undefined, { explains: 'nothing' }).sees('jobs', [running]);
    expect(run.wakeAt).toBe(19_000);
    expect(looks(run.at(18.9))).toEqual([]);
    expect(looks(run.at(19))).toMatchObject([{ need: 'optional', spec: { name: 'migrate' } }]);
    expect(run.wants).toHaveLength(2);
    expect(run.wakeAt).toBe(20_000);
    expect(run.at(20).ending).toBe('timeout');
  });

  test('comes halfway through a short timeout, and never without one or with 0', () => {
    expect(looks(start(undefined, { timeoutMs: SECOND }).sees('jobs', [running]).at(0.5))).toHaveLength(1);
    expect(looks(start(undefined, { timeoutMs: Number.POSITIVE_INFINITY }).sees('jobs', [running]).at(9_999))).toEqual(
      [],
    );
    expect(looks(start(undefined, { timeoutMs: 0 }))).toEqual([]);
  });

  test('finds what a lost event would have said', () => {
    expect(look(start().sees('jobs', [running]).at(19), [complete]).ending).toBe('reached');
    expect(look(start().sees('jobs', [running]).at(19), [job('migrate', 'Failed')]).ending).toBe('failed');
    const gone = start([named(JOBS, 'migrate', { goals: [{ for: 'delete' }] })])
      .sees('jobs', [running])
      .at(19);
    expect(look(gone, []).ending).toBe('reached');
  });

  test('stands for a collection that never answered or is in trouble', () => {
    expect(look(start().at(19), [complete]).ending).toBe('reached');
    const ready = (status: string): KubeObject =>
      object(PODS, {
        metadata: { name: 'x', namespace: 'app', uid: 'u' },
        status: { phase: 'Running', conditions: [{ type: 'Ready', status }] },
      });
    const cut = start([named(PODS, 'x')])
      .sees('pods', [ready('False')])
      .fails('pods', DOWN)
      .at(19);
    expect(look(cut, [ready('True')]).ending).toBe('reached');
  });

  test('does not count if the watch brought something meanwhile: the list may be older', () => {
    const pods = named(PODS, 'x');
    const ready = (status: string): KubeObject =>
      object(PODS, {
        metadata: { name: 'x', namespace: 'app', uid: 'u' },
        status: { phase: 'Running', conditions: [{ type: 'Ready', status }] },
      });
    const run = start([pods])
      .sees('pods', [ready('False')])
      .at(19)
      .sees('pods', [ready('False')]);
    expect(look(run, [ready('True')]).ending).toBeUndefined();
    expect(run.at(20).ending).toBe('timeout');
  });

  test('that comes too late leaves the watch its say', () => {
    expect(start().sees('jobs', [running]).at(19).sees('jobs', [complete]).ending).toBe('reached');
  });

  test('reads pending targets only', () => {
    const run = start([named(JOBS, 'migrate'), named(JOBS, 'seed')]);
    run.sees('jobs', [complete], [], 'migrate').sees('jobs', [], [], 'seed').at(19);
    expect(looks(run)).toMatchObject([{ spec: { name: 'seed' } }]);
  });

  test('that is refused ends nothing', () => {
    const run = start().sees('jobs', [running]).at(19);
    const [want] = looks(run);
    run.emitTo(want?.key ?? '', { what: 'problem', verb: 'list', problem: FORBIDDEN });
    expect(run.at(19.9).ending).toBeUndefined();
    expect(run.at(20).ending).toBe('timeout');
  });

  test('reads the other objects that the verdict takes as well', () => {
    const services = resource('', 'services', 'Service');
    const service = object(services, {
      metadata: { name: 'x', namespace: 'app', uid: 'u' },
      spec: { selector: { a: 'b' } },
    });
    const run = start([named(services, 'x')])
      .sees('services', [service])
      .sees('pods', [])
      .at(19);
    expect(looks(run).map(({ spec }) => spec.resource.name)).toEqual(['services', 'pods']);
  });

  test('a selector: an object that is gone counts as deleted with an unknown outcome', () => {
    const run = start([selected(JOBS)])
      .sees('jobs', [running])
      .at(19);
    look(run, []);
    expect(run.state.targets[0]?.status).toMatchObject({ state: 'pending' });
  });
});

test('a kind that was not served at the start is judged by what discovery found since', () => {
  const unknown = {
    ...resource('jobset.x-k8s.io', 'jobset', 'jobset.jobset.x-k8s.io'),
    version: '',
    origin: 'custom' as const,
  };
  const found = { ...resource('jobset.x-k8s.io', 'jobsets', 'JobSet'), origin: 'custom' as const };
  const set = object(found, {
    metadata: { name: 'x', namespace: 'app', uid: 'u' },
    status: { conditions: [{ type: 'Completed', status: 'True' }] },
  });
  const run = start([named(unknown, 'x')]).sees('jobset', []);
  expect(run.statuses).toEqual(['pending']);
  run.emit('jobset', { what: 'snapshot', objects: new Map([['u', set]]), departed: [], resource: found });
  expect(run.ending).toBe('reached');
});

test.each([
  ['Jobs', JOBS, 'Complete'],
  [
    'a known custom kind',
    { ...resource('jobset.x-k8s.io', 'jobsets', 'JobSet'), origin: 'custom' as const },
    'Completed',
  ],
])('--for=ready over %s: an object that is deleted before it is done is missed', (_, kind, condition) => {
  const made = (name: string, status: string): KubeObject =>
    object(kind, {
      metadata: { name, namespace: 'app', uid: `uid-${name}` },
      status: { conditions: [{ type: condition, status }] },
    });
  const run = start([selected(kind, { goals: [{ for: 'ready' }] })]);
  run
    .sees(kind.name, [made('a', 'True'), made('b', 'False')])
    .sees(kind.name, [made('a', 'True')], [made('b', 'False')]);
  expect(run.ending).toBeUndefined();
});
