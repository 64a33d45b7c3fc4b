/**
 * `npm run test:faults -- --runs 1000 --seed N`: so many random runs through faults of the connection, side by side on one
 * API server, and meanwhile `--outages 20` of another that is stopped, killed, or put back to an older etcd. A run that
 * goes wrong is run again in ever simpler forms, and the simplest that still goes wrong is printed, to be kept in
 * kept.json. Ends with 1 if any did.
 */
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { type Cluster, startCluster } from '../cluster/index.ts';
import { wholeNumber } from '../harness/numbers.ts';
import { inParallel } from '../harness/pool.ts';
import { runProgram } from '../harness/program.ts';
import { makeBench } from './bench.ts';
import { anyCase, type Bench, type Case, runCase } from './case.ts';
import { startControlPlane } from './control-plane.ts';
import { anyOutage, runOutage } from './outage.ts';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '1000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    outages: { type: 'string', default: '20' },
    'at-once': { type: 'string', default: '24' },
  },
});

interface Given {
  readonly runs: number;
  readonly seed: number;
  /** How many outages. */
  readonly count: number;
  readonly atOnce: number;
}

function given(): Given {
  const number = (name: keyof typeof values): number => wholeNumber(`--${name}`, values[name]);
  return { runs: number('runs'), seed: number('seed'), count: number('outages'), atOnce: number('at-once') };
}

/** Each run has a seed of its own, so that any one can be run alone: `--runs 1 --seed ITS_SEED`. */
const caseOf = (seed: number): Case | undefined => fc.sample(anyCase, { seed, numRuns: 1 })[0];

async function simplest(bench: Bench, seed: number): Promise<string> {
  const property = fc.asyncProperty(anyCase, async (one) => {
    const wrongs = await runCase(bench, one);
    if (wrongs.length > 0) throw new Error(wrongs.join('\n'));
  });
  const details = await fc.check(property, { seed, numRuns: 1, interruptAfterTimeLimit: 180_000 });
  return details.failed ? JSON.stringify(details.counterexample?.[0]) : 'it went well when it was run again';
}

async function connectionFaults(cluster: Cluster, { runs, seed, atOnce }: Given): Promise<number> {
  const bench = await makeBench(cluster);
  const seeds = Array.from({ length: runs }, (_, index) => seed + index);
  let done = 0;
  const wrongs = await inParallel(seeds, atOnce, async (one) => {
    const made = caseOf(one);
    const found = made === undefined ? [] : await runCase(bench, made);
    done += 1;
    if (done % 100 === 0) console.error(`${done} of ${runs} runs`);
    for (const wrong of found) console.log(`seed ${one}: ${wrong}\n${JSON.stringify(made)}`);
    return found;
  });
  const bad = seeds.filter((_, index) => (wrongs[index] ?? []).length > 0);
  for (const one of bad.slice(0, 3)) console.log(`the simplest of seed ${one}:\n${await simplest(bench, one)}`);
  console.log(`seed ${seed}: ${runs - bad.length} runs went well, ${bad.length} went wrong`);
  return bad.length;
}

/** Of the API server as a whole: one after the other, on one of their own. */
async function outages(cluster: Cluster, { count, seed }: Given): Promise<number> {
  if (count === 0) return 0;
  const plane = await startControlPlane(cluster);
  let [waits, bad] = [0, 0];
  for (const [index, outage] of fc.sample(anyOutage(60_000), { seed, numRuns: count }).entries()) {
    const wrongs = await runOutage(cluster, plane, outage);
    waits += outage.waits.length;
    if (wrongs.length > 0) bad += 1;
    for (const wrong of wrongs) console.log(`outage ${index}: ${wrong}\n${JSON.stringify(outage)}`);
    console.error(`${index + 1} of ${count} outages`);
  }
  await plane.close();
  console.log(`seed ${seed}: ${count - bad} outages with ${waits} waits went well, ${bad} went wrong`);
  return bad;
}

async function main(): Promise<number> {
  const options = given();
  const cluster = await startCluster({ progress: (line) => console.error(line) });
  try {
    const bad = await Promise.all([connectionFaults(cluster, options), outages(cluster, options)]);
    return bad.every((count) => count === 0) ? 0 : 1;
  } finally {
    await cluster.stop();
  }
}

await runProgram(main);
