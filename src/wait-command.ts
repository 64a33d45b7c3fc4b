import type { Environment, WaitInvocation } from './cli/invocation.ts';
import { UsageError } from './cli/usage-error.ts';
import { systemClock } from './clock.ts';
import { conclude } from './engine.ts';
import { EXIT } from './exit.ts';
import { refusalLines } from './report/refusal.ts';
import type { Reporter, Writer } from './report/reporter.ts';
import { verdictLine } from './report/results.ts';
import { openTerminationLog, writeTerminationLog } from './report/termination-log.ts';
import { textReporter } from './report/text.ts';
import { isWatched } from './report/watched.ts';
import { describeUnusable } from './report/words.ts';
import { openSession } from './session.ts';
import { isatty } from './tty.ts';
import type { PodReport } from './wait/events.ts';
import type { Plan, Target } from './wait/plan.ts';

/** What a wait shares with whoever may end it from outside. */
export interface Outside {
  readonly writer: Writer;
  /** A signal that arrives once the ending is decided only ends its explanation: the first ending wins. */
  ending: 'open' | 'decided';
  readonly signal: AbortSignal;
  /** Who is to be told of an end from outside, once a run has begun. */
  reporter: Reporter | undefined;
  /** Has a signal told of that ends nothing. */
  readonly on: (signal: 'SIGWINCH' | 'SIGCONT', listener: () => void) => void;
}

/**
 * Waits. Gives the exit code.
 * @throws UsageError for what only the connection or discovery can tell
 */
export async function wait(
  invocation: WaitInvocation,
  env: Environment,
  outside: Outside,
  ownReporter?: Reporter,
): Promise<number> {
  const { logs, terminationLog } = invocation.output;
  const session = await openSession(invocation, env);
  const reporter = ownReporter ?? (await reporterFor(invocation, session.plan, env, outside));
  outside.reporter = reporter;
  if (session.plan.targets.some(({ select }) => select.by === 'selector')) holdMemory();
  openTerminationLog(terminationLog);
  const explaining = new Map<Target, PodReport>();
  const conclusion = await conclude(session, {
    tell: (event) => {
      if (event.event === 'pod') explaining.set(event.target.target, event.pod);
      if (event.event === 'done') writeTerminationLog(verdictLine(event, explaining) ?? '');
      reporter.tell(event);
    },
    decided: () => {
      outside.ending = 'decided';
    },
    signal: outside.signal,
    logs,
    get explain() {
      return isatty(2) ? 'at once' : 'spread';
    },
  });
  const { ending } = conclusion;
  if (ending.kind === 'usage') throw new UsageError(describeUnusable(ending));
  if ('refusal' in conclusion) {
    reporter.refused(conclusion.refusal);
    writeTerminationLog(refusalLines(conclusion.refusal)[0] ?? '');
  }
  const code = EXIT[ending.kind];
  reporter.end({ exitCode: code });
  // Connections end with the process; to close them one by one takes longer.
  if (code !== EXIT.reached || invocation.command === undefined) return code;
  session.transport.close();
  const { become } = await import('./command.ts');
  return become(invocation.command, env, outside.writer);
}

/** The output that was asked for, drawn where a person watches. What only some runs use is loaded by those. */
async function reporterFor(
  { output }: WaitInvocation,
  plan: Plan,
  env: Environment,
  { writer, on }: Outside,
): Promise<Reporter> {
  const verbosity = output.quiet ? 'results' : 'progress';
  if (output.format === 'json') {
    const { jsonReporter } = await import('./report/json.ts');
    return jsonReporter(writer, { clock: systemClock, verbosity });
  }
  if (verbosity === 'progress' && isWatched(env) && isatty(2)) {
    const { openLiveView } = await import('./report/terminal.ts');
    const results = isatty(1) ? 'drawn' : 'written';
    const view = openLiveView({ writer, clock: systemClock, plan, env, results, on });
    if (view !== undefined) return view;
  }
  return textReporter(writer, { verbosity });
}

/**
 * A long list leaves a lot of garbage, and V8 would give ever more memory to what is new, up to three times 16 MiB, to
 * collect it less often. As little of it survives, that gains no time.
 */
function holdMemory(): void {
  process.getBuiltinModule('node:v8').setFlagsFromString('--semi-space-growth-factor=1');
}
