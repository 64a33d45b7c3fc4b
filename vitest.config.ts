import { defineConfig } from 'vitest/config';
import { Tally } from './test/harness/tally.ts';

export default defineConfig({
  test: {
    // Integration tests wait more than they compute, so more files than cores run side by side.
    maxWorkers: 4,
    maxConcurrency: 12,
    reporters: ['default', new Tally()],
    projects: [
      // The first import of a library may take seconds on a machine at work.
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'], testTimeout: 30_000 } },
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          globalSetup: ['test/harness/global-setup.ts'],
          testTimeout: 120_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'faults',
          include: ['test/faults/**/*.test.ts'],
          globalSetup: ['test/harness/global-setup.ts'],
          testTimeout: 120_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
