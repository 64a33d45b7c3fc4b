import { defineConfig } from 'vitest/config';
import { Tally } from '../harness/tally.ts';

/** Apart from `npm test`: it needs a cluster with a kubelet, and an image in it. Started by run.ts. */
export default defineConfig({
  test: {
    name: 'e2e',
    root: import.meta.dirname,
    include: ['**/*.test.ts'],
    globalSetup: ['./setup.ts'],
    // Some ten pods start at a time: a node of two cores that starts a hundred is slower with all of them.
    maxWorkers: 2,
    maxConcurrency: 6,
    // On a shared machine a node may be starved for a while. The report names what it took twice.
    retry: process.env.CI ? 1 : 0,
    testTimeout: 480_000,
    hookTimeout: 120_000,
    reporters: ['default', new Tally()],
  },
});
