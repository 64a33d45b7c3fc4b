import type { Clock } from '../clock.ts';
import { field, list, number, text } from '../json.ts';
import { type KubeObject, toObject } from '../kube/object.ts';
import { TransportError, whatToDo } from '../kube/problem.ts';
import { collectionPath } from '../kube/resource.ts';
import type { Transport } from '../kube/transport.ts';
import { keyOf, projectionOf } from '../verdict/index.ts';
import { awaited } from '../wait/alternatives.ts';
import type { ContainerReport, PodReport, RunEvent, Unexplained } from '../wait/events.ts';
import { hasFailed } from '../wait/failures.ts';
import { PODS } from '../wait/others.ts';
import type { State, TargetState } from '../wait/state.ts';
import { podSelectorOfJob } from '../wait/stuck.ts';
import { lastLines } from './log-tail.ts';

/** Bounds of an explanation, so that it neither holds an ending up nor floods a log. */
const LIMITS = {
  pods: 3,
  warnings: 3,
  /** What is read of a container's log, of which the end is shown. */
  logBytesRead: 256 * 1024,
  /** A thousand waiters whose Job failed must not read its logs in the same second. */
  spreadMs: 2_000,
  failedMs: 5_000,
  /** A run ends within its timeout, or so. */
  timeoutMs: 900,
} as const;

export interface ExplainDeps {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly random: () => number;
  readonly tell: (event: RunEvent) => void;
  /** How many log lines of each container. */
  readonly logLines: number;
  /** Ends the explanation. */
  readonly signal: AbortSignal;
  /** `spread`: wait for a random moment first, where many of us may do the same. */
  readonly start: 'at once' | 'spread';
}

/**
 * Tells of the pods behind each target that has failed, or that is still pending when the timeout passes: how their
 * containers ended, and their last log lines. What may not be read is said in a line. Ends in a few seconds.
 */
export async function explain(state: State, ending: 'failed' | 'timeout', deps: ExplainDeps): Promise<void> {
  const wanted = ending === 'failed' ? 'failed' : 'pending';
  const targets = awaited(state.targets).filter(
    ({ status, target }) => status.state === wanted && hasPods(target.resource),
  );
  if (targets.length === 0) return;
  if (ending === 'failed' && deps.start === 'spread')
    await deps.clock.sleep(LIMITS.spreadMs * deps.random(), deps.signal);
  const limit = new AbortController();
  const alarm = deps.clock.alarm(ending === 'failed' ? LIMITS.failedMs : LIMITS.timeoutMs, () => limit.abort());
  const stop = (): void => limit.abort();
  deps.signal.addEventListener('abort', stop);
  try {
    if (deps.signal.aborted) return;
    for (const target of targets.slice(0, LIMITS.pods)) await explainTarget(target, ending, deps, limit.signal);
  } finally {
    alarm.cancel();
    deps.signal.removeEventListener('abort', stop);
  }
}

function hasPods(resource: { readonly group: string; readonly name: string }): boolean {
  return keyOf(resource) === 'batch/jobs' || keyOf(resource) === '/pods';
}

async function explainTarget(
  target: TargetState,
  ending: 'failed' | 'timeout',
  deps: ExplainDeps,
  signal: AbortSignal,
): Promise<void> {
  const pods = await podsOf(target, deps, signal);
  if (!Array.isArray(pods)) return deps.tell({ event: 'unexplained', target, cause: pods as Unexplained });
  const telling = pods.filter((pod) => hasFailed(pod) || reportOf(pod).containers.length > 0 || isUnschedulable(pod));
  if (telling.length === 0 && ending === 'failed' && keyOf(target.target.resource) === 'batch/jobs') {
    return deps.tell({ event: 'unexplained', target, cause: { why: 'gone', what: 'pods' } });
  }
  const newest = telling.sort((a, b) => endOf(a) - endOf(b)).slice(-LIMITS.pods);
  for (const pod of newest) await explainPod(target, pod, deps, signal);
}

/** The pods behind a target, or why they cannot be read. Those that were seen to fail count though they are gone. */
async function podsOf(
  { target, memory }: TargetState,
  deps: ExplainDeps,
  signal: AbortSignal,
): Promise<readonly KubeObject[] | Unexplained> {
  const members = [...memory.members.values()].map(({ object }) => object);
  if (keyOf(target.resource) === '/pods') {
    // Pods that a Job owns are judged through it; they are here all the same.
    return members;
  }
  const found = new Map([...memory.failedPods]);
  for (const job of members) {
    const labelSelector = podSelectorOfJob(job);
    if (labelSelector === undefined) continue;
    const search = new URLSearchParams({ labelSelector, limit: '100' });
    try {
      const path = `${collectionPath(PODS, job.metadata.namespace)}?${search}`;
      const json = await (
        await deps.transport.request({ method: 'GET', path, signal, timeoutMs: LIMITS.failedMs })
      ).json();
      for (const item of list(json, 'items')) {
        const pod = toObject(item, projectionOf(PODS, 'verdict'));
        if (pod !== undefined) found.set(pod.metadata.uid, pod);
      }
    } catch (error) {
      if (found.size === 0) return unexplained(error, { resource: 'pods', verb: 'list' });
    }
  }
  return [...found.values()];
}

function unexplained(error: unknown, asked: { resource: 'pods' | 'pods/log'; verb: 'list' | 'get' }): Unexplained {
  if (!(error instanceof TransportError)) throw error;
  const { problem } = error;
  if (whatToDo(problem) === 'refused') return { why: 'refused', ...asked };
  return whatToDo(problem) === 'not-found' ? { why: 'gone', what: 'logs' } : { why: 'problem', problem };
}

async function explainPod(target: TargetState, pod: KubeObject, deps: ExplainDeps, signal: AbortSignal): Promise<void> {
  const report = reportOf(pod);
  const warnings =
    report.containers.some(({ state }) => state === 'waiting') || isUnschedulable(pod)
      ? await warningsOf(pod, deps, signal)
      : [];
  deps.tell({ event: 'pod', target, pod: { ...report, warnings } });
  for (const container of report.containers) {
    if (container.exitCode === undefined || deps.logLines === 0) continue;
    try {
      for (const line of await readLog(pod, container, deps, signal)) {
        deps.tell({ event: 'log', target, pod: report.name, container: container.name, line });
      }
    } catch (error) {
      deps.tell({ event: 'unexplained', target, cause: unexplained(error, { resource: 'pods/log', verb: 'get' }) });
      return;
    }
  }
}

function reportOf(pod: KubeObject): PodReport {
  const statuses = [...list(pod, 'status', 'initContainerStatuses'), ...list(pod, 'status', 'containerStatuses')];
  return {
    name: pod.metadata.name,
    node: text(pod, 'spec', 'nodeName'),
    phase: text(pod, 'status', 'phase') ?? 'Unknown',
    reason: text(pod, 'status', 'reason'),
    message: text(pod, 'status', 'message'),
    containers: statuses.flatMap((status) => containerReport(status) ?? []),
    warnings: [],
  };
}

/** A container that ended badly, as it is now or before it was started again; else one that waits for a reason. */
function containerReport(status: unknown): ContainerReport | undefined {
  const name = text(status, 'name') ?? '';
  const restarts = number(status, 'restartCount') ?? 0;
  for (const instance of ['current', 'previous'] as const) {
    const terminated = field(status, instance === 'current' ? 'state' : 'lastState', 'terminated');
    const exitCode = number(terminated, 'exitCode');
    if (exitCode === undefined || exitCode === 0) continue;
    const [reason, message, signal] = [
      text(terminated, 'reason'),
      text(terminated, 'message'),
      number(terminated, 'signal'),
    ];
    return { name, state: 'terminated', reason, message, exitCode, signal, restarts, instance };
  }
  const reason = text(status, 'state', 'waiting', 'reason');
  if (reason === undefined || reason === 'ContainerCreating' || reason === 'PodInitializing') return undefined;
  const message = text(status, 'state', 'waiting', 'message');
  return {
    name,
    state: 'waiting',
    reason,
    message,
    exitCode: undefined,
    signal: undefined,
    restarts,
    instance: 'current',
  };
}

function isUnschedulable(pod: KubeObject): boolean {
  const scheduled = list(pod, 'status', 'conditions').find((one) => text(one, 'type') === 'PodScheduled');
  return text(scheduled, 'status') === 'False';
}

/** When the last container of a pod ended, in milliseconds, so that the newest failure is told last. */
function endOf(pod: KubeObject): number {
  const statuses = [...list(pod, 'status', 'initContainerStatuses'), ...list(pod, 'status', 'containerStatuses')];
  const ends = statuses.flatMap((status) =>
    ['state', 'lastState'].map((when) => Date.parse(text(status, when, 'terminated', 'finishedAt') ?? '')),
  );
  return Math.max(0, ...ends.filter((end) => !Number.isNaN(end)));
}

/** https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/#read-log-pod-v1-core */
async function readLog(
  { metadata }: KubeObject,
  container: ContainerReport,
  { transport, logLines }: ExplainDeps,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const search = new URLSearchParams({ container: container.name, tailLines: String(logLines) });
  if (container.instance === 'previous') search.set('previous', 'true');
  const path = `${collectionPath(PODS, metadata.namespace)}/${encodeURIComponent(metadata.name)}/log?${search}`;
  const response = await transport.request({ method: 'GET', path, accept: '*/*', signal, timeoutMs: LIMITS.failedMs });
  return await lastLines(response.body, { lines: logLines, bytesRead: LIMITS.logBytesRead });
}

/** The newest warnings about a pod that cannot start; none where events may not be read. */
async function warningsOf(
  pod: KubeObject,
  { transport }: ExplainDeps,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const { namespace, uid } = pod.metadata;
  const search = new URLSearchParams({ fieldSelector: `involvedObject.uid=${uid},type=Warning`, limit: '100' });
  try {
    const path = `/api/v1/namespaces/${namespace}/events?${search}`;
    const json = await (await transport.request({ method: 'GET', path, signal, timeoutMs: LIMITS.failedMs })).json();
    const events = list(json, 'items').map((event) => ({
      at: Date.parse(text(event, 'lastTimestamp') ?? text(event, 'eventTime') ?? '') || 0,
      said: [text(event, 'reason'), text(event, 'message')].filter((part) => part !== undefined).join(': '),
    }));
    const said = events.sort((a, b) => a.at - b.at).map((event) => event.said);
    return [...new Set(said)].slice(-LIMITS.warnings);
  } catch (error) {
    if (error instanceof TransportError) return [];
    throw error;
  }
}
