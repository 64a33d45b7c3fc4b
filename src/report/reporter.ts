import type { RunEvent } from '../wait/events.ts';

/** Where lines go. Both take one line without its end. */
export interface Writer {
  /** Results, on standard output. */
  readonly out: (line: string) => void;
  /** Progress and errors, on standard error. */
  readonly err: (line: string) => void;
}

/** One output format. */
export interface Reporter {
  /** Takes each event of a run, in order. */
  readonly tell: (event: RunEvent) => void;
}
