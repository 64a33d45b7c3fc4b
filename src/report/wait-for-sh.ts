import { assertNever } from '../assert-never.ts';
import type { RunEvent } from '../wait/events.ts';
import { clean } from './clean.ts';
import { type Reporter, signalLine, type Writer } from './reporter.ts';
import { textReporter } from './text.ts';

/** What a run as wait_for.sh shows. */
export interface WaitForShOptions {
  /** The target, as its lines show it. */
  readonly shown: string;
  /** 0: only what goes wrong; 1: every change as well; 2: what is still awaited with every Waiting line. */
  readonly debug: 0 | 1 | 2;
  /** How often standard error says what is still awaited, in milliseconds; 0: never. */
  readonly heartbeatMs: number;
  /** The time of day. */
  readonly date: () => Date;
}

/**
 * k8s-wait-for's two lines, and nothing else, on standard output: one while something is not ready, at once and then
 * with every heartbeat, and one when all is. What goes wrong, and why, is told on standard error.
 */
export function waitForShReporter(writer: Writer, options: WaitForShOptions): Reporter {
  const { shown, debug, heartbeatMs, date } = options;
  const details = textReporter({ out: writer.err, err: writer.err }, { verbosity: 'progress' });
  let hasWaited = false;
  let detailsAt = heartbeatMs;

  const waiting = (): void => {
    hasWaited = true;
    writer.out(clean(`[${timestamp(date())}] Waiting for ${shown}...`));
  };

  return {
    tell: (event) => {
      switch (event.event) {
        case 'changed':
          if (!hasWaited && isNotReady(event)) waiting();
          if (debug > 0) details.tell(event);
          return;
        case 'heartbeat':
          waiting();
          if (isDue(event)) details.tell(event);
          return;
        case 'trouble':
        case 'recovered':
        case 'fallback':
        case 'pod':
        case 'log':
        case 'unexplained':
          return details.tell(event);
        case 'done':
          if (event.ending.kind === 'reached') writer.out(clean(`[${timestamp(date())}] ${shown} is ready.`));
          if (event.ending.kind !== 'reached' || debug > 0) details.tell(event);
          return;
        default:
          return assertNever(event);
      }
    },
    refused: details.refused,
    end: ({ signal }) => {
      if (signal !== undefined) writer.err(signalLine(signal, 'wait_for.sh'));
    },
  };

  function isDue({ elapsedMs }: Extract<RunEvent, { event: 'heartbeat' }>): boolean {
    if (debug === 2) return true;
    if (heartbeatMs === 0 || elapsedMs < detailsAt) return false;
    detailsAt = elapsedMs + heartbeatMs;
    return true;
  }
}

/** Whether it is known that something is not ready yet; while other objects are being read it is not. */
function isNotReady({ target: { status } }: Extract<RunEvent, { event: 'changed' }>): boolean {
  return status.state === 'pending' && status.why.code !== 'reading';
}

/** As `date +'%Y-%m-%d %H:%M:%S'`: the local time. */
function timestamp(date: Date): string {
  const two = (part: number): string => String(part).padStart(2, '0');
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join('-');
  return `${day} ${[date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':')}`;
}
