/** The live view on a pseudo-terminal, as a person sees it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe } from 'vitest';
import { test as base, cluster, endPod, type Json, job, api as rest } from '../harness/index.ts';
import { type OnTerminal, startOnTerminal, type TerminalOptions } from '../harness/terminal.ts';

const program = path.join(import.meta.dirname, '..', '..', 'dist', 'kube-await.mjs');

interface Fixtures {
  /** Starts kube-await in `ns` on a terminal of 80 columns and 24 rows, unless told otherwise. */
  onTerminal: (args: readonly string[], options?: Partial<TerminalOptions>) => OnTerminal;
  /** The path of a file that is not there yet. */
  file: string;
}

const test = base.extend<Fixtures>({
  onTerminal: async ({ ns }, use) => {
    const runs: OnTerminal[] = [];
    await use((args, { env, ...options } = {}) => {
      const dashes = args.indexOf('--');
      const split = dashes === -1 ? args.length : dashes;
      const argv = [process.execPath, program, ...args.slice(0, split), '-n', ns, ...args.slice(split)];
      const { PATH, HOME } = process.env;
      const own = { PATH, HOME, KUBECONFIG: cluster().kubeconfig, TERM: 'xterm-256color' };
      const run = startOnTerminal(argv, { columns: 80, rows: 24, env: { ...own, ...env }, ...options });
      runs.push(run);
      cluster()
        .hold(run.pid)
        .catch(() => {});
      return run;
    });
    for (const run of runs) run.kill();
    await Promise.all(runs.map((run) => run.exit));
  },
  file: async ({ task: _ }, use) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'kube-await-live-'));
    await use(path.join(folder, 'stdout'));
    rmSync(folder, { recursive: true });
  },
});

/** The running pods of a Job. */
async function podsOf(namespace: string, name: string, count: number): Promise<readonly Json[]> {
  let running: Json[] = [];
  await rest.untilAll(`/api/v1/namespaces/${namespace}/pods?labelSelector=job-name%3D${name}`, (pods) => {
    running = pods.filter(({ status }) => status.phase === 'Running');
    return running.length === count;
  });
  return running.map((pod) => ({ ...pod, apiVersion: 'v1', kind: 'Pod' }));
}

describe.concurrent('the live view', () => {
  test('draws each change over what was there', async ({ ns, onTerminal, expect }) => {
    await rest.create(job({ namespace: ns, name: 'migrate', exitCode: 'ask', completions: 4, parallelism: 2 }));
    await rest.create(job({ namespace: ns, name: 'seed' }));
    const run = onTerminal(['job/migrate', 'job/seed', 'pod', '-l', 'job-name=migrate', 'job/none']);
    const [one] = await podsOf(ns, 'migrate', 2);
    await run.until(({ lines }) => lines.some((line) => line.includes('2 active')));
    if (one !== undefined) await endPod(one as never, 0);
    const { lines } = await run.until(({ lines }) => lines.some((line) => line.includes('1/4 succ')));
    expect(lines).toHaveLength(5);
    await run.signal('SIGTERM');
    expect(await run.exit).toBe(143);
    expect(run.screen().wrapped).toBe(false);
  });
});
