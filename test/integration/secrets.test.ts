/** Nothing that is printed, on any stream or in any file, holds a secret, however a run goes. */
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe } from 'vitest';
import { api, cluster, type Json, job, makeNamespace, type RunOptions, test } from '../harness/index.ts';
import { makeCertificates } from '../unit/kube/certificates.ts';

/** What must not be found again: one a place, so that a leak says where it comes from. */
const secret = (place: string): string => `marker-${place}-${randomBytes(8).toString('hex')}`;
const TOKEN = secret('token');
const PASSWORD = secret('password');
const KEY = secret('key');
const CERTIFICATE = secret('certificate');
const OUTPUT = secret('output');
const WORDS = secret('words');
const PROXY = secret('proxy');
const ADDRESS = secret('address');
const REFRESH = secret('refresh');
const DATA = secret('data');

/** The same secret in other clothes. */
function disguises(text: string): readonly string[] {
  const base64 = Buffer.from(text).toString('base64');
  return [text, base64.replace(/=+$/, ''), Buffer.from(text).toString('hex'), JSON.stringify(text).slice(1, -1)];
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const pem = (what: string, text: string): string => `-----BEGIN ${what}-----\n${base64(text)}\n-----END ${what}-----\n`;

let counter = 0;
function file(content: string, mode = 0o600): string {
  counter += 1;
  const path = join(cluster().coordinates.dir, `secrets-${process.pid}-${counter}`);
  writeFileSync(path, content, { mode });
  return path;
}

const certificates = makeCertificates();
const planted: string[] = [TOKEN, PASSWORD, KEY, CERTIFICATE, OUTPUT, WORDS, PROXY, ADDRESS, REFRESH, DATA];
/** Of a real key every line but the first is its own. */
planted.push(...certificates.client.key.split('\n').slice(1, 3));

/** A kubeconfig with one user, for the real server unless told otherwise. */
function config(user: Json, entry: Json = {}): string {
  const real = { server: cluster().server, 'certificate-authority': cluster().caFile };
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'test',
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
    clusters: [{ name: 'test', cluster: { ...real, ...entry } }],
    users: [{ name: 'test', user }],
  });
}

/** A credential plugin: a shell script. */
function plugin(script: string, more: Json = {}): Json {
  const command = file(`#!/bin/sh\n${script}\n`, 0o700);
  return { exec: { apiVersion: 'client.authentication.k8s.io/v1', command, interactiveMode: 'Never', ...more } };
}

/** What a plugin answers. */
const answer = (status: Json): Json =>
  plugin(
    `cat <<'END'\n${JSON.stringify({ apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status })}\nEND`,
  );

const servers: Server[] = [];
/** A server or proxy that answers everything, a CONNECT too, with this status. */
async function answering(status: number): Promise<number> {
  const server = createServer((_request, response) => response.writeHead(status).end('{}'));
  server.on('connect', (_request, socket) => {
    // A program that ends at its timeout resets the connection.
    socket.on('error', () => undefined);
    socket.end(`HTTP/1.1 ${status} No\r\n\r\n`);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

/** An id token that a JWT parser stumbles over, and says what over. */
const jwt = (payload: string): string => [base64('{}'), base64(payload), 'x'].join('.');
const oidc = (more: Json): Json => ({
  'auth-provider': {
    name: 'oidc',
    config: { 'idp-issuer-url': 'https://127.0.0.1:1', 'client-id': 'x', 'client-secret': PASSWORD, ...more },
  },
});

interface Scenario {
  readonly kubeconfig: string;
  /** Also in the words of rbac: once for each kind of failure, as they come from the same code as those of check. */
  readonly rbac?: true;
  readonly args?: readonly string[];
  readonly options?: RunOptions;
}

/** Outside of a cluster nothing answers there; loopback would never go through a proxy of the environment. */
const ELSEWHERE = { server: 'https://203.0.113.1:6443' };

const SCENARIOS: Readonly<Record<string, () => Promise<Scenario> | Scenario>> = {
  'a token that is nobody’s': () => ({ rbac: true, kubeconfig: config({ token: TOKEN }) }),
  'a token with a line break': () => ({ kubeconfig: config({ token: `a\n${TOKEN}` }) }),
  'a token beyond ASCII': () => ({ kubeconfig: config({ token: `€${TOKEN}` }) }),
  'a token in a file': () => ({ kubeconfig: config({ tokenFile: file(TOKEN) }) }),
  'a token in a file with lines': () => ({ kubeconfig: config({ tokenFile: file(`a\n${TOKEN}\nb`) }) }),
  '--token': () => ({ kubeconfig: config({}), args: ['--token', TOKEN] }),
  '--token with a space': () => ({ kubeconfig: config({}), args: ['--token', `a ${TOKEN}`] }),
  '--token twice': () => ({ kubeconfig: config({}), args: [`--token=${TOKEN}`, `--token=${TOKEN}`] }),
  '--token as a boolean option’s value': () => ({
    kubeconfig: config({}),
    args: [`--token=${TOKEN}`, '--quiet=perhaps'],
  }),
  KUBE_AWAIT_TOKEN: () => ({ kubeconfig: config({}), options: { env: { KUBE_AWAIT_TOKEN: TOKEN } } }),
  'KUBE_AWAIT_TOKEN with a line break': () => ({
    kubeconfig: config({}),
    options: { env: { KUBE_AWAIT_TOKEN: `a\n${TOKEN}` } },
  }),
  'a password': () => ({ kubeconfig: config({ username: 'somebody', password: PASSWORD }) }),
  'a kubeconfig that is no YAML': () => ({ rbac: true, kubeconfig: `${config({ token: TOKEN })}\n  ]: ${PASSWORD}` }),
  'a kubeconfig of another kind': () => ({ kubeconfig: JSON.stringify({ kind: 'Secret', data: { token: TOKEN } }) }),
  'a kubeconfig with things of the wrong type': () => ({
    kubeconfig: config({ token: [TOKEN], password: { a: PASSWORD }, 'client-key-data': { a: KEY } }),
  }),
  'a key that is none': () => ({
    kubeconfig: config({ 'client-certificate-data': base64(CERTIFICATE), 'client-key-data': base64(KEY) }),
  }),
  'a key that is none, in its clothes': () => ({
    kubeconfig: config({
      'client-certificate-data': base64(pem('CERTIFICATE', CERTIFICATE)),
      'client-key-data': base64(pem('PRIVATE KEY', KEY)),
    }),
  }),
  'a certificate without its key': () => ({ kubeconfig: config({ 'client-certificate-data': base64(CERTIFICATE) }) }),
  'a certificate that is nobody’s': () => ({
    kubeconfig: config({
      'client-certificate-data': base64(certificates.client.cert),
      'client-key-data': base64(certificates.client.key),
    }),
  }),
  'an authority that is none': () => ({
    kubeconfig: config(
      { token: TOKEN },
      { 'certificate-authority': undefined, 'certificate-authority-data': base64(CERTIFICATE) },
    ),
  }),
  'an authority that did not sign the server': () => ({
    rbac: true,
    kubeconfig: config(
      { token: TOKEN },
      { 'certificate-authority': undefined, 'certificate-authority-data': base64(certificates.ca) },
    ),
  }),
  'a plugin that fails': () => ({
    rbac: true,
    kubeconfig: config(plugin(`echo ${OUTPUT}; echo ${WORDS} >&2; echo it failed >&2; exit 1`)),
  }),
  'a plugin that is ended': () => ({
    kubeconfig: config(plugin(`echo ${OUTPUT}; echo ${WORDS} >&2; echo it failed >&2; kill -9 $$`)),
  }),
  'a plugin that answers something else': () => ({ kubeconfig: config(plugin(`echo ${OUTPUT}; echo ${WORDS} >&2`)) }),
  'a plugin that answers half': () => ({ kubeconfig: config(plugin(`printf '{"status": {"token": "${OUTPUT}'`)) }),
  'a plugin that answers too much': () => ({
    kubeconfig: config(plugin(`while :; do echo ${OUTPUT}${OUTPUT}${OUTPUT}; done`)),
  }),
  'a plugin whose token is nobody’s': () => ({ kubeconfig: config(answer({ token: OUTPUT })) }),
  'a plugin whose token has a line break': () => ({ kubeconfig: config(answer({ token: `a\n${OUTPUT}` })) }),
  'a plugin whose key is none': () => ({
    kubeconfig: config(answer({ clientCertificateData: pem('CERTIFICATE', CERTIFICATE), clientKeyData: KEY })),
  }),
  'a plugin that gives no key': () => ({ kubeconfig: config(answer({ clientCertificateData: CERTIFICATE })) }),
  'a plugin with secret arguments': () => ({
    kubeconfig: config(plugin('exit 1', { args: [PASSWORD], env: [{ name: 'SECRET', value: TOKEN }] })),
  }),
  'an OIDC token that cannot be read': () => ({ kubeconfig: config(oidc({ 'id-token': jwt(TOKEN) })) }),
  'an OIDC token that is none': () => ({ kubeconfig: config(oidc({ 'id-token': TOKEN })) }),
  'an OIDC token that has expired': () => ({
    kubeconfig: config(oidc({ 'id-token': jwt(`{"exp": 1, "a": "${TOKEN}"}`), 'refresh-token': REFRESH })),
  }),
  'a provider’s command that prints something else': () => ({
    kubeconfig: config({
      'auth-provider': {
        name: 'gcp',
        config: { 'cmd-path': '/bin/echo', 'cmd-args': OUTPUT, 'access-token': TOKEN, expiry: '2000-01-01T00:00:00Z' },
      },
    }),
  }),
  'a proxy that refuses': async () => ({
    rbac: true,
    kubeconfig: config({ token: TOKEN }, { 'proxy-url': `http://me:${PROXY}@127.0.0.1:${await answering(407)}` }),
  }),
  'a proxy that is not there': () => ({
    kubeconfig: config({ token: TOKEN }, { 'proxy-url': `http://me:${PROXY}@127.0.0.1:1` }),
  }),
  'a proxy that is no address': () => ({
    kubeconfig: config({ token: TOKEN }, { 'proxy-url': `http://me:${PROXY}@[half` }),
  }),
  'a proxy of another kind': () => ({
    kubeconfig: config({ token: TOKEN }, { 'proxy-url': `socks5://me:${PROXY}@127.0.0.1:1` }),
  }),
  'a proxy of the environment that refuses': async () => ({
    kubeconfig: config({ token: TOKEN }, ELSEWHERE),
    options: { env: { HTTPS_PROXY: `http://me:${PROXY}@127.0.0.1:${await answering(407)}` } },
  }),
  'a proxy of the environment that is no address': () => ({
    kubeconfig: config({ token: TOKEN }, ELSEWHERE),
    options: { env: { HTTPS_PROXY: `http://me:${PROXY}@[half` } },
  }),
  'a server with a password that does not know us': async () => ({
    kubeconfig: config({ token: TOKEN }, { server: cluster().server.replace('//', `//me:${ADDRESS}@`) }),
  }),
  'a server with a password that is not trusted': () => ({
    kubeconfig: config(
      { token: TOKEN },
      { 'certificate-authority': undefined, server: cluster().server.replace('//', `//me:${ADDRESS}@`) },
    ),
  }),
  'a server with a password that is not there': () => ({
    rbac: true,
    kubeconfig: config({ token: TOKEN }, { server: `https://me:${ADDRESS}@127.0.0.1:1` }),
  }),
  'a server with a password that is no address': () => ({
    kubeconfig: config({ token: TOKEN }, { server: `https://me:${ADDRESS}@[half` }),
  }),
  '--server with a password that refuses': async () => ({
    rbac: true,
    kubeconfig: config({ token: TOKEN }),
    args: [`--server=http://me:${ADDRESS}@127.0.0.1:${await answering(403)}`],
  }),
  'a bug': () => ({
    rbac: true,
    kubeconfig: config({ token: TOKEN }),
    options: {
      env: {
        KUBE_AWAIT_TOKEN: TOKEN,
        NODE_OPTIONS: `--require=${file('process.nextTick(() => { throw new Error("of no concern"); });')}`,
      },
    },
  }),
  'a run that goes well': () => ({
    rbac: true,
    kubeconfig: readFileSync(cluster().kubeconfig, 'utf8'),
    args: ['-n', ns],
  }),
  'a run that goes well, with COMMAND': () => ({
    kubeconfig: readFileSync(cluster().kubeconfig, 'utf8'),
    args: ['-n', ns, '--', 'env'],
    options: { env: { KUBE_AWAIT_TOKEN: '' } },
  }),
};

let ns = '';
beforeAll(async () => {
  ns = await makeNamespace();
  await api.create(job({ namespace: ns, name: 'x' }));
  await api.create({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'x', namespace: ns },
    stringData: { password: DATA },
  } as Json);
});
afterAll(() => {
  for (const server of servers) server.close();
});

/** One look finds what can be found: past the five seconds of a refusal nothing new would be said. */
const MODES = {
  wait: ['job/x'],
  // A kind that takes discovery as well.
  check: ['check', 'things.example.com/x', 'job/x'],
  rbac: ['rbac', 'things.example.com/x'],
} as const;

describe.concurrent('no secret comes out', () => {
  for (const [title, make] of Object.entries(SCENARIOS)) {
    test(title, async ({ bare, expect }) => {
      const { kubeconfig, args = [], options = {}, rbac = false } = await make();
      const at = args.indexOf('--');
      const [before, command] = at === -1 ? [args, []] : [args.slice(0, at), args.slice(at)];
      const path = file(kubeconfig);
      const run = async (mode: keyof typeof MODES): Promise<number | null> => {
        const log = `${path}-${mode}`;
        const all = [...MODES[mode], '--timeout=1s', '--request-timeout=1s', ...before];
        const more = mode === 'wait' ? [`--termination-log=${log}`, ...command] : [];
        const env = { ...options.env, DEBUG: '1' };
        const { code, stdout, stderr } = await bare([...all, ...more], { kubeconfig: path, ...options, env }).exit;
        const said = stdout + stderr + (existsSync(log) ? readFileSync(log, 'utf8') : '');
        const found = planted.flatMap(disguises).filter((text) => said.includes(text));
        expect({ code, found }).toEqual({ code: expect.any(Number), found: [] });
        expect(said).not.toBe('');
        return code;
      };
      // What is wrong before anything is asked is said in the same way, whatever is to be asked then.
      const isAsked = (await run('wait')) !== 2;
      if (isAsked) await run('check');
      if (rbac) await run('rbac');
    });
  }

  test('of a Secret only whether it is as wanted', async ({ bare, expect }) => {
    const goal = (value: string): string => `--for=jsonpath={.data.password}=${value}`;
    const run = ['secret/x', '-n', ns, '--timeout=5s'];
    const other = await bare([...run, goal('b3Ro')]).exit;
    expect(other.code).toBe(124);
    expect(other.stdout).toBe('secret/x not reached after 5s: {.data.password} is (not shown)\n');
    const any = await bare([...run, '--for=jsonpath={.data.password}']).exit;
    expect({ code: any.code, stdout: any.stdout }).toEqual({
      code: 0,
      stdout: 'secret/x reached: {.data.password} is (not shown)\n',
    });
  });
});
