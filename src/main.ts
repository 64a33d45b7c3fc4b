import { assertNever } from './assert-never.ts';
import { type Invocation, parse } from './cli/invocation.ts';
import { UsageError } from './cli/usage-error.ts';
import { EXIT } from './exit.ts';
import { clean } from './report/clean.ts';
import { writeTerminationLog } from './report/termination-log.ts';
import { standardWriter as writer } from './report/writer.ts';
import { VERSION } from './version.ts';
import type { Interruption } from './wait-command.ts';

const HOME_PAGE = 'https://github.com/kube-await/kube-await/issues';

const interrupted = new AbortController();
const interruption: Interruption = { ending: 'open', signal: interrupted.signal };

// As PID 1 a process gets no signal that it has no handler for.
process.on('SIGINT', () => endBySignal('SIGINT', EXIT.interrupted));
process.on('SIGTERM', () => endBySignal('SIGTERM', EXIT.terminated));
process.on('uncaughtException', endByBug);
// Nothing is left to do, and yet no ending was reached: silence must not look like success.
process.on('beforeExit', () => endByBug(new Error('the event loop ran empty')));

main(process.argv.slice(2)).then((code) => process.exit(code), endByBug);

async function main(argv: readonly string[]): Promise<number> {
  try {
    return await perform(parse(argv, process.env));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    writer.err(clean(`kube-await: ${error.message}`));
    return EXIT.usage;
  }
}

/** Each mode loads its own code: a wait pays for nothing that it does not use. */
async function perform(invocation: Invocation): Promise<number> {
  switch (invocation.mode) {
    case 'wait': {
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

function endBySignal(signal: NodeJS.Signals, code: number): void {
  if (interruption.ending === 'decided') {
    interrupted.abort();
    return;
  }
  const line = `kube-await: ended by ${signal}`;
  writer.err(line);
  writeTerminationLog(line);
  process.exit(code);
}

function endByBug(error: unknown): void {
  const said = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const where = said.split('\n').slice(0, 4).join(' | ');
  const line = `kube-await: internal error, please report it at ${HOME_PAGE}: ${where}`;
  writer.err(clean(line));
  writeTerminationLog(line);
  process.exit(EXIT.internal);
}
