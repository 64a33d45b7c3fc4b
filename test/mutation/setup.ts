import fc from 'fast-check';

// Drawn anew, the same mutant would live one day and die the next; and each of thousands of them waits for these runs.
fc.configureGlobal({ seed: 1, numRuns: 30 });
