import { defineConfig } from 'vitest/config';
import { Tally } from './test/harness/tally.ts';

export default defineConfig({
  test: {
    // Integration tests wait more than they compute, so more files than cores run side by side.
    maxWorkers: 4,
    maxConcurrency: 12,
    reporters: ['default', new Tally()],
    projects: [
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'] } },
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          globalSetup: ['test/harness/global-setup.ts'],
          testTimeout: 120_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
