import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { OPTIONS_PAGE, optionsPage } from '../../scripts/options-page.ts';
import { OPTIONS } from '../../src/cli/options.ts';

test('docs/options.md is what the table of options makes of it; `npm run docs` writes it anew', () => {
  expect(readFileSync(OPTIONS_PAGE, 'utf8')).toBe(optionsPage());
});

test('each option has a row', () => {
  const rows = optionsPage()
    .split('\n')
    .filter((line) => line.startsWith('| `'));
  expect(rows).toHaveLength(OPTIONS.length);
  for (const { name } of OPTIONS) expect(rows.filter((row) => row.includes(`\`--${name}`)).length).toBeGreaterThan(0);
});
