import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import type { Cluster } from '../cluster/index.ts';
import type { Reference } from '../cluster/rest.ts';
import { type Run, startRun } from '../harness/run.ts';
import { makeWaiter, WAITER } from './bench.ts';
import { anyWait, argsOf, livingsOf, newId, type Wait, writeKubeconfig, wrongsOf } from './case.ts';
import type { ControlPlane } from './control-plane.ts';
import { type Living, live, type Written } from './life.ts';

/** The API server goes down and comes up again, perhaps on an older etcd, while several wait. Plain data. */
export interface Outage {
  readonly how: 'terminated' | 'killed' | 'restored';
  /** From its end to its next start. */
  readonly forMs: number;
  readonly waits: readonly (Wait & {
    /** So many steps of each life come before the wait, then so many before the backup, then so many before the end. */
    readonly steps: readonly [before: number, toBackup: number, toEnd: number];
  })[];
}

const wait = anyWait({ steps: fc.tuple(fc.nat(2), fc.nat(1), fc.nat(2)) });

/** Outages of up to so many milliseconds. */
export const anyOutage = (maxMs: number): fc.Arbitrary<Outage> =>
  fc.record({
    how: fc.constantFrom('terminated', 'killed', 'restored', 'restored'),
    forMs: fc.integer({ min: 0, max: maxMs }),
    waits: fc.array(wait, { minLength: 6, maxLength: 8 }),
  });

/** Beyond all of a life and the start of a server, and below the time after which a watch is opened anew. */
const TIMEOUT_S = 75;

/** Runs one. Gives what is wrong with how its waits went. */
export async function runOutage(cluster: Cluster, plane: ControlPlane, outage: Outage): Promise<readonly string[]> {
  const { rest } = plane;
  const namespace = newId();
  await makeWaiter(rest, namespace);
  const tokenFile = join(cluster.coordinates.dir, `${namespace}.token`);
  writeFileSync(tokenFile, await plane.token(namespace, WAITER), { mode: 0o600 });
  const kubeconfig = join(cluster.coordinates.dir, `${namespace}.kubeconfig`);
  writeKubeconfig(kubeconfig, { server: plane.server, ca: plane.ca, tokenFile });
  const timeoutS = TIMEOUT_S + Math.ceil(outage.forMs / 1_000);
  const runs: Run[] = [];
  const all = outage.waits.map((one) => {
    const id = newId();
    const [before, toBackup, toEnd] = one.steps;
    const [backup, end] = [before + toBackup, before + toBackup + toEnd];
    return { one, id, livings: livingsOf(one, { rest, namespace, id }), before, backup, end };
  });
  /** All lives go on, side by side, from one of their steps to another. */
  const goOn = (of: (typeof all)[number], from: number, to?: number): Promise<unknown> =>
    Promise.all(of.livings.map((living, index) => live(living, of.one.lives[index]?.slice(from, to) ?? [])));
  try {
    await Promise.all(all.map((of) => goOn(of, 0, of.before)));
    const started = all.map(({ one, id }) => {
      const startedMs = performance.now();
      const run = startRun(argsOf(one, id, timeoutS), { namespace, kubeconfig });
      runs.push(run);
      return { run, startedMs };
    });
    for (const { pid } of runs) await cluster.hold(pid);
    // What it says first it says of the first answer.
    await Promise.all(runs.map((run) => Promise.race([run.line(/./).catch(() => {}), run.exit])));
    await Promise.all(all.map((of) => goOn(of, of.before, of.backup)));
    const restored = outage.how === 'restored';
    const backups = all.map(({ livings }) => livings.map(({ written }) => written.at(-1)));
    if (restored) {
      await plane.backUp();
      await moveOn(plane, namespace);
    }
    await Promise.all(all.map((of) => goOn(of, of.backup, of.end)));
    const endsMs = performance.now();
    await plane.stop(outage.how === 'terminated' ? 'terminated' : 'killed');
    await sleep(outage.forMs);
    if (restored) await plane.restore();
    await plane.start();
    if (restored) {
      for (const [index, { livings }] of all.entries()) {
        for (const [at, living] of livings.entries()) putBack(living, backups[index]?.[at], endsMs);
      }
    }
    await Promise.all(all.map((of) => goOn(of, restored ? of.backup : of.end)));
    const wrongs = await Promise.all(
      all.map(async ({ one, livings }, index) => {
        const { run, startedMs } = started[index] ?? {};
        if (run === undefined || startedMs === undefined) return [];
        // It cannot be told when its clock began: once it had started, and before it said something.
        const saidMs = startedMs + (run.lines[0]?.atMs ?? 0);
        const endsMs = saidMs + (timeoutS + 1) * 1_000;
        return await wrongsOf({ run, wait: one, livings, startedMs, endsMs, lists: () => [] });
      }),
    );
    return wrongs.flat();
  } finally {
    for (const run of runs) {
      run.kill();
      await run.exit;
      await cluster.release(run.pid);
    }
  }
}

/** What the API server holds again is what it held at the backup; somebody may have seen it from its very start on. */
function putBack({ written }: Living, backup: Written | undefined, fromMs: number): void {
  const toldMs = performance.now();
  written.push({ standing: 'absent', resourceVersion: 0, ...backup, fromMs, toldMs });
}

/** Takes etcd's revision so far that a backup of before does not come near it soon. */
async function moveOn({ rest }: ControlPlane, namespace: string): Promise<void> {
  const map: Reference = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace, name: 'moves' } };
  await rest.create(map);
  for (let count = 0; count < 300; count += 1) await rest.patch(map, { data: { count: String(count) } });
}
