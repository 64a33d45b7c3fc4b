import { assertNever } from '../assert-never.ts';
import { awaited } from '../wait/alternatives.ts';
import type { RunEvent } from '../wait/events.ts';
import type { State, Status, TargetState } from '../wait/state.ts';
import { elapsed } from './elapsed.ts';
import { describe, describeProblem } from './words.ts';

type Done = Extract<RunEvent, { event: 'done' }>;

/** A target and what it has come to, in one line: `job/migrate failed: BackoffLimitExceeded: ...`. Not yet cleaned. */
export interface Result {
  readonly target: TargetState;
  readonly line: string;
}

/** What each target has come to at the end of a run, as far as there is something to say. */
export function resultsOf({ state, ending, elapsedMs }: Done): readonly Result[] {
  const missed = awaited(state.targets);
  return state.targets.flatMap((target) => {
    // Where one of several is enough, the others lack nothing.
    const isOver = target.status.state === 'reached' || target.status.state === 'failed';
    if (!isOver && !missed.includes(target)) return [];
    const line = lineOf(target, state, ending.kind, elapsedMs);
    return line === undefined ? [] : [{ target, line }];
  });
}

function lineOf(
  target: TargetState,
  state: State,
  ending: Done['ending']['kind'],
  elapsedMs: number,
): string | undefined {
  const { label } = target.target;
  const { status } = target;
  if (status.state === 'reached') return resultLine(label, status);
  switch (ending) {
    case 'reached':
    case 'refused':
      // What a refusal needs to be mended by is a text of its own.
      return undefined;
    case 'failed':
      return status.state === 'failed' ? resultLine(label, status) : undefined;
    case 'timeout': {
      const waited = elapsedMs < 1000 ? '' : ` after ${elapsed(elapsedMs)}`;
      return `${label} not reached${waited}: ${lacking(status, state)}`;
    }
    default:
      return assertNever(ending);
  }
}

/** The line of a target that is reached or has failed. */
export function resultLine(label: string, status: Status): string {
  return `${label} ${status.state}: ${describe(status)}`;
}

/** What a target still lacks; where the server never answered, why. */
function lacking(status: Status, { collections }: State): string {
  const trouble = [...collections.values()].find(
    (one) => one.trouble !== undefined && one.want.need === 'required',
  )?.trouble;
  const cause = trouble === undefined ? '' : describeProblem(trouble.problem);
  if (status.state === 'unknown') return `the API server never answered${cause === '' ? '' : `: ${cause}`}`;
  return cause === '' ? describe(status) : `${describe(status)}; the API server does not answer now: ${cause}`;
}

/** The one line that stands for the whole run: why it ended so. Undefined for a run that was reached or refused. */
export function verdictLine(done: Done): string | undefined {
  if (done.ending.kind === 'reached') return undefined;
  return resultsOf(done).find(({ target }) => target.status.state !== 'reached')?.line;
}
