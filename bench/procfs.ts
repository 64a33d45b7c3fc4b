/** What the kernel tells of a process. https://man7.org/linux/man-pages/man5/proc.5.html */
import { readdirSync, readFileSync } from 'node:fs';

/** What is running to be told of; undefined once it has ended, even while nobody has asked how. */
export interface Memory {
  /** The most that was ever resident, shared pages of the program's own file among them. */
  readonly peakKiB: number;
  /** What is resident now and belongs to no file: what is really taken away from others. */
  readonly anonKiB: number;
}

export function memoryOf(pid: number): Memory | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    const peak = /^VmHWM:\s+(\d+)/m.exec(status)?.[1];
    const anon = /^RssAnon:\s+(\d+)/m.exec(status)?.[1];
    return peak === undefined || anon === undefined ? undefined : { peakKiB: Number(peak), anonKiB: Number(anon) };
  } catch {
    return undefined;
  }
}

/** CPU time of all threads that still live, in milliseconds. The kernel counts nanoseconds there; `stat` has ticks. */
export function cpuOf(pid: number): number {
  let ns = 0;
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    ns += Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'latin1').split(' ')[0]);
  }
  return ns / 1e6;
}
