/** The e2e suite reports missing programs in one line, before it builds anything. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { SetupError } from '../../cluster/binaries.ts';
import { findEngine } from '../../e2e/engine.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'kube-await-path-'));
  vi.stubEnv('PATH', folder);
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

/** Puts a program on the PATH, which has no other. */
function install(name: string, code = 0): void {
  writeFileSync(path.join(folder, name), `#!/bin/sh\nexit ${code}\n`, { mode: 0o755 });
}

test('without Docker and buildah, the error names the packages to install', () => {
  expect(() => findEngine()).toThrow(SetupError);
  expect(() => findEngine()).toThrow(
    /^without a Docker daemon, the e2e suite needs buildah, runc, .*: apt-get install buildah runc .*$/,
  );
});

test('the error names only what is missing', () => {
  install('docker', 1);
  install('buildah');
  expect(() => findEngine()).toThrow(/needs runc, .*: apt-get install runc /);
});

test('with --engine docker and no daemon, the error says where to get Docker', () => {
  install('docker', 1);
  expect(() => findEngine('docker')).toThrow(/^Docker does not answer: install it \(https:.*$/);
});

test('Docker is used if its daemon answers', () => {
  install('docker');
  expect(findEngine().name).toBe('docker');
});

test('npm run test:e2e exits with 2 after one line on standard error', () => {
  const run = path.resolve(import.meta.dirname, '..', '..', 'e2e', 'run.ts');
  const args = [run, '--kubeconfig', 'kubeconfig', '--load', 'true'];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', env: { PATH: folder } });
  expect(stderr).toMatch(/^without a Docker daemon, the e2e suite needs .*\n$/);
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
});
