import { assertNever } from '../assert-never.ts';
import type { Emission } from '../kube/collection.ts';
import { type Problem, whatToDo } from '../kube/problem.ts';
import { isKindGoal, rulesOf } from '../verdict/index.ts';
import { judgeJob } from '../verdict/job.ts';
import { controllerOf, isJob, replacesFailedPods } from '../verdict/owner.ts';
import { isService } from '../verdict/pod.ts';
import type { Verdict } from '../verdict/verdict.ts';
import { judgeNamed, judgeSelected, ownerGoal } from './members.ts';
import { type MemoryRules, NOTHING_SEEN, remember } from './memory.ts';
import type { Plan, Target } from './plan.ts';
import type { CollectionState, Ending, Input, Memory, State, TargetState, Trouble, Want } from './state.ts';
import { wantOf } from './want.ts';

/**
 * How long a refusal must last before it ends the run, in milliseconds. An API server that has just started refuses
 * for a moment what its RBAC grants, until it has read the roles.
 */
export const REFUSAL_MS = { usually: 5_000, afterOutage: 30_000 } as const;

/** What follows from an input: the new state, what must be read now, and when to look again. */
export interface Step {
  readonly state: State;
  readonly wants: readonly Want[];
  /** On the clock of `now`; undefined: time alone changes nothing. */
  readonly wakeAt: number | undefined;
}

/** The state before anything is known. `now`: milliseconds, monotonic. */
export function begin(plan: Plan, now: number): State {
  const targets = plan.targets.map(
    (target): TargetState => ({ target, memory: NOTHING_SEEN, status: { state: 'unknown' } }),
  );
  return { startedAt: now, collections: new Map(), targets, ending: undefined };
}

/**
 * The one step of a run: pure. Takes what has been told and the time, gives the new state; `state.ending` is set once
 * and never changes.
 */
export function step(plan: Plan, state: State, input: Input, now: number): Step {
  if (state.ending !== undefined) return { state, wants: [], wakeAt: undefined };
  const collections = new Map(state.collections);
  if (input.what === 'emission') {
    const before = collections.get(input.key);
    if (before !== undefined) collections.set(input.key, absorb(before, input.emission, now));
  }
  const wants = new Map<string, Want>();
  const need = (want: Want): void => {
    const known = wants.get(want.key);
    if (known === undefined || known.need === 'optional') wants.set(want.key, want);
  };
  const wakes: number[] = [];
  const targets = state.targets.map((before): TargetState => {
    const own = primaryWant(before.target);
    need(own);
    let { memory } = before;
    if (input.what === 'emission' && input.emission.what === 'snapshot') {
      memory = rememberOwners(memory, before.target, collections.get(input.key)?.want, input.emission);
      if (input.key === own.key) memory = remember(memory, input.emission, rulesFor(plan, before.target), now);
    }
    if (memory.syncedAt === undefined) return { ...before, memory };
    const scene = { plan, target: before.target, memory, collections, now };
    const judged = before.target.select.by === 'name' ? judgeNamed(scene) : judgeSelected(scene);
    for (const want of judged.wants) need(want);
    if (judged.wakeAt !== undefined) wakes.push(judged.wakeAt);
    return { target: before.target, memory: judged.memory, status: judged.status };
  });
  for (const key of collections.keys()) if (!wants.has(key)) collections.delete(key);
  for (const [key, want] of wants) {
    const known = collections.get(key);
    collections.set(key, known === undefined ? { want, objects: undefined, trouble: undefined } : { ...known, want });
  }
  const next: State = { ...state, collections, targets };
  const refusal = refusalOf(plan, next, now);
  if (refusal.wakeAt !== undefined) wakes.push(refusal.wakeAt);
  const deadline = state.startedAt + plan.timeoutMs;
  if (plan.timeoutMs > 0 && Number.isFinite(deadline)) wakes.push(deadline);
  const ending = endingOf(plan, next, refusal.ending, now);
  const wakeAt = wakes.length === 0 || ending !== undefined ? undefined : Math.min(...wakes);
  return { state: { ...next, ending }, wants: ending === undefined ? [...wants.values()] : [], wakeAt };
}

/** Of two endings in the same moment: a verdict, then a refusal, then the timeout. */
function endingOf(plan: Plan, state: State, refused: Ending | undefined, now: number): Ending | undefined {
  const states = state.targets.map(({ status }) => status.state);
  if (states.includes('failed')) return { kind: 'failed' };
  if (states.every((one) => one === 'reached')) return { kind: 'reached' };
  if (refused !== undefined) return refused;
  if (plan.timeoutMs === 0) return isSettled(state) ? { kind: 'timeout' } : undefined;
  return now >= state.startedAt + plan.timeoutMs ? { kind: 'timeout' } : undefined;
}

/** Whether all has been asked once, with an answer or without. */
function isSettled({ collections }: State): boolean {
  return [...collections.values()].every(({ objects, trouble }) => objects !== undefined || trouble !== undefined);
}

function refusalOf(
  plan: Plan,
  { collections }: State,
  now: number,
): { readonly ending: Ending | undefined; readonly wakeAt: number | undefined } {
  let wakeAt: number | undefined;
  if (plan.onRefused === 'wait' && plan.timeoutMs !== 0) return { ending: undefined, wakeAt };
  for (const { want, trouble } of collections.values()) {
    if (want.need === 'optional' || trouble?.refusedSince === undefined) continue;
    const limit = trouble.afterOutage ? REFUSAL_MS.afterOutage : REFUSAL_MS.usually;
    const endsAt = trouble.refusedSince + (plan.timeoutMs === 0 ? 0 : limit);
    if (now >= endsAt) {
      return { ending: { kind: 'refused', want, verb: trouble.verb, problem: trouble.problem }, wakeAt: undefined };
    }
    wakeAt = Math.min(wakeAt ?? endsAt, endsAt);
  }
  return { ending: undefined, wakeAt };
}

/** Takes what a collection tells into its state. */
function absorb(before: CollectionState, emission: Emission, now: number): CollectionState {
  switch (emission.what) {
    case 'snapshot':
      return { ...before, objects: emission.objects };
    case 'answered':
      return { ...before, trouble: undefined };
    case 'problem': {
      const { verb, problem } = emission;
      return { ...before, trouble: troubleAfter(before.trouble, verb, problem, now) };
    }
    case 'fallback':
      return before;
    default:
      return assertNever(emission);
  }
}

function troubleAfter(before: Trouble | undefined, verb: Trouble['verb'], problem: Problem, now: number): Trouble {
  const refused = whatToDo(problem) === 'refused';
  // A server that goes down cuts what is open; it may be up again before a connection is refused.
  const outage = problem.kind === 'unreachable' || problem.kind === 'interrupted';
  const afterOutage = before?.afterOutage === true || outage;
  return { verb, problem, refusedSince: refused ? (before?.refusedSince ?? now) : undefined, afterOutage };
}

function primaryWant({ resource, namespace, select }: Target): Want {
  return select.by === 'name'
    ? wantOf({ resource, namespace, name: select.name, mode: 'watch' }, 'required')
    : wantOf(
        {
          resource,
          namespace,
          labelSelector: select.labelSelector,
          fieldSelector: select.fieldSelector,
          mode: 'watch',
        },
        'required',
      );
}

/** A Job may be deleted in the same moment in which it becomes Complete: its DELETED event still says so. */
function rememberOwners(
  memory: Memory,
  target: Target,
  want: Want | undefined,
  snapshot: Extract<Emission, { what: 'snapshot' }>,
): Memory {
  if (want?.spec.resource.group !== 'batch' || want.spec.resource.name !== 'jobs') return memory;
  const owners = new Map(memory.owners);
  for (const job of snapshot.departed) {
    const verdict = judgeJob(job, ownerGoal(target));
    if (verdict.state !== 'pending' && !owners.has(job.metadata.uid)) owners.set(job.metadata.uid, verdict);
  }
  return owners.size === memory.owners.size ? memory : { ...memory, owners };
}

function rulesFor(plan: Plan, target: Target): MemoryRules {
  const { self } = plan;
  const byName = target.select.by === 'name';
  const isPod = target.resource.group === '' && target.resource.name === 'pods';
  return {
    judge: (object) => judge(target, object),
    ignores: ({ metadata }) =>
      isPod && !byName && self !== undefined && metadata.name === self.name && metadata.namespace === self.namespace,
    predecessors: target.goals.every(({ for: goal }) => OWN_MEANINGS.has(goal)) ? 'missing' : 'count',
    misses: (object) => byName || missesMember(target, object),
    departure: byName ? 'deleted' : 'deleted or left',
  };
}

const OWN_MEANINGS: ReadonlySet<string> = new Set(['default', 'complete', 'finished', 'ready']);

/**
 * Whether a selector's object that goes before it is done leaves a gap: one that ends by itself does, but for pods
 * that a controller makes again. What is only ever ready may come and go.
 */
function missesMember(target: Target, object: Parameters<MemoryRules['judge']>[0]): boolean {
  const owner = controllerOf(object);
  if (replacesFailedPods(owner) || (isJob(owner) && target.ownerJobs !== 'never')) return false;
  if (target.goals.some(({ for: goal }) => goal === 'complete' || goal === 'finished')) return true;
  const { group, name } = target.resource;
  if (!target.goals.every(({ for: goal }) => goal === 'default')) return false;
  if (group === 'batch' && name === 'jobs') return true;
  return group === '' && name === 'pods' && !isService(object);
}

/** All goals must hold; a failure of one is the failure of the target. */
function judge(target: Target, object: Parameters<MemoryRules['judge']>[0]): Verdict {
  const rules = rulesOf(target.resource);
  if (rules === undefined) throw new Error(`no rules for ${target.resource.name}`);
  const verdicts = target.goals.map((goal) => {
    if (!isKindGoal(goal.for)) throw new Error(`no rules for --for ${goal.for}`);
    return rules.judge(object, goal.for);
  });
  const first =
    verdicts.find(({ state }) => state === 'failed') ??
    verdicts.find(({ state }) => state === 'pending') ??
    verdicts.find((verdict) => verdict.state === 'reached' && verdict.lasting === 'level') ??
    verdicts[0];
  if (first === undefined) throw new Error('a target without a goal');
  return first;
}
