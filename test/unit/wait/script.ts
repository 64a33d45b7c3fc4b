import type { Emission } from '../../../src/kube/collection.ts';
import type { KubeObject } from '../../../src/kube/object.ts';
import type { Problem } from '../../../src/kube/problem.ts';
import type { Plan, Target } from '../../../src/wait/plan.ts';
import type { State, Want } from '../../../src/wait/state.ts';
import { begin, step } from '../../../src/wait/step.ts';

export const SECOND = 1000;

/** A run on a clock that is moved by hand. Seconds on the outside. */
export class Script {
  readonly plan: Plan;
  state: State;
  wants: readonly Want[] = [];
  wakeAt: number | undefined;
  now = 0;

  constructor(targets: readonly Target[], more: Partial<Plan> = {}) {
    this.plan = {
      targets,
      timeoutMs: 600 * SECOND,
      onRefused: 'fail',
      heartbeatMs: 0,
      requestTimeoutMs: 30_000,
      self: undefined,
      explains: 'failures',
      jsonPaths: new Map(),
      ...more,
    };
    this.state = begin(this.plan, 0);
    this.#take({ what: 'start' });
  }

  #take(input: Parameters<typeof step>[2]): this {
    const next = step(this.plan, this.state, input, this.now);
    this.state = next.state;
    this.wants = next.wants;
    this.wakeAt = next.wakeAt;
    return this;
  }

  /** The key of the collection of that resource, of that name where one is given. */
  #key(resource: string, name?: string): string {
    const want = [...this.state.collections.values()].find(
      (one) => one.want.spec.resource.name === resource && (name === undefined || one.want.spec.name === name),
    );
    if (want === undefined) throw new Error(`${resource} ${name ?? ''} is not wanted`);
    return want.want.key;
  }

  emit(resource: string, emission: Emission, name?: string): this {
    return this.#take({ what: 'emission', key: this.#key(resource, name), emission });
  }

  sees(resource: string, objects: readonly KubeObject[], departed: readonly KubeObject[] = [], name?: string): this {
    const byUid = new Map(objects.map((one) => [one.metadata.uid, one]));
    return this.emit(resource, { what: 'snapshot', objects: byUid, departed }, name);
  }

  emitTo(key: string, emission: Emission): this {
    return this.#take({ what: 'emission', key, emission });
  }

  fails(resource: string, problem: Problem): this {
    return this.emit(resource, { what: 'problem', verb: 'list', problem });
  }

  at(seconds: number): this {
    this.now = seconds * SECOND;
    return this.#take({ what: 'tick' });
  }

  get ending(): string | undefined {
    return this.state.ending?.kind;
  }

  get statuses(): readonly string[] {
    return this.state.targets.map(({ status }) => status.state);
  }

  wanted(resource: string): Want | undefined {
    return this.wants.find((want) => want.spec.resource.name === resource);
  }
}

/** How the first target stands. */
export const standing = (run: Script) => run.state.targets[0]?.status;

/** Why a selector's target stands so: what it counts, nothing where nothing is said. */
export const counted = (more: object) => ({
  code: 'members',
  reached: 0,
  total: 0,
  expect: undefined,
  atLeast: undefined,
  replaced: 0,
  first: undefined,
  ...more,
});

export const status = (code: number, reason: string): Problem => ({
  kind: 'status',
  status: code,
  reason,
  message: reason,
});
export const FORBIDDEN = status(403, 'Forbidden');
export const DOWN: Problem = { kind: 'unreachable', message: 'connect ECONNREFUSED', code: 'ECONNREFUSED' };
