/**
 * `npm run test:package`: the test of the packed package on every line of Node that it supports. The Nodes come from
 * npm, into the user's cache folder.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';

/** The newest of each line on the day that this was written; the first runs on the oldest that package.json allows. */
const VERSIONS = ['22.15.0', '22.23.3', '24.21.0'];

const ROOT = path.resolve(import.meta.dirname, '..');
const CACHE = path.join(process.env.XDG_CACHE_HOME || path.join(homedir(), '.cache'), 'kube-await', 'node');

/** The path of that Node's program. npm's package `node` gets it from one for the platform; that is enough by itself. */
function nodeOf(version: string): string {
  const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
  const folder = path.join(CACHE, version);
  const program = path.join(folder, 'node_modules', name, 'bin', 'node');
  if (existsSync(program)) return program;
  mkdirSync(folder, { recursive: true });
  const args = ['install', '--prefix', folder, '--no-save', '--no-audit', '--no-fund', '--force', `${name}@${version}`];
  const { status } = spawnSync('npm', args, { stdio: 'inherit' });
  if (status !== 0) process.exit(1);
  return program;
}

const nodes = VERSIONS.map(nodeOf).join(path.delimiter);
const { status } = spawnSync(
  path.join(ROOT, 'node_modules', '.bin', 'vitest'),
  ['run', '--project', 'slow', 'test/slow/package.test.ts', ...process.argv.slice(2)],
  { cwd: ROOT, stdio: 'inherit', env: { ...process.env, KUBE_AWAIT_TEST_NODES: nodes } },
);
process.exitCode = status ?? 1;
