import { defineConfig } from 'vitest/config';
import { Tally } from './test/harness/tally.ts';

// No file leaves anything behind in a module, so files share theirs: a tenth of the run's CPU is not spent on loading.
const isolate = false;

export default defineConfig({
  test: {
    // Integration tests wait more than they compute, so more of them than cores run side by side; but what times out on a
    // server that is starved says nothing about the program.
    maxWorkers: 3,
    maxConcurrency: 8,
    reporters: ['default', new Tally()],
    projects: [
      // The first import of a library may take seconds on a machine at work.
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'], testTimeout: 30_000, isolate } },
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          isolate,
          // On a shared machine a control plane may be starved for a while. The report names what it took twice.
          retry: process.env.CI ? 1 : 0,
          globalSetup: ['test/harness/global-setup.ts'],
          testTimeout: 120_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'faults',
          include: ['test/faults/**/*.test.ts'],
          isolate,
          globalSetup: ['test/harness/global-setup.ts'],
          testTimeout: 120_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
