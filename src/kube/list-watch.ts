import { assertNever } from '../assert-never.ts';
import type { CollectionSpec, Emission, Verb } from './collection.ts';
import type { KubeObject } from './object.ts';
import { notServed, type Problem, whatToDo } from './problem.ts';
import type { ApiResource } from './resource.ts';

/** All timing of list and watch. Milliseconds unless the name says otherwise. */
export const TIMING = {
  /** One page of a LIST, as client-go's pager: small enough for etcd, few round trips for thousands of objects. */
  pageSize: 500,
  /**
   * How long one watch lasts, at random between these, so that a thousand waiters that started together do not come
   * back together. The API server's own default is 1800-3600 s; proxies cut earlier.
   */
  watchSeconds: { min: 240, max: 300 },
  /**
   * A watch that is still open so long after the server should have ended it is dead. Nothing sooner tells: where nothing
   * happens to a resource the server sends no bookmark either. A peer that is gone is found by TCP, see TRANSPORT.
   * https://kubernetes.io/docs/reference/using-api/api-concepts/#watch-bookmarks
   */
  overdue: 15_000,
  /**
   * A watch that ends sooner than this without an event counts as an error, so that it is not opened in a loop. Whoever
   * ends it may let no event through: a LIST follows, after a cut only if the watch was resumed once already.
   */
  shortWatch: 1_000,
  /**
   * A collection of at most this many objects is listed again when the server ends a watch in good order: that costs
   * one page every few minutes, and finds what a lost event would have reported.
   */
  relistUpTo: 500,
  /** Where `watch` is not granted: the first and the longest pause between two LISTs, and how fast it grows. */
  poll: { first: 2_000, last: 10_000, factor: 1.5, jitter: 0.2 },
  /** Where `watch` is not granted: how often it is tried again, since a Role may be mended while we wait. */
  watchAgain: 60_000,
} as const;

/** What a collection is doing. */
export type Phase =
  /** Reading page by page. `pages` is what was read so far: a snapshot is whole or not given at all. */
  | { readonly at: 'list'; readonly pages: readonly KubeObject[]; readonly continueToken: string | undefined }
  /** Reading the one named object, since `list` is refused. */
  | { readonly at: 'get'; readonly refusal: Problem }
  | Watching
  /**
   * After an outage: is the server as far as this resourceVersion? One that was restored from a backup is not, and would
   * let a watch from there wait, and keep back all events until it is.
   */
  | { readonly at: 'check'; readonly resourceVersion: string }
  /**
   * Asking discovery for the kind, since the path of its collection is unknown: to the server, as `problem` says, or
   * from the beginning. While the kind is awaited `pauseMs` is how long the last pause was.
   */
  | { readonly at: 'lookup'; readonly problem?: Problem; readonly pauseMs?: number }
  | { readonly at: 'pause'; readonly cause: Pause; readonly next: Asking }
  | { readonly at: 'done' };

/** A watch is open, or is to be opened, from this resourceVersion. */
interface Watching {
  readonly at: 'watch';
  readonly resourceVersion: string;
  /** It is to be opened again after an outage, from a server that is as far. */
  readonly checked?: true;
  /** It resumes one that was cut at once, until its first event. */
  readonly resumes?: true;
  /** Until its first event. */
  readonly openedAt?: number;
}

/** A phase that stands for a request. */
type Asking = Exclude<Phase, { at: 'pause' } | { at: 'done' }>;

type Pause = { readonly why: 'poll'; readonly ms: number } | { readonly why: 'problem'; readonly problem: Problem };

/** The whole state of one collection. */
export interface Machine {
  readonly phase: Phase;
  readonly objects: ReadonlyMap<string, KubeObject>;
  /** How the objects are read and followed, as far as the permissions reach. */
  readonly read: 'list' | 'get';
  readonly follow: Follow;
  /** The kind as discovery found it; undefined: as it was asked for. */
  readonly resource: ApiResource | undefined;
}

type Follow =
  | { readonly by: 'watch' }
  | { readonly by: 'poll'; readonly pauseMs: number; readonly watchAgainAt: number };

/** An event of a watch, parsed. */
export type WatchEvent =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: KubeObject }
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string }
  | { readonly type: 'ERROR'; readonly problem: Problem };

/** An answer to a LIST. */
interface Page {
  readonly what: 'page';
  readonly objects: readonly KubeObject[];
  readonly continueToken: string | undefined;
  readonly resourceVersion: string | undefined;
}

/** What happened to the request that the machine's phase stands for. */
export type Happening =
  | Page
  | { readonly what: 'object'; readonly object: KubeObject | undefined }
  | { readonly what: 'opened' }
  | { readonly what: 'events'; readonly events: readonly WatchEvent[] }
  /** The server ended the watch in good order. */
  | { readonly what: 'closed' }
  /** The server did not end the watch when it should have. */
  | { readonly what: 'overdue' }
  | { readonly what: 'problem'; readonly problem: Problem }
  /** What discovery says of the kind; undefined: the server serves none of that group and name. */
  | { readonly what: 'looked up'; readonly resource: ApiResource | undefined }
  | { readonly what: 'elapsed' };

const RELIST = { at: 'list', pages: [], continueToken: undefined } as const;

/** Where a collection starts. A kind whose version is not known yet is looked up first. */
export function startOf({ resource }: CollectionSpec): Machine {
  const phase: Phase = resource.version === '' ? { at: 'lookup' } : RELIST;
  return { phase, objects: new Map(), read: 'list', follow: { by: 'watch' }, resource: undefined };
}

interface Transition {
  readonly machine: Machine;
  readonly emit: readonly Emission[];
}

/**
 * The one transition function of list and watch: pure, `now` in milliseconds of any monotonic clock.
 * https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
 */
export function transition(machine: Machine, told: Happening, spec: CollectionSpec, now: number): Transition {
  const { phase } = machine;
  const happening = spec.name === undefined ? told : ofName(spec.name, told);
  switch (happening.what) {
    case 'page': {
      if (phase.at === 'check') return checked(machine, phase.resourceVersion, happening);
      const pages = phase.at === 'list' ? [...phase.pages, ...happening.objects] : happening.objects;
      if (happening.continueToken !== undefined) {
        return go(machine, { at: 'list', pages, continueToken: happening.continueToken });
      }
      return settle(machine, pages, happening.resourceVersion, spec, now, [{ what: 'answered', verb: 'list' }]);
    }
    case 'object': {
      const emit: Emission[] = [{ what: 'answered', verb: 'get' }];
      if (machine.read === 'list' && phase.at === 'get') {
        emit.push({ what: 'fallback', to: 'get', problem: phase.refusal });
      }
      const objects = happening.object === undefined ? [] : [happening.object];
      const resourceVersion = happening.object?.metadata.resourceVersion;
      return settle({ ...machine, read: 'get' }, objects, resourceVersion, spec, now, emit);
    }
    case 'opened': {
      const follow: Follow = { by: 'watch' };
      const emit: readonly Emission[] = [{ what: 'answered', verb: 'watch' }];
      if (phase.at !== 'watch') return { machine: { ...machine, follow }, emit };
      const { checked: _, ...watch } = phase;
      return { machine: { ...machine, phase: { ...watch, openedAt: now }, follow }, emit };
    }
    case 'events':
      return applyEvents(machine, happening.events, spec, now);
    case 'closed': {
      if (phase.at !== 'watch') return go(machine, RELIST);
      const { resourceVersion, openedAt } = phase;
      if (!isShort(phase, now)) {
        const isSmall = machine.objects.size <= TIMING.relistUpTo;
        return go(machine, isSmall ? readPhase(machine) : { at: 'watch', resourceVersion });
      }
      const message = `the watch ended after ${Math.round(now - (openedAt ?? now))} ms without an event`;
      const problem: Problem = { kind: 'interrupted', message, cause: undefined };
      return go(machine, { at: 'pause', cause: { why: 'problem', problem }, next: readPhase(machine) });
    }
    case 'overdue': {
      // Who holds the connection open may have held back what happened, too: only a new LIST tells.
      const message = 'the server did not end the watch in its time';
      return relistAfter(machine, { kind: 'interrupted', message });
    }
    case 'problem':
      return troubled(machine, happening.problem, spec, now);
    case 'looked up':
      return lookedUp(machine, happening.resource, spec);
    case 'elapsed':
      return go(machine, phase.at === 'pause' ? phase.next : RELIST);
    default:
      return assertNever(happening);
  }
}

/** Without objects of other names: a server may ignore the field selector. */
function ofName(name: string, happening: Happening): Happening {
  const isAsked = (object: KubeObject | undefined): boolean => object?.metadata.name === name;
  switch (happening.what) {
    case 'page':
      return { ...happening, objects: happening.objects.filter(isAsked) };
    case 'object':
      return isAsked(happening.object) ? happening : { ...happening, object: undefined };
    case 'events':
      return {
        ...happening,
        events: happening.events.filter((event) => !('object' in event) || isAsked(event.object)),
      };
    default:
      return happening;
  }
}

/**
 * A server that is behind what it once told has gone back: what is known of it is of no use any more. One that has gone
 * back and has come further since tells of an object that should have been seen, and was not.
 */
function checked(machine: Machine, known: string, { objects, resourceVersion }: Page): Transition {
  const isUnseen = ({ metadata }: KubeObject): boolean =>
    metadata.resourceVersion !== undefined &&
    (metadata.resourceVersion === known || isOlder(metadata.resourceVersion, known)) &&
    machine.objects.get(metadata.uid)?.metadata.resourceVersion !== metadata.resourceVersion;
  const wentBack = resourceVersion === undefined || isOlder(resourceVersion, known) || objects.some(isUnseen);
  return go(machine, wentBack ? RELIST : { at: 'watch', resourceVersion: known, checked: true });
}

/**
 * What discovery says. A kind whose definition does not exist, yet or any longer, has no objects. A built-in one, or a
 * word without a group, has no definition that could be awaited.
 */
function lookedUp(machine: Machine, resource: ApiResource | undefined, spec: CollectionSpec): Transition {
  const { problem, pauseMs } = machine.phase.at === 'lookup' ? machine.phase : {};
  const asked = machine.resource ?? spec.resource;
  if (resource !== undefined) {
    const found = { ...machine, resource };
    // Discovery lists what the path just denied: behind one address there may be API servers of two versions. Only the
    // first change of the version is free of a pause.
    return problem !== undefined && (machine.resource !== undefined || resource.version === asked.version)
      ? troubleAt('list', problem, found, RELIST)
      : go(found, RELIST);
  }
  if (asked.origin !== 'custom' || asked.group === '') {
    return troubleAt('list', notServed(asked), machine, { at: 'lookup' });
  }
  const { poll } = TIMING;
  const ms = pauseMs === undefined ? poll.first : Math.min(poll.last, pauseMs * poll.factor);
  const phase: Phase = { at: 'pause', cause: { why: 'poll', ms }, next: { at: 'lookup', pauseMs: ms } };
  const objects = new Map<string, KubeObject>();
  return {
    machine: { ...machine, objects, phase: spec.mode === 'once' ? { at: 'done' } : phase },
    emit: [
      { what: 'answered', verb: 'list' },
      { what: 'snapshot', objects, departed: [] },
    ],
  };
}

/** Reports a problem and pauses for it. */
function troubleAt(verb: Verb, problem: Problem, machine: Machine, next: Asking): Transition {
  const phase: Phase = { at: 'pause', cause: { why: 'problem', problem }, next };
  return { machine: { ...machine, phase }, emit: [{ what: 'problem', verb, problem }] };
}

/** Reads everything anew after a pause. */
function relistAfter(machine: Machine, problem: Problem): Transition {
  return troubleAt('watch', problem, machine, readPhase(machine));
}

function go(machine: Machine, phase: Phase): Transition {
  return { machine: { ...machine, phase }, emit: [] };
}

/** A complete reading has come in: hand it over whole, and follow from there. */
function settle(
  machine: Machine,
  read: readonly KubeObject[],
  resourceVersion: string | undefined,
  spec: CollectionSpec,
  now: number,
  emit: readonly Emission[],
): Transition {
  const objects = new Map(read.map((object) => [object.metadata.uid, object]));
  const settled = { ...machine, objects };
  const told: Emission[] = [...emit, { what: 'snapshot', objects, departed: [], ...resourceOf(machine) }];
  if (spec.mode === 'once') return { machine: { ...settled, phase: { at: 'done' } }, emit: told };
  const { follow } = machine;
  // Watching from an unset or zero resourceVersion would start at any point in the past, so it is never done.
  if (resourceVersion !== undefined && resourceVersion !== '0' && mayWatch(follow, now)) {
    return { machine: { ...settled, phase: { at: 'watch', resourceVersion } }, emit: told };
  }
  return { machine: pollFrom(settled, now), emit: told };
}

function resourceOf({ resource }: Machine): { readonly resource?: ApiResource } {
  return resource === undefined ? {} : { resource };
}

function mayWatch(follow: Follow, now: number): boolean {
  return follow.by === 'watch' || now >= follow.watchAgainAt;
}

/** Pauses, then reads again; each pause is longer than the one before. */
function pollFrom(machine: Machine, now: number): Machine {
  const { poll, watchAgain } = TIMING;
  const before = machine.follow.by === 'poll' ? machine.follow : undefined;
  const pauseMs = before === undefined ? poll.first : Math.min(poll.last, before.pauseMs * poll.factor);
  // A watch that was refused again is next tried a minute from now.
  const watchAgainAt = before !== undefined && now < before.watchAgainAt ? before.watchAgainAt : now + watchAgain;
  const phase: Phase = { at: 'pause', cause: { why: 'poll', ms: pauseMs }, next: readPhase(machine) };
  return { ...machine, phase, follow: { by: 'poll', pauseMs, watchAgainAt } };
}

function readPhase(machine: Machine): Asking {
  if (machine.read === 'list') return RELIST;
  const refusal: Problem = { kind: 'status', status: 403, reason: 'Forbidden', message: 'list is refused' };
  return { at: 'get', refusal };
}

function applyEvents(machine: Machine, events: readonly WatchEvent[], spec: CollectionSpec, now: number): Transition {
  if (machine.phase.at !== 'watch') return go(machine, RELIST);
  let { resourceVersion } = machine.phase;
  const objects = new Map(machine.objects);
  const departed: KubeObject[] = [];
  let changed = false;
  let error: Problem | undefined;
  for (const event of events) {
    if (event.type === 'ERROR') {
      error = event.problem;
      break;
    }
    const version = event.type === 'BOOKMARK' ? event.resourceVersion : event.object.metadata.resourceVersion;
    // Told again by a proxy or a cache that lags: the newer state is already known.
    if (version !== undefined && isOlder(version, resourceVersion)) continue;
    if (version !== undefined) resourceVersion = version;
    if (event.type === 'BOOKMARK') continue;
    changed = true;
    const { uid } = event.object.metadata;
    if (event.type === 'DELETED') {
      objects.delete(uid);
      departed.push(event.object);
    } else {
      objects.set(uid, event.object);
    }
  }
  // A watch that brings nothing new, such as a bookmark, is still short if it ends at once.
  const watching = changed ? { at: 'watch' as const } : machine.phase;
  const next: Machine = { ...machine, objects, phase: { ...watching, resourceVersion } };
  const emit: Emission[] = changed ? [{ what: 'snapshot', objects, departed }] : [];
  if (error === undefined) return { machine: next, emit };
  if (error.kind === 'interrupted') {
    // A line that is no event may come again from the same resourceVersion, so what exists is read anew.
    const after = relistAfter(next, error);
    return { machine: after.machine, emit: [...emit, ...after.emit] };
  }
  const after = troubled(next, error, spec, now);
  return { machine: after.machine, emit: [...emit, ...after.emit] };
}

/**
 * Whether one resourceVersion is older than another. They may be compared as whole numbers; where one is none, nothing
 * is older. https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions
 */
function isOlder(a: string, b: string): boolean {
  if (!/^\d+$/.test(a) || !/^\d+$/.test(b)) return false;
  return a.length === b.length ? a < b : a.length < b.length;
}

/** Whether the server may have been stopped: then what comes up again need not know what it knew. */
function isOutage(problem: Problem): boolean {
  return problem.kind === 'unreachable' || (problem.kind === 'status' && problem.status >= 500);
}

function afterOutage(machine: Machine, { resourceVersion, checked }: Watching): Asking {
  // A GET does not tell how far the server is, but all there is to know. And where a LIST is answered but no watch is,
  // as behind a gateway that lets no stream through, only LISTs tell what happens.
  return machine.read === 'list' && !checked ? { at: 'check', resourceVersion } : readPhase(machine);
}

/** Whether a watch ended at once, without an event. */
function isShort({ openedAt }: Watching, now: number): boolean {
  return openedAt !== undefined && now - openedAt < TIMING.shortWatch;
}

function troubled(machine: Machine, problem: Problem, spec: CollectionSpec, now: number): Transition {
  const { phase } = machine;
  if (phase.at === 'pause' || phase.at === 'done') return go(machine, RELIST);
  const verb: Verb = phase.at === 'check' || phase.at === 'lookup' ? 'list' : phase.at;
  const advice = whatToDo(problem);
  const forbidden = problem.kind === 'status' && problem.status === 403;
  // Older charts grant `get` on the one name only.
  if (forbidden && phase.at === 'list' && spec.name !== undefined && machine.read === 'list') {
    return go(machine, { at: 'get', refusal: problem });
  }
  // Older charts grant no `watch`. What was read is true; from here on it is read again and again.
  if (forbidden && verb === 'watch') {
    const told: Emission[] = machine.follow.by === 'watch' ? [{ what: 'fallback', to: 'poll', problem }] : [];
    return { machine: pollFrom(machine, now), emit: told };
  }
  // Where `get` only stood in for `list`, it is `list` that is lacking.
  const standsIn = phase.at === 'get' && machine.read === 'list' && forbidden;
  const pause = (next: Asking, lasting: Machine = machine): Transition =>
    standsIn ? troubleAt('list', phase.refusal, lasting, next) : troubleAt(verb, problem, lasting, next);
  // What discovery did not say now it may say later, as the path may be known later.
  if (phase.at === 'lookup') return pause((machine.resource ?? spec.resource).version === '' ? phase : RELIST);
  switch (advice) {
    case 'retry':
      if (phase.at === 'get') return pause(readPhase(machine));
      if (phase.at === 'watch' && isOutage(problem)) return pause(afterOutage(machine, phase));
      if (phase.at === 'watch' && problem.kind === 'interrupted') {
        const { resourceVersion, resumes } = phase;
        if (!isShort(phase, now)) return pause({ at: 'watch', resourceVersion });
        return pause(resumes ? readPhase(machine) : { at: 'watch', resourceVersion, resumes: true });
      }
      // A LIST that broke off between two pages goes on where it was; the token says when it is too old.
      return pause(phase);
    case 'not-found':
      // It speaks of the kind, never of an object: an older server may serve the kind in another version.
      return go({ ...machine, read: 'list' }, { at: 'lookup', problem });
    case 'refused':
      // For a moment after its start a server refuses what it has granted before.
      if (phase.at === 'check') return pause(phase);
      return pause(RELIST, { ...machine, read: 'list' });
    case 'relist':
    case 'permanent':
      return pause(RELIST, { ...machine, read: 'list' });
    default:
      return assertNever(advice);
  }
}
