import { expect, test } from 'vitest';
import { INPUTS } from '../inputs/index.ts';

// `npm run test:inputs` feeds a hundred thousand of them.
test.each(INPUTS.map(({ name, run }) => [name, run] as const))(
  '%s: each is taken or refused with one line',
  async (_, run) => {
    const { taken, refused } = await run(1_000, 20_262);
    expect(taken + refused).toBe(1_000);
    expect(taken).toBeGreaterThan(0);
  },
);
