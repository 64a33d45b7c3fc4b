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
 * Writes `N passed, N failed` (and `, N skipped`, where any were) to the file that TALLY_FILE names, for a CI that
 * reads one line. A file that could not be loaded and an error outside of any test are failures too: without them the
 * line could say that all is well when the run did not.
 */
export class Tally implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    listSkipped(modules);
    const file = process.env.TALLY_FILE;
    if (!file) {
      return;
    }
    let passed = 0;
    let failed = unhandledErrors.length;
    let skipped = 0;
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
      }
    }
    writeFileSync(file, `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`);
  }
}
