import { SetupError } from '../cluster/binaries.ts';

/**
 * Runs the whole of a program and sets the exit code that it returns. A usage error or a SetupError prints its message
 * and exits with 2; any other error is a bug.
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
