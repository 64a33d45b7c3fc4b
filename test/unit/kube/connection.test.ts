import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { ConfigurationError } from '../../../src/kube/configuration-error.ts';
import { type Connection, connect } from '../../../src/kube/connection.ts';
import type { ConnectionOptions, Environment } from '../../../src/kube/options.ts';

const KUBECONFIG = `apiVersion: v1
kind: Config
current-context: one
clusters: [{ name: c, cluster: { server: "https://from-file:6443" } }]
users: [{ name: u, user: { token: file-token } }]
contexts: [{ name: one, context: { cluster: c, user: u } }]
`;

interface Scene {
  readonly dir: string;
  readonly serviceAccountDir: string;
  connect(options?: Partial<ConnectionOptions>, env?: Environment): Promise<Connection>;
}

/** A home folder and a service account's folder of one test's own. */
function scene(files: Readonly<Record<string, string>> = {}): Scene {
  const dir = mkdtempSync(path.join(tmpdir(), 'kube-await-connection-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(dir, name)), { recursive: true });
    writeFileSync(path.join(dir, name), content);
  }
  const serviceAccountDir = path.join(dir, 'serviceaccount');
  const homeDir = path.join(dir, 'home');
  return {
    dir,
    serviceAccountDir,
    connect: (options = {}, env = {}) =>
      connect({ requestTimeoutMs: 1, ...options }, env, { serviceAccountDir, homeDir }),
  };
}

const POD_FILES = {
  'serviceaccount/token': 'pod-token\n',
  'serviceaccount/ca.crt': '-----BEGIN CERTIFICATE-----\n',
  'serviceaccount/namespace': 'from-token\n',
};
const POD_ENV = { KUBERNETES_SERVICE_HOST: '10.96.0.1', KUBERNETES_SERVICE_PORT: '443' };

async function refusal(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => expect.fail('expected a ConfigurationError'),
    (error: unknown) => error,
  );
  if (!(error instanceof ConfigurationError)) throw error;
  expect(error.message).not.toContain('\n');
  return error.message;
}

describe('in a pod', () => {
  test('the service account is used', async () => {
    const pod = scene(POD_FILES);
    const connection = await pod.connect({}, POD_ENV);
    expect(connection).toMatchObject({
      source: 'in-cluster',
      namespace: 'from-token',
      caFile: path.join(pod.serviceAccountDir, 'ca.crt'),
    });
    expect(connection.server.href).toBe('https://10.96.0.1/');
    expect(await connection.authorize({ renew: false })).toEqual({
      headers: { Authorization: 'Bearer pod-token' },
      tls: { ca: '-----BEGIN CERTIFICATE-----\n' },
    });
  });

  test('no code for kubeconfig files is loaded', async () => {
    vi.doMock('../../../src/kube/kubeconfig.ts', () => expect.fail('kubeconfig.ts was loaded'));
    onTestFinished(() => void vi.doUnmock('../../../src/kube/kubeconfig.ts'));
    expect((await scene(POD_FILES).connect({}, POD_ENV)).source).toBe('in-cluster');
  });

  test('token and certificate are read anew for each request', async () => {
    const { serviceAccountDir, connect } = scene(POD_FILES);
    const connection = await connect({}, POD_ENV);
    writeFileSync(path.join(serviceAccountDir, 'token'), 'next-token');
    writeFileSync(path.join(serviceAccountDir, 'ca.crt'), 'next-ca');
    expect(await connection.authorize({ renew: false })).toMatchObject({
      headers: { Authorization: 'Bearer next-token' },
      tls: { ca: 'next-ca' },
    });
  });

  test.each([
    ['empty', ''],
    ['gone', undefined],
  ])('a token that is %s for a moment is no reason to give up', async (_name, content) => {
    const { serviceAccountDir, connect } = scene(POD_FILES);
    const connection = await connect({}, POD_ENV);
    const file = path.join(serviceAccountDir, 'token');
    if (content === undefined) rmSync(file);
    else writeFileSync(file, content);
    await expect(connection.authorize({ renew: true })).rejects.toMatchObject({ problem: { kind: 'unreachable' } });
    writeFileSync(file, 'back');
    expect((await connection.authorize({ renew: true })).headers.Authorization).toBe('Bearer back');
  });

  test.each([
    ['POD_NAMESPACE', { POD_NAMESPACE: 'from-env' }, POD_FILES, 'from-env'],
    ['the token’s namespace', { POD_NAMESPACE: '' }, POD_FILES, 'from-token'],
    ['default', {}, { ...POD_FILES, 'serviceaccount/namespace': ' \n' }, 'default'],
  ])('the namespace is %s', async (_name, env, files, expected) => {
    expect((await scene(files).connect({}, { ...POD_ENV, ...env })).namespace).toBe(expected);
  });

  test.each([
    ['fd00::1', '443', 'https://[fd00::1]/'],
    ['[fd00::1]', '6443', 'https://[fd00::1]:6443/'],
    ['10.96.0.1', '6443', 'https://10.96.0.1:6443/'],
    ['10.96.0.1', '', 'https://10.96.0.1/'],
  ])('host %s and port %j make %s', async (host, port, expected) => {
    const env = { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port };
    expect((await scene(POD_FILES).connect({}, env)).server.href).toBe(expected);
  });

  test('a host that is none is refused', async () => {
    const env = { KUBERNETES_SERVICE_HOST: 'a b', KUBERNETES_SERVICE_PORT: '443' };
    expect(await refusal(scene(POD_FILES).connect({}, env))).toMatch(/KUBERNETES_SERVICE_HOST/);
  });

  test('without a token it is said why that may be', async () => {
    expect(await refusal(scene().connect({}, POD_ENV))).toMatch(/automountServiceAccountToken/);
  });

  test('without the certificate it is said which file is lacking', async () => {
    const files = { 'serviceaccount/token': 'pod-token' };
    expect(await refusal(scene(files).connect({}, POD_ENV))).toMatch(/ca\.crt cannot be read: ENOENT/);
  });

  test('a token of one’s own needs no mounted one', async () => {
    const files = { 'serviceaccount/ca.crt': 'ca' };
    const connection = await scene(files).connect({ token: 'own' }, POD_ENV);
    expect((await connection.authorize({ renew: false })).headers.Authorization).toBe('Bearer own');
  });

  test('flags change identity and trust', async () => {
    const options = { as: 'jürgen', asGroups: ['a', 'b'], token: 'own', insecureSkipTlsVerify: true };
    const connection = await scene(POD_FILES).connect(options, POD_ENV);
    expect(connection.caFile).toBeUndefined();
    expect(await connection.authorize({ renew: false })).toEqual({
      headers: {
        Authorization: 'Bearer own',
        'Impersonate-User': Buffer.from('jürgen').toString('latin1'),
        'Impersonate-Group': ['a', 'b'],
      },
      tls: { rejectUnauthorized: false },
    });
  });

  test('the proxy of the environment is used, unless NO_PROXY has the address', async () => {
    const env = { ...POD_ENV, HTTPS_PROXY: 'http://proxy:3128' };
    const direct = await scene(POD_FILES).connect({}, { ...env, NO_PROXY: '.svc,10.96.0.0/12' });
    expect((await direct.authorize({ renew: false })).proxyUrl).toBeUndefined();
    const proxied = await scene(POD_FILES).connect({}, env);
    expect((await proxied.authorize({ renew: false })).proxyUrl).toBe('http://proxy:3128/');
  });

  test('a SOCKS4 proxy is refused', async () => {
    const env = { ...POD_ENV, HTTPS_PROXY: 'socks4://proxy:1080' };
    expect(await refusal(scene(POD_FILES).connect({}, env))).toMatch(/^HTTPS_PROXY: expected .* HTTP or SOCKS5 proxy/);
  });
});

describe('the order', () => {
  const everything = {
    ...POD_FILES,
    'home/.kube/config': KUBECONFIG,
    'other/config': KUBECONFIG.replace('from-file', 'from-env'),
    'flag/config': KUBECONFIG.replace('from-file', 'from-flag'),
  };

  test('--kubeconfig comes first', async () => {
    const { dir, connect } = scene(everything);
    const env = { ...POD_ENV, KUBECONFIG: path.join(dir, 'other/config') };
    const { server, source } = await connect({ kubeconfig: path.join(dir, 'flag/config') }, env);
    expect([server.hostname, source]).toEqual(['from-flag', 'kubeconfig']);
  });

  test('then KUBECONFIG', async () => {
    const { dir, connect } = scene(everything);
    const { server } = await connect({}, { ...POD_ENV, KUBECONFIG: path.join(dir, 'other/config') });
    expect(server.hostname).toBe('from-env');
  });

  test('then the home folder', async () => {
    expect((await scene(everything).connect({}, POD_ENV)).server.hostname).toBe('from-file');
  });

  test('files of KUBECONFIG that are not there are passed over', async () => {
    const { dir, connect } = scene(everything);
    const KUBECONFIG = [path.join(dir, 'missing'), '', path.join(dir, 'other/config')].join(path.delimiter);
    expect((await connect({}, { KUBECONFIG })).server.hostname).toBe('from-env');
  });

  test('where none of them is there the home folder is not looked at, but the pod is', async () => {
    const { connect } = scene(everything);
    expect((await connect({}, { ...POD_ENV, KUBECONFIG: '/missing' })).source).toBe('in-cluster');
    expect(await refusal(connect({}, { KUBECONFIG: '/missing' }))).toMatch(
      /no file of KUBECONFIG exists \(\/missing\)/,
    );
  });

  test.each([
    ['an empty one', ''],
    ['one without a current context', KUBECONFIG.replace('current-context: one\n', '')],
    ['one of comments only', '# nothing\n'],
  ])('a kubeconfig that chooses no cluster leaves it to the pod: %s', async (_name, content) => {
    const files = { ...POD_FILES, 'home/.kube/config': content };
    expect((await scene(files).connect({}, POD_ENV)).source).toBe('in-cluster');
    expect(await refusal(scene(files).connect())).toMatch(/names no current context \(choose one with --context\)/);
  });

  test('a kubeconfig without a namespace leaves it to the pod', async () => {
    const { connect } = scene({ ...POD_FILES, 'home/.kube/config': KUBECONFIG });
    expect((await connect({}, POD_ENV)).namespace).toBe('from-token');
    expect((await connect()).namespace).toBe('default');
  });

  test('nothing at all is one line', async () => {
    const { dir, connect } = scene();
    const file = path.join(dir, 'home/.kube/config');
    expect(await refusal(connect())).toBe(
      `no cluster is configured: there is no ${file}, and this is not a pod of a cluster`,
    );
  });

  test('no home folder either', async () => {
    const nowhere = connect({ requestTimeoutMs: 1 }, {}, { homeDir: undefined, serviceAccountDir: '/missing' });
    expect(await refusal(nowhere)).toMatch(/there is no kubeconfig/);
  });

  test('--kubeconfig without the file is refused', async () => {
    expect(await refusal(scene(everything).connect({ kubeconfig: '/missing' }, POD_ENV))).toBe(
      '--kubeconfig: there is no file /missing',
    );
  });

  test('--context without a kubeconfig is refused, in a pod too', async () => {
    expect(await refusal(scene(POD_FILES).connect({ context: 'prod' }, POD_ENV))).toMatch(
      /^--context: no context "prod"/,
    );
  });
});

describe('--server', () => {
  test('needs no kubeconfig, and sends no token that was not given', async () => {
    const connection = await scene(POD_FILES).connect({ server: 'https://api:6443' }, POD_ENV);
    expect(connection).toMatchObject({ source: 'flags', namespace: 'from-token' });
    expect(await connection.authorize({ renew: false })).toEqual({ headers: {}, tls: {} });
  });

  test('takes the other flags along', async () => {
    const options = { server: 'https://api', token: 't', as: 'me', insecureSkipTlsVerify: true };
    const connection = await scene().connect(options);
    expect(await connection.authorize({ renew: false })).toEqual({
      headers: { Authorization: 'Bearer t', 'Impersonate-User': 'me' },
      tls: { rejectUnauthorized: false },
    });
  });

  test('over http sends no token', async () => {
    const connection = await scene().connect({ server: '127.0.0.1:8001', token: 't' });
    expect(connection.server.href).toBe('http://127.0.0.1:8001/');
    expect((await connection.authorize({ renew: false })).headers).toEqual({});
  });

  test.each(['ftp://api', 'https://', 'https://a b', 'https://user:s3cret@:x'])('%s is refused', async (server) => {
    const message = await refusal(scene().connect({ server }));
    expect(message).toMatch(/^--server: .*is not an address/);
    expect(message).not.toContain('s3cret');
  });
});

describe('a flag that cannot be sent is refused, and a token is not shown', () => {
  test.each([
    [{ token: 's3cret with spaces' }, /^--token: /],
    [{ token: 's3cret\n' }, /^--token: /],
    [{ as: 'a\r\nX: y' }, /^--as: /],
    [{ as: 'a', asGroups: ['b', 'c\n'] }, /^--as-group: /],
    [{ asGroups: ['b'] }, /^--as-group needs --as/],
  ])('%j', async (options, expected) => {
    const message = await refusal(scene(POD_FILES).connect(options, POD_ENV));
    expect(message).toMatch(expected);
    expect(message).not.toContain('s3cret');
  });
});
