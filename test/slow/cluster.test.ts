/** Test clusters that start and end beside the one of this run. */
import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { startCluster } from '../cluster/index.ts';
import { cluster } from '../harness/index.ts';

const clusterDir = join(import.meta.dirname, '..', 'cluster');

/** Commands of all processes that name this folder. */
async function processesOf(folder: string): Promise<string[]> {
  const { stdout } = await promisify(execFile)('ps', ['-axo', 'args']);
  return stdout.split('\n').filter((line) => line.includes(folder));
}

async function untilGone(folder: string): Promise<void> {
  // No event reports the end of a process that is not a child.
  while (existsSync(folder) || (await processesOf(folder)).length > 0) {
    await sleep(50);
  }
}

for (const signal of ['SIGINT', 'SIGKILL'] as const) {
  test(`${signal} to the process that started a cluster leaves no process and no folder`, async () => {
    const runner = spawn(process.execPath, [join(clusterDir, 'up.ts')], { stdio: ['ignore', 'ignore', 'pipe'] });
    const lines = createInterface({ input: runner.stderr });
    let folder: string | undefined;
    for await (const line of lines) {
      folder = / are in (\S+)\. /.exec(line)?.[1];
      if (folder !== undefined) {
        break;
      }
    }
    // etcd and the API server besides those that the supervisor starts itself.
    expect(await processesOf(folder ?? '')).toHaveLength(2 + cluster().coordinates.pids.length);
    runner.kill(signal);
    await untilGone(folder ?? '');
  });
}

test('a second cluster starts and stops', async () => {
  const another = await startCluster();
  await another.stop();
  expect(existsSync(another.coordinates.dir)).toBe(false);
  for (const pid of another.coordinates.pids) {
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  }
});
