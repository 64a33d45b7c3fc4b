import { expect, test } from 'vitest';
import { INPUTS } from './index.ts';

/** Tests each kind of input with this number of inputs, the same in each test run. */
export function testInputs(count: number): void {
  test.each(INPUTS.map(({ name, run }) => [name, run] as const))(
    '%s: each is taken, or refused with one line',
    async (_, run) => {
      const { taken, refused } = await run(count, 20_262);
      expect(taken + refused).toBe(count);
      expect(taken).toBeGreaterThan(0);
    },
  );
}
