import { assertNever } from '../assert-never.ts';
import type { Emission } from '../kube/collection.ts';
import { isNotServed, type Problem, whatToDo } from '../kube/problem.ts';
import { keyOf } from '../verdict/index.ts';
import { judgeJob } from '../verdict/job.ts';
import { alternatives } from './alternatives.ts';
import { judgeDeletion } from './deletion.ts';
import { rememberFailures } from './failures.ts';
import { awaitsDeletion, isNotCounted, isOwnMeaning, judgeGoals, keepOf, missedWith, ownMeaning } from './goals.ts';
import { judgeNamed, judgeSelected } from './members.ts';
import { type MemoryRules, NOTHING_SEEN, remember } from './memory.ts';
import { isSelf, judgeWithOthers } from './others.ts';
import type { Plan, Target } from './plan.ts';
import { earlier, type Judgement, REFUSAL_MS, type Scene } from './scene.ts';
import { CATCH_UP_MS, trusted, UNTIL_READ } from './stale.ts';
import type { CollectionState, Ending, Input, Memory, State, TargetState, Trouble, Want } from './state.ts';
import { judgeStuck } from './stuck.ts';
import { wantOf } from './want.ts';

/** How long before the timeout each pending target is read once more, in milliseconds. */
const LAST_LOOK_MS = 1_000;

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
export function step(plan: Plan, state: State, told: Input, now: number): Step {
  if (state.ending !== undefined) return { state, wants: [], wakeAt: undefined };
  const collections = new Map(state.collections);
  const input = afterLook(told, collections);
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
  const pendingWants: Want[] = [];
  const targets = state.targets.map((before): TargetState => {
    const own = primaryWant(before.target);
    let { target, memory } = before;
    if (input.what === 'emission' && input.emission.what === 'snapshot') {
      memory = rememberJobs(memory, collections.get(input.key)?.want, input.emission);
      if (input.key === own.key) {
        // A kind that was not served when the run began is judged by what discovery has found since.
        target = { ...target, resource: input.emission.resource ?? target.resource };
        memory = remember(memory, input.emission, rulesFor(plan, target), now);
      }
    }
    need(primaryWant(target));
    if (memory.syncedAt === undefined) {
      pendingWants.push(own);
      return { ...before, memory };
    }
    const judged = judgeTarget({ plan, target, memory, collections, now });
    for (const want of judged.wants) need(want);
    if (judged.wakeAt !== undefined) wakes.push(judged.wakeAt);
    if (judged.status.state === 'pending') {
      pendingWants.push(own, ...judged.wants.filter((want) => want.need === 'required'));
    }
    // One look has no later one to wait for.
    if (plan.timeoutMs === 0) return { target, memory: judged.memory, status: judged.status };
    const held = trusted(judged.status, judged.memory, [own, ...judged.wants], { collections, now });
    if (held.wakeAt !== undefined) wakes.push(held.wakeAt);
    return { target, memory: judged.memory, status: held.status };
  });
  const deadline = state.startedAt + plan.timeoutMs;
  const looks = new Map<string, string>();
  if (plan.timeoutMs > 0 && Number.isFinite(deadline)) {
    const lookAt = deadline - Math.min(LAST_LOOK_MS, plan.timeoutMs / 2);
    wakes.push(now < lookAt ? lookAt : deadline);
    for (const want of now < lookAt ? [] : pendingWants) {
      const look = wantOf({ ...want.spec, mode: 'once' }, 'optional');
      if (look.key === want.key) continue;
      need(look);
      looks.set(look.key, want.key);
    }
  }
  for (const key of collections.keys()) if (!wants.has(key)) collections.delete(key);
  for (const [key, want] of wants) {
    const of = looks.get(key);
    const look = of === undefined ? undefined : { key: of, known: collections.get(of)?.objects };
    collections.set(key, { objects: undefined, trouble: undefined, look, ...collections.get(key), want });
  }
  const next: State = { ...state, collections, targets };
  const ending = endingOf(plan, next, now);
  const wakeAt = wakes.length === 0 || ending !== undefined ? undefined : Math.min(...wakes);
  return { state: { ...next, ending }, wants: ending === undefined ? [...wants.values()] : [], wakeAt };
}

/**
 * A list shortly before the timeout stands for the collection that it checks, so that a lost watch event does not end the
 * run with 124. If the watch has brought anything since the list began, the watch works, and the list may be older.
 */
function afterLook(input: Input, collections: Map<string, CollectionState>): Input {
  if (input.what !== 'emission' || input.emission.what !== 'snapshot') return input;
  const { look } = collections.get(input.key) ?? {};
  const checked = look === undefined ? undefined : collections.get(look.key);
  if (look === undefined || checked === undefined || checked.objects !== look.known) return input;
  collections.set(look.key, { ...checked, trouble: undefined, catchingUpUntil: undefined });
  return { ...input, key: look.key };
}

/** Of two endings in the same moment the lower exit code wins. One look is one answer for every target. */
function endingOf(plan: Plan, state: State, now: number): Ending | undefined {
  if (plan.timeoutMs === 0 && !isSettled(state)) return undefined;
  const groups = alternatives(state.targets).map((group) => group.map(({ status }) => status.state));
  if (groups.some((states) => states.every((one) => one === 'failed'))) return { kind: 'failed' };
  if (groups.every((states) => states.includes('reached'))) return { kind: 'reached' };
  const denied = unusableTarget(state) ?? refusalOf(plan, state);
  if (denied !== undefined) return denied;
  return now >= state.startedAt + plan.timeoutMs ? { kind: 'timeout' } : undefined;
}

/** Whether all has been asked once, with an answer or without. */
function isSettled({ collections }: State): boolean {
  return [...collections.values()].every(({ objects, trouble }) => objects !== undefined || trouble !== undefined);
}

/**
 * A target whose first LIST can never be answered. One that was answered before is retried: API servers of two versions
 * may be behind one address.
 */
function unusableTarget({ collections, targets }: State): Ending | undefined {
  for (const { target } of targets) {
    const { objects, trouble } = collections.get(primaryWant(target).key) ?? {};
    if (objects !== undefined || trouble === undefined) continue;
    const { problem } = trouble;
    if (whatToDo(problem) === 'permanent' || isNotServed(problem)) return { kind: 'usage', target, problem };
  }
  return undefined;
}

function refusalOf(plan: Plan, { collections }: State): Ending | undefined {
  if (plan.onRefused === 'wait' && plan.timeoutMs !== 0) return undefined;
  const hasAnswered = [...collections.values()].some(({ objects }) => objects !== undefined);
  for (const { want, trouble } of collections.values()) {
    if (want.need === 'optional' || trouble?.refusedSince === undefined) continue;
    // A credential plugin that worked before may fail because of what it depends on.
    if (trouble.problem.kind === 'credentials' && hasAnswered) continue;
    const limit = trouble.afterOutage ? REFUSAL_MS.afterOutage : REFUSAL_MS.usually;
    const endsAt = trouble.refusedSince + (plan.timeoutMs === 0 ? 0 : limit);
    // Only an answer tells that it lasts: the next one may be that it is granted.
    if (trouble.at >= endsAt) {
      return { kind: 'refused', want, verb: trouble.verb, problem: trouble.problem };
    }
  }
  return undefined;
}

/** Takes what a collection tells into its state. */
function absorb(before: CollectionState, emission: Emission, now: number): CollectionState {
  switch (emission.what) {
    case 'snapshot': {
      const { catchingUpUntil } = before;
      const isReadAnew = catchingUpUntil === UNTIL_READ;
      return { ...before, objects: emission.objects, catchingUpUntil: isReadAnew ? undefined : catchingUpUntil };
    }
    case 'answered': {
      if (before.trouble === undefined) return before;
      // Not anew with each watch that is cut at once: what was missed comes first.
      const watched = before.catchingUpUntil ?? now + CATCH_UP_MS;
      return { ...before, trouble: undefined, catchingUpUntil: emission.verb === 'watch' ? watched : UNTIL_READ };
    }
    case 'problem': {
      const { verb, problem } = emission;
      const { trouble, catchingUpUntil = Number.NEGATIVE_INFINITY } = before;
      const isRecent = catchingUpUntil !== UNTIL_READ && now < catchingUpUntil + CATCH_UP_MS;
      const recent = isRecent ? catchingUpUntil : undefined;
      return { ...before, trouble: troubleAfter(trouble, verb, problem, now), catchingUpUntil: recent };
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
  return { verb, problem, refusedSince: refused ? (before?.refusedSince ?? now) : undefined, at: now, afterOutage };
}

function primaryWant(target: Target): Want {
  const { resource, namespace, select } = target;
  const common = { resource, namespace, mode: 'watch', keep: keepOf(target) } as const;
  if (select.by === 'name') return wantOf({ ...common, name: select.name }, 'required');
  const { labelSelector, fieldSelector } = select;
  return wantOf({ ...common, labelSelector, fieldSelector }, 'required');
}

/** A Job may be deleted in the same moment in which it ends: its DELETED event still says how. */
function rememberJobs(
  memory: Memory,
  want: Want | undefined,
  snapshot: Extract<Emission, { what: 'snapshot' }>,
): Memory {
  if (want === undefined || keyOf(want.spec.resource) !== 'batch/jobs') return memory;
  // FailureTarget alone is enough: such a Job can only fail.
  const ended = snapshot.departed.filter((job) => judgeJob(job, 'complete').state !== 'pending');
  if (ended.length === 0) return memory;
  return {
    ...memory,
    endedJobs: new Map([...memory.endedJobs, ...ended.map((job) => [job.metadata.uid, job] as const)]),
  };
}

function rulesFor(plan: Plan, target: Target): MemoryRules {
  const byName = target.select.by === 'name';
  const isPod = keyOf(target.resource) === '/pods';
  const own = ownMeaning(target);
  return {
    judge: (object) => judgeGoals(plan, target, object, own),
    ignores: (object) => isPod && !byName && isSelf(plan, object),
    replaced: (object, presence) => isNotCounted(target, object, presence),
    predecessors: isOwnMeaning(target) && !awaitsDeletion(target) ? 'missing' : 'count',
    missedWith: (object) => (byName ? 'object' : missedWith(target, object)),
    departure: byName ? 'deleted' : 'deleted or left',
  };
}

/**
 * Goals beside `delete` come first, as for kubectl wait: what reached them is to go. What is not there to begin with is
 * gone, unless it is to be created.
 */
function judgeTarget(scene: Scene): Judgement {
  const { target, memory } = scene;
  if (!awaitsDeletion(target)) return judgeLife(scene);
  const isFirst = memory.doomed === undefined && target.goals.length > 1;
  // The times alone would not do: what goes in the moment in which it was first seen has been there.
  const isAbsent = memory.members.size === 0 && memory.lost.size === 0 && memory.absentSince === memory.syncedAt;
  if (!isFirst || (isAbsent && !target.goals.some((goal) => goal.for === 'create'))) return judgeDeletion(scene);
  const life = judgeLife(scene);
  return life.status.state === 'reached' ? judgeDeletion({ ...scene, memory: life.memory }) : life;
}

/** Everything that decides about a target while it exists, in order. */
function judgeLife(scene: Scene): Judgement {
  const others = judgeWithOthers(scene);
  const failures = rememberFailures({ ...scene, memory: others.memory });
  const stuck = judgeStuck({ ...scene, memory: failures.memory });
  const judged = (scene.target.select.by === 'name' ? judgeNamed : judgeSelected)({ ...scene, memory: stuck.memory });
  const wants = [...others.wants, ...failures.wants, ...stuck.wants, ...judged.wants];
  const wakeAt = earlier(failures.wakeAt, earlier(stuck.wakeAt, judged.wakeAt));
  if (stuck.stuck === undefined || judged.status.state !== 'pending') return { ...judged, wants, wakeAt };
  const { label, reason, message } = stuck.stuck;
  return { ...judged, wants, wakeAt, status: { state: 'failed', why: { code: 'stuck', label, reason, message } } };
}
