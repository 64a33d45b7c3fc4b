import type { Clock } from '../clock.ts';
import { list, text } from '../json.ts';
import { type KubeObject, toObject } from '../kube/object.ts';
import { TransportError, whatToDo } from '../kube/problem.ts';
import { collectionPath } from '../kube/resource.ts';
import type { Transport } from '../kube/transport.ts';
import { keyOf, projectionOf } from '../verdict/index.ts';
import { awaited } from '../wait/alternatives.ts';
import type { ContainerReport, PodReport, RunEvent, Unexplained } from '../wait/events.ts';
import { PODS } from '../wait/others.ts';
import type { State, TargetState } from '../wait/state.ts';
import { podSelectorOfJob } from '../wait/stuck.ts';
import { type LogTail, lastLines } from './log-tail.ts';
import { endOf, mayHaveWarnings, reportOf } from './pods.ts';

/** Bounds of an explanation, so that it neither holds an ending up nor floods a log. */
const LIMITS = {
  targets: 3,
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

type DeletedBy = Extract<Unexplained, { why: 'gone' }>['by'];

/** The reason of a Job whose activeDeadlineSeconds have passed. */
const DEADLINE_EXCEEDED = 'DeadlineExceeded';

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
  const targets = awaited(state.targets).filter((target) => target.status.state === wanted && hasPods(target));
  if (targets.length === 0) return;
  const hurries = deps.start === 'at once' || ending === 'timeout' || targets.some(arePodsDeleted);
  if (!hurries) await deps.clock.sleep(LIMITS.spreadMs * deps.random(), deps.signal);
  const limit = new AbortController();
  const limitMs = ending === 'failed' ? LIMITS.failedMs : LIMITS.timeoutMs;
  const alarm = deps.clock.alarm(limitMs, () => limit.abort());
  const stop = (): void => limit.abort();
  deps.signal.addEventListener('abort', stop);
  try {
    if (deps.signal.aborted) return;
    for (const target of targets.slice(0, LIMITS.targets)) {
      await explainTarget(target, ending, deps, limit.signal);
      if (deps.signal.aborted) return;
      if (!limit.signal.aborted) continue;
      const message = `no answer within ${limitMs / 1000} s`;
      deps.tell({ event: 'unexplained', target, cause: { why: 'problem', problem: { kind: 'interrupted', message } } });
      return;
    }
  } finally {
    alarm.cancel();
    deps.signal.removeEventListener('abort', stop);
  }
}

function hasPods({ target: { resource } }: TargetState): boolean {
  return ['batch/jobs', '/pods', '/services'].includes(keyOf(resource));
}

/** Why a Job has failed, in the API's own word. */
function reasonOf({ status }: TargetState): string | undefined {
  if (status.state === 'unknown') return undefined;
  const why = status.why.code === 'members' ? status.why.first?.why : status.why;
  return why?.code === 'job' ? why.condition?.reason : undefined;
}

/**
 * Whether the Job controller deletes the pods of a Job while it fails: their logs go with them.
 * https://kubernetes.io/docs/concepts/workloads/controllers/job/#pod-backoff-failure-policy
 */
function arePodsDeleted(target: TargetState): boolean {
  if (reasonOf(target) === DEADLINE_EXCEEDED) return true;
  return [...target.memory.members.values()].some(
    ({ object }) =>
      keyOf(target.target.resource) === 'batch/jobs' && text(object, 'spec', 'restartPolicy') === 'OnFailure',
  );
}

async function explainTarget(
  target: TargetState,
  ending: 'failed' | 'timeout',
  deps: ExplainDeps,
  signal: AbortSignal,
): Promise<void> {
  const pods = await podsOf(target, deps, signal);
  if ('why' in pods) {
    if (!signal.aborted) deps.tell({ event: 'unexplained', target, cause: pods });
    return;
  }
  const isJob = keyOf(target.target.resource) === 'batch/jobs';
  const isCutShort = reasonOf(target) === DEADLINE_EXCEEDED;
  const interest = ending === 'timeout' ? 'held up' : isCutShort ? 'cut short' : 'failed';
  const told = [...pods]
    .sort((a, b) => endOf(a) - endOf(b))
    .flatMap((pod) => {
      const report = reportOf(pod, interest);
      return report === undefined ? [] : [{ pod, report }];
    });
  if (told.length === 0 && ending === 'failed' && isJob && !signal.aborted) {
    return deps.tell({ event: 'unexplained', target, cause: { why: 'gone', what: 'pods', by: byWhat(target) } });
  }
  // A quota or an admission webhook that keeps pods from being created shows in the events of the Job alone.
  if (pods.length === 0 && ending === 'timeout' && isJob) {
    for (const { object } of target.memory.members.values()) {
      for (const message of await warningsOf(object, deps, signal)) {
        deps.tell({ event: 'unexplained', target, cause: { why: 'warning', message } });
      }
    }
  }
  // The newest failure comes last, where people look first.
  const newest = told.slice(-LIMITS.pods);
  let logs: 'readable' | 'refused' = 'readable';
  for (const { pod, report } of newest) {
    const warnings = mayHaveWarnings(report) ? await warningsOf(pod, deps, signal) : [];
    // The scheduler says the same in the pod's condition.
    const news = warnings.filter((warning) => report.message === undefined || !warning.endsWith(report.message));
    deps.tell({ event: 'pod', target, pod: { ...report, warnings: news } });
    if (logs === 'readable' && !signal.aborted) logs = await tellLogs(target, { pod, report }, deps, signal);
  }
}

function byWhat(target: TargetState): DeletedBy {
  if (reasonOf(target) === DEADLINE_EXCEEDED) return 'deadline';
  return arePodsDeleted(target) ? 'restart policy' : 'others';
}

/** The last log lines of a pod's containers that have run. What may not be read is said once. */
async function tellLogs(
  target: TargetState,
  { pod, report }: { readonly pod: KubeObject; readonly report: PodReport },
  deps: ExplainDeps,
  signal: AbortSignal,
): Promise<'readable' | 'refused'> {
  for (const container of report.containers) {
    if (container.state === 'waiting') continue;
    try {
      const { lines, error } = await readLog(pod, container, deps, signal);
      for (const line of lines) {
        deps.tell({ event: 'log', target, pod: report.name, container: container.name, line });
      }
      if (error !== undefined) throw error;
    } catch (error) {
      if (signal.aborted) return 'readable';
      const cause = unexplained(error, { resource: 'pods/log', verb: 'get' }, byWhat(target));
      deps.tell({ event: 'unexplained', target, cause });
      if (cause.why === 'refused') return 'refused';
      // It may be that this container alone has none, since it could not be started.
      const isAnswer = cause.why === 'problem' && cause.problem.kind === 'status';
      if (!isAnswer) return 'readable';
    }
  }
  return 'readable';
}

/** The pods behind a target, or why they cannot be read. Those that were seen to fail count though they are gone. */
async function podsOf(
  { target, memory }: TargetState,
  deps: ExplainDeps,
  signal: AbortSignal,
): Promise<readonly KubeObject[] | Unexplained> {
  const members = [...memory.members.values()].map(({ object }) => object);
  // Pods that a Job owns are judged through it; they are here all the same.
  if (keyOf(target.resource) === '/pods') return members;
  if (keyOf(target.resource) === '/services') return memory.servedBy ?? [];
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
      if (found.size === 0) return unexplained(error, { resource: 'pods', verb: 'list' }, 'others');
    }
  }
  return [...found.values()];
}

function unexplained(
  error: unknown,
  asked: Pick<Extract<Unexplained, { why: 'refused' }>, 'resource' | 'verb'>,
  by: DeletedBy,
): Unexplained {
  if (!(error instanceof TransportError)) throw error;
  const { problem } = error;
  if (whatToDo(problem) === 'refused') return { why: 'refused', ...asked };
  return whatToDo(problem) === 'not-found' ? { why: 'gone', what: 'logs', by } : { why: 'problem', problem };
}

/** https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/#read-log-pod-v1-core */
async function readLog(
  { metadata }: KubeObject,
  container: ContainerReport,
  { transport, logLines }: ExplainDeps,
  signal: AbortSignal,
): Promise<LogTail> {
  const search = new URLSearchParams({ container: container.name, tailLines: String(logLines) });
  if (container.instance === 'previous') search.set('previous', 'true');
  const path = `${collectionPath(PODS, metadata.namespace)}/${encodeURIComponent(metadata.name)}/log?${search}`;
  const response = await transport.request({ method: 'GET', path, accept: '*/*', signal, timeoutMs: LIMITS.failedMs });
  return await lastLines(response.body, { lines: logLines, bytesRead: LIMITS.logBytesRead });
}

/** The newest warning events about an object; none if events cannot be read. */
async function warningsOf(
  object: KubeObject,
  { transport }: ExplainDeps,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const { namespace, uid } = object.metadata;
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
