/** The live view on a pseudo-terminal, as a person sees it. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe } from 'vitest';
import {
  api,
  test as base,
  cluster,
  endPod,
  type Json,
  job,
  pod,
  startPod,
  type TestObject,
  untilCondition,
  writeLog,
} from '../harness/index.ts';
import { type OnTerminal, type Screen, startOnTerminal, type TerminalOptions } from '../harness/terminal.ts';

const program = path.join(import.meta.dirname, '..', '..', 'dist', 'kube-await.cjs');

interface Options extends Partial<TerminalOptions> {
  /** What is started, with the command line of kube-await behind it: a shell that looks at the terminal, say. */
  readonly by?: readonly string[];
}

interface Fixtures {
  /** Starts kube-await in `ns` on a terminal of 80 columns and 24 rows, unless told otherwise. */
  onTerminal: (args: readonly string[], options?: Options) => OnTerminal;
  /** The path of a file that is not there yet. */
  file: string;
}

const test = base.extend<Fixtures>({
  onTerminal: async ({ ns }, use) => {
    const runs: OnTerminal[] = [];
    await use((args, { env, by = [], ...options } = {}) => {
      const dashes = args.indexOf('--');
      const split = dashes === -1 ? args.length : dashes;
      const argv = [...by, process.execPath, program, ...args.slice(0, split), '-n', ns, ...args.slice(split)];
      const { PATH, HOME } = process.env;
      const own = { PATH, HOME, KUBECONFIG: cluster().kubeconfig, TERM: 'xterm-256color' };
      const run = startOnTerminal(argv, { columns: 80, rows: 24, env: { ...own, ...env }, ...options });
      runs.push(run);
      cluster()
        .hold(run.pid)
        .catch(() => {});
      return run;
    });
    for (const run of runs) run.kill();
    await Promise.all(runs.map((run) => run.exit));
  },
  file: async ({ task: _ }, use) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'kube-await-live-'));
    await use(path.join(folder, 'stdout'));
    rmSync(folder, { recursive: true });
  },
});

/** The running pods of a Job, once there are so many. */
async function podsOf(namespace: string, name: string, count: number) {
  const path = `/api/v1/namespaces/${namespace}/pods?labelSelector=job-name%3D${name}`;
  const isRunning = ({ status }: Json): boolean => status.phase === 'Running';
  const pods = await api.untilAll(path, (found) => found.filter(isRunning).length === count);
  return pods.filter(isRunning).map((one) => ({ ...one, apiVersion: 'v1', kind: 'Pod' }));
}

/** The screen with times, which differ from run to run, made equal. */
const still = ({ lines }: Screen): readonly string[] =>
  lines.map((line) => line.replace(/\b(\d+[hms])+(?= gone| left|$)/g, 'TIME'));

const shows =
  (...texts: readonly string[]) =>
  ({ lines }: Screen): boolean =>
    texts.every((text) => lines.some((line) => line.includes(text)));

const VIEWS = {
  80: {
    first: [
      '• job/migrate     ▒▒▒▒▒▒▒▒▒▒░░░░░░░░░░  0/4 succeeded, 2 active',
      '• pod -l app=web  █████████████░░░░░░░  2/3 done, pod/web-2 Pending',
      '• job/seed        does not exist yet',
      '  TIME gone, TIME left',
    ],
    second: '• job/migrate     █████▒▒▒▒▒▒▒▒▒▒░░░░░  1/4 succeeded, 2 active',
  },
  40: {
    first: [
      '• job/migrate     ▒▒▒▒░░░░  0/4 succee…',
      '• pod -l app=web  █████░░░  2/3 done, …',
      '• job/seed        does not exist yet',
      '  TIME gone, TIME left',
    ],
    second: '• job/migrate     ██▒▒▒▒░░  1/4 succee…',
  },
} as const;

describe.concurrent('the live view', () => {
  for (const columns of [80, 40] as const) {
    test(`on ${columns} columns, from the first answer to the last`, async ({ ns, onTerminal, exitCodes, expect }) => {
      const migrate = job({ namespace: ns, name: 'migrate', exitCode: 'ask', completions: 4, parallelism: 2 });
      await api.create(migrate);
      const web = [0, 1].map((at) => pod({ namespace: ns, name: `web-${at}`, labels: { app: 'web' } }));
      const late = pod({ namespace: ns, name: 'web-2', labels: { app: 'web' }, start: 'never' });
      await Promise.all([...web, late].map((one) => api.create(one)));
      await Promise.all(web.map((one) => untilCondition(one, 'Ready')));
      const [one] = await podsOf(ns, 'migrate', 2);
      let hasWrapped = false;
      const onDrawn = ({ wrapped }: Screen): void => {
        hasWrapped ||= wrapped;
      };
      const args = ['job/migrate', 'pod', '-l', 'app=web', 'job/seed', '--timeout=1h'];
      const run = onTerminal(args, { columns, onDrawn });

      const view = VIEWS[columns];
      await run.until((screen) => shows('job/seed')(screen) && !shows('no answer yet')(screen));
      expect(still(run.screen())).toEqual(view.first);

      await endPod(one as TestObject, 0);
      await run.until(({ lines: [line] }) => line?.includes('1/4') ?? false);
      expect(still(run.screen())).toEqual([view.second, ...view.first.slice(1)]);
      expect(hasWrapped).toBe(false);

      exitCodes(migrate, [0, 0, 0, 0]);
      await startPod(late);
      await api.create(job({ namespace: ns, name: 'seed' }));
      expect(await run.exit).toBe(0);
      const { unwrapped, cursor, lines } = run.screen();
      expect(unwrapped).toEqual([
        '✓ job/migrate     Complete, 4/4 succeeded',
        '✓ pod -l app=web  3/3 done',
        '✓ job/seed        Complete, 1/1 succeeded',
        expect.stringMatching(/^ {2}reached after \d+s$/),
      ]);
      expect(cursor).toEqual({ line: lines.length, column: 0 });
    });
  }

  test('that is made narrower leaves nothing behind', async ({ ns, onTerminal, expect }) => {
    await api.create(job({ namespace: ns, name: 'migrate', exitCode: 'ask', completions: 4 }));
    await podsOf(ns, 'migrate', 1);
    const run = onTerminal(['job/migrate', 'job/seed', '--timeout=1h']);
    await run.until(shows('▒▒▒▒▒░░░░░░░░░░░░░░░  0/4 succeeded, 1 active', 'does not exist yet'));
    // The clock ticks after the terminal has wrapped its lines and before the program can know.
    const clock = run.screen().lines.at(-1);
    await run.resize(40, 24, () => run.until((screen) => screen.lines.at(-1) !== clock));
    const { lines } = await run.until(shows('▒▒░░░░░░  0/4 succeeded…', ' left'));
    expect(lines).toEqual([
      '• job/migrate  ▒▒░░░░░░  0/4 succeeded…',
      '• job/seed     does not exist yet',
      expect.stringMatching(/ gone, \w+ left$/),
    ]);
  });

  test('a failed Job: how it stands stays, and why it failed is below', async ({ ns, onTerminal, expect }) => {
    const failing = job({ namespace: ns, name: 'migrate', exitCode: 'ask', message: 'no table users' });
    await api.create(failing);
    const [one] = await podsOf(ns, 'migrate', 1);
    await writeLog(one as TestObject, ['connected', 'no table users']);
    const run = onTerminal(['job/migrate', 'namespace/default', 'job/seed']);
    await run.until(shows('1 active', 'Active'));
    await endPod(one as TestObject, 3);
    expect(await run.exit).toBe(1);
    expect(
      run.screen().unwrapped.map((line) => line.replace(/migrate-\w{5} on node \S+:/, 'POD on node NODE:')),
    ).toEqual([
      '✗ job/migrate        BackoffLimitExceeded: Job has reached the specified backoff limit',
      '✓ namespace/default  Active',
      '• job/seed           does not exist yet',
      expect.stringMatching(/^ {2}failed( after \d+s)?$/),
      'job/migrate: pod/POD on node NODE: Failed',
      '  container main: exit code 3 (no table users)',
      '  main | connected',
      '  main | no table users',
    ]);
  });

  test('the timeout passes: what is lacking, and a hint', async ({ onTerminal, expect }) => {
    const run = onTerminal(['job/seed', '--timeout=5s'], { columns: 400 });
    expect(await run.exit).toBe(124);
    expect(run.screen().lines).toEqual([
      '• job/seed  does not exist yet',
      '  timed out after 5s',
      expect.stringMatching(/^hint: job\/seed: deleted by /),
    ]);
  });

  test('a server that does not answer: said above the view, and with the ending', async ({ onTerminal, expect }) => {
    const run = onTerminal(['job/seed', '--timeout=1s', '--server=https://127.0.0.1:1']);
    expect(await run.exit).toBe(124);
    expect(run.screen().lines).toEqual([
      'job/seed: connect ECONNREFUSED 127.0.0.1:1; retrying',
      '• job/seed  the API server never answered: connect ECONNREFUSED 127.0.0.1:1',
      '  timed out after 1s',
    ]);
  });

  test('more targets than rows: those that are not reached, and how many more', async ({ onTerminal, expect }) => {
    const names = Array.from({ length: 9 }, (_, at) => `job/none-${at}`);
    let hasScrolled = false;
    const onDrawn = ({ lines, cursor }: Screen): void => {
      hasScrolled ||= lines.length > 5 || cursor.line > 5;
    };
    const run = onTerminal(['namespace/default', ...names], { rows: 6, onDrawn });
    const { lines } = await run.until((screen) => shows('1 of them')(screen) && !shows('no answer')(screen));
    expect(lines.slice(0, -1)).toEqual([
      '• job/none-0  does not exist yet',
      '• job/none-1  does not exist yet',
      '• job/none-2  does not exist yet',
      '  and 7 more, 1 of them reached',
    ]);
    expect(hasScrolled).toBe(false);
  });

  test('results go to standard output as lines where that is a file', async ({ ns, onTerminal, file, expect }) => {
    await api.create(job({ namespace: ns, name: 'migrate' }));
    const run = onTerminal(['job/migrate', 'namespace/default'], { stdout: file });
    expect(await run.exit).toBe(0);
    expect(run.screen().lines.slice(0, 2)).toEqual([
      '✓ job/migrate        Complete, 1/1 succeeded',
      '✓ namespace/default  Active',
    ]);
    expect(readFileSync(file, 'utf8')).toBe(
      'job/migrate reached: Complete, 1/1 succeeded\nnamespace/default reached: Active\n',
    );
  });

  test('what is reached for good is on standard output however it ends', async ({ ns, onTerminal, file, expect }) => {
    await api.create(job({ namespace: ns, name: 'migrate' }));
    const run = onTerminal(['job/migrate', 'job/none'], { stdout: file });
    await run.until(shows('✓ job/migrate', 'does not exist yet'));
    await run.signal('SIGTERM');
    expect(await run.exit).toBe(143);
    expect(readFileSync(file, 'utf8')).toBe('job/migrate reached: Complete, 1/1 succeeded\n');
  });

  test('Ctrl-C: the view stays, and the terminal is as it was', async ({ onTerminal, expect }) => {
    const script = 'trap : INT; stty -g; "$@"; echo "code $?"; stty -g';
    const run = onTerminal(['job/none'], { columns: 200, by: ['/bin/sh', '-c', script, 'sh'] });
    await run.until(shows('does not exist yet'));
    run.type('\x03');
    expect(await run.exit).toBe(0);
    const { lines } = run.screen();
    expect(lines).toEqual([
      lines[0],
      '• job/none  does not exist yet',
      expect.stringMatching(/^ {2}\d+s gone, \w+ left$/),
      'kube-await: ended by SIGINT',
      'code 130',
      lines[0],
    ]);
    // No other screen, no hidden cursor, nothing that has to be taken back: it would stay so after a SIGKILL.
    expect(run.output()).not.toContain('\x1b[?');
  });

  test('COMMAND has the terminal blocking, as it was', async ({ onTerminal, expect }) => {
    const script = 'for fd in 0 1 2; do grep flags /proc/self/fdinfo/$fd; done';
    const run = onTerminal(['namespace/default', '--', 'sh', '-c', script]);
    expect(await run.exit).toBe(0);
    // O_RDWR, without O_NONBLOCK.
    const flags = 'flags:  02';
    expect(run.screen().lines).toEqual([
      '✓ namespace/default  Active',
      expect.stringMatching(/^ {2}reached/),
      flags,
      flags,
      flags,
    ]);
  });

  test('is drawn anew, and over nothing, once it goes on after a stop', async ({ onTerminal, expect }) => {
    const run = onTerminal(['job/none']);
    await run.until(shows('does not exist yet'));
    await run.signal('SIGCONT');
    const { lines } = await run.until((screen) => screen.lines.length === 4);
    expect([lines[0], lines[2]]).toEqual(Array(2).fill('• job/none  does not exist yet'));
  });

  test('is without colours under NO_COLOR, and with them otherwise', async ({ onTerminal, expect }) => {
    const drawn = async (env: Record<string, string>): Promise<string> => {
      const run = onTerminal(['namespace/default'], { env });
      await run.exit;
      expect(run.screen().lines[0]).toBe('✓ namespace/default  Active');
      return run.output();
    };
    const [colourless, coloured] = await Promise.all([drawn({ NO_COLOR: '1' }), drawn({})]);
    expect(colourless.split('\x1b[').filter((sequence) => /^[\d;]*m/.test(sequence))).toEqual([]);
    expect(coloured).toContain('\x1b[32m✓\x1b[39m');
  });

  test.for<[string, readonly string[], Options]>([
    ['CI', [], { env: { CI: 'true' } }],
    ['TERM=dumb', [], { env: { TERM: 'dumb' } }],
    ['no TERM', [], { env: { TERM: undefined } }],
    ['a terminal without a size', [], { columns: 0, rows: 0 }],
    ['-q', ['-q'], {}],
    ['-o json', ['-o', 'json'], {}],
  ])('%s: plain lines', async ([, args, options], { onTerminal, expect }) => {
    const run = onTerminal(['job/none', '--for=delete', ...args], options);
    expect(await run.exit).toBe(0);
    expect(run.output()).toMatch(
      args.includes('json') ? /^(\{.*"job\/none".*\}\r\n){1,2}\{.*\}\r\n$/ : /^job\/none reached: none found\r\n$/,
    );
  });
});
