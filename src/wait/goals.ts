import { assertNever } from '../assert-never.ts';
import type { Keep } from '../kube/collection.ts';
import type { KubeObject } from '../kube/object.ts';
import { judgeConditionGoal } from '../verdict/condition-goal.ts';
import { containerNames, judgeContainer } from '../verdict/container.ts';
import { judgeKind, keepFor, keyOf } from '../verdict/index.ts';
import { isKindGoal, type KindGoal } from '../verdict/kind-goal.ts';
import { controllerOf, isJob, replacesFailedPods } from '../verdict/owner.ts';
import { isService } from '../verdict/pod.ts';
import { pending, reached, type Verdict } from '../verdict/verdict.ts';
import type { Goal, Plan, PlannedJsonPath, Target } from './plan.ts';

/** In the place of what must not stand in a log. */
const HIDDEN = '(not shown)';

/** What a kind's own meaning comes to; it may take more than the object. */
export type OwnMeaning = (object: KubeObject, goal: KindGoal) => Verdict;

/** A target's own meaning as far as the object alone tells. */
export function ownMeaning(target: Target): OwnMeaning {
  return (object, goal) => {
    if (target.container !== undefined) {
      const verdict = judgeContainer(object, target.container, goal);
      return verdict ?? pending({ code: 'no-container', containers: containerNames(object) });
    }
    const verdict = judgeKind(target.resource, object, goal);
    return verdict === 'others' ? pending({ code: 'reading' }) : verdict;
  };
}

/**
 * Judges an object by all goals of its target, which must hold together; a failure of one is the failure of the target.
 * A jsonpath that looks outside of the status tells which object is meant: another one is not judged at all, so that
 * neither the success nor the failure of a predecessor counts.
 */
export function judgeGoals(
  plan: Pick<Plan, 'jsonPaths'>,
  target: Target,
  object: KubeObject,
  own: OwnMeaning,
): Verdict {
  const goals = target.goals.filter((goal) => goal.for !== 'delete');
  const verdicts = goals.map((goal) => ({ goal, verdict: judgeGoal(plan, target, goal, object, own) }));
  const stranger = verdicts.find(({ goal, verdict }) => isIdentity(plan, goal) && verdict.state === 'pending');
  if (stranger !== undefined) return stranger.verdict;
  const by = (accept: (verdict: Verdict) => boolean): Verdict | undefined =>
    verdicts.find(({ verdict }) => accept(verdict))?.verdict;
  return (
    by(({ state }) => state === 'failed') ??
    by(({ state }) => state === 'pending') ??
    // Together they last as long as the one that lasts least.
    by((verdict) => verdict.state === 'reached' && verdict.lasting === 'level') ??
    by(() => true) ??
    pending({ code: 'exists' })
  );
}

function isIdentity({ jsonPaths }: Pick<Plan, 'jsonPaths'>, goal: Goal): boolean {
  return goal.for === 'jsonpath' && !plannedOf(jsonPaths, goal.expression).readsStatus;
}

function plannedOf(jsonPaths: Plan['jsonPaths'], expression: string): PlannedJsonPath {
  const planned = jsonPaths.get(expression);
  if (planned === undefined) throw new Error(`the jsonpath ${expression} was not read`);
  return planned;
}

function judgeGoal(
  { jsonPaths }: Pick<Plan, 'jsonPaths'>,
  target: Target,
  goal: Goal,
  object: KubeObject,
  own: OwnMeaning,
): Verdict {
  switch (goal.for) {
    case 'default':
    case 'complete':
    case 'finished':
    case 'ready':
    case 'settled':
    case 'partly':
      return own(object, goal.for);
    case 'create':
      return reached('terminal', { code: 'exists' });
    case 'delete':
      return pending({ code: 'exists' });
    case 'condition': {
      const { state, condition, stale, problem } = judgeConditionGoal(goal, object, target.resource);
      const why = { code: 'condition', wanted: `${goal.type}=${goal.status}`, condition, stale, problem } as const;
      return state === 'reached' ? reached('level', why) : { state, why };
    }
    case 'jsonpath': {
      const { state, shown, problem } = plannedOf(jsonPaths, goal.expression).judge(goal.value, object);
      const { expression, value: wanted } = goal;
      // Neither a Secret's value nor the guess at it belongs in a log.
      const secret = keyOf(target.resource) === '/secrets';
      const found = shown !== undefined && secret ? HIDDEN : shown;
      const why = { code: 'jsonpath', expression, wanted: secret ? undefined : wanted, found, problem } as const;
      return state === 'reached' ? reached('level', why) : { state, why };
    }
    default:
      return assertNever(goal);
  }
}

/** How much of each object a target's goals read. */
export function keepOf({ goals, resource }: Target): Keep {
  if (goals.some(({ for: goal }) => goal === 'condition' || goal === 'jsonpath')) return 'whole';
  if (goals.every(({ for: goal }) => goal === 'create' || goal === 'delete')) return 'metadata';
  return keepFor(resource);
}

/** Whether the objects are to go in the end. */
export function awaitsDeletion({ goals }: Target): boolean {
  return goals.some((goal) => goal.for === 'delete');
}

/** Whether the goals are meanings of the kind's own, for which an object on its way out is a missing one. */
export function isOwnMeaning({ goals }: Target): boolean {
  return goals.some(({ for: goal }) => isKindGoal(goal));
}

/**
 * What is missed when a selector's object goes before it is done: one that ends by itself is, but for pods that a
 * controller makes again. A pod that is judged through its Job is not missed, but its Job still counts. What is only
 * ever ready may come and go.
 */
export function missedWith(target: Target, object: KubeObject): 'object' | 'its Job' | 'nothing' {
  const owner = controllerOf(object);
  if (replacesFailedPods(owner)) return 'nothing';
  if (isJob(owner) && target.ownerJobs !== 'never') {
    return target.ownerJobs === 'optional' || target.container !== undefined ? 'nothing' : 'its Job';
  }
  if (target.goals.some(({ for: goal }) => goal === 'complete' || goal === 'finished')) return 'object';
  if (!target.goals.some(({ for: goal }) => goal === 'default' || goal === 'partly')) return 'nothing';
  const kind = keyOf(target.resource);
  return kind === 'batch/jobs' || (kind === '/pods' && !isService(object)) ? 'object' : 'nothing';
}
