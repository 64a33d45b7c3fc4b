/** A Job that is Complete already: what every pod pays at every start whose Job is long done. */
import type { Figure, Findings, Row } from '../figures.ts';
import { type Command, inTurn, memoryOfRun, wallOf } from '../process.ts';
import { median, pairedRatio } from '../statistics.ts';
import { completeJob, makeJob, type Way, type World } from '../world.ts';
import type { Scale } from './index.ts';

/** Memory varies little from run to run. */
const MEMORY_RUNS = 5;
const NAME = 'done';

export async function doneJob(world: World, { pairs }: Scale): Promise<Findings> {
  await completeJob(world, await makeJob(world, NAME));
  const rows: Row[] = [];
  const figures: Figure[] = [];
  for (const way of world.ways) {
    const commands = programs(world, way);
    const walls = await inTurn(commands, pairs, wallOf);
    const memories = await inTurn(commands, MEMORY_RUNS, memoryOfRun);
    const peaks = memories.map((runs) => runs.map(({ peakKiB }) => peakKiB / 1024));
    commands.forEach(({ program }, index) => {
      rows.push({
        case: `done Job, ${way}`,
        program,
        values: {
          wallMs: median(walls[index] ?? []),
          peakMiB: median(peaks[index] ?? []),
          anonMiB: median((memories[index] ?? []).map(({ anonKiB }) => anonKiB / 1024)),
        },
        runs: pairs,
      });
    });
    const against = (values: readonly number[][], program: string): number => {
      const index = commands.findIndex((command) => command.program === program);
      return pairedRatio(values[0] ?? [], values[index] ?? []);
    };
    if (way === 'in-cluster') {
      figures.push({ bar: 'jobFloorWall', value: against(walls, 'bare Node') });
      figures.push({ bar: 'jobFloorPeak', value: against(peaks, 'bare Node') });
    } else {
      figures.push({ bar: 'jobKubeconfigWall', value: against(walls, 'bare Node') });
      figures.push({ bar: 'jobKubeconfigPeak', value: against(peaks, 'bare Node') });
    }
    // The peers are met where they are mostly used: in a pod.
    if (way === world.ways[0]) {
      figures.push({ bar: 'jobKubectl', value: against(walls, 'kubectl wait') });
      if (world.script !== undefined) figures.push({ bar: 'jobScript', value: against(walls, 'k8s-wait-for') });
    }
  }
  return { rows, figures, remarks: [] };
}

/** Ours first. */
function programs(world: World, way: Way): Command[] {
  const script = world.script === undefined ? [] : [world.waitForSh(world.script, ['job', NAME], way)];
  return [
    world.kubeAwait([`job/${NAME}`], way),
    world.floor(NAME, way),
    world.kubectl(['wait', '--for=condition=Complete', `job/${NAME}`], way),
    ...script,
  ];
}
