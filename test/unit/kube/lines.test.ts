import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LineTooLongError, lineDecoder } from '../../../src/kube/lines.ts';

/** All lines of some bytes, fed in pieces that end at the given places. */
function decode(bytes: Uint8Array, cuts: readonly number[], maxBytes?: number): { lines: string[]; error?: unknown } {
  const decoder = lineDecoder(maxBytes === undefined ? {} : { maxBytes });
  const lines: string[] = [];
  try {
    let from = 0;
    for (const to of [...cuts, bytes.length]) {
      lines.push(...decoder.push(bytes.subarray(from, to)));
      from = to;
    }
    const rest = decoder.end();
    return { lines: rest === undefined ? lines : [...lines, rest] };
  } catch (error) {
    return { lines, error };
  }
}

/** Bytes in which line breaks and the bytes of multi-byte characters are frequent. */
const someBytes = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 6 }),
      fc.constantFrom('\n', '\r\n', '\n\n', 'é', '€', '😀', '{"type":"ADDED"}').map((text) => Buffer.from(text)),
    ),
    { maxLength: 12 },
  )
  .map((parts) => new Uint8Array(Buffer.concat(parts)));

const bytesAndCuts = someBytes.chain((bytes) =>
  fc.tuple(
    fc.constant(bytes),
    fc.array(fc.nat(bytes.length), { maxLength: 8 }).map((cuts) => cuts.sort((a, b) => a - b)),
  ),
);

describe('any split of any bytes', () => {
  test('gives the same lines', () => {
    fc.assert(
      fc.property(bytesAndCuts, ([bytes, cuts]) => {
        const expected = new TextDecoder('utf-8', { ignoreBOM: true })
          .decode(bytes)
          .split('\n')
          .filter((line) => line !== '' && line !== '\r');
        expect(decode(bytes, cuts).lines).toEqual(expected);
      }),
    );
  });

  test('gives the same lines before one that is too long, and the same error', () => {
    fc.assert(
      fc.property(bytesAndCuts, fc.integer({ min: 0, max: 10 }), ([bytes, cuts], maxBytes) => {
        const whole = decode(bytes, [], maxBytes);
        const split = decode(bytes, cuts, maxBytes);
        expect(split.lines).toEqual(whole.lines);
        expect(split.error instanceof LineTooLongError).toBe(whole.error instanceof LineTooLongError);
      }),
    );
  });
});

describe('a line that is too long', () => {
  test('is an error before its end has come', () => {
    const decoder = lineDecoder({ maxBytes: 10 });
    expect(decoder.push(Buffer.from('0123456789'))).toEqual([]);
    expect(() => decoder.push(Buffer.from('x'))).toThrow(LineTooLongError);
    expect(() => decoder.push(Buffer.from('\n'))).toThrow(LineTooLongError);
    expect(() => decoder.end()).toThrow(LineTooLongError);
  });

  test('is counted in bytes, without the line break', () => {
    expect(decode(Buffer.from('€€€\n'), [], 9)).toEqual({ lines: ['€€€'] });
    expect(decode(Buffer.from('€€€\n'), [], 8).error).toBeInstanceOf(LineTooLongError);
  });

  test('does not take the lines before it along', () => {
    const decoder = lineDecoder({ maxBytes: 3 });
    expect(decoder.push(Buffer.from('a\nb\nlong line\nc\n'))).toEqual(['a', 'b']);
    expect(() => decoder.push(new Uint8Array())).toThrow(LineTooLongError);
  });

  test('is allowed up to what an object of the API server can be', () => {
    const object = Buffer.alloc(8 * 1024 * 1024, 0x78);
    expect(decode(object, [1024]).lines[0]).toHaveLength(object.length);
  });
});

test('a cut line is only given at the end', () => {
  const decoder = lineDecoder();
  expect(decoder.push(Buffer.from('{"a":1}\n{"b"'))).toEqual(['{"a":1}']);
  expect(decoder.end()).toBe('{"b"');
  expect(decoder.end()).toBeUndefined();
});

test('the time for a long line in many pieces grows with its length only', () => {
  const piece = Buffer.alloc(1024, 0x78);
  const decoder = lineDecoder();
  for (let i = 0; i < 8 * 1024; i++) decoder.push(piece);
  expect(decoder.push(Buffer.from('\n'))[0]).toHaveLength(8 * 1024 * 1024);
}, 2_000);
