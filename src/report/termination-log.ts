import { existsSync, writeFileSync } from 'node:fs';
import { clean } from './clean.ts';

/** Where kubelet reads why a container ended. https://kubernetes.io/docs/tasks/debug/debug-application/determine-reason-pod-failure/ */
const KUBELET_FILE = '/dev/termination-log';
/** kubelet reads 4096 bytes of it, and shares 12 KiB among the containers of a pod. */
const MAX_BYTES = 1024;

let file: string | undefined;

/**
 * Says where verdicts go: the file that was asked for, none where that is empty, else kubelet's own, which is there only
 * in a pod.
 */
export function openTerminationLog(asked: string | undefined): void {
  file = asked === undefined ? (existsSync(KUBELET_FILE) ? KUBELET_FILE : undefined) : asked || undefined;
}

/** Writes the one line that says why the run ended; an empty one clears the file. A file that cannot be written is no fault of the run. */
export function writeTerminationLog(line: string): void {
  if (file === undefined) return;
  try {
    // Whole characters only: kubelet makes a string of it.
    const bytes = new Uint8Array(MAX_BYTES);
    const { written } = new TextEncoder().encodeInto(clean(line), bytes);
    writeFileSync(file, bytes.subarray(0, written));
  } catch {
    // The verdict is on standard output as well.
  }
}
