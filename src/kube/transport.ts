import type http from 'node:http';
import https from 'node:https';
import type { Readable } from 'node:stream';
import { checkServerIdentity } from 'node:tls';
import type { Connection, RequestAuth, TlsSettings } from './connection.ts';
import { fromHttp, fromNode, type Problem, TransportError } from './problem.ts';

/** Makes requests to one API server, all over the same few kept connections. */
export interface Transport {
  /**
   * Resolves with the headers of a 2xx answer; its body is still to be read.
   * @throws TransportError for everything else: no answer, another status (redirects too, which are not followed), a
   *   limit that passed, and when `signal` aborts (code `ABORT_ERR`). The body throws it as well.
   */
  request(request: TransportRequest): Promise<Response>;
  /** Closes all connections, also those in use. */
  close(): void;
}

export interface TransportRequest {
  readonly method: 'GET' | 'POST';
  /** With its query. */
  readonly path: string;
  /** JSON. */
  readonly body?: string;
  readonly accept?: string;
  readonly signal: AbortSignal;
  /**
   * For the whole request, its body included. Without it the request is a stream (a watch, a log): only its headers
   * must come within the transport's requestTimeoutMs. 0 or Infinity: no limit.
   */
  readonly timeoutMs?: number;
}

export interface Response {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  /** To be read once. Leaving the loop early ends the request. */
  readonly body: AsyncIterable<Uint8Array>;
  /** The body as text, at most so many bytes of it. */
  text(limitBytes?: number): Promise<string>;
  /** @throws TransportError (`interrupted`) also for a body that is not JSON. */
  json(): Promise<unknown>;
  /** Ends the request and gives up what was not read. Does nothing once the body was read. */
  destroy(): void;
}

export interface TransportOptions {
  readonly userAgent: string;
  readonly requestTimeoutMs: number;
}

export const TRANSPORT = {
  /**
   * TCP keep-alive, as client-go's: below the idle limits of load balancers, 60 s at the lowest. A peer that does not
   * answer ten probes, a second between, is gone; of that a watch in which nothing happens would not hear otherwise.
   * https://github.com/kubernetes/client-go/blob/v0.36.0/transport/cache.go
   */
  keepAliveMs: 30_000,
  /**
   * For TCP and TLS to be set up, within the request's own limit. A new attempt may be led to another, living API
   * server behind a Service's address; the old one never is. Go's default for TLS alone is as long.
   */
  connectTimeoutMs: 10_000,
  /** Per address of a name that has several; Node's 250 ms is too short for a link across an ocean. */
  addressTimeoutMs: 2_000,
  /** Of the body of an error. The API server's Status objects are far smaller. */
  errorBodyBytes: 64 * 1024,
} as const;

/** setTimeout fires at once for anything longer. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export function createTransport(connection: Connection, options: TransportOptions): Transport {
  const secure = connection.server.protocol === 'https:';
  const basePath = connection.server.pathname.replace(/\/+$/, '');
  /** Created with the first request; the way through a proxy is the same for all of them. */
  let creating: Promise<http.Agent> | undefined;
  let agent: http.Agent | undefined;

  /** One request as it goes over the wire: resolves with any status. */
  async function attempt(request: TransportRequest, auth: RequestAuth, limits: Limits): Promise<http.IncomingMessage> {
    const { server } = connection;
    const hostname = server.hostname.replace(/^\[(.*)\]$/, '$1');
    creating ??= createAgent(secure, auth.proxyUrl, auth.tls.servername ?? hostname);
    agent ??= await creating;
    const requestOptions: https.RequestOptions = {
      // Not left to NODE_TLS_REJECT_UNAUTHORIZED, which is often set for something else.
      rejectUnauthorized: true,
      // Each configured certificate is a trust anchor, an intermediate one too, as in Go.
      allowPartialTrustChain: true,
      ...tlsOptions(auth.tls),
      agent,
      method: request.method,
      hostname,
      port: server.port || (secure ? 443 : 80),
      path: basePath + request.path,
      headers: {
        ...headersOf(request, options.userAgent),
        ...(auth.headers as http.OutgoingHttpHeaders),
      },
      // The agent for SOCKS recognizes a kept connection only with it.
      ...(isSocks(auth.proxyUrl) ? { protocol: server.protocol } : {}),
      // All that Node looks at while it sets up a tunnel. On the socket itself nobody listens to it.
      ...(auth.proxyUrl === undefined ? {} : { timeout: TRANSPORT.connectTimeoutMs }),
    };
    return await send(requestOptions, secure ? https.request : plain().request, request.body, limits);
  }

  /** A request, once more where only a kept connection was at fault. */
  async function attemptOnLiveSocket(
    request: TransportRequest,
    auth: RequestAuth,
    limits: Limits,
  ): Promise<http.IncomingMessage> {
    try {
      return await attempt(request, auth, limits);
    } catch (error) {
      if (!(error instanceof StaleSocketError)) throw error;
      // The server has closed one idle connection, so the others are likely gone as well.
      dropIdleSockets(agent);
      return await attempt(request, auth, limits);
    }
  }

  async function exchange(request: TransportRequest, limits: Limits): Promise<http.IncomingMessage> {
    const first = await attemptOnLiveSocket(
      request,
      await limits.during(connection.authorize({ renew: false })),
      limits,
    );
    if (first.statusCode !== 401) return first;
    // Tokens are replaced before they expire, but the old one may have been read a moment too early.
    await drain(first, limits);
    const renewed = await limits.during(connection.authorize({ renew: true }));
    return await attemptOnLiveSocket(request, renewed, limits);
  }

  return {
    async request(request) {
      const limits = createLimits(request, options.requestTimeoutMs);
      const toProblem = (error: unknown, phase: 'before-headers' | 'body'): Error => {
        if (error instanceof TransportError) return error;
        const cause = error instanceof StaleSocketError ? error.cause : error;
        return new TransportError(fromNode(cause, { phase, caFile: connection.caFile }));
      };
      try {
        const message = await exchange(request, limits);
        if (request.timeoutMs === undefined) limits.headersCame();
        const body = await decoded(message);
        const response = createResponse(message, body, limits, (error) => toProblem(error, 'body'));
        if (response.status >= 200 && response.status < 300) return response;
        throw new TransportError(await problemOf(response));
      } catch (error) {
        limits.done();
        throw toProblem(limits.reason() ?? error, 'before-headers');
      }
    },
    close() {
      agent?.destroy();
    },
  };
}

/** An IP address cannot be asked for in TLS, and Node throws where one is given, through a proxy even uncaught. */
function tlsOptions(tls: TlsSettings): https.RequestOptions {
  const { servername } = tls;
  // Asked of Node when there is a name: to import node:net loads more than what https has of it.
  if (servername === undefined || process.getBuiltinModule('node:net').isIP(servername) === 0) return tls;
  return { ...tls, servername: '' };
}

/** What may end a request from outside: its time limits and the caller's signal. */
interface Limits {
  /** Aborts with an error as its reason. */
  readonly signal: AbortSignal;
  /** Why the signal aborted. */
  reason(): LimitError | undefined;
  /** Waits for something that cannot be aborted itself. */
  during<T>(promise: Promise<T>): Promise<T>;
  /** The limit for the headers is over, the signal stays. */
  headersCame(): void;
  done(): void;
}

/** A request was ended by us; the code is one that Node itself could have given. */
class LimitError extends Error {
  readonly code: 'ABORT_ERR' | 'ETIMEDOUT';

  constructor(code: 'ABORT_ERR' | 'ETIMEDOUT', message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

function createLimits(request: TransportRequest, requestTimeoutMs: number): Limits {
  const controller = new AbortController();
  const { signal } = request;
  const limitMs = request.timeoutMs ?? requestTimeoutMs;
  const onAbort = (): void => controller.abort(new LimitError('ABORT_ERR', 'aborted', { cause: signal.reason }));
  const onLimit = (): void => {
    controller.abort(new LimitError('ETIMEDOUT', `no complete answer within ${limitMs / 1000} s`));
  };
  const timer =
    limitMs > 0 && limitMs !== Number.POSITIVE_INFINITY
      ? setTimeout(onLimit, Math.min(limitMs, LONGEST_TIMER_MS))
      : undefined;
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  return {
    signal: controller.signal,
    reason: () => (controller.signal.aborted ? (controller.signal.reason as LimitError) : undefined),
    during: (promise) =>
      new Promise((resolve, reject) => {
        const abort = (): void => reject(controller.signal.reason);
        promise.then(resolve, reject).finally(() => controller.signal.removeEventListener('abort', abort));
        if (controller.signal.aborted) abort();
        else controller.signal.addEventListener('abort', abort, { once: true });
      }),
    headersCame: () => clearTimeout(timer),
    done: () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    },
  };
}

/** The server had closed a kept connection before our request reached it; nothing of an answer came. */
class StaleSocketError extends Error {}

const STALE_CODES: ReadonlySet<unknown> = new Set(['ECONNRESET', 'EPIPE']);

function send(
  requestOptions: https.RequestOptions,
  open: typeof https.request,
  body: string | undefined,
  limits: Limits,
): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    if (limits.signal.aborted) return reject(limits.signal.reason);
    // Throws for TLS settings and headers that cannot be used, which rejects the promise.
    const request = open(requestOptions);
    // Rejects as well, since a request that waits for a proxy's tunnel tells of its end only when the tunnel stands.
    const giveUp = (error: Error): void => {
      settle();
      request.destroy(error);
      reject(error);
    };
    const abort = (): void => giveUp(limits.signal.reason);
    limits.signal.addEventListener('abort', abort, { once: true });
    const connectTimer = setTimeout(() => {
      const address = `${requestOptions.hostname}:${requestOptions.port}`;
      giveUp(new LimitError('ETIMEDOUT', `no connection to ${address} within ${TRANSPORT.connectTimeoutMs / 1000} s`));
    }, TRANSPORT.connectTimeoutMs);
    const settle = (): void => {
      clearTimeout(connectTimer);
      limits.signal.removeEventListener('abort', abort);
    };
    request.once('socket', (socket) => {
      // Off first: the socket of a tunnel believes that it is on, since that is an option of its agent.
      socket.setKeepAlive(false).setKeepAlive(true, TRANSPORT.keepAliveMs);
      // A kept connection, or one through a proxy's tunnel.
      if (!socket.connecting) return clearTimeout(connectTimer);
      socket.once(open === https.request ? 'secureConnect' : 'connect', () => clearTimeout(connectTimer));
    });
    request.once('response', (message) => {
      settle();
      resolve(message);
    });
    // Stays after the answer came: what goes wrong then is told by the body as well, and must not be thrown here.
    request.on('error', (error) => {
      settle();
      const stale = request.reusedSocket && 'code' in error && STALE_CODES.has(error.code) && !limits.signal.aborted;
      reject(stale ? new StaleSocketError(error.message, { cause: error }) : error);
    });
    request.end(body);
  });
}

/** `name` is what the server's certificate must be for, also where it is an address. */
async function createAgent(secure: boolean, proxyUrl: string | undefined, name: string): Promise<http.Agent> {
  const common: https.AgentOptions = {
    keepAlive: true,
    keepAliveMsecs: TRANSPORT.keepAliveMs,
    // Not as an option of each request, after which Node keeps no connection.
    checkServerIdentity: (_host, certificate) => checkServerIdentity(name, certificate),
  };
  if (proxyUrl !== undefined && isSocks(proxyUrl)) {
    const { SocksProxyAgent } = await import('socks-proxy-agent');
    // The proxy looks up the server's name, as with kubectl: Go does not distinguish the two schemes.
    return new SocksProxyAgent(proxyUrl.replace(/^socks5:/, 'socks5h:'), common);
  }
  const options: https.AgentOptions = {
    ...common,
    autoSelectFamilyAttemptTimeout: TRANSPORT.addressTimeoutMs,
    // An empty proxyEnv: Node never looks at the environment by itself, NO_PROXY has been judged already.
    proxyEnv: proxyUrl === undefined ? {} : secure ? { HTTPS_PROXY: proxyUrl } : { HTTP_PROXY: proxyUrl },
  };
  return secure ? new https.Agent(options) : new (plain().Agent)(options);
}

function isSocks(proxyUrl: string | undefined): boolean {
  return proxyUrl?.startsWith('socks') === true;
}

/** Loaded where an API server is reached without TLS only. */
function plain(): typeof http {
  return process.getBuiltinModule('node:http');
}

function dropIdleSockets(agent: http.Agent | undefined): void {
  for (const sockets of Object.values(agent?.freeSockets ?? {})) {
    for (const socket of sockets ?? []) socket.destroy();
  }
}

function headersOf(request: TransportRequest, userAgent: string): http.OutgoingHttpHeaders {
  return {
    'User-Agent': userAgent,
    Accept: request.accept ?? 'application/json',
    // Never for a stream, where a compressor in between would hold events back until it has enough of them.
    ...(request.timeoutMs === undefined ? {} : { 'Accept-Encoding': 'gzip' }),
    ...(request.body === undefined
      ? {}
      : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(request.body) }),
  };
}

/** Reads a short body to its end, so that its connection is kept for what comes next. Never throws. */
async function drain(message: http.IncomingMessage, { signal }: Limits): Promise<void> {
  const abort = (): void => void message.destroy();
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  try {
    await collect(message, TRANSPORT.errorBodyBytes);
  } catch {
    // What it said does not matter, nor that it broke off.
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** The body without its compression. zlib is loaded only when the server did compress, from 128 KiB on. */
async function decoded(message: http.IncomingMessage): Promise<Readable> {
  if (message.headers['content-encoding'] !== 'gzip') return message;
  const [{ createGunzip }, { pipeline }] = await Promise.all([import('node:zlib'), import('node:stream')]);
  // The callback is there so that an error is not thrown: the reader of the last stream gets it.
  return pipeline(message, createGunzip(), () => {});
}

function createResponse(
  message: http.IncomingMessage,
  raw: Readable,
  limits: Limits,
  toProblem: (error: unknown) => Error,
): Response {
  const end = (): void => {
    limits.done();
    limits.signal.removeEventListener('abort', abort);
  };
  const abort = (): void => {
    message.destroy(limits.signal.reason);
  };
  limits.signal.addEventListener('abort', abort, { once: true });

  async function* read(): AsyncGenerator<Uint8Array, void> {
    try {
      yield* raw as AsyncIterable<Uint8Array>;
    } catch (error) {
      throw toProblem(limits.reason() ?? error);
    } finally {
      end();
    }
  }
  const text = async (limitBytes?: number): Promise<string> => {
    try {
      return (await collect(raw, limitBytes)).toString('utf8');
    } catch (error) {
      throw toProblem(limits.reason() ?? error);
    } finally {
      end();
    }
  };
  return {
    status: message.statusCode ?? 0,
    headers: message.headers,
    body: read(),
    text,
    async json() {
      return parseAnswer(await text());
    },
    destroy() {
      end();
      message.destroy();
    },
  };
}

/**
 * All of a stream, or its first bytes. By its events: the machinery behind `for await` takes Node two milliseconds the
 * first time, and a start has no other use for it.
 */
function collect(stream: Readable, limitBytes = Number.POSITIVE_INFINITY): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const whole = (): void => resolve(Buffer.concat(chunks).subarray(0, Math.min(length, limitBytes)));
    stream.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      length += chunk.length;
      if (length < limitBytes) return;
      whole();
      stream.destroy();
    });
    stream.once('end', whole);
    stream.on('error', reject);
    // Destroyed without a word, now or before: what came is not all of it.
    const broken = (): void => reject(stream.errored ?? new Error('the answer broke off'));
    stream.once('close', broken);
    if (stream.destroyed) broken();
  });
}

/** @throws TransportError (`interrupted`) for what is not JSON. */
export function parseAnswer(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own message quotes the answer, which may be a Secret.
    throw notJson();
  }
}

export function notJson(): TransportError {
  return new TransportError({ kind: 'interrupted', message: 'the answer is not JSON' });
}

/** What an answer outside of 2xx says. A body that breaks off says less, but the status stands. */
async function problemOf(response: Response): Promise<Problem> {
  const text = await response.text(TRANSPORT.errorBodyBytes).catch(() => '');
  return fromHttp(response.status, response.headers, text);
}
