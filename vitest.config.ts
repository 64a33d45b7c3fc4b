import { defineConfig } from 'vitest/config';
import { Tally } from './test/harness/tally.ts';

// No file leaves anything behind in a module, so files share theirs: a tenth of the run's CPU is not spent on loading.
const isolate = false;

/** The tests of a folder, with one test cluster for all projects of the run. */
const onCluster = (name: string) => ({
  name,
  include: [`test/${name}/**/*.test.ts`],
  isolate,
  globalSetup: ['test/harness/global-setup.ts'],
  testTimeout: 300_000,
  hookTimeout: 300_000,
});

export default defineConfig({
  test: {
    // Integration tests wait more than they compute, so more of them than cores run side by side; but what times out on a
    // server that is starved says nothing about the program.
    maxWorkers: 3,
    maxConcurrency: 8,
    reporters: ['default', new Tally()],
    projects: [
      // The first import of a library may take seconds on a machine at work.
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'], testTimeout: 300_000, isolate } },
      // On a shared machine a control plane may be starved for a while. The run ends with the names of what it retried.
      { test: { ...onCluster('integration'), retry: process.env.CI ? 1 : 0 } },
      { test: onCluster('faults') },
      // `npm test` leaves these out.
      { test: onCluster('slow') },
    ],
  },
});
