/**
 * What a pod finds at its fixed path, without a pod: this process starts itself again where that path is its own, in a
 * mount namespace of Linux. Nothing of it is seen outside, and it is gone with the last process in there.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { SERVICE_ACCOUNT_DIR } from '../src/kube/in-cluster.ts';

const MARK = 'KUBE_AWAIT_BENCH_POD';

/** Whoever is not root may mount as root of a user namespace, where that is allowed. */
const AS_ROOT = process.getuid?.() === 0 ? [] : ['--map-root-user'];
/** /var/run is mostly a link to /run, which mount follows. */
const ENTER = ['--mount', ...AS_ROOT, 'sh', '-c', 'mount -t tmpfs none /var/run && exec "$@"', 'sh'];

export function isInPod(): boolean {
  return process.env[MARK] !== undefined;
}

/** Runs this program again in there, and ends with its exit code. Gives why not, where that cannot be done. */
export async function enterPod(): Promise<string> {
  const tried = spawnSync('unshare', [...ENTER, 'true'], { encoding: 'utf8' });
  if (tried.status !== 0) return (tried.error?.message ?? tried.stderr).trim().split('\n')[0] ?? 'unshare failed';
  const child = spawn('unshare', [...ENTER, process.execPath, ...process.argv.slice(1)], {
    stdio: 'inherit',
    env: { ...process.env, [MARK]: '1' },
  });
  // Ctrl-C goes to all of the terminal; whoever kills us kills it.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
  process.exit(await new Promise<number>((resolve) => child.on('exit', (code) => resolve(code ?? 1))));
}

export function mountServiceAccount(files: { token: string; 'ca.crt': string; namespace: string }): void {
  mkdirSync(SERVICE_ACCOUNT_DIR, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(SERVICE_ACCOUNT_DIR, name), text);
}
