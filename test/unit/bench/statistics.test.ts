import { describe, expect, test } from 'vitest';
import { median, pairedDifference, pairedRatio } from '../../../bench/statistics.ts';

test.for([
  [[3, 1, 2], 2],
  [[4, 1, 3, 2], 2.5],
  [[7], 7],
  [[10, 9, 100], 10],
  [[], Number.NaN],
] as const)('the median of %j is %d', ([values, expected]) => {
  expect(median(values)).toBe(expected);
});

describe('pairs', () => {
  test('are compared one by one: a slow moment is slow for both', () => {
    expect(pairedRatio([10, 100, 10], [20, 200, 20])).toBe(0.5);
    // The medians alone would say 10 / 100.
    expect(pairedRatio([10, 10, 100], [20, 100, 100])).toBe(0.5);
    expect(pairedDifference([11, 101, 12], [10, 100, 10])).toBe(1);
  });

  test('are as many of one as of the other', () => {
    expect(() => pairedRatio([1], [])).toThrow('pairs wanted');
    expect(() => pairedDifference([1], [1, 2])).toThrow('pairs wanted');
  });
});
