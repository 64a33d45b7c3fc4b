import { field, list, text } from '../json.ts';
import type { KubeObject } from '../kube/object.ts';
import { containerFacts, containerStatuses, podFacts } from '../verdict/pod.ts';
import type { ContainerReport, PodReport } from '../wait/events.ts';
import { hasFailed } from '../wait/failures.ts';

/** Which pods and containers are worth telling of. */
export type Interest =
  /** Those that failed or are stuck. */
  | 'failed'
  /** Those that held a target up until the timeout: they may only not have started, or not be ready. */
  | 'held up'
  /** Those that still ran when their time was over, too. */
  | 'cut short';

/** What there is to tell of a pod; undefined where it explains nothing. Its warnings are read by others. */
export function reportOf(pod: KubeObject, interest: Interest): PodReport | undefined {
  const { phase, reason, message } = podFacts(pod);
  const containers = containerStatuses(pod).flatMap((status) => containerReport(status, interest) ?? []);
  const isTold =
    containers.length > 0 || hasFailed(pod) || (interest === 'held up' ? isHeldUp(pod) : isUnscheduled(pod));
  if (!isTold) return undefined;
  return {
    name: pod.metadata.name,
    node: text(pod, 'spec', 'nodeName'),
    phase,
    reason,
    message,
    containers,
    warnings: [],
  };
}

/** Whether events may say more than the pod's status: something that has not ended keeps it from starting. */
export function mayHaveWarnings({ phase, containers }: PodReport): boolean {
  return (phase === 'Pending' || phase === 'Running') && containers.every(({ state }) => state !== 'terminated');
}

/** A container that ended badly, as it is now or before it was started again; else one that waits for a reason. */
function containerReport(status: unknown, interest: Interest): ContainerReport | undefined {
  const name = text(status, 'name') ?? '';
  const now = containerFacts(status, name);
  const before = containerFacts({ ...asRecord(status), state: field(status, 'lastState') }, name);
  if (isBadEnd(now)) return { ...now, instance: 'current', waitsFor: undefined };
  if (isBadEnd(before)) {
    return { ...before, instance: 'previous', waitsFor: now.state === 'waiting' ? now.reason : undefined };
  }
  const isTold =
    now.state === 'waiting' ? waitsForLong(now.reason) : now.state === 'running' && interest === 'cut short';
  return isTold ? { ...now, instance: 'current', waitsFor: undefined } : undefined;
}

function asRecord(status: unknown): object {
  return typeof status === 'object' && status !== null ? status : {};
}

function isBadEnd({ exitCode }: { readonly exitCode: number | undefined }): boolean {
  return exitCode !== undefined && exitCode !== 0;
}

/** Whether a container waits for something that does not pass by itself on every start. */
function waitsForLong(reason: string | undefined): boolean {
  return reason !== undefined && reason !== 'ContainerCreating' && reason !== 'PodInitializing';
}

function isUnscheduled(pod: KubeObject): boolean {
  return conditionIs(pod, 'PodScheduled', 'False');
}

function isHeldUp(pod: KubeObject): boolean {
  const phase = text(pod, 'status', 'phase') ?? 'Pending';
  return phase === 'Pending' || (phase === 'Running' && conditionIs(pod, 'Ready', 'False'));
}

function conditionIs(pod: KubeObject, type: string, status: string): boolean {
  return list(pod, 'status', 'conditions').some((one) => text(one, 'type') === type && text(one, 'status') === status);
}

/** When the last container of a pod ended, in milliseconds; 0 where none has. */
export function endOf(pod: KubeObject): number {
  const ends = containerStatuses(pod).flatMap((status) =>
    ['state', 'lastState'].map((when) => Date.parse(text(status, when, 'terminated', 'finishedAt') ?? '')),
  );
  return Math.max(0, ...ends.filter((end) => !Number.isNaN(end)));
}
