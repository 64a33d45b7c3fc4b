import { cursorUp, eraseDown } from 'ansi-escapes';
import { assertNever } from '../assert-never.ts';
import type { Alarm, Clock } from '../clock.ts';
import { awaited } from '../wait/alternatives.ts';
import type { RunEvent } from '../wait/events.ts';
import type { Target } from '../wait/plan.ts';
import type { TargetState } from '../wait/state.ts';
import { clean } from './clean.ts';
import { elapsed } from './elapsed.ts';
import { drawResults, drawView, heightOf, type Look, type Space, type Standing } from './frame.ts';
import { eachHintOnce, hintLine } from './hints.ts';
import type { Reporter, Writer } from './reporter.ts';
import { isBeingRead, isReachedForGood, notReached, type Result, resultsOf, verdictOf } from './results.ts';
import { textReporter } from './text.ts';
import { describe, describeRequest } from './words.ts';

/** Redrawing more often than that shows nothing more, and costs a slow line. */
const BETWEEN_FRAMES_MS = 100;
const SECOND_MS = 1000;

/** The terminal on standard error. */
export interface Terminal {
  /** Its size at this moment. */
  readonly size: () => Space;
  readonly write: (text: string) => void;
}

export interface LiveDeps {
  readonly terminal: Terminal;
  readonly clock: Clock;
  readonly look: Look;
  readonly targets: readonly Target[];
  readonly timeoutMs: number;
  /** `drawn`: standard output is a terminal too, and what is drawn is the result. */
  readonly results: 'drawn' | 'written';
}

const ENDED = {
  reached: 'reached',
  failed: 'failed',
  usage: 'usage error',
  refused: 'refused',
  timeout: 'timed out',
} as const;

export interface LiveReporter extends Reporter {
  /** The terminal has another size now. */
  readonly resized: () => void;
  /** The program was stopped and goes on: others have written to the terminal meanwhile. */
  readonly resumed: () => void;
}

/**
 * A view on a terminal that is drawn anew when something changes, and once a second for the clock. It is drawn from the
 * first event on: until then a credential plugin may ask for a password. What is more than a state (a server that does
 * not answer, a hint) goes above it as a line. The cursor is never hidden, so nothing has to bring it back.
 */
export function liveReporter(writer: Writer, deps: LiveDeps): LiveReporter {
  const { terminal, clock, look, timeoutMs } = deps;
  const startedAt = clock.now();
  const text = textReporter(writer, { verbosity: 'progress' });
  const newHints = eachHintOnce();
  /** What may be told on standard output however the run ends. */
  const reached = new Map<string, TargetState>();
  const explanation: RunEvent[] = [];
  let targets = deps.targets.map((target): Standing => ({ target, status: { state: 'unknown' } }));
  /** The lines to draw over. */
  let onScreen: readonly string[] = [];
  /** Whether the terminal shows these lines as they were written. One that does not wrap them cuts them. */
  let isIntact = false;
  let drawnAt = Number.NEGATIVE_INFINITY;
  let alarm: Alarm | undefined;
  let state: 'waiting' | 'drawing' | 'over' = 'waiting';

  return {
    tell: (event) => {
      switch (event.event) {
        case 'changed':
          return changed(event.target);
        case 'heartbeat':
          return draw(hints(awaited(event.state.targets)));
        case 'trouble':
        case 'recovered':
        case 'fallback':
          return draw([clean(describeRequest(event))]);
        case 'pod':
        case 'log':
        case 'unexplained':
          explanation.push(event);
          return;
        case 'done':
          return done(event);
        default:
          return assertNever(event);
      }
    },
    refused: text.refused,
    end: (end) => {
      if (state !== 'over') {
        leave(frame(clock.now()));
        write([...reached.values()].map((target) => verdictOf(target, 'reached')));
      }
      text.end(end);
    },
    resized: () => {
      isIntact = false;
      // While a window is dragged, the next resize may overtake a frame: draw once the size has settled.
      drawnAt = clock.now();
      if (state === 'drawing') soon();
    },
    resumed: () => {
      onScreen = [];
      if (state === 'drawing') draw();
    },
  };

  function changed(target: TargetState): void {
    const { label } = target.target;
    if (target.status.state === 'failed' || isBeingRead(target)) return;
    targets = targets.map((before) => (before.target.label === label ? target : before));
    if (isReachedForGood(target)) reached.set(label, target);
    else reached.delete(label);
    soon();
  }

  function hints(of: readonly TargetState[]): readonly string[] {
    return of.flatMap((target) => newHints(target).map((hint) => clean(hintLine(target, hint))));
  }

  function done(event: Extract<RunEvent, { event: 'done' }>): void {
    const results = resultsOf(event);
    const after = event.elapsedMs < SECOND_MS ? '' : ` after ${elapsed(event.elapsedMs)}`;
    const rows = event.state.targets.map(({ target, status }) => {
      const result = results.find((one) => one.target.target === target);
      return { target, status, words: result?.message ?? describe(status) };
    });
    leave(drawResults(rows, `${ENDED[event.ending.kind]}${after}`, look));
    for (const each of explanation) text.tell(each);
    for (const line of hints(notReached(results))) writer.err(line);
    write(results);
  }

  /**
   * Only when the view has come to rest: what reads our standard output may write it to this same terminal, and would
   * shift what is to be drawn over.
   */
  function write(results: readonly Result[]): void {
    if (deps.results === 'written') for (const { line } of results) writer.out(clean(line));
  }

  function soon(): void {
    const wait = drawnAt + BETWEEN_FRAMES_MS - clock.now();
    if (wait <= 0) draw();
    else wakeIn(wait);
  }

  function frame(now: number): readonly string[] {
    const elapsedMs = now - startedAt;
    return drawView({ targets, elapsedMs, leftMs: timeoutMs - elapsedMs }, terminal.size(), look);
  }

  /** Draws the view, below lines that stay. The terminal may wrap those: nothing is drawn over them. */
  function draw(lasting: readonly string[] = []): void {
    if (state === 'over') return;
    state = 'drawing';
    drawnAt = clock.now();
    put(frame(drawnAt), lasting);
    wakeIn(SECOND_MS - ((drawnAt - startedAt) % SECOND_MS));
  }

  /** The last frame stays. */
  function leave(last: readonly string[]): void {
    alarm?.cancel();
    put(last);
    state = 'over';
  }

  function wakeIn(ms: number): void {
    alarm?.cancel();
    alarm = clock.alarm(ms, () => draw());
  }

  /**
   * Draws over the lines that have changed, in one write. A terminal that is resized wraps its lines again before any
   * signal arrives, so its size at this moment decides how many rows they take. A resize can still overtake the write.
   * A tick only rewrites the last line, which is short enough for that to do no harm.
   */
  function put(view: readonly string[], lasting: readonly string[] = []): void {
    const { columns, rows } = terminal.size();
    const heights = onScreen.map((line) => heightOf(line, columns));
    const rowsFrom = (line: number): number => heights.slice(line).reduce((sum, height) => sum + height, 0);
    // These lines have scrolled off. They come back when the terminal is made taller.
    let above = 0;
    while (lasting.length === 0 && rowsFrom(above + 1) >= rows - 1) above += 1;
    const next = [...lasting, ...onScreen.slice(0, above), ...view];
    let same = above;
    while (isIntact && same < next.length && next[same] === onScreen[same]) same += 1;
    const up = rowsFrom(same);
    const changed = next.slice(same).map((line) => `${line}\n`);
    terminal.write(`\r${up === 0 ? '' : cursorUp(up)}${eraseDown}${changed.join('')}`);
    onScreen = next.slice(lasting.length);
    isIntact = true;
  }
}
