/** How a run ends that no verdict ends: by its timeout, by a signal, by a server that is not there, by a bug. */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, type TestContext } from 'vitest';
import {
  api,
  cluster,
  endPod,
  type Json,
  job,
  pod,
  type Run,
  test,
  tokenKubeconfig,
  untilAnswered,
} from '../harness/index.ts';

type Cleanup = TestContext['onTestFinished'];

/** Listens on loopback until the test is over; gives the port. */
async function listen(server: Server, onTestFinished: Cleanup): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** A port on loopback on which nobody listens. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** A kubeconfig of the administrator with other settings for the cluster. */
function kubeconfigWith(name: string, settings: object): string {
  const file = join(cluster().coordinates.dir, `kubeconfig-${name}`);
  const config = JSON.parse(tokenKubeconfig('')) as Json;
  const { server, 'certificate-authority': ca } = config.clusters[0].cluster;
  const { cert, key } = cluster().coordinates.admin;
  const encoded = (text: string): string => Buffer.from(text).toString('base64');
  config.clusters[0].cluster = { server, 'certificate-authority': ca, ...settings };
  config.users[0].user = { 'client-certificate-data': encoded(cert), 'client-key-data': encoded(key) };
  writeFileSync(file, JSON.stringify(config), { mode: 0o600 });
  return file;
}

describe.concurrent('--timeout', () => {
  test('ends a wait for a Job that runs with 124, and says what is lacking', async ({ ns, kubeAwait, expect }) => {
    const target = job({ namespace: ns, name: 'x', completions: 3, parallelism: 2, exitCode: 'ask' });
    await api.create(target);
    await api.until(target, (found) => found?.status.active === 2);
    const { code, stdout } = await untilAnswered(() => kubeAwait(['job/x', '--timeout=2s']));
    expect({ code, stdout }).toEqual({ code: 124, stdout: 'job/x not reached after 2s: 0/3 succeeded, 2 active\n' });
  });

  test('KUBE_AWAIT_TIMEOUT does too, and the command line wins', async ({ kubeAwait, expect }) => {
    const env = { KUBE_AWAIT_TIMEOUT: '1s' };
    const set = await kubeAwait(['job/x'], { env }).exit;
    const overruled = await kubeAwait(['job/x', '--timeout=2s'], { env }).exit;
    expect([set.code, overruled.code]).toEqual([124, 124]);
    expect(set.stdout).toContain('after 1s');
    expect(overruled.stdout).toContain('after 2s');
  });

  test('is ten minutes, where none is given', async ({ kubeAwait, expect }) => {
    const { text } = await kubeAwait(['job/x', '--heartbeat=1s']).line(/^still waiting.*not exist/);
    expect(text).toMatch(/^still waiting after \d+s, 9m\d+s left: job\/x \(does not exist yet\)$/);
  });

  for (const args of [['--timeout=-1s'], ['--timeout', '-1s']]) {
    test(`${args.join(' ')} is for ever`, async ({ kubeAwait, expect }) => {
      const { text } = await kubeAwait(['job/x', ...args, '--heartbeat=1s']).line(/^still waiting.*not exist/);
      expect(text).toMatch(/^still waiting after \d+s: job\/x \(does not exist yet\)$/);
    });
  }

  test('wins over every grace', async ({ kubeAwait, expect }) => {
    const args = ['job/x', '--timeout=1s', '--on-missing=succeed', '--missing-grace=60s'];
    const { code } = await kubeAwait(args).exit;
    expect(code).toBe(124);
  });

  test('does not lose what was reached before', async ({ ns, kubeAwait, expect }) => {
    const done = pod({ namespace: ns, name: 'done', exitCode: 0 });
    await api.create(done);
    await api.until(done, (found) => found?.status.phase === 'Succeeded');
    const { code, stdout } = await untilAnswered(() => kubeAwait(['pod/done', 'job/late', '--timeout=4s']));
    expect({ code, stdout }).toEqual({
      code: 124,
      stdout: 'pod/done reached: Succeeded\njob/late not reached after 4s: does not exist yet\n',
    });
  });
});

describe.concurrent('an API server that is not there', () => {
  test('that refuses connections: 124 with why', async ({ bare, expect }) => {
    const port = await closedPort();
    const args = ['job/x', '--timeout=2s', '--server', `https://127.0.0.1:${port}`];
    const { code, stdout, stderr } = await bare(args).exit;
    const why = `connect ECONNREFUSED 127.0.0.1:${port}`;
    expect(code).toBe(124);
    expect(stdout).toBe(`job/x not reached after 2s: the API server never answered: ${why}\n`);
    // Told once, however often it was tried.
    expect(stderr).toBe(`job/x: ${why}; retrying\n`);
  });

  test('that takes connections and says nothing: 124 with why', async ({ bare, onTestFinished, expect }) => {
    const port = await listen(createServer(), onTestFinished);
    const args = ['job/x', '--timeout=3s', '--request-timeout=1s', '--server', `https://127.0.0.1:${port}`];
    const { code, stdout } = await bare(args).exit;
    expect(code).toBe(124);
    expect(stdout).toMatch(
      /^job\/x not reached after 3s: the API server never answered: no complete answer within 1 s\n$/,
    );
  });

  test('under --timeout=0: 124 after one attempt', async ({ bare, expect }) => {
    const port = await closedPort();
    const args = ['job/x', '--timeout=0', '--server', `https://127.0.0.1:${port}`];
    const { code, stdout } = await bare(args).exit;
    expect({ code, stdout }).toEqual({
      code: 124,
      stdout: `job/x not reached: the API server never answered: connect ECONNREFUSED 127.0.0.1:${port}\n`,
    });
  });

  test('whose name is unknown: 124 with why', async ({ bare, expect }) => {
    const args = ['job/x', '--timeout=0', '--server=https://nowhere.invalid:6443'];
    const { code, stdout } = await bare(args).exit;
    expect(code).toBe(124);
    expect(stdout).toMatch(/^job\/x not reached: the API server never answered: .*nowhere\.invalid.*\n$/);
  });

  test('that comes up later is found', async ({ ns, bare, onTestFinished, expect }) => {
    await api.create(job({ namespace: ns, name: 'x' }));
    const port = await closedPort();
    const kubeconfig = kubeconfigWith(ns, { server: `https://127.0.0.1:${port}` });
    const run = bare(['job/x', '-n', ns], { kubeconfig });
    await run.line(/ECONNREFUSED.*; retrying$/);
    const real = new URL(cluster().server);
    const forward = createServer((socket) => {
      const upstream = connect(Number(real.port), real.hostname);
      upstream.on('error', () => socket.destroy());
      socket.pipe(upstream).pipe(socket);
    });
    forward.listen(port, '127.0.0.1');
    onTestFinished(() => void forward.close());
    await run.line(/^job\/x: the API server answers again$/);
    const { code } = await run.exit;
    expect(code).toBe(0);
  });
});

describe.concurrent('a signal ends it', () => {
  const signals = [
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const;

  /** What it may be doing when the signal comes. */
  const states: Readonly<Record<string, (start: (args: readonly string[]) => Run, cleanup: Cleanup) => Promise<Run>>> =
    {
      'while it watches': async (start) => {
        const run = start(['job/x', '--timeout=-1s', '--heartbeat=1s']);
        await run.line(/^still waiting/);
        return run;
      },
      'while it waits for a server that never answers': async (start, cleanup) => {
        const server = createServer();
        const port = await listen(server, cleanup);
        const connected = once(server, 'connection');
        const run = start(['job/x', '--server', `https://127.0.0.1:${port}`]);
        await connected;
        return run;
      },
      'while it waits for the answer to a request': async (start, cleanup) => {
        const server = createHttpServer();
        const port = await listen(server, cleanup);
        const asked = once(server, 'request');
        const run = start(['job/x', '--server', `http://127.0.0.1:${port}`]);
        await asked;
        return run;
      },
      'while it pauses before the next attempt': async (start) => {
        const run = start(['job/x', '--server', `https://127.0.0.1:${await closedPort()}`]);
        await run.line(/ECONNREFUSED.*; retrying$/);
        return run;
      },
    };

  for (const [when, begin] of Object.entries(states)) {
    for (const [signal, code] of signals) {
      test(`${signal} ${when}: ${code}`, async ({ bare, onTestFinished, expect }) => {
        const run = await begin(bare, onTestFinished);
        run.kill(signal);
        const ended = await run.exit;
        expect({ code: ended.code, signal: ended.signal, stdout: ended.stdout }).toEqual({
          code,
          signal: null,
          stdout: '',
        });
        expect(ended.stderr).toContain(`kube-await: ended by ${signal}\n`);
      });
    }
  }
});

describe.concurrent('a bug ends it with 70 and one line that says where to report it', () => {
  const report = /^kube-await: internal error, please report it at https:\/\/\S+: .*$/m;

  test('an error that nobody caught', async ({ bare, expect }) => {
    // Thrown as soon as the program listens for such errors, in a turn of the event loop of its own.
    const script = `process.on('newListener', (name) => {
      if (name === 'uncaughtException') setImmediate(() => { throw new Error('made by a test'); });
    });`;
    const env = { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(script)}` };
    const { code, stdout, stderr } = await bare(['job/x'], { env }).exit;
    expect({ code, stdout }).toEqual({ code: 70, stdout: '' });
    expect(stderr).toMatch(report);
    expect(stderr).toContain('made by a test');
    expect(stderr.split('\n')).toHaveLength(2);
  });

  test('an event loop that ran empty', async ({ bare, expect }) => {
    // A request that is never made, and timers that keep nothing alive.
    const script = `import https from 'node:https';
      import { EventEmitter } from 'node:events';
      https.request = () => Object.assign(new EventEmitter(), { end() {}, destroy() {} });
      const { setTimeout } = globalThis;
      globalThis.setTimeout = (...all) => setTimeout(...all).unref();`;
    const env = { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(script)}` };
    const { code, stdout, stderr } = await bare(['job/x'], { env }).exit;
    expect({ code, stdout }).toEqual({ code: 70, stdout: '' });
    expect(stderr).toMatch(report);
    expect(stderr).toContain('the event loop ran empty');
  });
});

describe.concurrent('through a proxy', () => {
  interface Proxy {
    readonly url: string;
    /** The addresses that it was asked for. */
    readonly asked: readonly string[];
    readonly credentials: readonly (string | undefined)[];
  }

  /** A proxy that leads every CONNECT to the real API server, whatever its name. */
  async function proxy(onTestFinished: Cleanup): Promise<Proxy> {
    const asked: string[] = [];
    const credentials: (string | undefined)[] = [];
    const real = new URL(cluster().server);
    const server = createHttpServer((_, response) => response.writeHead(500).end());
    server.on('connect', (request, socket: Socket) => {
      asked.push(request.url ?? '');
      credentials.push(request.headers['proxy-authorization']);
      const upstream = connect(Number(real.port), real.hostname, () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        socket.pipe(upstream).pipe(socket);
      });
      upstream.on('error', () => socket.destroy());
      socket.on('close', () => upstream.destroy());
    });
    return { url: `http://127.0.0.1:${await listen(server, onTestFinished)}`, asked, credentials };
  }

  /** Under an address at which nobody is: only the proxy knows the way. */
  const elsewhere = { server: 'https://192.0.2.1:6443', 'tls-server-name': 'localhost' };
  const named = { server: 'https://api.cluster.invalid:6443', 'tls-server-name': 'localhost' };

  for (const variable of ['HTTPS_PROXY', 'https_proxy']) {
    test(`of ${variable}, list and watch over one tunnel each at most`, async ({
      ns,
      bare,
      exitCodes,
      onTestFinished,
      expect,
    }) => {
      const { url, asked } = await proxy(onTestFinished);
      const target = job({ namespace: ns, name: 'x', exitCode: 'ask' });
      await api.create(target);
      const kubeconfig = kubeconfigWith(ns, elsewhere);
      const run = bare(['job/x', '-n', ns], { kubeconfig, env: { [variable]: url } });
      await run.line(/^job\/x: 0\/1 succeeded, 1 active$/);
      exitCodes(target, [0]);
      const { code } = await run.exit;
      expect(code).toBe(0);
      expect(new Set(asked)).toEqual(new Set(['192.0.2.1:6443']));
      expect(asked.length).toBeLessThanOrEqual(2);
    });
  }

  test('with a user and a password', async ({ ns, bare, onTestFinished, expect }) => {
    const { url, credentials } = await proxy(onTestFinished);
    const env = { HTTPS_PROXY: url.replace('//', '//me:s%20cret@') };
    const kubeconfig = kubeconfigWith(ns, elsewhere);
    const { code, stdout, stderr } = await bare(['job/x', '--timeout=0', '-n', ns], { kubeconfig, env }).exit;
    expect({ code, stdout }).toEqual({ code: 124, stdout: 'job/x not reached: does not exist yet\n' });
    expect(credentials[0]).toBe(`Basic ${Buffer.from('me:s cret').toString('base64')}`);
    expect(stdout + stderr).not.toContain('cret');
  });

  test('to a server whose certificate is for an IP address', async ({ ns, bare, onTestFinished, expect }) => {
    const { url } = await proxy(onTestFinished);
    const env = { HTTPS_PROXY: url };
    const right = kubeconfigWith(`${ns}-right`, { ...elsewhere, 'tls-server-name': '127.0.0.1' });
    const wrong = kubeconfigWith(`${ns}-wrong`, { ...elsewhere, 'tls-server-name': '127.0.0.2' });
    const trusted = await bare(['job/x', '--timeout=0', '-n', ns], { kubeconfig: right, env }).exit;
    const refused = await bare(['job/x', '--timeout=0', '-n', ns], { kubeconfig: wrong, env }).exit;
    expect([trusted.code, refused.code]).toEqual([124, 3]);
    expect(trusted.stdout).toBe('job/x not reached: does not exist yet\n');
    expect(refused.stderr).toContain('cannot be trusted');
  });

  test('of the kubeconfig, its proxy-url', async ({ ns, bare, onTestFinished, expect }) => {
    const { url, asked } = await proxy(onTestFinished);
    const kubeconfig = kubeconfigWith(ns, { ...elsewhere, 'proxy-url': url });
    const { stdout } = await bare(['job/x', '--timeout=0', '-n', ns], { kubeconfig }).exit;
    expect(stdout).toBe('job/x not reached: does not exist yet\n');
    expect(asked).toEqual(['192.0.2.1:6443']);
  });

  for (const [noProxy, settings] of [
    ['192.0.2.0/24', elsewhere],
    ['10.0.0.0/8, 192.0.2.1', elsewhere],
    ['cluster.invalid', named],
    ['.cluster.invalid', named],
    ['*', named],
  ] as const) {
    test(`but for NO_PROXY=${noProxy}`, async ({ ns, bare, onTestFinished, expect }) => {
      const { url, asked } = await proxy(onTestFinished);
      const env = { HTTPS_PROXY: url, NO_PROXY: noProxy };
      const kubeconfig = kubeconfigWith(ns, settings);
      const { code } = await bare(['job/x', '--timeout=1s', '-n', ns], { kubeconfig, env }).exit;
      expect({ code, asked }).toEqual({ code: 124, asked: [] });
    });
  }

  test('NO_PROXY for other addresses leaves it', async ({ ns, bare, onTestFinished, expect }) => {
    const { url, asked } = await proxy(onTestFinished);
    const env = { HTTPS_PROXY: url, NO_PROXY: '10.0.0.0/8,example.com,192.0.2.2' };
    const kubeconfig = kubeconfigWith(ns, elsewhere);
    const { stdout } = await bare(['job/x', '--timeout=0', '-n', ns], { kubeconfig, env }).exit;
    expect(stdout).toBe('job/x not reached: does not exist yet\n');
    expect(asked).toHaveLength(1);
  });

  test('that is not there: 124 with why', async ({ ns, bare, expect }) => {
    const env = { HTTPS_PROXY: `http://127.0.0.1:${await closedPort()}` };
    const kubeconfig = kubeconfigWith(ns, elsewhere);
    const { code, stdout } = await bare(['job/x', '--timeout=0', '-n', ns], { kubeconfig, env }).exit;
    expect(code).toBe(124);
    expect(stdout).toMatch(/^job\/x not reached: the API server never answered: .*ECONNREFUSED/);
  });
});

test('a watch that the server cuts is taken up again, and nothing is lost', async ({
  ns,
  bare,
  onTestFinished,
  expect,
}) => {
  const real = new URL(cluster().server);
  const tunnels = new Set<Socket>();
  const forward = createServer((socket) => {
    const upstream = connect(Number(real.port), real.hostname);
    upstream.on('error', () => socket.destroy());
    socket.on('error', () => upstream.destroy());
    tunnels.add(socket);
    socket.pipe(upstream).pipe(socket);
  });
  const port = await listen(forward, onTestFinished);
  const kubeconfig = kubeconfigWith(ns, { server: `https://127.0.0.1:${port}` });
  const task = pod({ namespace: ns, name: 'x', exitCode: 'ask' });
  await api.create(task);
  const run = bare(['pod/x', '-n', ns], { kubeconfig });
  await run.line(/^pod\/x: Running$/);
  const again = once(forward, 'connection');
  for (const tunnel of tunnels) tunnel.destroy();
  await endPod(task, 0);
  await again;
  const { code, stdout } = await run.exit;
  expect({ code, stdout }).toEqual({ code: 0, stdout: 'pod/x reached: Succeeded\n' });
});
