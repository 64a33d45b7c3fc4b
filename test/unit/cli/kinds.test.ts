import { describe, expect, test } from 'vitest';
import { builtInKind, builtInKinds, kindLabel, unknownKind } from '../../../src/cli/kinds.ts';

const JOB = {
  group: 'batch',
  version: 'v1',
  name: 'jobs',
  singularName: 'job',
  kind: 'Job',
  shortNames: [],
  namespaced: true,
};

describe('a word for a built-in kind', () => {
  test.each([
    'job',
    'jobs',
    'Job',
    'JOBS',
    'job.batch',
    'jobs.batch',
    'Job.batch',
    'jobs.v1.batch',
    'Job.v1.batch',
    'job.b',
  ])('%s is a Job', (word) => {
    expect(builtInKind(word)).toEqual(JOB);
  });

  test.each([
    ['po', 'v1 pods'],
    ['pods.', 'v1 pods'],
    ['Pod', 'v1 pods'],
    ['svc', 'v1 services'],
    ['ns', 'v1 namespaces'],
    ['ep', 'v1 endpoints'],
    ['endpoints', 'v1 endpoints'],
    ['deploy', 'apps/v1 deployments'],
    ['deploy.apps', 'apps/v1 deployments'],
    ['deploy.app', 'apps/v1 deployments'],
    ['deploy.v1.apps', 'apps/v1 deployments'],
    ['sts', 'apps/v1 statefulsets'],
    ['cj', 'batch/v1 cronjobs'],
    ['hpa', 'autoscaling/v2 horizontalpodautoscalers'],
    ['ingress', 'networking.k8s.io/v1 ingresses'],
    ['ing.networking.k8s.io', 'networking.k8s.io/v1 ingresses'],
    ['networkpolicies', 'networking.k8s.io/v1 networkpolicies'],
    ['storageclass.storage', 'storage.k8s.io/v1 storageclasses'],
    ['crd', 'apiextensions.k8s.io/v1 customresourcedefinitions'],
    ['crds', 'apiextensions.k8s.io/v1 customresourcedefinitions'],
    ['pdb', 'policy/v1 poddisruptionbudgets'],
    ['ev', 'v1 events'],
    ['events', 'v1 events'],
    ['events.events.k8s.io', 'events.k8s.io/v1 events'],
  ])('%s is %s', (word, expected) => {
    const kind = builtInKind(word);
    expect(`${kind?.group === '' ? '' : `${kind?.group}/`}${kind?.version} ${kind?.name}`).toBe(expected);
  });

  // Each as kubectl 1.36 refuses it too, or a matter of discovery.
  test.each([
    ['a short name is written small', 'PO'],
    ['the core group has no name', 'pods.v1'],
    ['nor is it called core', 'cm.core'],
    ['another version', 'jobs.v2.batch'],
    ['another group', 'ingress.extensions'],
    ['a group with a dot behind it', 'job.batch.'],
    ['a first part of a group that has a dot may be a group of its own', 'role.rbac.authorization'],
    ['cannot be watched', 'componentstatuses'],
    ['cannot be listed', 'tokenreviews'],
    ['a category', 'all'],
    ['a custom kind', 'crontab.stable.example.com'],
    ['nothing', ''],
    ['a property of every object', 'constructor'],
  ])('%s: %s is none', (_, word) => {
    expect(builtInKind(word)).toBeUndefined();
  });
});

test('every kind is found by each of its own names, qualified too', () => {
  for (const kind of builtInKinds()) {
    const group = kind.group === '' ? '' : `.${kind.group}`;
    for (const word of [kind.name, kind.singularName, kind.kind, ...kind.shortNames]) {
      expect(builtInKind(`${word}${group}`)).toBe(kind);
    }
  }
});

test('every kind is found by its label', () => {
  for (const kind of builtInKinds()) expect(builtInKind(kindLabel(kind))).toBe(kind);
});

test('no two kinds share group and plural', () => {
  const names = builtInKinds().map(({ group, name }) => `${name}.${group}`);
  expect(new Set(names).size).toBe(names.length);
});

describe('the word for a kind in labels', () => {
  test.each([
    ['of a built-in kind its singular', { ...JOB }, 'job'],
    ['with the group where another kind is preferred', { ...JOB, group: 'example.com' }, 'job.example.com'],
    [
      'of a custom kind with its group',
      { ...JOB, group: 'stable.example.com', name: 'crontabs', singularName: 'crontab', kind: 'CronTab' },
      'crontab.stable.example.com',
    ],
    [
      'from the kind where the API server gives no singular',
      { ...JOB, group: 'example.com', name: 'crontabs', singularName: '', kind: 'CronTab' },
      'crontab.example.com',
    ],
  ])('%s', (_, resource, label) => {
    expect(kindLabel(resource)).toBe(label);
  });
});

describe('a kind that nobody knows', () => {
  test.each([
    ['jbo', 'expected a kind such as job, pod or deployment, got "jbo", did you mean job?'],
    ['Deploymnet', 'expected a kind such as job, pod or deployment, got "Deploymnet", did you mean deployment?'],
    ['cronobs', 'expected a kind such as job, pod or deployment, got "cronobs", did you mean cronjobs?'],
    ['migration', 'expected a kind such as job, pod or deployment, got "migration"'],
  ])('%s', (word, message) => {
    expect(unknownKind(word).message).toBe(message);
  });
});
