import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isSame } from '../../src/json.ts';

const plain = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom(undefined, null, true, 0, 1, Number.NaN, '', 'a'),
    fc.array(tie('value'), { maxLength: 2 }),
    fc.dictionary(fc.constantFrom('a', 'b'), tie('value'), { maxKeys: 2, noNullPrototype: true }),
  ),
})).value;

test('plain data is the same where Node says so', () => {
  fc.assert(
    fc.property(plain, plain, (a, b) => {
      expect(isSame(a, b)).toBe(isDeepStrictEqual(a, b));
      expect(isSame(a, structuredClone(a))).toBe(true);
    }),
    { numRuns: 2000 },
  );
});

test('other objects are the same as themselves only', () => {
  const map = new Map();
  expect(isSame({ map }, { map })).toBe(true);
  expect(isSame({ map }, { map: new Map() })).toBe(false);
  expect(isSame(new Error('a'), new Error('a'))).toBe(false);
});
