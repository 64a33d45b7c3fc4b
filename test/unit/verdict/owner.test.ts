import { expect, test } from 'vitest';
import { controllerOf, isJob, replacesFailedPods } from '../../../src/verdict/owner.ts';
import { object, PODS } from '../objects.ts';

const REFERENCE = { apiVersion: 'batch/v1', kind: 'Job', name: 'migrate', uid: 'j', controller: true };

const ownerOf = (...ownerReferences: readonly object[]) =>
  controllerOf(object(PODS, { metadata: { name: 'x', uid: 'u', ownerReferences } }));

test('the controller among the owners', () => {
  const other = { apiVersion: 'v1', kind: 'ConfigMap', name: 'c', uid: 'c' };
  expect(ownerOf(other, { ...other, controller: false }, REFERENCE)).toEqual({
    kind: 'Job',
    group: 'batch',
    name: 'migrate',
    uid: 'j',
  });
  expect(ownerOf(other)).toBeUndefined();
  expect(ownerOf()).toBeUndefined();
});

test.each(['kind', 'name', 'uid'])('a reference without a %s is none', (key) => {
  expect(ownerOf({ ...REFERENCE, [key]: undefined })).toBeUndefined();
});

test.each([
  ['batch/v1', 'batch'],
  ['stable.example.com/v1beta1', 'stable.example.com'],
  ['v1', ''],
  [undefined, ''],
])('apiVersion %s: group "%s"', (apiVersion, group) => {
  expect(ownerOf({ ...REFERENCE, apiVersion })?.group).toBe(group);
});

test.each([
  ['apps/v1', 'ReplicaSet', 'replaces'],
  ['apps/v1', 'StatefulSet', 'replaces'],
  ['apps/v1', 'DaemonSet', 'replaces'],
  ['v1', 'ReplicationController', 'replaces'],
  ['extensions.example.com/v1', 'ReplicaSet', 'nothing'],
  ['v1', 'Node', 'nothing'],
  ['argoproj.io/v1alpha1', 'Workflow', 'nothing'],
  ['batch/v1', 'Job', 'repeats'],
  ['batch.example.com/v1', 'Job', 'nothing'],
  ['batch/v1', 'CronJob', 'nothing'],
])('%s %s: %s of a failed pod', (apiVersion, kind, what) => {
  const owner = ownerOf({ ...REFERENCE, apiVersion, kind });
  expect([replacesFailedPods(owner), isJob(owner)]).toEqual([what === 'replaces', what === 'repeats']);
});

test('nobody replaces a pod that nobody owns', () => {
  expect([replacesFailedPods(undefined), isJob(undefined)]).toEqual([false, false]);
});
