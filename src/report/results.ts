import { assertNever } from '../assert-never.ts';
import { awaited } from '../wait/alternatives.ts';
import type { PodReport, RunEvent } from '../wait/events.ts';
import type { Target } from '../wait/plan.ts';
import type { State, Status, TargetState } from '../wait/state.ts';
import { elapsed } from './elapsed.ts';
import { describe, describeContainer, describeProblem } from './words.ts';

type Done = Extract<RunEvent, { event: 'done' }>;

/** A target and what it has come to. Not yet cleaned. */
export interface Result {
  readonly target: TargetState;
  readonly event: 'reached' | 'failed' | 'timeout';
  /** The facts alone: `BackoffLimitExceeded: ...` */
  readonly message: string;
  /** The whole line: `job/migrate failed: BackoffLimitExceeded: ...` */
  readonly line: string;
}

/** What each target has come to at the end of a run, as far as there is something to say. */
export function resultsOf(done: Done): readonly Result[] {
  const missed = awaited(done.state.targets);
  return done.state.targets.flatMap((target) => {
    // Where one of several is enough, the others lack nothing.
    const isOver = target.status.state === 'reached' || target.status.state === 'failed';
    return isOver || missed.includes(target) ? (resultOf(target, done) ?? []) : [];
  });
}

function resultOf(target: TargetState, { state, ending, elapsedMs }: Done): Result | undefined {
  const { status } = target;
  if (status.state === 'reached') return verdictOf(target, 'reached');
  switch (ending.kind) {
    case 'reached':
    case 'usage':
    case 'refused':
      // Both have a text of their own.
      return undefined;
    case 'failed':
      return status.state === 'failed' ? verdictOf(target, 'failed') : undefined;
    case 'timeout': {
      const waited = elapsedMs < 1000 ? '' : ` after ${elapsed(elapsedMs)}`;
      const message = lacking(status, state);
      return { target, event: 'timeout', message, line: `${target.target.label} not reached${waited}: ${message}` };
    }
    default:
      return assertNever(ending);
  }
}

/** The targets that a run has ended for, and not well. */
export function notReached(results: readonly Result[]): readonly TargetState[] {
  return results.filter(({ event }) => event !== 'reached').map(({ target }) => target);
}

/** A target that is reached or has failed. */
export function verdictOf(target: TargetState, event: 'reached' | 'failed'): Result {
  const message = describe(target.status);
  return { target, event, message, line: `${target.target.label} ${event}: ${message}` };
}

/** Whether a target is reached so that nothing that happens to its object can take that back. */
export function isReachedForGood({ status }: TargetState): boolean {
  return status.state === 'reached' && status.lasting === 'terminal';
}

/** For a moment only, while a target's other objects are read: nothing to tell of. */
export function isBeingRead({ status }: TargetState): boolean {
  return status.state === 'pending' && status.why.code === 'reading';
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

/** How much of a target's name the line below shows: kubelet may show no more than 256 bytes of it. */
const SHOWN_LABEL = 100;

/**
 * The one line that stands for the whole run: why it ended so, and how the newest of the pods that explain it ended.
 * Undefined for a run that was reached or refused. Not yet cleaned.
 */
export function verdictLine(done: Done, explaining: ReadonlyMap<Target, PodReport>): string | undefined {
  const [first, ...others] = resultsOf(done).filter(({ event }) => event !== 'reached');
  if (first === undefined || done.ending.kind === 'reached') return undefined;
  const { target } = first.target;
  const pod = saysHowItEnded(first.target.status) ? undefined : explaining.get(target);
  const said = [shortened(first), endOfPod(pod)].filter((part) => part !== '').join(', ');
  return others.length === 0 ? said : `${said}; and ${others.length} more`;
}

function shortened({ target: { target }, line }: Result): string {
  return target.label.length <= SHOWN_LABEL
    ? line
    : `${target.label.slice(0, SHOWN_LABEL)}…${line.slice(target.label.length)}`;
}

/** Whether how a target stands is told by a pod's containers already. */
function saysHowItEnded(status: Status): boolean {
  if (status.state === 'unknown') return false;
  const why = status.why.code === 'members' ? status.why.first?.why : status.why;
  return why?.code === 'pod' || why?.code === 'container';
}

/** Without its message: that may be the end of its log. */
function endOfPod(pod: PodReport | undefined): string {
  const container = pod?.containers.find(({ exitCode }) => exitCode !== undefined);
  if (pod === undefined || container === undefined) return '';
  return `pod/${pod.name} ${describeContainer({ ...container, message: undefined })}`;
}
