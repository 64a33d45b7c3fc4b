/**
 * `npm run test:inputs -- --inputs 100000 --seed N`: so many generated inputs, spread over all ways in which something comes
 * in from outside. Each is taken, or refused with one clear line. Ends with 1, and the simplest input, where one is not.
 */
import { parseArgs } from 'node:util';
import { wholeNumber } from '../harness/numbers.ts';
import { runProgram } from '../harness/program.ts';
import { INPUTS } from './index.ts';

const { values } = parseArgs({
  options: {
    inputs: { type: 'string', default: '100000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
});

async function main(): Promise<number> {
  const [inputs, seed] = [wholeNumber('--inputs', values.inputs), wholeNumber('--seed', values.seed)];
  let failed = 0;
  let total = 0;
  for (const { name, run } of INPUTS) {
    try {
      const { taken, refused } = await run(Math.ceil(inputs / INPUTS.length), seed);
      total += taken + refused;
      console.log(`${name}: ${taken} taken, ${refused} refused with one line`);
    } catch (error) {
      failed += 1;
      console.log(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  console.log(`seed ${seed}: ${total} inputs, ${failed} of ${INPUTS.length} kinds went wrong`);
  return failed === 0 ? 0 : 1;
}

await runProgram(main);
