import { afterAll, beforeAll, describe } from 'vitest';
import { makeBench, removeBench } from '../faults/bench.ts';
import { type Bench, randomCases, runCase } from '../faults/case.ts';
import { cluster, test } from '../harness/index.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await makeBench(cluster());
});
afterAll(() => removeBench(bench));

describe.concurrent('random lives through random faults', () => {
  test.for([...randomCases(100).entries()])('case %i', async ([, one], { expect }) => {
    expect(await runCase(bench, one)).toEqual([]);
  });
});
