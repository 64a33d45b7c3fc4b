/** What COMMAND gets: this process, as it was given to us. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, constants, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { describe } from 'vitest';
import { api, cluster, job, test } from '../harness/index.ts';

const done = ['ns/default', '-n', 'default'];
const program = join(import.meta.dirname, '..', '..', 'dist', 'kube-await.cjs');
const env = () => ({ PATH: process.env.PATH, KUBECONFIG: cluster().kubeconfig });
/** O_NONBLOCK of Linux. */
const NONBLOCK = 0o4000;
const values = (at: number): string => Array.from({ length: 700 }, (_, value) => `value-${at}-${value}`).join(',');

/** Whether each of the file descriptors whose `flags` are shown is non-blocking. */
const flagsIn = (text: string): readonly number[] =>
  [...text.matchAll(/flags:\t(\d+)/g)].map(([, flags = '']) => Number.parseInt(flags, 8) & NONBLOCK);

/** Everything that comes, in small pieces with something between them: the pipe is full most of the time. */
async function readSlowly(stream: Readable): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let pauses = 0;
  for await (const piece of stream) {
    pieces.push(piece as Buffer);
    pauses += 1;
    // Longer than a line of ours waits for a reader.
    if (pauses < 12) await new Promise((resolve) => setTimeout(resolve, 80));
  }
  return Buffer.concat(pieces);
}

/** A named pipe that is read at its one end. */
function fifo(): { readonly path: string; readonly reader: Socket; readonly remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'kube-await-fifo-'));
  const path = join(folder, 'pipe');
  execFileSync('mkfifo', [path]);
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const reader = new Socket({ fd, readable: true, writable: false });
  return { path, reader, remove: () => rmSync(folder, { recursive: true }) };
}

/** A program that opens its standard output with these flags, which no spawn leaves as they are, and becomes another. */
const OPENER = `
  const { closeSync, constants, openSync } = require('node:fs');
  const [path, flags, ...argv] = process.argv.slice(1);
  closeSync(1);
  openSync(path, constants.O_WRONLY | Number(flags));
  process.execve(process.execPath, [process.execPath, ...argv], process.env);`;

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

  test('gets the environment without KUBE_AWAIT_TOKEN', async ({ ns, bare, expect }) => {
    const token = await cluster().token(ns, 'default');
    // Who it is decides nothing here: the namespace is not even asked for.
    const { stdout } = await bare(sh('env'), { env: { KUBE_AWAIT_TOKEN: token, KUBE_AWAIT_TIMEOUT: '5m' } }).exit;
    expect(stdout).toContain('KUBE_AWAIT_TIMEOUT=5m\n');
    expect(stdout).not.toContain('KUBE_AWAIT_TOKEN');
    expect(stdout).not.toContain(token);
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
    const child = spawn(process.execPath, [program, ...sh(flags)], { env: env(), stdio: ['pipe', 'pipe', 'pipe'] });
    child.stdin.end();
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text) => {
      stderr += text;
    });
    const [output] = await Promise.all([readSlowly(child.stdout), once(child, 'close')]);
    expect(child.exitCode).toBe(0);
    expect(output.subarray(-3_000_000).every((byte) => byte === 0)).toBe(true);
    expect(output.subarray(0, -3_000_000).toString()).toBe('namespace/default reached: Active\n');
    expect(flagsIn(stderr)).toEqual([0, 0, 0]);
  });

  // Named pipes, as container runtimes make them; the flag belongs to all who hold one end.
  test.for([
    ['blocking', 0, 1_000_000],
    ['non-blocking', NONBLOCK, 0],
  ] as const)(
    'a %s pipe whose reader is slow: every line of ours and every byte of COMMAND, and the pipe as it was',
    async ([, flag, flood], { ns, expect, onTestFinished }) => {
      const { path, reader, remove } = fifo();
      onTestFinished(remove);
      const count = 12;
      // Selectors of many kilobytes, so that a few lines fill a pipe.
      const selectors = Array.from({ length: count }, (_, at) => ['pod', '-l', `app notin (${values(at)})`]);
      const command = ['sh', '-c', `grep flags /proc/self/fdinfo/1; head -c ${flood} /dev/zero`];
      const args = ['-n', ns, '-o', 'json', '--for=delete', ...selectors.flat(), '--', ...command];
      const argv = ['--no-warnings', '-e', OPENER, path, String(flag), program, ...args];
      const child = spawn(process.execPath, argv, { env: env(), stdio: ['ignore', 'ignore', 'ignore'] });
      onTestFinished(() => void child.kill('SIGKILL'));
      const [output] = await Promise.all([readSlowly(reader), once(child, 'close')]);
      expect(child.exitCode).toBe(0);
      const ours = output.length - flood;
      expect(output.subarray(ours).every((byte) => byte === 0)).toBe(true);
      const lines = output.subarray(0, ours).toString().trimEnd().split('\n');
      const flags = lines.pop() ?? '';
      expect(lines.map((line) => JSON.parse(line).event).filter((event) => event !== 'waiting')).toEqual([
        ...Array(count).fill('reached'),
        'done',
      ]);
      expect(flagsIn(flags)).toEqual([flag]);
    },
  );

  describe('where Node cannot replace its process', () => {
    const NODE_OPTIONS = '--import=data:text/javascript,delete%20process.execve';

    test('runs as a child, whose exit code is kept', async ({ bare, expect }) => {
      const run = bare(sh('echo "pid $$ $KUBE_AWAIT_TIMEOUT"; exit 7'), {
        env: { NODE_OPTIONS, KUBE_AWAIT_TIMEOUT: '5m' },
      });
      const { code, stdout } = await run.exit;
      expect(code).toBe(7);
      expect(stdout).toMatch(/^pid \d+ 5m$/m);
      expect(stdout).not.toContain(`pid ${run.pid} `);
    });

    test('hands signals on, and gives the code of a child that one has ended', async ({ bare, expect }) => {
      const trapping = bare(sh('trap "exit 9" TERM; echo ready; while :; do sleep 0.05; done'), {
        env: { NODE_OPTIONS },
      });
      const plain = bare([...done, '--', 'sleep', '1000'], { env: { NODE_OPTIONS } });
      await trapping.line(/^ready$/);
      await plain.line(/reached/);
      trapping.kill('SIGTERM');
      expect((await trapping.exit).code).toBe(9);
      plain.kill('SIGTERM');
      expect((await plain.exit).code).toBe(143);
    });
  });
});
