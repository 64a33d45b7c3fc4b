import { field, list, number, text } from '../json.ts';
import type { KubeObject, Projection } from '../kube/object.ts';
import { conditions, conditionTrue } from './conditions.ts';
import type { KindGoal } from './kind-goal.ts';
import { controllerOf, isJob, type Owner, reusesNames } from './owner.ts';
import { type ContainerFacts, failed, pending, reached, type Verdict, type Why } from './verdict.ts';

/** What is kept of a pod: of ten thousand pods the specs alone would not fit. */
export const projectPod: Projection = (json, metadata) => ({
  metadata,
  spec: {
    restartPolicy: field(json, 'spec', 'restartPolicy'),
    nodeName: field(json, 'spec', 'nodeName'),
    initContainers: list(json, 'spec', 'initContainers').map(projectSpec),
    containers: list(json, 'spec', 'containers').map(projectSpec),
  },
  status: {
    phase: field(json, 'status', 'phase'),
    reason: field(json, 'status', 'reason'),
    message: field(json, 'status', 'message'),
    conditions: list(json, 'status', 'conditions').filter(isTold),
    initContainerStatuses: list(json, 'status', 'initContainerStatuses').map(projectContainer),
    containerStatuses: list(json, 'status', 'containerStatuses').map(projectContainer),
  },
});

function isTold(condition: unknown): boolean {
  const type = text(condition, 'type');
  return type === 'Ready' || type === 'PodScheduled';
}

function projectSpec(spec: unknown): unknown {
  return {
    name: field(spec, 'name'),
    restartPolicy: field(spec, 'restartPolicy'),
    restartPolicyRules: field(spec, 'restartPolicyRules'),
  };
}

function projectContainer(status: unknown): unknown {
  return {
    name: field(status, 'name'),
    ready: field(status, 'ready'),
    restartCount: field(status, 'restartCount'),
    state: field(status, 'state'),
    lastState: field(status, 'lastState'),
  };
}

/**
 * Judges a pod by itself. A pod that Kubernetes restarts for ever (restartPolicy Always) is a service and is done when
 * it is ready; any other is a task and is done when it has ended.
 * https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-phase
 */
export function judgePod(pod: KubeObject, goal: KindGoal): Verdict {
  const phase = text(pod, 'status', 'phase');
  const why = podFacts(pod);
  if (phase === 'Succeeded') return reached('terminal', why);
  const anyEnd = goal === 'finished' || goal === 'settled';
  if (phase === 'Failed') return anyEnd ? reached('terminal', why) : failed(why);
  const wantsReady = goal === 'default' ? isService(pod) : goal !== 'complete' && goal !== 'finished';
  if (wantsReady && isReady(pod)) return reached('level', why);
  return pending(why);
}

/** A pod may keep its condition Ready while it terminates, and when its node is lost, but serves no one. */
export function isReady(pod: KubeObject): boolean {
  return !isTerminating(pod) && !hasEnded(pod) && conditionTrue(pod, 'Ready') !== undefined;
}

/** Whether a pod is being deleted. */
export function isTerminating(pod: KubeObject): boolean {
  return pod.metadata.deletionTimestamp !== undefined;
}

/** Whether a pod has ended in either phase: the kubelet starts nothing in it any more. */
export function hasEnded(pod: KubeObject): boolean {
  const phase = text(pod, 'status', 'phase');
  return phase === 'Succeeded' || phase === 'Failed';
}

/** Whether a pod is always restarted. The API server fills in restartPolicy; Always is its default. */
export function isService(pod: KubeObject): boolean {
  return (text(pod, 'spec', 'restartPolicy') ?? 'Always') === 'Always';
}

/**
 * Whether the controller of a pod creates another one in its place: once the pod has ended, in either phase, and once
 * it is deleted. Every controller of services does, of whatever kind; a Job has rules of its own.
 */
export function isReplaced(pod: KubeObject, presence: 'here' | 'gone' = 'here'): boolean {
  return (presence === 'gone' || isTerminating(pod) || hasEnded(pod)) && replacingController(pod) !== undefined;
}

/** Whether a pod has ended and a pod of the same name may follow. */
export function hasSuccessor(pod: KubeObject): boolean {
  const owner = hasEnded(pod) ? replacingController(pod) : undefined;
  return owner !== undefined && reusesNames(owner);
}

function replacingController(pod: KubeObject): Owner | undefined {
  const owner = isService(pod) ? controllerOf(pod) : undefined;
  return isJob(owner) ? undefined : owner;
}

/** What the status of a pod says of its containers, init containers first. */
export function containerStatuses(pod: KubeObject): readonly unknown[] {
  return [...list(pod, 'status', 'initContainerStatuses'), ...list(pod, 'status', 'containerStatuses')];
}

/**
 * A container that ended with 0 although another one still runs, which keeps the pod from ending: a mesh's proxy, mostly.
 * Undefined if there is none.
 */
export function halfDone(
  pod: KubeObject,
): { readonly pod: string; readonly ended: string; readonly running: string } | undefined {
  const containers = list(pod, 'status', 'containerStatuses');
  const name = (found: unknown): string | undefined => text(found, 'name');
  const ended = name(containers.find((status) => number(status, 'state', 'terminated', 'exitCode') === 0));
  const running = name(containers.find((status) => field(status, 'state', 'running') !== undefined));
  if (ended === undefined || running === undefined) return undefined;
  return { pod: pod.metadata.name, ended, running };
}

/** Reasons to wait that pass by themselves on every start. */
const ON_THE_WAY: ReadonlySet<string> = new Set(['ContainerCreating', 'PodInitializing']);

/** How a pod stands, in the API's own words. */
export function podFacts(pod: KubeObject): Extract<Why, { code: 'pod' }> {
  const phase = text(pod, 'status', 'phase') ?? 'Pending';
  const containers = containerStatuses(pod).flatMap((status) => container(status) ?? []);
  let reason = text(pod, 'status', 'reason');
  let message = text(pod, 'status', 'message');
  if (reason === undefined && message === undefined && containers.length === 0) {
    const telling = conditions(pod).find(
      (condition) => condition.status !== 'True' && isTelling(condition.type, phase),
    );
    reason = telling?.reason;
    message = telling?.message;
  }
  return { code: 'pod', phase, reason, message, containers };
}

/** Which condition explains why a pod is not yet done: not scheduled while Pending, not ready while Running. */
function isTelling(type: string, phase: string): boolean {
  return phase === 'Pending' ? type === 'PodScheduled' : phase === 'Running' && type === 'Ready';
}

/** A container that is worth telling of: it ended badly, or waits for something that may not pass by itself. */
function container(status: unknown): ContainerFacts | undefined {
  const facts = containerFacts(status, text(status, 'name') ?? '');
  const waits = facts.state === 'waiting' && facts.reason !== undefined && !ON_THE_WAY.has(facts.reason);
  const endedBadly = facts.exitCode !== undefined && facts.exitCode !== 0;
  return waits || endedBadly ? facts : undefined;
}

/** What a container's status says. One without a status waits. */
export function containerFacts(status: unknown, name: string): ContainerFacts {
  const restarts = number(status, 'restartCount') ?? 0;
  const none = { reason: undefined, message: undefined, exitCode: undefined, signal: undefined };
  const terminated = field(status, 'state', 'terminated');
  if (terminated !== undefined) {
    return {
      name,
      state: 'terminated',
      reason: text(terminated, 'reason'),
      message: text(terminated, 'message'),
      exitCode: number(terminated, 'exitCode'),
      signal: number(terminated, 'signal'),
      restarts,
    };
  }
  if (field(status, 'state', 'running') !== undefined) return { name, state: 'running', ...none, restarts };
  const waiting = field(status, 'state', 'waiting');
  return {
    name,
    state: 'waiting',
    ...none,
    reason: text(waiting, 'reason'),
    message: text(waiting, 'message'),
    restarts,
  };
}
