/** The live view on a terminal that is resized at any moment: a scripted order, no real time. */
import xterm, { type IBufferLine } from '@xterm/headless';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { drawResults, drawView, type Look, type Space } from '../../../src/report/frame.ts';
import { type LiveReporter, liveReporter } from '../../../src/report/live.ts';
import { describeRequest, describe as describeStatus } from '../../../src/report/words.ts';
import type { Status, TargetState } from '../../../src/wait/state.ts';
import { JOBS, named } from '../objects.ts';
import { done, HandClock, heartbeat, jobWhy, MIGRATE, membersWhy, Paper, stands, WANT_PODS } from './support.ts';

const LOOK: Look = { colours: 'on', characters: 'unicode' };
const TIMEOUT_MS = 600_000;
/** The longest time between an event, or a resize, and the frame that shows it. */
const REST_MS = 100;
/** The last line of the view always fits into a row of this length. */
const CLOCK_COLUMNS = 25;
/** Scripts per row of the table. */
const RUNS = 70;

type Draw =
  | { readonly do: 'tick' | 'heartbeat' }
  | { readonly do: 'change'; readonly target: number; readonly status: Status }
  /** A line that stays above the view. */
  | { readonly do: 'print'; readonly length: number };

interface Resize {
  readonly do: 'resize';
  /** One size after the other, as when a window is dragged. */
  readonly to: readonly Space[];
  /** The number of ticks that the terminal receives only after it has the first of these sizes. */
  readonly late: number;
  /** What happens between the last resize and its signal. */
  readonly meanwhile: readonly Draw[];
}

interface Script {
  readonly start: Space;
  readonly targets: number;
  /** The lengths of the lines that are on the terminal already. */
  readonly shell: readonly number[];
  readonly steps: readonly (Draw | Resize)[];
  readonly end: 'done' | 'signal';
}

class Run {
  readonly #clock = new HandClock();
  readonly #terminal;
  readonly #view: LiveReporter;
  readonly #targets: TargetState[];
  /** The lines above the view. */
  readonly #printed: string[];
  /** The size that the kernel reports. */
  #size: Space;
  /** The terminal has not received this yet. */
  #written: string;
  /** The number of lines in the view. */
  #lines = 0;
  /**
   * The part in which nothing may be left behind. Lines that scroll off a short terminal cannot be erased. When they come
   * back, they are drawn over, unless they were wrapped or a printed line separates them from the view.
   */
  #clean: 'everything' | 'the screen' | 'the view' = 'everything';

  constructor({ start, targets, shell }: Omit<Script, 'steps' | 'end'>) {
    const { columns: cols, rows } = start;
    this.#terminal = new xterm.Terminal({ cols, rows, convertEol: true, allowProposedApi: true });
    this.#size = start;
    this.#printed = shell.map((length) => '$'.repeat(length));
    this.#written = this.#printed.map((line) => `${line}\n`).join('');
    this.#targets = Array.from({ length: targets }, (_, at) => stands(named(JOBS, `job-${at}`), { state: 'unknown' }));
    this.#view = liveReporter(new Paper(), {
      terminal: {
        size: () => this.#size,
        write: (text) => {
          this.#written += text;
        },
      },
      ...{ clock: this.#clock, look: LOOK, timeoutMs: TIMEOUT_MS, results: 'drawn' },
      targets: this.#targets.map(({ target }) => target),
    });
  }

  async play(steps: Script['steps']): Promise<void> {
    for (const step of steps) {
      if (step.do === 'resize') await this.#resize(step);
      else this.#draw(step);
      await this.#deliver();
      this.#clock.pass(REST_MS);
      await this.#deliver();
      this.#check(this.#frame());
    }
  }

  async end(how: Script['end']): Promise<void> {
    let last = this.#frame();
    if (how === 'done') {
      const status: Status = { state: 'reached', why: jobWhy({ succeeded: 10 }) };
      const all = this.#targets.map(({ target }) => stands(target, status));
      this.#view.tell(done({ kind: 'reached' }, all, 5_000));
      const results = all.map((one) => ({ ...one, words: describeStatus(status) }));
      last = drawResults(results, 'reached after 5s', LOOK);
    }
    this.#view.end({ exitCode: 0 });
    await this.#deliver();
    this.#check(last);
  }

  #draw(draw: Draw): void {
    switch (draw.do) {
      case 'tick':
        this.#clock.pass(1000);
        break;
      case 'heartbeat':
        this.#view.tell(heartbeat([], 0, 0));
        break;
      case 'change': {
        const at = draw.target % this.#targets.length;
        const target = stands((this.#targets[at] as TargetState).target, draw.status);
        this.#targets[at] = target;
        this.#view.tell({ event: 'changed', target });
        break;
      }
      case 'print': {
        const want = { ...WANT_PODS, spec: { ...WANT_PODS.spec, namespace: 'x'.repeat(draw.length) } };
        this.#printed.push(describeRequest({ event: 'recovered', want }));
        if (this.#clean === 'the screen') this.#clean = 'the view';
        this.#view.tell({ event: 'recovered', want });
        break;
      }
    }
  }

  async #resize({ to, late, meanwhile }: Resize): Promise<void> {
    // No program can know the width at which its write arrives: a late tick needs room for the line that it rewrites.
    if (to.every(({ columns }) => columns > CLOCK_COLUMNS)) this.#clock.pass(1000 * late);
    else await this.#deliver();
    for (const [at, size] of to.entries()) {
      if (at > 0) {
        this.#view.resized();
        this.#clock.pass(REST_MS / 2);
      }
      this.#take(size);
      await this.#deliver();
      this.#size = size;
    }
    for (const draw of meanwhile) {
      this.#draw(draw);
      await this.#deliver();
    }
    this.#view.resized();
  }

  #take({ columns, rows }: Space): void {
    const before = this.#terminal.cols;
    this.#terminal.resize(columns, rows);
    const { active } = this.#terminal.buffer;
    let top = active.baseY + active.cursorY;
    for (let left = this.#lines; left > 0; left -= 1) {
      top -= 1;
      while (active.getLine(top)?.isWrapped) top -= 1;
    }
    const hasScrolledOff = top < active.baseY || this.#clean !== 'everything';
    if (hasScrolledOff) this.#clean = columns === before && this.#clean !== 'the view' ? 'the screen' : 'the view';
  }

  async #deliver(): Promise<void> {
    const text = this.#written;
    this.#written = '';
    // After a key, xterm.js shows what is written at once instead of with the next timer.
    this.#terminal.input('');
    if (text !== '') await new Promise<void>((resolve) => this.#terminal.write(text, resolve));
  }

  #frame(): readonly string[] {
    const elapsedMs = this.#clock.now();
    return drawView({ targets: this.#targets, elapsedMs, leftMs: TIMEOUT_MS - elapsedMs }, this.#size, LOOK);
  }

  #check(frame: readonly string[]): void {
    this.#lines = frame.length;
    const { active } = this.#terminal.buffer;
    const rows = Array.from({ length: active.length }, (_, at) => active.getLine(at) as IBufferLine);
    const cursor = active.baseY + active.cursorY;
    const view = frame.map((line) => line.replaceAll(COLOURS, '').trimEnd());
    const lines = unwrapped(rows.slice(0, cursor));
    expect(active.cursorX).toBe(0);
    expect(unwrapped(rows.slice(cursor)).join('')).toBe('');
    expect(lines.slice(-view.length)).toEqual(view);
    if (this.#clean === 'everything') {
      expect(lines).toEqual([...this.#printed, ...view]);
      return;
    }
    const ours = lines.filter((line) => !PRINTED.test(line));
    expect(lines.filter((line) => !ours.includes(line))).toEqual(this.#printed);
    if (this.#clean === 'the screen') {
      const onScreen = unwrapped(rows.slice(active.baseY, cursor));
      expect([...this.#printed, ...view].join('\n').slice(-onScreen.join('\n').length)).toBe(onScreen.join('\n'));
    }
  }
}

const PRINTED = /^(\$+|pods in .*)$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: the colours of the view
const COLOURS = /\u001b\[\d+m/g;

function unwrapped(rows: readonly IBufferLine[]): readonly string[] {
  const lines: string[] = [];
  for (const row of rows) {
    const text = row.translateToString(false);
    lines.push(row.isWrapped ? `${lines.pop() ?? ''}${text}` : text);
  }
  return lines.map((line) => line.trimEnd());
}

const WIDE: Status = {
  state: 'pending',
  why: { code: 'phase', phase: 'Pending', reason: '漢字'.repeat(15), message: undefined },
};

const draw = fc.oneof<fc.Arbitrary<Draw>[]>(
  fc.record({ do: fc.constantFrom('tick', 'tick', 'heartbeat') }),
  fc.record({ do: fc.constant('print'), length: fc.nat(100) }),
  fc.record({
    do: fc.constant('change'),
    target: fc.nat(),
    status: fc.oneof<fc.Arbitrary<Status>[]>(
      fc.nat(10).map((succeeded) => ({ state: 'pending', why: jobWhy({ succeeded, active: 1, failed: 1 }) })),
      fc.constant({ state: 'pending', why: membersWhy({ reached: 1, total: 4 }) }),
      fc.constant(WIDE),
    ),
  }),
);

function scriptOn(size: fc.Arbitrary<Space>): fc.Arbitrary<Script> {
  const resize = fc.record<Resize>({
    do: fc.constant('resize'),
    to: fc.array(size, { minLength: 1, maxLength: 3 }),
    late: fc.nat(2),
    meanwhile: fc.array(draw, { maxLength: 2 }),
  });
  return fc.record({
    start: size,
    targets: fc.integer({ min: 1, max: 8 }),
    shell: fc.array(fc.integer({ min: 1, max: 120 }), { maxLength: 12 }),
    steps: fc.array(fc.oneof(draw, resize), { minLength: 1, maxLength: 10 }),
    end: fc.constantFrom('done', 'signal'),
  });
}

const columns = fc.oneof(fc.integer({ min: 16, max: 100 }), fc.integer({ min: 26, max: 45 }));
const high = fc.integer({ min: 16, max: 30 });
const rows = fc.oneof(high, fc.integer({ min: 2, max: 11 }));

describe('the live view leaves nothing behind', () => {
  test.each<[string, fc.Arbitrary<Space>]>([
    ['wider or narrower', fc.record({ columns, rows: high })],
    ['taller, or shorter than the view', fc.record({ columns: fc.constant(80), rows })],
    ['larger or smaller in both directions', fc.record({ columns, rows })],
  ])('on a terminal that becomes %s', async (_, size) => {
    const play = async ({ steps, end, ...start }: Script): Promise<void> => {
      const run = new Run(start);
      await run.play([{ do: 'heartbeat' }, ...steps]);
      await run.end(end);
    };
    await fc.assert(fc.asyncProperty(scriptOn(size), play), { numRuns: RUNS });
  });
});

test('a resize redraws every line, since some terminals cut lines instead of wrapping them', () => {
  const clock = new HandClock();
  let written = '';
  const view = liveReporter(new Paper(), {
    terminal: {
      size: () => ({ columns: 80, rows: 24 }),
      write: (text) => {
        written = text;
      },
    },
    ...{ clock, look: LOOK, timeoutMs: TIMEOUT_MS, results: 'drawn', targets: [MIGRATE] },
  });
  view.tell(heartbeat([], 0, 0));
  clock.pass(1000);
  expect(written).not.toContain('migrate');
  view.resized();
  clock.pass(REST_MS);
  expect(written).toContain('migrate');
});
