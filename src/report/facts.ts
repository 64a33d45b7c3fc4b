import { assertNever } from '../assert-never.ts';
import type { Status, StatusWhy } from '../wait/state.ts';

/** Numbers behind a status, each under a name of its own. */
export interface Counts {
  // A Job.
  readonly succeeded?: number;
  readonly active?: number;
  readonly failed?: number;
  readonly completions?: number;
  // A selector: how many of its objects are reached, how many count, and what the user asked for.
  readonly reached?: number;
  readonly total?: number;
  readonly expect?: number;
  readonly atLeast?: number;
  /** Pods that do not count because their controller replaces them. */
  readonly replaced?: number;
  // A Service: its pods and those of them that are ready, and its ready endpoints.
  readonly ready?: number;
  readonly endpoints?: number;
  // A roll-out.
  readonly wanted?: number;
  readonly updated?: number;
  readonly available?: number;
  // --for=delete: what is left of `total`.
  readonly left?: number;
}

/** What a status counts; undefined where there is nothing to count. */
export function countsOf(status: Status): Counts | undefined {
  return status.state === 'unknown' ? undefined : counts(status.why);
}

function counts(why: StatusWhy): Counts | undefined {
  switch (why.code) {
    case 'job': {
      const { succeeded, active, failed, completions } = why.counts;
      return { succeeded, active, failed, ...(completions === undefined ? {} : { completions }) };
    }
    case 'members': {
      const { reached, total, expect, atLeast, replaced } = why;
      return {
        reached,
        total,
        ...(expect === undefined ? {} : { expect }),
        ...(atLeast === undefined ? {} : { atLeast }),
        replaced,
      };
    }
    case 'service':
      return { ...why.pods, ...(why.endpoints === undefined ? {} : { endpoints: why.endpoints }) };
    case 'rollout': {
      const { wanted, updated, available } = why;
      return { wanted, updated, available };
    }
    case 'deletion':
      return { left: why.left, total: why.total };
    case 'cronjob':
      return why.run === undefined ? undefined : counts(why.run.why);
    case 'pod':
    case 'container':
    case 'phase':
    case 'condition':
    case 'jsonpath':
    case 'exists':
    case 'reading':
    case 'no-container':
    case 'missing':
    case 'stuck':
      return undefined;
    default:
      return assertNever(why);
  }
}

/** The reason that the API itself gives for a status, in its own word; undefined where it gives none. */
export function reasonOf(status: Status): string | undefined {
  return status.state === 'unknown' ? undefined : reason(status.why) || undefined;
}

function reason(why: StatusWhy): string | undefined {
  switch (why.code) {
    case 'job':
    case 'condition':
      return why.condition?.reason;
    case 'pod':
      return why.reason ?? why.containers.find((container) => container.reason !== undefined)?.reason;
    case 'container':
      return why.container.reason;
    case 'rollout':
    case 'phase':
    case 'stuck':
      return why.reason;
    case 'cronjob':
      return why.run === undefined ? undefined : reason(why.run.why);
    case 'members':
      return why.first === undefined ? undefined : reason(why.first.why);
    case 'service':
    case 'jsonpath':
    case 'exists':
    case 'reading':
    case 'no-container':
    case 'missing':
    case 'deletion':
      return undefined;
    default:
      return assertNever(why);
  }
}
