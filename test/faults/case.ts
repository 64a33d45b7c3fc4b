import { writeFileSync } from 'node:fs';
import type { Agent } from 'node:https';
import { join } from 'node:path';
import fc from 'fast-check';
import type { Cluster } from '../cluster/index.ts';
import { type Run, startRun } from '../harness/run.ts';
import type { Certificates } from '../unit/kube/certificates.ts';
import { type Script, script } from './faults.ts';
import { type Living, life, lifeOfService, live, type Step, type Written } from './life.ts';
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

const common = {
  onMissing: fc.constantFrom('wait', 'wait', 'fail'),
  before: fc.nat(3),
  goOn: fc.constantFrom('at once', 'once it asks'),
  script,
} as const;

export const anyCase: fc.Arbitrary<Case> = fc.oneof(
  fc.record({ ...common, target: fc.constantFrom('job', 'job', 'two jobs', 'pods'), lives: fc.tuple(life, life) }),
  // Ready has to hold for both at once.
  fc.record({ ...common, target: fc.constant('services'), lives: fc.tuple(lifeOfService, lifeOfService) }),
);

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

let counter = 0;

/** Runs one case. Gives what is wrong with how it went; nothing where all is well. */
export async function runCase(bench: Bench, one: Case): Promise<readonly string[]> {
  const { cluster, namespace, agent, certificates, tokens } = bench;
  counter += 1;
  const id = `run-${process.pid}-${counter}`;
  const tokenFile = join(cluster.coordinates.dir, `${id}.token`);
  writeFileSync(tokenFile, tokens[0] ?? '', { mode: 0o600 });
  const upstream = new URL(cluster.server);
  const proxy = await startFaultProxy({ upstream, agent, certificates, script: one.script, tokenFile, tokens });
  const names = one.target === 'job' ? ['a'] : ['a', 'b'];
  const livings = names.map((name): Living => {
    const kind = { job: 'job', 'two jobs': 'job', pods: 'pod', services: 'service' } as const;
    return { rest: cluster.rest, namespace, kind: kind[one.target], name: `${id}-${name}`, app: id, written: [] };
  });
  const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
  const lifeOf = (index: number): readonly Step[] => one.lives[index] ?? [];
  let run: Run | undefined;
  try {
    await Promise.all(livings.map((living, index) => live(living, lifeOf(index).slice(0, one.before), sleep)));
    const startedMs = performance.now();
    run = startRun(argsOf(one, id), { namespace, kubeconfig: kubeconfig(bench, proxy, id, tokenFile) });
    await cluster.hold(run.pid);
    if (one.goOn === 'once it asks') await Promise.race([proxy.firstRequest, run.exit]);
    const lived = Promise.all(livings.map((living, index) => live(living, lifeOf(index).slice(one.before), sleep)));
    const wait = { run, proxy, livings, startedMs, one };
    await lived;
    return await wrongsOf(wait);
  } finally {
    run?.kill();
    await run?.exit;
    if (run !== undefined) await cluster.release(run.pid);
    await proxy.close();
  }
}

interface Wait {
  readonly run: Run;
  readonly proxy: FaultProxy;
  readonly livings: readonly Living[];
  readonly startedMs: number;
  readonly one: Case;
}

async function wrongsOf({ run, proxy, livings, startedMs, one }: Wait): Promise<readonly string[]> {
  const { onMissing } = one;
  const written = livings.map((living): readonly Written[] => living.written);
  const last = written.map((states) => states.at(-1)?.standing ?? 'absent');
  const isDue =
    last.every((standing) => standing === 'reached') ||
    last.includes('failed') ||
    (onMissing === 'fail' && one.target !== 'pods' && one.target !== 'services' && last.includes('absent'));
  const asked = await Promise.race([proxy.firstRequest, run.exit]);
  // A run that has nothing more to come is not waited for until its timeout.
  if (!isDue && typeof asked === 'number') {
    const soon = new Promise<'soon'>((resolve) => setTimeout(resolve, 500, 'soon'));
    if ((await Promise.race([run.exit, soon])) === 'soon') {
      run.kill('SIGTERM');
      const { code, signal } = await run.exit;
      // It may have come to its own end in that moment.
      if (code === null) return [`SIGTERM ended it with ${signal}\n${said(run)}`];
    }
  }
  // Its clock starts before its first request, and how long a process takes to start is not its doing.
  const endsMs = (typeof asked === 'number' ? asked : startedMs) + (TIMEOUT_S + 1) * 1_000;
  const late = new Promise<'late'>((resolve) => setTimeout(resolve, endsMs - performance.now(), 'late'));
  const ended = await Promise.race([run.exit, late]);
  if (ended === 'late') return [`a hang: it did not end within its timeout\n${said(run)}`];
  if (ended.code === 143 && !isDue) return [];
  const history: History = {
    written,
    startedMs,
    endedMs: startedMs + ended.durationMs,
    lists: proxy.asked.filter(({ kind }) => kind === 'list').map(({ resourceVersion }) => resourceVersion),
    atOnce: one.target === 'services',
    onMissing,
    graceMs: GRACE_MS,
  };
  return judge(ended.code, history).map((wrong) => `${wrong}\n${said(run)}`);
}

const GRACE_MS = 300;

function argsOf({ target, onMissing }: Case, id: string): string[] {
  const targets = {
    job: [`job/${id}-a`],
    'two jobs': [`job/${id}-a`, `job/${id}-b`],
    pods: ['pod', '-l', `app=${id}`, '--expect=2'],
    services: ['pod', '-l', `app=${id}`, '--expect=2'],
  };
  const missing = onMissing === 'fail' ? ['--on-missing=fail', `--missing-grace=${GRACE_MS}ms`] : [];
  return [...targets[target], ...missing, `--timeout=${TIMEOUT_S}s`, '--request-timeout=2s', '--logs=0'];
}

function kubeconfig({ cluster, certificates }: Bench, proxy: FaultProxy, id: string, tokenFile: string): string {
  const authority = Buffer.from(certificates.ca).toString('base64');
  const server = `https://127.0.0.1:${proxy.port}`;
  const path = join(cluster.coordinates.dir, `${id}.kubeconfig`);
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'test',
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
    clusters: [{ name: 'test', cluster: { server, 'certificate-authority-data': authority } }],
    users: [{ name: 'test', user: { tokenFile } }],
  };
  writeFileSync(path, JSON.stringify(config), { mode: 0o600 });
  return path;
}

function said({ lines }: Run): string {
  return lines.map(({ atMs, text }) => `  ${(atMs / 1_000).toFixed(3)} ${text}`).join('\n');
}
