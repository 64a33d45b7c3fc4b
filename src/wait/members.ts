import type { KubeObject } from '../kube/object.ts';
import type { ApiResource } from '../kube/resource.ts';
import { judgeJob } from '../verdict/job.ts';
import { controllerOf, isJob, type Owner, replacesFailedPods } from '../verdict/owner.ts';
import type { Verdict, Why } from '../verdict/verdict.ts';
import type { Plan, Target } from './plan.ts';
import type { CollectionState, Lost, Member, Memory, Status, StatusWhy, Want } from './state.ts';
import { wantOf } from './want.ts';

/** What a target's memory comes to, and what else must be read to know. */
export interface Judgement {
  readonly memory: Memory;
  readonly status: Status;
  readonly wants: readonly Want[];
  /** When time alone may change the status. */
  readonly wakeAt: number | undefined;
}

interface Scene {
  readonly plan: Plan;
  readonly target: Target;
  readonly memory: Memory;
  readonly collections: ReadonlyMap<string, CollectionState>;
  readonly now: number;
}

const JOBS: ApiResource = {
  group: 'batch',
  version: 'v1',
  name: 'jobs',
  singularName: 'job',
  kind: 'Job',
  shortNames: [],
  namespaced: true,
};

/** Judges a target that is one object by name. */
export function judgeNamed(scene: Scene): Judgement {
  const { memory, now } = scene;
  const member = newest([...memory.members.values()]);
  if (member !== undefined) {
    const { state, why } = member.verdict;
    return { memory, status: { state, why, uid: member.object.metadata.uid }, wants: [], wakeAt: undefined };
  }
  const lost = [...memory.lost.values()][0];
  const { status, wakeAt } = missing(scene, lost, memory.absentSince ?? now);
  return { memory, status: lost === undefined ? status : { ...status, uid: lost.uid }, wants: [], wakeAt };
}

/** Of several objects of one name, which can only follow one another, the last one. */
function newest(members: readonly Member[]): Member | undefined {
  return members.at(-1);
}

type MissingStatus = Extract<Status, { why: unknown }> & { readonly why: Extract<StatusWhy, { code: 'missing' }> };

/** What the policy makes of a target of which nothing is there. */
function missing(
  { plan, target, now }: Pick<Scene, 'plan' | 'target' | 'now'>,
  lost: Lost | undefined,
  since: number,
): { readonly status: MissingStatus; readonly wakeAt: number | undefined } {
  const facts = lost === undefined ? undefined : { name: lost.name, outcome: lost.outcome };
  const why = (taken: 'pending' | 'done' | 'failed') => ({ code: 'missing', lost: facts, taken }) as const;
  // With a timeout of 0 there is one look and no grace.
  const graceEnds = plan.timeoutMs === 0 ? since : since + target.missingGraceMs;
  if (target.onMissing === 'wait') return { status: { state: 'pending', why: why('pending') }, wakeAt: undefined };
  if (now < graceEnds) return { status: { state: 'pending', why: why('pending') }, wakeAt: graceEnds };
  return target.onMissing === 'fail'
    ? { status: { state: 'failed', why: why('failed') }, wakeAt: undefined }
    : { status: { state: 'reached', why: why('done') }, wakeAt: undefined };
}

/** One thing that counts towards a selector's target: an object, a Job that owns objects, an object that is lost. */
interface Item {
  readonly label: string;
  readonly state: 'pending' | 'reached' | 'failed';
  readonly why: Why | Extract<StatusWhy, { code: 'missing' }>;
}

/** Judges a target that is whatever a selector finds. */
export function judgeSelected(scene: Scene): Judgement {
  const { target, now } = scene;
  const owned = judgeOwned(scene);
  const { memory } = owned;
  const looked = lookUpLost({ ...scene, memory });
  const items: Item[] = [...owned.items];
  let found = owned.found;
  let replaced = 0;
  let { wakeAt } = owned;
  for (const member of owned.others) {
    if (isReplaced(member)) {
      replaced += 1;
      continue;
    }
    found += 1;
    const { state, why } = member.verdict;
    items.push({ label: labelOf(target, member.object), state, why });
  }
  // Where the user said how many there are, or how many are enough, those that are there decide.
  const lostCount = target.expect === undefined && target.atLeast === undefined;
  for (const lost of looked.memory.lost.values()) {
    if (!lostCount) continue;
    found += 1;
    // Nobody knows yet whether it is missing: it is one more to wait for, and no policy has a say.
    if (lost.fate === 'open') continue;
    const judged = missing(scene, lost, lost.at);
    if (judged.wakeAt !== undefined) wakeAt = Math.min(wakeAt ?? judged.wakeAt, judged.wakeAt);
    items.push({
      label: `${target.resource.singularName}/${lost.name}`,
      state: judged.status.state,
      why: judged.status.why,
    });
  }
  const wants = [...owned.wants, ...looked.wants];
  if (memory.members.size === 0 && items.length === 0 && found === 0) {
    const nothing = missing(scene, undefined, memory.absentSince ?? now);
    return { memory: looked.memory, status: nothing.status, wants, wakeAt: nothing.wakeAt };
  }
  const open = owned.open || wants.some((want) => want.need === 'required' && isOpen(scene, want));
  return { memory: looked.memory, status: count(target, items, { found, replaced, open }), wants, wakeAt };
}

function isOpen({ collections }: Pick<Scene, 'collections'>, want: Want): boolean {
  return collections.get(want.key)?.objects === undefined;
}

/** The kind and name of one of a selector's objects, with its namespace where the target has several. */
function labelOf(target: Target, { metadata }: KubeObject): string {
  const name = `${target.resource.singularName}/${metadata.name}`;
  return target.namespace === undefined && metadata.namespace !== undefined ? `${metadata.namespace}/${name}` : name;
}

/** A failed pod in whose place its controller puts a new one: it says nothing about the target. */
function isReplaced({ object, verdict }: Member): boolean {
  return verdict.state === 'failed' && replacesFailedPods(controllerOf(object));
}

function count(
  target: Target,
  items: readonly Item[],
  { found, replaced, open }: { readonly found: number; readonly replaced: number; readonly open: boolean },
): Status {
  const { expect, atLeast } = target;
  const done = items.filter((item) => item.state === 'reached').length;
  const failures = items.filter((item) => item.state === 'failed');
  const waiting = items.filter((item) => item.state === 'pending');
  const status = (state: 'pending' | 'reached' | 'failed', first: Item | undefined): Status => ({
    state,
    why: {
      code: 'members',
      reached: done,
      // Pods whose Job is not known yet are there all the same.
      total: Math.max(items.length, open ? found : 0),
      expect,
      atLeast,
      replaced,
      first: first === undefined ? undefined : { label: first.label, why: first.why },
    },
  });
  const first = worst(waiting);
  if (atLeast !== undefined) {
    if (done >= atLeast && found >= (expect ?? 1)) return status('reached', undefined);
    const enough = found >= Math.max(atLeast, expect ?? 1);
    if (enough && items.length - failures.length < atLeast) return status('failed', failures[0]);
    return status('pending', first ?? failures[0]);
  }
  if (failures[0] !== undefined) return status('failed', failures[0]);
  if (open || waiting.length > 0 || found < (expect ?? 1) || items.length === 0) return status('pending', first);
  return status('reached', items.length === 1 ? items[0] : undefined);
}

/** The pending item to tell of: one that has trouble rather than one that is merely at work. */
function worst(items: readonly Item[]): Item | undefined {
  const rank = ({ why }: Item): number => {
    if (why.code === 'missing') return 0;
    if (why.code === 'pod') return why.containers.length > 0 || why.reason !== undefined ? 1 : 2;
    return 3;
  };
  return items.reduce<Item | undefined>(
    (best, item) => (best === undefined || rank(item) < rank(best) ? item : best),
    undefined,
  );
}

/**
 * Objects that are gone from a selection before they were done: one LIST by name tells, by uid, whether they were
 * deleted or no longer fit the selector.
 */
function lookUpLost({ target, memory, collections }: Scene): {
  readonly memory: Memory;
  readonly wants: readonly Want[];
} {
  const wants: Want[] = [];
  const lost = new Map(memory.lost);
  for (const [place, one] of memory.lost) {
    if (one.fate !== 'open') continue;
    const namespace = place.startsWith('/') ? undefined : place.slice(0, place.indexOf('/'));
    const want = wantOf({ resource: target.resource, namespace, name: one.name, mode: 'once' }, 'required');
    const objects = collections.get(want.key)?.objects;
    if (objects === undefined) wants.push(want);
    else if (objects.has(one.uid)) lost.delete(place);
    else lost.set(place, { ...one, fate: 'deleted' });
  }
  return {
    memory: wants.length === memory.lost.size && lost.size === memory.lost.size ? memory : { ...memory, lost },
    wants,
  };
}

interface Owned {
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
 * they are judged through their Job.
 */
function judgeOwned(scene: Scene): Owned {
  const { target, memory } = scene;
  const members = [...memory.members.values()];
  const isPod = target.resource.group === '' && target.resource.name === 'pods';
  if (!isPod || target.ownerJobs === 'never') {
    return { memory, wants: [], others: members, items: [], found: 0, open: false, wakeAt: undefined };
  }
  const owners = new Map<string, { readonly owner: Owner; readonly namespace: string | undefined }>();
  const others: Member[] = [];
  const owned: Member[] = [];
  for (const member of members) {
    const owner = controllerOf(member.object);
    if (!isJob(owner)) {
      others.push(member);
      continue;
    }
    owned.push(member);
    owners.set(owner.uid, { owner, namespace: member.object.metadata.namespace });
  }
  if (owners.size === 0) return { memory, wants: [], others, items: [], found: 0, open: false, wakeAt: undefined };

  const need = target.ownerJobs === 'required' ? 'required' : 'optional';
  const [only] = owners.values();
  const name = owners.size === 1 ? only?.owner.name : undefined;
  const namespace = owners.size === 1 ? only?.namespace : target.namespace;
  const want = wantOf({ resource: JOBS, namespace, name, mode: 'watch' }, need);
  const verdicts = judgeOwners(scene, want, owners);
  const items: Item[] = [];
  let wakeAt: number | undefined;
  for (const [uid, { owner }] of owners) {
    const judged = verdicts.byUid.get(uid);
    const label = `job/${owner.name}`;
    if (need === 'optional') {
      // The pods that succeeded decide; a Job that has failed is the end all the same.
      if (judged?.state === 'failed') items.push({ label, state: 'failed', why: judged.why });
      continue;
    }
    if (judged === undefined) {
      if (!verdicts.answered) continue;
      // The Job is gone and nobody knows how it ended, or its pods were seen a moment before it was.
      const at = verdicts.memory.ownersGone.get(uid) ?? scene.now;
      const gone = missing(scene, { name: owner.name, uid, at, outcome: 'unknown', fate: 'deleted' }, at);
      if (gone.wakeAt !== undefined) wakeAt = Math.min(wakeAt ?? gone.wakeAt, gone.wakeAt);
      items.push({ label, state: gone.status.state, why: gone.status.why });
      continue;
    }
    items.push({ label, state: judged.state, why: judged.why });
  }
  if (need === 'optional') {
    for (const { object, verdict } of owned) {
      // A try that failed is the Job's to repeat, and one that still runs is not needed when enough have succeeded.
      if (verdict.state !== 'reached' && target.expect !== undefined) continue;
      if (verdict.state === 'failed') continue;
      items.push({ label: labelOf(target, object), state: verdict.state, why: verdict.why });
    }
  }
  const found = need === 'optional' ? owned.filter(({ verdict }) => verdict.state === 'reached').length : owned.length;
  const open = need === 'required' && !verdicts.answered && items.length < owners.size;
  return { memory: verdicts.memory, wants: [want], others, items, found, open, wakeAt };
}

interface OwnerVerdicts {
  readonly memory: Memory;
  readonly byUid: ReadonlyMap<string, Verdict>;
  readonly answered: boolean;
}

/** The verdicts of owning Jobs, by uid; those that can never change are kept, for the Job may go before its pods. */
function judgeOwners(
  { memory, collections, target, now }: Scene,
  want: Want,
  owners: ReadonlyMap<string, unknown>,
): OwnerVerdicts {
  const goal = ownerGoal(target);
  const objects = collections.get(want.key)?.objects;
  const byUid = new Map<string, Verdict>();
  const kept = new Map(memory.owners);
  const gone = new Map<string, number>();
  for (const uid of owners.keys()) {
    const before = memory.owners.get(uid);
    const job = objects?.get(uid);
    const verdict = before ?? (job === undefined ? undefined : judgeJob(job, goal));
    if (verdict === undefined) {
      if (objects !== undefined) gone.set(uid, memory.ownersGone.get(uid) ?? now);
      continue;
    }
    byUid.set(uid, verdict);
    if (verdict.state !== 'pending') kept.set(uid, verdict);
  }
  return { memory: { ...memory, owners: kept, ownersGone: gone }, byUid, answered: objects !== undefined };
}

/** What the Jobs that own a target's pods must come to. */
export function ownerGoal(target: Target): 'complete' | 'finished' {
  return target.goals.every((goal) => goal.for === 'finished') ? 'finished' : 'complete';
}
