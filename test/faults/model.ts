import type { Standing, Written } from './life.ts';

/** What really happened, in the order of etcd, and what the process asked. */
export interface History {
  /** Of each object. */
  readonly written: readonly (readonly Written[])[];
  /** Of the process; milliseconds of performance.now(). */
  readonly startedMs: number;
  readonly endedMs: number;
  /** The resourceVersion of each LIST that it asked for; undefined where it was not answered whole. */
  readonly lists: readonly (number | undefined)[];
  /** Whether all have to be reached at the same moment; else each end is kept. */
  readonly atOnce: boolean;
  readonly onMissing: 'wait' | 'fail';
  readonly graceMs: number;
  /** A watch event that never arrived, and perhaps a LIST of the last second that was not answered whole either. */
  readonly lost: 'nothing' | 'an event' | 'an event and a last LIST';
}

interface Segment {
  readonly standing: Standing;
  readonly fromMs: number;
  /** By then everybody is told that it is over. */
  readonly untilMs: number;
}

/**
 * What is wrong with this exit code, given what really happened; empty where nothing is. It knows nothing of how the
 * program works: only which states were there to be seen while it ran, and in which order.
 */
export function judge(code: number | null, history: History): readonly string[] {
  const { written, startedMs, endedMs, onMissing } = history;
  const seen = written.map((states) => visible(segmentsOf(states), startedMs, endedMs));
  const wrongs: string[] = [];
  switch (code) {
    case 0:
      for (const [index, standings] of seen.entries()) {
        if (!standings.has('reached')) wrongs.push(`reached, but object ${index} never was while it ran`);
      }
      // Without the event that takes it back, an object seems to be ready still.
      if (history.atOnce && history.lost === 'nothing' && !everAllReached(history))
        wrongs.push('reached, but never all at once');
      break;
    case 1: {
      const failed = seen.some((standings) => standings.has('failed'));
      const missing = onMissing === 'fail' && seen.some((standings) => standings.has('absent'));
      if (!failed && !missing) wrongs.push('failed, but nothing had while it ran');
      break;
    }
    case 124: {
      if (history.lost === 'an event and a last LIST') break;
      const last = written.map((states) => states.at(-1)?.standing ?? 'absent');
      if (last.every((standing) => standing === 'reached')) wrongs.push('timed out, but all is reached');
      if (last.includes('failed')) wrongs.push('timed out, but something has failed');
      break;
    }
    default:
      wrongs.push(`ended with ${code}`);
  }
  const due = firstTerminal(history);
  if (due !== undefined && code !== due && wrongs.length === 0) {
    wrongs.push(`ended with ${code}, but what it saw first, without a gap, comes to ${due}`);
  }
  return wrongs;
}

function segmentsOf(states: readonly Written[]): readonly Segment[] {
  const absent: Segment = { standing: 'absent', fromMs: Number.NEGATIVE_INFINITY, untilMs: Number.POSITIVE_INFINITY };
  return [absent, ...states].map(({ standing, fromMs }, index) => ({
    standing,
    fromMs,
    untilMs: states[index]?.toldMs ?? Number.POSITIVE_INFINITY,
  }));
}

function visible(segments: readonly Segment[], fromMs: number, untilMs: number): ReadonlySet<Standing> {
  const overlapping = segments.filter((segment) => segment.fromMs <= untilMs && segment.untilMs >= fromMs);
  return new Set(overlapping.map(({ standing }) => standing));
}

function everAllReached({ written, startedMs, endedMs }: History): boolean {
  const reached = written.map((states) => segmentsOf(states).filter(({ standing }) => standing === 'reached'));
  const [first = [], ...others] = reached;
  return (
    others.reduce<readonly Span[]>(
      (spans, segments) => spans.flatMap((span) => common(span, segments)),
      [...first.flatMap((segment) => common({ fromMs: startedMs, untilMs: endedMs }, [segment]))],
    ).length > 0
  );
}

type Span = Pick<Segment, 'fromMs' | 'untilMs'>;

function common(span: Span, others: readonly Span[]): readonly Span[] {
  return others
    .map(({ fromMs, untilMs }) => ({
      fromMs: Math.max(span.fromMs, fromMs),
      untilMs: Math.min(span.untilMs, untilMs),
    }))
    .filter(({ fromMs, untilMs }) => fromMs <= untilMs);
}

/**
 * Where one object was awaited, and one LIST was enough: everything since then came in the order of etcd, so its first
 * end decides. Undefined where there is no such thing to say.
 */
function firstTerminal({ written, lists, onMissing, lost }: History): number | undefined {
  const [states, ...others] = written;
  const [listed, ...again] = lists;
  if (states === undefined || listed === undefined || others.length > 0 || again.length > 0) return undefined;
  // What a deletion and the LIST did to each other is not known, nor how long the absence seemed to last.
  if (onMissing === 'fail' || lost !== 'nothing') return undefined;
  const after = states.filter(({ resourceVersion }) => resourceVersion > listed);
  const at = states[states.length - after.length - 1];
  if (states.slice(0, states.length - after.length).some(({ standing }) => standing === 'absent')) return undefined;
  const first = [...(at === undefined ? [] : [at]), ...after].find(
    ({ standing }) => standing === 'reached' || standing === 'failed',
  );
  return first === undefined ? undefined : first.standing === 'reached' ? 0 : 1;
}
