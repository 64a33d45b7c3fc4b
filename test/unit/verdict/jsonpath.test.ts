import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { JsonPathError, judgeJsonPath, parseJsonPath } from '../../../src/verdict/jsonpath.ts';
import { DOCUMENTS, JSONPATH_CASES, type JsonPathCase } from './jsonpath-cases.ts';

const judge = (path: string, object: unknown, value?: string) => judgeJsonPath(parseJsonPath(path), value, object);

describe('as kubectl wait', () => {
  const titled = (row: JsonPathCase): [string, JsonPathCase] => [
    `${row.on} ${JSON.stringify(row.path)}${row.value === undefined ? '' : ` = ${JSON.stringify(row.value)}`}`,
    row,
  ];
  const rows = JSONPATH_CASES.map(titled);

  test.each(rows.filter(([, row]) => (row.ours ?? row.kubectl) !== 'refused'))(
    '%s',
    (_, { on, path, value, ...row }) => {
      const object = { apiVersion: 'v1', kind: 'Document', metadata: { name: on, uid: 'u' }, ...DOCUMENTS[on] };
      const { state, shown, ...more } = judge(path, object, value);
      expect({ state, ...more }).toEqual({
        state: row.kubectl,
        ...(row.kubectl === 'failed' ? { problem: row.message } : {}),
      });
      if (state === 'reached') expect(shown).toBeDefined();
    },
  );

  test.each(rows.filter(([, row]) => (row.ours ?? row.kubectl) === 'refused'))('%s is refused', (_, { path }) => {
    expect(() => parseJsonPath(path)).toThrow(JsonPathError);
  });
});

describe('a message names the expression and what would be right', () => {
  test.each([
    ['{.a}{.b}', 'unexpected path string in "{.a}{.b}": expected .name1.name2 or {.name1.name2}, with no other braces'],
    [
      '.a[?(@.b==Ready)]',
      'unrecognized identifier "Ready" in ".a[?(@.b==Ready)]": ' +
        'expected text in quotes, a dot before a field, a backslash before a space in its name',
    ],
    [
      '.a["b"]',
      String.raw`invalid array index "\"b\"" in ".a[\"b\"]": ` +
        "expected a number, START:END:STEP, * or 'key' in single quotes",
    ],
    [
      '.a[?(@.b && @.c)]',
      'unrecognized character "&" in ".a[?(@.b && @.c)]": ' +
        `expected .field, ['key'], [index], [?(@.field=="value")] or ..`,
    ],
    [
      '.a[?(@.b==1]',
      `unterminated filter in ".a[?(@.b==1]": expected ")]" at the end of a filter, and quotes in pairs`,
    ],
    ['.a[?(@.b<>1)]', 'unrecognized filter operator "<>" in ".a[?(@.b<>1)]": expected ==, !=, <, <=, >, >='],
    ['.a[0', 'unterminated array in ".a[0": expected a "]" for each "["'],
    [
      '.a\u202e,',
      String.raw`unrecognized character "," in ".a\u{202e},": ` +
        `expected .field, ['key'], [index], [?(@.field=="value")] or ..`,
    ],
  ])('%s', (path, message) => {
    expect(() => parseJsonPath(path)).toThrow(new JsonPathError(message));
  });

  test('a long one is cut', () => {
    expect(() => parseJsonPath(`.${'a'.repeat(100_000)}[`)).toThrow(/^unterminated array in ".a{119}\.\.\.": expected/);
  });
});

describe('the comparisons that --for has no way to write', () => {
  const object = { list: [{ n: 1 }, { n: 2 }, { n: 3 }] };
  test.each([
    ['.list[?(@.n!=1)].n', '2, 3'],
    ['.list[?(@.n<=2)].n', '1, 2'],
    ['.list[?(@.n>=3)].n', '3'],
    ['.list[?(@.n>3)].n', undefined],
    // Both sides are those of the element.
    ['.list[?($.n==@.n)].n', '1, 2, 3'],
  ])('%s', (path, shown) => {
    expect(judge(path, object).shown).toBe(shown);
  });
});

describe('what is shown', () => {
  test.each([
    ['nothing', '.a', {}, undefined],
    ['text', '.a', { a: 'Running' }, 'Running'],
    ['text as long as may be', '.a', { a: 'x'.repeat(60) }, 'x'.repeat(60)],
    ['long text, cut', '.a', { a: 'x'.repeat(1000) }, `${'x'.repeat(60)}...`],
    ['null', '.a', { a: null }, '<nil>'],
    ['a number as Go has it', '.a', { a: 0.00000123 }, '1.23e-06'],
    ['an integer in full', '.a', { a: 2 ** 60 }, '1152921504606846976'],
    ['a map', '.a', { a: { b: 1 } }, 'map[...]'],
    ['a list', '.a', { a: [1] }, '[...]'],
    ['several values', '.a[*]', { a: [1, 'b', []] }, '1, b, []'],
    ['many values', '.a[*]', { a: [1, 2, 3, 4] }, '1, 2, 3, ...'],
  ])('%s', (_, path, object, shown) => {
    expect(judge(path, object).shown).toBe(shown);
  });
});

/** Characters and words of which an expression is made, so that many of those generated can be parsed. */
const expression = fc
  .array(
    fc.oneof(
      fc.constantFrom('.a', '.b', '..', '..a', '.*', '[0]', '[-1]', '[*]', '[1:]', "['a']", "['a','b']", '[0,*]', ' '),
      fc.constantFrom('[?(@.a)]', '[?(@.a==1)]', '[?(@.b=="x")]', '[?(@..a<@.b)]', ' "t"', ' 1.5', '[?(@==true)]'),
      fc.constantFrom('[', ']', '(', ')', '?', '"', "'", '\\', '{', '}', '\n', ',', '=', '-', '$', '@', '*', 'é', '😀'),
      fc.string({ maxLength: 3 }),
    ),
    { maxLength: 8 },
  )
  .map((parts) => parts.join(''));
const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'medium' },
    fc.constantFrom(null, true, 0, 1, 1.5, '', 'x', 'a b'),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('a', 'b', '__proto__', 'constructor'), tie('value'), { maxKeys: 3 }),
  ),
})).value;

describe('whatever comes', () => {
  test('an expression is parsed or refused in one line', () => {
    fc.assert(
      fc.property(fc.oneof(expression, fc.string({ unit: 'binary' })), (text) => {
        try {
          parseJsonPath(text);
        } catch (error) {
          expect(error).toBeInstanceOf(JsonPathError);
          expect(String(error)).toMatch(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+: expected [^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+$/u);
        }
      }),
      { numRuns: 1000 },
    );
  });

  test('judging never throws', () => {
    const path = expression.filter((text) => {
      try {
        return parseJsonPath(text).length > 0;
      } catch {
        return false;
      }
    });
    fc.assert(
      fc.property(
        path,
        fc.oneof(json, fc.anything()),
        fc.option(fc.string(), { nil: undefined }),
        (text, object, value) => {
          const outcome = judge(text, object, value);
          expect(outcome.state === 'failed').toBe('problem' in outcome);
        },
      ),
      { numRuns: 3000 },
    );
  });

  test('a field of any name is found, each character of it escaped', () => {
    const name = fc.string({ unit: 'binary', minLength: 1 }).filter((text) => !/[\\{}]/.test(text));
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

  test('a document nested far deeper than the stack', { timeout: 60_000 }, () => {
    expect(judge('..needle', nested(200_000), 'found')).toEqual({ state: 'reached', shown: 'found' });
    expect(judge('.a', nested(200_001), 'found').state).toBe('failed');
  });

  test('as many values as an object can hold', { timeout: 60_000 }, () => {
    const object = { list: Array.from({ length: 750_000 }, () => 1) };
    expect(judge('..needle', object)).toEqual({ state: 'pending', shown: undefined });
    expect(judge('.list[*]', object).state).toBe('failed');
  });

  test('a descent in each step', { timeout: 60_000 }, () => {
    const { problem } = { problem: undefined, ...judge("..['*']..['*']..['*']..x", nested(2_000)) };
    expect(problem).toBe('given jsonpath expression looks at too many values');
    const filter = judge('.list[?(@..a)]', { list: Array(100).fill(nested(100_000)) });
    expect(filter).toMatchObject({ state: 'failed', problem });
  });

  test('a long expression', { timeout: 60_000 }, () => {
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
