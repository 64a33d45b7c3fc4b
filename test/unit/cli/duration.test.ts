import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseDuration, parseDurationOrSeconds } from '../../../src/cli/duration.ts';
import { ONE_LINE, outcome } from './support.ts';

describe('a duration in Go syntax', () => {
  test.each([
    ['90s', 90_000],
    ['1h30m', 5_400_000],
    ['1.5s', 1_500],
    ['.5s', 500],
    ['5.s', 5_000],
    ['4.35s', 4_350],
    ['300ms', 300],
    ['-1s', -1_000],
    ['+1s', 1_000],
    ['-1m30s', -90_000],
    ['0', 0],
    ['-0', 0],
    ['0s', 0],
    ['-0s', 0],
    ['1s1h', 3_601_000],
    // Rounded away from zero: 0 has a meaning of its own, and so has below 0.
    ['1\u00b5s', 1],
    ['1\u03bcs', 1],
    ['1us', 1],
    ['1ns', 1],
    ['-1ns', -1],
    ['1000001ns', 2],
    ['2562047h47m16.854775807s', 9_223_372_036_855],
  ])('%s is %d ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  test.each([
    ['90', 'expected a duration with a unit, such as 90s, got "90"'],
    ['-1', 'expected a duration with a unit, such as -1s, got "-1"'],
    ['1.5', 'expected a duration with a unit, such as 1.5s, got "1.5"'],
    ['00', 'expected a duration with a unit, such as 00s, got "00"'],
    ['', 'expected a duration such as 90s, 10m or 1h30m, got ""'],
    ['s', 'expected a duration such as 90s, 10m or 1h30m, got "s"'],
    ['.s', 'expected a duration such as 90s, 10m or 1h30m, got ".s"'],
    ['1d', 'expected a duration such as 90s, 10m or 1h30m, got "1d"'],
    ['1S', 'expected a duration such as 90s, 10m or 1h30m, got "1S"'],
    ['1 s', 'expected a duration such as 90s, 10m or 1h30m, got "1 s"'],
    ['1e3', 'expected a duration such as 90s, 10m or 1h30m, got "1e3"'],
    ['1h-30m', 'expected a duration such as 90s, 10m or 1h30m, got "1h-30m"'],
    ['--1s', 'expected a duration such as 90s, 10m or 1h30m, got "--1s"'],
    ['2562048h', 'expected a duration of at most 292 years, got "2562048h"'],
  ])('%j is refused', (text, message) => {
    expect(outcome(() => parseDuration(text))).toEqual({ refused: message });
  });

  test.each([
    ['30', 30_000],
    ['0', 0],
    ['30s', 30_000],
    ['-5', -5_000],
  ])('%s may lack its unit for --request-timeout: %d ms', (text, ms) => {
    expect(parseDurationOrSeconds(text)).toBe(ms);
  });

  test('1.5 may not lack its unit for --request-timeout', () => {
    expect(outcome(() => parseDurationOrSeconds('1.5'))).toEqual({
      refused: 'expected a duration with a unit, such as 1.5s, got "1.5"',
    });
  });

  test('what is put together from whole units comes back', () => {
    fc.assert(
      fc.property(fc.nat(999), fc.nat(59), fc.nat(59), fc.nat(999), fc.boolean(), (h, m, s, ms, negative) => {
        const total = ((h * 60 + m) * 60 + s) * 1000 + ms;
        const sign = negative && total > 0 ? -1 : 1;
        expect(parseDuration(`${sign < 0 ? '-' : ''}${h}h${m}m${s}s${ms}ms`)).toBe(sign * total);
        expect(parseDuration(`${sign < 0 ? '-' : ''}${h}h${m}m${s}.${String(ms).padStart(3, '0')}s`)).toBe(
          sign * total,
        );
      }),
    );
  });

  test('any text is a safe number or refused on one line', () => {
    const part = fc.constantFrom('1', '0', '9999999', '.', '-', '+', 'h', 'm', 's', 'ms', 'ns', 'd', ' ', '\n');
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(part).map((parts) => parts.join('')),
        ),
        (text) => {
          const result = outcome(() => parseDuration(text));
          if (typeof result === 'number') expect(Number.isSafeInteger(result)).toBe(true);
          else expect(result.refused).toMatch(ONE_LINE);
        },
      ),
    );
  });
});
