import { closeSync, constants, openSync } from 'node:fs';
import { WriteStream } from 'node:tty';
import type { Look, Space } from './frame.ts';

/**
 * How large the terminal on standard error is. It is opened anew for that: whatever asks file descriptor 2 itself (a
 * tty.WriteStream, process.stderr) makes it non-blocking, and COMMAND would find it so.
 * https://github.com/libuv/libuv/blob/v1.x/src/unix/tty.c, uv_tty_init
 */
export function terminalSize(): Space | undefined {
  let fd: number | undefined;
  try {
    fd = openSync('/dev/fd/2', constants.O_RDWR | constants.O_NOCTTY);
    const stream = new WriteStream(fd);
    fd = undefined;
    const { columns, rows } = stream;
    stream.destroy();
    // A terminal that nobody looks at, such as that of a container whose log is collected, has no size.
    return columns > 0 && rows > 0 ? { columns, rows } : undefined;
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
