import { type Problem, whatToDo } from './problem.ts';

/** How long to wait before a request is made again. */
export const BACKOFF = {
  /**
   * The first pauses after trouble: an init container often starts a moment before its pod's network is there, and a
   * fault that lasts so long should not cost a start much more. Each is drawn between the value and twice the value.
   */
  quickMs: [100, 200, 400],
  /**
   * From there on as client-go's reflectors: 800 ms, doubled each time, each drawn between the value and twice the
   * value, 30 s at the most. That is what API servers in trouble are known to bear.
   * https://github.com/kubernetes/client-go/blob/v0.36.0/tools/cache/reflector.go, defaultBackoffInit
   */
  firstMs: 800,
  factor: 2,
  jitter: 1,
  capMs: 30_000,
  /** After the quick ones never more than one attempt a second. */
  floorMs: 1_000,
  /**
   * What is refused is mostly either granted within seconds, or never: a run that ends once a refusal has lasted some
   * seconds must not sleep through the moment in which it is granted. So for a while the pauses stay short.
   */
  refused: { attempts: 30, capMs: 2_000 },
  /** So long without trouble, and it starts over. From the same place in client-go. */
  quietMs: 120_000,
  /** Added to a Retry-After, at random, so that all who were told the same do not come back together. */
  retryAfterSpreadMs: 1_000,
} as const;

export interface Backoff {
  /** Takes what went wrong (undefined: nothing that has a name) and gives the pause before the next attempt. */
  next(problem: Problem | undefined): number;
}

/** Keeps all that a process asks for from knocking at a door together that does not open. */
export interface Pace {
  /** Gives the time from `at` on at which a connection may be tried, and keeps it for the caller. */
  reserve(at: number): number;
}

/** `clock` gives milliseconds of a monotonic clock, which `reserve` goes by too. */
export function createPace(clock: { now(): number }): Pace {
  let reserved: number[] = [];
  let quickLeft: number = BACKOFF.quickMs.length;
  return {
    reserve(at) {
      if (clock.now() - Math.max(...reserved) > BACKOFF.quietMs) quickLeft = BACKOFF.quickMs.length;
      reserved = reserved.filter(
        (other, index) => index === reserved.length - 1 || other > clock.now() - BACKOFF.floorMs,
      );
      let free = at;
      if (quickLeft > 0) quickLeft -= 1;
      else for (const other of reserved) if (Math.abs(other - free) < BACKOFF.floorMs) free = other + BACKOFF.floorMs;
      reserved = [...reserved, free].sort((a, b) => a - b);
      return free;
    },
  };
}

/** What a backoff needs from outside. */
export interface BackoffDeps {
  /** 0 to 1, as Math.random. */
  readonly random: () => number;
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
  /** Shared by all that the process asks for. */
  readonly pace: Pace;
}

export function createBackoff({ random, now, pace }: BackoffDeps): Backoff {
  let attempts = 0;
  let refusals = 0;
  // A resourceVersion that has expired is no sign of a server in trouble: after a long outage it must not cost the
  // longest pause once more. Only if that goes on and on does it count like anything else.
  let relists = 0;
  /** When the pause that was given last is over. */
  let pausedUntil = Number.NEGATIVE_INFINITY;
  return {
    next(problem) {
      if (now() - pausedUntil > BACKOFF.quietMs) attempts = refusals = relists = 0;
      const reaction = problem === undefined ? undefined : whatToDo(problem);
      const refused = reaction === 'refused';
      if (refused) refusals += 1;
      const capMs = refused && refusals <= BACKOFF.refused.attempts ? BACKOFF.refused.capMs : BACKOFF.capMs;
      let delayMs = jittered(reaction === 'relist' ? relists : attempts, random(), capMs);
      if (reaction === 'relist') relists += 1;
      else attempts += 1;
      if (problem?.kind === 'status' && problem.retryAfterMs !== undefined) {
        delayMs = Math.max(delayMs, problem.retryAfterMs + BACKOFF.retryAfterSpreadMs * random());
      }
      // What was answered was answered on a connection that is still there.
      const takesConnection = problem?.kind === 'unreachable' || problem?.kind === 'interrupted';
      if (takesConnection) delayMs = pace.reserve(now() + delayMs) - now();
      pausedUntil = now() + delayMs;
      return delayMs;
    },
  };
}

function jittered(attempts: number, random: number, capMs: number): number {
  const quick = BACKOFF.quickMs[attempts];
  if (quick !== undefined) return quick * (1 + BACKOFF.jitter * random);
  const base = BACKOFF.firstMs * BACKOFF.factor ** (attempts - BACKOFF.quickMs.length);
  // The cap holds for the drawn value too, and still leaves it half of its range to be drawn from.
  const highest = Math.min(base * (1 + BACKOFF.jitter), capMs);
  const drawn = (highest / (1 + BACKOFF.jitter)) * (1 + BACKOFF.jitter * random);
  return Math.max(BACKOFF.floorMs, drawn);
}
