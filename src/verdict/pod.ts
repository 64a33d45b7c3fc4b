import { field, list, number, text } from '../json.ts';
import type { KubeObject, Projection } from '../kube/object.ts';
import { conditions, conditionTrue } from './conditions.ts';
import { type ContainerFacts, failed, pending, reached, type Verdict, type Why } from './verdict.ts';

/** What is kept of a pod: of ten thousand pods the specs alone would not fit. */
export const projectPod: Projection = (json, metadata) => ({
  metadata,
  spec: { restartPolicy: field(json, 'spec', 'restartPolicy') },
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

function projectContainer(status: unknown): unknown {
  return { name: field(status, 'name'), restartCount: field(status, 'restartCount'), state: field(status, 'state') };
}

/**
 * Judges a pod by itself. A pod that Kubernetes restarts for ever (restartPolicy Always) is a service and is done when
 * it is ready; any other is a task and is done when it has ended.
 * https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-phase
 */
export function judgePod(pod: KubeObject, goal: 'default' | 'complete' | 'finished' | 'ready'): Verdict {
  const phase = text(pod, 'status', 'phase');
  const why = facts(pod);
  if (phase === 'Succeeded') return reached('terminal', why);
  if (phase === 'Failed') return goal === 'finished' ? reached('terminal', why) : failed(why);
  const wantsReady = goal === 'ready' || (goal === 'default' && isService(pod));
  if (wantsReady && conditionTrue(pod, 'Ready') !== undefined) return reached('level', why);
  return pending(why);
}

/** Whether a pod is restarted for ever. The API server fills restartPolicy in; Always is its default. */
export function isService(pod: KubeObject): boolean {
  return (text(pod, 'spec', 'restartPolicy') ?? 'Always') === 'Always';
}

/** Reasons to wait that pass by themselves on every start. */
const ON_THE_WAY: ReadonlySet<string> = new Set(['ContainerCreating', 'PodInitializing']);

function facts(pod: KubeObject): Why {
  const phase = text(pod, 'status', 'phase') ?? 'Pending';
  const statuses = [...list(pod, 'status', 'initContainerStatuses'), ...list(pod, 'status', 'containerStatuses')];
  const containers = statuses.flatMap((status) => container(status) ?? []);
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

function container(status: unknown): ContainerFacts | undefined {
  const name = text(status, 'name') ?? '';
  const restarts = number(status, 'restartCount') ?? 0;
  const waiting = text(status, 'state', 'waiting', 'reason');
  if (waiting !== undefined && !ON_THE_WAY.has(waiting)) {
    const message = text(status, 'state', 'waiting', 'message');
    return { name, state: 'waiting', reason: waiting, message, exitCode: undefined, signal: undefined, restarts };
  }
  const exitCode = number(status, 'state', 'terminated', 'exitCode');
  if (exitCode === undefined || exitCode === 0) return undefined;
  const terminated = field(status, 'state', 'terminated');
  return {
    name,
    state: 'terminated',
    reason: text(terminated, 'reason'),
    message: text(terminated, 'message'),
    exitCode,
    signal: number(terminated, 'signal'),
    restarts,
  };
}
