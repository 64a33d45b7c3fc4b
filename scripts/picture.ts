/**
 * `npm run picture`: draws docs/live-view.svg, the picture of the live view in README.md. The screen is that of a real
 * run against a real control plane, at a moment when nothing moves but the clock.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { SetupError } from '../test/cluster/binaries.ts';
import { type RunningCluster, startCluster } from '../test/cluster/index.ts';
import type { Json, Reference } from '../test/cluster/rest.ts';
import { deployment, ended, job, pod } from '../test/harness/objects.ts';
import { type OnTerminal, type Screen, startOnTerminal } from '../test/harness/terminal.ts';
import { svgOf } from './screen-svg.ts';

const ROOT = path.join(import.meta.dirname, '..');
const PICTURE = path.join(ROOT, 'docs', 'live-view.svg');
const NAMESPACE = 'shop';
const TARGETS = ['job/seed', 'job/migrate', 'deploy/api', 'pod', '-l', 'app=db', 'svc/web'];
/** What the clock shows on the picture, so that it does not change from run to run. */
const GONE = '9s gone';

/** A namespace in which each kind of line has something to show. */
async function furnish({ rest }: RunningCluster): Promise<void> {
  await rest.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } });
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: NAMESPACE } };
  await rest.until(account, Boolean);
  const db = { namespace: NAMESPACE, labels: { app: 'db' } };
  await Promise.all([
    rest.create(job({ namespace: NAMESPACE, name: 'seed' })),
    rest.create(job({ namespace: NAMESPACE, name: 'migrate', exitCode: 'ask', completions: 10, parallelism: 3 })),
    rest.create(deployment({ namespace: NAMESPACE, name: 'api', replicas: 3, ready: 'never' })),
    ...[0, 1, 2].map((at) =>
      rest.create(pod({ ...db, name: `db-${at}`, ...(at === 2 && { start: 'never' as const }) })),
    ),
  ]);
  const pods = `/api/v1/namespaces/${NAMESPACE}/pods?labelSelector=job-name%3Dmigrate`;
  const over = new Set<string>();
  const isRunning = ({ metadata, status }: Json): boolean => status.phase === 'Running' && !over.has(metadata.uid);
  while (over.size < 4) {
    const all = await rest.untilAll(pods, (found) => found.some(isRunning));
    for (const one of all.filter(isRunning).slice(0, 4 - over.size)) {
      over.add(one.metadata.uid);
      await rest.patch({ ...one, apiVersion: 'v1', kind: 'Pod' } as Reference, ended(0));
    }
  }
}

function start(cluster: RunningCluster, home: string): OnTerminal {
  const shown = `$ kube-await -n ${NAMESPACE} ${TARGETS.join(' ')}`;
  const program = path.join(ROOT, 'dist', 'kube-await.cjs');
  const script = 'printf "%s\\n" "$0"; exec "$@"';
  const argv = ['/bin/sh', '-c', script, shown, process.execPath, program, '-n', NAMESPACE, ...TARGETS];
  const env = { PATH: process.env.PATH, HOME: home, KUBECONFIG: cluster.kubeconfig, TERM: 'xterm-256color' };
  return startOnTerminal(argv, { columns: 80, rows: 24, env });
}

function isTheMoment({ lines }: Screen): boolean {
  const screen = lines.join('\n');
  return ['4/10 succeeded, 3 active', '0/3 available', '2/3 done', GONE].every((text) => screen.includes(text));
}

async function main(): Promise<void> {
  const cluster = await startCluster({ progress: (line) => console.log(line) });
  const home = mkdtempSync(path.join(tmpdir(), 'kube-await-picture-'));
  let run: OnTerminal | undefined;
  try {
    await furnish(cluster);
    run = start(cluster, home);
    await cluster.hold(run.pid);
    const screen = await run.until(isTheMoment);
    writeFileSync(PICTURE, svgOf(screen, { columns: 80, title: 'kube-await waiting on a terminal' }));
    console.log(`${screen.lines.join('\n')}\n\n${path.relative(process.cwd(), PICTURE)} is drawn.`);
  } finally {
    run?.kill();
    await run?.exit;
    await cluster.stop();
    rmSync(home, { recursive: true });
  }
}

try {
  await main();
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
