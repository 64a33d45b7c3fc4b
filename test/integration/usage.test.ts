/** What cannot be run ends with 2 and one line; what can is found as kubectl finds it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe } from 'vitest';
import { api, cluster, type Json, job, pod, test, tokenKubeconfig } from '../harness/index.ts';

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

const rows: Readonly<Record<string, readonly Row[]>> = {
  targets: [
    ['', 'expected a target'],
    ['job', '"job" alone'],
    ['job a pod b', '"pod/b"'],
    ['job/a pod b/c', '"pod b/c"'],
    ['a/b/c/d', '"a/b/c/d"'],
    ['job/', '"job/"'],
    ['/a', '"/a"'],
    ['job/Migrate', '"Migrate"'],
    ['job/a b', '"b"'],
    ['pod,job/a', '"pod,job/a"'],
    ['INFRA/job/a', '"INFRA"'],
    ['infra/node/a', '"infra/node/a"'],
    ['infra/node --all', '"infra/node --all"'],
    ['job/a -A', '-A: expected a selector'],
    ['infra/pod -l a=b -A', '-A: expected a kind without a namespace'],
    ['job -l a=b -l c=d', '-l: expected it once'],
    ['-- true', 'expected a target'],
    ['job/a --', '--: expected a COMMAND'],
  ],
  kinds: [
    ['jbo/a', 'did you mean job?'],
    ['no/such/kind', '"such"'],
  ],
  options: [
    ['job/a --no-such-option', '"--no-such-option"'],
    ['job/a --timeuot=1s', 'did you mean --timeout?'],
    ['job/a -x', '"-x"'],
    ['job/a --timeout', '--timeout'],
    ['job/a --timeout=1s --timeout=2s', '--timeout: expected it once'],
    ['job/a --quiet=perhaps', '"perhaps"'],
    ['job/a --on-missing=ignore', '"ignore"'],
    ['job/a --on-refused=ignore', '"ignore"'],
    ['job/a --for=done', '"done"'],
    ['deploy/a --for=complete', '"deployment/a"'],
    ['svc/a --for=finished', '"service/a"'],
    ['job/a --for=condition=', '"condition="'],
    ['job/a --for=condition=!Complete', 'condition=Complete=false'],
    ['job/a --for=jsonpath={.status', '"jsonpath={.status"'],
    ['job/a --for=jsonpath={.a[?(@.b==c)]}', 'unrecognized identifier'],
    ['job/a --container=app', '--container: expected a pod, got "job/a"'],
    ['pod/a --container=app --for=condition=Ready', '--container: expected --for ready, complete or finished'],
    ['pod -l a=b --for=create --expect=2', '--expect: expected another goal'],
    ['pod -l a=b --for=delete --at-least=1', '--at-least: expected another goal'],
    ['job/a --for=delete --on-missing=fail', '--on-missing: expected another goal'],
    ['job/a --for=create --missing-grace=1s', '--missing-grace: expected another goal'],
    ['job/a --for=delete --stuck-after=1s', '--stuck-after: expected another goal'],
    ['pod/a --for=create --container=app', '--container: expected another goal'],
    ['job/a -n UPPER', '"UPPER"'],
    ['job/a --as-group=x', '--as-group'],
    ['job/a --token=a\tb', '--token'],
    ['job/a --server=ftp://x', '--server'],
  ],
  durations: [
    ['job/a --timeout=10', '"10"'],
    ['job/a --timeout=ten', '"ten"'],
    ['job/a --timeout=', '--timeout'],
    ['job/a --timeout=1d', '"1d"'],
    ['job/a --missing-grace=-1s', '"-1s"'],
    ['job/a --stuck-after=soon', '"soon"'],
    ['job/a --heartbeat=5', '"5"'],
  ],
  numbers: [
    ['pod -l a=b --expect=0', '"0"'],
    ['pod -l a=b --expect=many', '"many"'],
    ['pod -l a=b --at-least=-1', '"-1"'],
    ['pod/a --expect=2', '"pod/a"'],
    ['job/a --at-least=1', '"job/a"'],
  ],
  selectors: [
    [['pod', '-l', ''], '-l'],
    [['pod', '-l', 'a=b=c'], '"a=b=c"'],
    [['pod', '-l', 'a in b'], '"a in b"'],
    [['pod', '-l', 'a in (b'], '"a in (b"'],
    [['pod', '-l', '-a=b'], '"-a=b"'],
    ['pod -l a=b -l c=d', '-l: expected it once'],
    // WORD/WORD before a selector is NAMESPACE/KIND.
    ['pod/a -l a=b', 'expected a kind'],
    ['-l a=b', '-l: expected a kind'],
    ['-l a=b pod job', '-l'],
    ['pod a -l a=b', '"pod/a"'],
    ['pod --all -l a=b', '--all'],
    ['pod --field-selector x', '--field-selector'],
    ['pod a --field-selector metadata.name=b', '"pod/a"'],
  ],
};

describe('bad input: one line, nothing else, 2', () => {
  for (const [what, list] of Object.entries(rows)) {
    describe.concurrent(what, () => {
      for (const [args, named] of list) {
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
    });
  }

  const variables: readonly (readonly [name: string, value: string])[] = [
    ['KUBE_AWAIT_TIMEOUT', '10'],
    ['KUBE_AWAIT_ON_MISSING', 'ignore'],
    ['KUBE_AWAIT_MISSING_GRACE', 'soon'],
    ['KUBE_AWAIT_EXPECT', 'x'],
    ['KUBE_AWAIT_AT_LEAST', '0'],
    ['KUBE_AWAIT_FOR', 'done'],
    ['KUBE_AWAIT_HEARTBEAT', 'often'],
    ['KUBE_AWAIT_QUIET', 'perhaps'],
    ['KUBE_AWAIT_NAMESPACE', 'UPPER'],
  ];
  describe.concurrent('variables', () => {
    for (const [name, value] of variables) {
      test(`${name}=${value}`, async ({ bare, expect }) => {
        const { code, stdout, stderr } = await bare(['pod', '-l', 'a=b'], { env: { [name]: value } }).exit;
        expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
        expect(stderr).toMatch(new RegExp(`^kube-await: ${name}: [^\n]*"${value}"[^\n]*\n$`));
      });
    }
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
    const expected = await kubeAwait([...selected, '--for=finished', '--timeout=4s'], {
      env: { KUBE_AWAIT_EXPECT: '3' },
    }).exit;
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
