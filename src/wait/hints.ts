import { controllerOf, isJob } from '../verdict/owner.ts';
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
  /** A custom resource without the condition that is awaited by default. */
  | { readonly code: 'no-ready-condition' };

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
  if (target.resource.origin === 'custom' && isDefault && told?.code === 'condition' && told.condition === undefined) {
    hints.push({ code: 'no-ready-condition' });
  }
  const owner = memory.self === undefined ? undefined : controllerOf(memory.self);
  const here = [...memory.members.values()].filter(({ presence }) => presence === 'here');
  const needed = memory.servedBy ?? here.map(({ object }) => object);
  // The pods of a StatefulSet start one after another: one may wait for those that precede it.
  const isAlone = owner !== undefined && needed.every((object) => controllerOf(object)?.uid === owner.uid);
  if (isAlone && !(owner.group === 'apps' && owner.kind === 'StatefulSet')) {
    hints.push({ code: 'deadlock', owner: `${owner.kind.toLowerCase()}/${owner.name}` });
  }
  return hints;
}
