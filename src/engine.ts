import { systemClock } from './clock.ts';
import type { Refusal } from './report/refusal.ts';
import type { Session } from './session.ts';
import type { RunEvent } from './wait/events.ts';
import { run } from './wait/run.ts';
import type { Ending } from './wait/state.ts';

/** Who listens to a run, and who may end it. */
export interface Audience {
  readonly tell: (event: RunEvent) => void;
  /** Told that the ending is decided: from here on it stands. */
  readonly decided: () => void;
  /** Aborted before the ending is decided it ends the run, and after that only the explanation. */
  readonly signal: AbortSignal;
  /** How many log lines of each failed container; with 0 nothing is explained. */
  readonly logs: number;
  /** `spread`: many of us may explain the same failure, so not all in the same second. */
  readonly explain: 'at once' | 'spread';
}

/** How a run has ended. */
export type Conclusion =
  | { readonly ending: Exclude<Ending, { kind: 'refused' }> }
  | { readonly ending: Extract<Ending, { kind: 'refused' }>; readonly refusal: Refusal };

/**
 * Runs an open session to its end, and finds out what explains it. The connections stay open.
 * Rejects with the signal's reason, otherwise only for a bug.
 */
export async function conclude({ connection, transport, plan, resolve }: Session, to: Audience): Promise<Conclusion> {
  const { tell, decided, signal, logs } = to;
  const deps = { transport, clock: systemClock, random: Math.random, tell };
  const ending = await run(plan, {
    ...deps,
    signal,
    resolve,
    decided,
    explain: async (state, kind) => {
      if (logs === 0) return;
      const { explain } = await import('./explain/explain.ts');
      await explain(state, kind, { ...deps, logLines: logs, start: to.explain, signal });
    },
  });
  if (ending.kind !== 'refused') return { ending };
  const { explainRefusal } = await import('./explain-refusal.ts');
  return { ending, refusal: await explainRefusal(ending, plan, { connection, transport }, signal) };
}
