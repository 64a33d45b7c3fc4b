import type { Alarm, Clock } from '../clock.ts';
import { isSame } from '../json.ts';
import type { CollectionSpec, Emission } from '../kube/collection.ts';
import { follow } from '../kube/follow.ts';
import { type Problem, whatToDo } from '../kube/problem.ts';
import type { ApiResource } from '../kube/resource.ts';
import { createBackoff, createPace } from '../kube/retry.ts';
import type { Transport } from '../kube/transport.ts';
import { projectionOf } from '../verdict/index.ts';
import type { RunEvent } from './events.ts';
import type { Plan } from './plan.ts';
import type { Ending, Input, State, TargetState, Want } from './state.ts';
import { begin, type Step, step } from './step.ts';

/** What a run needs from outside. */
export interface RunDeps {
  readonly transport: Transport;
  readonly clock: Clock;
  /** 0 to 1, as Math.random. */
  readonly random: () => number;
  readonly tell: (event: RunEvent) => void;
  /** Aborted before the ending is decided, it ends the run. */
  readonly signal: AbortSignal;
  /** Told that the ending is decided: from here on no signal changes it. */
  readonly decided: () => void;
  /** Tells what explains an ending that is not what was wanted. Never rejects but for a bug. */
  readonly explain: (state: State, ending: 'failed' | 'timeout') => Promise<void>;
  /** Asks discovery for a kind that is not served as it was asked for. Throws TransportError. */
  readonly resolve: (resource: ApiResource, signal: AbortSignal) => Promise<ApiResource | undefined>;
}

/**
 * Waits until every target is reached, or one has failed, or the run ends otherwise. Resolves with the ending, after
 * `done` has been told. Rejects with the signal's reason, otherwise only for a bug.
 */
export function run(plan: Plan, deps: RunDeps): Promise<Ending> {
  const { clock, tell, signal: ended } = deps;
  const { promise, resolve, reject } = Promise.withResolvers<Ending>();
  const followed = new Map<string, AbortController>();
  const troubles = new Map<string, Problem>();
  const fallbacks = new Set<string>();
  let at: Step = { state: begin(plan, clock.now()), wants: [], wakeAt: undefined };
  let wake: Alarm | undefined;
  let heartbeat: Alarm | undefined;

  const silence = (): void => {
    wake?.cancel();
    heartbeat?.cancel();
    ended.removeEventListener('abort', onEnded);
  };
  const leave = (): void => {
    for (const controller of followed.values()) controller.abort();
    followed.clear();
  };
  const stop = (): void => {
    silence();
    leave();
  };
  const fail = (error: unknown): void => {
    stop();
    reject(error);
  };
  const onEnded = (): void => fail(ended.reason);

  const take = (input: Input): void => {
    if (at.state.ending !== undefined || ended.aborted) return;
    const before = at.state;
    const now = clock.now();
    at = step(plan, before, input, now);
    const { ending } = at.state;
    // What ends the run is told with the ending, once, and so are the last changes.
    if (input.what === 'emission' && ending === undefined) tellOfEmission(input.key, input.emission);
    if (ending !== undefined) {
      silence();
      // To close connections takes as long as all else from the event to here. A process mostly ends before this is due.
      if (ending.kind === 'reached') clock.alarm(0, leave);
      else leave();
      deps.decided();
      finish(ending).then(resolve, reject);
      return;
    }
    at.state.targets.forEach((target, index) => {
      const last = before.targets[index];
      const replaced = newlyReplaced(target, last);
      if (replaced.length > 0 || !isSame(target.status, last?.status)) tell({ event: 'changed', target, replaced });
    });
    // Whoever is told may end the run.
    if (ended.aborted) return;
    followWanted();
    wake?.cancel();
    const { wakeAt } = at;
    wake = wakeAt === undefined ? undefined : clock.alarm(Math.max(0, wakeAt - now), () => guarded({ what: 'tick' }));
  };
  /** The verdict stands; what explains it may take a moment. */
  const finish = async (ending: Ending): Promise<Ending> => {
    const { state } = at;
    const passedMs = clock.now() - state.startedAt;
    // The timer may be late on a busy machine; what has passed is the timeout.
    const elapsedMs = ending.kind === 'timeout' ? Math.min(passedMs, plan.timeoutMs) : passedMs;
    const oneLook = ending.kind === 'timeout' && plan.timeoutMs === 0;
    if (!oneLook && (ending.kind === 'failed' || ending.kind === 'timeout')) await deps.explain(state, ending.kind);
    tell({ event: 'done', state, ending, elapsedMs });
    return ending;
  };
  const guarded = (input: Input): void => {
    try {
      take(input);
    } catch (error) {
      fail(error);
    }
  };

  const followWanted = (): void => {
    const wanted = new Map(at.wants.map((want) => [want.key, want]));
    for (const [key, controller] of followed) {
      if (wanted.has(key)) continue;
      controller.abort();
      followed.delete(key);
    }
    for (const [key, want] of wanted) {
      if (followed.has(key)) continue;
      const controller = new AbortController();
      followed.set(key, controller);
      listen(key, want.spec, controller.signal).catch(fail);
    }
  };

  const pace = createPace(clock);
  const listen = async (key: string, spec: CollectionSpec, signal: AbortSignal): Promise<void> => {
    const project = projectionOf(spec.resource, spec.keep);
    const backoff = createBackoff({ random: deps.random, now: () => clock.now(), pace });
    const { transport, random, resolve: lookUp } = deps;
    const { requestTimeoutMs } = plan;
    const reading = { transport, project, signal, clock, random, requestTimeoutMs };
    const collectionDeps = { ...reading, backoff, resolve: lookUp };
    for await (const emission of follow(spec, collectionDeps)) {
      if (signal.aborted) return;
      if (at.state.ending === undefined) {
        take({ what: 'emission', key, emission });
      }
      // Once the ending is there nothing more is asked.
      if (at.state.ending !== undefined) await aborted(signal);
    }
  };

  const hasAnswered = (): boolean => [...at.state.collections.values()].some(({ objects }) => objects !== undefined);

  const tellOfEmission = (key: string, emission: Emission): void => {
    const { want, look } = at.state.collections.get(key) ?? {};
    if (want === undefined || look !== undefined) return;
    if (emission.what === 'fallback') tellOfFallback(want, emission);
    if (emission.what === 'answered' && troubles.delete(key)) tell({ event: 'recovered', want });
    if (emission.what !== 'problem') return;
    const { verb, problem } = emission;
    // What only explains is not worth a line: the permission that would show more is named with the failure.
    if (want.need === 'optional' && whatToDo(problem) === 'refused') return;
    // What ends the run in a few seconds is reported with the ending.
    if (problem.kind === 'credentials' && plan.onRefused === 'fail' && !hasAnswered()) return;
    // A watch that is cut is opened again: that is its ordinary life behind proxies.
    if (verb === 'watch' && problem.kind === 'interrupted') return;
    const told = troubles.get(key);
    troubles.set(key, problem);
    if (told === undefined || !isSameProblem(told, problem)) tell({ event: 'trouble', want, verb, problem });
  };

  /** Once for each permission, however many selectors need it. */
  const tellOfFallback = (want: Want, { to, problem }: Extract<Emission, { what: 'fallback' }>): void => {
    const { resource, namespace, name } = want.spec;
    const permission = JSON.stringify([to, resource.group, resource.name, namespace ?? null, name ?? null]);
    if (fallbacks.has(permission)) return;
    fallbacks.add(permission);
    tell({ event: 'fallback', want, to, problem });
  };

  const beat = (): void => {
    const elapsedMs = clock.now() - at.state.startedAt;
    tell({ event: 'heartbeat', state: at.state, elapsedMs, leftMs: plan.timeoutMs - elapsedMs });
    if (ended.aborted) return;
    heartbeat = clock.alarm(plan.heartbeatMs, beat);
  };
  if (ended.aborted) {
    onEnded();
    return promise;
  }
  ended.addEventListener('abort', onEnded);
  if (plan.heartbeatMs > 0) heartbeat = clock.alarm(plan.heartbeatMs, beat);
  guarded({ what: 'start' });
  return promise;
}

function newlyReplaced({ memory }: TargetState, last: TargetState | undefined): readonly string[] {
  return [...memory.replaced].flatMap(([uid, label]) => (last?.memory.replaced.has(uid) ? [] : [label]));
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** Whether telling of the second after the first would be a repetition. */
function isSameProblem(a: Problem, b: Problem): boolean {
  if (a.kind !== b.kind) return false;
  // The lines of a plugin may differ in their time alone.
  if (a.kind === 'credentials') return true;
  return a.kind === 'status' && b.kind === 'status' ? a.status === b.status : a.message === b.message;
}
