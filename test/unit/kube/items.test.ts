import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { itemDecoder } from '../../../src/kube/items.ts';

/** What an answer says, fed in pieces that end at the given places: its items, and the list without them. */
function decode(text: string, cuts: readonly number[] = []): { items: unknown[]; rest: unknown } {
  const bytes = Buffer.from(text);
  const decoder = itemDecoder();
  const items: string[] = [];
  let from = 0;
  for (const to of [...cuts, bytes.length]) {
    items.push(...decoder.push(bytes.subarray(from, to)));
    from = to;
  }
  return { items: items.map((item) => JSON.parse(item)), rest: JSON.parse(decoder.end()) };
}

const lists = fc.record({
  kind: fc.string(),
  metadata: fc.record({ continue: fc.string(), remarks: fc.array(fc.jsonValue()), items: fc.array(fc.jsonValue()) }),
  items: fc.array(fc.oneof(fc.jsonValue(), fc.constantFrom('"items":[', '\\', '\\"', ']', '€}', { items: ['[', 1] }))),
});

const cutLists = fc
  .tuple(lists, fc.constantFrom(undefined, 1, '\t'))
  .map(([list, space]) => ({ list, text: JSON.stringify(list, undefined, space) }))
  .chain(({ list, text }) =>
    fc.record({
      list: fc.constant(list),
      text: fc.constant(text),
      cuts: fc.array(fc.nat(Buffer.byteLength(text)), { maxLength: 8 }).map((cuts) => cuts.sort((a, b) => a - b)),
    }),
  );

test('any list, cut anywhere, gives what JSON.parse gives', () => {
  fc.assert(
    fc.property(cutLists, ({ list, text, cuts }) => {
      const whole = JSON.parse(JSON.stringify(list));
      expect(decode(text, cuts)).toEqual({ items: whole.items, rest: { ...whole, items: [] } });
    }),
    { numRuns: 500 },
  );
});

describe('what is no list as servers send it', () => {
  test.for([
    ['no items', '{"kind":"Status","code":200}'],
    ['null', '{"items":null,"kind":"PodList"}'],
    ['items of something else', '{"metadata":{"items":[1,2]},"kind":"PodList"}'],
    ['a name that ends so', '{"a\\"items":[1]}'],
    ['an array', '[{"items":[1]}]'],
    ['a string', '"items"'],
  ])('%s: all is in the rest', ([, text = '']) => {
    expect(decode(text)).toEqual({ items: [], rest: JSON.parse(text) });
  });

  test.for([
    ['a comma too many', '{"items":[{},]}'],
    ['an item that is lacking', '{"items":[,{}]}'],
    ['a comma that is lacking', '{"items":[{}{}]}'],
    ['an item that is cut off', '{"items":[{"a":1},{"b"'],
    ['a list that is cut off', '{"items":[{"a":1}]'],
    ['an array that is cut off', '{"items":[{"a":1}'],
    ['brackets that do not match', '{"items":[{"a":1]}}'],
    ['something behind it', '{"items":[{"a":1}]}]'],
    ['nothing', ''],
  ])('%s: is found by whoever parses the pieces', ([, text = '']) => {
    expect(() => JSON.parse(text)).toThrow(SyntaxError);
    expect(() => decode(text)).toThrow(SyntaxError);
  });
});
