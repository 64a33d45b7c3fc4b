import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { suggest } from '../../../src/cli/suggest.ts';
import { at, orList, quote, UsageError } from '../../../src/cli/usage-error.ts';
import { ONE_LINE, outcome } from './support.ts';

describe('quoted input', () => {
  test.each([
    ['plain', 'job', '"job"'],
    ['quotes', 'a"b', '"a\\"b"'],
    ['a line break', 'a\nb', '"a\\nb"'],
    ['an escape sequence', '\x1b[2J', '"\\u001b[2J"'],
    ['a C1 control', '\x9b2J', '"\\u009b2J"'],
    ['a line separator', 'a\u2028b', '"a\\u2028b"'],
    ['text that turns round', 'a\u202eb', '"a\\u202eb"'],
    ['no width at all', 'a\u200bb', '"a\\u200bb"'],
    ['other scripts stay', 'größe 大', '"größe 大"'],
    ['long', 'a'.repeat(200), `"${'a'.repeat(120)}..."`],
  ])('%s', (_, input, quoted) => {
    expect(quote(input)).toBe(quoted);
  });

  test('stands on one line, and says what it was', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 40 }), (input) => {
        expect(quote(input)).toMatch(ONE_LINE);
        expect(JSON.parse(quote(input))).toBe(input);
      }),
    );
  });
});

describe('the place of a mistake', () => {
  test('stands before the message', () => {
    const read = () => {
      throw new UsageError('expected b, got a');
    };
    expect(outcome(() => at('--x', read))).toEqual({ refused: '--x: expected b, got a' });
  });

  test('is not put before an error of ours', () => {
    const bug = new TypeError('x is undefined');
    const read = () => {
      throw bug;
    };
    expect(() => at('--x', read)).toThrow(bug);
  });
});

test.each([
  [['a'], 'a'],
  [['a', 'b'], 'a or b'],
  [['a', 'b', 'c'], 'a, b or c'],
])('%j is read out as %s', (words, text) => {
  expect(orList(words)).toBe(text);
});

describe('did you mean', () => {
  test.each([
    ['a letter too few', 'timout', 'timeout'],
    ['a letter too many', 'timeoutt', 'timeout'],
    ['another letter', 'fimeout', 'timeout'],
    ['two letters swapped', 'tiemout', 'timeout'],
    ['two slips in a long word', 'mising-grac', 'missing-grace'],
    ['the nearest', 'log', 'logs'],
  ])('%s', (_, word, meant) => {
    expect(suggest(word, ['heartbeat', 'missing-grace', 'timeout', 'logs'])).toBe(meant);
  });

  test.each([
    ['two slips in a short word', 'tmeot'],
    ['another word', 'bogus'],
    ['nothing', ''],
    ['a whole file', 'timeout'.repeat(100)],
  ])('not for %s', (_, word) => {
    expect(suggest(word, ['heartbeat', 'missing-grace', 'timeout', 'logs'])).toBeUndefined();
  });
});
