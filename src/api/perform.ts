import { assertNever } from '../assert-never.ts';
import { UsageError } from '../cli/usage-error.ts';
import { systemClock } from '../clock.ts';
import { type Conclusion, conclude } from '../engine.ts';
import { EXIT } from '../exit.ts';
import {
  type Outcome,
  type RefusedEvent,
  type Target,
  type WaitEvent,
  WaitFailedError,
  type WaitOptions,
  WaitRefusedError,
  WaitTimeoutError,
  WaitUsageError,
} from '../index.ts';
import { jsonReporter } from '../report/json.ts';
import type { Reporter } from '../report/reporter.ts';
import { describeUnusable } from '../report/words.ts';
import { openLine, planOver } from '../session.ts';
import type { Ending } from '../wait/state.ts';
import { toTargetRun } from './request.ts';

/** Waits for targets, as `waitFor` says. */
export async function perform(targets: readonly Target[], options: WaitOptions): Promise<Outcome> {
  const results = new Results();
  const listener = new AbortController();
  const signal = AbortSignal.any([listener.signal, ...(options.signal === undefined ? [] : [options.signal])]);
  const hear = (event: WaitEvent): void => {
    results.add(event);
    try {
      options.onEvent?.(event);
    } catch (error) {
      // In the middle of a run nobody could catch it.
      listener.abort(error);
    }
  };
  signal.throwIfAborted();
  const verbosity = options.onEvent === undefined ? 'results' : 'progress';
  const ended = await run(targets, options, { hear, verbosity, signal }).catch((error: unknown) => {
    signal.throwIfAborted();
    throw error instanceof UsageError ? new WaitUsageError(error.message) : error;
  });
  listener.signal.throwIfAborted();
  return results.outcome(ended);
}

/** How a run has ended, and its targets as events call them. */
interface Ended {
  readonly kind: Exclude<Ending['kind'], 'usage'>;
  readonly labels: readonly string[];
}

interface Hearing {
  readonly hear: (event: WaitEvent) => void;
  readonly verbosity: 'progress' | 'results';
  readonly signal: AbortSignal;
}

async function run(
  targets: readonly Target[],
  options: WaitOptions,
  { hear, verbosity, signal }: Hearing,
): Promise<Ended> {
  const wanted = toTargetRun(targets, options);
  const line = await openLine(wanted, process.env);
  try {
    const session = { ...line, ...(await planOver(line, wanted, process.env, { unanswered: 'wait', signal })) };
    const reporter = reporterTo(hear, verbosity);
    const conclusion = await conclude(session, {
      tell: reporter.tell,
      decided: () => {},
      signal,
      logs: wanted.output.logs,
      explain: 'spread',
    });
    end(reporter, conclusion);
    const { ending } = conclusion;
    if (ending.kind === 'usage') throw new UsageError(describeUnusable(ending));
    return { kind: ending.kind, labels: session.plan.targets.map(({ label }) => label) };
  } finally {
    line.transport.close();
  }
}

/** The lines of `-o json`, read again: so they are the same, and docs/events.schema.json holds for both. */
function reporterTo(hear: (event: WaitEvent) => void, verbosity: 'progress' | 'results'): Reporter {
  const writer = { out: (line: string) => hear(JSON.parse(line)), err: () => {} };
  return jsonReporter(writer, { clock: systemClock, verbosity });
}

function end(reporter: Reporter, conclusion: Conclusion): void {
  if ('refusal' in conclusion) reporter.refused(conclusion.refusal);
  reporter.end({ exitCode: EXIT[conclusion.ending.kind] });
}

type Result = Extract<WaitEvent, { event: 'reached' | 'failed' | 'timeout' }>;

/** What each target has come to. */
class Results {
  #byTarget = new Map<string, Result>();
  #refusal: RefusedEvent | undefined;
  #elapsedSeconds = 0;

  add(event: WaitEvent): void {
    this.#elapsedSeconds = event.elapsedSeconds;
    if (event.event === 'refused') this.#refusal = event;
    if (event.event === 'reached' || event.event === 'failed' || event.event === 'timeout') {
      this.#byTarget.set(event.target, event);
    }
  }

  /**
   * The run's ending decides, and nothing that was told.
   * @throws WaitError
   */
  outcome({ kind, labels }: Ended): Outcome {
    const all = [...new Set(labels)].flatMap((label) => this.#byTarget.get(label) ?? []);
    const reached = all.filter((one) => one.event === 'reached');
    switch (kind) {
      case 'reached':
        return { results: reached, elapsedSeconds: this.#elapsedSeconds };
      case 'failed': {
        const failed = all.filter((one) => one.event === 'failed');
        throw new WaitFailedError(sentence(failed, 'failed'), [...failed, ...reached]);
      }
      case 'timeout': {
        const missed = all.filter((one) => one.event === 'timeout');
        throw new WaitTimeoutError(sentence(missed, 'not reached'), [...missed, ...reached]);
      }
      case 'refused':
        if (this.#refusal === undefined) throw new Error('a refusal was not told');
        throw new WaitRefusedError(this.#refusal.message, this.#refusal);
      default:
        return assertNever(kind);
    }
  }
}

/** `job/migrate failed: BackoffLimitExceeded: ...` */
function sentence(results: readonly Result[], what: string): string {
  return results.map(({ target, message }) => `${target} ${what}: ${message}`).join('; ');
}
