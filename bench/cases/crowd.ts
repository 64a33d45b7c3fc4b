/** Many waiters for one Job, as the pods of a large Deployment are. */
import { readAudit } from '../audit.ts';
import type { Findings } from '../figures.ts';
import { type Started, start } from '../process.ts';
import { memoryOf } from '../procfs.ts';
import { median } from '../statistics.ts';
import { completeJob, makeJob, type World } from '../world.ts';
import type { Scale } from './index.ts';

/** So many start at a time: two cores can do no more. */
const STARTING = 8;

export async function crowd(world: World, { waiters }: Scale): Promise<Findings> {
  const made = await makeJob(world, 'crowd');
  const audit = readAudit(world.cluster.auditLog, 'crowd');
  const way = world.ways[0] ?? 'kubeconfig';
  const started: Started[] = [];
  let watching = 0;
  while (watching < waiters) {
    while (started.length < waiters && started.length < watching + STARTING) {
      started.push(start(world.kubeAwait(['job/crowd', '--timeout=10m'], way)));
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
    watching += audit.next(/^kube-await\//).filter(({ verb }) => verb === 'watch').length;
  }
  const memories = started.map(({ pid }) => memoryOf(pid)).filter((memory) => memory !== undefined);
  audit.close();
  await completeJob(world, made);
  const answered = performance.now();
  const ends = await Promise.all(started.map(({ end }) => end));
  const wrong = ends.filter(({ code }) => code !== 0).length;
  if (wrong > 0) throw new Error(`${wrong} of ${waiters} waiters did not end with 0`);
  const lateMs = Math.max(...ends.map(({ at }) => at - answered));
  return {
    rows: [
      {
        case: `${waiters} waiters, ${way}`,
        program: 'kube-await',
        values: {
          lateMs,
          peakMiB: median(memories.map(({ peakKiB }) => peakKiB / 1024)),
          anonMiB: median(memories.map(({ anonKiB }) => anonKiB / 1024)),
        },
        runs: 1,
      },
    ],
    figures: waiters >= 300 ? [{ bar: 'crowd', value: lateMs / 1000 }] : [],
    remarks: waiters >= 300 ? [] : [`${waiters} waiters only, so no bar of 300`],
  };
}
