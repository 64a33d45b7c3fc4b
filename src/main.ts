import path from 'node:path';
import { assertNever } from './assert-never.ts';
import { type Invocation, parse } from './cli/invocation.ts';
import { UsageError } from './cli/usage-error.ts';
import { EXIT } from './exit.ts';
import { clean } from './report/clean.ts';
import { signalLine } from './report/reporter.ts';
import { writeTerminationLog } from './report/termination-log.ts';
import { flush, standardWriter as writer } from './report/writer.ts';
import { VERSION } from './version.ts';
import type { Outside } from './wait-command.ts';

/** The name that k8s-wait-for's users call: a link to this file. */
const SCRIPT = 'wait_for.sh';
const isScript = path.basename(process.argv[1] ?? '') === SCRIPT;
const PROGRAM = isScript ? SCRIPT : 'kube-await';

/** How long a reader that is slow may take for the last lines, in milliseconds. */
const LAST_PATIENCE_MS = 1_000;

const HOME_PAGE = 'https://github.com/kube-await/kube-await/issues';

const interrupted = new AbortController();
const outside: Outside = {
  writer,
  ending: 'open',
  signal: interrupted.signal,
  reporter: undefined,
  on: (signal, listener) => void process.on(signal, listener),
};

// As PID 1 a process gets no signal that it has no handler for.
process.on('SIGINT', () => endBySignal('SIGINT', EXIT.interrupted));
process.on('SIGTERM', () => endBySignal('SIGTERM', EXIT.terminated));
process.on('uncaughtException', endByBug);
// Nothing is left to do, and yet no ending was reached: silence must not look like success.
process.on('beforeExit', () => endByBug(new Error('the event loop ran empty')));

main(process.argv.slice(2)).then((code) => {
  flush(LAST_PATIENCE_MS);
  end(code);
}, endByBug);

async function main(argv: readonly string[]): Promise<number> {
  try {
    if (!isScript) return await perform(parse(argv, process.env));
    const { waitForSh } = await import('./wait-for-sh-command.ts');
    return await waitForSh(argv, process.env, outside);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    // Only a kind that turns out not to be served comes so late that there is one.
    outside.reporter?.end({ exitCode: EXIT.usage });
    writer.err(clean(`${PROGRAM}: ${error.message}`));
    return EXIT.usage;
  }
}

/** Each mode loads its own code: a wait pays for nothing that it does not use. */
async function perform(invocation: Invocation): Promise<number> {
  switch (invocation.mode) {
    case 'wait': {
      if (invocation.command !== undefined) hideStandardStreams();
      const { wait } = await import('./wait-command.ts');
      return wait(invocation, process.env, outside);
    }
    case 'version':
      writer.out(VERSION);
      return EXIT.reached;
    case 'help': {
      const { help } = await import('./cli/help.ts');
      writer.out(await help(invocation.topic));
      return EXIT.reached;
    }
    case 'completion': {
      const { completion } = await import('./cli/completion.ts');
      writer.out(completion(invocation.shell));
      return EXIT.reached;
    }
    case 'check': {
      const { check } = await import('./check-command.ts');
      return check(invocation, process.env, writer);
    }
    case 'rbac': {
      const { rbac } = await import('./rbac-command.ts');
      return rbac(invocation, process.env, writer);
    }
    default:
      return assertNever(invocation);
  }
}

/**
 * Node's own modules look at process.stderr, and to look is to make it: that turns the pipes behind it non-blocking,
 * for COMMAND as well. Nothing here writes through these objects.
 */
function hideStandardStreams(): void {
  for (const name of ['stdin', 'stdout', 'stderr'] as const) {
    Object.defineProperty(process, name, { configurable: true, value: { isTTY: false } });
  }
}

/** As wait_for.sh there is only ready or not. */
function end(code: number): void {
  process.exit(isScript && code !== EXIT.reached ? EXIT.failed : code);
}

function endBySignal(signal: NodeJS.Signals, code: number): void {
  if (outside.ending === 'decided') {
    interrupted.abort();
    return;
  }
  if (outside.reporter === undefined) writer.err(signalLine(signal, PROGRAM));
  else outside.reporter.end({ exitCode: code, signal });
  writeTerminationLog(signalLine(signal, PROGRAM));
  end(code);
}

function endByBug(error: unknown): void {
  // What ails us may be the reporter itself.
  try {
    outside.reporter?.end({ exitCode: EXIT.internal });
  } catch {}
  const said = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const where = said.split('\n').slice(0, 4).join(' | ');
  const line = `${PROGRAM}: internal error, please report it at ${HOME_PAGE}: ${where}`;
  writer.err(clean(line));
  writeTerminationLog(line);
  end(EXIT.internal);
}
