import { assertNever } from '../assert-never.ts';
import { awaited } from '../wait/alternatives.ts';
import type { RunEvent } from '../wait/events.ts';
import type { TargetState } from '../wait/state.ts';
import { clean } from './clean.ts';
import { podLines, unexplainedLine } from './explanation.ts';
import { eachHintOnce, hintLine } from './hints.ts';
import { refusalLines } from './refusal.ts';
import { type Reporter, signalLine, type Writer } from './reporter.ts';
import { isBeingRead, isReachedForGood, notReached, resultsOf, verdictOf } from './results.ts';
import { describeChange, describeRequest, describeWait } from './words.ts';

/**
 * Plain lines: what changes and what is still awaited on standard error, each target's result once on standard output.
 */
export function textReporter(writer: Writer, options: { readonly verbosity: 'progress' | 'results' }): Reporter {
  const told = new Set<string>();
  const newHints = eachHintOnce();
  const progress = (line: string): void => {
    if (options.verbosity === 'progress') writer.err(clean(line));
  };
  /** Why something failed is no progress: -q does not silence it. */
  const shown = (line: string): void => writer.err(clean(line));
  const result = (line: string): void => writer.out(clean(line));

  return {
    tell: (event) => {
      switch (event.event) {
        case 'changed':
          return changed(event);
        case 'heartbeat':
          return heartbeat(event);
        case 'trouble':
        case 'recovered':
        case 'fallback':
          return progress(describeRequest(event));
        case 'pod':
          for (const line of podLines(event.target.target.label, event.pod)) shown(line);
          return;
        case 'log':
          return shown(`  ${event.container} | ${event.line}`);
        case 'unexplained':
          return shown(unexplainedLine(event.target, event.cause));
        case 'done':
          return done(event);
        default:
          return assertNever(event);
      }
    },
    refused: (refusal) => {
      for (const line of refusalLines(refusal)) writer.err(line);
    },
    end: ({ signal }) => {
      if (signal !== undefined) writer.err(signalLine(signal));
    },
  };

  /** A result that can never change is told when it is there; one that must still hold at the end waits for it. */
  function changed(event: Extract<RunEvent, { event: 'changed' }>): void {
    const { target } = event;
    const { label } = target.target;
    if (target.status.state === 'failed' || isBeingRead(target)) return;
    if (isReachedForGood(target)) {
      told.add(label);
      result(verdictOf(target, 'reached').line);
      return;
    }
    told.delete(label);
    progress(`${label}: ${describeChange(event)}`);
  }

  function heartbeat(event: Extract<RunEvent, { event: 'heartbeat' }>): void {
    // What -q silences now is told at the end.
    if (options.verbosity === 'results') return;
    progress(describeWait(event));
    hints(awaited(event.state.targets));
  }

  function hints(targets: readonly TargetState[]): void {
    for (const target of targets) for (const hint of newHints(target)) shown(hintLine(target, hint));
  }

  function done(event: Extract<RunEvent, { event: 'done' }>): void {
    const results = resultsOf(event);
    // What ended without a heartbeat has its hints here.
    hints(notReached(results));
    for (const { target, event: what, line } of results) {
      if (what !== 'reached' || !told.has(target.target.label)) result(line);
    }
  }
}
