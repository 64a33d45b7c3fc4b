import { defineConfig } from 'vitest/config';
import { Tally } from '../harness/tally.ts';

/** Apart from `npm test`: it needs a cluster with a kubelet, and an image in it. Started by run.ts. */
export default defineConfig({
  test: {
    name: 'e2e',
    root: import.meta.dirname,
    include: ['**/*.test.ts'],
    globalSetup: ['./setup.ts'],
    // They wait for pods and do not compute.
    maxWorkers: 8,
    maxConcurrency: 16,
    testTimeout: 300_000,
    hookTimeout: 120_000,
    reporters: ['default', new Tally()],
  },
});
