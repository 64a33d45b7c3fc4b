/** From the event that decides, as it is given to the waiter's socket, to the waiter's end. */

import { setTimeout as pause } from 'node:timers/promises';
import { readAudit } from '../audit.ts';
import type { Findings, Row } from '../figures.ts';
import { type Command, start } from '../process.ts';
import { median, pairedDifference } from '../statistics.ts';
import { openTap, type Tap } from '../tap.ts';
import { completeJob, makeJob, type World } from '../world.ts';
import type { Scale } from './index.ts';

/** After a watch is seen, so that its client has come to rest, in milliseconds. */
const REST_MS = 300;

export async function decidingEvent(world: World, { events }: Scale): Promise<Findings> {
  const tap = await openTap(world.cluster.server);
  const late: Record<'ours' | 'kubectl', Late[]> = { ours: [], kubectl: [] };
  for (let round = 0; round <= events; round += 1) {
    for (const who of ['ours', 'kubectl'] as const) {
      const found = await once(world, tap, who, `event-${who}-${round}`);
      if (round > 0) late[who].push(found);
    }
  }
  tap.close();
  const { ours, kubectl } = late;
  const fromEvent = (values: readonly Late[]): number[] => values.map(({ eventMs }) => eventMs);
  const fromAnswer = (values: readonly Late[]): number[] => values.map(({ answerMs }) => answerMs);
  const row = (program: string, name: string, values: readonly number[]): Row => ({
    case: name,
    program,
    values: { lateMs: median(values) },
    runs: events,
  });
  return {
    rows: [
      row('kube-await', 'event to exit', fromEvent(ours)),
      row('kubectl wait', 'event to exit', fromEvent(kubectl)),
      row('kube-await', "the patch's answer to exit", fromAnswer(ours)),
      row('kubectl wait', "the patch's answer to exit", fromAnswer(kubectl)),
    ],
    figures: [
      { bar: 'event', value: median(fromEvent(ours)) },
      { bar: 'eventKubectl', value: pairedDifference(fromEvent(ours), fromEvent(kubectl)) },
    ],
    remarks: [],
  };
}

/** Milliseconds. The answer to whoever makes the change may come before or after the event. */
interface Late {
  readonly eventMs: number;
  readonly answerMs: number;
}

async function once(world: World, tap: Tap, who: 'ours' | 'kubectl', name: string): Promise<Late> {
  const made = await makeJob(world, name);
  const audit = readAudit(world.cluster.auditLog, name);
  const command: Command =
    who === 'ours'
      ? world.kubeAwait([`job/${name}`], 'kubeconfig', tap)
      : world.kubectl(['wait', '--for=condition=Complete', `job/${name}`, '--timeout=60s'], 'kubeconfig', tap);
  const { end } = start(command);
  while (!audit.next(/^(kube-await|kubectl)\//).some(({ verb }) => verb === 'watch')) await pause(20);
  await pause(REST_MS);
  audit.close();
  const before = performance.now();
  await completeJob(world, made);
  const answered = performance.now();
  const { code, at } = await end;
  const event = tap.firstAnswerAfter(before);
  if (code !== 0 || event === undefined) throw new Error(`${command.program} ended with ${code}`);
  return { eventMs: at - event, answerMs: at - answered };
}
