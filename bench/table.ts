import { BARS, type Column, type Figure, isMet, type Row } from './figures.ts';

const COLUMNS: Readonly<Record<Column, string>> = {
  wallMs: 'wall ms',
  cpuMs: 'CPU ms',
  peakMiB: 'peak MiB',
  anonMiB: 'anon MiB',
  requests: 'requests',
  kB: 'kB',
  lateMs: 'late ms',
};

/** Three digits are all that a noisy machine gives; a small number keeps one that says something. */
export function shown(value: number): string {
  if (Number.isNaN(value)) return 'none';
  if (Math.abs(value) >= 100) return String(Math.round(value));
  return String(Number(value.toPrecision(3)));
}

/** A table as Markdown has it, so that it can be copied into a page. */
export function table(head: readonly string[], lines: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...lines.map((cells) => (cells[column] ?? '').length)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${widths.map((width, column) => (cells[column] ?? '').padEnd(width)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...lines.map(line)].join('\n');
}

/** What was measured; only the columns that some row fills. */
export function rowTable(rows: readonly Row[]): string {
  const columns = (Object.keys(COLUMNS) as Column[]).filter((column) =>
    rows.some(({ values }) => values[column] !== undefined),
  );
  return table(
    ['case', 'program', ...columns.map((column) => COLUMNS[column]), 'runs'],
    rows.map(({ case: name, program, values, runs }) => [
      name,
      program,
      ...columns.map((column) => {
        const value = values[column];
        return value === undefined ? '' : shown(value);
      }),
      String(runs),
    ]),
  );
}

/** What is held to a bar. */
export function barTable(figures: readonly Figure[]): string {
  return table(
    ['figure', 'bar', 'found', ''],
    figures.map((figure) => {
      const { what, most, unit } = BARS[figure.bar];
      const behind = unit === '' ? '' : ` ${unit}`;
      return [what, `<= ${most}${behind}`, `${shown(figure.value)}${behind}`, isMet(figure) ? 'met' : 'MISSED'];
    }),
  );
}
