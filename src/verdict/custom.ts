import { field, number, text } from '../json.ts';
import type { KubeObject } from '../kube/object.ts';
import { conditions } from './conditions.ts';
import { isStale } from './generation.ts';
import { judgeCondition } from './simple.ts';
import { failed, pending, reached, type Verdict, type Why } from './verdict.ts';

/** One question about an object's status, and the facts that a message shows for it. */
interface Check {
  readonly holds: (object: KubeObject) => boolean;
  readonly why: (object: KubeObject) => Why;
}

/** When objects of a known kind are done, and when they have failed for good: a state that a retry can leave is neither. */
interface KnownKind {
  /** Group and resource for every version, or with `/VERSION` for one. */
  readonly kinds: readonly string[];
  readonly reached: Check;
  /** Checked first. Left out: the kind never fails for good. */
  readonly failed?: Check;
  /** `task`: the verdict is terminal. `level`: it must hold at the current generation. */
  readonly lasting: 'task' | 'level';
  /** Where the project states the rule. */
  readonly link: string;
}

/** A condition has this status, and one of these reasons if any are given. */
function condition(type: string, status = 'True', ...reasons: readonly string[]): Check {
  const find = (object: KubeObject) => conditions(object).find((one) => one.type === type);
  return {
    holds: (object) => {
      const found = find(object);
      return found?.status === status && (reasons.length === 0 || reasons.includes(found.reason ?? ''));
    },
    why: (object) => ({ code: 'condition', wanted: `${type}=${status}`, condition: find(object), stale: false }),
  };
}

/** The same, of the current generation. */
function current(type: string, status: string): Check {
  const check = condition(type, status);
  return unless(check, (object) =>
    isStale(
      object,
      conditions(object).find((one) => one.type === type),
    ),
  );
}

/** A field of the status has one of these values. */
function status(path: string, ...values: readonly string[]): Check {
  const value = (object: KubeObject) => text(object, 'status', ...path.split('.'));
  return {
    holds: (object) => values.includes(value(object) ?? ''),
    why: (object) => ({
      code: 'phase',
      phase: value(object) ?? 'Pending',
      reason: text(object, 'status', 'reason'),
      message: text(object, 'status', 'message'),
    }),
  };
}

const both = (first: Check, second: Check): Check => ({
  holds: (object) => first.holds(object) && second.holds(object),
  why: first.why,
});
const either = (first: Check, second: Check): Check => ({
  holds: (object) => first.holds(object) || second.holds(object),
  why: (object) => (first.holds(object) ? first : second).why(object),
});
const unless = (check: Check, exception: (object: KubeObject) => boolean): Check => ({
  holds: (object) => check.holds(object) && !exception(object),
  why: check.why,
});

const isEvicted = (job: KubeObject): boolean =>
  condition('Failed', 'True', 'MPIJobEvicted').holds(job) && field(job, 'status', 'completionTime') === undefined;
const PRE_BACKUP_FAILED = unless(
  condition('PreBackupPodReady', 'False'),
  condition('PreBackupPodReady', 'False', 'Succeeded', 'Waiting', 'NoPreBackupPodsFound', 'Ready').holds,
);
const hasRetriesLeft = (object: KubeObject): boolean => {
  const backoffLimit = number(object, 'spec', 'backoffLimit') ?? 20;
  return backoffLimit <= 0 || (number(object, 'status', 'failed') ?? 0) <= backoffLimit;
};

/** Custom resources of batch and backup tools that have no condition Ready, or one that means something else. */
const KNOWN: readonly KnownKind[] = [
  {
    kinds: ['jobset.x-k8s.io/jobsets'],
    reached: condition('Completed'),
    failed: condition('Failed'),
    lasting: 'task',
    link: 'https://github.com/kubernetes-sigs/jobset/blob/08dfbdfd/api/jobset/v1alpha2/jobset_types.go',
  },
  {
    kinds: ['argoproj.io/workflows'],
    reached: status('phase', 'Succeeded'),
    failed: status('phase', 'Failed', 'Error'),
    lasting: 'task',
    link: 'https://github.com/argoproj/argo-workflows/blob/f016ad89eb/pkg/apis/workflow/v1alpha1/workflow_phase.go',
  },
  {
    kinds: ['tekton.dev/taskruns', 'tekton.dev/pipelineruns', 'tekton.dev/customruns'],
    reached: condition('Succeeded'),
    failed: condition('Succeeded', 'False'),
    lasting: 'task',
    link: 'https://github.com/tektoncd/pipeline/blob/3ee1745ae/pkg/apis/pipeline/v1/taskrun_types.go',
  },
  {
    kinds: [
      'kubeflow.org/pytorchjobs',
      'kubeflow.org/tfjobs',
      'kubeflow.org/xgboostjobs',
      'kubeflow.org/paddlejobs',
      'kubeflow.org/jaxjobs',
    ],
    reached: condition('Succeeded'),
    failed: condition('Failed'),
    lasting: 'task',
    link: 'https://github.com/kubeflow/training-operator/blob/078ec30/pkg/apis/kubeflow.org/v1/common_types.go',
  },
  {
    kinds: ['kubeflow.org/mpijobs'],
    reached: condition('Succeeded'),
    failed: unless(condition('Failed'), condition('Succeeded').holds),
    lasting: 'task',
    link: 'https://github.com/kubeflow/training-operator/blob/078ec30/pkg/apis/kubeflow.org/v1/common_types.go',
  },
  {
    // After an eviction the launcher still runs and can succeed.
    kinds: ['kubeflow.org/mpijobs/v2beta1'],
    reached: condition('Succeeded'),
    failed: unless(condition('Failed'), (job) => condition('Succeeded').holds(job) || isEvicted(job)),
    lasting: 'task',
    link: 'https://github.com/kubeflow/mpi-operator/blob/caa3c47/pkg/controller/mpi_job_controller_status.go',
  },
  {
    kinds: ['trainer.kubeflow.org/trainjobs'],
    reached: condition('Complete'),
    failed: condition('Failed'),
    lasting: 'task',
    link: 'https://github.com/kubeflow/trainer/blob/8c0f5059b/pkg/util/trainjob/trainjob.go',
  },
  {
    // jobStatus FAILED alone is followed by another attempt while spec.backoffLimit allows one.
    kinds: ['ray.io/rayjobs'],
    reached: both(status('jobStatus', 'SUCCEEDED'), status('jobDeploymentStatus', 'Complete')),
    failed: either(
      status('jobDeploymentStatus', 'Failed', 'ValidationFailed'),
      both(status('jobStatus', 'STOPPED'), status('jobDeploymentStatus', 'Complete')),
    ),
    lasting: 'task',
    link: 'https://github.com/ray-project/kuberay/blob/feeaf72fa/ray-operator/apis/ray/v1/rayjob_types.go',
  },
  {
    kinds: ['sparkoperator.k8s.io/sparkapplications'],
    reached: status('applicationState.state', 'COMPLETED'),
    failed: status('applicationState.state', 'FAILED'),
    lasting: 'task',
    link: 'https://github.com/kubeflow/spark-operator/blob/38082f33/api/v1beta2/sparkapplication_types.go',
  },
  {
    kinds: ['batch.volcano.sh/jobs'],
    reached: status('state.phase', 'Completed'),
    failed: status('state.phase', 'Failed', 'Terminated'),
    lasting: 'task',
    link: 'https://github.com/volcano-sh/apis/blob/536f121/pkg/apis/batch/v1alpha1/job.go',
  },
  {
    kinds: ['kueue.x-k8s.io/workloads'],
    reached: condition('Finished', 'True', 'Succeeded'),
    failed: condition('Finished', 'True', 'Failed', 'OutOfSync', 'OwnerNotFound'),
    lasting: 'task',
    link: 'https://github.com/kubernetes-sigs/kueue/blob/ff69552e79/apis/kueue/v1beta2/workload_types.go',
  },
  {
    kinds: ['velero.io/backups', 'velero.io/restores'],
    reached: status('phase', 'Completed'),
    failed: status('phase', 'Failed', 'PartiallyFailed', 'FailedValidation'),
    lasting: 'task',
    link: 'https://github.com/vmware-tanzu/velero/blob/d30d389b5/pkg/apis/velero/v1/backup_types.go',
  },
  {
    kinds: ['postgresql.cnpg.io/backups'],
    reached: status('phase', 'completed'),
    failed: status('phase', 'failed'),
    lasting: 'task',
    link: 'https://github.com/cloudnative-pg/cloudnative-pg/blob/a95a534db/api/v1/backup_types.go',
  },
  {
    // Stalled=True alone is set after the first failed attempt.
    kinds: ['db.atlasgo.io/atlasmigrations', 'db.atlasgo.io/atlasschemas'],
    reached: current('Ready', 'True'),
    failed: unless(current('Stalled', 'True'), hasRetriesLeft),
    lasting: 'level',
    link: 'https://github.com/ariga/atlas-operator/blob/c120407/api/v1alpha1/atlasmigration_types.go',
  },
  {
    // A failed statement is applied again, and the phase can be missing after a write conflict.
    kinds: ['schemas.schemahero.io/migrations'],
    reached: {
      holds: (migration) => (number(migration, 'status', 'executedAt') ?? 0) > 0,
      why: status('phase').why,
    },
    lasting: 'task',
    link: 'https://github.com/schemahero/schemahero/blob/2fc66045/pkg/apis/schemas/v1alpha4/migration_types.go',
  },
  {
    // A failed Job is Complete=True as well.
    kinds: ['k8s.mariadb.com/sqljobs', 'k8s.mariadb.com/backups', 'k8s.mariadb.com/restores'],
    reached: condition('Complete', 'True', 'JobComplete', 'CronJobSuccess'),
    failed: condition('Complete', 'True', 'JobFailed'),
    lasting: 'task',
    link: 'https://github.com/mariadb-operator/mariadb-operator/blob/8970edf8/pkg/condition/complete.go',
  },
  {
    // Ready=True is set while the Job runs.
    kinds: ['backups', 'restores', 'checks', 'prunes', 'archives'].map((name) => `k8up.io/${name}`),
    reached: condition('Completed', 'True', 'Succeeded'),
    failed: either(
      unless(condition('Completed'), condition('Completed', 'True', 'Succeeded').holds),
      PRE_BACKUP_FAILED,
    ),
    lasting: 'task',
    link: 'https://github.com/k8up-io/k8up/blob/80a2ae8c/api/v1/status.go',
  },
  {
    kinds: ['pxc.percona.com/perconaxtradbclusterbackups', 'pxc.percona.com/perconaxtradbclusterrestores'],
    reached: status('state', 'Succeeded'),
    failed: status('state', 'Failed'),
    lasting: 'task',
    link: 'https://github.com/percona/percona-xtradb-cluster-operator/blob/b3b0b10/pkg/apis/pxc/v1/pxc_backup_types.go',
  },
  {
    kinds: ['psmdb.percona.com/perconaservermongodbbackups', 'psmdb.percona.com/perconaservermongodbrestores'],
    reached: status('state', 'ready'),
    failed: status('state', 'error'),
    lasting: 'task',
    link: 'https://github.com/percona/percona-server-mongodb-operator/blob/b15af5003/pkg/apis/psmdb/v1/perconaservermongodbbackup_types.go',
  },
  {
    kinds: ['pgv2.percona.com/perconapgbackups', 'pgv2.percona.com/perconapgrestores'],
    reached: status('state', 'Succeeded'),
    failed: status('state', 'Failed'),
    lasting: 'task',
    link: 'https://github.com/percona/percona-postgresql-operator/blob/adafb34ff/pkg/apis/pgv2.percona.com/v2/perconapgbackup_types.go',
  },
  {
    kinds: ['shipwright.io/buildruns'],
    reached: condition('Succeeded'),
    failed: condition('Succeeded', 'False'),
    lasting: 'task',
    link: 'https://github.com/shipwright-io/build/blob/85aa66454/pkg/apis/build/v1beta1/buildrun_types.go',
  },
  {
    kinds: ['kpack.io/builds'],
    reached: condition('Succeeded'),
    failed: condition('Succeeded', 'False'),
    lasting: 'task',
    link: 'https://github.com/buildpacks-community/kpack/blob/bfa95d79/pkg/apis/build/v1alpha2/build.go',
  },
  {
    kinds: ['build.openshift.io/builds'],
    reached: status('phase', 'Complete'),
    failed: status('phase', 'Failed', 'Error', 'Cancelled'),
    lasting: 'task',
    link: 'https://github.com/openshift/api/blob/2a3d73913/build/v1/types.go',
  },
  {
    kinds: ['argoproj.io/analysisruns', 'argoproj.io/experiments'],
    reached: status('phase', 'Successful'),
    failed: status('phase', 'Failed', 'Error', 'Inconclusive'),
    lasting: 'task',
    link: 'https://github.com/argoproj/argo-rollouts/blob/9f8d111d8/pkg/apis/rollouts/v1alpha1/analysis_types.go',
  },
  {
    kinds: ['kubeflow.org/experiments'],
    reached: condition('Succeeded'),
    failed: condition('Failed'),
    lasting: 'task',
    link: 'https://github.com/kubeflow/katib/blob/33c8ff4e5/pkg/apis/controller/experiments/v1beta1/experiment_types.go',
  },
  {
    kinds: ['workload.codeflare.dev/appwrappers'],
    reached: status('phase', 'Succeeded'),
    failed: status('phase', 'Failed'),
    lasting: 'task',
    link: 'https://github.com/project-codeflare/appwrapper/blob/b47a99e/api/v1beta2/appwrapper_types.go',
  },
];

/** The rows by group and resource, `jobset.x-k8s.io/jobsets`, and those for one version by `GROUP/RESOURCE/VERSION`. */
export const BY_KIND: ReadonlyMap<string, KnownKind> = new Map(
  KNOWN.flatMap((known) => known.kinds.map((kind) => [kind, known] as const)),
);

/** Whether objects of a known custom kind end by themselves. `kind`: group and resource, `jobset.x-k8s.io/jobsets`. */
export function isKnownTask(kind: string): boolean {
  return BY_KIND.get(kind)?.lasting === 'task';
}

/**
 * Judges a custom resource: by its row if the kind is known, otherwise by the conditions that most controllers set.
 * `kind`: group and resource.
 */
export function judgeCustom(object: KubeObject, kind: string, version: string): Verdict {
  const known = BY_KIND.get(`${kind}/${version}`) ?? BY_KIND.get(kind);
  if (known === undefined) return judgeUnknown(object);
  const { lasting } = known;
  if (known.failed?.holds(object)) return failed(known.failed.why(object));
  const why = known.reached.why(object);
  return known.reached.holds(object) ? reached(lasting === 'task' ? 'terminal' : 'level', why) : pending(why);
}

/**
 * The rule for every other custom resource. Conditions of an earlier generation decide nothing.
 * https://github.com/kubernetes-sigs/cli-utils/blob/5895ad6c/pkg/kstatus/README.md (Ready, Reconciling, Stalled)
 */
function judgeUnknown(object: KubeObject): Verdict {
  const current = conditions(object).filter((one) => !isStale(object, one));
  const has = (type: string, status: string): boolean =>
    current.some((one) => one.type === type && one.status === status);
  const as = (type: string, status: string): Why => condition(type, status).why(object);
  if (has('Stalled', 'True') && !has('Reconciling', 'True')) return failed(as('Stalled', 'True'));
  // Before the end a controller may still retry.
  if (field(object, 'status', 'completionTime') !== undefined) {
    if (has('Failed', 'True')) return failed(as('Failed', 'True'));
    if (has('Succeeded', 'False')) return failed(as('Succeeded', 'False'));
  }
  const types = conditions(object).map(({ type }) => type);
  return judgeCondition(object, !types.includes('Ready') && types.includes('Succeeded') ? 'Succeeded' : 'Ready');
}
