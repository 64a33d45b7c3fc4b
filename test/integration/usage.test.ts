/** What cannot be run ends with 2 and one line; what can is found as kubectl finds it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe } from 'vitest';
import { api, cluster, type Json, job, pod, test, tokenKubeconfig, untilAnswered } from '../harness/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'kube-await-usage-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

/** No kubeconfig anywhere, and not a pod of a cluster. */
const nowhere = { kubeconfig: 'none', env: { HOME: folder } };

/** Arguments, split at spaces or as they are, and what the line must name. */
type Row = readonly [args: string | readonly string[], named: string];

/** Those that only the whole program refuses, and one of each kind that a unit test has all of. */
const rows: readonly Row[] = [
  ['', 'expected a target'],
  ['job a pod b', '"pod/b"'],
  ['jbo/a', 'did you mean job?'],
  ['no/such/kind', '"such"'],
  ['job/a --timeuot=1s', 'did you mean --timeout?'],
  ['deploy/a --for=complete', '"deployment/a"'],
  ['job/a --for=jsonpath={.a[?(@.b==c)]}', 'unrecognized identifier'],
  ['job/a --token=a\tb', '--token'],
  ['job/a --server=ftp://x', '--server'],
  ['job/a --timeout=10', '"10"'],
  ['pod -l a=b --expect=0', '"0"'],
  [['pod', '-l', 'a in (b'], '"a in (b"'],
  // WORD/WORD before a selector is NAMESPACE/KIND.
  ['pod/a -l a=b', 'expected a kind'],
];

describe.concurrent('bad input: one line, nothing else, 2', () => {
  for (const [args, named] of rows) {
    const given = typeof args === 'string' ? args.split(' ').filter((word) => word !== '') : args;
    const shown = given.map((word) => (word === '' || word.includes(' ') ? `"${word}"` : word)).join(' ');
    test(`kube-await ${shown}`.trimEnd(), async ({ bare, expect }) => {
      // With a cluster at hand, so that it is the input that is at fault.
      const { code, stdout, stderr } = await bare(given).exit;
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toMatch(/^kube-await: [^\n]+\n$/);
      expect(stderr).toContain(named);
    });
  }

  test('KUBE_AWAIT_TIMEOUT=10', async ({ bare, expect }) => {
    const { code, stdout, stderr } = await bare(['pod', '-l', 'a=b'], { env: { KUBE_AWAIT_TIMEOUT: '10' } }).exit;
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^kube-await: KUBE_AWAIT_TIMEOUT: [^\n]*"10"[^\n]*\n$/);
  });

  test('what was typed cannot break the line or colour it', async ({ bare, expect }) => {
    const { code, stderr } = await bare(['job/a', '--timeout=\u001b[31m1s\nnext\u202e']).exit;
    expect(code).toBe(2);
    expect(stderr).toMatch(/^[ -~]+\n$/);
  });
});

describe.concurrent('where the cluster is', () => {
  const without = (config: Json, change: (config: Json) => void): string => {
    change(config);
    return JSON.stringify(config);
  };

  test('no cluster is configured: 2', async ({ bare, expect }) => {
    const { code, stdout, stderr } = await bare(['job/a'], nowhere).exit;
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^kube-await: no cluster is configured: [^\n]+\n$/);
  });

  test('--kubeconfig names a file that is not there: 2', async ({ bare, expect }) => {
    const path = join(folder, 'nothing');
    const { code, stdout, stderr } = await bare(['job/a', '--kubeconfig', path]).exit;
    expect({ code, stdout, stderr }).toEqual({
      code: 2,
      stdout: '',
      stderr: `kube-await: --kubeconfig: there is no file ${path}\n`,
    });
  });

  test('KUBECONFIG names a file that is not there: it is passed over', async ({ bare, expect }) => {
    const missing = join(folder, 'nothing');
    const alone = await bare(['job/a', '--timeout=0'], { ...nowhere, kubeconfig: missing }).exit;
    const paths = `${missing}:${cluster().kubeconfig}`;
    const beside = await bare(['job/a', '--timeout=0'], { kubeconfig: paths }).exit;
    expect([alone.code, beside.code]).toEqual([2, 124]);
    expect(alone.stderr).toMatch(/^kube-await: no cluster is configured: no file of KUBECONFIG exists [^\n]+\n$/);
  });

  for (const [what, content] of [
    ['no YAML', 'clusters: [\n'],
    ['something else', '- a\n- b\n'],
    ['a Pod', 'apiVersion: v1\nkind: Pod\n'],
    ['binary', '\u0000\u0001'],
  ] as const) {
    test(`a kubeconfig that is ${what}: 2`, async ({ bare, expect }) => {
      const path = file(`broken-${what.replace(' ', '-')}`, content);
      const { code, stdout, stderr } = await bare(['job/a', '--kubeconfig', path]).exit;
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toMatch(/^kube-await: [^\n]+\n$/);
      expect(stderr).toContain(path);
    });
  }

  for (const [what, change, named] of [
    ['has no such cluster', (config: Json) => config.clusters.pop(), 'no cluster "test"'],
    ['has no such user', (config: Json) => config.users.pop(), 'no user "test"'],
    ['has no such context', (config: Json) => config.contexts.pop(), 'no context "test"'],
    [
      'names a CA that is not there',
      (config: Json) => Object.assign(config.clusters[0].cluster, { 'certificate-authority': '/nowhere/ca.crt' }),
      '/nowhere/ca.crt',
    ],
    [
      'holds half a client certificate',
      (config: Json) => Object.assign(config.users[0].user, { 'client-certificate-data': 'eA==' }),
      'user "test"',
    ],
  ] as const) {
    test(`a kubeconfig that ${what}: 2`, async ({ bare, expect }) => {
      const config = without(JSON.parse(tokenKubeconfig('secret')) as Json, change);
      const path = file(`kubeconfig-${what.replaceAll(' ', '-')}`, config);
      const { code, stdout, stderr } = await bare(['job/a'], { kubeconfig: path }).exit;
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toMatch(/^kube-await: [^\n]+\n$/);
      expect(stderr).toContain(named);
      expect(stderr).not.toContain('secret');
    });
  }

  test('--context chooses, and an unknown one is 2', async ({ ns, bare, expect }) => {
    await api.create(job({ namespace: ns, name: 'x', spec: { suspend: true } }));
    const config = JSON.parse(tokenKubeconfig('of-nobody')) as Json;
    config.contexts.push({ name: 'other', context: { cluster: 'elsewhere', user: 'test', namespace: ns } });
    config.clusters.push({ name: 'elsewhere', cluster: { server: 'https://127.0.0.1:1' } });
    const kubeconfig = file(`contexts-${ns}`, JSON.stringify(config));
    const chosen = await bare(['job/x', '--timeout=0', '--context=other'], { kubeconfig }).exit;
    const byVariable = await bare(['job/x', '--timeout=0'], { kubeconfig, env: { KUBE_AWAIT_CONTEXT: 'other' } }).exit;
    const unknown = await bare(['job/x', '--context=nothing'], { kubeconfig }).exit;
    expect(chosen.stdout).toContain('ECONNREFUSED 127.0.0.1:1');
    expect(byVariable.stdout).toBe(chosen.stdout);
    expect(unknown.code).toBe(2);
    expect(unknown.stderr).toMatch(/^kube-await: [^\n]*no context "nothing"[^\n]*\n$/);
  });

  test("the context's namespace is where targets are that name none", async ({ ns, bare, identity, expect }) => {
    const who = await identity({ by: 'token' });
    await api.create(job({ namespace: ns, name: 'x', spec: { suspend: true } }));
    const token = await cluster().token(ns, who.user.split(':').at(-1) ?? '');
    const config = JSON.parse(tokenKubeconfig(token)) as Json;
    config.contexts[0].context.namespace = ns;
    const kubeconfig = file(`namespaced-${ns}`, JSON.stringify(config));
    const { stdout } = await bare(['job/x', '--timeout=0'], { kubeconfig }).exit;
    expect(stdout).toBe('job/x not reached: suspended: 0/1 succeeded\n');
  });

  test('--kubeconfig and KUBE_AWAIT_KUBECONFIG win over KUBECONFIG', async ({ bare, expect }) => {
    const kubeconfig = file('broken', 'clusters: [\n');
    const own = cluster().kubeconfig;
    const option = await bare(['job/x', '--timeout=0', '--kubeconfig', own], { kubeconfig }).exit;
    const env = { KUBE_AWAIT_KUBECONFIG: own };
    const variable = await bare(['job/x', '--timeout=0'], { kubeconfig, env }).exit;
    expect([option.code, variable.code]).toEqual([124, 124]);
  });

  test('--server alone is enough where no token is asked for', async ({ ns, bare, identity, expect }) => {
    const who = await identity({ by: 'token' });
    const token = await cluster().token(ns, who.user.split(':').at(-1) ?? '');
    await api.create(job({ namespace: ns, name: 'x', spec: { suspend: true } }));
    const args = ['job/x', '-n', ns, '--timeout=0', '--server', cluster().server, '--insecure-skip-tls-verify'];
    const { stdout } = await bare([...args, '--token', token], nowhere).exit;
    expect(stdout).toBe('job/x not reached: suspended: 0/1 succeeded\n');
  });
});

describe.concurrent('the environment', () => {
  test('of a Service called kube-await disturbs nothing', async ({ ns, kubeAwait, expect }) => {
    await api.create(job({ namespace: ns, name: 'x' }));
    // As kubelet puts them into each pod of the namespace.
    const env = {
      KUBE_AWAIT_PORT: 'tcp://10.0.0.1:80',
      KUBE_AWAIT_PORT_80_TCP: 'tcp://10.0.0.1:80',
      KUBE_AWAIT_PORT_80_TCP_ADDR: '10.0.0.1',
      KUBE_AWAIT_PORT_80_TCP_PORT: '80',
      KUBE_AWAIT_PORT_80_TCP_PROTO: 'tcp',
      KUBE_AWAIT_SERVICE_HOST: '10.0.0.1',
      KUBE_AWAIT_SERVICE_PORT: '80',
      KUBE_AWAIT_SERVICE_PORT_HTTP: '80',
    };
    const { code, stdout } = await kubeAwait(['job/x'], { env }).exit;
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'job/x reached: Complete, 1/1 succeeded\n' });
  });

  test('empty is unset', async ({ ns, kubeAwait, expect }) => {
    await api.create(job({ namespace: ns, name: 'x' }));
    const names = ['TIMEOUT', 'FOR', 'ON_MISSING', 'EXPECT', 'QUIET', 'HEARTBEAT', 'CONTEXT', 'KUBECONFIG', 'SERVER'];
    const env = Object.fromEntries(names.map((name) => [`KUBE_AWAIT_${name}`, '']));
    const { code } = await kubeAwait(['job/x'], { env }).exit;
    expect(code).toBe(0);
  });

  test('an option that does not apply to a target is ignored, typed it is refused', async ({ kubeAwait, expect }) => {
    const env = { KUBE_AWAIT_EXPECT: '2', KUBE_AWAIT_CONTAINER: 'main' };
    const set = await kubeAwait(['job/x', '--timeout=0'], { env }).exit;
    const typed = await kubeAwait(['job/x', '--timeout=0', '--container=main']).exit;
    expect([set.code, typed.code]).toEqual([124, 2]);
  });

  test('KUBE_AWAIT_FOR, KUBE_AWAIT_EXPECT, KUBE_AWAIT_AT_LEAST', async ({ ns, kubeAwait, expect }) => {
    const labels = { app: 'x' };
    await api.create(pod({ namespace: ns, name: 'good', labels, exitCode: 0 }));
    const bad = pod({ namespace: ns, name: 'bad', labels, exitCode: 1 });
    await api.create(bad);
    await api.until(bad, (found) => found?.status.phase === 'Failed');
    const selected = ['pod', '-l', 'app=x'];
    const finished = await kubeAwait(selected, { env: { KUBE_AWAIT_FOR: 'finished' } }).exit;
    const env = { KUBE_AWAIT_EXPECT: '3' };
    const expected = await untilAnswered(() => kubeAwait([...selected, '--for=finished', '--timeout=4s'], { env }));
    const atLeast = await kubeAwait(selected, { env: { KUBE_AWAIT_AT_LEAST: '1' } }).exit;
    expect([finished.code, expected.code, atLeast.code]).toEqual([0, 124, 0]);
    expect(expected.stdout).toContain('2 of 3 expected found');
  });

  test('KUBE_AWAIT_ON_REFUSED', async ({ kubeAwait, identity, expect }) => {
    const who = await identity({ rules: [] });
    const env = { KUBE_AWAIT_ON_REFUSED: 'wait' };
    const { code } = await kubeAwait(['job/x', '--timeout=6s'], { as: who, env }).exit;
    expect(code).toBe(124);
  });
});
