import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe } from 'vitest';
import { cluster, test } from '../harness/index.ts';
import { makeBench, removeBench } from './bench.ts';
import { anyCase, type Bench, type Case, runCase } from './case.ts';
import type { Fault } from './faults.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await makeBench(cluster());
});
afterAll(() => removeBench(bench));

interface Kept {
  readonly title: string;
  readonly case: Omit<Case, 'script'> & { readonly script: readonly (Fault | null)[] };
}

const kept = JSON.parse(readFileSync(join(import.meta.dirname, 'kept.json'), 'utf8')) as readonly Kept[];

describe.concurrent('a case that is kept', () => {
  test.for(kept)('$title', async ({ case: one }, { expect }) => {
    const script = one.script.map((fault) => fault ?? undefined);
    expect(await runCase(bench, { ...one, script })).toEqual([]);
  });
});

// `npm run test:faults` tries as many others as one likes.
describe.concurrent('random lives through random faults', () => {
  test.for(fc.sample(anyCase, { seed: 20_260, numRuns: 60 }).map((one, index) => [index, one] as const))(
    'case %i',
    async ([, one], { expect }) => {
      expect(await runCase(bench, one)).toEqual([]);
    },
  );
});
