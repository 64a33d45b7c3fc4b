import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { lastLines } from '../../../src/explain/log-tail.ts';

const LIMIT = 8 * 1024;
const MANY = 1024 * 1024;

async function* chunks(...pieces: readonly (string | Uint8Array)[]): AsyncIterable<Uint8Array> {
  for (const piece of pieces) yield Buffer.from(piece);
}

const tail = async (lines: number, ...pieces: readonly (string | Uint8Array)[]): Promise<readonly string[]> =>
  (await lastLines(chunks(...pieces), { lines, bytesRead: MANY })).lines;

describe('the end of a log', () => {
  test.each<[string, number, readonly string[], readonly string[]]>([
    ['nothing', 3, [], []],
    ['an empty line', 3, ['\n'], ['']],
    ['fewer lines than wanted', 3, ['a\nb\n'], ['a', 'b']],
    ['more lines than wanted', 2, ['a\nb\nc\n'], ['b', 'c']],
    ['a last line without an end', 2, ['a\nb'], ['a', 'b']],
    ['empty lines between', 3, ['a\n\nb\n'], ['a', '', 'b']],
    ['lines as Windows ends them', 2, ['a\r\nb\r\n'], ['a', 'b']],
    ['a line in two pieces', 1, ['hel', 'lo\n'], ['hello']],
  ])('%s', async (_, lines, pieces, expected) => {
    expect(await tail(lines, ...pieces)).toEqual(expected);
  });

  test('a character in two pieces is whole', async () => {
    const bytes = Buffer.from('é\n');
    expect(await tail(1, bytes.subarray(0, 1), bytes.subarray(1))).toEqual(['é']);
  });

  test('what is no UTF-8 becomes the replacement character', async () => {
    expect(await tail(1, Uint8Array.from([0x61, 0xff, 0x0a]))).toEqual(['a\ufffd']);
  });

  test('a line longer than eight KiB is cut at its beginning, at a whole character', async () => {
    const [line = ''] = await tail(1, `${'漢'.repeat(LIMIT)}\n`);
    expect(line).toMatch(/^…漢+$/);
    expect(Buffer.byteLength(line)).toBeLessThanOrEqual(LIMIT + 3);
  });

  test('only where a line shown was cut does it say so', async () => {
    const log = `${'x'.repeat(2 * LIMIT)}\nlast\n`;
    expect(await tail(1, log)).toEqual(['last']);
  });

  test('ends the reading where it may read no more', async () => {
    let given = 0;
    async function* endless(): AsyncIterable<Uint8Array> {
      for (;;) {
        given += 1;
        yield Buffer.from('line\n');
      }
    }
    expect(await lastLines(endless(), { lines: 2, bytesRead: 50 })).toEqual({ lines: ['line', 'line'] });
    expect(given).toBe(10);
  });

  test('broken off: what was read, and what broke it', async () => {
    const error = new Error('aborted');
    async function* cutOff(): AsyncIterable<Uint8Array> {
      yield Buffer.from('a\nb\n');
      throw error;
    }
    expect(await lastLines(cutOff(), { lines: 3, bytesRead: MANY })).toEqual({ lines: ['a', 'b'], error });
  });

  test('however it comes: its last lines, eight KiB of them at most', async () => {
    const line = fc.string({ unit: fc.constantFrom('a', 'é', '漢', '👍', ' '), maxLength: 400 });
    const log = fc.array(line, { minLength: 1, maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(
        log,
        fc.integer({ min: 1, max: 30 }),
        fc.infiniteStream(fc.integer({ min: 1, max: 900 })),
        async (lines, wanted, sizes) => {
          const bytes = Buffer.from(lines.map((each) => `${each}\n`).join(''));
          const pieces: Uint8Array[] = [];
          for (let at = 0; at < bytes.length; ) {
            const size = sizes.next().value ?? 1;
            pieces.push(bytes.subarray(at, at + size));
            at += size;
          }
          const shown = await tail(wanted, ...pieces);
          expect(shown.length).toBeLessThanOrEqual(wanted);
          expect(Buffer.byteLength(shown.join('\n'))).toBeLessThanOrEqual(LIMIT + 3);
          const whole = shown.map((each) => each.replace(/^…/, ''));
          const expected = lines.slice(lines.length - shown.length);
          expect(whole.slice(1)).toEqual(expected.slice(1));
          expect(expected[0] ?? '').toSatisfy((first: string) => first.endsWith(whole[0] ?? ''));
          if (bytes.length <= LIMIT) expect(shown).toEqual(lines.slice(-wanted));
        },
      ),
      { numRuns: 100 },
    );
  });
});
