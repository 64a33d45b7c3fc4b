import { needOf } from '../access/needs.ts';
import { assertNever } from '../assert-never.ts';
import { awaited } from '../wait/alternatives.ts';
import type { RunEvent } from '../wait/events.ts';
import { hintsOf } from '../wait/hints.ts';
import type { State, Status, TargetState, Want } from '../wait/state.ts';
import { clean } from './clean.ts';
import { elapsed } from './elapsed.ts';
import { podLines, unexplainedLine } from './explanation.ts';
import { describePermission } from './permission.ts';
import type { Reporter, Writer } from './reporter.ts';
import { resultLine, resultsOf } from './results.ts';
import { describe, describeHint, describeProblem } from './words.ts';

/**
 * Plain lines: what changes and what is still awaited on standard error, each target's result once on standard output.
 */
export function textReporter(writer: Writer, options: { readonly verbosity: 'progress' | 'results' }): Reporter {
  const told = new Set<string>();
  const hinted = new Set<string>();
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
          return changed(event.target);
        case 'heartbeat':
          return heartbeat(event);
        case 'trouble':
          return progress(`${subject(event.want)}: ${describeProblem(event.problem)}; trying again`);
        case 'recovered':
          return progress(`${subject(event.want)}: the API server answers again`);
        case 'fallback':
          return progress(fallbackLine(event));
        case 'pod':
          for (const line of podLines(event.target.target.label, event.pod)) shown(line);
          return;
        case 'log':
          return shown(`  ${event.container} | ${event.line}`);
        case 'unexplained':
          return shown(unexplainedLine(event.target.target.label, event.cause));
        case 'done':
          return done(event);
        default:
          return assertNever(event);
      }
    },
  };

  /** A result that can never change is told when it is there; one that must still hold at the end waits for it. */
  function changed({ target, status }: TargetState): void {
    if (status.state === 'failed' || isBeingRead(status)) return;
    if (status.state === 'reached' && isFinal(status)) {
      told.add(target.label);
      result(resultLine(target.label, status));
      return;
    }
    told.delete(target.label);
    progress(`${target.label}: ${describe(status)}`);
  }

  function heartbeat(event: Extract<RunEvent, { event: 'heartbeat' }>): void {
    progress(heartbeatLine(event));
    hints(event.state, progress);
  }

  /** Each hint once. */
  function hints({ targets }: State, write: (line: string) => void): void {
    for (const target of awaited(targets)) {
      for (const hint of hintsOf(target)) {
        const line = `hint: ${target.target.label}: ${describeHint(hint)}`;
        if (hinted.has(line)) continue;
        hinted.add(line);
        write(line);
      }
    }
  }

  function done(event: Extract<RunEvent, { event: 'done' }>): void {
    // What ended without a heartbeat has its hints here.
    if (event.ending.kind !== 'reached') hints(event.state, shown);
    for (const { target, line } of resultsOf(event)) if (!told.has(target.target.label)) result(line);
  }
}

/** Whether nothing that happens to the object can take the result back. */
function isFinal(status: Status): boolean {
  if (status.state !== 'reached') return false;
  const { why } = status;
  return why.code === 'job' || (why.code === 'pod' && (why.phase === 'Succeeded' || why.phase === 'Failed'));
}

/** For a moment only, while a target's other objects are read: nothing to tell of. */
function isBeingRead(status: Status): boolean {
  return status.state === 'pending' && status.why.code === 'reading';
}

function heartbeatLine({ state, elapsedMs, leftMs }: Extract<RunEvent, { event: 'heartbeat' }>): string {
  const what = awaited(state.targets)
    .map(({ target, status }) => `${target.label} (${describe(status)})`)
    .join(', ');
  const left = Number.isFinite(leftMs) ? `, ${elapsed(leftMs)} left` : '';
  return `still waiting after ${elapsed(elapsedMs)}${left}: ${what}`;
}

/** What a request asks for, as people say it: `job/migrate`, `pods in namespace infra`. */
function subject({ spec }: Want): string {
  const { resource, name, namespace } = spec;
  if (name !== undefined) return `${resource.singularName}/${name}`;
  return namespace === undefined ? resource.name : `${resource.name} in namespace ${namespace}`;
}

function fallbackLine({ want, to }: Extract<RunEvent, { event: 'fallback' }>): string {
  const permission = describePermission(to === 'poll' ? 'watch' : 'list', needOf(want));
  const instead = to === 'poll' ? 'reading again every 2 to 10 s instead' : 'reading it by name instead';
  return `${subject(want)}: the permission to ${permission} is lacking, ${instead}`;
}
