/** Custom resources: known kinds by their own rules, every other one by its conditions. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe } from 'vitest';
import type { Reference } from '../cluster/rest.ts';
import { api, hasCondition, type Json, test } from '../harness/index.ts';

const suffix = randomBytes(4).toString('hex');
const CUSTOM_GROUP = `x${suffix}.test`;
const ns = `custom-kinds-${suffix}`;

function definition(group: string, plural: string, kind: string): Reference {
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural, singular: kind.toLowerCase(), kind },
      versions: [{ name: 'v1', served: true, storage: true, schema }],
    },
  } as Reference;
}

const DEFINITIONS = [
  definition('jobset.x-k8s.io', 'jobsets', 'JobSet'),
  definition('argoproj.io', 'workflows', 'Workflow'),
  definition('tekton.dev', 'pipelineruns', 'PipelineRun'),
  definition('ray.io', 'rayjobs', 'RayJob'),
  definition(CUSTOM_GROUP, 'things', 'Thing'),
];

beforeAll(async () => {
  await api.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: ns } });
  await Promise.all(
    DEFINITIONS.map(async (one) => {
      await api.create(one);
      await api.until(one, (found) => hasCondition(found, 'Established'));
      const { group } = (one as Json).spec;
      // Established precedes the moment in which the kind is served.
      for (;;) {
        const served = await api.get(`/apis/${group}/v1`).catch(() => undefined);
        if (served?.resources.length > 0) break;
      }
    }),
  );
});

afterAll(async () => {
  await Promise.all(DEFINITIONS.map((one) => api.delete(one)));
  await api.delete({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: ns } });
});

const make = (apiVersion: string, kind: string, name: string, status: object = {}): Reference =>
  ({ apiVersion, kind, metadata: { name, namespace: ns }, status }) as Reference;
const condition = (type: string, status = 'True'): object => ({ conditions: [{ type, status, reason: 'Because' }] });

describe.concurrent('a known custom kind', () => {
  test('is reached by its own rule', async ({ kubeAwait, expect }) => {
    const jobSet = make('jobset.x-k8s.io/v1', 'JobSet', 'good', condition('Completed', 'False'));
    const workflow = make('argoproj.io/v1', 'Workflow', 'good', { phase: 'Running', ...condition('Completed') });
    const run = make('tekton.dev/v1', 'PipelineRun', 'good', condition('Succeeded', 'Unknown'));
    const ray = make('ray.io/v1', 'RayJob', 'good', { jobStatus: 'FAILED', jobDeploymentStatus: 'Retrying' });
    await Promise.all([jobSet, workflow, run, ray].map((one) => api.create(one)));
    const targets = ['jobset/good', 'workflow/good', 'pipelinerun/good', 'rayjob/good'];
    const waiting = kubeAwait(targets, { namespace: ns });
    await Promise.all([
      waiting.line(/^jobset\.jobset\.x-k8s\.io\/good: Completed=False, Because$/),
      waiting.line(/^workflow\.argoproj\.io\/good: Running$/),
      waiting.line(/^pipelinerun\.tekton\.dev\/good: Succeeded=Unknown, Because$/),
      waiting.line(/^rayjob\.ray\.io\/good: FAILED$/),
    ]);
    await api.patch(jobSet, { status: condition('Completed') });
    await api.patch(workflow, { status: { phase: 'Succeeded' } });
    await api.patch(run, { status: condition('Succeeded') });
    await api.patch(ray, { status: { jobStatus: 'SUCCEEDED', jobDeploymentStatus: 'Complete' } });
    const { code, stdout } = await waiting.exit;
    expect([code, stdout.split('\n').sort()]).toEqual([
      0,
      [
        '',
        'jobset.jobset.x-k8s.io/good reached: Completed=True, Because',
        'pipelinerun.tekton.dev/good reached: Succeeded=True, Because',
        'rayjob.ray.io/good reached: SUCCEEDED',
        'workflow.argoproj.io/good reached: Succeeded',
      ],
    ]);
  });

  test('stays reached when its TTL deletes it', async ({ kubeAwait, expect }) => {
    const jobSet = make('jobset.x-k8s.io/v1', 'JobSet', 'short', condition('Completed'));
    await api.create(jobSet);
    const waiting = kubeAwait(['jobset/short', 'workflow/later'], { namespace: ns });
    await waiting.line(/^jobset\.jobset\.x-k8s\.io\/short reached/);
    await api.delete(jobSet);
    await api.create(make('argoproj.io/v1', 'Workflow', 'later', { phase: 'Succeeded' }));
    expect((await waiting.exit).code).toBe(0);
  });

  test.for<[string, Reference, string]>([
    [
      'jobset.jobset.x-k8s.io',
      make('jobset.x-k8s.io/v1', 'JobSet', 'bad', condition('Failed')),
      'Failed=True, Because',
    ],
    [
      'workflow.argoproj.io',
      make('argoproj.io/v1', 'Workflow', 'bad', { phase: 'Error', message: 'no pod' }),
      'Error, no pod',
    ],
    [
      'pipelinerun.tekton.dev',
      make('tekton.dev/v1', 'PipelineRun', 'bad', condition('Succeeded', 'False')),
      'Succeeded=False, Because',
    ],
    [
      'rayjob.ray.io',
      make('ray.io/v1', 'RayJob', 'bad', { jobDeploymentStatus: 'ValidationFailed' }),
      'ValidationFailed',
    ],
  ])('%s fails by its own rule', async ([kind, object, says], { kubeAwait, expect }) => {
    await api.create(object);
    const { code, stdout } = await kubeAwait([`${kind}/bad`], { namespace: ns }).exit;
    expect([code, stdout]).toEqual([1, `${kind}/bad failed: ${says}\n`]);
  });
});

describe.concurrent('every other custom kind', () => {
  const thing = (name: string, status: object): Reference => make(`${CUSTOM_GROUP}/v1`, 'Thing', name, status);

  test('is reached with Ready, or with Succeeded without Ready', async ({ kubeAwait, expect }) => {
    await api.create(thing('ready', condition('Ready')));
    await api.create(thing('succeeded', condition('Succeeded')));
    const { code } = await kubeAwait(['thing', 'ready', 'succeeded'], { namespace: ns }).exit;
    expect(code).toBe(0);
  });

  test('fails with Stalled, and with Failed once it has a completionTime', async ({ kubeAwait, expect }) => {
    await api.create(thing('stalled', condition('Stalled')));
    const retried = thing('failed', condition('Failed'));
    await api.create(retried);
    const stalled = kubeAwait(['thing/stalled'], { namespace: ns });
    const failed = kubeAwait(['thing/failed', '--heartbeat=200ms'], { namespace: ns });
    await failed.line(
      /^hint: thing\.\S+\/failed: it has neither a Ready nor a Succeeded condition; it has the conditions Failed=True: use --for=condition=Failed$/,
    );
    await api.patch(retried, { status: { completionTime: '2026-01-01T00:00:00Z' } });
    const ends = await Promise.all([stalled.exit, failed.exit]);
    expect(ends.map(({ code, stdout }) => [code, stdout])).toEqual([
      [1, `thing.${CUSTOM_GROUP}/stalled failed: Stalled=True, Because\n`],
      [1, `thing.${CUSTOM_GROUP}/failed failed: Failed=True, Because\n`],
    ]);
  });
});
