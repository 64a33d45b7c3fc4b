import { describe, expect, test } from 'vitest';
import { JsonPathError, judgeJsonPath, parseJsonPath, readsStatus } from '../../../src/verdict/jsonpath.ts';
import { DOCUMENTS, JSONPATH_CASES, type JsonPathCase } from './jsonpath-cases.ts';

const judge = (path: string, object: unknown, value?: string) => judgeJsonPath(parseJsonPath(path), value, object);

describe('whether it may read the status', () => {
  test.each([
    '{.status.phase}',
    '{status}',
    '.status.x',
    '{$.status.x}',
    '{@.status.x}',
    '{ .status.x}',
    "{['status'].x}",
    "{['spec','status'].x}",
    '{..phase}',
    '{.*.phase}',
    '{[?(@.phase=="x")]}',
    '{@}',
  ])('%s may', (expression) => {
    expect(readsStatus(parseJsonPath(expression))).toBe(true);
  });

  test.each([
    '{.spec.x}',
    '{.statuses}',
    '{.metadata.labels.status}',
    "{['spec']['status']}",
    '{.spec[?(@.status=="x")]}',
    "{['spec','metadata'].x}",
    '{"status"}',
    '{1}',
  ])('%s may not', (expression) => {
    expect(readsStatus(parseJsonPath(expression))).toBe(false);
  });
});

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
    ['.a\\', String.raw`unclosed action in ".a\\": expected a character after the last "\"`],
    ['....a', 'invalid multiple recursive descent in "....a": expected one ".." at a time'],
    ['.a\n', String.raw`unclosed action in ".a\n": expected .field, ['key'], [index], [?(@.field=="value")] or ..`],
    ['.a\r', String.raw`unclosed action in ".a\r": expected .field, ['key'], [index], [?(@.field=="value")] or ..`],
    ['.a[?(@.b==range)]', 'range is of no use in ".a[?(@.b==range)]": expected one value to wait for, not a template'],
    ['.a[?(@.b==end)]', 'end is of no use in ".a[?(@.b==end)]": expected one value to wait for, not a template'],
    ['.a[?(@.b==1.2.3)]', 'cannot parse number "1.2.3" in ".a[?(@.b==1.2.3)]": expected a number such as 3 or -1.5'],
    ['.a[::0]', 'step must be > 0, got 0 in ".a[::0]": expected START:END:STEP'],
    ['.a[::-2]', 'step must be > 0, got -2 in ".a[::-2]": expected START:END:STEP'],
    [
      '.a[99999999999999999999]',
      'array index "99999999999999999999" is not a number in ".a[99999999999999999999]": expected a number',
    ],
    [
      '.a[?(@.b==1)x]',
      'unclosed array in ".a[?(@.b==1)x]": expected ")]" at the end of a filter, and one comparison in it',
    ],
    [
      '.a[?(@.b\n==1)]',
      String.raw`unterminated filter in ".a[?(@.b\n==1)]": expected ")]" at the end of a filter, and quotes in pairs`,
    ],
    [
      '.a[?(==1==2)]',
      `unrecognized character "=" in ".a[?(==1==2)]": expected .field, ['key'], [index], [?(@.field=="value")] or ..`,
    ],
    [' "a', String.raw`unterminated quoted string in " \"a": expected another "`],
    [' "a\nb"', String.raw`unterminated quoted string in " \"a\nb\"": expected another "`],
    [
      String.raw` "\q"`,
      String.raw`invalid escape "\\q" in " \"\\q\"": expected \\, \n, \t, \u00e9 or the quote itself`,
    ],
    [
      '.a\u202e,',
      String.raw`unrecognized character "," in ".a\u{202e},": ` +
        `expected .field, ['key'], [index], [?(@.field=="value")] or ..`,
    ],
  ])('%s', (path, message) => {
    expect(() => parseJsonPath(path)).toThrow(new JsonPathError(message));
  });

  test('one that is as long as may be is not cut', () => {
    const path = `.${'a'.repeat(118)}[`;
    expect(() => parseJsonPath(path)).toThrow(`unterminated array in "${path}": expected`);
  });

  test('its name is told beside it', () => {
    expect(() => parseJsonPath('{')).toThrow(expect.objectContaining({ name: 'JsonPathError' }));
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

describe('a text in quotes', () => {
  test.each([
    [String.raw`"\x41"`, 'A'],
    [String.raw`"\101"`, 'A'],
    [String.raw`"\x7f"`, '\x7f'],
    [String.raw`"\177"`, '\x7f'],
    [String.raw`"\u00e9"`, 'é'],
    [String.raw`"\ud7ff"`, '\ud7ff'],
    [String.raw`"\ue000"`, '\ue000'],
    [String.raw`"\U0001F600"`, '😀'],
    [String.raw`"\U0010FFFF"`, '\u{10ffff}'],
    [String.raw`"a\nb\t\\c"`, 'a\nb\t\\c'],
    [String.raw`"a\"b"`, 'a"b'],
    [String.raw`'a\'b'`, "a'b"],
    [`"it's"`, "it's"],
    [`'a "b"'`, 'a "b"'],
  ])('%s', (written, text) => {
    expect(judge(` ${written}`, {}).shown).toBe(text);
  });

  test.each([
    String.raw`"\x80"`,
    String.raw`"\200"`,
    String.raw`"\ud800"`,
    String.raw`"\udfff"`,
    String.raw`"\U00110000"`,
    String.raw`"\U0001F60"`,
    String.raw`"\'"`,
    String.raw`'\"'`,
    String.raw`"\9"`,
  ])('%s is refused', (written) => {
    expect(() => parseJsonPath(` ${written}`)).toThrow(/^invalid escape /);
  });

  test.each([`.a[?(@.b=="x)")].c`, `.a[?(@.b=='x)')].c`])('may have a parenthesis in a filter: %s', (path) => {
    expect(judge(path, { a: [{ b: 'y' }, { b: 'x)', c: 'found' }] }).shown).toBe('found');
  });
});

describe('a slice', () => {
  test.each([
    ['.a[0:3:12]', '0'],
    ['.a[0:3:2]', '0, 2'],
    ['.a[3:9]', 'array index out of bounds: index 3, length 3'],
    ['.a[5:9]', 'array index out of bounds: index 5, length 3'],
    ['.a[0:-5]', 'array index out of bounds: index -3, length 3'],
    ['.a[1:0]', 'starting index 1 is greater than ending index 0'],
  ])('%s: %s', (path, expected) => {
    const { shown, problem } = { problem: undefined, ...judge(path, { a: [0, 1, 2] }) };
    expect([problem, shown]).toContain(expected);
  });
});

describe('a comparison', () => {
  test('of numbers is not one of their digits', () => {
    expect(judge('.a[?(@.n<10)].n', { a: [{ n: 9 }, { n: 11 }] }).shown).toBe('9');
  });

  test.each([
    ['12.5', 12.5],
    ['-.25', -0.25],
    ['+12', 12],
  ])('with %s', (written, n) => {
    expect(judge(`.a[?(@.n>=${written})].n`, { a: [{ n }] }).shown).toBe(String(n));
  });

  test.each([
    ['a map on the right', { b: 1, c: {} }],
    ['a map on the left', { b: {}, c: 1 }],
  ])('with %s cannot be', (_, element) => {
    expect(judge('.a[?(@.b==@.c)]', { a: [element] })).toMatchObject({ problem: 'invalid type for comparison' });
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
    ['a small number as Go has it', '.a', { a: 0.00012 }, '0.00012'],
    ['zero', '.a', { a: -0 }, '0'],
    ['an integer in full', '.a', { a: 2 ** 60 }, '1152921504606846976'],
    ['a map', '.a', { a: { b: 1 } }, 'map[...]'],
    ['a list', '.a', { a: [1] }, '[...]'],
    ['several values', '.a[*]', { a: [1, 'b', []] }, '1, b, []'],
    ['many values', '.a[*]', { a: [1, 2, 3, 4] }, '1, 2, 3, ...'],
  ])('%s', (_, path, object, shown) => {
    expect(judge(path, object).shown).toBe(shown);
  });
});
