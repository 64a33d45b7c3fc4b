import { field, text } from '../json.ts';
import type { KubeObject } from '../kube/object.ts';
import { conditions } from '../verdict/conditions.ts';
import { keyOf } from '../verdict/index.ts';
import { controllerOf, isJob } from '../verdict/owner.ts';
import { halfDone, isTerminating } from '../verdict/pod.ts';
import type { TargetState } from './state.ts';

/** Something that may explain why a target is still pending, told once with the first heartbeat. */
export type Hint =
  | { readonly code: 'missing'; readonly kind: 'job' | 'other'; readonly namespace: string | undefined }
  | { readonly code: 'container'; readonly container: string; readonly containers: readonly string[] }
  | { readonly code: 'suspended' }
  | { readonly code: 'paused' }
  /** Only pods of the waiter's own controller could make the target come true. */
  | { readonly code: 'deadlock'; readonly owner: string }
  /** A pod by name that has failed is judged alone, though its Job may try again. */
  | { readonly code: 'owned-by-job'; readonly job: string }
  /** A custom resource without any condition that is awaited by default; it has these, as `TYPE=STATUS`. */
  | { readonly code: 'no-ready-condition'; readonly conditions: readonly string[]; readonly phase: string | undefined }
  /** A claim that may be bound only once a pod uses it. */
  | { readonly code: 'unbound-claim' }
  /** One container of a pod ended with 0 while others still run. */
  | { readonly code: 'half-done'; readonly pod: string; readonly ended: string; readonly running: string };

/** What may explain why a target is pending, or has failed. */
export function hintsOf({ target, memory, status }: TargetState): readonly Hint[] {
  if (status.state === 'failed') {
    const [member] = memory.members.values();
    const owner = member === undefined ? undefined : controllerOf(member.object);
    return target.select.by === 'name' && isJob(owner) ? [{ code: 'owned-by-job', job: owner.name }] : [];
  }
  if (status.state !== 'pending') return [];
  const { why } = status;
  const hints: Hint[] = [];
  if (why.code === 'missing' && why.containers !== undefined) {
    hints.push({ code: 'container', container: target.container ?? '', containers: why.containers });
  } else if (why.code === 'missing') {
    const kind = target.resource.name === 'jobs' ? 'job' : 'other';
    hints.push({ code: 'missing', kind, namespace: target.namespace });
  }
  const told = why.code === 'members' ? why.first?.why : why;
  if (told?.code === 'job' && told.suspended) hints.push({ code: 'suspended' });
  if (told?.code === 'cronjob' && told.suspended) hints.push({ code: 'suspended' });
  if (told?.code === 'rollout' && told.stage === 'paused') hints.push({ code: 'paused' });
  const isDefault = target.goals.some((goal) => goal.for === 'default' || goal.for === 'ready');
  const members = [...memory.members.values()].filter(({ presence }) => presence === 'here');
  const here = members.map(({ object }) => object);
  const allPending = members.filter(({ verdict }) => verdict.state === 'pending').map(({ object }) => object);
  const [pending] = allPending;
  if (target.resource.origin === 'custom' && isDefault && pending !== undefined) {
    if (isSuspended(pending)) hints.push({ code: 'suspended' });
    if (told?.code === 'condition' && told.wanted === 'Ready=True' && told.condition === undefined) {
      const found = conditions(pending).map(({ type, status: value }) => `${type}=${value}`);
      hints.push({ code: 'no-ready-condition', conditions: found, phase: text(pending, 'status', 'phase') });
    }
  }
  const kind = keyOf(target.resource);
  if (kind === '/persistentvolumeclaims' && told?.code === 'phase' && told.phase === 'Pending') {
    hints.push({ code: 'unbound-claim' });
  }
  const pods = kind === '/pods' ? allPending : kind === 'batch/jobs' ? memory.unreadyPods : [];
  const [half] = pods.flatMap((pod) => (isTerminating(pod) ? [] : (halfDone(pod) ?? [])));
  if (half !== undefined) hints.push({ code: 'half-done', ...half });
  const owner = memory.self === undefined ? undefined : controllerOf(memory.self);
  const needed = memory.servedBy ?? here;
  // The pods of a StatefulSet start one after another: one may wait for those that precede it.
  const isAlone = owner !== undefined && needed.every((object) => controllerOf(object)?.uid === owner.uid);
  if (isAlone && !(owner.group === 'apps' && owner.kind === 'StatefulSet')) {
    hints.push({ code: 'deadlock', owner: `${owner.kind.toLowerCase()}/${owner.name}` });
  }
  return hints;
}

/** Whether a custom resource is suspended, in one of the spellings that batch tools use. */
function isSuspended(object: KubeObject): boolean {
  const isTrue = [['suspend'], ['runPolicy', 'suspend']].some((path) => field(object, 'spec', ...path) === true);
  return isTrue || conditions(object).some(({ type, status }) => type === 'Suspended' && status === 'True');
}
