import path from 'node:path';
import { assertNever } from './assert-never.ts';
import { type Invocation, parse } from './cli/invocation.ts';
import { UsageError } from './cli/usage-error.ts';
import { EXIT } from './exit.ts';
import { clean } from './report/clean.ts';
import { writeTerminationLog } from './report/termination-log.ts';
import { standardWriter as writer } from './report/writer.ts';
import { VERSION } from './version.ts';
import type { Interruption } from './wait-command.ts';

/** The name that k8s-wait-for's users call: a link to this file. */
const SCRIPT = 'wait_for.sh';
const isScript = path.basename(process.argv[1] ?? '') === SCRIPT;
const PROGRAM = isScript ? SCRIPT : 'kube-await';

const HOME_PAGE = 'https://github.com/kube-await/kube-await/issues';

const interrupted = new AbortController();
const interruption: Interruption = { ending: 'open', signal: interrupted.signal };

// As PID 1 a process gets no signal that it has no handler for.
process.on('SIGINT', () => endBySignal('SIGINT', EXIT.interrupted));
process.on('SIGTERM', () => endBySignal('SIGTERM', EXIT.terminated));
process.on('uncaughtException', endByBug);
// Nothing is left to do, and yet no ending was reached: silence must not look like success.
process.on('beforeExit', () => endByBug(new Error('the event loop ran empty')));

main(process.argv.slice(2)).then(end, endByBug);

async function main(argv: readonly string[]): Promise<number> {
  try {
    if (!isScript) return await perform(parse(argv, process.env));
    const { waitForSh } = await import('./wait-for-sh-command.ts');
    return await waitForSh(argv, process.env, writer, interruption);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
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
      return wait(invocation, process.env, writer, interruption);
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
  if (interruption.ending === 'decided') {
    interrupted.abort();
    return;
  }
  const line = `${PROGRAM}: ended by ${signal}`;
  writer.err(line);
  writeTerminationLog(line);
  end(code);
}

function endByBug(error: unknown): void {
  const said = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const where = said.split('\n').slice(0, 4).join(' | ');
  const line = `${PROGRAM}: internal error, please report it at ${HOME_PAGE}: ${where}`;
  writer.err(clean(line));
  writeTerminationLog(line);
  end(EXIT.internal);
}
