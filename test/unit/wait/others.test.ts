/** Kinds whose verdict takes other objects too. */
import { describe, expect, test } from 'vitest';
import type { KubeObject } from '../../../src/kube/object.ts';
import { notServed } from '../../../src/kube/problem.ts';
import { ENDPOINT_SLICES } from '../../../src/wait/others.ts';
import type { Target } from '../../../src/wait/plan.ts';
import { JOBS, job, named, object, PODS, pod, resource, selected } from '../objects.ts';
import { DOWN, FORBIDDEN, Script } from './script.ts';

const SERVICES = resource('', 'services', 'Service');
const CRONJOBS = resource('batch', 'cronjobs', 'CronJob');

const standing = (run: Script) => run.state.targets[0]?.status;

describe('a Service', () => {
  const service = (spec: object = { selector: { app: 'db' } }, name = 'db'): KubeObject =>
    object(SERVICES, { metadata: { name, namespace: 'app', uid: `uid-${name}` }, spec });
  const slice = (ready: boolean): KubeObject =>
    object(ENDPOINT_SLICES, {
      metadata: { name: 'db-1', namespace: 'app' },
      endpoints: [{ conditions: { ready } }],
    });
  const up = pod('a', 'Running', { ready: true, policy: 'Always' });
  const down = pod('b', 'Running', { ready: false, policy: 'Always' });
  const start = (more: Partial<Target> = {}, spec?: object): Script =>
    new Script([named(SERVICES, 'db', more)]).sees('services', [service(spec)]);
  const why = (ready: number, total: number, endpoints?: number) => ({
    code: 'service',
    pods: { ready, total },
    endpoints,
  });

  test('asks for the pods of its selector and for its EndpointSlices', () => {
    const run = start();
    expect(standing(run)).toMatchObject({ state: 'pending', why: { code: 'reading' } });
    const common = { namespace: 'app', mode: 'watch', keep: 'verdict' };
    expect(run.wanted('pods')).toMatchObject({
      need: 'required',
      spec: { ...common, resource: { group: '', version: 'v1' }, labelSelector: 'app=db' },
    });
    expect(run.wanted('endpointslices')).toMatchObject({
      need: 'optional',
      spec: {
        ...common,
        resource: {
          group: 'discovery.k8s.io',
          version: 'v1',
          singularName: 'endpointslice',
          kind: 'EndpointSlice',
          shortNames: [],
          namespaced: true,
        },
        labelSelector: 'kubernetes.io/service-name=db',
      },
    });
  });

  test('is judged once both are read', () => {
    const podsFirst = start().sees('pods', [up]);
    expect(standing(podsFirst)).toMatchObject({ why: { code: 'reading' } });
    expect(podsFirst.sees('endpointslices', [slice(true)]).ending).toBe('reached');
    const slicesFirst = start().sees('endpointslices', [slice(true)]);
    expect(standing(slicesFirst)).toMatchObject({ why: { code: 'reading' } });
    slicesFirst.sees('pods', [up, down]);
    expect(standing(slicesFirst)).toEqual({ state: 'pending', uid: 'uid-db', why: why(1, 2, 1) });
  });

  test('may cease to be ready', () => {
    const run = new Script([named(SERVICES, 'db'), named(JOBS, 'seed')]);
    run
      .sees('services', [service()])
      .sees('pods', [up])
      .sees('endpointslices', [slice(true)]);
    expect(run.statuses).toEqual(['reached', 'unknown']);
    expect(run.sees('endpointslices', [slice(false)]).statuses).toEqual(['pending', 'unknown']);
  });

  test('where EndpointSlices are refused, its pods decide', () => {
    const run = start().sees('pods', [up]).fails('endpointslices', FORBIDDEN);
    expect(standing(run)).toMatchObject({ state: 'reached', why: why(1, 1) });
    const waits = start().fails('endpointslices', FORBIDDEN);
    expect(standing(waits)).toMatchObject({ why: { code: 'reading' } });
    expect(waits.at(60).fails('endpointslices', FORBIDDEN).ending).toBeUndefined();
  });

  test('where there are no EndpointSlices, too', () => {
    const run = start().sees('pods', [up]).fails('endpointslices', notServed(ENDPOINT_SLICES));
    expect(run.ending).toBe('reached');
  });

  test('but an outage says nothing', () => {
    const run = start().sees('pods', [up]).fails('endpointslices', DOWN);
    expect(standing(run)).toMatchObject({ state: 'pending', why: { code: 'reading' } });
  });

  test('without a selector its EndpointSlices alone decide, and must be read', () => {
    const run = start({}, {});
    expect(run.wanted('pods')).toBeUndefined();
    expect(run.wanted('endpointslices')?.need).toBe('required');
    expect(standing(run)).toMatchObject({ why: { code: 'reading' } });
    run.sees('endpointslices', [slice(false)]);
    expect(standing(run)).toMatchObject({ state: 'pending', why: { code: 'service', pods: undefined, endpoints: 0 } });
    expect(run.sees('endpointslices', [slice(true)]).ending).toBe('reached');
    const refused = start({}, {}).fails('endpointslices', FORBIDDEN);
    expect(standing(refused)).toMatchObject({ why: { code: 'reading' } });
    expect(refused.at(5).fails('endpointslices', FORBIDDEN).ending).toBe('refused');
  });

  test('of another name is reached as it is', () => {
    const run = new Script([named(SERVICES, 'db'), named(JOBS, 'seed')]);
    run.sees('services', [service({ type: 'ExternalName', selector: { app: 'db' } })]);
    expect(run.statuses).toEqual(['reached', 'unknown']);
    expect(run.wanted('pods')).toBeUndefined();
    expect(run.wanted('endpointslices')).toBeUndefined();
  });

  test("does not wait for the waiter's own pod", () => {
    const self = { namespace: 'app', name: 'b' };
    const run = new Script([named(SERVICES, 'db')], { self }).sees('services', [service()]);
    run.sees('endpointslices', [slice(true)]).sees('pods', [down]);
    expect(standing(run)).toMatchObject({ state: 'pending', why: why(0, 0, 1) });
    expect(run.state.targets[0]?.memory).toMatchObject({ self: down, servedBy: [] });
    run.sees('pods', [up, down]);
    expect(run.ending).toBe('reached');
    expect(run.state.targets[0]?.memory).toMatchObject({ self: down, servedBy: [up] });
  });

  test.each([
    { namespace: 'other', name: 'b' },
    { namespace: 'app', name: 'c' },
  ])('waits for a pod that is not the waiter: $namespace/$name', (self) => {
    const run = new Script([named(SERVICES, 'db')], { self }).sees('services', [service()]);
    run.sees('endpointslices', [slice(true)]).sees('pods', [up, down]);
    expect(run.ending).toBeUndefined();
    expect(run.state.targets[0]?.memory).toMatchObject({ self: undefined, servedBy: [up, down] });
  });

  test('that is gone is missing, and asks for no more', () => {
    const run = start().sees('pods', [up]).sees('endpointslices', []).sees('services', [], [service()]);
    expect(standing(run)).toMatchObject({ state: 'pending', why: { code: 'missing' } });
    expect(run.wants).toHaveLength(1);
  });

  test('one of several by selector', () => {
    const run = new Script([selected(SERVICES)]);
    run.sees('services', [service(), service({ type: 'ExternalName' }, 'alias')]);
    run.sees('endpointslices', [slice(true)]).sees('pods', [down]);
    expect(standing(run)).toMatchObject({
      state: 'pending',
      why: { reached: 1, total: 2, first: { label: 'service/db' } },
    });
    expect(run.sees('pods', [up]).ending).toBe('reached');
  });

  test('goals that are not its own ask for nothing beside', () => {
    const run = start({ goals: [{ for: 'create' }] });
    expect(run.ending).toBe('reached');
    const condition = start({ goals: [{ for: 'condition', type: 'Ready', status: 'True' }] });
    expect(condition.wants).toHaveLength(1);
    expect(condition.statuses).toEqual(['pending']);
  });

  test('a part of it is enough under partly, and its pods are read for that', () => {
    const run = start({ goals: [{ for: 'partly' }] });
    expect(run.sees('endpointslices', [slice(true)]).sees('pods', [up, down]).ending).toBe('reached');
  });
});

describe('a CronJob', () => {
  const cronJob = object(CRONJOBS, { metadata: { name: 'nightly', namespace: 'app', uid: 'c' } });
  const run = (name: string, condition?: string, uid = 'c'): KubeObject =>
    job(name, condition, { owner: { apiVersion: 'batch/v1', kind: 'CronJob', name: 'nightly', uid } });
  const start = (more: Partial<Target> = {}): Script =>
    new Script([named(CRONJOBS, 'nightly', more)]).sees('cronjobs', [cronJob]);

  test('asks for the Jobs of its namespace', () => {
    const waits = start();
    expect(standing(waits)).toMatchObject({ state: 'pending', why: { code: 'reading' } });
    expect(waits.wanted('jobs')).toMatchObject({
      need: 'required',
      spec: { resource: { group: 'batch', version: 'v1' }, namespace: 'app', mode: 'watch', keep: 'verdict' },
    });
    expect(waits.wanted('jobs')?.spec).not.toHaveProperty('name');
  });

  test.each([
    ['complete', [run('a', 'Complete')], 'reached'],
    ['running', [run('a')], undefined],
    ['failed: the next one is awaited', [run('a', 'Failed')], undefined],
    ['not one yet', [], undefined],
    ["another's", [run('a', 'Complete', 'd')], undefined],
  ])('its run is %s', (_, jobs, ending) => {
    expect(start().sees('jobs', jobs).ending).toBe(ending);
  });

  test('the newest run counts after it is deleted, whether or not an event reported it', () => {
    const dated = (name: string, at: string, condition?: string): KubeObject => {
      const made = run(name, condition);
      const annotations = { 'batch.kubernetes.io/cronjob-scheduled-timestamp': at };
      return { ...made, metadata: { ...made.metadata, annotations } };
    };
    const older = dated('a', '2026-01-01T10:00:00Z', 'Complete');
    const newer = dated('b', '2026-01-01T10:05:00Z');
    for (const departed of [[newer], []]) {
      const waits = start().sees('jobs', [older, newer]).sees('jobs', [older], departed);
      expect(waits.ending).toBeUndefined();
      expect(waits.sees('jobs', [older, dated('c', '2026-01-01T10:10:00Z', 'Complete')]).ending).toBe('reached');
    }
  });

  test('any end is enough under finished', () => {
    expect(start({ goals: [{ for: 'finished' }] }).sees('jobs', [run('a', 'Failed')]).ending).toBe('reached');
    expect(start({ goals: [{ for: 'ready' }] }).sees('jobs', [run('a', 'Failed')]).ending).toBeUndefined();
  });

  test.each([
    ['Complete', 'c', 'reached'],
    ['Failed', 'c', undefined],
    ['Complete', 'd', undefined],
    [undefined, 'c', undefined],
  ])('a run of %s, owned by %s, that is deleted in the moment in which it ends: %s', (condition, owner, ending) => {
    const waits = start().sees('jobs', [run('a', undefined, owner)]);
    expect(waits.sees('jobs', [], [run('a', condition, owner)]).ending).toBe(ending);
  });

  test('what is there now comes before what was remembered', () => {
    const waits = start().sees('jobs', [], [run('a', 'Failed')]);
    expect(standing(waits)).toMatchObject({ why: { run: { state: 'failed' } } });
    expect(waits.sees('jobs', [run('a', 'Complete')]).ending).toBe('reached');
  });

  test('that was reached stays so, and asks for no more', () => {
    const two = new Script([named(CRONJOBS, 'nightly'), named(PODS, 'x')]);
    two.sees('cronjobs', [cronJob]).sees('jobs', [run('a', 'Complete')]);
    expect(two.statuses).toEqual(['reached', 'unknown']);
    two.sees('cronjobs', [cronJob]);
    expect(two.statuses).toEqual(['reached', 'unknown']);
    expect(two.wanted('jobs')).toBeUndefined();
    two.sees('cronjobs', [], [cronJob]);
    expect(two.statuses).toEqual(['reached', 'unknown']);
  });
});
