import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { memoryOf } from '../../bench/procfs.ts';
import { median } from '../../bench/statistics.ts';
import { type Cluster, startCluster } from '../cluster/index.ts';
import type { Reference } from '../cluster/rest.ts';
import { runProgram } from '../harness/program.ts';
import { startRun } from '../harness/run.ts';
import { type Living, live } from './life.ts';

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '15' }, updates: { type: 'string', default: '20000' } },
});
const [minutes, updates] = [Number(values.minutes), Number(values.updates)];

const NAMESPACE = 'soak';
/** Of anonymous memory, in MiB: what the garbage collector may be behind by. */
const ALLOWED_GROWTH_MIB = 4;

async function soak(cluster: Cluster): Promise<number> {
  const { rest } = cluster;
  await rest.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } });
  const account: Reference = {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { namespace: NAMESPACE, name: 'default' },
  };
  await rest.until(account, Boolean);
  const living = (kind: Living['kind'], name: string): Living => ({
    rest,
    namespace: NAMESPACE,
    kind,
    name,
    app: name,
    written: [],
  });
  const lives = [living('job', 'a'), living('pod', 'b'), living('service', 'c')];
  for (const one of lives) await live(one, [{ is: 'created', forMs: 0 }]);
  const map: Reference = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: NAMESPACE, name: 'unrelated' } };
  await rest.create(map);
  const awaited: Reference[] = [
    { apiVersion: 'batch/v1', kind: 'Job', metadata: { namespace: NAMESPACE, name: 'a' } },
    { apiVersion: 'v1', kind: 'Pod', metadata: { namespace: NAMESPACE, name: 'b' } },
    { apiVersion: 'v1', kind: 'Pod', metadata: { namespace: NAMESPACE, name: 'c' } },
  ];

  const timeout = `--timeout=${minutes + 5}m`;
  const runs = [['job/a'], ['pod', '-l', 'app=b'], ['pod', '-l', 'app=c']].map((target) => ({
    label: target.join(' '),
    run: startRun([...target, timeout], { namespace: NAMESPACE, kubeconfig: cluster.kubeconfig }),
    memory: [] as number[],
  }));
  for (const { run } of runs) await cluster.hold(run.pid);
  await Promise.all(runs.map(({ run }) => run.line(/./)));

  const startedMs = performance.now();
  const elapsedMs = (): number => performance.now() - startedMs;
  let done = 0;
  let nextSampleMs = 0;
  while (elapsedMs() < minutes * 60_000) {
    // As many as are due by now, one after the other.
    while (done < updates * Math.min(1, elapsedMs() / (minutes * 60_000))) {
      const target = done % 2 === 0 ? map : (awaited[(done >> 1) % awaited.length] ?? map);
      await rest.patch(target, { metadata: { annotations: { count: String(done), text: 'é🚀'.repeat(200) } } });
      done += 1;
    }
    if (elapsedMs() >= nextSampleMs) {
      for (const { run, memory } of runs) memory.push((memoryOf(run.pid)?.anonKiB ?? Number.NaN) / 1_024);
      nextSampleMs += 5_000;
    }
    await sleep(50);
  }
  for (const one of lives) await live(one, [{ is: 'reached', forMs: 0 }]);

  let bad = 0;
  const watches = cluster.auditEvents({ namespace: NAMESPACE, verb: 'watch', userAgent: /^kube-await\// });
  for (const { label, run, memory } of runs) {
    const { code } = await run.exit;
    await cluster.release(run.pid);
    // Its start aside: modules are compiled and the heap finds its size.
    const later = memory.slice(Math.ceil(memory.length / 10));
    const [first, last] = [later.slice(0, later.length / 4), later.slice(-later.length / 4)].map(median);
    const grown = (last ?? Number.NaN) - (first ?? Number.NaN);
    // What was not measured is not flat.
    if (code !== 0 || !(grown <= ALLOWED_GROWTH_MIB)) bad += 1;
    console.log(
      `${label}: exit ${code}, ${first?.toFixed(1)} MiB in the first quarter, ${last?.toFixed(1)} in the last`,
    );
  }
  const opened = new Set(watches.map(({ auditID }) => auditID)).size;
  console.log(`${minutes} minutes, ${done} updates, ${opened} watches, ${bad} of ${runs.length} went wrong`);
  return bad;
}

async function main(): Promise<number> {
  const cluster = await startCluster({ progress: (line) => console.error(line) });
  try {
    return (await soak(cluster)) === 0 ? 0 : 1;
  } finally {
    await cluster.stop();
  }
}

await runProgram(main);
