import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';

const ROOT = path.resolve(import.meta.dirname, '..', '..', '..');
const { scripts } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as {
  readonly scripts: Readonly<Record<string, string>>;
};

function check(...options: string[]): object {
  const args = [...options, path.join(ROOT, 'scripts', 'node-version.cjs')];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  return { status, stdout, stderr };
}

test('a Node that runs TypeScript passes', () => {
  expect(check()).toEqual({ status: 0, stdout: '', stderr: '' });
});

test('a Node that does not run TypeScript gets one line and exit code 2', () => {
  const stderr = expect.stringMatching(/^kube-await: Node .+: expected 22\.18 or newer\. .+\n$/);
  expect(check('--no-experimental-strip-types')).toEqual({ status: 2, stdout: '', stderr });
});

test.for(Object.entries(scripts).filter(([, command]) => /node \S+\.ts/.test(command)))(
  'npm run %s checks its Node first',
  ([, command]) => {
    expect(command).toMatch(/^(node scripts\/node-version\.cjs|npm run --silent build) && /);
  },
);
