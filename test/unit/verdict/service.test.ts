import { describe, expect, test } from 'vitest';
import type { KubeObject } from '../../../src/kube/object.ts';
import type { KindGoal } from '../../../src/verdict/kind-goal.ts';
import { isExternalName, judgeService, podSelectorOf } from '../../../src/verdict/service.ts';
import { ENDPOINT_SLICES } from '../../../src/wait/others.ts';
import { object, pod, resource } from '../objects.ts';

const SERVICES = resource('', 'services', 'Service');

const service = (spec: object = {}): KubeObject =>
  object(SERVICES, { metadata: { name: 'db', namespace: 'app', uid: 's' }, spec });

/** One slice with an endpoint for each of these, as its `ready` says. */
const slice = (...ready: readonly (boolean | undefined)[]): KubeObject =>
  object(ENDPOINT_SLICES, {
    metadata: { name: 'db-1', namespace: 'app', uid: 'e' },
    endpoints: ready.map((one) => ({ conditions: one === undefined ? {} : { ready: one } })),
  });

const owner = (kind: string) => ({ kind, name: 'web', uid: 'r' });
const READY = pod('a', 'Running', { ready: true });
const NOT_READY = pod('b', 'Running', { ready: false });
const FAILED = pod('c', 'Failed');
const REPLACED = pod('d', 'Failed', { policy: 'Always', owner: owner('ReplicaSet') });
const CLONE = pod('h', 'Failed', { policy: 'Always', owner: owner('CloneSet') });
const TASK = pod('i', 'Failed', { owner: owner('Workflow') });
const GOING_READY = pod('j', 'Running', { ready: true, deleting: true });
const OWNED = pod('g', 'Running', { ready: true, owner: owner('ReplicaSet') });
const SUCCEEDED = pod('e', 'Succeeded', { ready: true });
const GOING = pod('f', 'Running', { deleting: true });
const ALL = [slice(true)];
const NONE = [slice(false)];

describe.each<[string, readonly KubeObject[] | undefined, readonly KubeObject[] | undefined, string, object]>([
  ['its pod is ready, and its endpoint', [READY], ALL, 'default', { reached: true, ready: 1, total: 1, endpoints: 1 }],
  [
    'its pod is ready, its endpoint not yet',
    [READY],
    NONE,
    'default',
    { reached: false, ready: 1, total: 1, endpoints: 0 },
  ],
  ['no slice yet', [READY], [], 'default', { reached: false, ready: 1, total: 1, endpoints: 0 }],
  ['slices may not be read', [READY], undefined, 'default', { reached: true, ready: 1, total: 1 }],
  [
    'one of two pods is ready',
    [READY, NOT_READY],
    ALL,
    'default',
    { reached: false, ready: 1, total: 2, endpoints: 1 },
  ],
  ['one of two pods is ready', [READY, NOT_READY], ALL, 'ready', { reached: false, ready: 1, total: 2, endpoints: 1 }],
  ['one of two pods is ready', [NOT_READY, READY], ALL, 'partly', { reached: true, ready: 1, total: 2, endpoints: 1 }],
  [
    'none of two pods is ready',
    [NOT_READY, NOT_READY],
    ALL,
    'partly',
    { reached: false, ready: 0, total: 2, endpoints: 1 },
  ],
  ['no pod at all', [], ALL, 'default', { reached: false, ready: 0, total: 0, endpoints: 1 }],
  ['no pod at all', [], ALL, 'settled', { reached: false, ready: 0, total: 0, endpoints: 1 }],
  ['one has failed', [READY, FAILED], ALL, 'default', { reached: false, ready: 1, total: 2, endpoints: 1 }],
  ['one has failed', [READY, FAILED], ALL, 'settled', { reached: true, ready: 1, total: 2, endpoints: 1 }],
  [
    'one has failed, no endpoint',
    [READY, FAILED],
    NONE,
    'settled',
    { reached: false, ready: 1, total: 2, endpoints: 0 },
  ],
  [
    'all have failed: nobody serves, as wanted',
    [FAILED],
    NONE,
    'settled',
    { reached: true, ready: 0, total: 1, endpoints: 0 },
  ],
  [
    'one has failed, one is not ready',
    [FAILED, NOT_READY],
    ALL,
    'settled',
    { reached: false, ready: 0, total: 2, endpoints: 1 },
  ],
  [
    'one has failed and is replaced',
    [READY, REPLACED],
    ALL,
    'default',
    { reached: true, ready: 1, total: 1, endpoints: 1 },
  ],
  ['another controller replaces it', [READY, CLONE], ALL, 'ready', { reached: true, ready: 1, total: 1, endpoints: 1 }],
  ['a task failed', [READY, TASK], ALL, 'default', { reached: false, ready: 1, total: 2, endpoints: 1 }],
  ['only one that is replaced', [REPLACED], ALL, 'default', { reached: false, ready: 0, total: 0, endpoints: 1 }],
  ['ready, but terminating', [GOING_READY], ALL, 'default', { reached: false, ready: 0, total: 0, endpoints: 1 }],
  ['ready, but terminating', [GOING_READY], ALL, 'partly', { reached: false, ready: 0, total: 0, endpoints: 1 }],
  ['one has ended well', [READY, SUCCEEDED], ALL, 'default', { reached: true, ready: 1, total: 1, endpoints: 1 }],
  ['one is being deleted', [READY, GOING], ALL, 'default', { reached: true, ready: 1, total: 1, endpoints: 1 }],
  ['only one that ended well', [SUCCEEDED], ALL, 'default', { reached: false, ready: 0, total: 0, endpoints: 1 }],
  [
    'its pod, which a controller would replace, is ready',
    [OWNED],
    ALL,
    'default',
    { reached: true, ready: 1, total: 1, endpoints: 1 },
  ],
  ['no selector, an endpoint', undefined, ALL, 'default', { reached: true, endpoints: 1 }],
  ['no selector, none is ready', undefined, NONE, 'default', { reached: false, endpoints: 0 }],
  ['no selector, slices may not be read', undefined, undefined, 'default', { reached: false }],
  ['no selector, none is ready', undefined, NONE, 'settled', { reached: false, endpoints: 0 }],
])('%s', (_, pods, slices, goal, expected) => {
  const { reached, ready, total, endpoints } = expected as Record<string, unknown>;
  test(`${goal}: ${reached ? 'reached' : 'pending'}`, () => {
    expect(judgeService(service({ selector: { a: 'b' } }), pods, slices, goal as KindGoal)).toEqual({
      ...(reached ? { state: 'reached', lasting: 'level' } : { state: 'pending' }),
      why: { code: 'service', pods: pods === undefined ? undefined : { ready, total }, endpoints },
    });
  });
});

test('endpoints are counted over all slices; one that does not say counts as ready', () => {
  const slices = [slice(true, false), slice(undefined)];
  expect(judgeService(service(), undefined, slices, 'default').why).toMatchObject({ endpoints: 2 });
});

describe('ExternalName', () => {
  test('exists: reached', () => {
    const alias = service({ type: 'ExternalName' });
    expect(isExternalName(alias)).toBe(true);
    expect(judgeService(alias, [NOT_READY], NONE, 'default')).toEqual({
      state: 'reached',
      lasting: 'level',
      why: { code: 'exists' },
    });
  });

  test('no other type is one', () => {
    expect(isExternalName(service({ type: 'ClusterIP' }))).toBe(false);
    expect(isExternalName(service())).toBe(false);
  });
});

test.each([
  [{ selector: { app: 'db' } }, 'app=db'],
  [{ selector: { app: 'db', tier: 'x' } }, 'app=db,tier=x'],
  [{ selector: {} }, undefined],
  [{ selector: null }, undefined],
  [{ selector: 'app=db' }, undefined],
  [{}, undefined],
])('%o: its pods are those of %s', (spec, selector) => {
  expect(podSelectorOf(service(spec))).toBe(selector);
});
