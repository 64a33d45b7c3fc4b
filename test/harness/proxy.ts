/**
 * An HTTPS server on loopback that hands requests on to the API server, credentials and all, and that can be told to
 * cut what is open, to let nobody in, to let new connections wait, and to answer in the API server's place.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Agent, createServer, request as httpsRequest } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { type Certificates, makeCertificates } from '../unit/kube/certificates.ts';
import { cluster, type Identity, test } from './index.ts';

/** One request that came to the proxy. */
export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly accept: string;
  /** All that has been answered so far. */
  readonly body: string;
}

export interface Answer {
  readonly status: number;
  /** Text is sent as text/plain. */
  readonly body: object | string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface TestProxy {
  /** The kubeconfig of an identity by token, by way of the proxy. */
  kubeconfig(of: Identity): string;
  /** In the order in which they came, those that it answered itself among them. */
  readonly seen: readonly Seen[];
  /** Resolves with the first request that is like this, past or to come. */
  request(like: (seen: Seen) => boolean): Promise<Seen>;
  /** Ends every connection, and each new one at once, until `restore`. */
  cut(): void;
  /** Takes new connections and says nothing on them, until `restore`; those that are open go on. */
  hold(): void;
  restore(): void;
  /** Answers every request that is like this by itself. */
  answer(like: (seen: Seen) => boolean, answer: Answer): void;
  /** Answers the next request that is like this by itself. Resolves when it has. */
  answerOnce(like: (seen: Seen) => boolean, answer: Answer): Promise<void>;
  /** Changes the query of every request before it is forwarded. */
  change(by: (query: URLSearchParams) => void): void;
  /** Drops the next event of a watch whose line is like this. Resolves when it has. */
  swallow(like: (line: string) => boolean): Promise<void>;
  close(): Promise<void>;
}

/** How the API server says that a resourceVersion is too old. */
export const GONE: Answer = {
  status: 410,
  body: {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: 'too old resource version: 1 (2)',
    reason: 'Expired',
    code: 410,
  },
};

/** The same, in the way in which a watch that was opened says so. */
export const GONE_EVENT: Answer = { status: 200, body: { type: 'ERROR', object: GONE.body } };

/** How the API server rejects a request. */
export function rejection(code: number, reason: string, message: string): Answer {
  const body = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code };
  return { status: code, body };
}

/** How the API server says that it knows no such path. */
export const NO_SUCH_PATH: Answer = {
  status: 404,
  body: {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: 'the server could not find the requested resource',
    reason: 'NotFound',
    details: {},
    code: 404,
  },
};

export const isList = ({ method, query }: Seen): boolean => method === 'GET' && query.watch === undefined;

export const isWatch = ({ query }: Seen): boolean => query.watch !== undefined;

let certificates: Certificates | undefined;

/** `intermediate`: its kubeconfig holds an intermediate certificate alone, which signed that of the proxy. */
export async function startProxy(authority: 'root' | 'intermediate' = 'root'): Promise<TestProxy> {
  certificates ??= makeCertificates();
  const { ca, server: own } = authority === 'root' ? certificates : certificates.intermediate;
  const upstream = new URL(cluster().server);
  const agent = new Agent({ keepAlive: true, ca: readFileSync(cluster().caFile) });
  const sockets = new Set<Socket>();
  const held = new Set<Socket>();
  const seen: { -readonly [key in keyof Seen]: Seen[key] }[] = [];
  const waiting = new Set<() => void>();
  const answers = new Set<{ like: (seen: Seen) => boolean; answer: Answer; done?: () => void }>();
  const swallows = new Set<{ like: (line: string) => boolean; done: () => void }>();
  let change = (_query: URLSearchParams): void => {};
  let door: 'open' | 'shut' | 'held' = 'open';

  const server = createServer({ cert: own.cert, key: own.key });
  server.on('tlsClientError', () => {});
  const front = createTcpServer((socket) => {
    socket.on('error', () => {});
    if (door === 'shut') {
      socket.destroy();
      return;
    }
    sockets.add(socket);
    socket.on('close', () => {
      sockets.delete(socket);
      held.delete(socket);
    });
    if (door === 'held') held.add(socket);
    else server.emit('connection', socket);
  });
  server.on('request', (incoming, outgoing) => {
    const url = new URL(incoming.url ?? '/', 'https://proxy');
    const one = {
      method: incoming.method ?? '',
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      accept: incoming.headers.accept ?? '',
      body: '',
    };
    seen.push(one);
    for (const look of waiting) look();
    const instead = [...answers].find(({ like }) => like(one));
    if (instead === undefined) {
      change(url.searchParams);
      forward(incoming, outgoing, one, `${url.pathname}${url.search}`);
      return;
    }
    const { status, body, headers } = instead.answer;
    const isText = typeof body === 'string';
    outgoing.writeHead(status, { 'content-type': isText ? 'text/plain' : 'application/json', ...headers });
    // An event of a watch is a line.
    outgoing.end(isText ? body : `${JSON.stringify(body)}\n`);
    if (instead.done === undefined) return;
    answers.delete(instead);
    instead.done();
  });

  /** Without what is to be swallowed. The API server writes each event of a watch in one piece. */
  function rest(text: string): string {
    const lines = text.split(/(?<=\n)/);
    const kept = lines.filter((line) => {
      const swallow = [...swallows].find(({ like }) => like(line));
      if (swallow === undefined) return true;
      swallows.delete(swallow);
      swallow.done();
      return false;
    });
    return kept.join('');
  }

  function forward(incoming: IncomingMessage, outgoing: ServerResponse, one: { body: string }, path: string): void {
    const { host: _, connection: __, ...headers } = incoming.headers;
    const { hostname, port } = upstream;
    const onward = httpsRequest({ agent, hostname, port, method: incoming.method, path, headers });
    onward.on('response', (response) => {
      outgoing.writeHead(response.statusCode ?? 502, response.headers);
      // A watch has a head long before it has an event.
      outgoing.flushHeaders();
      response.on('data', (chunk: Buffer) => {
        one.body += chunk.toString();
        outgoing.write(swallows.size === 0 || !path.includes('watch=') ? chunk : rest(chunk.toString()));
      });
      response.on('end', () => outgoing.end());
      response.on('error', () => outgoing.destroy());
    });
    onward.on('error', () => outgoing.destroy());
    outgoing.on('close', () => onward.destroy());
    incoming.pipe(onward);
  }

  await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve));
  const { port } = front.address() as AddressInfo;
  const cut = (): void => {
    door = 'shut';
    for (const socket of sockets) socket.destroy();
  };
  return {
    seen,
    kubeconfig({ kubeconfig }) {
      const config = JSON.parse(readFileSync(kubeconfig, 'utf8'));
      const authority = Buffer.from(ca).toString('base64');
      const server = `https://127.0.0.1:${port}`;
      config.clusters = [{ name: 'test', cluster: { server, 'certificate-authority-data': authority } }];
      const file = `${kubeconfig}-proxy-${randomBytes(4).toString('hex')}`;
      writeFileSync(file, JSON.stringify(config), { mode: 0o600 });
      return file;
    },
    request: (like) =>
      new Promise((resolve) => {
        const look = (): void => {
          const found = seen.find(like);
          if (found === undefined) return;
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        look();
      }),
    cut,
    hold() {
      door = 'held';
    },
    restore() {
      door = 'open';
      for (const socket of held) server.emit('connection', socket);
      held.clear();
    },
    answer(like, answer) {
      answers.add({ like, answer });
    },
    answerOnce: (like, answer) =>
      new Promise((done) => {
        answers.add({ like, answer, done });
      }),
    change(by) {
      change = by;
    },
    swallow: (like) =>
      new Promise((done) => {
        swallows.add({ like, done });
      }),
    async close() {
      cut();
      agent.destroy();
      await new Promise((resolve) => front.close(resolve));
    },
  };
}

/** The test's own proxy, beside the other helpers. */
export const proxied = test.extend<{ proxy: TestProxy }>({
  proxy: async ({ task: _ }, use) => {
    const proxy = await startProxy();
    await use(proxy);
    await proxy.close();
  },
});
