import type { RunEvent } from '../wait/events.ts';
import type { Refusal } from './refusal.ts';

/** Where lines go. Both take one line without its end. */
export interface Writer {
  /** Results, on standard output. */
  readonly out: (line: string) => void;
  /** Progress and errors, on standard error. */
  readonly err: (line: string) => void;
}

/** How the process ends, or what it ended with before COMMAND takes its place. */
export interface End {
  readonly exitCode: number;
  /** The signal that ends it, where it is one. */
  readonly signal?: NodeJS.Signals;
}

/** One output format. */
export interface Reporter {
  /** Takes each event of a run, in order. */
  readonly tell: (event: RunEvent) => void;
  /** Takes what was refused, where that has ended the run. */
  readonly refused: (refusal: Refusal) => void;
  /** Called last, at any moment; what is told after that is lost. */
  readonly end: (end: End) => void;
}

/** The line that says that a signal has ended the program. */
export function signalLine(signal: NodeJS.Signals, program = 'kube-await'): string {
  return `${program}: ended by ${signal}`;
}
