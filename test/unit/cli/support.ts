import { UsageError } from '../../../src/cli/usage-error.ts';

/** What `read` gives, or the message of the UsageError that it throws; any other error fails the test. */
export function outcome<T>(read: () => T): T | { readonly refused: string } {
  try {
    return read();
  } catch (error) {
    if (error instanceof UsageError) return { refused: error.message };
    throw error;
  }
}

/** A command line as it is typed in tests: split at white space, but for what stands in double quotes. */
export function words(line: string): string[] {
  return [...line.matchAll(/(?:[^\s"]|"[^"]*")+/g)].map(([word]) => word.replaceAll('"', ''));
}

/** One that a log line, a terminal and a termination message can hold. */
export const ONE_LINE = /^[^\p{Cc}\u2028\u2029]+$/u;
