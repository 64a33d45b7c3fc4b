/** Pods that have all succeeded, found by a selector. */
import { pod } from '../../test/harness/objects.ts';
import { inParallel } from '../../test/harness/pool.ts';
import type { Figure, Findings, Row } from '../figures.ts';
import { type Command, inTurn, memoryOfRun, wallOf } from '../process.ts';
import { median, pairedRatio } from '../statistics.ts';
import { NAMESPACE, type World } from '../world.ts';
import type { Scale } from './index.ts';

/** How many requests that make pods are under way at a time. */
const SIDE_BY_SIDE = 32;
const MEMORY_RUNS = 3;

export async function donePods(world: World, { pairs, pods }: Scale): Promise<Findings> {
  const rows: Row[] = [];
  const figures: Figure[] = [];
  const remarks: string[] = [];
  for (const count of pods) {
    await makePods(world, count);
    // A second and more for each run: fewer of them say as much.
    const rounds = count >= 1000 ? Math.max(3, Math.round(pairs / 2)) : pairs;
    const ours = world.kubeAwait(['pod', '-l', selector(count)], 'kubeconfig');
    const get = world.kubectl(['get', 'pods', '-l', selector(count), '-o', 'name'], 'kubeconfig');
    const measured = await compare(`${count} done pods`, [ours, get], rounds);
    rows.push(...measured.rows);
    if (count === 10_000) {
      figures.push({ bar: 'pods10000', value: measured.wall });
      figures.push({ bar: 'pods10000Peak', value: measured.peakMiB });
    }
    if (count !== 200) continue;
    // It asks for one pod after the other, so this takes twenty seconds: once is enough.
    const wait = world.kubectl(
      ['wait', 'pod', '-l', selector(count), '--for=jsonpath={.status.phase}=Succeeded', '--timeout=120s'],
      'kubeconfig',
    );
    const ourMs = await wallOf(ours);
    const theirMs = await wallOf(wait);
    rows.push({ case: `${count} done pods`, program: wait.program, values: { wallMs: theirMs }, runs: 1 });
    figures.push({ bar: 'pods200', value: ourMs / theirMs });
  }
  if (!pods.includes(10_000)) remarks.push(`done pods: at most ${Math.max(...pods)} of them, so no bar of 10,000`);
  return { rows, figures, remarks };
}

interface Compared {
  readonly rows: readonly Row[];
  /** Of the first against the second. */
  readonly wall: number;
  /** Of the first. */
  readonly peakMiB: number;
}

async function compare(name: string, commands: readonly Command[], rounds: number): Promise<Compared> {
  const walls = await inTurn(commands, rounds, wallOf);
  const memories = await inTurn(commands, Math.min(MEMORY_RUNS, rounds), memoryOfRun);
  const rows = commands.map(({ program }, index) => ({
    case: name,
    program,
    values: {
      wallMs: median(walls[index] ?? []),
      peakMiB: median((memories[index] ?? []).map(({ peakKiB }) => peakKiB / 1024)),
      anonMiB: median((memories[index] ?? []).map(({ anonKiB }) => anonKiB / 1024)),
    },
    runs: rounds,
  }));
  const [ours = [], theirs = []] = walls;
  return { rows, wall: pairedRatio(ours, theirs), peakMiB: rows[0]?.values.peakMiB ?? Number.NaN };
}

const selector = (count: number): string => `bench=of-${count}`;

/** As large as pods are: with what admission adds, and a status like kubelet's. */
async function makePods({ cluster }: World, count: number): Promise<void> {
  const names = Array.from({ length: count }, (_, index) => `of-${count}-${index}`);
  const began = performance.now();
  await inParallel(names, SIDE_BY_SIDE, async (name) => {
    const made = pod({
      namespace: NAMESPACE,
      name,
      labels: { bench: `of-${count}`, app: 'measured', 'app.kubernetes.io/part-of': 'bench' },
      runFor: '1s',
      // No scheduler of that name runs, so nobody but us writes its status.
      spec: { schedulerName: 'nobody', containers: [CONTAINER] },
    });
    await cluster.rest.create(made);
    await cluster.rest.patchStatus(made, SUCCEEDED);
  });
  console.error(`made ${count} pods in ${((performance.now() - began) / 1000).toFixed(0)} s`);
}

const CONTAINER = {
  name: 'main',
  image: 'registry.example.com/team/measured:1.2.3',
  command: ['/bin/measured', '--config=/etc/measured/config.yaml'],
  env: [
    { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
    { name: 'DATABASE_URL', valueFrom: { secretKeyRef: { name: 'database', key: 'url' } } },
    { name: 'LOG_LEVEL', value: 'info' },
  ],
  resources: { requests: { cpu: '100m', memory: '64Mi' }, limits: { memory: '128Mi' } },
};

const AT = '2026-01-01T00:00:00Z';
const SUCCEEDED = {
  phase: 'Succeeded',
  startTime: AT,
  hostIP: '10.0.0.1',
  podIP: '10.244.0.1',
  podIPs: [{ ip: '10.244.0.1' }],
  conditions: [
    { type: 'Initialized', status: 'True', lastTransitionTime: AT },
    ...['Ready', 'ContainersReady'].map((type) => ({
      type,
      status: 'False',
      reason: 'PodCompleted',
      lastTransitionTime: AT,
    })),
    { type: 'PodScheduled', status: 'True', lastTransitionTime: AT },
  ],
  containerStatuses: [
    {
      name: 'main',
      image: CONTAINER.image,
      imageID: `registry.example.com/team/measured@sha256:${'0'.repeat(64)}`,
      containerID: `containerd://${'0'.repeat(64)}`,
      ready: false,
      started: false,
      restartCount: 0,
      state: { terminated: { exitCode: 0, reason: 'Completed', startedAt: AT, finishedAt: AT } },
    },
  ],
};
