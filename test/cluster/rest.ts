import type { IncomingMessage } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';

/** A client certificate and where to use it; all PEM. */
export interface Credentials {
  readonly server: string;
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** The same of a cluster that is not ours: it may know its users by a token in a header. */
export type Access = Pick<Credentials, 'server'> &
  Partial<Credentials> & { readonly headers?: Readonly<Record<string, string>> };

/** What the API server sends. Tests read it like plain JSON, so its type says nothing. */
// biome-ignore lint/suspicious/noExplicitAny: see above
export type Json = any;

/** An answer other than 2xx; `message` is the server's own. */
export class RestError extends Error {
  readonly status: number;
  constructor(method: string, path: string, status: number, body: string) {
    super(`${method} ${path}: ${status} ${statusMessage(body)}`);
    this.status = status;
  }
}

function statusMessage(body: string): string {
  try {
    return JSON.parse(body).message ?? body;
  } catch {
    return body;
  }
}

/** What identifies an object: `metadata` and the two fields that give its path. */
export interface Reference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name?: string; readonly namespace?: string; readonly [key: string]: unknown };
}

const clusterScoped = new Set([
  'Namespace',
  'Node',
  'PersistentVolume',
  'ClusterRole',
  'ClusterRoleBinding',
  'CustomResourceDefinition',
  'APIService',
  'StorageClass',
  'PriorityClass',
]);

/** The API's names for the kinds whose plural is not made with an s. */
function plural(kind: string): string {
  const name = kind.toLowerCase();
  if (name === 'endpoints' || name === 'logs') {
    return name;
  }
  if (/(s|x|ch)$/.test(name)) {
    return `${name}es`;
  }
  return name.endsWith('y') && !name.endsWith('gateway') ? `${name.slice(0, -1)}ies` : `${name}s`;
}

/** `/apis/batch/v1/namespaces/NS/jobs` for a Job: where its kind is listed and created. */
export function collectionOf(object: Reference): string {
  const root = object.apiVersion.includes('/') ? `/apis/${object.apiVersion}` : `/api/${object.apiVersion}`;
  if (clusterScoped.has(object.kind) || object.metadata.namespace === undefined) {
    return `${root}/${plural(object.kind)}`;
  }
  return `${root}/namespaces/${object.metadata.namespace}/${plural(object.kind)}`;
}

export function pathOf(object: Reference): string {
  return `${collectionOf(object)}/${object.metadata.name}`;
}

export interface UntilOptions {
  readonly timeoutMs?: number;
  /** For the error message: what is awaited. */
  readonly what?: string;
  readonly signal?: AbortSignal;
}

export interface Rest {
  /** GET of an object, or of any path: a collection, `/version`, a `?labelSelector=`. */
  get(target: Reference | string): Promise<Json>;
  create(object: Reference): Promise<Json>;
  /** Merge patch. */
  patch(target: Reference, change: object): Promise<Json>;
  /** Merge patch of the status subresource. */
  patchStatus(target: Reference, status: object): Promise<Json>;
  delete(target: Reference, options?: object): Promise<Json>;
  /** POST to any path, for subresources such as `.../token` and `.../eviction`. */
  post(path: string, body: object): Promise<Json>;
  /** Waits on a watch until `accept` takes the object (undefined: it does not exist) and gives what it took. */
  until(target: Reference, accept: (object: Json | undefined) => unknown, options?: UntilOptions): Promise<Json>;
  /** The same for all objects of a collection: a path, with `?labelSelector=` if wanted. */
  untilAll(path: string, accept: (objects: Json[]) => unknown, options?: UntilOptions): Promise<Json[]>;
  close(): void;
}

const defaultTimeoutMs = 60_000;

/** A small client of the API server, with one connection pool. Independent of src, so that it can check it. */
export function connectRest(access: Access, userAgent: string): Rest {
  const { server, headers: own, ...tls } = access;
  const agent = new Agent({ keepAlive: true, ...tls });

  function open(method: string, path: string, body: object | undefined, signal?: AbortSignal) {
    return new Promise<IncomingMessage>((resolve, reject) => {
      const headers: Record<string, string> = { accept: 'application/json', 'user-agent': userAgent, ...own };
      const payload = body ? JSON.stringify(body) : '';
      if (body) {
        // Node adds no length to a DELETE by itself, and its body would be read as the next request.
        headers['content-length'] = String(Buffer.byteLength(payload));
        headers['content-type'] = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
      }
      const req = httpsRequest(new URL(path, server), {
        method,
        agent,
        headers,
        ...(signal ? { signal } : {}),
      });
      req.on('response', resolve);
      req.on('error', reject);
      req.end(payload);
    });
  }

  async function text(response: IncomingMessage): Promise<string> {
    response.setEncoding('utf8');
    let all = '';
    for await (const chunk of response) {
      all += chunk;
    }
    return all;
  }

  async function call(method: string, path: string, body?: object, signal?: AbortSignal): Promise<Json> {
    const response = await open(method, path, body, signal);
    const answer = await text(response);
    const status = response.statusCode ?? 0;
    if (status < 200 || status > 299) {
      throw new RestError(method, path, status, answer);
    }
    return (response.headers['content-type'] ?? '').includes('json') ? JSON.parse(answer) : answer;
  }

  /** One LIST, then one WATCH from there; returns when the watch ends, and `seen` tells whether to go on. */
  async function follow(path: string, seen: (objects: Json[]) => boolean, signal: AbortSignal): Promise<boolean> {
    const list = await call('GET', path, undefined, signal);
    const objects = new Map<string, Json>(list.items.map((item: Json) => [item.metadata.uid, item]));
    if (seen([...objects.values()])) {
      return true;
    }
    const url = `${path}${path.includes('?') ? '&' : '?'}watch=1&resourceVersion=${list.metadata.resourceVersion}`;
    const response = await open('GET', url, undefined, signal);
    if (response.statusCode !== 200) {
      throw new RestError('GET', url, response.statusCode ?? 0, await text(response));
    }
    response.setEncoding('utf8');
    let rest = '';
    for await (const chunk of response) {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const event of lines.map((line): Json => JSON.parse(line))) {
        if (event.type === 'ERROR') {
          return false;
        }
        if (event.type === 'DELETED') {
          objects.delete(event.object.metadata.uid);
        } else {
          objects.set(event.object.metadata.uid, event.object);
        }
        if (seen([...objects.values()])) {
          response.destroy();
          return true;
        }
      }
    }
    return false;
  }

  async function untilAll(path: string, accept: (objects: Json[]) => unknown, options: UntilOptions = {}) {
    const { timeoutMs = defaultTimeoutMs, what = 'what was awaited' } = options;
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), timeoutMs);
    const signal = options.signal ? AbortSignal.any([stop.signal, options.signal]) : stop.signal;
    let last: Json[] = [];
    const seen = (objects: Json[]): boolean => {
      last = objects;
      return Boolean(accept(objects));
    };
    try {
      // A watch may end at any time (410, the server's own limit): list again.
      while (!(await follow(path, seen, signal))) {}
      return last;
    } catch (error) {
      if (!stop.signal.aborted) {
        throw error;
      }
      const states = last.map(({ metadata, status }) => `${metadata.name}: ${JSON.stringify(status)}`);
      throw new Error(
        `${what} did not come within ${timeoutMs} ms at ${path}; last seen: ${states.join('; ') || 'none'}`,
      );
    } finally {
      clearTimeout(timer);
      stop.abort();
    }
  }

  return {
    get: (target) => call('GET', typeof target === 'string' ? target : pathOf(target)),
    create: (object) => call('POST', collectionOf(object), object),
    patch: (target, change) => call('PATCH', pathOf(target), change),
    patchStatus: (target, status) => call('PATCH', `${pathOf(target)}/status`, { status }),
    delete: (target, options = {}) => call('DELETE', pathOf(target), options),
    post: (path, body) => call('POST', path, body),
    untilAll,
    async until(target, accept, options) {
      const path = `${collectionOf(target)}?fieldSelector=metadata.name%3D${target.metadata.name}`;
      const found = await untilAll(path, (objects) => accept(objects[0]), options);
      return found[0];
    },
    close: () => agent.destroy(),
  };
}
