import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import net, { type AddressInfo, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { gzipSync } from 'node:zlib';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Connection, RequestAuth } from '../../../src/kube/connection.ts';
import { type Problem, TransportError } from '../../../src/kube/problem.ts';
import { createTransport, type Response, TRANSPORT, type Transport } from '../../../src/kube/transport.ts';
import { keepsAlive } from '../../harness/sockets.ts';
import { startSocksProxy } from '../../harness/socks.ts';
import { makeCertificates } from './certificates.ts';

const certificates = makeCertificates();
const GO_ON = new AbortController().signal;

/** A server on loopback; each socket that it accepted is kept, and closed with the test. */
async function serve<S extends net.Server>(server: S): Promise<{ server: S; port: number; sockets: Socket[] }> {
  const sockets: Socket[] = [];
  server.on('connection', (socket: Socket) => sockets.push(socket.on('error', () => {})));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { server, port: (server.address() as AddressInfo).port, sockets };
}

function transportTo(
  server: string,
  more: { authorize?: Connection['authorize']; requestTimeoutMs?: number; caFile?: string } & Partial<RequestAuth> = {},
): Transport {
  const { authorize, requestTimeoutMs = 5_000, caFile, headers = {}, tls = {}, proxyUrl } = more;
  const auth: RequestAuth = { headers, tls, ...(proxyUrl === undefined ? {} : { proxyUrl }) };
  const connection: Connection = {
    server: new URL(server),
    source: 'flags',
    namespace: 'default',
    ...(caFile === undefined ? {} : { caFile }),
    authorize: authorize ?? (async () => auth),
  };
  const transport = createTransport(connection, { userAgent: 'kube-await/test', requestTimeoutMs });
  onTestFinished(() => transport.close());
  return transport;
}

function get(transport: Transport, path = '/x', signal = GO_ON, timeoutMs = 5_000): Promise<Response> {
  return transport.request({ method: 'GET', path, signal, timeoutMs });
}

function watch(transport: Transport, signal = GO_ON): Promise<Response> {
  return transport.request({ method: 'GET', path: '/x?watch=1', signal });
}

async function problemOf(promise: Promise<unknown>): Promise<Problem> {
  const error = await promise.then(
    (value) => expect.fail(`expected a failure, got ${JSON.stringify(value)}`),
    (error: unknown) => error,
  );
  if (!(error instanceof TransportError)) throw error;
  return error.problem;
}

async function read(body: AsyncIterable<Uint8Array>, chunks: string[] = []): Promise<string[]> {
  for await (const chunk of body) chunks.push(Buffer.from(chunk).toString());
  return chunks;
}

/** Tunnels every CONNECT to the given port, whatever was asked for. */
async function tunnel(
  to: number,
  options?: https.ServerOptions,
): Promise<{ port: number; asked: { url: string | undefined; auth: string | undefined }[] }> {
  const asked: { url: string | undefined; auth: string | undefined }[] = [];
  const proxy = options === undefined ? http.createServer() : https.createServer(options);
  proxy.on('connect', (request, socket) => {
    asked.push({ url: request.url, auth: request.headers['proxy-authorization'] });
    const onward = net.connect(to, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      onward.pipe(socket).pipe(onward);
    });
    onward.on('error', () => socket.destroy());
    socket.on('error', () => onward.destroy());
  });
  const { port } = await serve(proxy);
  return { port, asked };
}

async function socks(to: number, login?: `${string}:${string}`): ReturnType<typeof startSocksProxy> {
  const proxy = await startSocksProxy(to, login);
  onTestFinished(() => proxy.close());
  return proxy;
}

describe('a request', () => {
  test('carries path, query, headers and body', async () => {
    const seen = vi.fn();
    const { port } = await serve(
      http.createServer(async (request, response) => {
        let body = '';
        for await (const chunk of request) body += chunk;
        const { authorization, accept, 'user-agent': userAgent, 'content-type': type } = request.headers;
        const groups = request.headersDistinct['impersonate-group'];
        seen({ method: request.method, url: request.url, authorization, accept, userAgent, type, groups, body });
        response.end('{"ok":true}');
      }),
    );
    const headers = { Authorization: 'Bearer t', 'Impersonate-Group': ['a', 'b'] };
    const transport = transportTo(`http://127.0.0.1:${port}/k8s/clusters/c-1/`, { headers });
    const response = await transport.request({
      method: 'POST',
      path: '/apis/a/v1?x=1&y=%20',
      body: '{"ü":1}',
      signal: GO_ON,
      timeoutMs: 5_000,
    });
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ ok: true });
    expect(seen).toHaveBeenCalledExactlyOnceWith({
      method: 'POST',
      url: '/k8s/clusters/c-1/apis/a/v1?x=1&y=%20',
      authorization: 'Bearer t',
      accept: 'application/json',
      userAgent: 'kube-await/test',
      type: 'application/json',
      groups: ['a', 'b'],
      body: '{"ü":1}',
    });
  });

  test('asks for what the caller accepts', async () => {
    const { port } = await serve(http.createServer((request, response) => response.end(request.headers.accept)));
    const transport = transportTo(`http://127.0.0.1:${port}`);
    const response = await transport.request({
      method: 'GET',
      path: '/',
      accept: 'a/b',
      signal: GO_ON,
      timeoutMs: 5_000,
    });
    expect(await response.text()).toBe('a/b');
  });

  test('follows no redirect', async () => {
    const { port } = await serve(
      http.createServer((_request, response) => response.writeHead(302, { Location: 'http://127.0.0.1:1/' }).end()),
    );
    expect(await problemOf(get(transportTo(`http://127.0.0.1:${port}`)))).toMatchObject({
      kind: 'status',
      status: 302,
    });
  });

  test('to an address in brackets', async () => {
    const server = http.createServer((request, response) => response.end(request.headers.host));
    server.listen(0, '::1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const host = `[::1]:${(server.address() as AddressInfo).port}`;
    expect(await (await get(transportTo(`http://${host}`))).text()).toBe(host);
  });
});

describe('a status outside of 2xx', () => {
  test('is a problem with what the body says', async () => {
    const body = { kind: 'Status', reason: 'TooManyRequests', message: 'please wait', code: 429 };
    const { port } = await serve(
      http.createServer((_request, response) =>
        response.writeHead(429, { 'Retry-After': '3' }).end(JSON.stringify(body)),
      ),
    );
    expect(await problemOf(get(transportTo(`http://127.0.0.1:${port}`)))).toEqual({
      kind: 'status',
      status: 429,
      reason: 'TooManyRequests',
      message: 'please wait',
      retryAfterMs: 3_000,
    });
  });

  test('stays a problem of that status when its body breaks off', async () => {
    const { port } = await serve(
      http.createServer((_request, response) => {
        response.writeHead(503, { 'Content-Length': '100' });
        response.write('partly', () => response.destroy());
      }),
    );
    expect(await problemOf(get(transportTo(`http://127.0.0.1:${port}`)))).toMatchObject({
      kind: 'status',
      status: 503,
    });
  });

  test('with an endless body is told all the same', async () => {
    const { port } = await serve(
      http.createServer((_request, response) => {
        response.writeHead(500);
        const more = (): void => {
          while (response.write('x'.repeat(16_384)));
        };
        response.on('drain', more);
        more();
      }),
    );
    expect(await problemOf(get(transportTo(`http://127.0.0.1:${port}`)))).toMatchObject({
      kind: 'status',
      status: 500,
    });
  });
});

describe('connections', () => {
  test('are kept: requests one after the other use one', async () => {
    const { port, sockets } = await serve(http.createServer((_request, response) => response.end('{}')));
    const transport = transportTo(`http://127.0.0.1:${port}`);
    for (let i = 0; i < 5; i++) await (await get(transport)).json();
    expect(sockets).toHaveLength(1);
  });

  test('are kept over TLS too', async () => {
    const { port, sockets } = await serve(https.createServer(certificates.server, (_request, r) => r.end('{}')));
    const transport = transportTo(`https://127.0.0.1:${port}`, { tls: { ca: certificates.ca } });
    for (let i = 0; i < 3; i++) await (await get(transport)).json();
    expect(sockets).toHaveLength(1);
  });

  test('a watch does not hold up other requests', async () => {
    const { port, sockets } = await serve(
      http.createServer((request, response) => {
        if (request.url?.includes('watch')) response.flushHeaders();
        else response.end('{}');
      }),
    );
    const transport = transportTo(`http://127.0.0.1:${port}`);
    const watches = await Promise.all([watch(transport), watch(transport)]);
    await (await get(transport)).json();
    for (const each of watches) each.destroy();
    expect(sockets).toHaveLength(3);
  });

  test('one that the server closed while idle costs no request', async () => {
    const answered: string[] = [];
    const { server, port, sockets } = await serve(
      http.createServer((request, response) => {
        answered.push(request.url ?? '');
        response.end('{}');
      }),
    );
    const transport = transportTo(`http://127.0.0.1:${port}`);
    await Promise.all([1, 2, 3].map(async () => (await get(transport)).json()));
    expect(sockets).toHaveLength(3);
    // Whichever of the old ones is used again, the server has just given it up.
    let closed = 0;
    server.prependListener('request', (request: http.IncomingMessage) => {
      if (sockets.indexOf(request.socket) >= 3) return;
      closed += 1;
      request.socket.resetAndDestroy();
    });
    await (await get(transport, '/again')).json();
    expect(closed).toBe(1);
    expect(sockets).toHaveLength(4);
    expect(answered.at(-1)).toBe('/again');
  });

  test('a new one that is closed without an answer is a problem', async () => {
    const { port, sockets } = await serve(
      net.createServer((socket) => socket.once('data', () => socket.resetAndDestroy())),
    );
    const problem = await problemOf(get(transportTo(`http://127.0.0.1:${port}`)));
    expect(problem).toMatchObject({ kind: 'unreachable', code: 'ECONNRESET' });
    expect(sockets).toHaveLength(1);
  });

  test('a kept one that is closed within an answer is a problem, not a second request', async () => {
    let requests = 0;
    const { port } = await serve(
      http.createServer((_request, response) => {
        requests += 1;
        if (requests === 1) return response.end('{}');
        response.writeHead(200, { 'Content-Length': '10' });
        return response.write('{', () => response.destroy());
      }),
    );
    const transport = transportTo(`http://127.0.0.1:${port}`);
    await (await get(transport)).json();
    expect(await problemOf(get(transport).then((response) => response.json()))).toMatchObject({ kind: 'interrupted' });
    expect(requests).toBe(2);
  });

  test('are closed by close(), those in use as well', async () => {
    const { port, sockets } = await serve(http.createServer((_request, response) => response.flushHeaders()));
    const transport = transportTo(`http://127.0.0.1:${port}`);
    const response = await watch(transport);
    const closed = once(sockets[0] as Socket, 'close');
    transport.close();
    await closed;
    expect(await problemOf(read(response.body))).toMatchObject({ kind: 'interrupted' });
  });
});

describe('a server that cannot be reached', () => {
  test('refuses the connection', async () => {
    const { server, port } = await serve(net.createServer());
    server.close();
    await once(server, 'close');
    expect(await problemOf(get(transportTo(`http://127.0.0.1:${port}`)))).toMatchObject({
      kind: 'unreachable',
      code: 'ECONNREFUSED',
      message: `connect ECONNREFUSED 127.0.0.1:${port}`,
    });
  });

  test('has no address', async () => {
    const problem = await problemOf(get(transportTo('https://nowhere.invalid')));
    expect(problem).toMatchObject({ kind: 'unreachable', code: expect.stringMatching(/^(ENOTFOUND|EAI_AGAIN)$/) });
  });

  test('speaks no TLS', async () => {
    const { port } = await serve(http.createServer());
    expect(await problemOf(get(transportTo(`https://127.0.0.1:${port}`)))).toMatchObject({ kind: 'unreachable' });
  });

  test('speaks no HTTP', async () => {
    const { port } = await serve(net.createServer((socket) => socket.end('SSH-2.0\r\n')));
    expect(await problemOf(get(transportTo(`http://127.0.0.1:${port}`)))).toMatchObject({ kind: 'unreachable' });
  });

  test('accepts the connection, but never finishes TLS', async () => {
    const { port } = await serve(net.createServer());
    const transport = transportTo(`https://127.0.0.1:${port}`);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const pending = problemOf(get(transport, '/x', GO_ON, 60_000));
    await vi.advanceTimersByTimeAsync(TRANSPORT.connectTimeoutMs);
    expect(await pending).toMatchObject({
      kind: 'unreachable',
      code: 'ETIMEDOUT',
      message: `no connection to 127.0.0.1:${port} within 10 s`,
    });
  });
});

describe('a server that takes its time to answer', () => {
  test.each(['http', 'https'] as const)('over %s is not taken for one that cannot be reached', async (scheme) => {
    const held: http.ServerResponse[] = [];
    const onRequest = (_request: http.IncomingMessage, response: http.ServerResponse): void => void held.push(response);
    const server =
      scheme === 'http' ? http.createServer(onRequest) : https.createServer(certificates.server, onRequest);
    const { port } = await serve(server);
    const transport = transportTo(`${scheme}://127.0.0.1:${port}`, { tls: { ca: certificates.ca } });
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    // The second one on a kept connection.
    for (let i = 0; i < 2; i++) {
      const asked = once(server, 'request');
      const pending = get(transport, '/x', GO_ON, 60_000);
      await asked;
      await vi.advanceTimersByTimeAsync(TRANSPORT.connectTimeoutMs + 1);
      held[i]?.end('{}');
      expect(await (await pending).json()).toEqual({});
    }
  });
});

describe('trust', () => {
  describe('an intermediate certificate is a trust anchor', () => {
    const { ca, server: below } = certificates.intermediate;

    test.each([
      ['directly', undefined],
      ['through an HTTP proxy', 'http'],
      ['through a SOCKS proxy', 'socks5'],
    ])('%s', async (_, scheme) => {
      const { port } = await serve(https.createServer(below, (_request, response) => response.end('{}')));
      const proxy = scheme === 'http' ? await tunnel(port) : await socks(port);
      const proxyUrl = scheme === undefined ? undefined : `${scheme}://127.0.0.1:${proxy.port}`;
      const way = proxyUrl === undefined ? {} : { proxyUrl };
      const transport = transportTo(`https://127.0.0.1:${port}`, { tls: { ca }, ...way });
      expect(await (await get(transport)).json()).toEqual({});
    });

    test('but not for what another one signed', async () => {
      const { port } = await serve(https.createServer(certificates.server, (_request, response) => response.end('{}')));
      const problem = await problemOf(get(transportTo(`https://127.0.0.1:${port}`, { tls: { ca } })));
      expect(problem).toMatchObject({ kind: 'untrusted' });
    });
  });

  const rows: [string, 'server' | 'elsewhere', RequestAuth['tls'], string][] = [
    ['a CA that is not ours', 'server', {}, 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY'],
    ['another host’s certificate', 'elsewhere', { ca: certificates.ca }, 'ERR_TLS_CERT_ALTNAME_INVALID'],
    [
      'a certificate for another address than the one to expect',
      'server',
      { ca: certificates.ca, servername: '127.0.0.2' },
      'ERR_TLS_CERT_ALTNAME_INVALID',
    ],
  ];
  test.each(rows)('%s is refused', async (_name, which, tls, code) => {
    const { port } = await serve(https.createServer(certificates[which], (_request, response) => response.end('{}')));
    const transport = transportTo(`https://127.0.0.1:${port}`, { tls, caFile: '/ca.crt' });
    expect(await problemOf(get(transport))).toMatchObject({ kind: 'untrusted', code, caFile: '/ca.crt' });
  });

  test('NODE_TLS_REJECT_UNAUTHORIZED does not weaken it', async () => {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
    onTestFinished(() => void vi.unstubAllEnvs());
    const { port } = await serve(https.createServer(certificates.server, (_request, response) => response.end('{}')));
    expect(await problemOf(get(transportTo(`https://127.0.0.1:${port}`)))).toMatchObject({ kind: 'untrusted' });
  });

  test.each([
    ['no verification', 'server', { rejectUnauthorized: false }],
    ['another name to expect', 'elsewhere', { ca: certificates.ca, servername: 'elsewhere.test' }],
    ['an address to expect', 'server', { ca: certificates.ca, servername: '127.0.0.1' }],
  ] as const)('%s where it was asked for', async (_name, which, tls) => {
    const { port } = await serve(https.createServer(certificates[which], (_request, response) => response.end('{}')));
    expect(await (await get(transportTo(`https://127.0.0.1:${port}`, { tls }))).json()).toEqual({});
  });

  test('a client certificate is shown, and a renewed one with the next request', async () => {
    const options = { ...certificates.server, ca: certificates.ca, requestCert: true };
    const { port } = await serve(
      https.createServer(options, (request, response) => {
        response.end((request.socket as TLSSocket).getPeerCertificate().subject?.CN ?? 'nobody');
      }),
    );
    let own: RequestAuth['tls'] = certificates.client;
    const authorize = async (): Promise<RequestAuth> => ({ headers: {}, tls: { ca: certificates.ca, ...own } });
    const transport = transportTo(`https://127.0.0.1:${port}`, { authorize });
    expect(await (await get(transport)).text()).toBe('client');
    own = certificates.elsewhere;
    expect(await (await get(transport)).text()).toBe('elsewhere');
  });

  test('a client certificate that does not fit its key is a problem, not a crash', async () => {
    const tls = { cert: certificates.client.cert, key: certificates.server.key };
    expect(await problemOf(get(transportTo('https://127.0.0.1:1', { tls })))).toMatchObject({
      kind: 'unreachable',
      code: 'ERR_OSSL_X509_KEY_VALUES_MISMATCH',
    });
  });
});

describe('time limits', () => {
  test('headers that do not come', async () => {
    const { port } = await serve(http.createServer());
    expect(await problemOf(get(transportTo(`http://127.0.0.1:${port}`), '/x', GO_ON, 50))).toMatchObject({
      kind: 'unreachable',
      code: 'ETIMEDOUT',
      message: 'no complete answer within 0.05 s',
    });
  });

  test('headers of a watch that do not come', async () => {
    const { port } = await serve(http.createServer());
    const transport = transportTo(`http://127.0.0.1:${port}`, { requestTimeoutMs: 50 });
    expect(await problemOf(watch(transport))).toMatchObject({ kind: 'unreachable', code: 'ETIMEDOUT' });
  });

  test('a body that does not end', async () => {
    const { port } = await serve(http.createServer((_request, response) => response.write('{')));
    // Long enough for the headers on a machine that is busy.
    const response = await get(transportTo(`http://127.0.0.1:${port}`), '/x', GO_ON, 1_000);
    expect(await problemOf(response.json())).toMatchObject({
      kind: 'interrupted',
      message: 'no complete answer within 1 s',
    });
  });

  test('a body of an error that does not end', async () => {
    const { port } = await serve(http.createServer((_request, response) => response.writeHead(500).write('{')));
    const problem = await problemOf(get(transportTo(`http://127.0.0.1:${port}`), '/x', GO_ON, 50));
    expect(problem).toMatchObject({ code: 'ETIMEDOUT' });
  });

  test('the body of a watch has none', async () => {
    const held: http.ServerResponse[] = [];
    const { port } = await serve(
      http.createServer((_request, response) => {
        held.push(response);
        response.write('a\n');
      }),
    );
    const transport = transportTo(`http://127.0.0.1:${port}`, { requestTimeoutMs: 1_000 });
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const response = await watch(transport);
    await vi.advanceTimersByTimeAsync(3_600_000);
    held[0]?.end('b\n');
    expect((await read(response.body)).join('')).toBe('a\nb\n');
  });

  test('credentials that do not come', async () => {
    const transport = transportTo('http://127.0.0.1:1', { authorize: () => new Promise(() => {}) });
    expect(await problemOf(get(transport, '/x', GO_ON, 50))).toMatchObject({ kind: 'unreachable', code: 'ETIMEDOUT' });
  });

  test.each([0, Number.POSITIVE_INFINITY, 2 ** 40])('%d means none', async (timeoutMs) => {
    const { port } = await serve(http.createServer((_request, response) => response.end('{}')));
    expect(await (await get(transportTo(`http://127.0.0.1:${port}`), '/x', GO_ON, timeoutMs)).json()).toEqual({});
  });
});

describe('the caller’s signal', () => {
  test('aborted before, nothing is sent', async () => {
    const authorize = vi.fn();
    const transport = transportTo('http://127.0.0.1:1', { authorize });
    expect(await problemOf(get(transport, '/x', AbortSignal.abort()))).toMatchObject({ code: 'ABORT_ERR' });
  });

  test('ends a request that waits for its answer', async () => {
    const { server, port, sockets } = await serve(http.createServer());
    const controller = new AbortController();
    const reason = new Error('SIGTERM');
    const pending = problemOf(get(transportTo(`http://127.0.0.1:${port}`), '/x', controller.signal));
    await once(server, 'request');
    const closed = once(sockets[0] as Socket, 'close');
    controller.abort(reason);
    const problem = await pending;
    expect(problem).toMatchObject({ kind: 'unreachable', code: 'ABORT_ERR', cause: { cause: reason } });
    await closed;
  });

  test('ends a watch', async () => {
    const { port, sockets } = await serve(http.createServer((_request, response) => response.write('a\n')));
    const controller = new AbortController();
    const response = await watch(transportTo(`http://127.0.0.1:${port}`), controller.signal);
    const closed = once(sockets[0] as Socket, 'close');
    const chunks: string[] = [];
    const reading = problemOf(
      (async () => {
        for await (const chunk of response.body) {
          chunks.push(Buffer.from(chunk).toString());
          controller.abort();
        }
      })(),
    );
    expect(await reading).toMatchObject({ kind: 'interrupted', message: 'aborted' });
    expect(chunks).toEqual(['a\n']);
    await closed;
  });

  test('aborted between the headers and the reading is told by the body', async () => {
    const { port } = await serve(http.createServer((_request, response) => response.write('a\n')));
    const controller = new AbortController();
    const response = await watch(transportTo(`http://127.0.0.1:${port}`), controller.signal);
    controller.abort();
    expect(await problemOf(read(response.body))).toMatchObject({ kind: 'interrupted', message: 'aborted' });
  });

  test('is let go of when the answer was read', async () => {
    const { port } = await serve(http.createServer((_request, response) => response.end('{}')));
    const controller = new AbortController();
    const added = vi.spyOn(controller.signal, 'addEventListener');
    const removed = vi.spyOn(controller.signal, 'removeEventListener');
    const transport = transportTo(`http://127.0.0.1:${port}`);
    await (await get(transport, '/x', controller.signal)).json();
    (await get(transport, '/x', controller.signal)).destroy();
    await problemOf(get(transportTo('http://127.0.0.1:1'), '/x', controller.signal));
    expect(added.mock.calls.length).toBeGreaterThan(0);
    expect(removed.mock.calls.length).toBeGreaterThanOrEqual(added.mock.calls.length);
  });
});

describe('a body', () => {
  test('comes in pieces as they are sent', async () => {
    let held: http.ServerResponse | undefined;
    const { port } = await serve(
      http.createServer((_request, response) => {
        held = response;
        response.write('one\n');
      }),
    );
    const response = await watch(transportTo(`http://127.0.0.1:${port}`));
    const chunks: string[] = [];
    for await (const chunk of response.body) {
      chunks.push(Buffer.from(chunk).toString());
      if (chunks.length === 1) held?.write('two\n');
      else held?.end();
    }
    expect(chunks).toEqual(['one\n', 'two\n']);
  });

  test('of a watch that breaks off is an interruption, after what came', async () => {
    const { port } = await serve(
      http.createServer((_request, response) => {
        response.write('one\n', () => setImmediate(() => response.destroy()));
      }),
    );
    const response = await watch(transportTo(`http://127.0.0.1:${port}`));
    const chunks: string[] = [];
    expect(await problemOf(read(response.body, chunks))).toMatchObject({ kind: 'interrupted' });
    expect(chunks).toEqual(['one\n']);
  });

  test('that broke off before it was read is an interruption', async () => {
    const { port, sockets } = await serve(http.createServer((_request, response) => response.write('one\n')));
    const response = await watch(transportTo(`http://127.0.0.1:${port}`));
    sockets[0]?.resetAndDestroy();
    await new Promise((resolve) => setImmediate(resolve));
    expect(await problemOf(read(response.body))).toMatchObject({ kind: 'interrupted', message: 'aborted' });
  });

  test('that is shorter than announced is an interruption', async () => {
    const { port } = await serve(
      net.createServer((socket) =>
        socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}')),
      ),
    );
    const response = await get(transportTo(`http://127.0.0.1:${port}`));
    expect(await problemOf(response.json())).toMatchObject({ kind: 'interrupted' });
  });

  test('that is not JSON is an interruption, and is not quoted', async () => {
    const { port } = await serve(http.createServer((_request, response) => response.end('<p>s3cret')));
    const response = await get(transportTo(`http://127.0.0.1:${port}`));
    expect(await problemOf(response.json())).toEqual({ kind: 'interrupted', message: 'the answer is not JSON' });
  });

  test('as text is cut at the limit, within a chunk and without the rest', async () => {
    const { port, sockets } = await serve(http.createServer((_request, response) => response.write('0123456789')));
    const response = await watch(transportTo(`http://127.0.0.1:${port}`));
    const closed = once(sockets[0] as Socket, 'close');
    expect(await response.text(4)).toBe('0123');
    await closed;
  });

  test('as text that broke off before it was read is an interruption', async () => {
    const { port, sockets } = await serve(http.createServer((_request, response) => response.write('one\n')));
    const response = await watch(transportTo(`http://127.0.0.1:${port}`));
    sockets[0]?.resetAndDestroy();
    await new Promise((resolve) => setImmediate(resolve));
    expect(await problemOf(response.text())).toMatchObject({ kind: 'interrupted', message: 'aborted' });
  });

  test.each(['before', 'while'])('as text, given up %s it is read, is an interruption', async (when) => {
    const { port } = await serve(http.createServer((_request, response) => response.write('one\n')));
    const response = await watch(transportTo(`http://127.0.0.1:${port}`));
    if (when === 'before') {
      response.destroy();
      // Its events are over.
      await new Promise((resolve) => setImmediate(resolve));
    }
    const read = problemOf(response.text());
    response.destroy();
    expect(await read).toMatchObject({ kind: 'interrupted', message: 'the answer broke off' });
  });

  test('that nobody wants is given up', async () => {
    const { port, sockets } = await serve(http.createServer((_request, response) => response.write('a\n')));
    const response = await watch(transportTo(`http://127.0.0.1:${port}`));
    const closed = once(sockets[0] as Socket, 'close');
    response.destroy();
    await closed;
  });
});

describe('compression', () => {
  const list = JSON.stringify({ items: Array.from({ length: 5_000 }, (_, i) => ({ metadata: { name: `pod-${i}` } })) });

  test('is asked for and undone for a list', async () => {
    const { port, sockets } = await serve(
      http.createServer((request, response) => {
        expect(request.headers['accept-encoding']).toBe('gzip');
        response.writeHead(200, { 'Content-Encoding': 'gzip' }).end(gzipSync(list));
      }),
    );
    const transport = transportTo(`http://127.0.0.1:${port}`);
    for (let i = 0; i < 2; i++) expect(JSON.stringify(await (await get(transport)).json())).toBe(list);
    expect(sockets).toHaveLength(1);
  });

  test('is not asked for by a watch', async () => {
    const { port } = await serve(
      http.createServer((request, response) =>
        response.end(JSON.stringify(request.headers['accept-encoding'] ?? null)),
      ),
    );
    expect(await (await watch(transportTo(`http://127.0.0.1:${port}`))).json()).toBeNull();
  });

  test.each([
    ['that breaks off', gzipSync(list).subarray(0, -20)],
    ['that is none', Buffer.from(list)],
  ])('%s is an interruption', async (_name, body) => {
    const { port } = await serve(
      http.createServer((_request, response) => response.writeHead(200, { 'Content-Encoding': 'gzip' }).end(body)),
    );
    const response = await get(transportTo(`http://127.0.0.1:${port}`));
    expect(await problemOf(response.json())).toMatchObject({ kind: 'interrupted' });
  });

  test('of an error is undone as well', async () => {
    const body = gzipSync(JSON.stringify({ kind: 'Status', reason: 'Forbidden', message: 'no' }));
    const { port } = await serve(
      http.createServer((_request, response) => response.writeHead(403, { 'Content-Encoding': 'gzip' }).end(body)),
    );
    expect(await problemOf(get(transportTo(`http://127.0.0.1:${port}`)))).toMatchObject({ status: 403, message: 'no' });
  });

  test('stops with the signal', async () => {
    const { port, sockets } = await serve(
      http.createServer((_request, response) =>
        response.writeHead(200, { 'Content-Encoding': 'gzip' }).write(gzipSync(list).subarray(0, 100)),
      ),
    );
    const controller = new AbortController();
    const response = await get(transportTo(`http://127.0.0.1:${port}`), '/x', controller.signal);
    const closed = once(sockets[0] as Socket, 'close');
    const pending = problemOf(response.json());
    controller.abort();
    expect(await pending).toMatchObject({ kind: 'interrupted', message: 'aborted' });
    await closed;
  });
});

describe('401', () => {
  /** A server that knows one token, and credentials that have another one until they are renewed. */
  async function scene(renewed: string) {
    const tokens: unknown[] = [];
    const connections = new Set<unknown>();
    const { port } = await serve(
      http.createServer((request, response) => {
        tokens.push(request.headers.authorization);
        connections.add(request.socket);
        const known = request.headers.authorization === 'Bearer new';
        response.writeHead(known ? 200 : 401).end('{}');
      }),
    );
    const renewals: boolean[] = [];
    const authorize = async ({ renew }: { renew: boolean }): Promise<RequestAuth> => {
      renewals.push(renew);
      return { headers: { Authorization: `Bearer ${renew ? renewed : 'old'}` }, tls: {} };
    };
    return { transport: transportTo(`http://127.0.0.1:${port}`, { authorize }), renewals, tokens, connections };
  }

  test('renews the credentials and asks once more, over the same connection', async () => {
    const { transport, renewals, tokens, connections } = await scene('new');
    expect((await get(transport)).status).toBe(200);
    expect(renewals).toEqual([false, true]);
    expect(tokens).toEqual(['Bearer old', 'Bearer new']);
    expect(connections.size).toBe(1);
  });

  test('with a body that does not end is given up by the limit', async () => {
    const { port } = await serve(http.createServer((_, response) => void response.writeHead(401).write('x')));
    const transport = transportTo(`http://127.0.0.1:${port}`, { authorize: async () => ({ headers: {}, tls: {} }) });
    const problem = await problemOf(get(transport, '/x', GO_ON, 200));
    expect(problem).toMatchObject({ kind: 'unreachable', code: 'ETIMEDOUT' });
  });

  test('twice is a problem', async () => {
    const { transport, renewals } = await scene('unknown');
    expect(await problemOf(get(transport))).toMatchObject({ kind: 'status', status: 401, reason: 'Unauthorized' });
    expect(renewals).toEqual([false, true]);
  });

  test('credentials that cannot be had are the problem itself', async () => {
    const problem: Problem = { kind: 'unreachable', message: 'the token is gone' };
    const authorize = async (): Promise<RequestAuth> => {
      throw new TransportError(problem);
    };
    expect(await problemOf(get(transportTo('http://127.0.0.1:1', { authorize })))).toEqual(problem);
  });
});

describe('a proxy', () => {
  test('is asked for a tunnel, which is kept', async () => {
    const { port } = await serve(https.createServer(certificates.server, (_request, response) => response.end('{}')));
    const proxy = await tunnel(port);
    const transport = transportTo(`https://127.0.0.1:${port}`, {
      tls: { ca: certificates.ca },
      proxyUrl: `http://user:p%40ss@127.0.0.1:${proxy.port}`,
    });
    for (let i = 0; i < 3; i++) await (await get(transport)).json();
    const auth = `Basic ${Buffer.from('user:p@ss').toString('base64')}`;
    expect(proxy.asked).toEqual([{ url: `127.0.0.1:${port}`, auth }]);
  });

  test.each(['http', 'socks5', undefined])('TCP keep-alive is on: by way of %s', async (scheme) => {
    const server = https.createServer(certificates.server, (_request, response) => response.write('{'));
    const { port } = await serve(server);
    const { port: proxyPort } = scheme === 'http' ? await tunnel(port) : await socks(port);
    const way = scheme === undefined ? {} : { proxyUrl: `${scheme}://127.0.0.1:${proxyPort}` };
    await watch(transportTo(`https://127.0.0.1:${port}`, { tls: { ca: certificates.ca }, ...way }));
    await expect.poll(() => keepsAlive(scheme === undefined ? port : proxyPort)).toEqual([true]);
  });

  describe('for SOCKS', () => {
    const answering = () => serve(https.createServer(certificates.server, (_request, response) => response.end('{}')));

    test.each(['socks5', 'socks5h'])('%s: looks up the name itself, and its connection is kept', async (scheme) => {
      const { port, sockets } = await answering();
      const proxy = await socks(port);
      const transport = transportTo('https://api.test', {
        tls: { ca: certificates.ca },
        proxyUrl: `${scheme}://127.0.0.1:${proxy.port}`,
      });
      for (let i = 0; i < 3; i++) await (await get(transport)).json();
      expect([proxy.asked, sockets.length]).toEqual([['api.test'], 1]);
    });

    test('two requests at once share its agent', async () => {
      const { port } = await answering();
      const proxy = await socks(port);
      const transport = transportTo('https://api.test', {
        tls: { ca: certificates.ca },
        proxyUrl: `socks5://127.0.0.1:${proxy.port}`,
      });
      const two = () => Promise.all([get(transport), get(transport)].map(async (one) => (await one).json()));
      await two();
      await two();
      expect(proxy.asked).toHaveLength(2);
    });

    test('takes the user and password of its address', async () => {
      const { port } = await answering();
      const proxy = await socks(port, 'me:p@ss');
      const transport = (login: string): Transport =>
        transportTo('https://api.test', {
          tls: { ca: certificates.ca },
          proxyUrl: `socks5://${login}@127.0.0.1:${proxy.port}`,
        });
      expect(await (await get(transport('me:p%40ss'))).json()).toEqual({});
      const problem = await problemOf(get(transport('me:s3cret')));
      expect(problem).toMatchObject({ kind: 'unreachable', message: expect.stringContaining('Authentication') });
      expect(problem.message).not.toContain('s3cret');
    });

    test.each<[string, string, RequestAuth['tls'], object]>([
      ['has a certificate of an authority that is not ours', 'api.test', {}, { kind: 'untrusted' }],
      [
        'has a certificate for another address',
        '10.96.0.1',
        { ca: certificates.ca },
        { kind: 'untrusted', code: 'ERR_TLS_CERT_ALTNAME_INVALID' },
      ],
      ['has a certificate for another name', 'other.test', { ca: certificates.ca }, { kind: 'untrusted' }],
    ])('a server behind it that %s is refused', async (_, host, tls, expected) => {
      const { port } = await answering();
      const proxy = await socks(port);
      const transport = transportTo(`https://${host}`, { tls, proxyUrl: `socks5://127.0.0.1:${proxy.port}` });
      expect(await problemOf(get(transport))).toMatchObject(expected);
    });

    test('a server behind it under its address, or the one to expect', async () => {
      const { port } = await answering();
      const proxy = await socks(port);
      const proxyUrl = `socks5://127.0.0.1:${proxy.port}`;
      for (const [server, tls] of [
        ['https://127.0.0.1', { ca: certificates.ca }],
        ['https://10.96.0.1', { ca: certificates.ca, servername: '127.0.0.1' }],
      ] as const) {
        expect(await (await get(transportTo(server, { tls, proxyUrl }))).json()).toEqual({});
      }
    });

    test('a server behind it without TLS', async () => {
      const { port } = await serve(http.createServer((request, response) => response.end(request.url)));
      const proxy = await socks(port);
      const transport = transportTo('http://api.test:8080', { proxyUrl: `socks5://127.0.0.1:${proxy.port}` });
      expect(await (await get(transport)).text()).toBe('/x');
    });

    test('that is not there', async () => {
      const problem = await problemOf(get(transportTo('https://api.test', { proxyUrl: 'socks5://127.0.0.1:1' })));
      expect(problem).toMatchObject({ kind: 'unreachable', message: expect.stringContaining('ECONNREFUSED') });
    });

    test('a server behind it that never completes TLS does not outlast the limit', async () => {
      const { port } = await serve(net.createServer());
      const proxy = await socks(port);
      const transport = transportTo('https://api.test', { proxyUrl: `socks5://127.0.0.1:${proxy.port}` });
      expect(await problemOf(get(transport, '/x', GO_ON, 50))).toMatchObject({ code: 'ETIMEDOUT' });
    });
  });

  test('for http is given the whole URL', async () => {
    const { port } = await serve(http.createServer((request, response) => response.end(request.url)));
    const transport = transportTo('http://api.invalid:8080', { proxyUrl: `http://127.0.0.1:${port}` });
    expect(await (await get(transport)).text()).toBe('http://api.invalid:8080/x');
  });

  test('the server behind it may be expected under an address', async () => {
    const { port } = await serve(https.createServer(certificates.server, (_request, response) => response.end('{}')));
    const proxy = await tunnel(port);
    const transport = transportTo('https://10.96.0.1', {
      tls: { ca: certificates.ca, servername: '127.0.0.1' },
      proxyUrl: `http://127.0.0.1:${proxy.port}`,
    });
    expect(await (await get(transport)).json()).toEqual({});
  });

  test('the server behind it must be trusted all the same', async () => {
    const { port } = await serve(https.createServer(certificates.server, (_request, response) => response.end('{}')));
    const proxy = await tunnel(port);
    const transport = transportTo(`https://127.0.0.1:${port}`, { proxyUrl: `http://127.0.0.1:${proxy.port}` });
    expect(await problemOf(get(transport))).toMatchObject({ kind: 'untrusted' });
  });

  test('that refuses makes the server unreachable, and its password is not told', async () => {
    const proxy = http.createServer();
    proxy.on('connect', (_request, socket) => socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n'));
    const { port } = await serve(proxy);
    const transport = transportTo('https://10.96.0.1', { proxyUrl: `http://user:s3cret@127.0.0.1:${port}` });
    const problem = await problemOf(get(transport));
    expect(problem).toMatchObject({
      kind: 'unreachable',
      code: 'ERR_PROXY_TUNNEL',
      message: expect.stringContaining('407'),
    });
    expect(JSON.stringify(problem)).not.toContain('s3cret');
  });

  test('that is not there', async () => {
    const problem = await problemOf(get(transportTo('https://10.96.0.1', { proxyUrl: 'http://127.0.0.1:1' })));
    expect(problem).toMatchObject({ kind: 'unreachable', code: 'ECONNREFUSED' });
  });

  test('that never answers does not outlast the limit', async () => {
    const { port } = await serve(http.createServer().on('connect', () => {}));
    const transport = transportTo('https://10.96.0.1', { proxyUrl: `http://127.0.0.1:${port}` });
    expect(await problemOf(get(transport, '/x', GO_ON, 50))).toMatchObject({ kind: 'unreachable', code: 'ETIMEDOUT' });
  });

  test('of the environment is not looked at', async () => {
    vi.stubEnv('HTTP_PROXY', 'http://127.0.0.1:1');
    vi.stubEnv('NODE_USE_ENV_PROXY', '1');
    onTestFinished(() => void vi.unstubAllEnvs());
    const { port } = await serve(http.createServer((_request, response) => response.end('{}')));
    expect(await (await get(transportTo(`http://127.0.0.1:${port}`))).json()).toEqual({});
  });
});
