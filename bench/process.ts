/** Whole processes, measured from outside. */
import { type ChildProcess, spawn } from 'node:child_process';
import { type Memory, memoryOf } from './procfs.ts';

/** A program as it is started: nothing of our own environment reaches it but PATH. */
export interface Command {
  readonly program: string;
  readonly argv: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
}

/** How it ended, and when: milliseconds of performance.now(). */
export interface End {
  readonly code: number | null;
  readonly at: number;
}

export interface Started {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly end: Promise<End>;
}

/** Children of ours that live; none must outlive us. */
const living = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of living) child.kill('SIGKILL');
});

/** Starts it without anybody to read what it says; `err`: where its errors go, a file descriptor. */
export function start({ argv, env }: Command, err: number | 'ignore' = 'ignore'): Started {
  const [file, ...args] = argv;
  const child = spawn(file, args, {
    stdio: ['ignore', 'ignore', err],
    env: { PATH: process.env.PATH, ...env },
  });
  living.add(child);
  const end = new Promise<End>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => {
      living.delete(child);
      resolve({ code, at: performance.now() });
    });
  });
  return { child, pid: child.pid ?? 0, end };
}

/** From before it is started until its end is known, in milliseconds. Throws unless it ends with 0. */
export async function wallOf(command: Command): Promise<number> {
  const before = performance.now();
  const { code, at } = await start(command).end;
  if (code !== 0) throw new Error(`${command.program} ended with ${code}: ${command.argv.join(' ')}`);
  return at - before;
}

/**
 * What a process takes at most. Asked again and again without a pause from this process, so the last answer is a
 * fraction of a millisecond old when it ends; its duration is worth nothing, as one core is busy with asking.
 */
export async function memoryOfRun(command: Command): Promise<Memory> {
  const { pid, end } = start(command);
  let peakKiB = 0;
  let anonKiB = 0;
  for (;;) {
    const now = memoryOf(pid);
    if (now === undefined) break;
    peakKiB = Math.max(peakKiB, now.peakKiB);
    anonKiB = Math.max(anonKiB, now.anonKiB);
  }
  const { code } = await end;
  if (code !== 0) throw new Error(`${command.program} ended with ${code}: ${command.argv.join(' ')}`);
  return { peakKiB, anonKiB };
}

/** Measures each of them in turn, so often: A B C A B C. The first time round only warms up. */
export async function inTurn<T>(
  commands: readonly Command[],
  rounds: number,
  measure: (command: Command) => Promise<T>,
): Promise<T[][]> {
  const found: T[][] = commands.map(() => []);
  for (let round = 0; round <= rounds; round += 1) {
    for (const [index, command] of commands.entries()) {
      const value = await measure(command);
      if (round > 0) found[index]?.push(value);
    }
  }
  return found;
}
