import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseFieldSelector, parseLabelSelector } from '../../../src/cli/selector.ts';
import { ONE_LINE, outcome } from './support.ts';

const LONGEST = 'a'.repeat(63);

describe('a label selector', () => {
  test.each([
    ['equal', 'app=db'],
    ['equal, doubled', 'app==db'],
    ['not equal', 'tier!=cache'],
    ['several', 'app=db,tier!=cache'],
    ['an empty value', 'app='],
    ['an empty value before another', 'app=,tier!='],
    ['exists', 'app'],
    ['does not exist', '!app'],
    ['in', 'release in (a)'],
    ['in and notin', 'release in (a, b), chart notin (c)'],
    ['in without space before the bracket', 'release in(a)'],
    ['in with no value', 'release in ()'],
    ['in with an empty value among others', 'x in (foo,,baz),y,z notin ()'],
    ['in with only commas', 'x in (,)'],
    ['greater and less', 'replicas>1,replicas<5'],
    ['words of the grammar as key and value', 'in in (notin),notin=in'],
    ['a prefix', 'app.kubernetes.io/name=db'],
    ['every character of a name', 'A-b_c.9=Z-y_x.0'],
    ['the longest name and value', `${LONGEST}=${LONGEST}`],
    ['space round operators', 'app = db , ! tier'],
  ])('%s: %s', (_, selector) => {
    expect(parseLabelSelector(selector)).toBe(selector);
  });

  test.each([
    ['space at its ends is taken away', ' app=db ', 'app=db'],
    ['white space within is put together', 'a\t in\n (b,  c)', 'a in (b, c)'],
    [
      'double quotes round the whole are taken off',
      '"release in (a), chart notin (b)"',
      'release in (a), chart notin (b)',
    ],
    ['single quotes as well', " 'app=db' ", 'app=db'],
  ])('%s', (_, selector, sent) => {
    expect(parseLabelSelector(selector)).toBe(sent);
  });

  test.each([
    ['', 'expected a label selector such as app=db, got ""'],
    [' ', 'expected a label selector such as app=db, got " "'],
    ['""', 'expected a label selector such as app=db, got "\\"\\""'],
    ['app=db,', 'expected a label key, got the end of "app=db,"'],
    [',app', 'expected a label key, got "," at character 1 of ",app"'],
    ['app=db x', 'expected "," or the end, got "x" at character 8 of "app=db x"'],
    ['app db', 'expected "=", "!=", "in", "notin", "<", ">", "," or the end, got "db" at character 5 of "app db"'],
    [
      'app=="db"',
      'expected a label value of letters, digits, "-", "_" and ".", got "\\"db\\"" at character 6 of "app==\\"db\\""',
    ],
    ['!app=db', 'expected "," or the end, got "=" at character 5 of "!app=db"'],
    ['!!app', 'expected a label key, got "!" at character 2 of "!!app"'],
    ['app in a', 'expected "(", got "a" at character 8 of "app in a"'],
    ['app in (a', 'expected "," or ")", got the end of "app in (a"'],
    ['app in (a b)', 'expected "," or ")", got "b" at character 11 of "app in (a b)"'],
    [
      'app IN (a)',
      'expected "=", "!=", "in", "notin", "<", ">", "," or the end, got "IN" at character 5 of "app IN (a)"',
    ],
    ['n>x', 'expected a whole number, got "x" at character 3 of "n>x"'],
    ['n>', 'expected a whole number, got the end of "n>"'],
    ['n>-1', 'expected a label value of letters, digits, "-", "_" and ".", got "-1" at character 3 of "n>-1"'],
    [
      'n<9223372036854775808',
      'expected a whole number, got "9223372036854775808" at character 3 of "n<9223372036854775808"',
    ],
    ['a=b=c', 'expected "," or the end, got "=" at character 4 of "a=b=c"'],
    ['a/b/c=d', 'expected a label key of letters, digits, "-", "_" and ".", got "a/b/c" at character 1 of "a/b/c=d"'],
    ['/a=d', 'expected a label key whose prefix is a DNS name (example.com/app), got "/a" at character 1 of "/a=d"'],
    [
      'Example.com/a',
      'expected a label key whose prefix is a DNS name (example.com/app), got "Example.com/a" at character 1 of "Example.com/a"',
    ],
    ['-app=db', 'expected a label key of letters, digits, "-", "_" and ".", got "-app" at character 1 of "-app=db"'],
    [
      `a=${LONGEST}b`,
      `expected a label value of at most 63 characters, got "${LONGEST}b" at character 3 of "a=${LONGEST}b"`,
    ],
  ])('%j is refused', (selector, message) => {
    expect(outcome(() => parseLabelSelector(selector))).toEqual({ refused: message });
  });

  const letter = fc.constantFrom(...'abcXYZ019');
  const name = fc
    .tuple(letter, fc.array(fc.constantFrom(...'abcXYZ019-_.'), { maxLength: 20 }), letter)
    .map(([first, middle, last]) => first + middle.join('') + last);
  const key = fc.tuple(fc.constantFrom('', 'example.com/', 'app.kubernetes.io/'), name).map((parts) => parts.join(''));
  const space = fc.constantFrom('', ' ', '\t', '\n', '  ');
  const spaced = (sign: string) => fc.tuple(space, space).map(([before, after]) => before + sign + after);
  const requirement = fc.oneof(
    key,
    fc.tuple(spaced('!'), key).map((parts) => parts.join('')),
    fc
      .tuple(key, fc.constantFrom('=', '==', '!=').chain(spaced), fc.oneof(name, fc.constant('')))
      .map((p) => p.join('')),
    fc.tuple(key, fc.constantFrom('<', '>').chain(spaced), fc.nat()).map((parts) => parts.join('')),
    fc
      .tuple(key, fc.constantFrom(' in', '\tnotin'), space, fc.array(fc.oneof(name, fc.constant('')), { maxLength: 4 }))
      .map(([k, operator, gap, values]) => `${k}${operator}${gap}(${values.join(',')})`),
  );

  test('every valid one is taken, and only white space changes', () => {
    const selector = fc.tuple(fc.array(requirement, { minLength: 1, maxLength: 4 }), spaced(','));
    fc.assert(
      fc.property(selector, ([requirements, comma]) => {
        const text = requirements.join(comma);
        const sent = parseLabelSelector(text);
        expect(sent.replaceAll(' ', '')).toBe(text.replaceAll(/\s/g, ''));
        expect(parseLabelSelector(sent)).toBe(sent);
      }),
    );
  });

  test('every other is refused on one line', () => {
    const part = fc.constantFrom(
      'app',
      'in',
      'notin',
      ' ',
      '=',
      '!',
      ',',
      '(',
      ')',
      '<',
      '>',
      '1',
      '/',
      '-',
      '"',
      '\n',
      '\u2028',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'grapheme' }),
          fc.array(part).map((parts) => parts.join('')),
        ),
        (text) => {
          const result = outcome(() => parseLabelSelector(text));
          expect(typeof result === 'string' ? result : result.refused).toMatch(ONE_LINE);
        },
      ),
    );
  });
});

describe('a field selector', () => {
  test.each([
    ['equal', 'status.phase=Running', 'status.phase=Running'],
    ['equal, doubled', 'status.phase==Running', 'status.phase==Running'],
    ['not equal', 'status.phase!=Failed,metadata.name=x', 'status.phase!=Failed,metadata.name=x'],
    ['an empty value', 'spec.nodeName=', 'spec.nodeName='],
    ['escaped signs', String.raw`a=x\,y\=z\\`, String.raw`a=x\,y\=z\\`],
    ['a comma at the end, as the API server takes it', 'a=b,', 'a=b,'],
    ['space at its ends', ' a=b ', 'a=b'],
    ['quotes round the whole', '"a=b"', 'a=b'],
  ])('%s: %s', (_, selector, sent) => {
    expect(parseFieldSelector(selector)).toBe(sent);
  });

  test.each([
    ['', 'expected a field selector such as status.phase=Running, got ""'],
    [',', 'expected a field selector such as status.phase=Running, got ","'],
    ['a', 'expected FIELD=VALUE or FIELD!=VALUE, got "a"'],
    ['a=b,c', 'expected FIELD=VALUE or FIELD!=VALUE, got "c" in "a=b,c"'],
    ['=b', 'expected FIELD=VALUE or FIELD!=VALUE, got "=b"'],
    ['a=b=c', 'expected a value in which "\\", "," and "=" stand behind a "\\", got "a=b=c"'],
    ['a=b\\x', 'expected a value in which "\\", "," and "=" stand behind a "\\", got "a=b\\\\x"'],
    ['a=b\\', 'expected a value in which "\\", "," and "=" stand behind a "\\", got "a=b\\\\"'],
    ['a in (b)', 'expected FIELD=VALUE or FIELD!=VALUE, got "a in (b)"'],
  ])('%j is refused', (selector, message) => {
    expect(outcome(() => parseFieldSelector(selector))).toEqual({ refused: message });
  });

  test('any value is taken once it is escaped', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), (value) => {
        const text = `a=x${value.replaceAll(/[\\,=]/g, '\\$&')}x`;
        expect(parseFieldSelector(text)).toBe(text);
      }),
    );
  });
});
