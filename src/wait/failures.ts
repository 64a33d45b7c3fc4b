import { field, number, text } from '../json.ts';
import type { KubeObject } from '../kube/object.ts';
import { keyOf } from '../verdict/index.ts';
import { containerStatuses } from '../verdict/pod.ts';
import { PODS } from './others.ts';
import { isDenied, type Scene } from './scene.ts';
import type { Memory, Want } from './state.ts';
import { podSelectorOfJob } from './stuck.ts';
import { wantOf } from './want.ts';

/** How long active pods of a Job may be unready before they are read. */
const UNREADY_MS = 5_000;
/** Of a Job with more active pods some are always starting: that is no sign of trouble. */
const FEW_PODS = 10;
/**
 * Up to so many tries, such a Job has failed with the first restart, which kubelet does not delay: there is no time to
 * wait for a sign. https://github.com/kubernetes/kubernetes/blob/v1.36.0/pkg/controller/job/job_controller.go, pastBackoffLimitOnFailure
 */
const NO_RESTART_BACKOFF_LIMIT = 1;
/** How many failed pods are remembered. */
const KEPT = 3;

interface Failures {
  readonly memory: Memory;
  readonly wants: readonly Want[];
  readonly wakeAt: number | undefined;
}

/**
 * Remembers the pods of a Job that have failed: under restartPolicy OnFailure, and with activeDeadlineSeconds, the Job
 * controller deletes them before it says that the Job has failed. They are watched from the first sign of trouble on,
 * where pods may be read. Their containers also explain why a Job does not end.
 */
export function rememberFailures(scene: Scene): Failures {
  const { target, memory, collections, now } = scene;
  const none: Failures = { memory, wants: [], wakeAt: undefined };
  if (keyOf(target.resource) !== 'batch/jobs' || scene.plan.explains === 'nothing') return none;
  const here = [...memory.members.values()].filter(
    (member) => member.presence === 'here' && member.verdict.state === 'pending',
  );
  let wakeAt: number | undefined;
  let { unreadySince } = memory;
  // Between two crashes the containers that are restarted in place are ready for a moment.
  if (!here.some(({ object }) => signOfTrouble(object) === 'unready' || isRestartedInPlace(object))) {
    unreadySince = undefined;
  }
  const wants: Want[] = [];
  for (const { object } of here) {
    const sign = signOfTrouble(object);
    if (sign === 'unready') {
      unreadySince ??= now;
      if (now < unreadySince + UNREADY_MS) {
        wakeAt = unreadySince + UNREADY_MS;
        continue;
      }
    }
    const labelSelector = podSelectorOfJob(object);
    if (sign === 'none' || labelSelector === undefined) continue;
    const { namespace } = object.metadata;
    const mode = sign === 'unready' && !isRestartedInPlace(object) ? 'once' : 'watch';
    wants.push(wantOf({ resource: PODS, namespace, labelSelector, mode, keep: 'verdict' }, 'optional'));
  }
  const allowed = wants.filter((want) => !memory.refused.has(want.key));
  const refused = new Set(memory.refused);
  const failed = new Map(memory.failedPods);
  const unreadyPods = allowed.flatMap((want) => [...(collections.get(want.key)?.objects?.values() ?? [])]);
  for (const want of allowed) {
    const state = collections.get(want.key);
    if (isDenied(state?.trouble)) refused.add(want.key);
    for (const pod of state?.objects?.values() ?? []) if (hasFailed(pod)) failed.set(pod.metadata.uid, pod);
  }
  const failedPods = new Map([...failed].slice(-KEPT));
  const wanted = allowed.filter((want) => !refused.has(want.key));
  return { memory: { ...memory, refused, failedPods, unreadySince, unreadyPods }, wants: wanted, wakeAt };
}

/** A container that is restarted in place, or that ended with 0 beside another one, shows only as a pod that is not ready. */
function signOfTrouble(job: KubeObject): 'failed' | 'unready' | 'over at once' | 'none' {
  if ((number(job, 'status', 'failed') ?? 0) > 0) return 'failed';
  const active = number(job, 'status', 'active') ?? 0;
  if (active === 0) return 'none';
  const backoffLimit = number(job, 'spec', 'backoffLimit') ?? Number.POSITIVE_INFINITY;
  if (isRestartedInPlace(job) && backoffLimit <= NO_RESTART_BACKOFF_LIMIT) return 'over at once';
  if (!isRestartedInPlace(job) && active > FEW_PODS) return 'none';
  return (number(job, 'status', 'ready') ?? 0) < active ? 'unready' : 'none';
}

function isRestartedInPlace(job: KubeObject): boolean {
  return text(job, 'spec', 'restartPolicy') === 'OnFailure';
}

/** Whether a container of the pod has ended badly, now or before it was started again, or the pod as a whole has. */
export function hasFailed(pod: KubeObject): boolean {
  if (text(pod, 'status', 'phase') === 'Failed') return true;
  return containerStatuses(pod).some((status) =>
    ['state', 'lastState'].some((when) => {
      const exitCode = field(status, when, 'terminated', 'exitCode');
      return typeof exitCode === 'number' && exitCode !== 0;
    }),
  );
}
