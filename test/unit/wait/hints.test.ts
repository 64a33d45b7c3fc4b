import { describe, expect, test } from 'vitest';
import type { KubeObject } from '../../../src/kube/object.ts';
import type { ApiResource } from '../../../src/kube/resource.ts';
import { hintsOf } from '../../../src/wait/hints.ts';
import type { Goal, Target } from '../../../src/wait/plan.ts';
import { JOBS, named, object, PODS, pod, resource, selected } from '../objects.ts';
import { Script } from './script.ts';

const CRONJOBS = resource('batch', 'cronjobs', 'CronJob');
const DEPLOYMENTS = resource('apps', 'deployments', 'Deployment');
const SERVICES = resource('', 'services', 'Service');
const NODES = resource('', 'nodes', 'Node');
const WIDGETS: ApiResource = { ...resource('example.com', 'widgets', 'Widget'), origin: 'custom' };

const hints = (run: Script) => run.state.targets.map(hintsOf)[0];
const seen = (target: Target, objects: readonly KubeObject[]) =>
  hints(new Script([target]).sees(target.resource.name, objects));
const made = (kind: ApiResource, json: object): KubeObject =>
  object(kind, { metadata: { name: 'x', namespace: 'app', uid: 'u' }, ...json });

test('nothing before there is an answer, and nothing when it is reached', () => {
  const suspended = made(JOBS, { spec: { suspend: true } });
  expect(hints(new Script([named(JOBS, 'x')]))).toEqual([]);
  expect(seen(named(JOBS, 'x'), [suspended])).toHaveLength(1);
  const run = new Script([named(JOBS, 'x'), named(JOBS, 'y')]);
  run.sees(
    'jobs',
    [made(JOBS, { spec: { suspend: true }, status: { conditions: [{ type: 'Complete', status: 'True' }] } })],
    [],
    'x',
  );
  expect(hints(run)).toEqual([]);
});

test.each([
  ['a Job', named(JOBS, 'x'), 'job', 'app'],
  ['a pod', named(PODS, 'x'), 'other', 'app'],
  ['whatever a selector finds', selected(JOBS), 'job', 'app'],
  ['something in all namespaces', selected(PODS, { namespace: undefined }), 'other', undefined],
])('%s is missing', (_, target, kind, namespace) => {
  expect(seen(target, [])).toEqual([{ code: 'missing', kind, namespace }]);
});

test('the container is missing', () => {
  const found = made(PODS, { spec: { containers: [{ name: 'main' }] } });
  expect(seen(named(PODS, 'x', { container: 'mian' }), [found])).toEqual([
    { code: 'container', container: 'mian', containers: ['main'] },
  ]);
});

test('nothing where there is nothing to tell of any of them', () => {
  const target = selected(PODS, { expect: 2 });
  expect(seen(target, [pod('a', 'Succeeded')])).toEqual([]);
});

describe('held up on purpose', () => {
  const suspended = { spec: { suspend: true } };

  test.each<[string, Target, KubeObject, string | undefined]>([
    ['a suspended Job', named(JOBS, 'x'), made(JOBS, suspended), 'suspended'],
    ['a Job', named(JOBS, 'x'), made(JOBS, {}), undefined],
    ['a suspended Job among those of a selector', selected(JOBS), made(JOBS, suspended), 'suspended'],
    ['a Job of a selector', selected(JOBS), made(JOBS, {}), undefined],
    ['a paused Deployment', named(DEPLOYMENTS, 'x'), made(DEPLOYMENTS, { spec: { paused: true } }), 'paused'],
    ['a Deployment', named(DEPLOYMENTS, 'x'), made(DEPLOYMENTS, {}), undefined],
  ])('%s', (_, target, object, code) => {
    expect(seen(target, [object])).toEqual(code === undefined ? [] : [{ code }]);
  });

  test.each([
    [true, [{ code: 'suspended' }]],
    [false, []],
  ])('a CronJob, suspended: %s', (suspend, expected) => {
    const run = new Script([named(CRONJOBS, 'x')]).sees('cronjobs', [made(CRONJOBS, { spec: { suspend } })]);
    expect(hints(run.sees('jobs', []))).toEqual(expected);
  });
});

describe('a custom resource without the condition Ready', () => {
  const bare = made(WIDGETS, { status: {} });
  const none = [{ code: 'no-ready-condition', conditions: [], phase: undefined }];
  const has = (...conditions: readonly object[]): KubeObject => made(WIDGETS, { status: { conditions } });

  test.each<[string, ApiResource, readonly Goal[], KubeObject, readonly object[]]>([
    ['awaited by default', WIDGETS, [{ for: 'default' }], bare, none],
    ['awaited with --for=ready', WIDGETS, [{ for: 'ready' }], bare, none],
    ['awaited with other goals', WIDGETS, [{ for: 'create' }, { for: 'ready' }], bare, none],
    ['awaited by a condition', WIDGETS, [{ for: 'condition', type: 'Ready', status: 'True' }], bare, []],
    [
      'with other conditions and a phase',
      WIDGETS,
      [{ for: 'default' }],
      made(WIDGETS, { status: { phase: 'Running', conditions: [{ type: 'Healthy', status: 'True' }] } }),
      [{ code: 'no-ready-condition', conditions: ['Healthy=True'], phase: 'Running' }],
    ],
    ['Ready=False', WIDGETS, [{ for: 'default' }], has({ type: 'Ready', status: 'False' }), []],
    ['Succeeded=Unknown', WIDGETS, [{ for: 'default' }], has({ type: 'Succeeded', status: 'Unknown' }), []],
    ['of a built-in kind', NODES, [{ for: 'default' }], made(NODES, { status: {} }), []],
  ])('%s', (_, kind, goals, object, expected) => {
    expect(seen(named(kind, 'x', { goals }), [object])).toEqual(expected);
  });

  test('that does not exist is only missing', () => {
    expect(seen(named(WIDGETS, 'x'), [])).toMatchObject([{ code: 'missing' }]);
  });
});

test.each<[string, object]>([
  ['spec.suspend', { spec: { suspend: true } }],
  ['spec.runPolicy.suspend', { spec: { runPolicy: { suspend: true } } }],
  ['the condition Suspended', { status: { conditions: [{ type: 'Suspended', status: 'True' }] } }],
])('a custom resource that is suspended by %s', (_, json) => {
  expect(seen(named(WIDGETS, 'x'), [made(WIDGETS, json)])).toContainEqual({ code: 'suspended' });
  expect(seen(named(WIDGETS, 'x'), [made(WIDGETS, {})])).not.toContainEqual({ code: 'suspended' });
});

test.each([
  ['Pending', [{ code: 'unbound-claim' }]],
  ['Bound', []],
  ['Lost', []],
])('a PersistentVolumeClaim that is %s', (phase, expected) => {
  const claims = resource('', 'persistentvolumeclaims', 'PersistentVolumeClaim');
  const run = new Script([named(claims, 'x'), named(JOBS, 'y')]);
  expect(hints(run.sees('persistentvolumeclaims', [made(claims, { status: { phase } })]))).toEqual(expected);
});

describe('one container of a pod ended with 0', () => {
  const ended = (exitCode: number): object => ({ name: 'main', state: { terminated: { exitCode } } });
  const proxy = (state: object): object => ({ name: 'proxy', state });
  const half = { code: 'half-done', pod: 'x', ended: 'main', running: 'proxy' };
  const of = (...containerStatuses: readonly object[]): KubeObject =>
    made(PODS, { spec: { restartPolicy: 'Never' }, status: { phase: 'Running', containerStatuses } });

  test.each<[string, KubeObject, readonly object[]]>([
    ['and another one still runs', of(ended(0), proxy({ running: {} })), [half]],
    ['and no other one runs', of(ended(0), proxy({ waiting: {} })), []],
    ['with another code', of(ended(1), proxy({ running: {} })), []],
    ['and it is the only one', of(ended(0)), []],
  ])('%s', (_, found, expected) => {
    expect(seen(named(PODS, 'x'), [found])).toEqual(expected);
    expect(seen(selected(PODS), [found])).toEqual(expected);
    const unready = {
      spec: { selector: { matchLabels: { a: 'b' } } },
      status: { active: 1, ready: 0 },
    };
    const run = new Script([named(JOBS, 'x')]).sees('jobs', [made(JOBS, unready)]).at(5);
    expect(hints(run.sees('pods', [found]))).toEqual(expected);
  });
});

describe('a failed pod', () => {
  const owned = { owner: { kind: 'Job', name: 'migrate', uid: 'j' } };

  const replaced = { owner: { kind: 'ReplicaSet', name: 'r', uid: 'r' } };

  test.each<[string, Target, KubeObject, readonly string[]]>([
    ['of a Job, by name', named(PODS, 'x'), pod('x', 'Failed', owned), ['migrate']],
    ['by name', named(PODS, 'x'), pod('x', 'Failed'), []],
    ['of a ReplicaSet, by name', named(PODS, 'x'), pod('x', 'Failed', replaced), []],
    ['of a Job, by selector', selected(PODS, { atLeast: 1 }), pod('x', 'Failed', owned), []],
    ['that still runs', named(PODS, 'x'), pod('x', 'Running', owned), []],
  ])('%s', (_, target, object, jobs) => {
    expect(seen(target, [object])).toEqual(jobs.map((name) => ({ code: 'owned-by-job', job: name })));
  });

  test('that is not there', () => {
    expect(seen(named(PODS, 'x', { onMissing: 'fail', missingGraceMs: 0 }), [])).toEqual([]);
  });
});

describe('a deadlock', () => {
  const self = { namespace: 'app', name: 'me' };
  const owner = { kind: 'ReplicaSet', name: 'web-1', uid: 'r' };
  const mine = (name: string): KubeObject => pod(name, 'Pending', { policy: 'Always', owner });
  const foreign = pod('other', 'Running', { policy: 'Always', owner: { ...owner, name: 'db-1', uid: 's' } });
  const alone = pod('alone', 'Running', { policy: 'Always' });
  const told = { code: 'deadlock', owner: 'replicaset/web-1' };

  const selects = (...pods: readonly KubeObject[]) =>
    hints(new Script([selected(PODS)], { self }).sees('pods', pods))?.filter(({ code }) => code === 'deadlock');

  test.each([
    ["only pods of the waiter's own controller", [mine('me'), mine('a')], [told]],
    ['only itself', [mine('me')], [told]],
    ['another one, too', [mine('me'), mine('a'), foreign], []],
    ['one that nobody owns', [mine('me'), alone], []],
    ['not itself', [mine('a')], []],
    ['itself, whom nobody owns', [pod('me', 'Pending'), alone], []],
  ])('a selector that finds %s', (_, pods, expected) => {
    expect(selects(...pods)).toEqual(expected);
  });

  test('what is gone can make nothing come true', () => {
    const run = new Script([selected(PODS)], { self });
    const done = pod('other', 'Succeeded', { owner: { kind: 'Workflow', name: 'w', uid: 'w' } });
    run.sees('pods', [mine('me'), mine('a'), done]);
    expect(hints(run)).toEqual([]);
    run.sees('pods', [mine('me'), mine('a')], [done]);
    expect(hints(run)).toEqual([told]);
  });

  test('a Service that only such pods serve', () => {
    const service = made(SERVICES, { spec: { selector: { a: 'b' } } });
    const serves = (...pods: readonly KubeObject[]) =>
      hints(
        new Script([named(SERVICES, 'x')], { self })
          .sees('services', [service])
          .sees('endpointslices', [])
          .sees('pods', pods),
      );
    expect(serves(mine('me'), mine('a'))).toEqual([told]);
    expect(serves(mine('me'), foreign)).toEqual([]);
  });

  test.each([
    ['apps/v1', 'StatefulSet', false],
    ['apps.kruise.io/v1beta1', 'StatefulSet', true],
    ['apps/v1', 'DaemonSet', true],
    ['example.com/v1', 'Workflow', true],
  ])('pods of a %s %s: %s', (apiVersion, kind, isDeadlock) => {
    const of = { owner: { apiVersion, kind, name: 'db', uid: 'd' }, policy: 'Always' };
    const told = selects(pod('me', 'Pending', of), pod('db-0', 'Pending', of));
    expect(told).toEqual(isDeadlock ? [{ code: 'deadlock', owner: `${kind.toLowerCase()}/db` }] : []);
  });
});
