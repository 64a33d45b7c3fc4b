/** Trust, proxies, credential plugins, and credentials that never arrive. */
import { chmodSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe } from 'vitest';
import { api, cluster, type Json, job, test, tokenKubeconfig } from '../harness/index.ts';
import { isList, proxied, startProxy } from '../harness/proxy.ts';
import { keepsAlive } from '../harness/sockets.ts';
import { startSocksProxy } from '../harness/socks.ts';

/** A kubeconfig of the administrator, or of somebody else, with these settings of the cluster. */
function kubeconfigWith(name: string, settings: object, user?: object): string {
  const config = JSON.parse(tokenKubeconfig('')) as Json;
  const { cert, key } = cluster().coordinates.admin;
  const encoded = (text: string): string => Buffer.from(text).toString('base64');
  Object.assign(config.clusters[0].cluster, settings);
  config.users[0].user = user ?? { 'client-certificate-data': encoded(cert), 'client-key-data': encoded(key) };
  const file = join(cluster().coordinates.dir, `kubeconfig-connection-${name}`);
  writeFileSync(file, JSON.stringify(config), { mode: 0o600 });
  return file;
}

const real = (): URL => new URL(cluster().server);

test('an intermediate certificate alone is a trust anchor', async ({
  ns,
  identity,
  kubeAwait,
  onTestFinished,
  expect,
}) => {
  const proxy = await startProxy('intermediate');
  onTestFinished(() => proxy.close());
  await api.create(job({ namespace: ns, name: 'x' }));
  const kubeconfig = proxy.kubeconfig(await identity({ by: 'token' }));
  expect(await kubeAwait(['job/x', '--timeout=2m'], { kubeconfig }).exit).toMatchObject({ code: 0 });
  expect(await kubeAwait(['check', 'job/x'], { kubeconfig }).exit).toMatchObject({ code: 0 });
});

describe.concurrent('through a proxy', () => {
  /** Where only the proxy knows the way. */
  const elsewhere = { server: 'https://api.cluster.invalid:6443', 'tls-server-name': 'localhost' };

  for (const scheme of ['http', 'socks5', 'socks5h'] as const)
    test(`${scheme}: it waits, with TCP keep-alive`, async ({ ns, kubeAwait, exitCodes, onTestFinished, expect }) => {
      let proxyPort: number;
      let asked: readonly string[];
      if (scheme === 'http') {
        const sockets = new Set<Socket>();
        const hosts: string[] = [];
        asked = hosts;
        const server = createHttpServer();
        server.on('connect', (request, socket: Socket) => {
          hosts.push(request.url?.split(':')[0] ?? '');
          const onward = connect(Number(real().port), '127.0.0.1', () => {
            socket.write('HTTP/1.1 200 OK\r\n\r\n');
            onward.pipe(socket).pipe(onward);
          });
          for (const one of [socket, onward]) sockets.add(one.on('error', () => {}));
        });
        await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
        onTestFinished(() => {
          server.close();
          for (const socket of sockets) socket.destroy();
        });
        proxyPort = (server.address() as AddressInfo).port;
      } else {
        const proxy = await startSocksProxy(Number(real().port));
        onTestFinished(() => proxy.close());
        proxyPort = proxy.port;
        asked = proxy.asked;
      }
      const target = job({ namespace: ns, name: 'x', exitCode: 'ask' });
      await api.create(target);
      const kubeconfig = kubeconfigWith(ns, { ...elsewhere, 'proxy-url': `${scheme}://127.0.0.1:${proxyPort}` });
      const run = kubeAwait(['job/x', '--timeout=2m'], { kubeconfig });
      await run.line(/^job\/x: 0\/1 succeeded, 1 active$/);
      await expect.poll(() => new Set(keepsAlive(proxyPort)), { timeout: 30_000 }).toEqual(new Set([true]));
      exitCodes(target, [0]);
      expect((await run.exit).code).toBe(0);
      expect(new Set(asked)).toEqual(new Set(['api.cluster.invalid']));
    });

  test('SOCKS with a user and a password, of the environment; a wrong one is not shown', async ({
    ns,
    kubeAwait,
    onTestFinished,
    expect,
  }) => {
    const proxy = await startSocksProxy(Number(real().port), 'me:s cret');
    onTestFinished(() => proxy.close());
    const kubeconfig = kubeconfigWith(ns, elsewhere);
    const once = (login: string) =>
      kubeAwait(['job/x', '--timeout=0'], {
        kubeconfig,
        env: { HTTPS_PROXY: `socks5://${login}@127.0.0.1:${proxy.port}` },
      }).exit;
    expect(await once('me:s%20cret')).toMatchObject({ code: 124, stdout: 'job/x not reached: does not exist yet\n' });
    expect(proxy.asked).toEqual(['api.cluster.invalid']);
    const wrong = await once('me:0ther');
    expect(wrong.code).toBe(124);
    expect(wrong.stdout).toContain('the API server never answered: ');
    expect(wrong.stdout + wrong.stderr).not.toContain('0ther');
  });

  test('SOCKS: a certificate that is not that of the server is refused', async ({
    ns,
    kubeAwait,
    onTestFinished,
    expect,
  }) => {
    const proxy = await startSocksProxy(Number(real().port));
    onTestFinished(() => proxy.close());
    const proxyUrl = `socks5://127.0.0.1:${proxy.port}`;
    const settings = { server: 'https://192.0.2.1:6443', 'proxy-url': proxyUrl };
    const { code, stderr } = await kubeAwait(['job/x', '--timeout=0'], { kubeconfig: kubeconfigWith(ns, settings) })
      .exit;
    expect(code).toBe(3);
    expect(stderr).toContain('cannot be trusted');
  });
});

describe.concurrent('a 403', () => {
  test('for system:anonymous: no credentials arrived, and no rule is printed', async ({ ns, kubeAwait, expect }) => {
    const kubeconfig = kubeconfigWith(ns, {}, {});
    const text = await kubeAwait(['job/x', '--timeout=0'], { kubeconfig }).exit;
    const json = await kubeAwait(['job/x', '--timeout=0', '-o', 'json'], { kubeconfig }).exit;
    expect([text.code, json.code]).toEqual([3, 3]);
    expect(text.stderr).toMatch(
      /^refused: no credentials reached https:\/\/\S+ from user "test" of \S+: "system:anonymous" cannot list jobs\.batch "x" in namespace "\S+": 403 Forbidden$/m,
    );
    expect(text.stderr).not.toContain('to grant it');
    const [refused] = json.stdout.split('\n').filter((line) => line.includes('"event":"refused"'));
    expect(JSON.parse(refused ?? '')).not.toHaveProperty('lacking');
  });

  proxied(
    'of a mesh: its first words are shown, and no rule is printed',
    async ({ identity, proxy, kubeAwait, expect }) => {
      const kubeconfig = proxy.kubeconfig(await identity({ by: 'token' }));
      proxy.answer(isList, { status: 403, body: 'RBAC: access denied' });
      const { code, stderr } = await kubeAwait(['pod', '-l', 'app=x'], { kubeconfig }).exit;
      expect(code).toBe(3);
      expect(stderr).toMatch(
        /^refused: something in front of https:\/\/\S+ refuses to list pods in namespace "\S+": 403 Forbidden: RBAC: access denied$/m,
      );
      expect(stderr).not.toContain('to grant it');
      // Who we are was not asked either: it has nothing to do with it.
      expect(proxy.seen.filter(({ method }) => method === 'POST')).toEqual([]);
    },
  );
});

describe.concurrent('a credential plugin', () => {
  /** A kubeconfig whose user is a shell script. */
  function withPlugin(name: string, script: string): string {
    const file = join(cluster().coordinates.dir, `plugin-${name}`);
    writeFileSync(file, `#!/bin/sh\n${script}\n`);
    chmodSync(file, 0o755);
    const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: file, interactiveMode: 'Never' };
    return kubeconfigWith(`plugin-${name}`, {}, { exec });
  }

  const FAILS = `printf 'Traceback:\\n  at line 1\\nSSO session \\033[1mexpired\\n\\n' >&2; exit 7`;
  const said = /SSO session \\e\[1mexpired/g;

  test('that fails, and says why: 3 after five seconds, and its last line once', async ({ ns, kubeAwait, expect }) => {
    const kubeconfig = withPlugin(ns, FAILS);
    for (const args of [
      ['job/x', 'pod/y'],
      ['job/x', '-q'],
      ['job/x', '--on-missing=succeed', '--timeout=8s'],
    ]) {
      const { code, stdout, stderr, durationMs } = await kubeAwait(args, { kubeconfig }).exit;
      expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
      expect(stderr).toMatch(
        /^refused: user "test": the credential plugin ".*" failed with exit code 7: SSO session /m,
      );
      expect(stderr.match(said)).toHaveLength(1);
      expect(stderr).not.toContain('Traceback');
      expect(durationMs).toBeGreaterThan(5_000);
    }
    const once = await kubeAwait(['job/x', '--timeout=0'], { kubeconfig }).exit;
    expect(once.code).toBe(3);
    const check = await kubeAwait(['check', 'job/x'], { kubeconfig }).exit;
    expect(check.code).toBe(3);
    expect(check.stderr.match(said)).toHaveLength(1);
  });

  test('that fails later is retried', async ({ ns, kubeAwait, exitCodes, expect }) => {
    const target = job({ namespace: ns, name: 'x', exitCode: 'ask' });
    await api.create(target);
    await api.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'p', namespace: ns } });
    const role = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' };
    await api.create({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: { name: 'p', namespace: ns },
      roleRef: role,
      subjects: [{ kind: 'ServiceAccount', name: 'p', namespace: ns }],
    } as never);
    const status = { token: await cluster().token(ns, 'p'), expirationTimestamp: '2001-01-01T00:00:00Z' };
    const answer = JSON.stringify({ apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status });
    // The first run answers, the next ones fail for longer than five seconds.
    const since = `"$0.since"`;
    const script = `[ -e ${since} ] || { date +%s > ${since}; echo '${answer}'; exit; }
[ $(($(date +%s) - $(cat ${since}))) -ge 8 ] || { echo 'network is down' >&2; exit 1; }
echo '${answer}'`;
    const run = kubeAwait(['job/x', '--timeout=2m'], { kubeconfig: withPlugin(ns, script) });
    await run.line(
      /^job\/x: user "test": the credential plugin ".*" failed with exit code 1: network is down; retrying$/,
    );
    await run.line(/^job\/x: the API server answers again$/);
    exitCodes(target, [0]);
    const { code, stderr } = await run.exit;
    expect(code).toBe(0);
    expect(stderr.match(/network is down/g)).toHaveLength(1);
  });
});
