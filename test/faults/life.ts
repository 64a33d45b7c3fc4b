import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import type { Json, Reference, Rest } from '../cluster/rest.ts';

/** What becomes of an object, and how long it stays so, in milliseconds. */
export interface Step {
  readonly is: Stage;
  readonly forMs: number;
}

/** `absent` and `pending` again and again; from `reached` and `failed` on it can only be deleted. */
export type Stage = 'absent' | 'created' | 'progress' | 'reached' | 'failed';

/** What a stage comes to. */
export type Standing = 'absent' | 'pending' | 'reached' | 'failed';

export function standingOf(stage: Stage): Standing {
  return stage === 'created' || stage === 'progress' ? 'pending' : stage;
}

const NEXT: Readonly<Record<Stage, readonly Stage[]>> = {
  absent: ['created'],
  created: ['progress', 'reached', 'failed', 'absent'],
  progress: ['progress', 'reached', 'failed', 'absent'],
  reached: ['absent'],
  failed: ['absent'],
};

/** What is ready may be so no more, and is no end. */
const NEXT_OF_SERVICE: Readonly<Record<Stage, readonly Stage[]>> = {
  absent: ['created'],
  created: ['reached', 'reached', 'absent'],
  progress: ['reached', 'reached', 'absent'],
  reached: ['progress', 'progress', 'absent'],
  failed: ['absent'],
};

/** A random life that an object may have: each stage follows from the one before. */
const livesBy = (next: typeof NEXT): fc.Arbitrary<readonly Step[]> =>
  fc
    .array(fc.record({ turn: fc.nat(11), forMs: fc.integer({ min: 0, max: 500 }) }), { minLength: 2, maxLength: 8 })
    .map((turns) => {
      let stage: Stage = 'absent';
      return turns.map(({ turn, forMs }, index) => {
        const choices: readonly Stage[] = index === 0 ? ['absent', 'created'] : next[stage];
        stage = choices[turn % choices.length] ?? 'absent';
        return { is: stage, forMs };
      });
    });

/** Of a Job, or of a pod that is a task. */
export const life = livesBy(NEXT);
/** Of a pod that is a service. */
export const lifeOfService = livesBy(NEXT_OF_SERVICE);

/**
 * Of two pods that are services: each is ready when the other is not, again and again, and in the end perhaps both. What
 * is remembered of either for a moment too long is a wrong end.
 */
export const turns: fc.Arbitrary<readonly [readonly Step[], readonly Step[]]> = fc
  .record({
    rounds: fc.integer({ min: 1, max: 3 }),
    readyMs: fc.integer({ min: 50, max: 300 }),
    gapMs: fc.integer({ min: 50, max: 150 }),
    both: fc.boolean(),
  })
  .map(({ rounds, readyMs, gapMs, both }) => {
    const [ready, not] = ['reached', 'progress'] as const;
    const first: Step[] = [{ is: 'created', forMs: 0 }];
    const second: Step[] = [{ is: 'created', forMs: 0 }];
    for (let round = 0; round < rounds; round += 1) {
      first.push({ is: ready, forMs: readyMs }, { is: not, forMs: readyMs + 2 * gapMs });
      second.push({ is: not, forMs: readyMs + gapMs }, { is: ready, forMs: readyMs }, { is: not, forMs: gapMs });
    }
    if (both) for (const steps of [first, second]) steps.push({ is: ready, forMs: 0 });
    return [first, second] as const;
  });

/** What was written, when, and as what the API server knows it. */
export interface Written {
  readonly standing: Standing;
  /** Not seen by anybody before; milliseconds of performance.now(). */
  readonly fromMs: number;
  /** From here on everybody who asks is told. */
  readonly toldMs: number;
  readonly resourceVersion: number;
}

const isTrue = (...types: string[]) =>
  types.map((type) => ({ type, status: 'True', reason: `Because${type}`, message: 'Größe 🚀 überschritten' }));
const times = { startTime: '2026-01-01T00:00:00Z' };

const STATUS = {
  // Nobody else writes the status of these: the Job is managed by nobody, the pod is on no node.
  job: {
    progress: { ...times, active: 1, failed: 1 },
    reached: {
      ...times,
      active: null,
      completionTime: '2026-01-01T00:01:00Z',
      succeeded: 1,
      conditions: isTrue('SuccessCriteriaMet', 'Complete'),
    },
    failed: { ...times, active: null, failed: 2, conditions: isTrue('FailureTarget', 'Failed') },
  },
  pod: {
    progress: { phase: 'Running' },
    reached: { phase: 'Succeeded' },
    failed: { phase: 'Failed', message: 'Größe 🚀 überschritten' },
  },
  service: {
    progress: { phase: 'Running', conditions: [{ type: 'Ready', status: 'False' }] },
    reached: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
    failed: { phase: 'Failed' },
  },
} as const;

function make({ kind, namespace, name, app }: Living): Reference {
  const containers = [{ name: 'main', image: 'pretended' }];
  const metadata = { namespace, name, labels: { app }, annotations: { note: 'é🚀\u2028漢字' } };
  const spec =
    kind === 'job'
      ? { managedBy: 'example.test/nobody', template: { spec: { restartPolicy: 'Never', containers } } }
      : { schedulerName: 'nobody', restartPolicy: kind === 'pod' ? 'Never' : 'Always', containers };
  const apiVersion = kind === 'job' ? 'batch/v1' : 'v1';
  return { apiVersion, kind: kind === 'job' ? 'Job' : 'Pod', metadata, spec } as Reference;
}

export interface Living {
  readonly rest: Rest;
  readonly namespace: string;
  readonly kind: 'job' | 'pod' | 'service';
  readonly name: string;
  /** The value of its label of this name. */
  readonly app: string;
  readonly written: Written[];
}

/** Does one step on the real API server. */
async function write(living: Living, { is }: Step): Promise<void> {
  const { rest, kind, written } = living;
  const object = make(living);
  const fromMs = performance.now();
  const before = written.at(-1)?.standing ?? 'absent';
  let answer: Json;
  if (is === 'created') answer = await rest.create(object);
  else if (is !== 'absent') answer = await rest.patchStatus(object, STATUS[kind][is]);
  else if (before === 'absent') answer = { metadata: { resourceVersion: '0' } };
  else answer = await rest.delete(object, { propagationPolicy: 'Background', gracePeriodSeconds: 0 });
  written.push({
    standing: standingOf(is),
    fromMs,
    toldMs: performance.now(),
    // The answer to a DELETE holds the last state, not what the deletion made of it: one later at least.
    resourceVersion: Number(answer?.metadata?.resourceVersion ?? 0) + (is === 'absent' ? 1 : 0),
  });
}

/** Takes these steps one after the other. */
export async function live(living: Living, steps: readonly Step[]): Promise<void> {
  for (const step of steps) {
    await write(living, step);
    await sleep(step.forMs);
  }
}
