import { field, number, text } from '../json.ts';
import type { KubeObject } from '../kube/object.ts';
import type { ApiResource } from '../kube/resource.ts';
import { isStale } from './generation.ts';
import type { Condition } from './verdict.ts';

/** What an object comes to under `condition=TYPE=STATUS`. */
export interface ConditionOutcome {
  /** `reached` is true now and may cease to be. */
  readonly state: 'pending' | 'reached' | 'failed';
  /** The condition of that type, whatever its status; where failed the one that rules it out. Undefined: none. */
  readonly condition: Condition | undefined;
  /** Whether the condition speaks of an earlier spec. */
  readonly stale: boolean;
  /** Why no condition can be read. */
  readonly problem?: string;
}

/** A Job has only one of them, and never takes it back. https://kubernetes.io/docs/concepts/workloads/controllers/job/ */
const OPPOSITE: ReadonlyMap<string, string> = new Map([
  ['complete', 'Failed'],
  ['failed', 'Complete'],
]);

/**
 * Judges an object by `kubectl wait --for=condition=`: of the conditions the first of that type decides, upper and
 * lower case alike, unless its own observedGeneration, or where it has none the status's, is older than the object.
 * A condition that is not there is pending, whatever status is wanted of it. Unlike kubectl, which waits for ever, a Job
 * that has ended the other way is failed; `kind` is that of the object. Conditions that are no list are an error in
 * both, null in kubectl only: a controller in Go may send that before it has any.
 * https://github.com/kubernetes/kubectl/blob/v0.36.3/pkg/cmd/wait/condition.go
 */
export function judgeConditionGoal(
  goal: { readonly type: string; readonly status: string },
  object: KubeObject,
  kind: Pick<ApiResource, 'group' | 'name'>,
): ConditionOutcome {
  const status = field(object, 'status') ?? {};
  const list = typeof status === 'object' ? (field(status, 'conditions') ?? []) : status;
  if (!Array.isArray(list)) {
    return { state: 'failed', condition: undefined, stale: false, problem: '.status.conditions is not a list' };
  }
  const rival = kind.group === 'batch' && kind.name === 'jobs' ? OPPOSITE.get(goal.type.toLowerCase()) : undefined;
  if (rival !== undefined && same(goal.status, 'True')) {
    const condition = first(list, rival);
    if (condition !== undefined && same(condition.status, 'True')) return { state: 'failed', condition, stale: false };
  }
  const condition = first(list, goal.type);
  if (condition === undefined) return { state: 'pending', condition, stale: false };
  const stale = isStale(object, condition);
  return { state: !stale && same(condition.status, goal.status) ? 'reached' : 'pending', condition, stale };
}

/** The first condition of a type that has a status. */
function first(conditions: readonly unknown[], wanted: string): Condition | undefined {
  for (const raw of conditions) {
    const type = field(raw, 'type');
    const status = field(raw, 'status');
    if (typeof type !== 'string' || typeof status !== 'string' || !same(type, wanted)) continue;
    const observedGeneration = number(raw, 'observedGeneration');
    return { type, status, reason: text(raw, 'reason'), message: text(raw, 'message'), observedGeneration };
  }
  return undefined;
}

/** Types and statuses are ASCII: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/condition/ */
function same(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}
