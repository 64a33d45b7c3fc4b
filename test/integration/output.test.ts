/** What is said, where, and how often. */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe } from 'vitest';
import { api, test as base, endPod, job, pod, untilAnswered } from '../harness/index.ts';

const test = base.extend<{ file: string }>({
  file: async ({ task: _ }, use) => {
    const folder = mkdtempSync(join(tmpdir(), 'kube-await-output-'));
    await use(join(folder, 'file'));
    rmSync(folder, { recursive: true });
  },
});

describe.concurrent('text', () => {
  test('progress goes to standard error, the result to standard output', async ({
    ns,
    kubeAwait,
    exitCodes,
    expect,
  }) => {
    const target = job({ namespace: ns, name: 'x', exitCode: 'ask' });
    await api.create(target);
    const run = kubeAwait(['job/x']);
    const { stream } = await run.line(/^job\/x: 0\/1 succeeded, 1 active$/);
    exitCodes(target, [0]);
    const { stdout, stderr } = await run.exit;
    expect(stream).toBe('stderr');
    expect(stdout).toBe('job/x reached: Complete, 1/1 succeeded\n');
    expect(stderr).not.toContain('reached');
  });

  test('the result of each target comes when it is there', async ({ ns, kubeAwait, expect }) => {
    const pods = ['a', 'b'].map((name) => pod({ namespace: ns, name, exitCode: 'ask' }));
    await Promise.all(pods.map((one) => api.create(one)));
    const run = kubeAwait(['pod', 'a', 'b']);
    const [a, b] = pods;
    if (b) await endPod(b, 0);
    await run.line(/^pod\/b reached: Succeeded$/);
    if (a) await endPod(a, 0);
    const { code, stdout } = await run.exit;
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'pod/b reached: Succeeded\npod/a reached: Succeeded\n' });
  });

  test('no line is said twice in a row, though the object changes', async ({ ns, kubeAwait, expect }) => {
    const target = pod({ namespace: ns, name: 'x', exitCode: 'ask' });
    await api.create(target);
    const run = kubeAwait(['pod/x']);
    await run.line(/^pod\/x: Running$/);
    for (const round of ['1', '2', '3']) await api.patch(target, { metadata: { labels: { round } } });
    await endPod(target, 0);
    await run.exit;
    const said = run.lines.map(({ text }) => text);
    expect(said).toEqual([...new Set(said)]);
  });

  test('--heartbeat says now and then what is still awaited and for how long', async ({ ns, kubeAwait, expect }) => {
    const done = pod({ namespace: ns, name: 'done', exitCode: 0 });
    const task = pod({ namespace: ns, name: 'task', exitCode: 'ask' });
    await api.create(done);
    await api.create(task);
    await api.until(done, (found) => found?.status.phase === 'Succeeded');
    await api.until(task, (found) => found?.status.phase === 'Running');
    const run = kubeAwait(['pod/done', 'pod/task', 'job/late', '--heartbeat=1s', '--timeout=1m30s']);
    const { text, stream } = await run.line(/^still waiting .*\(does not exist yet\)$/);
    expect(stream).toBe('stderr');
    expect(text).toMatch(
      /^still waiting after \d+s, (1m)?\d+s left: pod\/task \(Running\), job\/late \(does not exist yet\)$/,
    );
  });

  test('KUBE_AWAIT_HEARTBEAT does too', async ({ kubeAwait }) => {
    await kubeAwait(['job/late'], { env: { KUBE_AWAIT_HEARTBEAT: '1s' } }).line(/^still waiting after \d+s/);
  });

  test('--heartbeat=0 is none', async ({ kubeAwait, expect }) => {
    const { stderr } = await untilAnswered(() => kubeAwait(['job/late', '--heartbeat=0', '--timeout=4s']));
    expect(stderr).toMatch(/^job\/late: does not exist yet\nhint: .*\n$/);
  });

  for (const [args, env] of [
    [['-q'], {}],
    [['--quiet'], {}],
    [[], { KUBE_AWAIT_QUIET: 'true' }],
  ] as const) {
    const given = args[0] ?? 'KUBE_AWAIT_QUIET';
    test(`${given} silences progress, and neither a result nor what may explain it`, async ({
      ns,
      kubeAwait,
      expect,
    }) => {
      const done = pod({ namespace: ns, name: 'done', exitCode: 0 });
      await api.create(done);
      await api.until(done, (found) => found?.status.phase === 'Succeeded');
      const argv = ['pod/done', 'job/late', '--heartbeat=500ms', '--timeout=4s', ...args];
      const { code, stdout, stderr } = await untilAnswered(() => kubeAwait(argv, { env }));
      expect({ code, stdout, stderr }).toEqual({
        code: 124,
        stdout: 'pod/done reached: Succeeded\njob/late not reached after 4s: does not exist yet\n',
        stderr: expect.stringMatching(/^hint: job\/late: .*\n$/),
      });
    });
  }

  test('-q does not silence a refusal or a usage error', async ({ kubeAwait, identity, expect }) => {
    const who = await identity({ rules: [] });
    const refused = await kubeAwait(['job/x', '-q', '--timeout=0'], { as: who }).exit;
    const wrong = await kubeAwait(['job/x', '-q', '--timeout=10']).exit;
    expect(refused.stderr).toContain('cannot list jobs.batch "x"');
    expect(wrong.stderr).toContain('--timeout');
  });

  test('what others wrote cannot break a line, move the cursor or turn the text round', async ({
    ns,
    kubeAwait,
    expect,
  }) => {
    const message = 'a\nb\r\u001b[31mred\u001b[0m\u009b2J\u202egnp.exe\u2028c';
    const task = pod({ namespace: ns, name: 'x', exitCode: 'ask' });
    await api.create(task);
    await api.until(task, (found) => found?.status.phase === 'Running');
    const run = kubeAwait(['pod/x']);
    await run.line(/^pod\/x: Running$/);
    await api.patchStatus(task, { phase: 'Failed', reason: 'Odd', message });
    const { code, stdout } = await run.exit;
    expect(code).toBe(1);
    expect(stdout).toBe('pod/x failed: Failed, Odd: a\\nb\\r\\e[31mred\\e[0m\\u009b2J\\u202egnp.exe\\u2028c\n');
  });

  const bad = 'a\nb\u001b[31mc\u009b2J\u202ed';

  test.for<[string, readonly string[], object | undefined]>([
    ['an argument', [`job/${bad}`], undefined],
    ['an option', ['job/x', `--${bad}`], undefined],
    ['the kubeconfig', ['job/x'], { 'current-context': bad, contexts: [{ name: bad, context: { cluster: bad } }] }],
    ['a check', ['check', 'job/x', `--server=https://${bad}`], undefined],
  ])('nor can %s', async ([, args, config], { bare, file, expect }) => {
    writeFileSync(file, JSON.stringify(config ?? {}));
    const { code, stdout, stderr } = await bare(args, { kubeconfig: file }).exit;
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^kube-await: [^\p{Cc}\p{Cf}]+\n$/u);
  });

  test('nor can the page of a proxy', async ({ bare, file, expect, onTestFinished }) => {
    const proxy = createServer((_, response) => {
      response.writeHead(502, { 'content-type': 'text/html' }).end(`<html>${bad}\n</html>`);
    }).listen(0, '127.0.0.1');
    onTestFinished(() => void proxy.close());
    await once(proxy, 'listening');
    const { port } = proxy.address() as AddressInfo;
    writeFileSync(file, '{}');
    const args = ['job/x', '--timeout=1s', `--server=http://127.0.0.1:${port}`];
    const { code, stdout, stderr } = await untilAnswered(() => bare(args, { kubeconfig: file }), /502/);
    expect(code).toBe(124);
    for (const line of `${stderr}${stdout}`.trimEnd().split('\n'))
      expect(line).toMatch(/^job\/x[^\p{Cc}\p{Cf}]*502[^\p{Cc}\p{Cf}]*$/u);
  });

  test('a reader that has gone changes nothing', async ({ ns, kubeAwait, exitCodes, expect }) => {
    const target = job({ namespace: ns, name: 'x', exitCode: 'ask' });
    await api.create(target);
    // $PIPESTATUS is the code of the first in the pipe.
    const script = '"$@" 2>&1 | true; exit $PIPESTATUS';
    const bundle = new URL('../../dist/kube-await.cjs', import.meta.url).pathname;
    const command = ['bash', '-c', script, 'bash', process.execPath, bundle];
    const run = kubeAwait(['job/x'], { command });
    exitCodes(target, [0]);
    const { code } = await run.exit;
    expect(code).toBe(0);
  });
});

describe.concurrent('asked about itself', () => {
  test('--version prints a version', async ({ bare, expect }) => {
    const { code, stdout, stderr } = await bare(['--version'], { kubeconfig: 'none' }).exit;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\S*\n$/);
  });

  for (const args of [['--help'], ['-h'], ['job/x', '--help']]) {
    test(`${args.join(' ')} prints usage, options, examples and exit codes`, async ({ bare, expect }) => {
      const { code, stdout, stderr } = await bare(args, { kubeconfig: 'none' }).exit;
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout).toContain('TARGET');
      expect(stdout).toContain('--timeout');
      expect(stdout).toContain('kube-await job/migrate');
      expect(stdout).toMatch(/124 +the timeout passed/);
    });
  }
});
