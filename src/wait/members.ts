import type { KubeObject } from '../kube/object.ts';
import { isNotCounted } from './goals.ts';
import { isTerminal } from './memory.ts';
import { missing } from './missing.ts';
import { judgeOwned } from './owners.ts';
import type { Target } from './plan.ts';
import { earlier, isOpen, type Judgement, type Scene } from './scene.ts';
import type { Item, Member, Memory, Status, Want } from './state.ts';
import { wantOf } from './want.ts';

/** Judges a target that is one object by name. */
export function judgeNamed(scene: Scene): Judgement {
  const { memory, now } = scene;
  const since = memory.absentSince ?? now;
  // Objects of one name can only follow one another.
  const member = [...memory.members.values()].at(-1);
  if (member?.verdict.why.code === 'no-container') {
    const { containers } = member.verdict.why;
    return { memory, ...missing(scene, memory.syncedAt ?? now, { containers }), wants: [] };
  }
  if (member !== undefined) {
    const { verdict } = member;
    const { state, why } = verdict;
    const lasting = isTerminal(verdict) ? ({ lasting: 'terminal' } as const) : {};
    const status = { state, why, uid: member.object.metadata.uid, ...lasting };
    return { memory, status, wants: [], wakeAt: undefined };
  }
  const [lost] = memory.lost.values();
  const { status, wakeAt } = missing(scene, since, { lost });
  return { memory, status: lost === undefined ? status : { ...status, uid: lost.uid }, wants: [], wakeAt };
}

/** Judges a target that is whatever a selector finds. */
export function judgeSelected(scene: Scene): Judgement {
  const { target, now } = scene;
  const nameOf = (object: KubeObject): string => labelOf(target, object);
  const looked = lookUpLost(scene);
  const counted: Member[] = [];
  const replaced = new Map<string, string>();
  for (const [uid, member] of looked.memory.members) {
    if (isNotCounted(target, member.object, member.presence)) replaced.set(uid, nameOf(member.object));
    else counted.push(member);
  }
  const owned = judgeOwned({ ...scene, memory: { ...looked.memory, replaced } }, counted);
  const { memory } = owned;
  const items: Item[] = [...owned.items];
  const tally = { found: owned.found, replaced: replaced.size, open: false };
  let { wakeAt } = owned;
  let containers: readonly string[] | undefined;
  for (const { object, verdict } of owned.others) {
    const { state, why } = verdict;
    if (why.code === 'no-container') {
      containers = why.containers;
    } else {
      tally.found += 1;
      items.push({ label: nameOf(object), state, why });
    }
  }
  // Where the user said how many there are, or how many are enough, those that are there decide.
  const missed = target.expect === undefined && target.atLeast === undefined ? memory.lost.values() : [];
  for (const lost of missed) {
    // Nobody knows yet whether it is missing: it is one more to wait for, and no policy has a say.
    if (lost.fate === 'open') tally.found += 1;
    // A pod of a Job that was deleted is made again: it is the Job that is missing, where one is.
    if (lost.fate === 'open' || lost.job !== undefined) continue;
    tally.found += 1;
    const judged = missing(scene, lost.at, { lost });
    wakeAt = earlier(wakeAt, judged.wakeAt);
    items.push({ label: `${target.resource.singularName}/${lost.name}`, ...judged.status });
  }
  const wants = [...owned.wants, ...looked.wants];
  const nothingFits = counted.every(({ verdict }) => verdict.why.code === 'no-container');
  if (nothingFits && replaced.size === 0 && items.length === 0 && tally.found === 0) {
    const facts = containers === undefined ? {} : { containers };
    return { memory, ...missing(scene, memory.absentSince ?? now, facts), wants };
  }
  tally.open = owned.open || wants.some((want) => want.need === 'required' && isOpen(scene, want));
  return { memory, status: count(target, items, tally), wants, wakeAt };
}

/** The kind and name of one of a selector's objects, with its namespace where the target has several. */
function labelOf(target: Target, { metadata }: KubeObject): string {
  const name = `${target.resource.singularName}/${metadata.name}`;
  return target.namespace === undefined && metadata.namespace !== undefined ? `${metadata.namespace}/${name}` : name;
}

interface Tally {
  /** Objects that count. */
  readonly found: number;
  /** Objects that are there and do not count. */
  readonly replaced: number;
  /** Whether something is still to be read. */
  readonly open: boolean;
}

function count(target: Target, items: readonly Item[], { found, replaced, open }: Tally): Status {
  const { expect, atLeast } = target;
  const done = items.filter((item) => item.state === 'reached').length;
  const failures = items.filter((item) => item.state === 'failed');
  const waiting = worst(items.filter((item) => item.state === 'pending'));
  const status = (state: 'pending' | 'reached' | 'failed', told: Item | undefined): Status => ({
    state,
    why: {
      code: 'members',
      reached: done,
      // Pods whose Job is not known yet are there all the same.
      total: Math.max(items.length, open ? found : 0),
      expect,
      atLeast,
      replaced,
      first: told === undefined ? undefined : { label: told.label, why: told.why },
    },
  });
  if (atLeast !== undefined) {
    if (done >= atLeast && found >= (expect ?? 1)) return status('reached', undefined);
    const enough = found >= Math.max(atLeast, expect ?? 1);
    if (enough && items.length - failures.length < atLeast) return status('failed', failures[0]);
    return status('pending', waiting ?? failures[0]);
  }
  if (failures[0] !== undefined) return status('failed', failures[0]);
  if (open || waiting !== undefined || found < (expect ?? 1) || items.length === 0) return status('pending', waiting);
  return status('reached', items.length === 1 ? items[0] : undefined);
}

/** The pending item to tell of: one that has trouble rather than one that is merely at work. */
function worst(items: readonly Item[]): Item | undefined {
  const rank = ({ why }: Item): number => {
    if (why.code === 'missing') return 0;
    if (why.code === 'pod') return why.containers.length > 0 || why.reason !== undefined ? 1 : 2;
    return 3;
  };
  let best: Item | undefined;
  for (const item of items) if (best === undefined || rank(item) < rank(best)) best = item;
  return best;
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
  // Of the pods of a Job one is enough to know that the Job counts on: thousands may go with it.
  const known = new Set([...lost.values()].flatMap(({ job, fate }) => (fate === 'deleted' && job ? [job.uid] : [])));
  const asked = new Set<string>();
  for (const [place, one] of memory.lost) {
    if (one.fate !== 'open') continue;
    if (one.job !== undefined && known.has(one.job.uid)) {
      lost.delete(place);
      continue;
    }
    const namespace = place.startsWith('/') ? undefined : place.slice(0, place.indexOf('/'));
    const want = wantOf(
      { resource: target.resource, namespace, name: one.name, mode: 'once', keep: 'metadata' },
      'required',
    );
    const objects = collections.get(want.key)?.objects;
    if (objects === undefined) {
      if (one.job === undefined || !asked.has(one.job.uid)) wants.push(want);
      if (one.job !== undefined) asked.add(one.job.uid);
    } else if (objects.has(one.uid)) {
      lost.delete(place);
    } else {
      lost.set(place, { ...one, fate: 'deleted' });
      if (one.job !== undefined) known.add(one.job.uid);
    }
  }
  return { memory: { ...memory, lost }, wants };
}
