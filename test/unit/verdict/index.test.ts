import { describe, expect, test } from 'vitest';
import type { Keep } from '../../../src/kube/collection.ts';
import { toObject } from '../../../src/kube/object.ts';
import type { ApiResource } from '../../../src/kube/resource.ts';
import { judgeKind, keepFor, keyOf, projectionOf } from '../../../src/verdict/index.ts';
import { isKindGoal, type KindGoal } from '../../../src/verdict/kind-goal.ts';
import { ENDPOINT_SLICES } from '../../../src/wait/others.ts';
import { JOBS, object, PODS, resource } from '../objects.ts';

const SERVICES = resource('', 'services', 'Service');
const CRONJOBS = resource('batch', 'cronjobs', 'CronJob');
const DEPLOYMENTS = resource('apps', 'deployments', 'Deployment');
const CLAIMS = resource('', 'persistentvolumeclaims', 'PersistentVolumeClaim');
const VOLUMES = resource('', 'persistentvolumes', 'PersistentVolume');
const NAMESPACES = resource('', 'namespaces', 'Namespace');
const NODES = resource('', 'nodes', 'Node');
const DEFINITIONS = resource('apiextensions.k8s.io', 'customresourcedefinitions', 'CustomResourceDefinition');
const API_SERVICES = resource('apiregistration.k8s.io', 'apiservices', 'APIService');
const CONFIG_MAPS = resource('', 'configmaps', 'ConfigMap');
const CUSTOM: ApiResource = { ...resource('example.com', 'widgets', 'Widget'), origin: 'custom' };

const judge = (kind: ApiResource, status: object, goal: KindGoal = 'default') =>
  judgeKind(kind, object(kind, { metadata: { name: 'x', uid: 'u', generation: 2 }, status }), goal);

test.each([
  [CLAIMS, 'Bound', 'reached'],
  [CLAIMS, 'Pending', 'pending'],
  [CLAIMS, 'Lost', 'failed'],
  [VOLUMES, 'Bound', 'reached'],
  [VOLUMES, 'Available', 'reached'],
  [VOLUMES, 'Released', 'pending'],
  [VOLUMES, 'Failed', 'failed'],
  [NAMESPACES, 'Active', 'reached'],
  [NAMESPACES, 'Terminating', 'pending'],
] as const)('$kind in the phase %s: %s', (kind, phase, state) => {
  const why = { code: 'phase', phase, reason: 'r', message: 'm' };
  expect(judge(kind, { phase, reason: 'r', message: 'm' })).toEqual({
    state,
    why,
    ...(state === 'reached' ? { lasting: 'level' } : {}),
  });
});

test('no phase is Pending', () => {
  const why = { code: 'phase', phase: 'Pending', reason: undefined, message: undefined };
  expect(judge(CLAIMS, {})).toEqual({ state: 'pending', why });
});

describe.each([
  [NODES, 'Ready'],
  [API_SERVICES, 'Available'],
  [DEFINITIONS, 'Established'],
  [CUSTOM, 'Ready'],
])('$kind by its condition %s', (kind, type) => {
  const wanted = `${type}=True`;
  const told = (status: string, observedGeneration?: number) => ({
    type,
    status,
    reason: 'r',
    message: 'm',
    observedGeneration,
  });
  const other = { type: 'Other', status: 'True' };

  test.each([
    ['True', [other, told('True')], told('True'), false, 'reached'],
    ['False', [other, told('False')], told('False'), false, 'pending'],
    ['Unknown', [told('Unknown')], told('Unknown'), false, 'pending'],
    ['not there', [other], undefined, false, 'pending'],
    ['of the present generation', [told('True', 2)], told('True', 2), false, 'reached'],
    ['of an earlier one', [told('True', 1)], told('True', 1), true, 'pending'],
  ])('%s', (_, conditions, condition, stale, state) => {
    expect(judge(kind, { conditions })).toEqual({
      state,
      why: { code: 'condition', wanted, condition, stale },
      ...(state === 'reached' ? { lasting: 'level' } : {}),
    });
  });

  test('of a status of an earlier generation', () => {
    const status = { observedGeneration: 1, conditions: [told('True')] };
    expect(judge(kind, status)).toMatchObject({ state: 'pending', why: { stale: true } });
  });

  test('a condition without a type says nothing, one without a status is Unknown', () => {
    const conditions = [{ status: 'True' }, { type }];
    expect(judge(kind, { conditions })).toMatchObject({
      state: 'pending',
      why: { condition: { type, status: 'Unknown' } },
    });
  });
});

describe('a CustomResourceDefinition whose names', () => {
  const established = { type: 'Established', status: 'True' };
  const names = (status: string) => ({ type: 'NamesAccepted', status, reason: 'ListKindConflict', message: 'm' });

  test('are taken by another: failed', () => {
    const told = { ...names('False'), observedGeneration: undefined };
    const why = { code: 'condition', wanted: 'NamesAccepted=True', condition: told, stale: false };
    expect(judge(DEFINITIONS, { conditions: [established, names('False')] })).toEqual({ state: 'failed', why });
  });

  test.each(['True', 'Unknown'])('are accepted: %s: it is the other condition that counts', (status) => {
    expect(judge(DEFINITIONS, { conditions: [names(status), established] })).toMatchObject({ state: 'reached' });
    expect(judge(DEFINITIONS, { conditions: [names(status)] })).toMatchObject({ state: 'pending' });
  });
});

test('any other built-in kind is there or not', () => {
  expect(judge(CONFIG_MAPS, {})).toEqual({ state: 'reached', lasting: 'level', why: { code: 'exists' } });
});

test.each([SERVICES, CRONJOBS])('$kind: follows from other objects as well', (kind) => {
  expect(judge(kind, {})).toBe('others');
});

describe('what a goal means for a Job', () => {
  const failed = { conditions: [{ type: 'Failed', status: 'True' }], succeeded: 1 };
  const complete = { conditions: [{ type: 'Complete', status: 'True' }] };

  test.each([
    ['default', 'failed', 'reached'],
    ['complete', 'failed', 'reached'],
    ['ready', 'failed', 'reached'],
    ['finished', 'reached', 'reached'],
    ['settled', 'reached', 'reached'],
    // That a pod of it has succeeded is what counts.
    ['partly', 'reached', 'failed'],
  ] as const)('%s: failed is %s, complete is %s', (goal, whenFailed, whenComplete) => {
    expect(judge(JOBS, failed, goal)).toMatchObject({ state: whenFailed });
    expect(judge(JOBS, complete, goal)).toMatchObject({ state: whenComplete });
  });
});

test('a pod is judged by its goal', () => {
  expect(judge(PODS, { phase: 'Failed' }, 'default')).toMatchObject({ state: 'failed' });
  expect(judge(PODS, { phase: 'Failed' }, 'finished')).toMatchObject({ state: 'reached' });
});

test('a kind is known by its group and name', () => {
  expect([keyOf(JOBS), keyOf(PODS)]).toEqual(['batch/jobs', '/pods']);
  expect(judge({ ...JOBS, group: 'example.com' }, {})).toMatchObject({ why: { code: 'exists' } });
});

test.each([
  [CONFIG_MAPS, 'metadata'],
  [JOBS, 'verdict'],
  [SERVICES, 'verdict'],
  [CUSTOM, 'verdict'],
])('of $kind its own meaning reads %s', (kind, keep) => {
  expect(keepFor(kind)).toBe(keep);
});

describe('what is kept of an object', () => {
  const json = {
    apiVersion: 'v1',
    metadata: { name: 'x', namespace: 'app', uid: 'u', labels: { a: 'b' } },
    spec: { template: { spec: { restartPolicy: 'Never' } } },
    status: { phase: 'Running' },
    data: { password: 'x' },
    endpoints: [{}],
  };
  const metadata = { name: 'x', namespace: 'app', uid: 'u' };
  const kept = (kind: ApiResource, keep: Keep) => toObject(json, projectionOf(kind, keep));

  test.each([DEPLOYMENTS, CUSTOM, SERVICES])('of $kind for its verdict', (kind) => {
    expect(kept(kind, 'verdict')).toEqual({ metadata, spec: json.spec, status: json.status });
  });

  test.each([JOBS, PODS, CONFIG_MAPS])('of $kind its metadata only', (kind) => {
    expect(kept(kind, 'metadata')).toEqual({ metadata });
  });

  test.each([JOBS, PODS, CONFIG_MAPS])('of $kind all of it', (kind) => {
    expect(kept(kind, 'whole')).toEqual(json);
  });

  test('of a Job for its verdict no more than that takes', () => {
    expect(kept(JOBS, 'verdict')?.spec).toMatchObject({ restartPolicy: 'Never' });
    expect(kept(JOBS, 'verdict')?.spec).not.toHaveProperty('template');
  });

  test('of an EndpointSlice its endpoints', () => {
    expect(kept(ENDPOINT_SLICES, 'verdict')).toEqual({ metadata, endpoints: [{}] });
  });

  test('an object that says its uid and namespace nowhere keeps what it is known by', () => {
    const bare = toObject({ metadata: { name: 'x' } }, projectionOf(CONFIG_MAPS, 'whole'));
    expect(bare).toEqual({ metadata: { name: 'x', uid: '/x' } });
  });
});

test.each([
  ['default', true],
  ['complete', true],
  ['finished', true],
  ['ready', true],
  ['settled', true],
  ['partly', true],
  ['condition', false],
  ['delete', false],
  ['', false],
])('a kind gives "%s" a meaning: %s', (goal, expected) => {
  expect(isKindGoal(goal)).toBe(expected);
});
