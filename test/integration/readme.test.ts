/** What README.md shows is what the program prints, but for names and nodes that differ from run to run. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe } from 'vitest';
import { type Block, commandsOf, pages } from '../harness/documents.ts';
import { api, cluster, endPod, type Json, job, type Run, test, writeLog } from '../harness/index.ts';

/** The block of README.md that has this text in it. */
function blockWith(text: string): Block {
  const found = pages()
    .filter(({ name }) => name === 'README.md')
    .flatMap(({ blocks }) => blocks)
    .filter((block) => /console|text/.test(block.language) && block.text.includes(text));
  const [block] = found;
  if (block === undefined || found.length > 1) throw new Error(`${found.length} blocks of README.md have: ${text}`);
  return block;
}

/** The lines that a console block shows behind its only command, and the arguments of that. */
function shownBy(block: Block): { readonly args: readonly string[]; readonly output: string } {
  const [command = ''] = commandsOf(block);
  const [, ...args] = command.split(' ');
  return { args, output: block.text.slice(block.text.indexOf('\n') + 1) };
}

const masked = (text: string): string =>
  text.replaceAll(/\bpod\/migrate-[a-z0-9]{5}\b/g, 'pod/migrate-XXXXX').replaceAll(/on node \S+:/g, 'on node NODE:');

async function podOf(namespace: string): Promise<Json> {
  const path = `/api/v1/namespaces/${namespace}/pods?labelSelector=job-name%3Dmigrate`;
  const [one] = await api.untilAll(path, ([found]) => found?.status.phase === 'Running');
  return { ...one, apiVersion: 'v1', kind: 'Pod' };
}

/** As on one terminal: both streams in the order in which they were written. */
const AS_ONE = ['/bin/sh', '-c', 'exec "$@" 2>&1', 'sh', process.execPath];
const program = join(import.meta.dirname, '..', '..', 'dist', 'kube-await.cjs');

describe.concurrent('README.md', () => {
  test('a Job that succeeds', async ({ ns, bare, expect }) => {
    const { args, output } = shownBy(blockWith('job/migrate reached'));
    const run: Run = bare([...args], { namespace: ns, command: [...AS_ONE, program] });
    await run.line(/does not exist yet/);
    await api.create(job({ namespace: ns, name: 'migrate', exitCode: 'ask' }));
    await run.line(/1 active/);
    await endPod(await podOf(ns), 0);
    const { code, stdout } = await run.exit;
    expect(stdout).toBe(output);
    expect(code).toBe(0);
  });

  test('a Job that fails, and its termination message', async ({ ns, bare, expect }) => {
    const { args, output } = shownBy(
      blockWith('job/migrate failed: BackoffLimitExceeded: Job has reached the specified backoff limit\n'),
    );
    const message = 'relation "orders" does not exist';
    await api.create(job({ namespace: ns, name: 'migrate', exitCode: 'ask', message }));
    const one = await podOf(ns);
    await writeLog(one, ['applying 41_orders.sql', `ERROR: ${message}`]);
    const log = join(cluster().coordinates.dir, `readme-${ns}`);
    const env = { KUBE_AWAIT_TERMINATION_LOG: log };
    const run = bare([...args], { namespace: ns, env, command: [...AS_ONE, program] });
    await run.line(/1 active/);
    await endPod(one, 1);
    const { code, stdout } = await run.exit;
    expect(masked(stdout)).toBe(masked(output));
    expect(code).toBe(1);
    const described = /^ *Message: +(.*)$/m.exec(blockWith('Last State:').text)?.[1] ?? '';
    expect(masked(readFileSync(log, 'utf8'))).toBe(masked(described));
  });
});
