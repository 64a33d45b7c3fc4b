import { SetupError } from '../cluster/binaries.ts';

/**
 * Runs the whole of a program, and ends with the exit code that it gives. A wrong command line, or whatever the program
 * cannot begin without, is said in a line and ends it with 2; anything else is a bug.
 */
export async function runProgram(main: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await main();
  } catch (error) {
    if (!(error instanceof SetupError || isUsageError(error))) throw error;
    console.error(error.message);
    process.exitCode = 2;
  }
}

/** Whether this is an error of `parseArgs`. */
function isUsageError(error: unknown): error is Error {
  return error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
}
