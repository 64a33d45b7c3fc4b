import { assertNever } from '../assert-never.ts';
import type { Clock } from '../clock.ts';
import { field, list, text } from '../json.ts';
import { itemDecoder } from './items.ts';
import type { LineDecoder } from './lines.ts';
import { LineTooLongError, lineDecoder } from './lines.ts';
import { type KubeObject, type Projection, toObject } from './object.ts';
import { fromStatus, notServed, type Problem, TransportError, whatToDo } from './problem.ts';
import { type ApiResource, collectionPath } from './resource.ts';
import type { Backoff } from './retry.ts';
import { notJson, parseAnswer, type Response, type Transport } from './transport.ts';

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
  /** A watch that ends sooner than this without an event counts as an error, so that it is not opened in a loop. */
  shortWatch: 1_000,
  /** Where `watch` is not granted: the first and the longest pause between two LISTs, and how fast it grows. */
  poll: { first: 2_000, last: 10_000, factor: 1.5, jitter: 0.2 },
  /** Where `watch` is not granted: how often it is tried again, since a Role may be mended while we wait. */
  watchAgain: 60_000,
} as const;

/** What is read: the objects of one resource that a name or a selector finds. */
export interface CollectionSpec {
  readonly resource: ApiResource;
  /** Undefined: cluster-scoped, or all namespaces. */
  readonly namespace: string | undefined;
  readonly name?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  /** `once`: one complete list, no watch. */
  readonly mode: 'watch' | 'once';
  /** How much of each object is needed: what its kind's verdict reads, all of it, or its metadata only. */
  readonly keep: Keep;
}

export type Keep = 'verdict' | 'whole' | 'metadata';

/** What the server was asked to do when a problem arose: the verb that RBAC knows. */
export type Verb = 'list' | 'watch' | 'get';

/** What a collection tells. */
export type Emission =
  /**
   * Everything that exists now, by uid. `departed` are objects that a DELETED event has taken away since the last
   * snapshot, in their last state; with a label or field selector such an object may merely have left the selection.
   */
  | {
      readonly what: 'snapshot';
      readonly objects: ReadonlyMap<string, KubeObject>;
      readonly departed: readonly KubeObject[];
    }
  /** The server has answered a request as asked: an outage or a refusal is over. */
  | { readonly what: 'answered'; readonly verb: Verb }
  /** A request failed; it is tried again. */
  | { readonly what: 'problem'; readonly verb: Verb; readonly problem: Problem }
  /** A permission is lacking, and what is done instead. */
  | { readonly what: 'fallback'; readonly to: 'poll' | 'get'; readonly problem: Problem };

type Phase =
  /** Reading page by page. `pages` is what was read so far: a snapshot is whole or not given at all. */
  | { readonly at: 'list'; readonly pages: readonly KubeObject[]; readonly continueToken: string | undefined }
  /** Reading the one named object, since `list` is refused. */
  | { readonly at: 'get'; readonly refusal: Problem }
  /** A watch is open, or is to be opened, from this resourceVersion. */
  | { readonly at: 'watch'; readonly resourceVersion: string }
  /**
   * After an outage: is the server as far as this resourceVersion? One that was restored from a backup is not, and would
   * let a watch from there wait, and keep back all events until it is.
   */
  | { readonly at: 'check'; readonly resourceVersion: string }
  /** Asking discovery for the kind, since the path of its collection is unknown to the server. */
  | { readonly at: 'lookup' }
  | { readonly at: 'pause'; readonly cause: Pause; readonly next: Asking }
  | { readonly at: 'done' };

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
  /** The version in which the kind is served, where it is not the one that was asked for. */
  readonly version: string | undefined;
}

type Follow =
  | { readonly by: 'watch' }
  | { readonly by: 'poll'; readonly pauseMs: number; readonly watchAgainAt: number };

/** An event of a watch, parsed. */
export type WatchEvent =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: KubeObject }
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string }
  | { readonly type: 'ERROR'; readonly problem: Problem };

/** What happened to the request that the machine's phase stands for. */
export type Happening =
  | {
      readonly what: 'page';
      readonly objects: readonly KubeObject[];
      readonly continueToken: string | undefined;
      readonly resourceVersion: string | undefined;
    }
  | { readonly what: 'object'; readonly object: KubeObject | undefined }
  | { readonly what: 'opened' }
  | { readonly what: 'events'; readonly events: readonly WatchEvent[] }
  /** The server ended the watch in good order. */
  | { readonly what: 'closed'; readonly afterMs: number; readonly sawEvents: boolean }
  /** The server did not end the watch when it should have. */
  | { readonly what: 'overdue' }
  | { readonly what: 'problem'; readonly problem: Problem }
  /** What discovery says of the kind; undefined: the server serves none of that group and name. */
  | { readonly what: 'looked up'; readonly resource: ApiResource | undefined }
  | { readonly what: 'elapsed' };

/** Where every collection starts. */
export const START: Machine = {
  phase: { at: 'list', pages: [], continueToken: undefined },
  objects: new Map(),
  read: 'list',
  follow: { by: 'watch' },
  version: undefined,
};

const RELIST = { at: 'list', pages: [], continueToken: undefined } as const;

interface Transition {
  readonly machine: Machine;
  readonly emit: readonly Emission[];
}

/**
 * The one transition function of list and watch: pure, `now` in milliseconds of any monotonic clock.
 * https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
 */
export function transition(machine: Machine, happening: Happening, spec: CollectionSpec, now: number): Transition {
  const { phase } = machine;
  switch (happening.what) {
    case 'page': {
      if (phase.at === 'check') return checked(machine, phase.resourceVersion, happening.resourceVersion);
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
    case 'opened':
      return { machine: { ...machine, follow: { by: 'watch' } }, emit: [{ what: 'answered', verb: 'watch' }] };
    case 'events':
      return applyEvents(machine, happening.events, spec, now);
    case 'closed': {
      if (phase.at !== 'watch') return go(machine, RELIST);
      if (happening.sawEvents || happening.afterMs >= TIMING.shortWatch) return go(machine, phase);
      const problem: Problem = {
        kind: 'interrupted',
        message: `the watch ended after ${Math.round(happening.afterMs)} ms without an event`,
        cause: undefined,
      };
      return go(machine, { at: 'pause', cause: { why: 'problem', problem }, next: phase });
    }
    case 'overdue': {
      // Who holds the connection open may have held back what happened, too: only a new LIST tells.
      const message = 'the server did not end the watch in its time';
      return relistAfter(machine, { kind: 'interrupted', message });
    }
    case 'problem':
      return troubled(machine, happening.problem, spec, now);
    case 'looked up': {
      const { resource } = happening;
      if (resource !== undefined) return go({ ...machine, version: resource.version }, RELIST);
      const problem = notServed(spec.resource);
      const phase: Phase = { at: 'pause', cause: { why: 'problem', problem }, next: { at: 'lookup' } };
      return { machine: { ...machine, phase }, emit: [{ what: 'problem', verb: 'list', problem }] };
    }
    case 'elapsed':
      return go(machine, phase.at === 'pause' ? phase.next : RELIST);
    default:
      return assertNever(happening);
  }
}

/** A server that is behind what it once told has gone back: what is known of it is of no use any more. */
function checked(machine: Machine, known: string, now: string | undefined): Transition {
  const wentBack = now === undefined || isOlder(now, known);
  return go(machine, wentBack ? RELIST : { at: 'watch', resourceVersion: known });
}

/** Reads everything anew after a pause. */
function relistAfter(machine: Machine, problem: Problem): Transition {
  const phase: Phase = { at: 'pause', cause: { why: 'problem', problem }, next: readPhase(machine) };
  return { machine: { ...machine, phase }, emit: [{ what: 'problem', verb: 'watch', problem }] };
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
  const told: Emission[] = [...emit, { what: 'snapshot', objects, departed: [] }];
  if (spec.mode === 'once') return { machine: { ...settled, phase: { at: 'done' } }, emit: told };
  const { follow } = machine;
  // Watching from an unset or zero resourceVersion would start at any point in the past, so it is never done.
  if (resourceVersion !== undefined && resourceVersion !== '0' && mayWatch(follow, now)) {
    return { machine: { ...settled, phase: { at: 'watch', resourceVersion } }, emit: told };
  }
  return { machine: pollFrom(settled, now), emit: told };
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
  const next: Machine = { ...machine, objects, phase: { at: 'watch', resourceVersion } };
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

function afterOutage(machine: Machine, resourceVersion: string): Asking {
  // A GET does not tell how far the server is, but all there is to know.
  return machine.read === 'list' ? { at: 'check', resourceVersion } : readPhase(machine);
}

function troubled(machine: Machine, problem: Problem, spec: CollectionSpec, now: number): Transition {
  const { phase } = machine;
  if (phase.at === 'pause' || phase.at === 'done' || phase.at === 'lookup') return go(machine, RELIST);
  const verb: Verb = phase.at === 'check' ? 'list' : phase.at;
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
  const emit: Emission[] = [
    standsIn ? { what: 'problem', verb: 'list', problem: phase.refusal } : { what: 'problem', verb, problem },
  ];
  const pause = (next: Asking, lasting: Machine = machine): Transition => ({
    machine: { ...lasting, phase: { at: 'pause', cause: { why: 'problem', problem }, next } },
    emit,
  });
  switch (advice) {
    case 'retry':
      if (phase.at === 'get') return pause(readPhase(machine));
      if (phase.at === 'watch' && isOutage(problem)) return pause(afterOutage(machine, phase.resourceVersion));
      // A LIST that broke off between two pages goes on where it was; the token says when it is too old.
      return pause(phase);
    case 'not-found':
      // It speaks of the kind, never of an object: an older server may serve the kind in another version.
      return pause({ at: 'lookup' }, { ...machine, read: 'list' });
    case 'refused':
      // For a moment after its start a server refuses what it has granted before.
      if (phase.at === 'check') return pause(phase);
      return pause(RELIST, { ...machine, read: 'list' });
    case 'relist':
    case 'fatal':
      return pause(RELIST, { ...machine, read: 'list' });
    default:
      return assertNever(advice);
  }
}

/** What a collection needs from outside. */
export interface CollectionDeps {
  readonly transport: Transport;
  readonly backoff: Backoff;
  readonly project: Projection;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  /** 0 to 1, as Math.random. */
  readonly random: () => number;
  readonly requestTimeoutMs: number;
  /** Asks discovery for a kind that is not served as it was asked for. Throws TransportError. */
  readonly resolve: (resource: ApiResource, signal: AbortSignal) => Promise<ApiResource | undefined>;
}

/**
 * Lists, then watches, for ever: each change of the collection comes out as one whole snapshot. Survives whatever the
 * network and the server do; says so in `problem` emissions. Ends when the signal aborts, or after one complete list
 * where the mode is `once`. Never throws but for a bug.
 */
export async function* follow(asked: CollectionSpec, deps: CollectionDeps): AsyncGenerator<Emission, void> {
  const spec = asked.resource.version === '' ? yield* untilServed(asked, deps) : asked;
  if (spec === undefined) return;
  let machine = START;
  while (machine.phase.at !== 'done' && !deps.signal.aborted) {
    for await (const happening of perform(machine.phase, inVersion(spec, machine.version), deps)) {
      if (deps.signal.aborted) return;
      const before = machine.phase;
      const next = transition(machine, happening, spec, deps.clock.now());
      machine = next.machine;
      yield* next.emit;
      // A watch goes on while only its resourceVersion moves; anything else ends what is being performed.
      if (!(before.at === 'watch' && machine.phase.at === 'watch')) break;
    }
  }
}

/**
 * Waits until the API server serves the kind, as it does once its CustomResourceDefinition is there; until then no
 * object of it can exist. A kind without a group is only here because discovery did not answer when the run began.
 * Undefined: the signal aborted, or one look was all that was wanted.
 */
async function* untilServed(
  spec: CollectionSpec,
  deps: CollectionDeps,
): AsyncGenerator<Emission, CollectionSpec | undefined> {
  const { poll } = TIMING;
  for (let pauseMs: number = poll.first; !deps.signal.aborted; pauseMs = Math.min(poll.last, pauseMs * poll.factor)) {
    try {
      const resource = await deps.resolve(spec.resource, deps.signal);
      if (resource !== undefined) return { ...spec, resource };
      if (spec.resource.group === '') {
        // No definition can be awaited for a word without a group: it may be a slip of the pen.
        yield { what: 'problem', verb: 'list', problem: notServed(spec.resource) };
      } else {
        yield { what: 'answered', verb: 'list' };
        yield { what: 'snapshot', objects: new Map(), departed: [] };
      }
      if (spec.mode === 'once') return undefined;
      await deps.clock.sleep(pauseMs, deps.signal);
    } catch (error) {
      if (!(error instanceof TransportError)) throw error;
      if (deps.signal.aborted) return undefined;
      yield { what: 'problem', verb: 'list', problem: error.problem };
      await deps.clock.sleep(deps.backoff.next(error.problem), deps.signal);
    }
  }
  return undefined;
}

function inVersion(spec: CollectionSpec, version: string | undefined): CollectionSpec {
  return version === undefined ? spec : { ...spec, resource: { ...spec.resource, version } };
}

/** Does what a phase says, and tells what came of it. */
async function* perform(phase: Phase, spec: CollectionSpec, deps: CollectionDeps): AsyncGenerator<Happening, void> {
  try {
    switch (phase.at) {
      case 'list':
        yield await listPage({ continue: phase.continueToken, ...pageOf(spec) }, spec, deps);
        return;
      case 'check':
        yield await listPage({ limit: '1' }, spec, deps);
        return;
      case 'get':
        yield await getObject(spec, deps);
        return;
      case 'watch':
        yield* watch(phase.resourceVersion, spec, deps);
        return;
      case 'pause': {
        const { cause } = phase;
        const { jitter } = TIMING.poll;
        const ms =
          cause.why === 'problem'
            ? deps.backoff.next(cause.problem)
            : cause.ms * (1 - jitter + 2 * jitter * deps.random());
        await deps.clock.sleep(ms, deps.signal);
        yield { what: 'elapsed' };
        return;
      }
      case 'lookup':
        yield { what: 'looked up', resource: await deps.resolve(spec.resource, deps.signal) };
        return;
      case 'done':
        return;
      default:
        assertNever(phase);
    }
  } catch (error) {
    if (!(error instanceof TransportError)) throw error;
    yield { what: 'problem', problem: error.problem };
  }
}

function query(spec: CollectionSpec, more: Readonly<Record<string, string | undefined>>): string {
  const byName = spec.name === undefined ? [] : [`metadata.name=${spec.name}`];
  const fields = [...byName, ...(spec.fieldSelector === undefined ? [] : [spec.fieldSelector])].join(',');
  const search = new URLSearchParams();
  if (fields !== '') search.set('fieldSelector', fields);
  if (spec.labelSelector !== undefined) search.set('labelSelector', spec.labelSelector);
  for (const [key, value] of Object.entries(more)) if (value !== undefined) search.set(key, value);
  const text = search.toString();
  return text === '' ? '' : `?${text}`;
}

/** One object needs no pages. */
function pageOf({ name }: CollectionSpec): { readonly limit?: string } {
  return name === undefined ? { limit: String(TIMING.pageSize) } : {};
}

/** resourceVersion is left unset: the answer is the newest state, never a predecessor's out of a cache. */
async function listPage(
  page: { readonly limit?: string | undefined; readonly continue?: string | undefined },
  spec: CollectionSpec,
  deps: CollectionDeps,
): Promise<Happening> {
  const path = collectionPath(spec.resource, spec.namespace) + query(spec, page);
  const accept = acceptOf(spec, 'PartialObjectMetadataList');
  // One object is read whole, which is quicker.
  const { json, objects } = await (spec.name === undefined ? readItems : readWhole)(path, accept, deps);
  // A Status with code 200, or a web page's JSON: an answer without items would read as "nothing exists".
  if (!Array.isArray(field(json, 'items')) && !text(json, 'kind')?.endsWith('List')) {
    throw new TransportError({ kind: 'interrupted', message: 'the answer to a LIST has no items', cause: undefined });
  }
  return {
    what: 'page',
    objects,
    continueToken: text(json, 'metadata', 'continue'),
    resourceVersion: text(json, 'metadata', 'resourceVersion'),
  };
}

async function getObject(spec: CollectionSpec, deps: CollectionDeps): Promise<Happening> {
  const name = spec.name ?? '';
  try {
    const path = `${collectionPath(spec.resource, spec.namespace)}/${encodeURIComponent(name)}`;
    const json = await read(path, acceptOf(spec, 'PartialObjectMetadata'), deps);
    return { what: 'object', object: toObject(json, deps.project) };
  } catch (error) {
    // Only a 404 that names the object speaks of the object; one without speaks of the path, thus of the kind.
    if (error instanceof TransportError && error.problem.kind === 'status' && error.problem.status === 404) {
      if (text(error.problem.details, 'name') === name) return { what: 'object', object: undefined };
    }
    throw error;
  }
}

/**
 * Where metadata is enough the rest, such as the data of a Secret, is not even sent. A server that cannot do it sends
 * it all. https://kubernetes.io/docs/reference/using-api/api-concepts/#metadata-only-fetches
 */
function acceptOf({ keep }: CollectionSpec, as: 'PartialObjectMetadata' | 'PartialObjectMetadataList'): string {
  return keep === 'metadata' ? `application/json;as=${as};g=meta.k8s.io;v=v1,application/json` : 'application/json';
}

interface Page {
  /** The list; its items may be left out. */
  readonly json: unknown;
  readonly objects: readonly KubeObject[];
}

async function readWhole(path: string, accept: string, deps: CollectionDeps): Promise<Page> {
  const json = await read(path, accept, deps);
  const objects = list(json, 'items').map((item) => toObject(item, deps.project));
  return { json, objects: objects.filter((object) => object !== undefined) };
}

/** Item by item, each cut down before the next is read: a page of pods takes fifty times what is kept of it. */
async function readItems(path: string, accept: string, deps: CollectionDeps): Promise<Page> {
  const response = await ask(path, accept, deps);
  const decoder = itemDecoder();
  const objects: KubeObject[] = [];
  for await (const chunk of response.body) {
    for (const item of decoder.push(chunk)) {
      const object = toObject(parseAnswer(item), deps.project);
      if (object !== undefined) objects.push(object);
    }
  }
  const json = parseAnswer(decoder.end());
  const others = list(json, 'items').map((item) => toObject(item, deps.project));
  // Two arrays of that name: the last would count, so what was read may be wrong.
  if (objects.length > 0 && others.length > 0) throw notJson();
  return { json, objects: [...objects, ...others.filter((object) => object !== undefined)] };
}

async function read(path: string, accept: string, deps: CollectionDeps): Promise<unknown> {
  const response = await ask(path, accept, deps);
  return await response.json();
}

function ask(path: string, accept: string, deps: CollectionDeps): Promise<Response> {
  const { transport, signal, requestTimeoutMs: timeoutMs } = deps;
  return transport.request({ method: 'GET', path, accept, signal, timeoutMs });
}

async function* watch(
  resourceVersion: string,
  spec: CollectionSpec,
  deps: CollectionDeps,
): AsyncGenerator<Happening, void> {
  const { min, max } = TIMING.watchSeconds;
  const seconds = Math.round(min + (max - min) * deps.random());
  const timeoutSeconds = String(seconds);
  const search = query(spec, { watch: '1', allowWatchBookmarks: 'true', resourceVersion, timeoutSeconds });
  const path = collectionPath(spec.resource, spec.namespace) + search;
  const startedAt = deps.clock.now();
  const accept = acceptOf(spec, 'PartialObjectMetadata');
  const response = await deps.transport.request({ method: 'GET', path, accept, signal: deps.signal });
  yield { what: 'opened' };
  let sawEvents = false;
  let overdue = false;
  const due = deps.clock.alarm(seconds * 1000 + TIMING.overdue, () => {
    overdue = true;
    response.destroy();
  });
  const decoder = lineDecoder();
  try {
    for await (const chunk of response.body) {
      const events = parseEvents(decoder, chunk, deps.project);
      if (events.length === 0) continue;
      sawEvents = true;
      yield { what: 'events', events };
    }
  } catch (error) {
    if (!overdue) throw error;
  } finally {
    due.cancel();
    response.destroy();
  }
  yield overdue ? { what: 'overdue' } : { what: 'closed', afterMs: deps.clock.now() - startedAt, sawEvents };
}

function parseEvents(decoder: LineDecoder, chunk: Uint8Array, project: Projection): WatchEvent[] {
  const events: WatchEvent[] = [];
  let lines: readonly string[];
  try {
    lines = decoder.push(chunk);
  } catch (cause) {
    if (!(cause instanceof LineTooLongError)) throw cause;
    return [{ type: 'ERROR', problem: { kind: 'interrupted', message: cause.message, cause } }];
  }
  for (const line of lines) {
    if (line.trim() === '') continue;
    const event = parseEvent(line, project);
    events.push(event);
    if (event.type === 'ERROR') break;
  }
  return events;
}

/** One line of a watch. A line that is no event is told as an error of the stream: it is opened anew. */
function parseEvent(line: string, project: Projection): WatchEvent {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch (cause) {
    return { type: 'ERROR', problem: { kind: 'interrupted', message: 'a watch event is not JSON', cause } };
  }
  const type = field(json, 'type');
  const raw = field(json, 'object');
  switch (type) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED': {
      const object = toObject(raw, project);
      if (object !== undefined) return { type, object };
      break;
    }
    case 'BOOKMARK': {
      const resourceVersion = text(raw, 'metadata', 'resourceVersion');
      if (resourceVersion !== undefined) return { type, resourceVersion };
      break;
    }
    case 'ERROR':
      return { type, problem: fromStatus(raw) };
  }
  const message = `a watch event of type ${JSON.stringify(type)?.slice(0, 40)} is not understood`;
  return { type: 'ERROR', problem: { kind: 'interrupted', message, cause: undefined } };
}
