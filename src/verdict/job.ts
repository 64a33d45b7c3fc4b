import { field, number, text } from '../json.ts';
import type { KubeObject, ObjectMeta, Projection } from '../kube/object.ts';
import { conditionTrue } from './conditions.ts';
import { failed, type JobCounts, pending, reached, type Verdict, type Why } from './verdict.ts';

/** Annotations by which a CronJob's runs are told apart. */
const KEPT_ANNOTATIONS = ['cronjob.kubernetes.io/instantiate', 'batch.kubernetes.io/cronjob-scheduled-timestamp'];

/** What is kept of a Job: its conditions decide, its counters are told. */
export const projectJob: Projection = (json, metadata) => ({
  metadata: withAnnotations(json, metadata),
  spec: {
    completions: field(json, 'spec', 'completions'),
    parallelism: field(json, 'spec', 'parallelism'),
    suspend: field(json, 'spec', 'suspend'),
    backoffLimit: field(json, 'spec', 'backoffLimit'),
    selector: field(json, 'spec', 'selector'),
    restartPolicy: field(json, 'spec', 'template', 'spec', 'restartPolicy'),
  },
  status: json.status,
});

function withAnnotations(json: unknown, metadata: ObjectMeta): ObjectMeta {
  const kept = KEPT_ANNOTATIONS.flatMap((key) => {
    const value = text(json, 'metadata', 'annotations', key);
    return value === undefined ? [] : [[key, value]];
  });
  return kept.length === 0 ? metadata : { ...metadata, annotations: Object.fromEntries(kept) };
}

/** What a Job must come to: success, either end, or an end with at least one succeeded pod. */
export type JobGoal = 'complete' | 'finished' | 'partly';

/**
 * Judges a Job by its conditions, never by its counters: retries, indexes, pod failure and success policies and
 * activeDeadlineSeconds are all the Job controller's to weigh, and its conditions are where it says the result.
 * Only once it has ended, `partly` looks at how many of its pods have succeeded.
 * https://kubernetes.io/docs/concepts/workloads/controllers/job/#job-termination-and-cleanup
 */
export function judgeJob(job: KubeObject, goal: JobGoal): Verdict {
  const isFailed = conditionTrue(job, 'Failed');
  if (isFailed !== undefined) {
    const why = facts(job, isFailed);
    const isDone = goal === 'finished' || (goal === 'partly' && hasSucceededPod(job));
    return isDone ? reached('terminal', why) : failed(why);
  }
  const isComplete = conditionTrue(job, 'Complete');
  if (isComplete !== undefined) {
    const why = facts(job, isComplete);
    return goal === 'partly' && !hasSucceededPod(job) ? failed(why) : reached('terminal', why);
  }
  // Set before the last pods have ended, and never taken back: it will be Failed.
  // https://kubernetes.io/docs/concepts/workloads/controllers/job/#termination-of-job-pods
  const failureTarget = conditionTrue(job, 'FailureTarget');
  if (failureTarget !== undefined) {
    return goal === 'complete' ? failed(facts(job, failureTarget)) : pending(facts(job, failureTarget));
  }
  // Pods may still be running, so the work counts as done only with Complete.
  return pending(facts(job, conditionTrue(job, 'SuccessCriteriaMet')));
}

function hasSucceededPod(job: KubeObject): boolean {
  return (number(job, 'status', 'succeeded') ?? 0) > 0;
}

function facts(job: KubeObject, condition: Extract<Why, { code: 'job' }>['condition']): Why {
  const counts: JobCounts = {
    succeeded: number(job, 'status', 'succeeded') ?? 0,
    active: number(job, 'status', 'active') ?? 0,
    failed: number(job, 'status', 'failed') ?? 0,
    completions: number(job, 'spec', 'completions'),
  };
  const suspended = conditionTrue(job, 'Suspended') !== undefined || field(job, 'spec', 'suspend') === true;
  return { code: 'job', counts, suspended, condition };
}
