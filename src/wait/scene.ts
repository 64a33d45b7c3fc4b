import type { Plan, Target } from './plan.ts';
import type { CollectionState, Memory, Status, Trouble, Want } from './state.ts';

/**
 * How long a refusal must last before it is taken for the answer, in milliseconds. An API server that has just started
 * refuses for a moment what its RBAC grants, until it has read the roles.
 */
export const REFUSAL_MS = { usually: 5_000, afterOutage: 30_000 } as const;

/** What a target is judged by. */
export interface Scene {
  readonly plan: Plan;
  readonly target: Target;
  readonly memory: Memory;
  readonly collections: ReadonlyMap<string, CollectionState>;
  /** Milliseconds, monotonic. */
  readonly now: number;
}

/** What a target's memory comes to, and what else must be read to know. */
export interface Judgement {
  readonly memory: Memory;
  readonly status: Status;
  readonly wants: readonly Want[];
  /** When time alone may change the status. */
  readonly wakeAt: number | undefined;
}

/** Whether a collection that is wanted has not answered yet. */
export function isOpen({ collections }: Pick<Scene, 'collections'>, want: Want): boolean {
  return collections.get(want.key)?.objects === undefined;
}

/**
 * Whether the API server denies what is asked. A certificate or a credential plugin that fails says nothing about
 * permissions.
 */
export function isDenied(trouble: Trouble | undefined): trouble is Trouble & { readonly refusedSince: number } {
  return trouble?.refusedSince !== undefined && trouble.problem.kind === 'status';
}

/** The earlier of two times, of which either may not be. */
export function earlier(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return Math.min(a, b);
}
