import { writeFileSync } from 'node:fs';
import type { Reporter, SerializedError, TestModule } from 'vitest/node';

/** Prints each test that skipped itself, with its reason. */
function listSkipped(modules: readonly TestModule[]): void {
  for (const test of modules.flatMap((module) => [...module.children.allTests('skipped')])) {
    const result = test.result();
    if (result.state === 'skipped' && result.note) {
      console.log(`skipped: ${test.module.relativeModuleId} > ${test.fullName}: ${result.note}`);
    }
  }
}

/**
 * Prints the tests that passed only on a retry, and writes the result of the run to the file that TALLY_FILE names, for
 * a CI that reads it: `N passed, N failed` (and `, N skipped`, if any were), then one line per flaky test. A file that
 * cannot be loaded and an error outside of any test count as failures: otherwise the file could report success for a
 * run that failed.
 */
export class Tally implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    listSkipped(modules);
    let passed = 0;
    let failed = unhandledErrors.length;
    let skipped = 0;
    const flaky: string[] = [];
    for (const module of modules) {
      failed += module.errors().length;
      for (const suite of module.children.allSuites()) {
        failed += suite.errors().length;
      }
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        passed += state === 'passed' ? 1 : 0;
        failed += state === 'failed' ? 1 : 0;
        // Pending: the run was cut short before it began.
        skipped += state === 'skipped' || state === 'pending' ? 1 : 0;
        if (test.diagnostic()?.flaky) flaky.push(`${module.relativeModuleId} > ${test.fullName}`);
      }
    }
    if (flaky.length > 0) {
      console.log(`flaky: ${flaky.length} (passed only on a retry)\n${flaky.map((name) => `  ${name}\n`).join('')}`);
    }
    const file = process.env.TALLY_FILE;
    if (file) {
      const result = `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
      writeFileSync(file, [result, ...flaky, ''].join('\n'));
    }
  }
}
