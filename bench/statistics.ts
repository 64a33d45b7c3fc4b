/** The middle of some numbers; of an even count, between the two in the middle. NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length / 2;
  if (sorted.length % 2 === 1) return sorted[Math.floor(half)] ?? Number.NaN;
  return ((sorted[half - 1] ?? Number.NaN) + (sorted[half] ?? Number.NaN)) / 2;
}

/**
 * How a compares with b, where `a[i]` and `b[i]` were measured one right after the other: the median of the pairs' own
 * ratios. A machine that is slow for a while is slow for both of a pair, so this is steadier than a ratio of medians.
 */
export function pairedRatio(a: readonly number[], b: readonly number[]): number {
  if (a.length !== b.length) throw new Error(`pairs wanted, got ${a.length} and ${b.length} values`);
  return median(a.map((value, index) => value / (b[index] ?? Number.NaN)));
}

/** The same for differences. */
export function pairedDifference(a: readonly number[], b: readonly number[]): number {
  if (a.length !== b.length) throw new Error(`pairs wanted, got ${a.length} and ${b.length} values`);
  return median(a.map((value, index) => value - (b[index] ?? Number.NaN)));
}
