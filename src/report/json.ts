import { ruleOf } from '../access/needs.ts';
import { assertNever } from '../assert-never.ts';
import type { Clock } from '../clock.ts';
import { EXIT } from '../exit.ts';
import { awaited } from '../wait/alternatives.ts';
import type { PodReport, RunEvent } from '../wait/events.ts';
import type { TargetState } from '../wait/state.ts';
import { cleanJson } from './clean.ts';
import { unexplainedLine } from './explanation.ts';
import { countsOf, reasonOf } from './facts.ts';
import { eachHintOnce } from './hints.ts';
import { describeRefusal, isMendedByRule, type Refusal } from './refusal.ts';
import type { End, Reporter, Writer } from './reporter.ts';
import { isBeingRead, isReachedForGood, type Result, resultsOf, verdictOf } from './results.ts';
import { describe, describeChange, describeRequest, describeWait } from './words.ts';

type Level = 'info' | 'warn' | 'error';
type EventName = 'waiting' | 'changed' | 'heartbeat' | 'reached' | 'failed' | 'timeout' | 'refused' | 'log' | 'done';
type LogEvent = Extract<RunEvent, { event: 'log' }>;

/** What of a target's pods was read to explain why it is not reached. */
interface Explanation {
  readonly pods: PodReport[];
  readonly notes: string[];
  readonly logs: LogEvent[];
}

/**
 * One JSON object a line on standard output, progress and results alike. docs/events.schema.json describes each line;
 * docs/json-output.md says what to make of them.
 */
export function jsonReporter(
  writer: Writer,
  { clock, verbosity }: { readonly clock: Clock; readonly verbosity: 'progress' | 'results' },
): Reporter {
  const startedAt = clock.now();
  const introduced = new Set<string>();
  const told = new Set<string>();
  const newHints = eachHintOnce();
  const explanations = new Map<string, Explanation>();
  let open = true;

  /** Fields that are undefined are left out. Every string is cleaned, whoever it comes from. */
  const write = (level: Level, event: EventName, fields: Readonly<Record<string, unknown>>): void => {
    if (!open) return;
    const elapsedSeconds = seconds(clock.now() - startedAt);
    const line = { time: clock.date().toISOString(), level, event, ...fields, elapsedSeconds };
    writer.out(cleanJson(line));
  };
  const progress = (level: Level, event: EventName, fields: Readonly<Record<string, unknown>>): void => {
    if (verbosity === 'progress') write(level, event, fields);
  };
  const explanationOf = ({ target }: TargetState): Explanation => {
    const explanation = explanations.get(target.label) ?? { pods: [], notes: [], logs: [] };
    explanations.set(target.label, explanation);
    return explanation;
  };

  return {
    tell: (event) => {
      switch (event.event) {
        case 'changed':
          return changed(event);
        case 'heartbeat':
          return heartbeat(event);
        case 'trouble':
        case 'recovered':
        case 'fallback':
          return progress(event.event === 'recovered' ? 'info' : 'warn', 'changed', requestFields(event));
        case 'pod':
          explanationOf(event.target).pods.push(event.pod);
          return;
        case 'log':
          explanationOf(event.target).logs.push(event);
          return;
        case 'unexplained':
          explanationOf(event.target).notes.push(unexplainedLine(event.target, event.cause));
          return;
        case 'done':
          for (const result of resultsOf(event)) tellResult(result);
          return;
        default:
          return assertNever(event);
      }
    },
    refused: (refusal) => write('error', 'refused', refusalFields(refusal)),
    end: (end) => {
      write(end.exitCode === EXIT.reached ? 'info' : 'error', 'done', {
        message: endMessage(end),
        exitCode: end.exitCode,
      });
      open = false;
    },
  };

  function changed(event: Extract<RunEvent, { event: 'changed' }>): void {
    const { target } = event;
    const { label } = target.target;
    if (target.status.state === 'failed' || isBeingRead(target)) return;
    if (isReachedForGood(target)) {
      tellResult(verdictOf(target, 'reached'));
      return;
    }
    told.delete(label);
    progress('info', introduced.has(label) ? 'changed' : 'waiting', {
      ...statusFields(target),
      message: describeChange(event),
    });
    introduced.add(label);
  }

  function heartbeat(event: Extract<RunEvent, { event: 'heartbeat' }>): void {
    // What -q silences now is told with the result.
    if (verbosity === 'results') return;
    write('info', 'heartbeat', {
      message: describeWait(event),
      leftSeconds: Number.isFinite(event.leftMs) ? seconds(event.leftMs) : undefined,
      awaited: awaited(event.state.targets).map((target) => ({
        ...statusFields(target),
        hints: someOf(newHints(target)),
      })),
    });
  }

  function tellResult({ target, event, message }: Result): void {
    const { label } = target.target;
    if (event === 'reached' && told.has(label)) return;
    told.add(label);
    const { pods = [], notes = [], logs = [] } = explanations.get(label) ?? {};
    write(event === 'reached' ? 'info' : 'error', event, {
      ...statusFields(target),
      message,
      ...(event === 'reached' ? {} : { hints: someOf(newHints(target)) }),
      pods: someOf(pods.map(podFields)),
      notes: someOf(notes),
    });
    for (const { pod, container, line } of logs) {
      write('error', 'log', { ...identityOf(target), pod, container, message: line });
    }
  }
}

function identityOf({ target, status }: TargetState): Readonly<Record<string, unknown>> {
  const uid = status.state === 'unknown' ? undefined : status.uid;
  return { target: target.label, namespace: target.namespace, uid };
}

function statusFields(target: TargetState): Readonly<Record<string, unknown>> {
  const { status } = target;
  return {
    ...identityOf(target),
    reason: reasonOf(status),
    message: describe(status),
    counts: countsOf(status),
  };
}

/** A request is about a resource, of which several targets may be part. */
function requestFields(
  event: Extract<RunEvent, { event: 'trouble' | 'recovered' | 'fallback' }>,
): Readonly<Record<string, unknown>> {
  const { resource, namespace, name } = event.want.spec;
  const problem = event.event === 'recovered' ? undefined : event.problem;
  return {
    resource: resource.name,
    apiGroup: resource.group,
    namespace,
    name,
    reason: problem?.kind === 'status' ? problem.reason : undefined,
    message: describeRequest(event),
  };
}

function refusalFields(refusal: Refusal): Readonly<Record<string, unknown>> {
  const { need, verb, problem, server, identity, lacking } = refusal;
  return {
    verb,
    resource: need.resource,
    apiGroup: need.apiGroup,
    namespace: need.namespace,
    name: need.resourceName,
    server,
    identity,
    reason: problem.kind === 'status' ? problem.reason : undefined,
    message: describeRefusal(refusal),
    lacking: isMendedByRule(problem)
      ? lacking.map((need) => ({ namespace: need.namespace, rule: ruleOf(need) }))
      : undefined,
  };
}

function podFields({ name, node, phase, reason, message, containers, warnings }: PodReport): unknown {
  return {
    name,
    node,
    phase,
    reason,
    message,
    containers: containers.map((container) => ({
      name: container.name,
      state: container.state,
      instance: container.instance,
      exitCode: container.exitCode,
      signal: container.signal,
      reason: container.reason,
      message: container.message,
      restarts: container.restarts,
      waitsFor: container.waitsFor,
    })),
    warnings: someOf(warnings),
  };
}

function endMessage({ exitCode, signal }: End): string {
  if (signal !== undefined) return `ended by ${signal}`;
  switch (exitCode) {
    case EXIT.reached:
      return 'every target is reached';
    case EXIT.failed:
      return 'a target has failed';
    case EXIT.usage:
      return 'the API server cannot answer for a target';
    case EXIT.refused:
      return 'the API server refused what is needed';
    case EXIT.timeout:
      return 'the timeout has passed';
    default:
      return 'internal error';
  }
}

/** A list that has something in it: an empty one is left out. */
function someOf<T>(list: readonly T[]): readonly T[] | undefined {
  return list.length === 0 ? undefined : list;
}

/** To the millisecond. */
function seconds(ms: number): number {
  return Math.round(Math.max(0, ms)) / 1000;
}
