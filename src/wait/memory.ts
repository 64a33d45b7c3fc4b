import type { KubeObject } from '../kube/object.ts';
import { controllerOf } from '../verdict/owner.ts';
import type { Verdict } from '../verdict/verdict.ts';
import type { Lost, Member, Memory } from './state.ts';

export const NOTHING_SEEN: Memory = {
  syncedAt: undefined,
  members: new Map(),
  predecessors: new Set(),
  lost: new Map(),
  endedJobs: new Map(),
  ownersGone: new Map(),
  absentSince: undefined,
  self: undefined,
  replaced: new Map(),
  servedBy: undefined,
  failedPods: new Map(),
  unreadySince: undefined,
  unreadyPods: [],
  refused: new Set(),
  stuck: new Map(),
  doomed: undefined,
  doomedTotal: undefined,
};

/** The rules by which a target remembers; they differ with its goals. */
export interface MemoryRules {
  readonly judge: (object: KubeObject) => Verdict;
  /** Objects that never count, as the waiter's own pod. */
  readonly ignores: (object: KubeObject) => boolean;
  /** Objects that do not count because others take their place, as long as they exist or once they are gone. */
  readonly replaced: (object: KubeObject, presence: Member['presence']) => boolean;
  /** Whether an object that is being deleted when first seen is one on its way out, thus missing. */
  readonly predecessors: 'missing' | 'count';
  /** What is missed when an object goes before it is done: nothing else takes its place. */
  readonly missedWith: (object: KubeObject) => 'object' | 'its Job' | 'nothing';
  /** Whether a DELETED event may only mean that the object no longer fits the selector. */
  readonly departure: 'deleted' | 'deleted or left';
}

/** The same name in the same namespace: an object and the one that took its place. */
export function placeOf(object: KubeObject): string {
  return `${object.metadata.namespace ?? ''}/${object.metadata.name}`;
}

/**
 * Takes a snapshot into the memory. A terminal verdict is kept for its uid, whatever happens to the object afterwards,
 * until another object of that name is there; then that one counts.
 */
export function remember(
  memory: Memory,
  snapshot: { readonly objects: ReadonlyMap<string, KubeObject>; readonly departed: readonly KubeObject[] },
  rules: MemoryRules,
  now: number,
): Memory {
  const members = new Map<string, Member>();
  const predecessors = new Set(memory.predecessors);
  const lost = new Map(memory.lost);
  const places = new Set<string>();

  let { self } = memory;
  for (const [uid, object] of snapshot.objects) {
    if (rules.ignores(object)) {
      self = object;
      continue;
    }
    places.add(placeOf(object));
    const before = memory.members.get(uid);
    const isLeaving = before === undefined && object.metadata.deletionTimestamp !== undefined;
    if (isLeaving && rules.predecessors === 'missing' && !rules.replaced(object, 'here')) predecessors.add(uid);
    if (predecessors.has(uid)) continue;
    const same = before?.object === object;
    members.set(uid, { object, verdict: same ? before.verdict : keep(before, rules.judge(object)), presence: 'here' });
    lost.delete(placeOf(object));
  }

  let newestDeletion: number | undefined;
  for (const uid of memory.predecessors) {
    if (snapshot.objects.has(uid)) continue;
    predecessors.delete(uid);
    newestDeletion = now;
  }
  const go = (object: KubeObject, verdict: Verdict, outcome: Lost['outcome']): void => {
    const { uid, name } = object.metadata;
    newestDeletion = now;
    if (verdict.state === 'failed' || isTerminal(verdict)) {
      if (!places.has(placeOf(object)) && !rules.replaced(object, 'gone'))
        members.set(uid, { object, verdict, presence: 'gone' });
      return;
    }
    const missed = rules.missedWith(object);
    if (places.has(placeOf(object)) || missed === 'nothing') return;
    const fate = rules.departure === 'deleted' ? 'deleted' : 'open';
    const job = missed === 'its Job' ? controllerOf(object) : undefined;
    lost.set(placeOf(object), { name, uid, at: now, outcome, fate, job });
  };

  const departed = new Set<string>();
  for (const object of snapshot.departed) {
    const { uid } = object.metadata;
    if (departed.has(uid) || snapshot.objects.has(uid) || rules.ignores(object)) continue;
    departed.add(uid);
    if (memory.predecessors.has(uid)) continue;
    go(object, keep(memory.members.get(uid), rules.judge(object)), 'not done');
  }
  for (const [uid, member] of memory.members) {
    if (members.has(uid) || departed.has(uid)) continue;
    if (member.presence === 'here') go(member.object, member.verdict, 'unknown');
    else if (!places.has(placeOf(member.object))) members.set(uid, member);
  }

  const syncedAt = memory.syncedAt ?? now;
  const absentSince = newestDeletion ?? memory.absentSince ?? syncedAt;
  return { ...memory, self, syncedAt, members, predecessors, lost, absentSince };
}

/** What was reached for good stands, whatever a later state of the same object says. */
function keep(before: Member | undefined, verdict: Verdict): Verdict {
  return before !== undefined && isTerminal(before.verdict) ? before.verdict : verdict;
}

/** Whether a verdict is reached and can never be taken back for the object's uid. */
export function isTerminal(verdict: Verdict): boolean {
  return verdict.state === 'reached' && verdict.lasting === 'terminal';
}
