import type { CollectionState, Memory, Status, Want } from './state.ts';

/**
 * How long a watch that goes on after trouble gets to deliver what was missed, in milliseconds. The API server sends
 * that at once, but says nowhere when it is through: a bookmark may come a minute later.
 */
export const CATCH_UP_MS = 1_000;

/** An answer to a LIST tells all that there is; it comes a moment after the answer itself. */
export const UNTIL_READ = Number.POSITIVE_INFINITY;

/** Whether what is known of a collection may have changed without our being told. */
export function isStale({ trouble, catchingUpUntil }: CollectionState, now: number): boolean {
  return trouble !== undefined || (catchingUpUntil !== undefined && now < catchingUpUntil);
}

/**
 * A status as it may be acted on. What was true before the connection was cut need not be true any more: what has to
 * hold at the end, an absence and a container that is stuck wait for an answer. What is done stays done.
 */
export function trusted(
  status: Status,
  memory: Memory,
  wants: readonly Want[],
  { collections, now }: { readonly collections: ReadonlyMap<string, CollectionState>; readonly now: number },
): { readonly status: Status; readonly wakeAt: number | undefined } {
  const stale = wants.flatMap((want) => {
    const collection = want.need === 'required' ? collections.get(want.key) : undefined;
    return collection !== undefined && isStale(collection, now) ? [collection] : [];
  });
  if (stale.length === 0 || !mayChange(status, memory)) return { status, wakeAt: undefined };
  const until = stale.map(({ catchingUpUntil }) => catchingUpUntil ?? UNTIL_READ).filter(Number.isFinite);
  return { status: heldBack(status), wakeAt: until.length === 0 ? undefined : Math.max(...until) };
}

function mayChange(status: Status, { members, lost }: Memory): boolean {
  if (status.state === 'unknown' || status.state === 'pending') return false;
  const { code } = status.why;
  if (code === 'missing' || code === 'stuck') return true;
  if (status.state === 'failed' || code === 'deletion') return false;
  const isKept = [...members.values()].every(
    ({ verdict }) => verdict.state === 'reached' && verdict.lasting === 'terminal',
  );
  return !isKept || lost.size > 0;
}

function heldBack(status: Status): Status {
  if (status.state === 'unknown') return status;
  const why = status.why.code === 'missing' ? ({ ...status.why, taken: 'pending' } as const) : status.why;
  return { ...status, state: 'pending', why };
}
