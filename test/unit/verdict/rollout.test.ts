import { describe, expect, test } from 'vitest';
import { judgeKind } from '../../../src/verdict/index.ts';
import { object, resource } from '../objects.ts';

type Json = Readonly<Record<string, unknown>>;

const DEPLOYMENTS = resource('apps', 'deployments', 'Deployment');
const STATEFULSETS = resource('apps', 'statefulsets', 'StatefulSet');
const DAEMONSETS = resource('apps', 'daemonsets', 'DaemonSet');
const REPLICASETS = resource('apps', 'replicasets', 'ReplicaSet');
const CONTROLLERS = resource('', 'replicationcontrollers', 'ReplicationController');

/** Of generation 2, which the controller has seen where the status does not say otherwise. */
const judge = (kind: typeof DEPLOYMENTS, spec: Json, status: Json, generation: number | undefined = 2) =>
  judgeKind(
    kind,
    object(kind, {
      metadata: { name: 'web', namespace: 'app', uid: 'u', ...(generation === 0 ? {} : { generation }) },
      spec,
      status: { observedGeneration: 2, ...status },
    }),
    'default',
  );

const verdict = (stage: string, counts: Json, told: Json = {}) => ({
  state: stage === 'done' ? 'reached' : 'pending',
  ...(stage === 'done' ? { lasting: 'level' } : {}),
  why: { code: 'rollout', stage, reason: undefined, message: undefined, ...counts, ...told },
});

describe('a Deployment', () => {
  const DONE = { replicas: 3, updatedReplicas: 3, availableReplicas: 3, readyReplicas: 3 };
  const paused = { replicas: 3, paused: true };

  test.each([
    ['rolled out', { replicas: 3 }, DONE, 'done', [3, 3, 3]],
    ['of an earlier generation', { replicas: 3 }, { ...DONE, observedGeneration: 1 }, 'unobserved', [3, 3, 3]],
    ['that nobody has looked at', { replicas: 3 }, { observedGeneration: undefined }, 'unobserved', [3, 0, 0]],
    ['half-way', { replicas: 3 }, { ...DONE, updatedReplicas: 1, replicas: 4 }, 'updating', [3, 1, 3]],
    ['with old pods left', { replicas: 3 }, { ...DONE, replicas: 4 }, 'replacing', [3, 3, 3]],
    ['whose new pods are not available', { replicas: 3 }, { ...DONE, availableReplicas: 2 }, 'starting', [3, 3, 2]],
    ['paused half-way', paused, { ...DONE, updatedReplicas: 1 }, 'paused', [3, 1, 3]],
    ['paused with old pods left', paused, { ...DONE, replicas: 4 }, 'paused', [3, 3, 3]],
    ['paused, its pods starting', paused, { ...DONE, availableReplicas: 2 }, 'starting', [3, 3, 2]],
    ['paused when it was done', paused, DONE, 'done', [3, 3, 3]],
    ['not paused any more', { replicas: 3, paused: false }, { ...DONE, replicas: 4 }, 'replacing', [3, 3, 3]],
    ['scaled to nothing', { replicas: 0 }, {}, 'done', [0, 0, 0]],
    ['without a number wants one', {}, {}, 'updating', [1, 0, 0]],
    ['scaled down, new pods to go', { replicas: 1 }, { ...DONE, replicas: 3, updatedReplicas: 3 }, 'done', [1, 3, 3]],
  ] as const)('%s: %o, %o is %s', (_, spec, status, stage, [wanted, updated, available]) => {
    expect(judge(DEPLOYMENTS, spec, status)).toEqual(verdict(stage, { wanted, updated, available }));
  });

  const progressing = (reason: string, type = 'Progressing') => ({
    ...DONE,
    updatedReplicas: 1,
    conditions: [
      { type: 'Available', status: 'True', reason: 'Other', message: 'no' },
      { type, status: 'False', reason, message: 'too slow' },
    ],
  });

  test('past its deadline: failed, as the API says', () => {
    const counts = { wanted: 3, updated: 1, available: 3 };
    expect(judge(DEPLOYMENTS, { replicas: 3 }, progressing('ProgressDeadlineExceeded'))).toEqual({
      ...verdict('updating', counts, { reason: 'ProgressDeadlineExceeded', message: 'too slow' }),
      state: 'failed',
    });
  });

  test('past its deadline, but complete: reached', () => {
    const status = { ...progressing('ProgressDeadlineExceeded'), updatedReplicas: 3 };
    expect(judge(DEPLOYMENTS, { replicas: 3 }, status)).toMatchObject({ state: 'reached', why: { stage: 'done' } });
  });

  test.each([
    ['old pods are left', { replicas: 4, updatedReplicas: 3 }],
    ['new pods are not available', { updatedReplicas: 3, availableReplicas: 2 }],
    ['it is scaled up', { updatedReplicas: 2, replicas: 2 }],
  ])('past its deadline and %s: failed', (_, counts) => {
    const status = { ...progressing('ProgressDeadlineExceeded'), ...counts };
    expect(judge(DEPLOYMENTS, { replicas: 3 }, status)).toMatchObject({
      state: 'failed',
      why: { reason: 'ProgressDeadlineExceeded' },
    });
  });

  test.each([
    [
      'past the deadline of an earlier generation',
      { ...progressing('ProgressDeadlineExceeded'), observedGeneration: 1 },
    ],
    ['that makes progress', progressing('ReplicaSetUpdated')],
    ['of which another condition says so', progressing('ProgressDeadlineExceeded', 'Else')],
  ])('%s: pending', (_, status) => {
    expect(judge(DEPLOYMENTS, { replicas: 3 }, status)).toMatchObject({ state: 'pending', why: { reason: undefined } });
  });

  test('of an API server that counts no generations: its counters decide', () => {
    const status = { ...DONE, observedGeneration: undefined };
    expect(judge(DEPLOYMENTS, { replicas: 3 }, status, 0)).toMatchObject({ state: 'reached' });
  });
});

describe('a StatefulSet', () => {
  const rolling = (partition?: number): Json => ({
    replicas: 3,
    updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition } },
  });
  const onDelete = { replicas: 3, updateStrategy: { type: 'OnDelete' } };
  const DONE = { readyReplicas: 3, updatedReplicas: 3, currentRevision: 'b', updateRevision: 'b' };
  const half = { ...DONE, updatedReplicas: 1, currentRevision: 'a' };

  test.each([
    ['rolled out', rolling(), DONE, 'done', [3, 3, 3]],
    ['of an earlier generation', rolling(), { ...DONE, observedGeneration: 1 }, 'unobserved', [3, 3, 3]],
    ['whose pods are not ready', rolling(), { ...DONE, readyReplicas: 2 }, 'starting', [3, 3, 2]],
    ['half-way', rolling(), half, 'updating', [3, 1, 3]],
    ['half-way under OnDelete: ready is enough', onDelete, half, 'done', [3, 1, 3]],
    ['under OnDelete, not ready', onDelete, { ...half, readyReplicas: 2 }, 'starting', [3, 1, 2]],
    ['all updated, currentRevision lags behind', rolling(), { ...DONE, currentRevision: 'a' }, 'done', [3, 3, 3]],
    ['the same with partition 0', rolling(0), { ...DONE, currentRevision: 'a' }, 'done', [3, 3, 3]],
    ['the same without rollingUpdate', { replicas: 3 }, { ...DONE, currentRevision: 'a' }, 'done', [3, 3, 3]],
    ['half-way without rollingUpdate', { replicas: 3 }, half, 'updating', [3, 1, 3]],
    ['equal revisions, updatedReplicas missing', rolling(), { ...DONE, updatedReplicas: undefined }, 'done', [3, 0, 3]],
    ['equal revisions, a pod not ready', rolling(), { ...DONE, readyReplicas: 2 }, 'starting', [3, 3, 2]],
    ['scaled down, a pod still terminating', { replicas: 2 }, { ...DONE, replicas: 3 }, 'done', [2, 3, 3]],
    ['with a partition: the pods above it', rolling(2), half, 'done', [3, 1, 3]],
    ['with a partition, those not all updated', rolling(1), half, 'updating', [3, 1, 3]],
    ['with a partition above all', rolling(5), { ...half, updatedReplicas: 0 }, 'done', [3, 0, 3]],
    ['without a number wants one', {}, {}, 'starting', [1, 0, 0]],
  ] as const)('%s: %o, %o is %s', (_, spec, status, stage, [wanted, updated, available]) => {
    expect(judge(STATEFULSETS, spec, status)).toEqual(verdict(stage, { wanted, updated, available }));
  });
});

describe('a DaemonSet', () => {
  const onDelete = { updateStrategy: { type: 'OnDelete' } };
  const DONE = { desiredNumberScheduled: 3, updatedNumberScheduled: 3, numberAvailable: 3 };

  test.each([
    ['rolled out', {}, DONE, 'done', [3, 3, 3]],
    ['of an earlier generation', {}, { ...DONE, observedGeneration: 1 }, 'unobserved', [3, 3, 3]],
    ['half-way', {}, { ...DONE, updatedNumberScheduled: 2 }, 'updating', [3, 2, 3]],
    ['half-way under OnDelete', onDelete, { ...DONE, updatedNumberScheduled: 2 }, 'done', [3, 2, 3]],
    ['whose pods are not available', {}, { ...DONE, numberAvailable: 2 }, 'starting', [3, 3, 2]],
    ['under OnDelete, not available', onDelete, { ...DONE, numberAvailable: 2 }, 'starting', [3, 3, 2]],
    ['wanted on no node', {}, {}, 'done', [0, 0, 0]],
  ] as const)('%s: %o, %o is %s', (_, spec, status, stage, [wanted, updated, available]) => {
    expect(judge(DAEMONSETS, spec, status)).toEqual(verdict(stage, { wanted, updated, available }));
  });
});

test.each([
  ['a Deployment', DEPLOYMENTS],
  ['a ReplicaSet', REPLICASETS],
  ['a ReplicationController', CONTROLLERS],
] as const)('%s reports why its pods cannot be created, until it is done', (_, kind) => {
  const condition = { type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: 'exceeded quota' };
  const spec = { replicas: 2 };
  const none = { replicas: 0, conditions: [condition] };
  const done = { replicas: 2, updatedReplicas: 2, availableReplicas: 2, conditions: [condition] };
  const { reason, message } = condition;
  expect(judge(kind, spec, none)).toMatchObject({ state: 'pending', why: { reason, message } });
  expect(judge(kind, spec, done)).toMatchObject({ state: 'reached', why: { reason: undefined, message: undefined } });
  const past = { ...none, conditions: [{ ...condition, status: 'False' }] };
  expect(judge(kind, spec, past)).toMatchObject({ state: 'pending', why: { reason: undefined } });
});

describe.each([
  ['a ReplicaSet', REPLICASETS],
  ['a ReplicationController', CONTROLLERS],
])('%s', (_, kind) => {
  test.each([
    ['available', { replicas: 3 }, { availableReplicas: 3 }, 'done', [3, 3, 3]],
    ['more than wanted', { replicas: 1 }, { availableReplicas: 3 }, 'done', [1, 1, 3]],
    ['not all available', { replicas: 3 }, { availableReplicas: 2 }, 'starting', [3, 3, 2]],
    [
      'of an earlier generation',
      { replicas: 3 },
      { availableReplicas: 3, observedGeneration: 1 },
      'unobserved',
      [3, 0, 3],
    ],
    ['without a number wants one', {}, {}, 'starting', [1, 1, 0]],
  ] as const)('%s: %o, %o is %s', (_name, spec, status, stage, [wanted, updated, available]) => {
    expect(judge(kind, spec, status)).toEqual(verdict(stage, { wanted, updated, available }));
  });
});
