/** What COMMAND gets: this process, as it was given to us. */
import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe } from 'vitest';
import { api, cluster, job, test } from '../harness/index.ts';

const done = ['ns/default', '-n', 'default'];
const sh = (script: string): string[] => [...done, '--', '/bin/sh', '-c', script];

describe.concurrent('-- COMMAND', () => {
  test('runs once all is reached, in the same process, with its own exit code', async ({ bare, expect }) => {
    const run = bare(sh('echo "pid $$"; exit 7'));
    const { code, stdout } = await run.exit;
    expect(code).toBe(7);
    expect(stdout).toBe(`namespace/default reached: Active\npid ${run.pid}\n`);
  });

  test('does not run when a target has failed', async ({ ns, kubeAwait, expect }) => {
    await api.create(job({ namespace: ns, name: 'a', exitCode: 1 }));
    const { code, stdout } = await kubeAwait(['job/a', '--', 'echo', 'ran']).exit;
    expect(code).toBe(1);
    expect(stdout).not.toContain('ran');
  });

  test('gets the environment without KUBE_AWAIT_TOKEN', async ({ bare, expect }) => {
    const { stdout } = await bare(sh('echo "[$KUBE_AWAIT_TOKEN][$KUBE_AWAIT_TIMEOUT]"'), {
      env: { KUBE_AWAIT_TOKEN: '', KUBE_AWAIT_TIMEOUT: '5m' },
    }).exit;
    expect(stdout).toContain('[][5m]');
    const { stdout: names } = await bare(sh('env'), { env: { KUBE_AWAIT_TOKEN: '' } }).exit;
    expect(names).not.toContain('KUBE_AWAIT_TOKEN');
  });

  test('gets all signals as they are by default', async ({ bare, expect }) => {
    const { stdout } = await bare([...done, '--', 'grep', '-E', '^Sig(Ign|Blk):', '/proc/self/status']).exit;
    expect(stdout).toMatch(/SigBlk:\t0+\nSigIgn:\t0+\n/);
  });

  test('gets SIGTERM itself', async ({ bare, expect }) => {
    const run = bare(sh('trap "exit 9" TERM; echo ready; while :; do sleep 0.05; done'));
    await run.line(/^ready$/);
    run.kill('SIGTERM');
    expect((await run.exit).code).toBe(9);
  });

  test.for([
    [127, 'no-such-program', 'there is no such program'],
    [127, '/no/such/program', 'there is no such program'],
    [126, '/etc/passwd', 'it cannot be executed'],
    [126, '/etc', 'it cannot be executed'],
  ] as const)('%i for %s', async ([expected, program, said], { bare, expect }) => {
    const { code, stderr } = await bare([...done, '--', program]).exit;
    expect(code).toBe(expected);
    expect(stderr).toContain(`kube-await: ${program}: ${said}`);
  });

  test('126 for a file that is no program', async ({ bare, expect, onTestFinished }) => {
    const folder = mkdtempSync(join(tmpdir(), 'kube-await-test-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'text');
    writeFileSync(file, 'no program\n');
    chmodSync(file, 0o755);
    const { code, stderr } = await bare([...done, '--', file]).exit;
    expect(code).toBe(126);
    expect(stderr).toContain('it cannot be executed');
  });

  test('gets its pipes blocking, and a slow reader loses nothing', async ({ expect }) => {
    const flags = 'for fd in 0 1 2; do grep flags /proc/self/fdinfo/$fd; done >&2; head -c 3000000 /dev/zero';
    const program = join(import.meta.dirname, '..', '..', 'dist', 'kube-await.mjs');
    const child = spawn(process.execPath, [program, ...sh(flags)], {
      env: { PATH: process.env.PATH, KUBECONFIG: cluster().kubeconfig },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    child.stdin.end();
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text) => {
      stderr += text;
    });
    let bytes = 0;
    // One small piece at a time: the pipe is full most of the time.
    child.stdout.on('readable', () => {
      const piece = child.stdout.read(4096) ?? child.stdout.read();
      if (piece !== null) bytes += piece.filter((byte: number) => byte === 0).length;
      setImmediate(() => child.stdout.emit('readable'));
    });
    const code = await new Promise((resolve) => child.on('close', resolve));
    expect(code).toBe(0);
    expect(bytes).toBe(3_000_000);
    // O_NONBLOCK is 04000.
    for (const line of stderr.match(/flags:\t\d+/g) ?? []) expect(Number.parseInt(line.slice(7), 8) & 0o4000).toBe(0);
    expect(stderr.match(/flags:/g)).toHaveLength(3);
  });
});
