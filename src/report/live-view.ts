import type { Clock } from '../clock.ts';
import type { Plan } from '../wait/plan.ts';
import { type LiveDeps, liveReporter } from './live.ts';
import type { Reporter, Writer } from './reporter.ts';
import { lookOf, terminalSize } from './terminal.ts';
import { writeAll } from './writer.ts';

export interface LiveViewDeps extends Pick<LiveDeps, 'results'> {
  readonly writer: Writer;
  readonly clock: Clock;
  readonly plan: Plan;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly on: (signal: 'SIGWINCH' | 'SIGCONT', listener: () => void) => void;
}

/** The live view on the terminal that standard error is; undefined where it has no size, and so shows nothing. */
export function openLiveView({ writer, clock, plan, env, results, on }: LiveViewDeps): Reporter | undefined {
  const space = terminalSize();
  if (space === undefined) return undefined;
  const { targets, timeoutMs } = plan;
  const terminal = { size: terminalSize, write: (text: string) => writeAll(2, text) };
  const view = liveReporter(writer, { terminal, space, clock, look: lookOf(env), targets, timeoutMs, results });
  on('SIGWINCH', view.resized);
  on('SIGCONT', view.resumed);
  return view;
}
