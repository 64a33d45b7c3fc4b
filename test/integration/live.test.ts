/** The live view on a pseudo-terminal, as a person sees it. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe } from 'vitest';
import { test as base, cluster, endPod, type Json, job, api as rest } from '../harness/index.ts';
import { type OnTerminal, type Screen, startOnTerminal, type TerminalOptions } from '../harness/terminal.ts';

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

/** The screen without what changes from run to run: times. */
const still = ({ lines }: Screen): readonly string[] =>
  lines.map((line) => line.replace(/\b(\d+[hms])+(?= gone| left|$)/g, 'TIME'));

describe.concurrent('the live view', () => {
  test('try', async ({ ns, onTerminal, expect }) => {
    await rest.create(job({ namespace: ns, name: 'migrate', exitCode: 'ask', completions: 4, parallelism: 2 }));
    await rest.create(job({ namespace: ns, name: 'seed' }));
    const run = onTerminal([
      'job/migrate',
      'job/seed',
      'pod',
      '-l',
      'job-name=migrate',
      'job/none',
      '--heartbeat',
      '1s',
    ]);
    await podsOf(ns, 'migrate', 2);
    await run.until(({ lines }) => lines.some((line) => line.includes('2 active')));
    console.log(run.screen().lines);
    const [one] = await podsOf(ns, 'migrate', 2);
    await endPod(one as never, 0);
    await run.until(({ lines }) => lines.some((line) => line.includes('1/4 succ')));
    console.log(run.screen().lines);
    await run.resize(40, 24);
    await run.until(({ lines }) => lines.some((line) => line.includes('1/4 succ')));
    console.log(run.screen());
    await run.signal('SIGTERM');
    console.log(await run.exit, run.screen().lines, run.screen().wrapped, JSON.stringify(run.output()));
  });
});
