import { isatty } from 'node:tty';
import { assertNever } from './assert-never.ts';
import type { Environment, WaitInvocation } from './cli/invocation.ts';
import { systemClock } from './clock.ts';
import { EXIT } from './exit.ts';
import { refusalLines } from './report/refusal.ts';
import type { Reporter, Writer } from './report/reporter.ts';
import { verdictLine } from './report/results.ts';
import { openTerminationLog, writeTerminationLog } from './report/termination-log.ts';
import { textReporter } from './report/text.ts';
import { openSession } from './session.ts';
import type { RunEvent } from './wait/events.ts';
import { run } from './wait/run.ts';
import type { Ending } from './wait/state.ts';

/** A signal that arrives once the ending is decided only ends its explanation: the first ending wins. */
export interface Interruption {
  ending: 'open' | 'decided';
  readonly signal: AbortSignal;
}

/**
 * Waits. Gives the exit code.
 * @throws UsageError for what only the connection or discovery can tell
 */
export async function wait(
  invocation: WaitInvocation,
  env: Environment,
  writer: Writer,
  interruption: Interruption,
  { tell }: Reporter = textReporter(writer, { verbosity: invocation.output.quiet ? 'results' : 'progress' }),
): Promise<number> {
  const { logs, terminationLog } = invocation.output;
  const { connection, transport, plan, resolve } = await openSession(invocation, env);
  openTerminationLog(terminationLog);
  const deps = { transport, clock: systemClock, random: Math.random };
  const tellAll = (event: RunEvent): void => {
    if (event.event === 'done') writeTerminationLog(verdictLine(event) ?? '');
    tell(event);
  };
  const ending = await run(plan, {
    ...deps,
    tell: tellAll,
    resolve,
    decided: () => {
      interruption.ending = 'decided';
    },
    explain: async (state, kind) => {
      if (logs === 0) return;
      const { explain } = await import('./explain/explain.ts');
      const start = isatty(2) ? 'at once' : 'spread';
      await explain(state, kind, { ...deps, tell: tellAll, logLines: logs, start, signal: interruption.signal });
    },
  });
  if (ending.kind === 'refused') {
    const { explainRefusal } = await import('./explain-refusal.ts');
    const lines = refusalLines(await explainRefusal(ending, plan, { connection, transport }, interruption.signal));
    for (const line of lines) writer.err(line);
    writeTerminationLog(lines[0] ?? '');
  }
  transport.close();
  const code = exitCode(ending);
  if (code !== EXIT.reached || invocation.command === undefined) return code;
  const { become } = await import('./command.ts');
  return become(invocation.command, env, writer);
}

function exitCode(ending: Ending): number {
  switch (ending.kind) {
    case 'reached':
      return EXIT.reached;
    case 'failed':
      return EXIT.failed;
    case 'refused':
      return EXIT.refused;
    case 'timeout':
      return EXIT.timeout;
    default:
      return assertNever(ending);
  }
}
