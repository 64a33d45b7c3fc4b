import { writeSync } from 'node:fs';
import type { Writer } from './reporter.ts';

/** How long a reader that does not read may hold us up before a line is given up, in milliseconds. */
const PATIENCE_MS = 50;
const NAP_MS = 2;

/**
 * Writes straight to the file descriptors: process.stdout and process.stderr would make pipes non-blocking, and a
 * program that takes this process over would lose output on them. A line that cannot be written is lost without a word:
 * a closed log must not change the verdict.
 */
export const standardWriter: Writer = {
  out: (line) => writeAll(1, `${line}\n`),
  err: (line) => writeAll(2, `${line}\n`),
};

/** Writes text to a file descriptor, as far as its reader reads. */
export function writeAll(fd: 1 | 2, text: string): void {
  const bytes = Buffer.from(text);
  let written = 0;
  let napped = 0;
  while (written < bytes.length) {
    try {
      written += writeSync(fd, bytes, written);
    } catch (error) {
      // The pipe was made non-blocking by whoever gave it to us, and it is full.
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN' || napped >= PATIENCE_MS) return;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, NAP_MS);
      napped += NAP_MS;
    }
  }
}
