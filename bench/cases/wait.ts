/** A long wait for one Job: what it costs the API server, and the node that it runs on. */
import { setTimeout as pause } from 'node:timers/promises';
import type { AuditEvent } from '../../test/cluster/index.ts';
import { readAudit } from '../audit.ts';
import type { Findings, Row } from '../figures.ts';
import { type Command, start } from '../process.ts';
import { cpuOf, memoryOf } from '../procfs.ts';
import { openTap } from '../tap.ts';
import { completeJob, makeJob, type World } from '../world.ts';
import type { Scale } from './index.ts';

/** What a start costs is another case: from here on a waiter waits. Milliseconds. */
const SETTLED_MS = 5_000;
const FULL_MS = 600_000;

interface Waiter {
  readonly command: Command;
  readonly userAgent: RegExp;
}

export async function longWait(world: World, { waitMs }: Scale): Promise<Findings> {
  const name = 'long';
  const made = await makeJob(world, name);
  const taps = await Promise.all([0, 1].map(() => openTap(world.cluster.server)));
  const waiters: Waiter[] = [
    { command: world.kubeAwait([`job/${name}`, '--timeout=-1s'], 'kubeconfig', taps[0]), userAgent: /^kube-await\// },
    {
      command: world.kubectl(
        ['wait', '--for=condition=Complete', `job/${name}`, '--timeout=-1s'],
        'kubeconfig',
        taps[1],
      ),
      userAgent: /^kubectl\//,
    },
  ];
  // Side by side: each is asleep nearly all of the time.
  const audits = waiters.map(() => readAudit(world.cluster.auditLog, name));
  const started = waiters.map(({ command }) => start(command));
  await pause(SETTLED_MS);
  const startedAt = Date.now() - SETTLED_MS;
  const before = started.map(({ pid }) => cpuOf(pid));
  await pause(waitMs - SETTLED_MS);
  const minutes = (waitMs - SETTLED_MS) / 60_000;
  const requests = waiters.map(({ userAgent }, index) => audits[index]?.next(userAgent) ?? []);
  const rows: Row[] = waiters.map(({ command }, index) => {
    const { pid } = started[index] ?? { pid: 0 };
    const memory = memoryOf(pid);
    return {
      case: `wait of ${waitMs / 1000} s, CPU of a minute`,
      program: command.program,
      values: {
        cpuMs: (cpuOf(pid) - (before[index] ?? 0)) / minutes,
        requests: requests[index]?.length ?? Number.NaN,
        kB: (taps[index]?.bytes() ?? Number.NaN) / 1000,
        peakMiB: (memory?.peakKiB ?? Number.NaN) / 1024,
        anonMiB: (memory?.anonKiB ?? Number.NaN) / 1024,
      },
      runs: 1,
    };
  });
  await completeJob(world, made);
  await Promise.all(started.map(({ end }) => end));
  for (const tap of taps) tap.close();
  for (const audit of audits) audit.close();
  const { cpuMs = Number.NaN } = rows[0]?.values ?? {};
  return {
    rows,
    figures: [
      { bar: 'waitRequests', value: rows[0]?.values.requests ?? Number.NaN },
      { bar: 'waitCpu', value: (cpuMs / 60_000) * 100 },
    ],
    remarks: [
      ...waiters.map(({ command }, index) => `${command.program} asked: ${timesOf(requests[index] ?? [], startedAt)}`),
      ...(waitMs === FULL_MS
        ? []
        : [`the long wait was ${waitMs / 1000} s, not 600 s: its requests are what was counted in that time`]),
    ],
  };
}

/** What was asked for and when, for who wants to know where a request comes from. */
function timesOf(events: readonly AuditEvent[], startedAt: number): string {
  return events
    .toSorted((a, b) => a.requestReceivedTimestamp.localeCompare(b.requestReceivedTimestamp))
    .map(({ verb, requestReceivedTimestamp: at, responseStatus }) => {
      const seconds = Math.max(0, Math.round((Date.parse(at) - startedAt) / 1000));
      return `${verb} at ${seconds} s (${responseStatus?.code ?? 'open'})`;
    })
    .join(', ');
}
