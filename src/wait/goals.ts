import { assertNever } from '../assert-never.ts';
import type { Keep } from '../kube/collection.ts';
import type { KubeObject } from '../kube/object.ts';
import { judgeConditionGoal } from '../verdict/condition-goal.ts';
import { containerNames, judgeContainer } from '../verdict/container.ts';
import { isKnownTask } from '../verdict/custom.ts';
import { judgeKind, keepFor, keyOf } from '../verdict/index.ts';
import { isKindGoal, type KindGoal } from '../verdict/kind-goal.ts';
import { controllerOf, isJob } from '../verdict/owner.ts';
import { hasEnded, hasSuccessor, isReplaced, isService } from '../verdict/pod.ts';
import { pending, reached, type Verdict } from '../verdict/verdict.ts';
import type { Goal, Plan, PlannedJsonPath, Target } from './plan.ts';
import type { Member, Want } from './state.ts';

/** In the place of what must not stand in a log. */
const HIDDEN = '(not shown)';

/** What a kind's own meaning comes to; it may take more than the object. */
export type OwnMeaning = (object: KubeObject, goal: KindGoal) => Verdict;

/** A target's own meaning as far as the object alone tells. */
export function ownMeaning(target: Target): OwnMeaning {
  return (object, goal) => {
    const verdict = judgeAlone(target, object, goal);
    const anyEnd = goal === 'finished' || goal === 'settled';
    if (anyEnd || !isPods(target) || target.select.by !== 'name' || !hasSuccessor(object)) return verdict;
    return pending(verdict.why.code === 'pod' ? { ...verdict.why, awaits: 'successor' } : verdict.why);
  };
}

function judgeAlone(target: Target, object: KubeObject, goal: KindGoal): Verdict {
  if (target.container !== undefined) {
    const verdict = judgeContainer(object, target.container, goal);
    return verdict ?? pending({ code: 'no-container', containers: containerNames(object) });
  }
  const verdict = judgeKind(target.resource, object, goal);
  return verdict === 'others' ? pending({ code: 'reading' }) : verdict;
}

function isPods({ resource }: Target): boolean {
  return keyOf(resource) === '/pods';
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
 * Whether a selector leaves out an object because its controller creates another one in its place. What asks for one
 * field or condition reads each pod as it is, and `settled` counts those that have ended.
 */
export function isNotCounted(target: Target, object: KubeObject, presence?: Member['presence']): boolean {
  if (target.select.by === 'name' || !isPods(target) || !isOwnMeaning(target)) return false;
  if (!isReplaced(object, presence)) return false;
  return !(hasEnded(object) && target.goals.some(({ for: goal }) => goal === 'settled'));
}

/** How pods of a Job count in a selector. */
export interface OwnerRule {
  /** `jobs`: through their Job. `pods`: each by itself, but an attempt that failed does not count. */
  readonly judge: 'jobs' | 'pods';
  /** Whether the run can do without the Jobs: then the pods alone decide where they are refused. */
  readonly need: Want['need'];
  /** What must be seen of a Job before the Jobs are read. */
  readonly after: 'a pod' | 'a failed pod';
}

/** The lowest line that applies to a target decides; undefined: Jobs have no say. */
export function ownerRule(target: Target): OwnerRule | undefined {
  const { select, goals, expect, atLeast, container } = target;
  if (!isPods(target) || select.by === 'name') return undefined;
  if (goals.some(({ for: goal }) => !isKindGoal(goal) || goal === 'settled') || atLeast !== undefined) return undefined;
  if (expect !== undefined || container !== undefined) return { judge: 'pods', need: 'optional', after: 'a pod' };
  if (target.ownerJobs === 'where readable') return { judge: 'jobs', need: 'optional', after: 'a pod' };
  if (goals.every(({ for: goal }) => goal === 'ready')) {
    return { judge: 'pods', need: 'optional', after: 'a failed pod' };
  }
  return { judge: 'jobs', need: 'required', after: 'a pod' };
}

/**
 * What is missed when a selector's object is deleted before it is done: one that ends by itself is, except pods that a
 * controller replaces. A pod that is judged through its Job is not missed, but its Job still counts. What is only ever
 * ready may come and go.
 */
export function missedWith(target: Target, object: KubeObject): 'object' | 'its Job' | 'nothing' {
  if (isNotCounted(target, object, 'gone')) return 'nothing';
  const rule = isJob(controllerOf(object)) ? ownerRule(target) : undefined;
  if (rule !== undefined) return rule.judge === 'jobs' ? 'its Job' : 'nothing';
  if (target.goals.some(({ for: goal }) => goal === 'complete' || goal === 'finished')) return 'object';
  const kind = keyOf(target.resource);
  const ends = kind === 'batch/jobs' || isKnownTask(kind);
  // Only of a pod does `ready` ask something else than the default goal.
  const isAwaited = ({ for: goal }: Goal): boolean =>
    goal === 'default' || goal === 'partly' || (goal === 'ready' && kind !== '/pods');
  if (!target.goals.some(isAwaited)) return 'nothing';
  return ends || (kind === '/pods' && !isService(object)) ? 'object' : 'nothing';
}
