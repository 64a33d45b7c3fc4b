import { assertNever } from '../assert-never.ts';
import type { Problem } from '../kube/problem.ts';
import type { ContainerFacts, Why } from '../verdict/verdict.ts';
import type { Status, StatusWhy } from '../wait/state.ts';

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

function describePod({ phase, reason, message, containers }: Extract<Why, { code: 'pod' }>, state: State): string {
  // What went well needs no history: a container that was restarted on the way is no news.
  if (state === 'reached' && phase !== 'Failed') return phase === 'Succeeded' ? phase : 'Ready';
  const parts = [phase];
  const own = sentence([reason, message]);
  if (own !== '') parts.push(own);
  for (const container of containers.slice(0, 3)) parts.push(describeContainer(container));
  return parts.join(', ');
}

function describeContainer(container: ContainerFacts): string {
  const { name, state, reason, message, exitCode, signal, restarts } = container;
  const head = `container ${name}`;
  const again = restarts > 0 ? ` after ${restarts} ${restarts === 1 ? 'restart' : 'restarts'}` : '';
  if (state === 'waiting') return `${head} waits: ${sentence([reason, message])}${again}`;
  // "Error" and "Completed" say no more than the exit code does.
  const why = sentence([reason === 'Error' ? undefined : reason, message]);
  const how = signal === undefined || signal === 0 ? `exit code ${exitCode}` : `signal ${signal}`;
  return `${head}: ${how}${again}${why === '' ? '' : ` (${why})`}`;
}

function describeMissing({ lost, taken }: Extract<StatusWhy, { code: 'missing' }>): string {
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
  if (state === 'pending' && replaced > 0) parts.push(`${replaced} failed and replaced by the controller`);
  if (first !== undefined) {
    parts.push(`${first.label} ${describeWhy(first.why, state)}`);
  }
  return parts.join(', ');
}

/** The API's own reason and message, unchanged: `BackoffLimitExceeded: Job has reached the specified backoff limit`. */
function sentence(parts: readonly (string | undefined)[]): string {
  const said = parts.filter((part) => part !== undefined && part !== '');
  return (said[0] === said[1] ? said.slice(1) : said).join(': ');
}

/** What went wrong with a request, in a few words. Not yet cleaned of foreign characters. */
export function describeProblem(problem: Problem): string {
  return problem.kind === 'status' ? `${problem.status} ${problem.reason}: ${problem.message}` : problem.message;
}
