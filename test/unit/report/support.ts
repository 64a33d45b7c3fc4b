import type { Clock } from '../../../src/clock.ts';
import type { Writer } from '../../../src/report/reporter.ts';
import type { RunEvent } from '../../../src/wait/events.ts';
import { NOTHING_SEEN } from '../../../src/wait/memory.ts';
import type { Target } from '../../../src/wait/plan.ts';
import type { Ending, State, Status, StatusWhy, TargetState, Want } from '../../../src/wait/state.ts';
import { JOBS, named, PODS, selected } from '../objects.ts';

/** A clock that stands at 3 o'clock until it is moved. Alarms go off as it passes them. */
export class HandClock implements Clock {
  #ms = 0;
  readonly #alarms = new Set<{ readonly at: number; readonly onDue: () => void }>();

  now(): number {
    return this.#ms;
  }

  date(): Date {
    return new Date(Date.UTC(2026, 0, 1, 3) + this.#ms);
  }

  sleep(): Promise<void> {
    throw new Error('nothing that is tested here sleeps');
  }

  alarm(ms: number, onDue: () => void) {
    const alarm = { at: this.#ms + ms, onDue };
    this.#alarms.add(alarm);
    return {
      cancel: () => void this.#alarms.delete(alarm),
    };
  }

  /** How many alarms are set. */
  get pending(): number {
    return this.#alarms.size;
  }

  pass(ms: number): void {
    const until = this.#ms + ms;
    for (;;) {
      const [next] = [...this.#alarms].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at);
      if (next === undefined) break;
      this.#ms = next.at;
      this.#alarms.delete(next);
      next.onDue();
    }
    this.#ms = until;
  }
}

/** Keeps what is written. */
export class Paper implements Writer {
  readonly lines: { readonly stream: 'out' | 'err'; readonly line: string }[] = [];
  readonly out = (line: string): void => void this.lines.push({ stream: 'out', line });
  readonly err = (line: string): void => void this.lines.push({ stream: 'err', line });

  get output(): string {
    return this.lines.map(({ line }) => `${line}\n`).join('');
  }
}

export const MIGRATE = named(JOBS, 'migrate');
export const SEED = named(JOBS, 'seed');
export const WEB = selected(PODS, { label: 'pod -l app=web' });

export function stands(target: Target, status: Status): TargetState {
  return { target, memory: NOTHING_SEEN, status };
}

type JobWhy = Extract<StatusWhy, { code: 'job' }>;

export function jobWhy(counts: Partial<JobWhy['counts']> = {}, condition?: JobWhy['condition']): JobWhy {
  const none = { succeeded: 0, active: 0, failed: 0, completions: 10 };
  return { code: 'job', counts: { ...none, ...counts }, suspended: false, condition };
}

type MembersWhy = Extract<StatusWhy, { code: 'members' }>;

export function membersWhy(more: Partial<MembersWhy> = {}): MembersWhy {
  const none = { reached: 0, total: 3, expect: undefined, atLeast: undefined, replaced: 0, first: undefined };
  return { code: 'members', ...none, ...more };
}

/** An object named `uid-NAME` stands so. */
export const pending = (target: Target, why: StatusWhy): TargetState => standing(target, 'pending', why);
/** A Job that is reached stays so; a selector must hold at the end. */
export const reached = (target: Target, why: StatusWhy): TargetState =>
  standing(target, 'reached', why, why.code === 'job' ? { lasting: 'terminal' } : {});
export const failed = (target: Target, why: StatusWhy): TargetState => standing(target, 'failed', why);

function standing(
  target: Target,
  state: 'pending' | 'reached' | 'failed',
  why: StatusWhy,
  more: { readonly lasting?: 'terminal' } = {},
): TargetState {
  const uid = target.select.by === 'name' ? { uid: `uid-${target.select.name}` } : {};
  return stands(target, { state, why, ...uid, ...more });
}

export function stateOf(targets: readonly TargetState[], more: Partial<State> = {}): State {
  return { startedAt: 0, collections: new Map(), targets, ending: undefined, ...more };
}

export function done(ending: Ending, targets: readonly TargetState[], elapsedMs = 0): RunEvent {
  return { event: 'done', ending, state: stateOf(targets, { ending }), elapsedMs };
}

export function heartbeat(targets: readonly TargetState[], elapsedMs: number, leftMs: number): RunEvent {
  return { event: 'heartbeat', state: stateOf(targets), elapsedMs, leftMs };
}

export const WANT_PODS: Want = {
  key: 'pods',
  spec: { resource: PODS, namespace: 'app', mode: 'watch', keep: 'verdict' },
  need: 'required',
};
