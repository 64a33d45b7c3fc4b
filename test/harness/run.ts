import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

const program = join(import.meta.dirname, '..', '..', 'dist', 'kube-await.cjs');

export interface Line {
  readonly stream: 'stdout' | 'stderr';
  readonly text: string;
  /** Since the process was started. */
  readonly atMs: number;
}

export interface Ended {
  /** Null where a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly durationMs: number;
}

/** A running kube-await. */
export interface Run {
  readonly pid: number;
  /** What it has printed so far, in the order in which it arrived. */
  readonly lines: readonly Line[];
  /** Its first line that matches, past or to come. Rejects, with all output, if it ends without one. */
  line(pattern: RegExp): Promise<Line>;
  /** Resolves when it has ended and its output is complete; never rejects. */
  readonly exit: Promise<Ended>;
  kill(signal?: NodeJS.Signals): void;
}

export interface RunOptions {
  /** Given as `-n`, after the arguments. `undefined`: no `-n`. */
  readonly namespace?: string | undefined;
  /** KUBECONFIG; the administrator's where left out, none for `none`. */
  readonly kubeconfig?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly stdin?: string;
  /** Another program than node with the bundle, such as a symlink to it. */
  readonly command?: readonly string[];
}

/** Starts dist/kube-await.cjs with nothing in its environment but PATH, HOME and what is given. */
export function startRun(args: readonly string[], options: RunOptions & { readonly kubeconfig: string }): Run {
  const { namespace, kubeconfig, env = {}, cwd, stdin, command = [process.execPath, program] } = options;
  if (command[1] === program && !existsSync(program)) {
    throw new Error('dist/kube-await.cjs is missing: npm run build');
  }
  const dashes = args.indexOf('--');
  const split = dashes === -1 ? args.length : dashes;
  const inNamespace = namespace === undefined ? [] : ['-n', namespace];
  const [file, ...before] = [...command, ...args.slice(0, split), ...inNamespace, ...args.slice(split)];
  const started = performance.now();
  const child = spawn(file ?? '', before, {
    cwd,
    // In a process group of its own, so that whatever it starts can be ended with it.
    detached: true,
    stdio: [stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      ...(kubeconfig === 'none' ? {} : { KUBECONFIG: kubeconfig }),
      ...env,
    },
  });
  child.stdin?.end(stdin);

  const lines: Line[] = [];
  const output = { stdout: '', stderr: '' };
  const watching = new Set<() => void>();
  const changed = (): void => {
    for (const look of watching) {
      look();
    }
  };
  function collect(stream: 'stdout' | 'stderr', readable: Readable | null): void {
    readable?.setEncoding('utf8').on('data', (text: string) => {
      output[stream] += text;
    });
    createInterface({ input: readable as Readable }).on('line', (text) => {
      lines.push({ stream, text, atMs: performance.now() - started });
      changed();
    });
  }
  collect('stdout', child.stdout);
  collect('stderr', child.stderr);

  let ended: Ended | undefined;
  const exit = new Promise<Ended>((resolve) => {
    const end = (code: number | null, signal: NodeJS.Signals | null, stderr: string): void => {
      ended ??= { code, signal, stdout: output.stdout, stderr, durationMs: performance.now() - started };
      resolve(ended);
      changed();
    };
    child.on('error', (error) => end(null, null, `${output.stderr}${error.message}\n`));
    child.on('close', (code, signal) => end(code, signal, output.stderr));
  });

  return {
    pid: child.pid ?? 0,
    lines,
    exit,
    line: (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const found = lines.find(({ text }) => pattern.test(text));
          if (found) {
            resolve(found);
          } else if (ended) {
            const how = `exit ${ended.code ?? ended.signal}`;
            reject(new Error(`no line matched ${pattern} before ${how}\n${ended.stdout}${ended.stderr}`));
          } else {
            return;
          }
          watching.delete(look);
        };
        watching.add(look);
        look();
      }),
    kill: (signal = 'SIGKILL') => {
      child.kill(signal);
    },
  };
}
