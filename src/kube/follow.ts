import { assertNever } from '../assert-never.ts';
import type { CollectionSpec, Emission } from './collection.ts';
import { type Happening, type Phase, startOf, TIMING, transition } from './list-watch.ts';
import { TransportError } from './problem.ts';
import { getObject, listOne, listPage, type ReadingDeps, watch } from './reading.ts';
import type { ApiResource } from './resource.ts';
import type { Backoff } from './retry.ts';

/** What a collection needs from outside. */
export interface FollowDeps extends ReadingDeps {
  readonly backoff: Backoff;
  /** Asks discovery for a kind that is not served as it was asked for. Throws TransportError. */
  readonly resolve: (resource: ApiResource, signal: AbortSignal) => Promise<ApiResource | undefined>;
}

/**
 * Lists, then watches, for ever: each change of the collection comes out as one whole snapshot. Survives whatever the
 * network and the server do; says so in `problem` emissions. Ends when the signal aborts, or after one complete list
 * where the mode is `once`. Never throws but for a bug.
 */
export async function* follow(spec: CollectionSpec, deps: FollowDeps): AsyncGenerator<Emission, void> {
  let machine = startOf(spec);
  while (machine.phase.at !== 'done' && !deps.signal.aborted) {
    const resource = machine.resource ?? spec.resource;
    for await (const happening of perform(machine.phase, { ...spec, resource }, deps)) {
      if (deps.signal.aborted) return;
      const before = machine.phase;
      const next = transition(machine, happening, spec, deps.clock.now());
      machine = next.machine;
      yield* next.emit;
      // A watch goes on while only its resourceVersion moves; anything else ends what is being performed.
      if (!(before.at === 'watch' && machine.phase.at === 'watch')) break;
    }
  }
}

/** Does what a phase says, and tells what came of it. */
async function* perform(phase: Phase, spec: CollectionSpec, deps: FollowDeps): AsyncGenerator<Happening, void> {
  try {
    switch (phase.at) {
      case 'list':
        yield await listPage(phase.continueToken, spec, deps);
        return;
      case 'check':
        yield await listOne(spec, deps);
        return;
      case 'get':
        yield await getObject(spec, deps);
        return;
      case 'watch':
        yield* watch(phase.resourceVersion, spec, deps);
        return;
      case 'pause': {
        const { cause } = phase;
        const { jitter } = TIMING.poll;
        const ms =
          cause.why === 'problem'
            ? deps.backoff.next(cause.problem)
            : cause.ms * (1 - jitter + 2 * jitter * deps.random());
        await deps.clock.sleep(ms, deps.signal);
        yield { what: 'elapsed' };
        return;
      }
      case 'lookup':
        yield { what: 'looked up', resource: await deps.resolve(spec.resource, deps.signal) };
        return;
      case 'done':
        return;
      default:
        assertNever(phase);
    }
  } catch (error) {
    if (!(error instanceof TransportError)) throw error;
    yield { what: 'problem', problem: error.problem };
  }
}
