import { readFileSync } from 'node:fs';
import path from 'node:path';
import { load } from 'js-yaml';
import { expect, test } from 'vitest';
import { number } from '../../../src/json.ts';

const ROOT = path.resolve(import.meta.dirname, '..', '..', '..');
const read = (file: string): string => readFileSync(path.join(ROOT, file), 'utf8');

const shown = (seconds: number): string =>
  seconds % 60 === 0 ? `${seconds / 60} min` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;

test('the time limits of docs/helm.md are those of the chart, in their order', () => {
  const values = load(read('k8s/chart/values.yaml'));
  const ours = number(values, 'await', 'timeoutSeconds') ?? 0;
  const limits = [
    number(values, 'migrations', 'activeDeadlineSeconds') ?? 0,
    ours,
    ours + 30,
    // Helm's own default.
    300,
    number(values, 'progressDeadlineSeconds') ?? 0,
  ];
  expect([...limits].sort((a, b) => a - b)).toEqual(limits);
  const [, section = ''] = read('docs/helm.md').split('## Time limits\n');
  const column = [...section.matchAll(/^\| [^|]+ \| [^|]+ \| (\d[^|]*) \|/gm)].map(([, cell]) => cell?.trim());
  expect(column).toEqual(limits.map(shown));
});
