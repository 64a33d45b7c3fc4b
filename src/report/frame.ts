import { stripVTControlCharacters, styleText } from 'node:util';
import cliTruncate from 'cli-truncate';
import stringWidth from 'string-width';
import { assertNever } from '../assert-never.ts';
import type { Status, TargetState } from '../wait/state.ts';
import { clean } from './clean.ts';
import { elapsed } from './elapsed.ts';
import { countsOf } from './facts.ts';
import { describe } from './words.ts';

/** What a terminal can show. */
export interface Look {
  readonly colours: 'on' | 'off';
  readonly characters: 'unicode' | 'ascii';
}

/** How a target stands, without what is remembered of it. */
export type Standing = Pick<TargetState, 'target' | 'status'>;

/** What there is to say of a target. Not yet cleaned. */
interface Worded {
  readonly words: string;
}

/** What is to be shown. */
export interface View {
  readonly targets: readonly Standing[];
  readonly elapsedMs: number;
  /** Infinity: no timeout. */
  readonly leftMs: number;
}

export interface Space {
  readonly columns: number;
  readonly rows: number;
}

type Colour = 'green' | 'yellow' | 'red' | 'dim';

const CHARACTERS = {
  unicode: { reached: '✓', failed: '✗', pending: '•', bar: ['█', '▒', '░'], cut: '…' },
  ascii: { reached: '+', failed: 'x', pending: '-', bar: ['#', '=', '.'], cut: '~' },
} as const;

/** Of a wide terminal, and of a narrow one, in columns; the narrowest have room for words only. */
const BARS = [
  { from: 60, width: 20 },
  { from: 36, width: 8 },
] as const;

/** How much of a line a label may take, so that something is left for what there is to say. */
const LABEL_SHARE = 0.4;

/**
 * The view as lines, none of them wider than the terminal and never more than it has rows: a line for each target with
 * its state, a bar where there is something to count, and its words; then the time gone and left.
 */
export function drawView({ targets, elapsedMs, leftMs }: View, space: Space, look: Look): readonly string[] {
  // The last column stays empty: some terminals wrap when it is written to. The last row is the cursor's.
  const columns = Math.max(1, space.columns - 1);
  const rows = Math.max(1, space.rows - 2);
  const shown = targets.length <= rows ? targets : mostTelling(targets, rows - 1);
  const most = Math.floor(columns * LABEL_SHARE);
  const labelWidth = Math.min(most, Math.max(0, ...shown.map(({ target }) => stringWidth(clean(target.label)))));
  // Rounded so that the two always add up to the timeout.
  const left = Number.isFinite(leftMs) ? `, ${elapsed(Math.ceil(leftMs / 1000) * 1000)} left` : '';
  const footer = [`  ${elapsed(elapsedMs)} gone${left}`];
  const hidden = targets.filter((target) => !shown.includes(target));
  if (hidden.length > 0) footer.unshift(`  ${summaryOf(hidden)}`);
  const lines = [
    ...shown.map((target) => {
      const words = describe(target.status);
      return drawTarget({ ...target, words }, { columns, labelWidth }, look, barOf(target.status, columns, look));
    }),
    ...footer.map((line) => drawn([{ text: line, colour: 'dim' }], columns, look)),
  ];
  return lines.slice(1 - space.rows);
}

/** What stays on the screen: results in full, so that nothing is lost where they are long. */
export function drawResults(targets: readonly (Standing & Worded)[], footer: string, look: Look): readonly string[] {
  const labelWidth = Math.max(0, ...targets.map(({ target }) => stringWidth(clean(target.label))));
  const space = { columns: Number.POSITIVE_INFINITY, labelWidth };
  return [
    ...targets.map((target) => drawTarget(target, space, look)),
    drawn([{ text: `  ${clean(footer)}`, colour: 'dim' }], Number.POSITIVE_INFINITY, look),
  ];
}

function drawTarget(
  { target, status, words }: Standing & Worded,
  { columns, labelWidth }: { readonly columns: number; readonly labelWidth: number },
  look: Look,
  bar: readonly Piece[] = [],
): string {
  const { mark, colour } = markOf(status, look);
  const label = cut(clean(target.label), labelWidth, look);
  const padding = ' '.repeat(Math.max(0, labelWidth - stringWidth(label)));
  return drawn(
    [
      { text: mark, colour },
      { text: ` ${label}${padding}  ` },
      ...bar,
      { text: clean(words), ...(status.state === 'unknown' ? { colour: 'dim' as const } : {}) },
    ],
    columns,
    look,
  );
}

function markOf({ state }: Status, { characters }: Look): { readonly mark: string; readonly colour: Colour } {
  const marks = CHARACTERS[characters];
  switch (state) {
    case 'reached':
      return { mark: marks.reached, colour: 'green' };
    case 'failed':
      return { mark: marks.failed, colour: 'red' };
    case 'pending':
      return { mark: marks.pending, colour: 'yellow' };
    case 'unknown':
      return { mark: marks.pending, colour: 'dim' };
    default:
      return assertNever(state);
  }
}

/** A bar for what goes on in several parts: those that are done, those at work, those to come. */
function barOf(status: Status, columns: number, { characters }: Look): readonly Piece[] {
  const width = BARS.find(({ from }) => columns >= from)?.width;
  const progress = status.state === 'pending' ? progressOf(status) : undefined;
  if (width === undefined || progress === undefined || progress.of < 2) return [];
  const upTo = (count: number): number => Math.floor((width * Math.min(count, progress.of)) / progress.of);
  const done = upTo(progress.done);
  const active = upTo(progress.done + progress.active) - done;
  const [full, half, empty] = CHARACTERS[characters].bar;
  return [
    { text: full.repeat(done), colour: 'green' },
    { text: half.repeat(active), colour: 'yellow' },
    { text: empty.repeat(width - done - active), colour: 'dim' },
    { text: '  ' },
  ];
}

interface Progress {
  readonly done: number;
  readonly active: number;
  readonly of: number;
}

function progressOf(status: Status): Progress | undefined {
  const counts = countsOf(status);
  if (counts === undefined) return undefined;
  const { completions, succeeded = 0, active = 0, reached, total = 0, ready, left, wanted, available = 0 } = counts;
  if (completions !== undefined) return { done: succeeded, active, of: completions };
  if (reached !== undefined) {
    return { done: reached, active: 0, of: counts.atLeast ?? Math.max(total, counts.expect ?? 0) };
  }
  if (left !== undefined) return { done: total - left, active: 0, of: total };
  if (ready !== undefined) return { done: ready, active: 0, of: total };
  return wanted === undefined ? undefined : { done: available, active: 0, of: wanted };
}

/** Where there are more targets than rows: those that are not reached first, and all in their own order. */
function mostTelling(targets: readonly Standing[], rows: number): readonly Standing[] {
  const order = [...targets].sort(
    (a, b) => Number(a.status.state === 'reached') - Number(b.status.state === 'reached'),
  );
  const chosen = new Set(order.slice(0, Math.max(0, rows)));
  return targets.filter((target) => chosen.has(target));
}

function summaryOf(targets: readonly Standing[]): string {
  const reached = targets.filter(({ status }) => status.state === 'reached').length;
  return `and ${targets.length} more, ${reached} of them reached`;
}

interface Piece {
  readonly text: string;
  readonly colour?: Colour;
}

/** Cuts first, then colours: escape sequences take no columns. */
function drawn(pieces: readonly Piece[], columns: number, look: Look): string {
  let text = '';
  let width = 0;
  for (const piece of pieces) {
    const shown = cut(piece.text, columns - width, look);
    width += stringWidth(shown);
    text += piece.colour === undefined ? shown : paint(shown, piece.colour, look);
  }
  return text;
}

function cut(text: string, columns: number, { characters }: Look): string {
  if (columns === Number.POSITIVE_INFINITY) return text;
  return cliTruncate(text, Math.max(0, columns), { truncationCharacter: CHARACTERS[characters].cut });
}

function paint(text: string, colour: Colour, { colours }: Look): string {
  // Without validation, since that would look at process.stdout.
  return colours === 'off' || text === '' ? text : styleText(colour, text, { validateStream: false });
}

/** The number of rows that a line takes on a terminal that wraps it. A wide character stays in one row. */
export function heightOf(line: string, columns: number): number {
  // Most lines fit, and to measure each character takes long.
  if (stringWidth(line) <= columns) return 1;
  let used = 0;
  for (const character of stripVTControlCharacters(line)) {
    const width = stringWidth(character);
    const free = columns - (used % columns);
    used += width > free ? free + width : width;
  }
  return Math.ceil(used / columns);
}
