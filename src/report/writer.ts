import { writeSync } from 'node:fs';
import type { Writer } from './reporter.ts';

/** How long a reader that does not read may hold us up with each line, in milliseconds. */
const PATIENCE_MS = 50;
const NAP_MS = 2;
/** How much may wait for such a reader, in bytes; what would be more is lost, line by line. */
const MOST_UNWRITTEN = 1024 * 1024;

const NOTHING = Buffer.alloc(0);
/** What a non-blocking pipe did not take yet: lines, the first of which may have been written in part. */
const unwritten = { 1: NOTHING, 2: NOTHING };

/**
 * Writes straight to the file descriptors: process.stdout and process.stderr would make pipes non-blocking, and a
 * program that takes this process over would lose output on them. A line that cannot be written is lost without a word:
 * a closed log must not change the verdict.
 */
export const standardWriter: Writer = {
  out: (line) => writeAll(1, `${line}\n`),
  err: (line) => writeAll(2, `${line}\n`),
};

/** Writes text to a file descriptor, as far as its reader reads; the rest goes before what is written next. */
export function writeAll(fd: 1 | 2, text: string): void {
  const bytes = Buffer.from(text);
  if (unwritten[fd].length + bytes.length <= MOST_UNWRITTEN) unwritten[fd] = Buffer.concat([unwritten[fd], bytes]);
  push(fd, PATIENCE_MS);
}

/** Waits until everything is written, for so long at most, in milliseconds. */
export function flush(patienceMs: number): void {
  push(1, patienceMs);
  push(2, patienceMs);
}

function push(fd: 1 | 2, patienceMs: number): void {
  const bytes = unwritten[fd];
  let written = 0;
  let napped = 0;
  while (written < bytes.length) {
    try {
      written += writeSync(fd, bytes, written);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') {
        // Nobody reads there any more.
        written = bytes.length;
        break;
      }
      // The pipe was made non-blocking by whoever gave it to us, and it is full.
      if (napped >= patienceMs) break;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, NAP_MS);
      napped += NAP_MS;
    }
  }
  unwritten[fd] = bytes.subarray(written);
}
