import { spawn } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { constants as os } from 'node:os';
import path from 'node:path';
import type { Environment } from './cli/invocation.ts';
import { EXIT } from './exit.ts';
import { clean } from './report/clean.ts';
import type { Writer } from './report/reporter.ts';
import { flush } from './report/writer.ts';

/** Signals that Node ignores. A program that is started while they are ignored ignores them too, which few expect. */
const IGNORED_BY_NODE = ['SIGPIPE', 'SIGXFSZ'] as const;
const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2'] as const;

/** How long a slow reader may take for our lines: behind them come those of COMMAND. In milliseconds. */
const LAST_PATIENCE_MS = 10_000;

/**
 * Replaces this process by COMMAND: same PID, same working directory, signals its own. Returns only where it could not
 * be started (126, or 127 where it is not there, as in a shell), or, where Node cannot replace the process, with the
 * code that COMMAND ended with as a child.
 */
export async function become(command: readonly string[], env: Environment, writer: Writer): Promise<number> {
  const [name = '', ...args] = command;
  // Ours alone: COMMAND would show it to whoever may read its environment.
  const { KUBE_AWAIT_TOKEN: _, ...rest } = env;
  const found = find(name, rest.PATH);
  if (typeof found === 'number') {
    const why = found === EXIT.notFound ? 'there is no such program' : 'it cannot be executed';
    writer.err(clean(`kube-await: ${name}: ${why}`));
    return found;
  }
  const environment = Object.fromEntries(Object.entries(rest).filter((entry) => entry[1] !== undefined));
  flush(LAST_PATIENCE_MS);
  if (process.execve === undefined) return runChild(found, command, environment, writer);
  // exec() sets what is handled back to the default, and leaves what is ignored ignored.
  for (const signal of IGNORED_BY_NODE) process.on(signal, () => {});
  // Node says on standard error that execve is experimental; that is no news for whoever reads COMMAND's output.
  process.removeAllListeners('warning');
  try {
    process.execve(found, [name, ...args], environment);
  } catch (error) {
    writer.err(clean(`kube-await: ${name}: it cannot be executed: ${(error as Error).message}`));
  }
  return EXIT.notExecutable;
}

/** The program's path, looked up as execvp(3) does, or the exit code where there is none. */
function find(name: string, searchPath: string | undefined): string | number {
  if (name === '') return EXIT.notFound;
  const candidates = name.includes('/')
    ? [name]
    : (searchPath ?? '/usr/local/bin:/usr/bin:/bin')
        .split(':')
        .map((folder) => path.join(folder === '' ? '.' : folder, name));
  let denied = false;
  for (const candidate of candidates) {
    try {
      if (statSync(candidate).isDirectory()) {
        denied = true;
        continue;
      }
      accessSync(candidate, constants.X_OK);
      return candidate;
    } catch (error) {
      denied ||= (error as NodeJS.ErrnoException).code === 'EACCES';
    }
  }
  return denied ? EXIT.notExecutable : EXIT.notFound;
}

function runChild(
  file: string,
  command: readonly string[],
  env: Record<string, string | undefined>,
  writer: Writer,
): Promise<number> {
  const child = spawn(file, command.slice(1), { argv0: command[0] ?? file, env, stdio: 'inherit' });
  for (const signal of FORWARDED) {
    process.removeAllListeners(signal);
    process.on(signal, () => child.kill(signal));
  }
  return new Promise((resolve) => {
    child.on('error', (error) => {
      writer.err(clean(`kube-await: ${command[0]}: it cannot be executed: ${error.message}`));
      resolve(EXIT.notExecutable);
    });
    child.on('exit', (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : os.signals[signal])));
  });
}
