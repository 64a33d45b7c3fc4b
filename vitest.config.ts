import { defineConfig } from 'vitest/config';
import { Tally } from './test/harness/tally.ts';

/** The tests of a folder. */
const folder = (name: string) => ({
  name,
  include: [`test/${name}/**/*.test.ts`],
  // No file leaves anything behind in a module, so files share theirs: a tenth of the run's CPU is not spent on loading.
  isolate: false,
  // Only a hang should reach it: on a busy machine the first import of a library may take many seconds.
  testTimeout: 120_000,
  hookTimeout: 60_000,
});

/** The same, with one test cluster for all projects of the run. */
const onCluster = (name: string) => ({ ...folder(name), globalSetup: ['test/harness/global-setup.ts'] });

export default defineConfig({
  test: {
    // Integration tests wait more than they compute, so more of them than cores run side by side; but what times out on a
    // server that is starved says nothing about the program.
    maxWorkers: 3,
    maxConcurrency: 8,
    reporters: ['default', new Tally()],
    projects: [
      { test: folder('unit') },
      // On a shared machine a control plane may be starved for a while. The run ends with a list of what it retried.
      { test: { ...onCluster('integration'), retry: process.env.CI ? 1 : 0 } },
      { test: onCluster('faults') },
      // `npm test` leaves these out.
      { test: onCluster('slow') },
    ],
  },
});
