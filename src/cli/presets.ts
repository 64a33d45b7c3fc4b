import type { Target } from '../wait/plan.ts';

interface Meaning {
  readonly kind: 'job' | 'pod' | 'service';
  readonly goal: 'complete' | 'finished' | 'ready' | 'settled' | 'partly';
  /** Whether one of several names, or one of what a selector finds, is enough. */
  readonly enough: 'all' | 'one';
  readonly ownerJobs?: Target['ownerJobs'];
}

/**
 * Words that stand for a kind and a goal in one: k8s-wait-for's kinds, and what its kinds mean where the program is
 * called as wait_for.sh. Those with a space in them cannot be typed: src/cli/wait-for-sh.ts alone asks for them.
 */
const PRESETS = {
  'job-we': { kind: 'job', goal: 'finished', enough: 'all' },
  'job-wr': { kind: 'job', goal: 'partly', enough: 'all' },
  'pod-we': { kind: 'pod', goal: 'settled', enough: 'all' },
  'pod-wr': { kind: 'pod', goal: 'ready', enough: 'one' },
  'wait_for.sh job': { kind: 'job', goal: 'complete', enough: 'all' },
  'wait_for.sh pod': { kind: 'pod', goal: 'ready', enough: 'all', ownerJobs: 'where readable' },
  'wait_for.sh service': { kind: 'service', goal: 'ready', enough: 'all' },
  'wait_for.sh service-we': { kind: 'service', goal: 'settled', enough: 'all' },
  'wait_for.sh service-wr': { kind: 'service', goal: 'partly', enough: 'all' },
} as const satisfies Readonly<Record<string, Meaning>>;

export type Preset = keyof typeof PRESETS;

export function meaningOf(preset: Preset): Meaning {
  return PRESETS[preset];
}

/** Undefined where the word is a kind and nothing more. */
export function presetOf(word: string): Preset | undefined {
  return Object.hasOwn(PRESETS, word) ? (word as Preset) : undefined;
}
