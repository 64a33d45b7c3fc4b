/** The reporter of test runs, in a run of its own. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';

const ROOT = path.resolve(import.meta.dirname, '..', '..');
const VITEST = path.join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
const REPORTER = path.join(ROOT, 'test', 'harness', 'tally.ts');

const FILES = {
  'vitest.config.ts': `import { Tally } from ${JSON.stringify(REPORTER)};
    export default { test: { globals: true, retry: 1, reporters: [new Tally()] } };`,
  'retried.test.ts': `let attempts = 0;
    describe('a group', () => test('passes on a retry', () => expect(++attempts).toBe(2)));
    test('fails on the retry too', () => expect(1).toBe(2));`,
  'plain.test.ts': `test('passes', () => {});
    test.skip('is skipped', () => {});`,
  'broken.test.ts': `throw new Error('cannot be loaded');`,
  'cleanup.test.ts': `describe('a group', () => {
      afterAll(() => { throw new Error('cleanup'); });
      test('passes', () => void Promise.reject(new Error('unhandled')));
    });`,
};

test('the result counts what failed outside of a test, and names a test that passed only on a retry', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'kube-await-tally-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const [name, text] of Object.entries(FILES)) writeFileSync(path.join(folder, name), text);
  const file = path.join(folder, 'tally');
  const run = promisify(execFile)(process.execPath, [VITEST, 'run', '--root', folder], {
    env: { PATH: process.env.PATH, TALLY_FILE: file },
  });
  const { stdout } = await run.catch((error) => error);
  const flaky = 'retried.test.ts > a group > passes on a retry';
  expect(stdout).toBe(`flaky: 1 (passed only on a retry)\n  ${flaky}\n\n`);
  // Failed: a test, a file, the hook of a group, and a rejection.
  expect(readFileSync(file, 'utf8')).toBe(`3 passed, 4 failed, 1 skipped\n${flaky}\n`);
});
