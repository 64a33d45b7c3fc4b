const CODES = { reached: 0, pending: 124, failed: 1 } as const;

/** A target, its verdict, and the reason that its line gives. */
export interface Look {
  readonly target: string;
  readonly ends: keyof typeof CODES;
  readonly says: string;
}

/**
 * The runs with `--timeout=0` that show the verdict of each target, and what they end with: one run for all targets
 * that do not end it, with a line for each, and one for each target that fails.
 */
export function looksAt(targets: readonly Look[]) {
  const line = ({ target, ends, says }: Look): string =>
    `${target} ${ends === 'pending' ? 'not reached' : ends}: ${says}\n`;
  const failing = targets.filter(({ ends }) => ends === 'failed');
  const others = targets.filter(({ ends }) => ends !== 'failed');
  return [others, ...failing.map((one) => [one])]
    .filter((some) => some.length > 0)
    .map((some) => ({
      args: [...some.map(({ target }) => target), '--timeout=0'],
      code: CODES[some.find(({ ends }) => ends !== 'reached')?.ends ?? 'reached'],
      stdout: some.map(line).join(''),
    }));
}

/** A name for the object of a row that says which row it is; short enough for the labels that controllers make of it. */
export const slug = (text: string, length = 50): string => {
  const words = text.toLowerCase().match(/[a-z0-9]+/g) ?? [];
  return words.join('-').slice(0, length).replace(/-$/, '');
};
