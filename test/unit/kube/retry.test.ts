import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Problem } from '../../../src/kube/problem.ts';
import { BACKOFF, createBackoff, createPace } from '../../../src/kube/retry.ts';
import { REFUSAL_MS } from '../../../src/wait/scene.ts';

const REFUSED: Problem = { kind: 'unreachable', message: 'connect ECONNREFUSED', code: 'ECONNREFUSED' };

function told(retryAfterMs: number): Problem {
  return { kind: 'status', status: 429, reason: 'TooManyRequests', message: '', retryAfterMs };
}

/** Attempts that all fail at once: the clock moves by the pauses only. */
function pauses(count: number, random: number, problem: Problem | 'nameless' = REFUSED): number[] {
  let now = 0;
  const backoff = createBackoff({ random: () => random, now: () => now, pace: createPace({ now: () => now }) });
  return Array.from({ length: count }, () => {
    const delayMs = backoff.next(problem === 'nameless' ? undefined : problem);
    now += delayMs;
    return delayMs;
  });
}

describe('pauses', () => {
  test('at their shortest', () => {
    expect(pauses(10, 0)).toEqual([100, 200, 400, 1_000, 1_600, 3_200, 6_400, 12_800, 15_000, 15_000]);
  });

  test('at their longest', () => {
    expect(pauses(9, 1)).toEqual([200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000]);
  });

  test('do not depend on there being a problem with a name', () => {
    expect(pauses(4, 0, 'nameless')).toEqual(pauses(4, 0));
    expect(pauses(9, 1, 'nameless')).toEqual(pauses(9, 1));
  });

  test('are never shorter than a second after the quick ones, never longer than 30 s, whatever is drawn', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, noNaN: true }), (random) => {
        const later = pauses(1_200, random).slice(BACKOFF.quickMs.length);
        // A difference of two times: it may lack the last bit.
        expect(Math.round(Math.min(...later))).toBeGreaterThanOrEqual(1_000);
        expect(Math.max(...later)).toBeLessThanOrEqual(30_000);
      }),
      { numRuns: 20 },
    );
  });
});

describe('what is refused', () => {
  const forbidden: Problem = { kind: 'status', status: 403, reason: 'Forbidden', message: '' };

  test('is asked for at least every two seconds for as long as a refusal may pass, then as anything else', () => {
    const drawn = pauses(40, 1, forbidden);
    expect(drawn.slice(0, 6)).toEqual([200, 400, 800, 1_600, 2_000, 2_000]);
    const often = drawn.slice(0, 30);
    expect(Math.max(...often)).toBe(2_000);
    expect(pauses(30, 0, forbidden).reduce((sum, pause) => sum + pause)).toBeGreaterThan(
      REFUSAL_MS.afterOutage - 5_000,
    );
    expect(drawn.slice(30)).toEqual(Array.from({ length: 10 }, () => 30_000));
  });
});

describe('a resourceVersion that has expired', () => {
  const expired: Problem = { kind: 'status', status: 410, reason: 'Expired', message: '' };

  test('costs no longest pause after a long outage', () => {
    let now = 0;
    const backoff = createBackoff({ random: () => 0, now: () => now, pace: createPace({ now: () => now }) });
    for (let i = 0; i < 10; i++) now += backoff.next(REFUSED);
    expect(backoff.next(expired)).toBe(100);
    expect(backoff.next(REFUSED)).toBe(15_000);
  });

  test('again and again is as any other trouble', () => {
    expect(pauses(10, 0, expired)).toEqual(pauses(10, 0));
  });
});

test('trouble of another kind does not use up the tries of what is refused', () => {
  const now = (): number => 0;
  const backoff = createBackoff({ random: () => 1, now, pace: createPace({ now }) });
  const error: Problem = { kind: 'status', status: 500, reason: 'InternalError', message: '' };
  const forbidden: Problem = { kind: 'status', status: 403, reason: 'Forbidden', message: '' };
  for (let attempt = 0; attempt <= BACKOFF.refused.attempts; attempt += 1) backoff.next(error);
  expect(backoff.next(error)).toBe(BACKOFF.capMs);
  expect(backoff.next(forbidden)).toBe(BACKOFF.refused.capMs);
});

describe('a quiet time', () => {
  test.each([
    ['of two minutes after the pause does not start it over', BACKOFF.quietMs, 1_000],
    ['of longer starts it over', BACKOFF.quietMs + 1, 100],
  ])('%s', (_name, quietMs, expected) => {
    let now = 0;
    const backoff = createBackoff({ random: () => 0, now: () => now, pace: createPace({ now: () => now }) });
    for (let i = 0; i < 3; i++) now += backoff.next(REFUSED);
    now += quietMs;
    expect(backoff.next(REFUSED)).toBe(expected);
  });
});

describe('Retry-After', () => {
  test('is the least pause, spread by up to a second', () => {
    expect(pauses(1, 0, told(5_000))).toEqual([5_000]);
    expect(pauses(1, 1, told(5_000))).toEqual([6_000]);
  });

  test('does not shorten a longer pause', () => {
    expect(pauses(6, 1, told(1))[5]).toBe(6_400);
  });

  test('of zero is no reason to come at once', () => {
    expect(pauses(1, 0, told(0))).toEqual([100]);
  });
});

describe('all that a process asks for, while nobody answers', () => {
  test('tries no more than one connection a second after the first three', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 8 }),
        fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
        (count, draws) => {
          let now = 0;
          const pace = createPace({ now: () => now });
          const random = (): number => draws.next().value ?? 0;
          const due = Array.from({ length: count }, () => ({
            at: 0,
            backoff: createBackoff({ random, now: () => now, pace }),
          }));
          const tries: number[] = [];
          while (now < 60_000) {
            const next = due.reduce((one, other) => (other.at < one.at ? other : one));
            now = next.at;
            tries.push(now);
            next.at = now + next.backoff.next(REFUSED);
          }
          // The very first of each, and three more.
          const later = tries.slice(count + 3);
          const gaps = later.slice(1).map((at, index) => at - (later[index] ?? 0));
          expect(Math.min(...gaps)).toBeGreaterThanOrEqual(BACKOFF.floorMs - 0.001);
        },
      ),
    );
  });

  test('is told three times to come at once, then a second apart', () => {
    const pace = createPace({ now: () => 0 });
    expect([0, 0, 0, 0, 0].map((at) => pace.reserve(at))).toEqual([0, 0, 0, 1_000, 2_000]);
    expect(pace.reserve(3_000)).toBe(3_000);
  });

  test.each([
    ['two minutes', BACKOFF.quietMs, 122_000 + 1_000],
    ['more than two minutes', BACKOFF.quietMs + 1, 122_001],
  ])('after %s without a try may come at once again', (_, quietMs, expected) => {
    let now = 0;
    const pace = createPace({ now: () => now });
    for (const at of [0, 0, 0, 0, 1_500]) pace.reserve(at);
    now = 2_000 + quietMs;
    // The newest try is remembered however long ago it was.
    expect(pace.reserve(now)).toBe(now);
    expect(pace.reserve(now)).toBe(expected);
  });

  test('a connection that is cut takes its turn, and an answer does not', () => {
    const problems: readonly (readonly [Problem, number])[] = [
      [{ kind: 'interrupted', message: '' }, 1_100],
      [REFUSED, 1_100],
      [{ kind: 'status', status: 500, reason: '', message: '' }, 100],
    ];
    for (const [problem, expected] of problems) {
      const pace = createPace({ now: () => 0 });
      for (const at of [100, 100, 100]) pace.reserve(at);
      expect(createBackoff({ random: () => 0, now: () => 0, pace }).next(problem)).toBe(expected);
    }
  });

  test('does not make one wait for another that is far from trying again', () => {
    const pace = createPace({ now: () => 0 });
    const reserved = [0, 0, 0, 30_000, 1_000].map((at) => pace.reserve(at));
    expect(reserved).toEqual([0, 0, 0, 30_000, 1_000]);
  });
});
