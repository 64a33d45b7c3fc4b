import { expect, test } from 'vitest';
import { controllerOf, isJob, reusesNames } from '../../../src/verdict/owner.ts';
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
  ['apps/v1', 'ReplicaSet', 'new names'],
  ['apps/v1', 'StatefulSet', 'the same'],
  ['apps/v1', 'DaemonSet', 'new names'],
  ['v1', 'ReplicationController', 'new names'],
  ['extensions.example.com/v1', 'ReplicaSet', 'the same'],
  ['apps.kruise.io/v1alpha1', 'CloneSet', 'the same'],
  ['core.strimzi.io/v1beta2', 'StrimziPodSet', 'the same'],
  ['v1', 'Node', 'the same'],
])('%s %s: its pods have %s', (apiVersion, kind, names) => {
  const owner = ownerOf({ ...REFERENCE, apiVersion, kind });
  expect(owner && reusesNames(owner)).toBe(names === 'the same');
});

test.each([
  ['batch/v1', 'Job', true],
  ['batch.example.com/v1', 'Job', false],
  ['batch/v1', 'CronJob', false],
  ['apps/v1', 'ReplicaSet', false],
])('%s %s is a Job: %s', (apiVersion, kind, expected) => {
  expect(isJob(ownerOf({ ...REFERENCE, apiVersion, kind }))).toBe(expected);
});

test('no owner is no Job', () => {
  expect(isJob(undefined)).toBe(false);
});
