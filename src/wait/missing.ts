import type { Scene } from './scene.ts';
import type { Lost, Status, StatusWhy } from './state.ts';

export type MissingWhy = Extract<StatusWhy, { code: 'missing' }>;

interface Missing {
  readonly status: Extract<Status, { why: unknown }> & { readonly why: MissingWhy };
  readonly wakeAt: number | undefined;
}

/** What the policy makes of a target, or of one of its objects, that is not there since then. */
export function missing(
  { plan, target, now }: Pick<Scene, 'plan' | 'target' | 'now'>,
  since: number,
  facts: { readonly lost?: Pick<Lost, 'name' | 'outcome'> | undefined; readonly containers?: readonly string[] } = {},
): Missing {
  const lost = facts.lost === undefined ? undefined : { name: facts.lost.name, outcome: facts.lost.outcome };
  const pendingFor = (wakeAt: number | undefined): Missing => ({
    status: { state: 'pending', why: { code: 'missing', lost, taken: 'pending', containers: facts.containers } },
    wakeAt,
  });
  if (target.onMissing === 'wait') return pendingFor(undefined);
  // With a timeout of 0 there is one look and no grace.
  const graceEnds = plan.timeoutMs === 0 ? since : since + target.missingGraceMs;
  if (now < graceEnds) return pendingFor(graceEnds);
  const [state, taken] = target.onMissing === 'fail' ? (['failed', 'failed'] as const) : (['reached', 'done'] as const);
  return { status: { state, why: { code: 'missing', lost, taken, containers: facts.containers } }, wakeAt: undefined };
}
