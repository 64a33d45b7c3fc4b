import type { Findings } from '../figures.ts';
import type { World } from '../world.ts';
import { crowd } from './crowd.ts';
import { decidingEvent } from './event.ts';
import { doneJob } from './job.ts';
import { memoryLimit } from './limit.ts';
import { donePods } from './pods.ts';
import { codeSize } from './size.ts';
import { longWait } from './wait.ts';

/** How much of everything. */
export interface Scale {
  /** Runs of each program, one after the other in turn. */
  readonly pairs: number;
  readonly events: number;
  /** How many pods a selector finds, one case each. */
  readonly pods: readonly number[];
  readonly waitMs: number;
  readonly waiters: number;
}

/** In this order: what has few objects in the cluster first. */
export const CASES: Readonly<Record<string, (world: World, scale: Scale) => Promise<Findings>>> = {
  size: codeSize,
  job: doneJob,
  event: decidingEvent,
  crowd,
  limit: memoryLimit,
  wait: longWait,
  pods: donePods,
};
