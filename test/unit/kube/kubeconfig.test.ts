import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { ConfigurationError } from '../../../src/kube/configuration-error.ts';
import type { Connection, RequestAuth } from '../../../src/kube/connection.ts';
import { connectWithKubeconfig } from '../../../src/kube/kubeconfig.ts';
import type { ConnectionOptions, Environment } from '../../../src/kube/options.ts';
import { makeCertificates } from './certificates.ts';

const certificates = makeCertificates();

interface Given {
  readonly cluster?: object;
  readonly user?: object;
  readonly context?: object;
  readonly options?: Partial<ConnectionOptions>;
  readonly env?: Environment;
}

function folder(files: Readonly<Record<string, string>> = {}): string {
  const dir = mkdtempSync(path.join(tmpdir(), 'kube-await-kubeconfig-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(dir, name)), { recursive: true });
    writeFileSync(path.join(dir, name), content);
  }
  return dir;
}

/** A kubeconfig of one context, in a folder with the given files. JSON is YAML. */
function configure(given: Given = {}, dir = folder()): Connection {
  const { cluster = {}, user = {}, context = {}, options = {}, env = {} } = given;
  const file = path.join(dir, 'config');
  const config = {
    'current-context': 'ctx',
    clusters: [{ name: 'c', cluster: { server: 'https://api:6443', ...cluster } }],
    users: [{ name: 'u', user }],
    contexts: [{ name: 'ctx', context: { cluster: 'c', user: 'u', ...context } }],
  };
  writeFileSync(file, JSON.stringify(config));
  return load([file], options, env);
}

function load(files: readonly string[], options: Partial<ConnectionOptions> = {}, env: Environment = {}): Connection {
  const connection = connectWithKubeconfig({
    files,
    options: { requestTimeoutMs: 1, ...options },
    env,
    fallbackNamespace: 'fallback',
  });
  if (connection === undefined) throw new Error('no connection');
  return connection;
}

function authorized(given: Given, dir?: string): Promise<RequestAuth> {
  return configure(given, dir).authorize({ renew: false });
}

function refusal(make: () => unknown): string {
  try {
    make();
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    expect(error.message).not.toContain('\n');
    return error.message;
  }
  return expect.fail('expected a ConfigurationError');
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

describe('the context', () => {
  const file = (): string =>
    path.join(
      folder({
        config: `
current-context: one
clusters:
- {name: c1, cluster: {server: 'https://one'}}
- {name: c2, cluster: {server: 'https://two/k8s/clusters/x/'}}
users: []
contexts:
- {name: one, context: {cluster: c1}}
- {name: two, context: {cluster: c2, namespace: ns2}}
- {name: no-cluster, context: {}}
- {name: empty}
- {name: lost-cluster, context: {cluster: gone}}
- {name: lost-user, context: {cluster: c1, user: gone}}
`,
      }),
      'config',
    );

  test('is the current one', () => {
    expect(load([file()])).toMatchObject({ source: 'kubeconfig', namespace: 'fallback' });
    expect(load([file()]).server.href).toBe('https://one/');
  });

  test('or the one that is asked for', () => {
    const connection = load([file()], { context: 'two' });
    expect(connection.namespace).toBe('ns2');
    expect(connection.server.href).toBe('https://two/k8s/clusters/x/');
  });

  test('without a user is nobody', async () => {
    expect(await load([file()]).authorize({ renew: false })).toEqual({ headers: {}, tls: {} });
  });

  test.each([
    ['three', /there is no context "three"; it has one, two, no-cluster, empty, lost-cluster, lost-user$/],
    ['no-cluster', /context "no-cluster" names no cluster$/],
    ['empty', /context "empty" names no cluster$/],
    ['lost-cluster', /there is no cluster "gone"; it has c1, c2$/],
    ['lost-user', /there is no user "gone"; it has no users$/],
  ])('%s is refused', (context, expected) => {
    expect(refusal(() => load([file()], { context }))).toMatch(expected);
  });
});

describe('several files', () => {
  test('of two entries with one name the first file’s counts, and the first current context', () => {
    const dir = folder({
      a: 'clusters: [{name: c, cluster: {server: "https://a"}}]\ncontexts: []\n',
      b: `
current-context: b
clusters: [{name: c, cluster: {server: "https://b", tls-server-name: not-merged}}]
contexts: [{name: b, context: {cluster: c, namespace: from-b}}]
`,
      c: 'current-context: c\ncontexts: [{name: b, context: {cluster: c, namespace: from-c}}]\n',
    });
    const connection = load(['a', 'b', 'c'].map((name) => path.join(dir, name)));
    expect(connection.server.href).toBe('https://a/');
    expect(connection.namespace).toBe('from-b');
  });

  test('paths are relative to the file that they are in', async () => {
    const dir = folder({
      'a/config': 'clusters: [{name: c, cluster: {server: "https://a", certificate-authority: ca.crt}}]',
      'a/ca.crt': certificates.ca,
      'b/config': `
current-context: x
users: [{name: u, user: {client-certificate: ../keys/u.crt, client-key: ../keys/u.key}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
`,
      'keys/u.crt': certificates.client.cert,
      'keys/u.key': certificates.client.key,
    });
    const connection = load([path.join(dir, 'a/config'), path.join(dir, 'b/config')]);
    expect(connection.caFile).toBe(path.join(dir, 'a/ca.crt'));
    const { tls } = await connection.authorize({ renew: false });
    expect(tls.ca?.toString()).toBe(certificates.ca);
    expect(tls.cert?.toString()).toBe(certificates.client.cert);
    expect(tls.key?.toString()).toBe(certificates.client.key);
  });
});

describe('a file that is broken', () => {
  test.each([
    ['not YAML', 'users:\n- name: a\n  user: {token: [s3cret\nx: y', /is not YAML \(line 4\)$/],
    ['a list', '- s3cret', /is not a kubeconfig$/],
    ['a text', 's3cret', /is not a kubeconfig$/],
    ['a manifest', 'kind: Secret\nstringData: {a: s3cret}', /is not a kubeconfig$/],
  ])('%s', (_name, content, expected) => {
    const message = refusal(() => load([path.join(folder({ config: content }), 'config')]));
    expect(message).toMatch(expected);
    expect(message).not.toContain('s3cret');
  });

  test('a folder', () => {
    expect(refusal(() => load([folder()]))).toMatch(/is a folder$/);
  });

  test.skipIf(process.getuid?.() === 0)('of another user', () => {
    const file = path.join(folder({ config: '' }), 'config');
    chmodSync(file, 0o000);
    expect(refusal(() => load([file]))).toMatch(/may not be read by this user \(EACCES\)$/);
  });
});

describe('the cluster', () => {
  test('its certificate authority, from data or a file', async () => {
    const dir = folder({ 'ca.crt': certificates.ca });
    const data = await authorized({ cluster: { 'certificate-authority-data': base64(certificates.ca) } });
    const file = await authorized({ cluster: { 'certificate-authority': 'ca.crt' } }, dir);
    expect([data, file].map(({ tls }) => tls.ca?.toString())).toEqual([certificates.ca, certificates.ca]);
  });

  test('data wins over a file', async () => {
    const dir = folder({ 'ca.crt': '-----BEGIN CERTIFICATE-----' });
    const cluster = { 'certificate-authority': 'ca.crt', 'certificate-authority-data': base64(certificates.ca) };
    expect((await authorized({ cluster }, dir)).tls.ca?.toString()).toBe(certificates.ca);
  });

  test('its name in the certificate, but not with another server', async () => {
    const cluster = { 'tls-server-name': 'kube' };
    expect((await authorized({ cluster })).tls).toEqual({ servername: 'kube' });
    expect((await authorized({ cluster, options: { server: 'https://other' } })).tls).toEqual({});
  });

  test('no verification', async () => {
    expect((await authorized({ cluster: { 'insecure-skip-tls-verify': true } })).tls).toEqual({
      rejectUnauthorized: false,
    });
    const options = { insecureSkipTlsVerify: true };
    const cluster = { 'certificate-authority-data': base64(certificates.ca) };
    expect((await authorized({ cluster, options })).tls).toEqual({ rejectUnauthorized: false });
  });

  test('its proxy, which NO_PROXY does not touch and the environment does not replace', async () => {
    const env = { HTTPS_PROXY: 'http://env', NO_PROXY: '*' };
    expect((await authorized({ cluster: { 'proxy-url': 'http://own:1' }, env })).proxyUrl).toBe('http://own:1/');
    expect((await authorized({ env: { HTTPS_PROXY: 'http://env' } })).proxyUrl).toBe('http://env/');
    expect((await authorized({ env })).proxyUrl).toBeUndefined();
  });

  test.each([
    ['api:6443', {}, 'http://api:6443/'],
    ['api:6443', { 'insecure-skip-tls-verify': true }, 'https://api:6443/'],
    ['https://api/base/', {}, 'https://api/base/'],
    ['HTTPS://API', {}, 'https://api/'],
  ])('server %s with %j is %s', (server, more, expected) => {
    expect(configure({ cluster: { server, ...more } }).server.href).toBe(expected);
  });

  test.each<[string, object, RegExp]>([
    ['no server', { server: '' }, /^cluster "c" has no server$/],
    ['a server that is none', { server: 'ftp://x' }, /^cluster "c": "ftp:\/\/x" is not an address/],
    [
      'a file that is not there',
      { 'certificate-authority': '/missing.crt' },
      /certificate-authority of cluster "c": there is no file \/missing.crt$/,
    ],
    ['a certificate that is none', { 'certificate-authority-data': 'AAAA' }, /holds no PEM certificate$/],
    ['a SOCKS4 proxy', { 'proxy-url': 'socks4://u:s3cret@p' }, /^the proxy-url of cluster "c": expected the address/],
    [
      'verification and none',
      { 'insecure-skip-tls-verify': true, 'certificate-authority-data': 'AAAA' },
      /exclude each other/,
    ],
  ])('%s is refused', (_name, cluster, expected) => {
    const message = refusal(() => configure({ cluster }));
    expect(message).toMatch(expected);
    expect(message).not.toContain('s3cret');
  });
});

describe('the user', () => {
  test('with a token', async () => {
    expect(await authorized({ user: { token: 't\n' } })).toEqual({ headers: { Authorization: 'Bearer t' }, tls: {} });
  });

  test('with a file of a token, which is read for each request and wins', async () => {
    const dir = folder({ token: 'first\n' });
    const connection = configure({ user: { token: 'fixed', tokenFile: 'token' } }, dir);
    expect((await connection.authorize({ renew: false })).headers.Authorization).toBe('Bearer first');
    writeFileSync(path.join(dir, 'token'), 'second');
    expect((await connection.authorize({ renew: false })).headers.Authorization).toBe('Bearer second');
    rmSync(path.join(dir, 'token'));
    await expect(connection.authorize({ renew: true })).rejects.toMatchObject({ problem: { kind: 'unreachable' } });
  });

  test('with a password', async () => {
    const user = { username: 'u', password: 'p:ü' };
    expect((await authorized({ user })).headers.Authorization).toBe(`Basic ${base64('u:p:ü')}`);
  });

  test('with a client certificate from files, read for each request', async () => {
    const dir = folder({ crt: certificates.client.cert, key: certificates.client.key });
    const connection = configure({ user: { 'client-certificate': 'crt', 'client-key': 'key' } }, dir);
    writeFileSync(path.join(dir, 'crt'), certificates.server.cert);
    expect((await connection.authorize({ renew: false })).tls.cert?.toString()).toBe(certificates.server.cert);
  });

  test('with a client certificate from data, which wins over files', async () => {
    const user = {
      'client-certificate': '/missing',
      'client-key': '/missing',
      'client-certificate-data': base64(certificates.client.cert),
      'client-key-data': base64(certificates.client.key),
    };
    const { tls } = await authorized({ user });
    expect([tls.cert, tls.key].map(String)).toEqual([certificates.client.cert, certificates.client.key]);
  });

  test('as somebody else', async () => {
    const user = {
      token: 't',
      as: 'jane',
      'as-uid': '7',
      'as-groups': ['a', 'b'],
      'as-user-extra': { 'x/Y': ['1', '2'] },
    };
    expect((await authorized({ user })).headers).toEqual({
      Authorization: 'Bearer t',
      'Impersonate-User': 'jane',
      'Impersonate-Uid': '7',
      'Impersonate-Group': ['a', 'b'],
      'Impersonate-Extra-x%2FY': ['1', '2'],
    });
    expect((await authorized({ user, options: { as: 'joe' } })).headers).toEqual({
      Authorization: 'Bearer t',
      'Impersonate-User': 'joe',
    });
  });

  test('--token wins over all of it but a client certificate, as in kubectl', async () => {
    const user = {
      tokenFile: '/missing',
      username: 'u',
      exec: { command: '/missing' },
      'client-certificate-data': base64(certificates.client.cert),
      'client-key-data': base64(certificates.client.key),
    };
    const { headers, tls } = await authorized({ user, options: { token: 'flag' } });
    expect(headers).toEqual({ Authorization: 'Bearer flag' });
    expect(String(tls.cert)).toBe(certificates.client.cert);
  });

  test('sends nothing over http', async () => {
    const cluster = { server: 'http://127.0.0.1:8001' };
    expect(await authorized({ cluster, user: { token: 't', as: 'jane' } })).toEqual({
      headers: { 'Impersonate-User': 'jane' },
      tls: {},
    });
  });

  test.each<[string, object, RegExp]>([
    [
      'a tokenFile that is not there',
      { tokenFile: '/missing' },
      /^the tokenFile of user "u": there is no file \/missing$/,
    ],
    [
      'a certificate that is not there',
      { 'client-certificate': '/missing', 'client-key': '/missing' },
      /^the client-certificate of user "u": there is no file \/missing$/,
    ],
    ['a certificate without a key', { 'client-certificate-data': 'AAAA' }, /without its key/],
    [
      'a certificate that is none',
      { 'client-certificate-data': base64('s3cret'), 'client-key-data': base64('s3cret') },
      /certificate and key of user "u" cannot be used: ERR_OSSL_PEM_NO_START_LINE$/,
    ],
    [
      'a key that belongs to another certificate',
      {
        'client-certificate-data': base64(certificates.client.cert),
        'client-key-data': base64(certificates.server.key),
      },
      /cannot be used: ERR_OSSL_X509_KEY_VALUES_MISMATCH$/,
    ],
    ['an auth provider that nobody knows', { 'auth-provider': { name: 'openstack' } }, /got "openstack"$/],
  ])('%s is refused', (_name, user, expected) => {
    const message = refusal(() => configure({ user }));
    expect(message).toMatch(expected);
    expect(message).not.toContain('s3cret');
  });
});

describe('an OIDC provider', () => {
  function jwt(claims: object): string {
    return [{ alg: 'RS256' }, claims, 'x']
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.');
  }

  test('whose token is still good', async () => {
    const token = jwt({ exp: Date.now() / 1000 + 3_600 });
    const user = { 'auth-provider': { name: 'oidc', config: { 'id-token': token } } };
    expect((await authorized({ user })).headers.Authorization).toBe(`Bearer ${token}`);
  });

  /** An identity provider on loopback, and a user whose token has expired. */
  async function provider(answer: { status: number; body?: object }): Promise<{ user: object; asked: string[] }> {
    const asked: string[] = [];
    let issuer = '';
    const server = https.createServer(certificates.server, async (request, response) => {
      let form = '';
      for await (const chunk of request) form += chunk;
      response.setHeader('Content-Type', 'application/json');
      if (request.url === '/.well-known/openid-configuration') {
        response.end(JSON.stringify({ issuer, token_endpoint: `${issuer}/token` }));
        return;
      }
      asked.push(new URLSearchParams(form).get('refresh_token') ?? '');
      const now = Math.floor(Date.now() / 1000);
      const claims = { iss: issuer, aud: 'client', sub: 'me', iat: now, exp: now + 3_600 };
      const granted = { access_token: 'a', token_type: 'bearer', refresh_token: 'next', id_token: jwt(claims) };
      response.writeHead(answer.status).end(JSON.stringify(answer.body ?? granted));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    issuer = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const config = {
      'id-token': jwt({ exp: 1 }),
      'refresh-token': 's3cret',
      'client-id': 'client',
      'idp-issuer-url': issuer,
      'idp-certificate-authority-data': base64(certificates.ca),
    };
    return { user: { 'auth-provider': { name: 'oidc', config } }, asked };
  }

  // Stands for NODE_EXTRA_CA_CERTS, which is read only when a process starts.
  function trustAll(): void {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
    onTestFinished(() => void vi.unstubAllEnvs());
  }

  test('whose token has expired is asked for a new one, once for all requests', async () => {
    trustAll();
    const { user, asked } = await provider({ status: 200 });
    const connection = configure({ user });
    const all = await Promise.all([1, 2, 3].map(() => connection.authorize({ renew: false })));
    all.push(await connection.authorize({ renew: false }));
    const tokens = new Set(all.map(({ headers }) => String(headers.Authorization)));
    expect([...tokens]).toEqual([expect.stringMatching(/^Bearer [^.]+\.[^.]+\.[^.]+$/)]);
    expect(asked).toEqual(['s3cret']);
  });

  test.each<[string, { status: number; body?: object }, object]>([
    ['fails', { status: 500, body: { error: 's3cret' } }, { kind: 'unreachable' }],
    [
      'does not accept the refresh token',
      { status: 400, body: { error: 'invalid_grant', error_description: 's3cret' } },
      { kind: 'status', status: 401 },
    ],
  ])('that %s is told in one line, and nothing of it is shown', async (_name, answer, expected) => {
    trustAll();
    const { user } = await provider(answer);
    const error = await authorized({ user }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ problem: expected, message: expect.stringMatching(/^user "u": [^\n]*$/) });
    expect(JSON.stringify(error)).not.toContain('s3cret');
  });

  test('that cannot be trusted is told so', async () => {
    const { user } = await provider({ status: 200 });
    await expect(authorized({ user })).rejects.toMatchObject({
      problem: { kind: 'untrusted', message: expect.stringContaining('NODE_EXTRA_CA_CERTS') },
    });
  });
});

describe('a credential plugin', () => {
  const API_VERSION = 'client.authentication.k8s.io/v1';
  const ANSWER = { kind: 'ExecCredential', apiVersion: API_VERSION, status: { token: 'from-plugin' } };

  /** A plugin that counts its runs, keeps what it was told, and prints what the file `answer` holds. */
  function plugin(answer: unknown = ANSWER, more = ''): { dir: string; exec: object; runs: () => string[] } {
    const dir = folder({
      'bin/plugin': `#!/bin/sh\nprintf '%s\\n' "$KUBERNETES_EXEC_INFO|$EXTRA|$*" >> "${'$'}{0%/bin/plugin}/runs"\n${more}\ncat "${'$'}{0%/bin/plugin}/answer"\n`,
      answer: typeof answer === 'string' ? answer : JSON.stringify(answer),
      runs: '',
    });
    chmodSync(path.join(dir, 'bin/plugin'), 0o755);
    const exec = { apiVersion: API_VERSION, command: './bin/plugin', interactiveMode: 'Never' };
    return { dir, exec, runs: () => readFileSync(path.join(dir, 'runs'), 'utf8').split('\n').slice(0, -1) };
  }

  const env = { PATH: process.env.PATH };

  test('gives a token, once for all requests', async () => {
    const { dir, exec, runs } = plugin();
    const connection = configure({ user: { exec }, env }, dir);
    const all = await Promise.all([1, 2, 3].map(() => connection.authorize({ renew: false })));
    all.push(await connection.authorize({ renew: false }));
    expect(all.map(({ headers }) => headers.Authorization)).toEqual(all.map(() => 'Bearer from-plugin'));
    expect(runs()).toHaveLength(1);
  });

  test('that leaves a child in the background with its stderr open holds nothing up', async () => {
    const { dir, exec } = plugin(ANSWER, `sleep 30 > /dev/null &\necho $! > "${'$'}{0%/bin/plugin}/child"`);
    const connection = configure({ user: { exec }, env }, dir);
    const { headers } = await connection.authorize({ renew: false });
    // The child still runs: nothing waited for its end.
    process.kill(Number(readFileSync(path.join(dir, 'child'), 'utf8')));
    expect(headers.Authorization).toBe('Bearer from-plugin');
  });

  test('is told what client-go tells it', async () => {
    const { dir, exec, runs } = plugin();
    const cluster = {
      'certificate-authority-data': base64(certificates.ca),
      extensions: [{ name: 'client.authentication.k8s.io/exec', extension: { audience: 'x' } }],
    };
    const own = { ...exec, provideClusterInfo: true, args: ['get', 7], env: [{ name: 'EXTRA', value: 'more' }] };
    await configure({ cluster, user: { exec: own }, env }, dir).authorize({ renew: false });
    const [info = '', extra, args] = runs()[0]?.split('|') ?? [];
    expect([extra, args]).toEqual(['more', 'get 7']);
    expect(JSON.parse(info)).toEqual({
      kind: 'ExecCredential',
      apiVersion: API_VERSION,
      spec: {
        interactive: false,
        cluster: {
          server: 'https://api:6443',
          'certificate-authority-data': base64(certificates.ca),
          config: { audience: 'x' },
        },
      },
    });
  });

  test('is found in PATH', async () => {
    const { dir, exec } = plugin();
    const PATH = `${path.join(dir, 'bin')}:${process.env.PATH}`;
    const user = { exec: { ...exec, command: 'plugin' } };
    expect((await configure({ user, env: { PATH } }).authorize({ renew: false })).headers.Authorization).toBe(
      'Bearer from-plugin',
    );
  });

  test('gives a certificate', async () => {
    const status = { clientCertificateData: certificates.client.cert, clientKeyData: certificates.client.key };
    const { dir, exec } = plugin({ ...ANSWER, status });
    expect(await configure({ user: { exec }, env }, dir).authorize({ renew: false })).toEqual({
      headers: {},
      tls: certificates.client,
    });
  });

  test('is asked again when what it gave has expired', async () => {
    const { dir, exec, runs } = plugin({
      ...ANSWER,
      status: { token: 'old', expirationTimestamp: '2001-01-01T00:00:00Z' },
    });
    const connection = configure({ user: { exec }, env }, dir);
    for (let i = 0; i < 2; i++) await connection.authorize({ renew: false });
    expect(runs()).toHaveLength(2);
  });

  test('is not asked where something else says who we are', async () => {
    const { dir, exec, runs } = plugin();
    await configure({ user: { exec, token: 't' }, env }, dir).authorize({ renew: false });
    expect(runs()).toEqual([]);
  });

  test.each<[string, unknown, string, RegExp]>([
    ['fails', ANSWER, 'echo s3cret; exit 3', /failed with exit code 3$/],
    [
      'fails and says why',
      ANSWER,
      "printf 'Traceback\\n\\tline 1\\r\\nSSO session expired \\n\\n \\n' >&2; exit 1",
      /failed with exit code 1: SSO session expired$/,
    ],
    ['is killed and says why', ANSWER, 'echo why >&2; kill -9 $$', /was ended by SIGKILL: why$/],
    ['is killed', ANSWER, 'kill -9 $$', /was ended by SIGKILL$/],
    ['prints no JSON', 's3cret', '', /did not answer in client\.authentication\.k8s\.io\/v1$/],
    [
      'answers in another version',
      { ...ANSWER, apiVersion: 'v1', status: { token: 's3cret' } },
      '',
      /did not answer in/,
    ],
    ['gives nothing', { ...ANSWER, status: {} }, '', /gave neither a token nor a certificate with its key$/],
    ['gives half a pair', { ...ANSWER, status: { clientKeyData: 's3cret' } }, '', /gave neither/],
  ])(
    'that %s: in one line without its output, with the last line of its stderr',
    async (_name, answer, more, expected) => {
      const { dir, exec } = plugin(answer, more);
      const error = await configure({ user: { exec }, env }, dir)
        .authorize({ renew: false })
        .catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ problem: { kind: 'credentials', message: expect.stringMatching(expected) } });
      expect(error).toMatchObject({
        message: expect.stringMatching(/^user "u": the credential plugin "\.\/bin\/plugin" [^\n]*$/),
      });
      expect(JSON.stringify(error)).not.toContain('s3cret');
    },
  );

  test.each<[string, object, RegExp]>([
    [
      'is not there',
      { apiVersion: API_VERSION, command: 'no-such-plugin', installHint: '\nbrew install it\nand more' },
      /^user "u": the credential plugin "no-such-plugin" is not there: brew install it$/,
    ],
    ['has no command', { apiVersion: API_VERSION }, /exec has no command$/],
    ['has an old version', { apiVersion: 'client.authentication.k8s.io/v1alpha1', command: 'x' }, /exec\.apiVersion/],
    ['has no version', { command: 'x' }, /got ""$/],
  ])('that %s is refused', (_name, exec, expected) => {
    expect(refusal(() => configure({ user: { exec }, env }))).toMatch(expected);
  });
});
