import { defineConfig } from 'vitest/config';

// The unit tests of what is mutated, and of nothing else: each mutant runs those of them that reach it.
export default defineConfig({
  test: {
    include: ['test/unit/{verdict,wait}/**/*.test.ts', 'test/unit/kube/{list-watch,follow,problem,retry}.test.ts'],
    // A second or more for each mutant, and what it finds the tables should find as well.
    exclude: ['test/unit/verdict/jsonpath-whatever.test.ts'],
    setupFiles: ['test/mutation/setup.ts'],
    testTimeout: 10_000,
  },
});
