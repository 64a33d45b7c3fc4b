/** Programs on a pseudo-terminal, and what a person sees there. */
import { execFile, spawn } from 'node:child_process';
import { promisify } from 'node:util';
import xterm, { type IBufferLine } from '@xterm/headless';

export interface TerminalOptions {
  readonly columns: number;
  readonly rows: number;
  /** The whole environment. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** A file that takes standard output instead of the terminal. */
  readonly stdout?: string;
  /** Called after each piece of output. */
  readonly onDrawn?: (screen: Screen) => void;
}

/** What a terminal shows at one moment. */
export interface Screen {
  /** What is on it, and what has scrolled off, without the empty lines at the end. */
  readonly lines: readonly string[];
  /** The same, with lines joined again that the terminal had to continue on the next one. */
  readonly unwrapped: readonly string[];
  /** Whether there are such lines. */
  readonly wrapped: boolean;
  /** The line of the cursor, counted as in `lines`, and its column. */
  readonly cursor: { readonly line: number; readonly column: number };
  /** The same lines with their colours. */
  readonly cells: readonly IBufferLine[];
}

export interface OnTerminal {
  /** Of `script`, which runs the program on its terminal. */
  readonly pid: number;
  screen(): Screen;
  /** What the terminal shows as soon as it is accepted, now or later. Rejects if the program ends before. */
  until(accept: (screen: Screen) => boolean): Promise<Screen>;
  /** As if it were typed. */
  type(keys: string): void;
  /** Gives the terminal another size, and the program only after `meanwhile`. */
  resize(columns: number, rows: number, meanwhile: () => Promise<unknown>): Promise<void>;
  /** Sends a signal to the program itself. */
  signal(signal: NodeJS.Signals): Promise<void>;
  /** Everything that was written to the terminal, escape sequences and all. */
  output(): string;
  /** Resolves with the exit code when it has ended and all that it wrote is on the screen. */
  readonly exit: Promise<number | null>;
  /** Ends it by taking its terminal away. */
  kill(): void;
}

const quoted = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;

/** Starts a program on a terminal of this size. `script` (util-linux) makes the terminal; every Debian has it. */
export function startOnTerminal(argv: readonly string[], options: TerminalOptions): OnTerminal {
  const { columns, rows, env, stdout, onDrawn } = options;
  const terminal = new xterm.Terminal({ cols: columns || 80, rows: rows || 24, allowProposedApi: true });
  const redirect = stdout === undefined ? '' : ` >${quoted(stdout)}`;
  // The shell becomes the program: its process ID is the program's.
  const command = `stty cols ${columns} rows ${rows}; echo $$ $(tty); exec ${argv.map(quoted).join(' ')}${redirect}`;
  const child = spawn('script', ['--quiet', '--return', '--command', command, '/dev/null'], {
    detached: true,
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...env, SHELL: '/bin/sh' },
  });

  let output = '';
  let ended = false;
  const head = Promise.withResolvers<{ pid: number; tty: string }>();
  const watching = new Set<() => void>();
  const changed = (): void => {
    onDrawn?.(screen());
    for (const look of watching) {
      look();
    }
  };
  let first: string | undefined = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    let shown = text;
    if (first !== undefined) {
      first += text;
      const end = first.indexOf('\n');
      if (end === -1) {
        return;
      }
      const [pid, tty = ''] = first.slice(0, end).trim().split(' ');
      head.resolve({ pid: Number(pid), tty });
      shown = first.slice(end + 1);
      first = undefined;
    }
    output += shown;
    terminal.write(shown, changed);
  });
  const exit = new Promise<number | null>((resolve) => {
    child.on('close', (code) => {
      // Behind all that is still to be drawn.
      terminal.write('', () => {
        ended = true;
        resolve(code);
        changed();
      });
    });
  });

  function screen(): Screen {
    const { active } = terminal.buffer;
    const cells: IBufferLine[] = [];
    for (let row = 0; row < active.length; row += 1) {
      const line = active.getLine(row);
      if (line) {
        cells.push(line);
      }
    }
    const cursor = { line: active.baseY + active.cursorY, column: active.cursorX };
    while (cells.at(-1)?.translateToString(true) === '') {
      cells.pop();
    }
    const lines = cells.map((line) => line.translateToString(true));
    const unwrapped: string[] = [];
    for (const [at, line] of lines.entries()) {
      unwrapped.push(cells[at]?.isWrapped ? `${unwrapped.pop()}${line}` : line);
    }
    return { lines, unwrapped, wrapped: cells.some((line) => line.isWrapped), cursor, cells };
  }

  return {
    pid: child.pid ?? 0,
    screen,
    until: (accept) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const now = screen();
          if (accept(now)) {
            resolve(now);
          } else if (ended) {
            reject(new Error(`ended before the screen was as expected\n${now.lines.join('\n')}`));
          } else {
            return;
          }
          watching.delete(look);
        };
        watching.add(look);
        look();
      }),
    type: (keys) => void child.stdin.write(keys),
    resize: async (newColumns, newRows, meanwhile) => {
      const { tty } = await head.promise;
      terminal.resize(newColumns, newRows);
      await meanwhile();
      await promisify(execFile)('stty', ['-F', tty, 'cols', String(newColumns), 'rows', String(newRows)]);
    },
    signal: async (signal) => {
      const { pid } = await head.promise;
      process.kill(pid, signal);
    },
    output: () => output,
    exit,
    kill: () => void child.kill('SIGKILL'),
  };
}
