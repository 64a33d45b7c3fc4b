import { needOf } from '../access/needs.ts';
import { assertNever } from '../assert-never.ts';
import { isNotServed, type Problem } from '../kube/problem.ts';
import type { ContainerFacts, Why } from '../verdict/verdict.ts';
import { awaited } from '../wait/alternatives.ts';
import type { RunEvent } from '../wait/events.ts';
import type { Hint } from '../wait/hints.ts';
import type { Ending, Status, StatusWhy, Want } from '../wait/state.ts';
import { elapsed } from './elapsed.ts';
import { describePermission } from './permission.ts';

/** How many names a line has at most: of thousands of evicted pods the number is enough. */
const NAMED = 10;

/** The state of a target as a change reports it, with the pods that do not count any longer. Not yet cleaned. */
export function describeChange({ target, replaced = [] }: Extract<RunEvent, { event: 'changed' }>): string {
  if (replaced.length === 0) return describe(target.status);
  const more = replaced.length > NAMED ? ` and ${replaced.length - NAMED} more` : '';
  return `${describe(target.status)}; replaced: ${replaced.slice(0, NAMED).join(', ')}${more}`;
}

/** How a target stands, in a few words: `3/10 succeeded, 5 active, 1 failed`. Not yet cleaned of foreign characters. */
export function describe(status: Status): string {
  return status.state === 'unknown' ? 'no answer yet' : describeWhy(status.why, status.state);
}

type State = 'pending' | 'reached' | 'failed';

function describeWhy(why: StatusWhy, state: State): string {
  switch (why.code) {
    case 'job':
      return describeJob(why, state);
    case 'pod':
      return describePod(why, state);
    case 'missing':
      return describeMissing(why);
    case 'members':
      return describeMembers(why, state);
    case 'container':
      return describeContainer(why.container);
    case 'service':
      return describeService(why);
    case 'cronjob':
      return describeCronJob(why);
    case 'rollout':
      return describeRollout(why);
    case 'phase':
      return [why.phase, sentence([why.reason, why.message])].filter((part) => part !== '').join(', ');
    case 'condition':
      return describeCondition(why);
    case 'jsonpath':
      return describeJsonPath(why);
    case 'exists':
      return 'exists';
    case 'reading':
      return 'being looked up';
    case 'no-container':
      return `no such container, it has ${why.containers.join(', ')}`;
    case 'stuck':
      return `${why.label} is stuck: ${sentence([why.reason, why.message])}`;
    case 'deletion':
      return describeDeletion(why);
    default:
      return assertNever(why);
  }
}

function describeJob({ counts, suspended, condition }: Extract<Why, { code: 'job' }>, state: State): string {
  const { succeeded, completions, active, failed } = counts;
  const of = completions === undefined ? '' : `/${completions}`;
  const parts = [`${succeeded}${of} succeeded`];
  if (active > 0) parts.push(`${active} active`);
  if (failed > 0) parts.push(`${failed} failed`);
  const progress = parts.join(', ');
  if (state === 'pending') {
    const first = condition?.type ?? (suspended ? 'suspended' : undefined);
    return first === undefined ? progress : `${first}: ${progress}`;
  }
  const isFailure = condition?.type === 'Failed' || condition?.type === 'FailureTarget';
  if (!isFailure) return `${condition?.type ?? 'Complete'}, ${progress}`;
  return sentence([condition.reason, condition.message]) || `${condition.type}, ${progress}`;
}

function describePod(why: Extract<Why, { code: 'pod' }>, state: State): string {
  const { phase, reason, message, containers, awaits } = why;
  // What went well needs no history: a container that was restarted on the way is no news.
  if (state === 'reached' && phase !== 'Failed') return phase === 'Succeeded' ? phase : 'Ready';
  const parts = [phase];
  const own = sentence([reason, message]);
  if (own !== '') parts.push(own);
  for (const container of containers.slice(0, 3)) parts.push(describeContainer(container));
  if (awaits === 'successor') parts.push('a pod of the same name may follow');
  return parts.join(', ');
}

/** How a container stands, in a few words. */
export function describeContainer(container: ContainerFacts): string {
  const { name, state, reason, message, exitCode, signal, restarts } = container;
  const head = `container ${name}`;
  const again = restarts > 0 ? ` after ${restarts} ${restarts === 1 ? 'restart' : 'restarts'}` : '';
  if (state === 'running') return `${head} runs${again}`;
  if (state === 'waiting') {
    const what = sentence([reason, message]);
    return `${head} waits${what === '' ? '' : `: ${what}`}${again}`;
  }
  // "Error" and "Completed" say no more than the exit code does.
  const why = sentence([reason === 'Error' ? undefined : reason, message]);
  const how = `exit code ${exitCode}${signal === undefined || signal === 0 ? '' : `, signal ${signal}`}`;
  return `${head}: ${how}${again}${why === '' ? '' : ` (${why})`}`;
}

function describeService({ pods, endpoints }: Extract<Why, { code: 'service' }>): string {
  const parts = pods === undefined ? [] : [`${pods.ready}/${pods.total} pods ready`];
  if (endpoints !== undefined) parts.push(`${endpoints} ready ${endpoints === 1 ? 'endpoint' : 'endpoints'}`);
  return parts.join(', ');
}

function describeCronJob({ suspended, run }: Extract<Why, { code: 'cronjob' }>): string {
  const head = suspended ? 'suspended, ' : '';
  if (run === undefined) return `${head}not scheduled yet`;
  const said = describeWhy(run.why, run.state);
  return run.state === 'failed'
    ? `${head}job/${run.name} failed: ${said}; awaiting the next run`
    : `${head}job/${run.name} ${said}`;
}

function describeRollout(why: Extract<Why, { code: 'rollout' }>): string {
  const { stage, wanted, updated, available, reason, message } = why;
  const counts = `${updated}/${wanted} updated, ${available}/${wanted} available`;
  const said = sentence([reason, message]);
  if (said !== '') return `${said}, ${counts}`;
  switch (stage) {
    case 'unobserved':
      return 'the controller has not seen the present spec yet';
    case 'paused':
      return `paused: ${counts}`;
    case 'replacing':
      return `${counts}, old pods are still there`;
    case 'updating':
    case 'starting':
    case 'done':
      return counts;
    default:
      return assertNever(stage);
  }
}

function describeCondition({ wanted, condition, stale, problem }: Extract<Why, { code: 'condition' }>): string {
  if (problem !== undefined) return problem;
  if (condition === undefined) return `no condition ${wanted.slice(0, wanted.indexOf('='))} yet`;
  const said = sentence([condition.reason, condition.message]);
  const now = `${condition.type}=${condition.status}${said === '' ? '' : `, ${said}`}`;
  return stale ? `${now} (of an earlier generation)` : now;
}

function describeJsonPath({ expression, wanted, found, problem }: Extract<Why, { code: 'jsonpath' }>): string {
  if (problem !== undefined) return problem;
  if (found === undefined) return `${expression} is not there yet`;
  return wanted === undefined || found === wanted
    ? `${expression} is ${found}`
    : `${expression} is ${found}, not ${wanted}`;
}

function describeDeletion({ left, total, first }: Extract<StatusWhy, { code: 'deletion' }>): string {
  if (total === 0) return 'none found';
  if (left === 0) return 'deleted';
  return total === 1 ? 'still exists' : `${left} of ${total} still exist, ${first} among them`;
}

function describeMissing({ lost, taken, containers }: Extract<StatusWhy, { code: 'missing' }>): string {
  if (containers !== undefined) {
    const there = `no container of that name, there are ${containers.join(', ')}`;
    return taken === 'done' ? `${there}; taken as done` : there;
  }
  const what =
    lost === undefined
      ? taken === 'pending'
        ? 'does not exist yet'
        : 'does not exist'
      : lost.outcome === 'unknown'
        ? 'deleted, outcome unknown'
        : 'deleted before it was done';
  if (taken !== 'done') return what;
  return lost === undefined ? 'never seen, taken as done' : `${what}, taken as done`;
}

function describeMembers(why: Extract<StatusWhy, { code: 'members' }>, state: State): string {
  const { reached, total, expect, atLeast, replaced, first } = why;
  const wanted = atLeast ?? Math.max(total, expect ?? 0);
  const parts = [`${reached}/${wanted} done`];
  if (expect !== undefined && total < expect) parts.push(`${total} of ${expect} expected found`);
  if (state === 'pending' && replaced > 0) parts.push(`${replaced} replaced by the controller`);
  if (first !== undefined) {
    parts.push(`${first.label} ${describeWhy(first.why, state)}`);
  }
  return parts.join(', ');
}

/** The API's own reason and message, unchanged: `BackoffLimitExceeded: Job has reached the specified backoff limit`. */
export function sentence(parts: readonly (string | undefined)[]): string {
  const said = parts.filter((part) => part !== undefined && part !== '');
  return (said[0] === said[1] ? said.slice(1) : said).join(': ');
}

/** What may explain why a target is pending, and what to do. Not yet cleaned of foreign characters. */
export function describeHint(hint: Hint): string {
  switch (hint.code) {
    case 'missing': {
      const where = hint.namespace === undefined ? '' : `; is ${hint.namespace} the right namespace, and does it exist`;
      return hint.kind === 'job'
        ? `deleted by its ttlSecondsAfterFinished or by a hook's delete policy (then --on-missing=succeed), or a Helm hook that has not run yet (with helm --wait a post-install hook waits for this very pod)${where}?`
        : `not created yet, or deleted${where}?`;
    }
    case 'container':
      return `no pod has a container ${hint.container}; there are ${hint.containers.join(', ')}`;
    case 'owned-by-job':
      return `it is one try of job/${hint.job}, which may try again: wait for the Job instead`;
    case 'suspended':
      return 'it is suspended: nothing runs until spec.suspend is false';
    case 'paused':
      return 'its roll-out is paused: kubectl rollout resume lets it go on';
    case 'deadlock':
      return `only pods of ${hint.owner} can meet this, and this pod is one of them: it waits for itself, for ever`;
    case 'no-ready-condition':
      return describeConditionless(hint);
    case 'unbound-claim':
      return 'with a StorageClass of volumeBindingMode WaitForFirstConsumer, the claim is bound only once a pod uses it';
    case 'half-done':
      return `pod/${hint.pod}: container ${hint.ended} ended with 0, but container ${hint.running} still runs and keeps the pod from ending; a mesh's proxy has to be a native sidecar, or to be stopped at the end`;
    default:
      return assertNever(hint);
  }
}

function describeConditionless({ conditions, phase }: Extract<Hint, { code: 'no-ready-condition' }>): string {
  const ways = [
    ...conditions.map((condition) => `--for=condition=${condition.slice(0, condition.indexOf('='))}`),
    ...(phase === undefined ? [] : ["--for=jsonpath='{.status.phase}'=VALUE"]),
  ];
  const has = [
    conditions.length === 0 ? '' : `the conditions ${conditions.join(', ')}`,
    phase === undefined ? '' : `the phase ${phase}`,
  ].filter((part) => part !== '');
  const found = has.length === 0 ? '' : `; it has ${has.join(' and ')}`;
  const use = ways.length === 0 ? '--for=condition=TYPE or --for=jsonpath=EXPR=VALUE' : ways.slice(0, 3).join(' or ');
  return `it has neither a Ready nor a Succeeded condition${found}: use ${use}`;
}

/** What went wrong with a request, in a few words. Not yet cleaned of foreign characters. */
export function describeProblem(problem: Problem): string {
  if (problem.kind !== 'status') return problem.message;
  return `${problem.status} ${problem.reason}${problem.message === '' ? '' : `: ${problem.message}`}`;
}

/** Why a target can never be answered for. Not yet cleaned of foreign characters. */
export function describeUnusable({ target, problem }: Extract<Ending, { kind: 'usage' }>): string {
  const why = isNotServed(problem) ? problem.message : `the server answers ${describeProblem(problem)}`;
  return `${target.label}: ${why}`;
}

/** What happens to a request, and what is done about it. Not yet cleaned of foreign characters. */
export function describeRequest(event: Extract<RunEvent, { event: 'trouble' | 'recovered' | 'fallback' }>): string {
  const what = subject(event.want);
  switch (event.event) {
    case 'trouble':
      return `${what}: ${describeProblem(event.problem)}; retrying`;
    case 'recovered':
      return `${what}: the API server answers again`;
    case 'fallback':
      return describeFallback(event);
    default:
      return assertNever(event);
  }
}

function describeFallback({ want, to }: Extract<RunEvent, { event: 'fallback' }>): string {
  const [verb, instead] =
    to === 'poll' ? (['watch', 'polling every 2 to 10 s'] as const) : (['list', 'reading it by name'] as const);
  return `cannot ${describePermission(verb, needOf(want))} (forbidden); ${instead} instead`;
}

/** What a request asks for, as people say it: `job/migrate`, `pods in namespace infra`. */
function subject({ spec }: Want): string {
  const { resource, name, namespace } = spec;
  if (name !== undefined) return `${resource.singularName}/${name}`;
  return namespace === undefined ? resource.name : `${resource.name} in namespace ${namespace}`;
}

/** What is still awaited and for how long. Not yet cleaned of foreign characters. */
export function describeWait({ state, elapsedMs, leftMs }: Extract<RunEvent, { event: 'heartbeat' }>): string {
  const what = awaited(state.targets)
    .map(({ target, status }) => `${target.label} (${describe(status)})`)
    .join(', ');
  const left = Number.isFinite(leftMs) ? `, ${elapsed(leftMs)} left` : '';
  return `still waiting after ${elapsed(elapsedMs)}${left}: ${what}`;
}
