/** jsonpath, whatever the expression and the object. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { JsonPathError, judgeJsonPath, parseJsonPath } from '../../../src/verdict/jsonpath.ts';
import { anyCharacter } from '../../inputs/kind.ts';

const judge = (path: string, object: unknown, value?: string) => judgeJsonPath(parseJsonPath(path), value, object);

describe('whatever comes', () => {
  test('a field of any name is found, each character of it escaped', () => {
    const name = fc.string({ unit: anyCharacter, minLength: 1 }).filter((text) => !/[\\{}]/.test(text));
    fc.assert(
      fc.property(fc.array(name, { minLength: 1, maxLength: 4 }), (names) => {
        const object = names.reduceRight<unknown>((inner, key) => ({ [key]: inner }), 'here');
        const path = names.map((key) => `.${[...key].map((character) => `\\${character}`).join('')}`).join('');
        expect(judge(path, object, 'here')).toEqual({ state: 'reached', shown: 'here' });
      }),
    );
  });

  test('an index or a slice finds what Array.at and Array.slice find, or is out of bounds', () => {
    const bound = fc.integer({ min: -6, max: 6 });
    fc.assert(
      fc.property(fc.array(fc.nat(9), { maxLength: 5 }), bound, bound, (list, start, end) => {
        const one = judge(`.list[${start}]`, { list });
        if (one.state === 'reached') expect(one.shown).toBe(String(list.at(start)));
        else expect(list.at(start)).toBeUndefined();
        const { problem, shown } = { problem: undefined, ...judge(`.list[${start}:${end}]`, { list }) };
        if (problem !== undefined && !problem.includes('more than one')) return;
        const found = list.slice(start, end);
        expect(shown).toBe(
          found.length === 0 ? undefined : found.slice(0, 3).join(', ') + (found.length > 3 ? ', ...' : ''),
        );
      }),
    );
  });
});

describe('hostile input costs little', () => {
  const nested = (depth: number): unknown => {
    let object: unknown = { needle: 'found' };
    for (let level = 0; level < depth; level += 1) object = level % 2 === 0 ? { a: object } : [object];
    return object;
  };

  test('a document nested far deeper than the stack', () => {
    expect(judge('..needle', nested(200_000), 'found')).toEqual({ state: 'reached', shown: 'found' });
    expect(judge('.a', nested(200_001), 'found').state).toBe('failed');
  });

  test('as many values as an object can hold', () => {
    const object = { list: Array.from({ length: 750_000 }, () => 1) };
    expect(judge('..needle', object)).toEqual({ state: 'pending', shown: undefined });
    expect(judge('.list[*]', object).state).toBe('failed');
  });

  test('a descent in each step', () => {
    const { problem } = { problem: undefined, ...judge("..['*']..['*']..['*']..x", nested(2_000)) };
    expect(problem).toBe('given jsonpath expression looks at too many values');
    const filter = judge('.list[?(@..a)]', { list: Array(100).fill(nested(100_000)) });
    expect(filter).toMatchObject({ state: 'failed', problem });
  });

  test('a long expression', () => {
    for (const part of [
      'a',
      '.a',
      '[0]',
      '\\',
      ' ',
      '..a',
      '[?(',
      '[?(@==1)]',
      '=',
      "'",
      '"a"',
      '[0,0]',
      '-',
      '1',
      '!',
    ]) {
      const text = `.a${part.repeat(100_000 / part.length)}`;
      try {
        parseJsonPath(text);
      } catch (error) {
        expect(error).toBeInstanceOf(JsonPathError);
      }
    }
  });
});
