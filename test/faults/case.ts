import { writeFileSync } from 'node:fs';
import type { Agent } from 'node:https';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import type { Cluster } from '../cluster/index.ts';
import type { Rest } from '../cluster/rest.ts';
import { type Run, startRun } from '../harness/run.ts';
import type { Certificates } from '../unit/kube/certificates.ts';
import { type Script, script } from './faults.ts';
import { type Living, life, lifeOfService, live, type Step, turns, type Written } from './life.ts';
import { type History, judge } from './model.ts';
import { type FaultProxy, startFaultProxy } from './proxy.ts';

/** One run: what is awaited, how it lives, and what goes wrong meanwhile. Plain data, so that it can be kept. */
export interface Case {
  readonly target: 'job' | 'two jobs' | 'pods' | 'services';
  readonly onMissing: 'wait' | 'fail';
  /** One for each object. */
  readonly lives: readonly (readonly Step[])[];
  /** So many steps of each life come before the wait. */
  readonly before: number;
  /** When the lives go on: as soon as the process is started, or once it has asked for something. */
  readonly goOn: 'at once' | 'once it asks';
  readonly script: Script;
}

/** Anything that may be awaited, and how it lives, with what else a run draws. */
export const anyWait = <T>(more: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<Wait & T> => {
  const common = { onMissing: fc.constantFrom('wait' as const, 'wait' as const, 'fail' as const), ...more };
  return fc.oneof(
    fc.record({
      ...common,
      target: fc.constantFrom('job' as const, 'job' as const, 'two jobs' as const, 'pods' as const),
      lives: fc.tuple(life, life),
    }),
    // Ready has to hold for both at once.
    fc.record({
      ...common,
      target: fc.constant('services' as const),
      lives: fc.oneof(fc.tuple(lifeOfService, lifeOfService), turns),
    }),
  ) as fc.Arbitrary<Wait & T>;
};

export const anyCase: fc.Arbitrary<Case> = anyWait({
  before: fc.nat(3),
  goOn: fc.constantFrom('at once' as const, 'once it asks' as const),
  script,
});

/** The same random cases in each test run, the first N of them; `npm run test:faults` draws new ones. */
export const randomCases = (count: number): Case[] => fc.sample(anyCase, { seed: 20_260, numRuns: count });

/** What all runs share. */
export interface Bench {
  readonly cluster: Cluster;
  /** Of its own: in the one of the tests nothing may be awaited by another. */
  readonly namespace: string;
  /** Of the connections to the API server. */
  readonly agent: Agent;
  readonly certificates: Certificates;
  /** Two at least, of one identity, each accepted by the API server. */
  readonly tokens: readonly string[];
}

/** For the whole of one run, in seconds: beyond the longest life, and all the pauses that six faults can cause. */
const TIMEOUT_S = 40;
/** Where a watch event is swallowed, which few other faults accompany, and many runs last until the end. */
const SWALLOW_TIMEOUT_S = 20;

let counter = 0;

/** Runs one case. Gives what is wrong with how it went; nothing where all is well. */
export async function runCase(bench: Bench, one: Case): Promise<readonly string[]> {
  const { cluster, namespace, agent, certificates, tokens } = bench;
  const { dir } = cluster.coordinates;
  const id = newId();
  const tokenFile = join(dir, `${id}.token`);
  writeFileSync(tokenFile, tokens[0] ?? '', OWNER_ONLY);
  const resolverFile = join(dir, `${id}.names`);
  writeFileSync(resolverFile, JSON.stringify({ code: '', untilMs: 0 }));
  const upstream = new URL(cluster.server);
  const { script } = one;
  const proxy = await startFaultProxy({ upstream, agent, certificates, script, tokenFile, tokens, resolverFile });
  const livings = livingsOf(one, { rest: cluster.rest, namespace, id });
  const lifeOf = (index: number): readonly Step[] => one.lives[index] ?? [];
  const path = join(dir, `${id}.kubeconfig`);
  writeKubeconfig(path, { server: `https://api.test:${proxy.port}`, ca: certificates.ca, tokenFile });
  let run: Run | undefined;
  try {
    await Promise.all(livings.map((living, index) => live(living, lifeOf(index).slice(0, one.before))));
    const startedMs = performance.now();
    const env = { NODE_OPTIONS: `--import=${RESOLVER}`, TEST_RESOLVER: resolverFile };
    const timeoutS = script.some((fault) => fault?.kind === 'swallow') ? SWALLOW_TIMEOUT_S : TIMEOUT_S;
    run = startRun(argsOf(one, id, timeoutS), { namespace, kubeconfig: path, env });
    await cluster.hold(run.pid);
    if (one.goOn === 'once it asks') await Promise.race([proxy.firstRequest, run.exit]);
    await Promise.all(livings.map((living, index) => live(living, lifeOf(index).slice(one.before))));
    const lists = () => proxy.asked.filter(({ kind }) => kind === 'list').map(({ resourceVersion }) => resourceVersion);
    const asked = await Promise.race([proxy.firstRequest, run.exit.then(() => startedMs)]);
    const endsMs = asked + (timeoutS + 1) * 1_000;
    const lost = (): History['lost'] => lostIn(proxy);
    const wrongs = await wrongsOf({ run, wait: one, livings, startedMs, endsMs, lists, lost });
    const { durationMs } = await run.exit;
    return [...wrongs, ...impolite(proxy, { targets: one.target === 'two jobs' ? 2 : 1, durationMs })];
  } finally {
    run?.kill();
    await run?.exit;
    if (run !== undefined) await cluster.release(run.pid);
    await proxy.close();
  }
}

/** What of the API server's answers the process could not know, seen at its end. */
function lostIn({ asked }: FaultProxy): History['lost'] {
  if (!asked.some(({ swallowed }) => swallowed)) return 'nothing';
  const lastMs = performance.now() - 2_000;
  const isWhole = asked.every(
    ({ kind, atMs, resourceVersion }) => kind !== 'list' || atMs < lastMs || resourceVersion !== undefined,
  );
  return isWhole ? 'an event' : 'an event and a last LIST';
}

/** How it troubled a server in trouble more than it may. */
function impolite(
  { asked, connections }: FaultProxy,
  { targets, durationMs }: { readonly targets: number; readonly durationMs: number },
): readonly string[] {
  const wrongs: string[] = [];
  // The first of each target, three more at once, and then one a second; counted, since what arrives here may be late.
  const most = targets + 3 + Math.ceil(durationMs / 1_000);
  if (connections.length > most) wrongs.push(`${connections.length} connections in ${Math.round(durationMs)} ms`);
  for (const [index, { atMs, fault, path }] of asked.entries()) {
    if (fault?.kind !== 'status' || fault.retryAfter !== 'seconds') continue;
    const next = asked.slice(index + 1).find((other) => collectionOf(other.path) === collectionOf(path));
    const after = (next?.atMs ?? Number.POSITIVE_INFINITY) - atMs;
    // It was told to come back after a second; our clock began before it was told.
    if (after < 990) wrongs.push(`asked again ${Math.round(after)} ms after Retry-After: 1`);
  }
  return wrongs;
}

/** Which objects a request asks for. */
function collectionOf(path: string): string {
  const { pathname, searchParams } = new URL(path, 'https://any');
  return [pathname, searchParams.get('fieldSelector'), searchParams.get('labelSelector')].join(' ');
}

/** What is awaited, and how it lives. */
export type Wait = Pick<Case, 'target' | 'onMissing' | 'lives'>;

const RESOLVER = pathToFileURL(join(import.meta.dirname, 'resolver.ts')).href;

const OWNER_ONLY = { mode: 0o600 };

/** A name that nothing else has. */
export function newId(): string {
  counter += 1;
  return `run-${process.pid}-${counter}`;
}

/** The objects of a wait, of which nothing is written yet. */
export function livingsOf(
  { target }: Wait,
  { rest, namespace, id }: { readonly rest: Rest; readonly namespace: string; readonly id: string },
): readonly Living[] {
  const kind = ({ job: 'job', 'two jobs': 'job', pods: 'pod', services: 'service' } as const)[target];
  const names = target === 'job' ? ['a'] : ['a', 'b'];
  return names.map((name) => ({ rest, namespace, kind, name: `${id}-${name}`, app: id, written: [] }));
}

const isAbsent = (states: readonly Written[]): boolean => (states.at(-1)?.standing ?? 'absent') === 'absent';

interface Waiting {
  readonly run: Run;
  readonly wait: Wait;
  /** All that is to happen to them has happened. */
  readonly livings: readonly Living[];
  readonly startedMs: number;
  /** Its timeout and a second; milliseconds of performance.now(). */
  readonly endsMs: number;
  readonly lists: () => History['lists'];
  readonly lost?: () => History['lost'];
}

/** Waits for its end, and says what is wrong with it. */
export async function wrongsOf({
  run,
  wait,
  livings,
  startedMs,
  endsMs,
  lists,
  lost,
}: Waiting): Promise<readonly string[]> {
  const { onMissing, target } = wait;
  const written = livings.map((living): readonly Written[] => living.written);
  const last = written.map((states) => states.at(-1)?.standing ?? 'absent');
  const isDue =
    last.every((standing) => standing === 'reached') ||
    last.includes('failed') ||
    (onMissing === 'fail' &&
      target !== 'pods' &&
      target !== 'services' &&
      // One that was reached before it was deleted may have been seen so, and is not missed then.
      written.some((states) => isAbsent(states) && states.every(({ standing }) => standing !== 'reached')));
  // A run that has nothing more to come is not waited for until its timeout.
  if (!isDue) {
    const soon = new Promise<'soon'>((resolve) => setTimeout(resolve, 500, 'soon'));
    if ((await Promise.race([run.exit, soon])) === 'soon') {
      run.kill('SIGTERM');
      const { code, signal } = await run.exit;
      // It may have come to its own end in that moment.
      if (code === null) return [`SIGTERM ended it with ${signal}\n${said(run)}`];
    }
  }
  const late = new Promise<'late'>((resolve) => setTimeout(resolve, Math.max(0, endsMs - performance.now()), 'late'));
  const ended = await Promise.race([run.exit, late]);
  if (ended === 'late') return [`a hang: it did not end within its timeout\n${said(run)}`];
  if (ended.code === 143 && !isDue) return [];
  const history: History = {
    written,
    startedMs,
    endedMs: startedMs + ended.durationMs,
    lists: lists(),
    atOnce: target === 'services',
    onMissing,
    graceMs: GRACE_MS,
    lost: lost?.() ?? 'nothing',
  };
  return judge(ended.code, history).map((wrong) => `${wrong}\n${said(run)}`);
}

const GRACE_MS = 300;

/** The arguments of such a wait. */
export function argsOf({ target, onMissing }: Wait, id: string, timeoutS: number): string[] {
  const targets = {
    job: [`job/${id}-a`],
    'two jobs': [`job/${id}-a`, `job/${id}-b`],
    pods: ['pod', '-l', `app=${id}`, '--expect=2'],
    services: ['pod', '-l', `app=${id}`, '--expect=2'],
  };
  const missing = onMissing === 'fail' ? ['--on-missing=fail', `--missing-grace=${GRACE_MS}ms`] : [];
  return [...targets[target], ...missing, `--timeout=${timeoutS}s`, '--request-timeout=4s', '--logs=0'];
}

/** A kubeconfig whose token is read from a file. */
export function writeKubeconfig(
  path: string,
  { server, ca, tokenFile }: { readonly server: string; readonly ca: string; readonly tokenFile: string },
): void {
  const authority = Buffer.from(ca).toString('base64');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'test',
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
    clusters: [{ name: 'test', cluster: { server, 'certificate-authority-data': authority } }],
    users: [{ name: 'test', user: { tokenFile } }],
  };
  writeFileSync(path, JSON.stringify(config), OWNER_ONLY);
}

function said({ lines }: Run): string {
  return lines.map(({ atMs, text }) => `  ${(atMs / 1_000).toFixed(3)} ${text}`).join('\n');
}
