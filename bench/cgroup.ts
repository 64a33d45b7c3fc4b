/** A memory limit as a container has it. */
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Command } from './process.ts';

export interface MemoryLimit {
  /** The command within the limit. */
  within(command: Command): Command;
  /** The most that was charged since the last call, page cache among it, in KiB; undefined where it is not told. */
  takePeakKiB(): number | undefined;
  remove(): void;
}

interface Layout {
  readonly root: string;
  readonly limit: string;
  readonly peak: string;
}

/** Of both versions of cgroups; the second only where memory is handed down. */
const LAYOUTS: readonly Layout[] = [
  { root: '/sys/fs/cgroup/memory', limit: 'memory.limit_in_bytes', peak: 'memory.max_usage_in_bytes' },
  { root: '/sys/fs/cgroup', limit: 'memory.max', peak: 'memory.peak' },
];

/** Makes one, or says why not. */
export function limitMemory(bytes: number): MemoryLimit | string {
  for (const { root, limit, peak } of LAYOUTS) {
    const dir = path.join(root, `kube-await-bench-${process.pid}`);
    try {
      mkdirSync(dir);
    } catch {
      continue;
    }
    try {
      writeFileSync(path.join(dir, limit), String(bytes));
      if (existsSync(path.join(dir, 'memory.swap.max'))) writeFileSync(path.join(dir, 'memory.swap.max'), '0');
    } catch {
      rmdirSync(dir);
      continue;
    }
    const procs = path.join(dir, 'cgroup.procs');
    return {
      within: ({ program, argv, env }) => ({
        program: `${program}, limited`,
        argv: ['sh', '-c', `echo $$ >${procs} && exec "$@"`, 'sh', ...argv],
        env,
      }),
      takePeakKiB() {
        const file = path.join(dir, peak);
        if (!existsSync(file)) return undefined;
        const found = Number(readFileSync(file, 'latin1')) / 1024;
        try {
          writeFileSync(file, '0');
        } catch {
          // An older kernel counts from the beginning.
        }
        return found;
      },
      remove: () => rmdirSync(dir),
    };
  }
  return 'no cgroup with a memory limit can be made here';
}
