import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { TestProject } from 'vitest/node';
import { type Coordinates, type RunningCluster, startCluster } from '../cluster/index.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    cluster: Coordinates;
  }
}

/** Several projects of one run share one cluster. Vitest may load this file once for each of them. */
interface Shared {
  cluster?: Promise<RunningCluster>;
  users: number;
}

const ROOT = path.resolve(import.meta.dirname, '..', '..');

/** As in the image: with V8's compiled code a start takes a third less of the CPU, and a run makes thousands. */
function compileAhead(): void {
  const dist = path.join(ROOT, 'dist');
  // Without it each test says what is missing.
  if (!existsSync(path.join(dist, 'kube-await.cjs'))) return;
  // Of an earlier run: V8 does not see whether the code it was made of is still the same.
  for (const name of readdirSync(dist)) if (/\.cjs\.v/.test(name)) rmSync(path.join(dist, name));
  execFileSync(process.execPath, [path.join(ROOT, 'scripts', 'compile-cache.cjs'), dist]);
}

const key = Symbol.for('kube-await.test-cluster');
const holder = globalThis as { [key]?: Shared };

/** Starts the cluster that all files of the run use, side by side. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  holder[key] ??= { users: 0 };
  const shared = holder[key];
  shared.users += 1;
  if (shared.users === 1) compileAhead();
  shared.cluster ??= startCluster({
    programs: ['kubectl', 'helm', 'actionlint'],
    progress: (line) => console.error(line),
  });
  project.provide('cluster', (await shared.cluster).coordinates);
  return async () => {
    shared.users -= 1;
    if (shared.users === 0) {
      await (await shared.cluster)?.stop();
    }
  };
}
