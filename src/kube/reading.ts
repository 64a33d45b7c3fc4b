import type { Clock } from '../clock.ts';
import { field, list, text } from '../json.ts';
import type { CollectionSpec } from './collection.ts';
import { itemDecoder } from './items.ts';
import type { LineDecoder } from './lines.ts';
import { LineTooLongError, lineDecoder } from './lines.ts';
import { type Happening, TIMING, type WatchEvent } from './list-watch.ts';
import { type KubeObject, type Projection, toObject } from './object.ts';
import { fromStatus, TransportError } from './problem.ts';
import { collectionPath } from './resource.ts';
import { notJson, parseAnswer, type Response, type Transport } from './transport.ts';

/** What a request needs from outside. */
export interface ReadingDeps {
  readonly transport: Transport;
  readonly project: Projection;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  /** 0 to 1, as Math.random. */
  readonly random: () => number;
  readonly requestTimeoutMs: number;
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

/** The first page of a LIST, or the one that a continue token stands for. Throws TransportError, as all of these. */
export function listPage(
  continueToken: string | undefined,
  spec: CollectionSpec,
  deps: ReadingDeps,
): Promise<Happening> {
  // One object needs no pages.
  const limit = spec.name === undefined ? String(TIMING.pageSize) : undefined;
  return readPage({ continue: continueToken, limit }, spec, deps);
}

/** The shortest LIST: what is wanted is how far the server is. */
export function listOne(spec: CollectionSpec, deps: ReadingDeps): Promise<Happening> {
  return readPage({ limit: '1' }, spec, deps);
}

/** resourceVersion is left unset: the answer is the newest state, never a predecessor's out of a cache. */
async function readPage(
  page: { readonly limit?: string | undefined; readonly continue?: string | undefined },
  spec: CollectionSpec,
  deps: ReadingDeps,
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

/** The one object that is named, where `list` is refused. */
export async function getObject(spec: CollectionSpec, deps: ReadingDeps): Promise<Happening> {
  const name = spec.name ?? '';
  try {
    const path = `${collectionPath(spec.resource, spec.namespace)}/${encodeURIComponent(name)}`;
    const json = await read(path, acceptOf(spec, 'PartialObjectMetadata'), deps);
    const object = toObject(json, deps.project);
    if (object?.metadata.name === name) return { what: 'object', object };
    throw new TransportError({ kind: 'interrupted', message: 'the answer is not the object that was requested' });
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

async function readWhole(path: string, accept: string, deps: ReadingDeps): Promise<Page> {
  const json = await read(path, accept, deps);
  const objects = list(json, 'items').map((item) => toObject(item, deps.project));
  return { json, objects: objects.filter((object) => object !== undefined) };
}

/** Item by item, each cut down before the next is read: a page of pods takes fifty times what is kept of it. */
async function readItems(path: string, accept: string, deps: ReadingDeps): Promise<Page> {
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

async function read(path: string, accept: string, deps: ReadingDeps): Promise<unknown> {
  const response = await ask(path, accept, deps);
  return await response.json();
}

function ask(path: string, accept: string, deps: ReadingDeps): Promise<Response> {
  const { transport, signal, requestTimeoutMs: timeoutMs } = deps;
  return transport.request({ method: 'GET', path, accept, signal, timeoutMs });
}

/** A watch from this resourceVersion, from its opening to its end. */
export async function* watch(
  resourceVersion: string,
  spec: CollectionSpec,
  deps: ReadingDeps,
): AsyncGenerator<Happening, void> {
  const { min, max } = TIMING.watchSeconds;
  const seconds = Math.round(min + (max - min) * deps.random());
  const timeoutSeconds = String(seconds);
  const search = query(spec, { watch: '1', allowWatchBookmarks: 'true', resourceVersion, timeoutSeconds });
  const path = collectionPath(spec.resource, spec.namespace) + search;
  const accept = acceptOf(spec, 'PartialObjectMetadata');
  const response = await deps.transport.request({ method: 'GET', path, accept, signal: deps.signal });
  yield { what: 'opened' };
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
      yield { what: 'events', events };
    }
  } catch (error) {
    if (!overdue) throw error;
  } finally {
    due.cancel();
    response.destroy();
  }
  yield { what: overdue ? 'overdue' : 'closed' };
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
