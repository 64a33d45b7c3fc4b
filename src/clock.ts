/** Time, handed in wherever it is needed, so that tests can move it. */
export interface Clock {
  /** Milliseconds, monotonic, from any origin. */
  now(): number;
  /** The wall clock's time, for what people and machines read. */
  date(): Date;
  /** Resolves after so many milliseconds, or at once when the signal aborts. Never rejects. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** Calls `onDue` once, so many milliseconds after it was set. */
  alarm(ms: number, onDue: () => void): Alarm;
}

export interface Alarm {
  cancel(): void;
}

/** setTimeout fires at once for anything longer. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The machine's own clock. Not performance.now(): a tenth of the modules that a wait loads would be for it alone. */
export const systemClock: Clock = {
  now: () => {
    const [seconds, nanoseconds] = process.hrtime();
    return seconds * 1e3 + nanoseconds / 1e6;
  },
  date: () => new Date(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, Math.min(ms, LONGEST_TIMER_MS));
      signal.addEventListener('abort', done);
    }),
  alarm: (ms, onDue) => {
    const timer = setTimeout(onDue, Math.min(ms, LONGEST_TIMER_MS));
    return { cancel: () => clearTimeout(timer) };
  },
};
