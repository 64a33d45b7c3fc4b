/** The live view as lines. Integration tests see it on a terminal; these see more terminals. */
import fc from 'fast-check';
import stringWidth from 'string-width';
import { describe, expect, test } from 'vitest';
import { drawResults, drawView, heightOf, type Look, type Standing } from '../../../src/report/frame.ts';
import { lookOf } from '../../../src/report/terminal.ts';
import { isWatched } from '../../../src/report/watched.ts';
import type { Status } from '../../../src/wait/state.ts';
import { JOBS, named, target } from '../objects.ts';
import { jobWhy, MIGRATE, membersWhy, WEB } from './support.ts';

const PLAIN: Look = { colours: 'off', characters: 'unicode' };
const ASCII: Look = { colours: 'off', characters: 'ascii' };

const working: Status = { state: 'pending', why: jobWhy({ succeeded: 3, active: 2 }) };

function draw(targets: readonly Standing[], { columns = 80, rows = 24, look = PLAIN, elapsedMs = 0, leftMs = 0 } = {}) {
  return drawView({ targets, elapsedMs, leftMs }, { columns, rows }, look);
}

describe('a line', () => {
  test.each<[string, Standing, string]>([
    ['a Job', { target: MIGRATE, status: working }, '• job/migrate  ██████▒▒▒▒░░░░░░░░░░  3/10 succeeded, 2 active'],
    [
      'a Job of one pod: no bar',
      { target: MIGRATE, status: { state: 'pending', why: jobWhy({ active: 1, completions: 1 }) } },
      '• job/migrate  0/1 succeeded, 1 active',
    ],
    [
      'a work queue: nothing to measure by',
      { target: MIGRATE, status: { state: 'pending', why: jobWhy({ active: 1, completions: undefined }) } },
      '• job/migrate  0 succeeded, 1 active',
    ],
    [
      'a selector',
      { target: WEB, status: { state: 'pending', why: membersWhy({ reached: 1, total: 4 }) } },
      '• pod -l app=web  █████░░░░░░░░░░░░░░░  1/4 done',
    ],
    [
      'a selector that is to find more',
      { target: WEB, status: { state: 'pending', why: membersWhy({ reached: 1, total: 2, expect: 4 }) } },
      '• pod -l app=web  █████░░░░░░░░░░░░░░░  1/4 done, 2 of 4 expected found',
    ],
    [
      'a selector of which more are done than have to be',
      { target: WEB, status: { state: 'pending', why: membersWhy({ reached: 4, total: 4, atLeast: 3 }) } },
      '• pod -l app=web  ████████████████████  4/3 done',
    ],
    [
      'what is done',
      { target: MIGRATE, status: { state: 'reached', why: { code: 'exists' } } },
      '✓ job/migrate  exists',
    ],
    [
      'what has failed',
      { target: MIGRATE, status: { state: 'failed', why: { code: 'exists' } } },
      '✗ job/migrate  exists',
    ],
    ['what is not known', { target: MIGRATE, status: { state: 'unknown' } }, '• job/migrate  no answer yet'],
  ])('%s', (_, standing, line) => {
    expect(draw([standing])[0]).toBe(line);
  });

  test('of a terminal that shows ASCII only', () => {
    const lines = draw([{ target: MIGRATE, status: working }], { look: ASCII, columns: 42 });
    expect(lines[0]).toBe('- job/migrate  ##==....  3/10 succeeded,~');
  });

  test('columns are in line with each other, however wide the characters', () => {
    const wide = named(JOBS, '移行');
    const [first = '', second = ''] = draw([MIGRATE, wide].map((each) => ({ target: each, status: working })));
    expect(stringWidth(second.slice(0, second.indexOf('█')))).toBe(first.indexOf('█'));
  });
});

describe('the time', () => {
  test.each([
    [0, 600_000, '  0s gone, 10m left'],
    [1_400, 598_600, '  1s gone, 9m59s left'],
    [90_000, 510_000, '  1m30s gone, 8m30s left'],
    [5_000, Number.POSITIVE_INFINITY, '  5s gone'],
  ])('%i ms gone and %d ms left', (elapsedMs, leftMs, line) => {
    expect(draw([{ target: MIGRATE, status: working }], { elapsedMs, leftMs }).at(-1)).toBe(line);
  });
});

describe('the view', () => {
  const status = fc.constantFrom<Status>(
    working,
    { state: 'unknown' },
    { state: 'reached', why: { code: 'exists' } },
    {
      state: 'failed',
      why: { code: 'phase', phase: '失敗 👩‍👩‍👧 e\u0301', reason: 'x'.repeat(100), message: undefined },
    },
    { state: 'pending', why: membersWhy({ reached: 1, total: 4 }) },
  );
  const name = fc.string({ unit: fc.constantFrom('a', '-', '漢', '👍', 'e\u0301', ' ', '\u001b[31m'), maxLength: 40 });
  const standing = fc
    .record({ name, status })
    .map(({ name, status }) => ({ target: target({ resource: JOBS, select: { by: 'name', name } }), status }));

  test('fits into every terminal, with a row left for the cursor', () => {
    const look = fc.constantFrom<Look>(PLAIN, ASCII, { colours: 'on', characters: 'unicode' });
    const size = { columns: fc.integer({ min: 1, max: 200 }), rows: fc.integer({ min: 2, max: 40 }) };
    fc.assert(
      fc.property(
        fc.array(standing, { minLength: 1, maxLength: 30 }),
        fc.record(size),
        look,
        (targets, space, shown) => {
          const lines = drawView({ targets, elapsedMs: 1, leftMs: 1 }, space, shown);
          expect(lines.length).toBeLessThan(space.rows);
          for (const line of lines) expect(stringWidth(line)).toBeLessThan(Math.max(2, space.columns));
        },
      ),
    );
  });

  test('leaves results whole on the screen', () => {
    const message = 'x'.repeat(500);
    const failed: Status = {
      state: 'failed',
      why: { code: 'phase', phase: 'Failed', reason: message, message: undefined },
    };
    const [line] = drawResults([{ target: MIGRATE, status: failed, words: message }], 'failed', PLAIN);
    expect(line).toBe(`✗ job/migrate  ${message}`);
  });
});

describe('the height', () => {
  test.each<[string, number, number]>([
    ['', 5, 1],
    ['abcde', 5, 1],
    ['abcdef', 5, 2],
    ['\u001b[33mabcde\u001b[39m', 5, 1],
    ['e\u0301bcde', 5, 1],
    ['漢字漢', 6, 1],
    ['漢字漢', 5, 2],
    ['漢字漢', 3, 3],
  ])('of %j on %d columns', (line, columns, rows) => {
    expect(heightOf(line, columns)).toBe(rows);
  });
});

describe('the environment', () => {
  test.each<[Readonly<Record<string, string>>, Look]>([
    [{}, { colours: 'on', characters: 'unicode' }],
    [{ NO_COLOR: '1' }, { colours: 'off', characters: 'unicode' }],
    [{ NO_COLOR: '' }, { colours: 'on', characters: 'unicode' }],
    [{ LANG: 'en_US.UTF-8' }, { colours: 'on', characters: 'unicode' }],
    [
      { LANG: 'C.utf8', LC_ALL: 'C' },
      { colours: 'on', characters: 'ascii' },
    ],
    [{ LANG: 'de_DE.ISO-8859-1' }, { colours: 'on', characters: 'ascii' }],
    [{ TERM: 'linux' }, { colours: 'on', characters: 'ascii' }],
  ])('%o shows %o', (env, look) => {
    expect(lookOf(env)).toEqual(look);
  });

  test.each<[Readonly<Record<string, string>>, boolean]>([
    [{ TERM: 'xterm' }, true],
    [{ TERM: 'xterm', CI: '' }, true],
    [{ TERM: 'xterm', CI: 'false' }, true],
    [{ TERM: 'xterm', CI: 'true' }, false],
    [{ TERM: 'xterm', CI: '1' }, false],
    [{ TERM: 'dumb' }, false],
    [{ TERM: '' }, false],
    [{}, false],
  ])('%o: watched by a person: %s', (env, expected) => {
    expect(isWatched(env)).toBe(expected);
  });
});
