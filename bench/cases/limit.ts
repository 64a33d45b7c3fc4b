/** The same Job where a container may take 32 MiB. */
import { limitMemory } from '../cgroup.ts';
import type { Findings } from '../figures.ts';
import { inTurn, wallOf } from '../process.ts';
import { median } from '../statistics.ts';
import { completeJob, makeJob, type World } from '../world.ts';
import type { Scale } from './index.ts';

const LIMIT_MIB = 32;

export async function memoryLimit(world: World, { pairs }: Scale): Promise<Findings> {
  const limit = limitMemory(LIMIT_MIB * 1024 * 1024);
  if (typeof limit === 'string') return { rows: [], figures: [], remarks: [`no run under ${LIMIT_MIB} MiB: ${limit}`] };
  await completeJob(world, await makeJob(world, 'limited'));
  const free = world.kubeAwait(['job/limited'], world.ways[0] ?? 'kubeconfig');
  const limited = limit.within(free);
  try {
    // Whoever is killed for its memory does not end with 0, and that is an error.
    const walls = await inTurn([free, limited], pairs, wallOf);
    const peakKiB = limit.takePeakKiB();
    const name = `done Job under ${LIMIT_MIB} MiB`;
    return {
      rows: [free, limited].map(({ program }, index) => ({
        case: name,
        program,
        values: {
          wallMs: median(walls[index] ?? []),
          ...(index === 1 && peakKiB !== undefined ? { anonMiB: peakKiB / 1024 } : {}),
        },
        runs: pairs,
      })),
      figures: [],
      remarks: [
        `${name}: its column of anonymous memory has the most that the cgroup was charged with in all runs, page cache` +
          ' that was new to the machine among it',
      ],
    };
  } finally {
    limit.remove();
  }
}
