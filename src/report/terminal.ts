import { closeSync, constants, openSync } from 'node:fs';
import { WriteStream } from 'node:tty';
import type { Clock } from '../clock.ts';
import type { Plan } from '../wait/plan.ts';
import type { Look, Space } from './frame.ts';
import { type LiveDeps, liveReporter } from './live.ts';
import type { Reporter, Writer } from './reporter.ts';
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
  const terminal = { size: () => terminalSize() ?? space, write: (text: string) => writeAll(2, text) };
  const view = liveReporter(writer, { terminal, clock, look: lookOf(env), targets, timeoutMs, results });
  on('SIGWINCH', view.resized);
  on('SIGCONT', view.resumed);
  return view;
}

/**
 * How large the terminal on standard error is. It is opened anew for that: whatever asks file descriptor 2 itself (a
 * tty.WriteStream, process.stderr) makes it non-blocking, and COMMAND would find it so.
 * https://github.com/libuv/libuv/blob/v1.x/src/unix/tty.c, uv_tty_init
 */
function terminalSize(): Space | undefined {
  let fd: number | undefined;
  try {
    fd = openSync('/dev/fd/2', constants.O_RDWR | constants.O_NOCTTY);
    const stream = new WriteStream(fd);
    fd = undefined;
    const { columns, rows } = stream;
    stream.destroy();
    // A terminal that nobody looks at, such as that of a container whose log is collected, has no size.
    return columns > 0 && rows > 1 ? { columns, rows } : undefined;
  } catch {
    if (fd !== undefined) closeSync(fd);
    return undefined;
  }
}

/** What the terminal can show, as far as the environment says. https://no-color.org */
export function lookOf(env: Readonly<Record<string, string | undefined>>): Look {
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG || '';
  const plain = env.TERM === 'linux' || (locale !== '' && !/utf-?8/i.test(locale));
  return { colours: env.NO_COLOR ? 'off' : 'on', characters: plain ? 'ascii' : 'unicode' };
}
