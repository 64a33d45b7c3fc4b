import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { BY_KIND } from '../../../src/verdict/custom.ts';
import { judgeKind } from '../../../src/verdict/index.ts';
import { object, resource } from '../objects.ts';

type Json = Readonly<Record<string, unknown>>;

const kindOf = (group: string, plural: string, version = 'v1') => ({
  ...resource(group, plural, 'X'),
  version,
  origin: 'custom' as const,
});

const judge = (key: string, status: unknown, spec: Json = {}, version?: string) => {
  const [group = '', plural = ''] = key.split('/');
  const kind = kindOf(group, plural, version);
  const metadata = { name: 'x', namespace: 'app', uid: 'u', generation: 2 };
  return judgeKind(kind, object(kind, { metadata, spec, status }), 'default');
};

const cond = (type: string, status = 'True', reason?: string, more: Json = {}): Json => ({
  conditions: [{ type, status, ...(reason === undefined ? {} : { reason }), ...more }],
});
const conds = (...all: readonly Json[]): Json => ({ conditions: all.flatMap((one) => one.conditions) });
const phase = (value: unknown): Json => ({ phase: value });
const state = (value: unknown): Json => ({ state: value });

type Outcome = 'reached' | 'failed' | 'pending';
type Row = readonly [kinds: string, status: Json, outcome: Outcome, spec?: Json, version?: string];

const rows: readonly Row[] = [
  ['jobset.x-k8s.io/jobsets', cond('Completed'), 'reached'],
  ['jobset.x-k8s.io/jobsets', cond('Failed'), 'failed'],
  ['jobset.x-k8s.io/jobsets', { ...cond('RestartingJobSet'), restarts: 1 }, 'pending'],
  ['jobset.x-k8s.io/jobsets', cond('Suspended'), 'pending'],
  ['argoproj.io/workflows', phase('Succeeded'), 'reached'],
  ['argoproj.io/workflows', phase('Failed'), 'failed'],
  ['argoproj.io/workflows', phase('Error'), 'failed'],
  ['argoproj.io/workflows', { ...phase('Running'), ...cond('Completed') }, 'pending'],
  ['tekton.dev/taskruns tekton.dev/pipelineruns tekton.dev/customruns', cond('Succeeded'), 'reached'],
  ['tekton.dev/taskruns tekton.dev/pipelineruns tekton.dev/customruns', cond('Succeeded', 'False'), 'failed'],
  ['tekton.dev/taskruns tekton.dev/pipelineruns', cond('Succeeded', 'Unknown', 'ToBeRetried'), 'pending'],
  [
    'kubeflow.org/pytorchjobs kubeflow.org/tfjobs kubeflow.org/xgboostjobs kubeflow.org/paddlejobs kubeflow.org/jaxjobs',
    cond('Succeeded'),
    'reached',
  ],
  [
    'kubeflow.org/pytorchjobs kubeflow.org/tfjobs kubeflow.org/xgboostjobs kubeflow.org/paddlejobs kubeflow.org/jaxjobs',
    conds(cond('Restarting'), cond('Failed')),
    'failed',
  ],
  ['kubeflow.org/pytorchjobs', cond('Restarting'), 'pending'],
  ['kubeflow.org/mpijobs', cond('Failed', 'True', 'MPIJobEvicted'), 'failed'],
  ['kubeflow.org/mpijobs', cond('Failed', 'True', 'MPIJobEvicted'), 'pending', {}, 'v2beta1'],
  [
    'kubeflow.org/mpijobs',
    { ...cond('Failed', 'True', 'MPIJobEvicted'), completionTime: 't' },
    'failed',
    {},
    'v2beta1',
  ],
  ['kubeflow.org/mpijobs', cond('Failed', 'True', 'MPIJobFailed'), 'failed', {}, 'v2beta1'],
  ['kubeflow.org/mpijobs', conds(cond('Failed'), cond('Succeeded')), 'reached', {}, 'v2beta1'],
  ['kubeflow.org/mpijobs', conds(cond('Failed'), cond('Succeeded')), 'reached'],
  ['trainer.kubeflow.org/trainjobs', cond('Complete'), 'reached'],
  ['trainer.kubeflow.org/trainjobs', cond('Failed'), 'failed'],
  ['ray.io/rayjobs', { jobStatus: 'SUCCEEDED', jobDeploymentStatus: 'Complete' }, 'reached'],
  ['ray.io/rayjobs', { jobStatus: 'SUCCEEDED', jobDeploymentStatus: 'Running' }, 'pending'],
  ['ray.io/rayjobs', { jobStatus: 'FAILED', jobDeploymentStatus: 'Retrying' }, 'pending'],
  ['ray.io/rayjobs', { jobStatus: 'FAILED', jobDeploymentStatus: 'Failed' }, 'failed'],
  ['ray.io/rayjobs', { jobDeploymentStatus: 'ValidationFailed' }, 'failed'],
  ['ray.io/rayjobs', { jobStatus: 'STOPPED', jobDeploymentStatus: 'Complete' }, 'failed'],
  ['ray.io/rayjobs', { jobStatus: 'STOPPED', jobDeploymentStatus: 'Running' }, 'pending'],
  ['sparkoperator.k8s.io/sparkapplications', { applicationState: state('COMPLETED') }, 'reached'],
  ['sparkoperator.k8s.io/sparkapplications', { applicationState: state('FAILED') }, 'failed'],
  ['sparkoperator.k8s.io/sparkapplications', { applicationState: state('SUBMISSION_FAILED') }, 'pending'],
  ['sparkoperator.k8s.io/sparkapplications', { applicationState: state('FAILING') }, 'pending'],
  ['batch.volcano.sh/jobs', { state: phase('Completed'), conditions: [{ status: 'x' }] }, 'reached'],
  ['batch.volcano.sh/jobs', { state: phase('Failed') }, 'failed'],
  ['batch.volcano.sh/jobs', { state: phase('Terminated') }, 'failed'],
  ['batch.volcano.sh/jobs', { state: phase('Aborted') }, 'pending'],
  ['kueue.x-k8s.io/workloads', cond('Finished', 'True', 'Succeeded'), 'reached'],
  ['kueue.x-k8s.io/workloads', cond('Finished', 'True', 'Failed'), 'failed'],
  ['kueue.x-k8s.io/workloads', cond('Finished', 'True', 'OutOfSync'), 'failed'],
  ['kueue.x-k8s.io/workloads', cond('Finished', 'True', 'OwnerNotFound'), 'failed'],
  ['kueue.x-k8s.io/workloads', cond('Finished', 'True', 'WorkloadSliceReplaced'), 'pending'],
  ['kueue.x-k8s.io/workloads', cond('Evicted'), 'pending'],
  ['velero.io/backups velero.io/restores', phase('Completed'), 'reached'],
  ['velero.io/backups velero.io/restores', phase('PartiallyFailed'), 'failed'],
  ['velero.io/backups velero.io/restores', phase('Failed'), 'failed'],
  ['velero.io/backups velero.io/restores', phase('FailedValidation'), 'failed'],
  ['velero.io/backups velero.io/restores', phase('FinalizingPartiallyFailed'), 'pending'],
  ['postgresql.cnpg.io/backups', phase('completed'), 'reached'],
  ['postgresql.cnpg.io/backups', phase('failed'), 'failed'],
  ['postgresql.cnpg.io/backups', phase('walArchivingFailing'), 'pending'],
  ['db.atlasgo.io/atlasmigrations db.atlasgo.io/atlasschemas', cond('Ready'), 'reached'],
  ['db.atlasgo.io/atlasmigrations', { ...cond('Ready'), observedGeneration: 1 }, 'pending'],
  ['db.atlasgo.io/atlasmigrations', cond('Ready', 'True', 'r', { observedGeneration: 1 }), 'pending'],
  [
    'db.atlasgo.io/atlasmigrations',
    { ...cond('Ready', 'True', 'r', { observedGeneration: 2 }), observedGeneration: 1 },
    'reached',
  ],
  [
    'db.atlasgo.io/atlasmigrations',
    { ...cond('Stalled', 'True', 'r', { observedGeneration: 1 }), failed: 21 },
    'pending',
  ],
  ['db.atlasgo.io/atlasmigrations db.atlasgo.io/atlasschemas', { ...cond('Stalled'), failed: 20 }, 'pending'],
  ['db.atlasgo.io/atlasmigrations db.atlasgo.io/atlasschemas', { ...cond('Stalled'), failed: 21 }, 'failed'],
  ['db.atlasgo.io/atlasmigrations', { ...cond('Stalled'), failed: 3 }, 'failed', { backoffLimit: 2 }],
  ['db.atlasgo.io/atlasmigrations', { ...cond('Stalled'), failed: 3 }, 'pending', { backoffLimit: 0 }],
  ['schemas.schemahero.io/migrations', { executedAt: 5 }, 'reached'],
  ['schemas.schemahero.io/migrations', { executedAt: 0, phase: 'EXECUTED' }, 'pending'],
  ['k8s.mariadb.com/sqljobs k8s.mariadb.com/backups', cond('Complete', 'True', 'JobComplete'), 'reached'],
  ['k8s.mariadb.com/restores k8s.mariadb.com/backups', cond('Complete', 'True', 'CronJobSuccess'), 'reached'],
  ['k8s.mariadb.com/sqljobs k8s.mariadb.com/restores', cond('Complete', 'True', 'JobFailed'), 'failed'],
  ['k8s.mariadb.com/sqljobs', cond('Complete', 'False', 'Failed'), 'pending'],
  [
    'k8up.io/backups k8up.io/restores k8up.io/checks k8up.io/prunes k8up.io/archives',
    cond('Completed', 'True', 'Succeeded'),
    'reached',
  ],
  [
    'k8up.io/backups k8up.io/restores k8up.io/checks k8up.io/prunes k8up.io/archives',
    cond('Completed', 'True', 'Failed'),
    'failed',
  ],
  ['k8up.io/backups', cond('Ready'), 'pending'],
  ['k8up.io/backups', cond('PreBackupPodReady', 'False', 'Failed'), 'failed'],
  ['k8up.io/backups', cond('PreBackupPodReady', 'False', 'NoPreBackupPodsFound'), 'pending'],
  [
    'k8up.io/backups',
    conds(cond('Completed', 'True', 'Succeeded'), cond('PreBackupPodReady', 'False', 'CreationFailed')),
    'failed',
  ],
  ['pxc.percona.com/perconaxtradbclusterbackups', state('Succeeded'), 'reached'],
  ['pxc.percona.com/perconaxtradbclusterrestores', state('Failed'), 'failed'],
  ['pxc.percona.com/perconaxtradbclusterbackups', state('Suspended'), 'pending'],
  ['psmdb.percona.com/perconaservermongodbbackups', state('ready'), 'reached'],
  ['psmdb.percona.com/perconaservermongodbrestores', state('error'), 'failed'],
  ['psmdb.percona.com/perconaservermongodbrestores', state('running'), 'pending'],
  ['pgv2.percona.com/perconapgbackups', state('Succeeded'), 'reached'],
  ['pgv2.percona.com/perconapgrestores', state('Failed'), 'failed'],
  ['shipwright.io/buildruns kpack.io/builds', cond('Succeeded'), 'reached'],
  ['shipwright.io/buildruns kpack.io/builds', cond('Succeeded', 'False'), 'failed'],
  ['shipwright.io/buildruns kpack.io/builds', cond('Succeeded', 'Unknown'), 'pending'],
  ['build.openshift.io/builds', phase('Complete'), 'reached'],
  ['build.openshift.io/builds', phase('Cancelled'), 'failed'],
  ['argoproj.io/analysisruns argoproj.io/experiments', phase('Successful'), 'reached'],
  ['argoproj.io/analysisruns argoproj.io/experiments', phase('Inconclusive'), 'failed'],
  ['argoproj.io/analysisruns', phase('Running'), 'pending'],
  ['kubeflow.org/experiments', cond('Succeeded'), 'reached'],
  ['kubeflow.org/experiments', cond('Failed'), 'failed'],
  ['workload.codeflare.dev/appwrappers', phase('Succeeded'), 'reached'],
  ['workload.codeflare.dev/appwrappers', phase('Failed'), 'failed'],
  ['workload.codeflare.dev/appwrappers', phase('Resetting'), 'pending'],
];

describe('a known custom kind', () => {
  test.for(rows)('%s: %o is %s', ([kinds, status, outcome, spec, version]) => {
    for (const kind of kinds.split(' ')) expect(judge(kind, status, spec, version)).toMatchObject({ state: outcome });
  });

  test('is found by its group and resource, not by the resource alone', () => {
    expect(judge('velero.io/backups', phase('completed'))).toMatchObject({ state: 'pending' });
    expect(judge('postgresql.cnpg.io/backups', phase('Completed'))).toMatchObject({ state: 'pending' });
    expect(judge('argoproj.io/experiments', cond('Succeeded'))).toMatchObject({ state: 'pending' });
    expect(judge('kubeflow.org/experiments', phase('Successful'))).toMatchObject({ state: 'pending' });
    expect(judge('example.com/workflows', phase('Succeeded'))).toMatchObject({ state: 'pending' });
  });

  test('without a status is pending', () => {
    for (const kind of new Set(rows.flatMap(([kinds]) => kinds.split(' ')))) {
      for (const status of [undefined, {}, { conditions: 'none' }, { conditions: [{ status: 'True' }] }]) {
        expect(judge(kind, status)).toMatchObject({ state: 'pending' });
      }
    }
  });

  test('a task is terminal, and its generation does not matter', () => {
    expect(judge('jobset.x-k8s.io/jobsets', cond('Completed', 'True', 'Done', { observedGeneration: 1 }))).toEqual({
      state: 'reached',
      lasting: 'terminal',
      why: {
        code: 'condition',
        wanted: 'Completed=True',
        condition: expect.objectContaining({ type: 'Completed', reason: 'Done' }),
        stale: false,
      },
    });
  });

  test('a failure is explained by the state that decided', () => {
    expect(
      judge('jobset.x-k8s.io/jobsets', conds(cond('Failed', 'True', 'Limit'), cond('Completed', 'False'))),
    ).toEqual({
      state: 'failed',
      why: expect.objectContaining({ wanted: 'Failed=True', condition: expect.objectContaining({ reason: 'Limit' }) }),
    });
    expect(judge('argoproj.io/workflows', { phase: 'Error', message: 'no such template' })).toEqual({
      state: 'failed',
      why: { code: 'phase', phase: 'Error', reason: undefined, message: 'no such template' },
    });
  });
});

describe('every other custom kind', () => {
  const stale = { observedGeneration: 1 };
  test.each<[string, Json, Outcome]>([
    ['Ready=True', cond('Ready'), 'reached'],
    ['Ready=True of an earlier generation', cond('Ready', 'True', 'r', stale), 'pending'],
    ['Ready=True, the status of an earlier generation', { ...cond('Ready'), ...stale }, 'pending'],
    ['Ready=False', cond('Ready', 'False'), 'pending'],
    ['Ready=False and Succeeded=True', conds(cond('Ready', 'False'), cond('Succeeded')), 'pending'],
    ['Succeeded=True without Ready', cond('Succeeded'), 'reached'],
    ['Succeeded=True of an earlier generation', cond('Succeeded', 'True', 'r', stale), 'pending'],
    ['Succeeded=Unknown', cond('Succeeded', 'Unknown'), 'pending'],
    ['Succeeded=False', cond('Succeeded', 'False'), 'pending'],
    ['Succeeded=False with a completionTime', { ...cond('Succeeded', 'False'), completionTime: 't' }, 'failed'],
    ['Failed=True', cond('Failed'), 'pending'],
    ['Failed=True with a completionTime', { ...cond('Failed'), completionTime: 't' }, 'failed'],
    ['Failed=False with a completionTime', { ...cond('Failed', 'False'), completionTime: 't' }, 'pending'],
    [
      'Failed=True with a completionTime, of an earlier generation',
      { ...cond('Failed', 'True', 'r', stale), completionTime: 't' },
      'pending',
    ],
    ['Stalled=True', cond('Stalled'), 'failed'],
    ['Stalled=True and Ready=False', conds(cond('Ready', 'False'), cond('Stalled')), 'failed'],
    ['Stalled=True and Reconciling=True', conds(cond('Reconciling'), cond('Stalled')), 'pending'],
    ['Stalled=True and Reconciling=False', conds(cond('Reconciling', 'False'), cond('Stalled')), 'failed'],
    ['Stalled=True of an earlier generation', cond('Stalled', 'True', 'r', stale), 'pending'],
    ['Completed=True, Finished=True', conds(cond('Completed'), cond('Finished')), 'pending'],
    ['a phase', phase('Succeeded'), 'pending'],
  ])('%s: %o is %s', (_, status, outcome) => {
    expect(judge('example.com/things', status)).toMatchObject({ state: outcome });
  });
});

test('docs/custom-kinds.md lists exactly the known kinds, and each has a row above', () => {
  const page = readFileSync(path.join(import.meta.dirname, '..', '..', '..', 'docs', 'custom-kinds.md'), 'utf8');
  const cells = [...page.matchAll(/^\| (\S+\.\S+) \| ([^|]+) \|/gm)];
  const listed = cells.flatMap(([, group, names = '']) => names.split(', ').map((name) => `${group}/${name.trim()}`));
  const known = [...BY_KIND.keys()].map((key) => key.split('/').slice(0, 2).join('/'));
  expect(listed.sort()).toEqual([...new Set(known)].sort());
  const tested = new Set(rows.flatMap(([kinds]) => kinds.split(' ')));
  expect([...new Set(known)].filter((kind) => !tested.has(kind))).toEqual([]);
});
