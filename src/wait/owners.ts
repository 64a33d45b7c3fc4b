import type { KubeObject } from '../kube/object.ts';
import { judgeJob } from '../verdict/job.ts';
import { controllerOf, isJob, type Owner } from '../verdict/owner.ts';
import type { Verdict } from '../verdict/verdict.ts';
import { ownerRule } from './goals.ts';
import { missing } from './missing.ts';
import { JOBS } from './others.ts';
import type { Target } from './plan.ts';
import { earlier, isDenied, REFUSAL_MS, type Scene } from './scene.ts';
import type { Item, Member, Memory, Want } from './state.ts';
import { wantOf } from './want.ts';

/** The members of a selector's target that Jobs own, and the others. */
export interface Owned {
  readonly memory: Memory;
  readonly wants: readonly Want[];
  /** The members that are judged by themselves. */
  readonly others: readonly Member[];
  /** The Jobs, or the pods, that stand for the members of Jobs. */
  readonly items: readonly Item[];
  /** How many members those stand for. */
  readonly found: number;
  /** Whether a verdict of a Job is still to come. */
  readonly open: boolean;
  readonly wakeAt: number | undefined;
}

/**
 * Pods of a Job come one after the other, so that at any moment all there are may have succeeded while the Job has not:
 * they are judged through their Job. Where each counts by itself, an attempt that failed is the Job's to repeat.
 */
export function judgeOwned(scene: Scene, members: readonly Member[]): Owned {
  const { target, memory } = scene;
  const rule = ownerRule(target);
  const alone: Owned = { memory, wants: [], others: members, items: [], found: 0, open: false, wakeAt: undefined };
  if (rule === undefined) return alone;
  const owners = new Map<string, JobRef>();
  const others: Member[] = [];
  const owned: Member[] = [];
  for (const member of members) {
    const owner = controllerOf(member.object);
    if (isJob(owner)) {
      owned.push(member);
      owners.set(owner.uid, { owner, namespace: member.object.metadata.namespace });
    } else {
      others.push(member);
    }
  }
  const counted = new Set(owners.keys());
  for (const [place, { job: owner, fate }] of memory.lost) {
    if (owner === undefined) continue;
    const namespace = place.slice(0, place.indexOf('/'));
    if (!owners.has(owner.uid)) owners.set(owner.uid, { owner, namespace });
    // As long as its pod may merely have left the selection it is asked for, and has no say.
    if (fate === 'deleted') counted.add(owner.uid);
  }
  if (owners.size === 0) return alone;
  if (rule.judge === 'pods' && rule.after === 'a failed pod' && !owned.some(isFailedAttempt)) return alone;
  const want = wantOfJobs(target, owners, rule.need);
  const asked = { ...scene, want, owners, owned, others };
  // Enough have succeeded: neither the other pods nor their Jobs matter.
  if (target.expect !== undefined && owned.filter(isDone).length >= target.expect) {
    return { ...alone, wants: [want], others: [...others, ...owned.filter(isDone)] };
  }
  const refusal = rule.need === 'optional' ? refusalOf(scene, want) : undefined;
  if (refusal?.state === 'lasting') return { ...alone, wants: [want] };
  const judged = rule.judge === 'jobs' ? throughJobs(asked, counted) : beside(asked);
  return { ...judged, wants: [want], wakeAt: earlier(refusal?.wakeAt, judged.wakeAt) };
}

interface Asked extends Scene {
  readonly want: Want;
  readonly owners: ReadonlyMap<string, JobRef>;
  /** The members that Jobs own, and the others. */
  readonly owned: readonly Member[];
  readonly others: readonly Member[];
}

type Judged = Omit<Owned, 'wants'>;

/** `counted`: the Jobs that stand for a member. */
function throughJobs(asked: Asked, counted: ReadonlySet<string>): Judged {
  const { want, owners, owned, others, now } = asked;
  const verdicts = judgeOwners(asked, want, owners);
  const items: Item[] = [];
  let wakeAt: number | undefined;
  for (const [uid, { owner }] of owners) {
    const successor = verdicts.successors.get(uid);
    if (!counted.has(uid) || (successor !== undefined && counted.has(successor))) continue;
    const own = verdicts.byUid.get(successor ?? uid);
    // Done without a pod that the selector found, it says nothing about those that it did find.
    const judged = successor !== undefined && own?.state === 'reached' ? undefined : own;
    if (judged !== undefined) {
      items.push({ label: labelOf(owner), state: judged.state, why: judged.why });
    } else if (verdicts.answered) {
      const gone = goneJob(asked, owner, verdicts.memory.ownersGone.get(uid) ?? now);
      items.push(gone.item);
      wakeAt = earlier(wakeAt, gone.wakeAt);
    }
  }
  const open = !verdicts.answered && items.length < counted.size;
  const found = Math.max(owned.length, counted.size);
  return { memory: verdicts.memory, others, items, found, open, wakeAt };
}

/** Each pod counts by itself, except failed attempts; a Job that has failed is the end. */
function beside(asked: Asked): Judged {
  const { want, owners, owned, now } = asked;
  const verdicts = judgeOwners(asked, want, owners);
  const items: Item[] = [];
  const failed = Map.groupBy(owned.filter(isFailedAttempt), ({ object }) => controllerOf(object)?.uid);
  const others = [...asked.others, ...owned.filter((member) => !isFailedAttempt(member))];
  let open = false;
  let wakeAt: number | undefined;
  for (const [uid, { owner }] of owners) {
    const job = verdicts.byUid.get(verdicts.successors.get(uid) ?? uid);
    const attempts = failed.get(uid) ?? [];
    if (job?.state === 'failed') {
      items.push({ label: labelOf(owner), state: 'failed', why: job.why });
    } else if (job?.state === 'reached') {
      // Nothing follows any more: what counts either end counts the attempts too.
      others.push(...attempts.filter(({ verdict }) => verdict.state === 'reached'));
    } else if (job === undefined && attempts.length > 0) {
      if (!verdicts.answered) {
        open = true;
        continue;
      }
      const gone = goneJob(asked, owner, verdicts.memory.ownersGone.get(uid) ?? now);
      items.push(gone.item);
      wakeAt = earlier(wakeAt, gone.wakeAt);
    }
  }
  return { memory: verdicts.memory, others, items, found: 0, open, wakeAt };
}

function labelOf({ name }: Owner): string {
  return `job/${name}`;
}

/** The Job is gone and nobody knows how it ended, or its pods were seen a moment before it was. */
function goneJob(
  scene: Scene,
  owner: Owner,
  since: number,
): { readonly item: Item; readonly wakeAt: number | undefined } {
  const { status, wakeAt } = missing(scene, since, { lost: { name: owner.name, outcome: 'unknown' } });
  return { item: { label: labelOf(owner), state: status.state, why: status.why }, wakeAt };
}

function isDone(member: Member): boolean {
  return member.verdict.state === 'reached' && !isFailedAttempt(member);
}

/** Whether a pod, or the container of it that is awaited, has failed, even where that counts as an end. */
function isFailedAttempt({ verdict }: Member): boolean {
  const { why } = verdict;
  if (verdict.state !== 'reached') return verdict.state === 'failed';
  if (why.code === 'container') return verdict.lasting === 'terminal' && why.container.exitCode !== 0;
  return why.code === 'pod' && why.phase === 'Failed';
}

/**
 * Whether Jobs cannot be read. A refusal counts only once it has lasted: an API server that has just started, or a Role
 * that is just being created, refuses for a moment, and the pods alone could then seem to be done before their Job is.
 */
function refusalOf(
  { plan, collections, now }: Scene,
  want: Want,
): { readonly state: 'lasting' | 'fresh'; readonly wakeAt: number | undefined } | undefined {
  const { objects, trouble } = collections.get(want.key) ?? {};
  if (objects !== undefined || !isDenied(trouble)) return undefined;
  const limitMs = trouble.afterOutage ? REFUSAL_MS.afterOutage : REFUSAL_MS.usually;
  const lastsFrom = trouble.refusedSince + (plan.timeoutMs === 0 ? 0 : limitMs);
  return now < lastsFrom ? { state: 'fresh', wakeAt: lastsFrom } : { state: 'lasting', wakeAt: undefined };
}

/** A Job, by what its pods say of it. */
interface JobRef {
  readonly owner: Owner;
  readonly namespace: string | undefined;
}

/** The one Job by name, so that a Role with resourceNames suffices, and the one that takes its place; else all. */
function wantOfJobs(target: Target, owners: ReadonlyMap<string, JobRef>, need: Want['need']): Want {
  const [first, ...more] = owners.values();
  const one = more.every((other) => isSamePlace(other, first)) ? first : undefined;
  const namespace = one === undefined ? target.namespace : one.namespace;
  return wantOf({ resource: JOBS, namespace, name: one?.owner.name, mode: 'watch', keep: 'verdict' }, need);
}

function isSamePlace(one: JobRef, other: JobRef | undefined): boolean {
  return one.owner.name === other?.owner.name && one.namespace === other.namespace;
}

interface OwnerVerdicts {
  readonly memory: Memory;
  /** Of the owners, and of the Jobs that took their place. */
  readonly byUid: ReadonlyMap<string, Verdict>;
  /** By the uid of an owner that is gone: that of the Job which has its name now. */
  readonly successors: ReadonlyMap<string, string>;
  readonly answered: boolean;
}

/**
 * The verdicts of owning Jobs, by uid; those that can never change are kept, for the Job may go before its pods, until
 * a new Job has its name: then that one counts.
 */
function judgeOwners(scene: Scene, want: Want, owners: ReadonlyMap<string, JobRef>): OwnerVerdicts {
  const { memory, collections, target, now } = scene;
  const goal = target.goals.every((one) => one.for === 'finished') ? 'finished' : 'complete';
  const objects = collections.get(want.key)?.objects;
  const byUid = new Map<string, Verdict>();
  const endedJobs = new Map(memory.endedJobs);
  const gone = new Map<string, number>();
  const successors = new Map<string, string>();
  for (const [uid, ref] of owners) {
    const successor = objects === undefined || objects.has(uid) ? undefined : named(objects, ref);
    if (successor !== undefined) {
      const verdict = judgeJob(successor, goal);
      successors.set(uid, successor.metadata.uid);
      byUid.set(successor.metadata.uid, verdict);
      gone.set(uid, (verdict.state === 'reached' ? memory.ownersGone.get(uid) : undefined) ?? now);
      continue;
    }
    const job = objects?.get(uid) ?? memory.endedJobs.get(uid);
    const isGone = objects?.has(uid) !== true;
    // One that was only about to fail when it was deleted has an end that nobody has seen.
    if (job === undefined || (isGone && judgeJob(job, goal).state === 'pending')) {
      if (objects !== undefined) gone.set(uid, memory.ownersGone.get(uid) ?? now);
      continue;
    }
    const verdict = judgeJob(job, goal);
    byUid.set(uid, verdict);
    if (verdict.state !== 'pending') endedJobs.set(uid, job);
  }
  const answered = objects !== undefined;
  return { memory: { ...memory, endedJobs, ownersGone: gone }, byUid, successors, answered };
}

function named(objects: ReadonlyMap<string, KubeObject>, { owner, namespace }: JobRef): KubeObject | undefined {
  for (const object of objects.values()) {
    if (object.metadata.name === owner.name && object.metadata.namespace === namespace) return object;
  }
  return undefined;
}
