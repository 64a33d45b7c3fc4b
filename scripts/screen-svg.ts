import type { IBufferCell, IBufferLine } from '@xterm/headless';
import type { Screen } from '../test/harness/terminal.ts';

/** In pixels. The glyphs of a run are stretched to their cells, so that every font keeps the columns. */
const CELL = { width: 8.4, height: 20, baseline: 15 } as const;
const MARGIN = 16;
const FONT = 'ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace';

/** Colours with enough contrast on the ground of the picture, which is dark wherever it is shown. */
const GROUND = '#161b22';
const PLAIN = '#e6edf3';
const DIM = '#8b949e';
/** ANSI colours by number, as far as kube-await uses them. */
const COLOURS: Readonly<Record<number, string>> = { 1: '#ff7b72', 2: '#56d364', 3: '#e3b341' };

interface Piece {
  readonly column: number;
  readonly colour: string;
  text: string;
}

/** A terminal's screen as SVG: text that can be selected and searched, and needs no font of its own. */
export function svgOf(
  { cells }: Screen,
  { columns, title }: { readonly columns: number; readonly title: string },
): string {
  const width = round(columns * CELL.width + 2 * MARGIN);
  const height = cells.length * CELL.height + 2 * MARGIN;
  const rows = cells.flatMap((line, row) => piecesOf(line).map((piece) => textOf(piece, row)));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${width}" height="${height}" rx="8" fill="${GROUND}"/>`,
    `<g font-family='${FONT}' font-size="14" xml:space="preserve">`,
    ...rows,
    '</g>',
    '</svg>',
    '',
  ].join('\n');
}

/** Neighbouring cells of one colour; blanks at the end of a piece are left out. */
function piecesOf(line: IBufferLine): readonly Piece[] {
  const pieces: Piece[] = [];
  for (let column = 0; column < line.length; column += 1) {
    const cell = line.getCell(column);
    // The second half of a wide character has no text of its own.
    if (cell === undefined || cell.getWidth() === 0) continue;
    const colour = colourOf(cell);
    const last = pieces.at(-1);
    if (last?.colour === colour) last.text += cell.getChars() || ' ';
    else pieces.push({ column, colour, text: cell.getChars() || ' ' });
  }
  return pieces.map((piece) => ({ ...piece, text: piece.text.trimEnd() })).filter(({ text }) => text !== '');
}

function colourOf(cell: IBufferCell): string {
  if (cell.isFgPalette()) return COLOURS[cell.getFgColor()] ?? PLAIN;
  return cell.isDim() ? DIM : PLAIN;
}

function textOf({ column, colour, text }: Piece, row: number): string {
  const blanks = text.length - text.trimStart().length;
  const x = round(MARGIN + (column + blanks) * CELL.width);
  const y = MARGIN + row * CELL.height + CELL.baseline;
  const shown = text.trimStart();
  const length = round(shown.length * CELL.width);
  return `<text x="${x}" y="${y}" fill="${colour}" textLength="${length}" lengthAdjust="spacingAndGlyphs">${escaped(shown)}</text>`;
}

function round(pixels: number): number {
  return Math.round(pixels * 10) / 10;
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
