/** The workflows: actionlint, one of the programs that come with the cluster, has nothing to say. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe } from 'vitest';
import { cluster, test } from '../harness/index.ts';

const ROOT = path.resolve(import.meta.dirname, '..', '..');
const FOLDER = path.join(ROOT, '.github', 'workflows');

/** What actionlint finds, with no help of programs that are on some machines only. */
async function actionlint(files: readonly string[]): Promise<string> {
  const args = ['-shellcheck=', '-pyflakes=', '-no-color', ...files];
  return promisify(execFile)(cluster().bin('actionlint'), args, { cwd: ROOT }).then(
    ({ stdout }) => stdout,
    ({ stdout, stderr }) => stdout + stderr,
  );
}

describe.concurrent('.github/workflows', () => {
  test('actionlint has nothing to say', async ({ expect }) => {
    const files = readdirSync(FOLDER).map((name) => path.join(FOLDER, name));
    expect(files.length).toBeGreaterThan(0);
    expect(await actionlint(files)).toBe('');
  });

  test('it would say it', async ({ expect }) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'kube-await-workflow-'));
    const file = path.join(folder, 'bad.yml');
    writeFileSync(file, 'on: push\njobs: {a: {runs-on: ubuntu-24.04, if: github.nope, steps: [{run: "true"}]}}\n');
    expect(await actionlint([file])).toContain('property "nope" is not defined');
    rmSync(folder, { recursive: true });
  });
});
