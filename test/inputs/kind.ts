import { strictEqual } from 'node:assert/strict';
import fc from 'fast-check';
import { ONE_LINE } from '../unit/cli/support.ts';

/** One way in which something from outside comes in. */
export interface InputKind {
  readonly name: string;
  /** Feeds so many generated inputs. Throws, with the simplest that it finds, where one is not dealt with. */
  run(inputs: number, seed: number): Promise<Tally>;
}

export interface Tally {
  readonly taken: number;
  /** With one clear line each. */
  readonly refused: number;
}

/** Any character. `unit: 'binary'` of fast-check is the same, and takes two seconds of CPU when it is first used. */
export const anyCharacter: fc.Arbitrary<string> = fc
  .oneof(fc.integer({ min: 0, max: 0xd7ff }), fc.integer({ min: 0xe000, max: 0x10ffff }))
  .map((codePoint) => String.fromCodePoint(codePoint));

/** What `feed` gives: undefined where it took the input, else the one line with which it was refused. */
export function inputKind<T>(
  name: string,
  arbitrary: fc.Arbitrary<T>,
  feed: (input: T) => string | undefined | Promise<string | undefined>,
): InputKind {
  return {
    name,
    async run(inputs, seed) {
      let [taken, refused] = [0, 0];
      const property = fc.asyncProperty(arbitrary, async (input) => {
        const refusal = await feed(input);
        if (refusal === undefined) {
          taken += 1;
          return;
        }
        strictEqual(ONE_LINE.test(refusal), true, `not one line: ${JSON.stringify(refusal)}`);
        refused += 1;
      });
      await fc.assert(property, { numRuns: inputs, seed });
      return { taken, refused };
    },
  };
}

/** The message of an error of this kind, undefined where there was none. Other errors go on. */
export async function refusalBy(
  kind: new (...args: never[]) => Error,
  make: () => unknown,
): Promise<string | undefined> {
  try {
    await make();
    return undefined;
  } catch (error) {
    if (error instanceof kind) return error.message;
    throw error;
  }
}
