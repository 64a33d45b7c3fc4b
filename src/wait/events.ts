import type { Verb } from '../kube/collection.ts';
import type { Problem } from '../kube/problem.ts';
import type { Ending, State, TargetState, Want } from './state.ts';

/** What a run has to tell while it goes on and when it ends. Words are src/report's. */
export type RunEvent =
  /** A target stands differently than before. */
  | { readonly event: 'changed'; readonly target: TargetState }
  /** Still waiting: the targets that are not reached. */
  | { readonly event: 'heartbeat'; readonly state: State; readonly elapsedMs: number; readonly leftMs: number }
  /** A request fails, for the first time or differently than before. It is tried again. */
  | { readonly event: 'trouble'; readonly want: Want; readonly verb: Verb; readonly problem: Problem }
  /** The requests that failed are answered again. */
  | { readonly event: 'recovered'; readonly want: Want }
  /** A permission is lacking, and what is done instead. */
  | { readonly event: 'fallback'; readonly want: Want; readonly to: 'poll' | 'get'; readonly problem: Problem }
  /** Told once, last. */
  | { readonly event: 'done'; readonly state: State; readonly ending: Ending; readonly elapsedMs: number };
