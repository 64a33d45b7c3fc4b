/**
 * An HTTPS server on loopback in front of the API server. It hands requests on, credentials and all, and does to them
 * what a script says. It keeps a record of who connected and asked when.
 */
import { writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Agent, createServer, request } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Certificates } from '../unit/kube/certificates.ts';
import type { Fault, Script } from './faults.ts';
import type { Answer } from './resolver.ts';

export interface Asked {
  readonly atMs: number;
  readonly kind: 'list' | 'watch' | 'other';
  readonly path: string;
  readonly fault: Fault | undefined;
  /** What the API server answered, where it was handed on whole. */
  delivered: 'whole' | 'in part' | 'not';
  /** Of a LIST's answer. */
  resourceVersion: number | undefined;
  /** Whether an event of this watch was dropped. */
  swallowed: boolean;
}

export interface FaultProxy {
  readonly port: number;
  readonly asked: readonly Asked[];
  /** Resolves with the time of the first request. */
  readonly firstRequest: Promise<number>;
  /** When each connection was tried, in milliseconds of performance.now(). */
  readonly connections: readonly number[];
  close(): Promise<void>;
}

export interface ProxyOptions {
  readonly upstream: URL;
  /** Of the connections to the API server. */
  readonly agent: Agent;
  readonly certificates: Certificates;
  readonly script: Script;
  /** The file that the client reads its token from, and the tokens that it may hold in turn. */
  readonly tokenFile: string;
  readonly tokens: readonly string[];
  /** The file that the client's resolver looks into. */
  readonly resolverFile: string;
}

function statusBody(code: number): string {
  const reasons: Readonly<Record<number, string>> = {
    401: 'Unauthorized',
    403: 'Forbidden',
    410: 'Expired',
    429: 'TooManyRequests',
    500: 'InternalError',
    503: 'ServiceUnavailable',
    504: 'Timeout',
  };
  const message = `made up for a test: größer 🚀 ${code}`;
  const status = { kind: 'Status', apiVersion: 'v1', status: 'Failure', message, reason: reasons[code] ?? '', code };
  return JSON.stringify(status);
}

const PAGE = '<html><head><title>Bad Gateway</title></head><body><h1>größer 🚀</h1>\n</body></html>\n';

/** Starts it. Nothing that happens on its connections is an error to it. */
export async function startFaultProxy(options: ProxyOptions): Promise<FaultProxy> {
  const { upstream, agent, certificates, script, tokenFile, resolverFile } = options;
  const sockets = new Set<Socket>();
  const asked: Asked[] = [];
  const connections: number[] = [];
  const firstRequest = Promise.withResolvers<number>();
  const spare = [...options.tokens];
  const accepted = new Set([spare.shift() ?? '']);
  let shutUntil = 0;
  let forbidden = { until: 0, status: 403 };
  let closes = 0;
  let certificate: 'server' | 'replaced' = 'server';

  const server = createServer({ cert: certificates.server.cert, key: certificates.server.key });
  server.on('tlsClientError', () => {});
  const front = createTcpServer((socket) => {
    connections.push(performance.now());
    socket.on('error', () => {});
    if (performance.now() < shutUntil) {
      socket.destroy();
      return;
    }
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    server.emit('connection', socket);
  });

  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };

  server.on('request', (incoming, outgoing) => {
    const url = new URL(incoming.url ?? '/', 'https://proxy');
    const isWatch = url.searchParams.has('watch');
    const fault = script[asked.length];
    const one: Asked = {
      atMs: performance.now(),
      kind: isWatch ? 'watch' : /\/(jobs|pods)$/.test(url.pathname) ? 'list' : 'other',
      path: incoming.url ?? '',
      fault,
      delivered: 'not',
      resourceVersion: undefined,
      swallowed: false,
    };
    asked.push(one);
    firstRequest.resolve(one.atMs);
    outgoing.on('error', () => {});
    void answer(incoming, outgoing, one, url).catch(() => outgoing.destroy());
  });

  async function answer(incoming: IncomingMessage, outgoing: ServerResponse, one: Asked, url: URL): Promise<void> {
    const { fault } = one;
    const now = performance.now();
    if (fault?.kind === 'refuse') {
      shutUntil = now + fault.forMs;
      cut();
      return;
    }
    if (fault?.kind === 'name') {
      const failing: Answer = { code: fault.code, untilMs: Date.now() + fault.forMs };
      writeFileSync(resolverFile, JSON.stringify(failing));
      cut();
      return;
    }
    if (fault?.kind === 'rotate token') {
      const next = spare.shift();
      if (next !== undefined) {
        accepted.clear();
        accepted.add(next);
        writeFileSync(tokenFile, next);
      }
    }
    if (fault?.kind === 'replace certificate') {
      certificate = certificate === 'server' ? 'replaced' : 'server';
      server.setSecureContext(certificate === 'server' ? certificates.server : certificates.replaced);
      cut();
      return;
    }
    if (fault?.kind === 'forbid') forbidden = { until: now + fault.forMs, status: fault.status };
    if (now < forbidden.until) return say(outgoing, forbidden.status, statusBody(forbidden.status));
    const token = (incoming.headers.authorization ?? '').replace(/^Bearer /, '');
    if (!accepted.has(token)) return say(outgoing, 401, statusBody(401));
    if (fault?.kind === 'reset' && fault.when === 'before headers') {
      outgoing.socket?.destroy();
      return;
    }
    if (fault?.kind === 'reset' && fault.when === 'during headers') {
      outgoing.socket?.write('HTTP/1.1 200 OK\r\ncontent-type: application/js');
      await sleep(5);
      outgoing.socket?.destroy();
      return;
    }
    if (fault?.kind === 'status') return say(outgoing, fault.status, statusBody(fault.status), retryAfter(fault));
    if (fault?.kind === 'page') return say(outgoing, fault.status, PAGE, {}, 'text/html');
    if (fault?.kind === 'error event') {
      if (one.kind !== 'watch') return say(outgoing, fault.status, statusBody(fault.status));
      return say(outgoing, 200, `{"type":"ERROR","object":${statusBody(fault.status)}}\n`);
    }
    if (one.kind === 'watch' && (closes > 0 || fault?.kind === 'close')) {
      closes = fault?.kind === 'close' ? fault.times - 1 : closes - 1;
      return say(outgoing, 200, '');
    }
    if (fault?.kind === 'expired continue') {
      if (url.searchParams.has('continue')) return say(outgoing, 410, statusBody(410));
      if (url.searchParams.has('limit')) url.searchParams.set('limit', '1');
    }
    await handOn(incoming, outgoing, one, url);
  }

  function retryAfter({ retryAfter: form }: Extract<Fault, { kind: 'status' }>): Record<string, string> {
    if (form === 'none') return {};
    return { 'retry-after': form === 'seconds' ? '1' : new Date(Date.now() + 1_000).toUTCString() };
  }

  function say(
    outgoing: ServerResponse,
    status: number,
    body: string,
    headers: Readonly<Record<string, string>> = {},
    type = 'application/json',
  ): void {
    outgoing.writeHead(status, { 'content-type': type, ...headers });
    outgoing.end(body);
  }

  async function handOn(incoming: IncomingMessage, outgoing: ServerResponse, one: Asked, url: URL): Promise<void> {
    const { host: _, connection: __, ...headers } = incoming.headers;
    const path = `${url.pathname}${url.search}`;
    const { hostname, port } = upstream;
    const onward = request({ agent, hostname, port, method: incoming.method, path, headers });
    outgoing.on('close', () => onward.destroy());
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      onward.on('response', resolve);
      onward.on('error', reject);
      onward.end();
    });
    response.on('error', () => outgoing.destroy());
    outgoing.writeHead(response.statusCode ?? 502, { 'content-type': response.headers['content-type'] ?? '' });
    outgoing.flushHeaders();
    const { fault } = one;
    if (fault?.kind === 'reset') {
      await sleep(5);
      outgoing.socket?.destroy();
      return;
    }
    if (fault?.kind === 'stall') {
      await sleep(fault.forMs);
      outgoing.socket?.destroy();
      return;
    }
    if (fault?.kind === 'bookmarks' && one.kind === 'watch') outgoing.write(bookmarks(url, fault.count));
    let all = Buffer.alloc(0);
    let lines = 0;
    const earlier: Buffer[] = [];
    // Until its time is over; what comes by a clock of its own could be kept for ever.
    let packed: Buffer[] | undefined;
    if (fault?.kind === 'pack') {
      packed = [];
      setTimeout(() => {
        outgoing.write(Buffer.concat(packed ?? []));
        packed = undefined;
      }, fault.forMs);
    }
    one.delivered = 'in part';
    for await (const chunk of response as AsyncIterable<Buffer>) {
      if (one.kind === 'list') all = Buffer.concat([all, chunk]);
      if (fault === undefined) {
        outgoing.write(chunk);
        continue;
      }
      switch (fault.kind) {
        case 'drip':
          for (let at = 0; at < chunk.length; at += fault.bytes) {
            outgoing.write(chunk.subarray(at, at + fault.bytes));
            if (fault.pauseMs > 0) await sleep(fault.pauseMs);
          }
          break;
        case 'pack':
          if (packed === undefined) outgoing.write(chunk);
          else packed.push(chunk);
          break;
        case 'half line': {
          for (const line of split(chunk)) {
            if (lines === fault.line) {
              outgoing.write(line.subarray(0, Math.ceil(line.length / 2)));
              await sleep(2);
              if (fault.end === 'close') outgoing.end();
              else outgoing.socket?.destroy();
              onward.destroy();
              return;
            }
            lines += 1;
            outgoing.write(line);
          }
          break;
        }
        case 'swallow':
          for (const line of split(chunk)) {
            const isEvent = one.kind === 'watch' && !line.includes('"type":"BOOKMARK"');
            if (isEvent && lines === fault.event) one.swallowed = true;
            else outgoing.write(line);
            if (isEvent) lines += 1;
          }
          break;
        case 'duplicate':
          if (one.kind === 'watch') for (const line of split(chunk)) outgoing.write(Buffer.concat([line, line]));
          else outgoing.write(chunk);
          break;
        case 'stale':
          outgoing.write(chunk);
          if (one.kind !== 'watch') break;
          // In packets of their own: what comes in one is taken in one.
          for (const line of earlier.toReversed()) {
            await sleep(3);
            outgoing.write(line);
          }
          earlier.push(...split(chunk));
          break;
        default:
          outgoing.write(chunk);
      }
    }
    if (packed !== undefined) outgoing.write(Buffer.concat(packed.splice(0)));
    one.delivered = 'whole';
    if (one.kind === 'list') one.resourceVersion = Number(versionOf(all));
    outgoing.end();
  }

  await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve));
  const { port } = front.address() as AddressInfo;
  return {
    port,
    asked,
    firstRequest: firstRequest.promise,
    connections,
    async close() {
      cut();
      await new Promise<void>((resolve) => front.close(() => resolve()));
    },
  };
}

/** Where a chunk is not cut within a line, as with the API server's events: its lines with their ends. */
function split(chunk: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  let at = 0;
  while (at < chunk.length) {
    const end = chunk.indexOf(10, at);
    const next = end === -1 ? chunk.length : end + 1;
    lines.push(chunk.subarray(at, next));
    at = next;
  }
  return lines;
}

function versionOf(body: Buffer): string | undefined {
  return /"metadata":\{[^{}]*"resourceVersion":"(\d+)"/.exec(body.toString())?.[1];
}

/** Bookmarks that tell nothing new: of the resourceVersion that the watch starts from. */
function bookmarks(url: URL, count: number): string {
  const resourceVersion = url.searchParams.get('resourceVersion') ?? '0';
  const isJob = url.pathname.endsWith('/jobs');
  const object = {
    kind: isJob ? 'Job' : 'Pod',
    apiVersion: isJob ? 'batch/v1' : 'v1',
    metadata: { resourceVersion, creationTimestamp: null },
  };
  return `${JSON.stringify({ type: 'BOOKMARK', object })}\n`.repeat(count);
}
