import { field, text } from '../json.ts';
import type { KubeObject } from '../kube/object.ts';
import { judgeJob } from './job.ts';
import { controllerOf } from './owner.ts';
import { pending, reached, type Verdict } from './verdict.ts';

/**
 * Judges a CronJob by its newest scheduled Job. Its own status tells too little: a run that was started by hand sets
 * lastSuccessfulTime as well. A run that failed is told, and the next one is awaited.
 * https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/
 */
export function judgeCronJob(cronJob: KubeObject, jobs: Iterable<KubeObject>, goal: 'complete' | 'finished'): Verdict {
  const suspended = field(cronJob, 'spec', 'suspend') === true;
  const newest = newestScheduled(cronJob, jobs);
  if (newest === undefined) return pending({ code: 'cronjob', suspended, run: undefined });
  const { state, why } = judgeJob(newest, goal);
  const facts = { code: 'cronjob', suspended, run: { name: newest.metadata.name, state, why } } as const;
  return state === 'reached' ? reached('terminal', facts) : pending(facts);
}

/** The newest scheduled Job of a CronJob; undefined: none. */
export function newestScheduled(cronJob: KubeObject, jobs: Iterable<KubeObject>): KubeObject | undefined {
  let newest: { readonly job: KubeObject; readonly at: number } | undefined;
  for (const job of jobs) {
    if (controllerOf(job)?.uid !== cronJob.metadata.uid || isManual(job)) continue;
    const at = scheduledAt(job);
    if (newest === undefined || at > newest.at) newest = { job, at };
  }
  return newest?.job;
}

/** `kubectl create job --from=cronjob/x` says so. */
function isManual(job: KubeObject): boolean {
  return job.metadata.annotations?.['cronjob.kubernetes.io/instantiate'] === 'manual';
}

/** https://kubernetes.io/docs/reference/labels-annotations-taints/#batch-kubernetes-io-cronjob-scheduled-timestamp */
function scheduledAt(job: KubeObject): number {
  const scheduled = job.metadata.annotations?.['batch.kubernetes.io/cronjob-scheduled-timestamp'];
  const time = Date.parse(scheduled ?? text(job, 'metadata', 'creationTimestamp') ?? '');
  return Number.isNaN(time) ? 0 : time;
}
