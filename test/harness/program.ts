import { SetupError } from '../cluster/binaries.ts';

/**
 * Runs the whole of a program, and ends with the exit code that it gives. What it cannot begin without is said in a
 * line, and ends it with 2; anything else is a bug.
 */
export async function runProgram(main: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await main();
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    console.error(error.message);
    process.exitCode = 2;
  }
}
