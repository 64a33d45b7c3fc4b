import { BYTES } from './bytes.ts';
import type { InputKind } from './kind.ts';
import { OBJECTS } from './objects.ts';
import { WORDS } from './words.ts';

/** All ways in which something comes in from outside. */
export const INPUTS: readonly InputKind[] = [...WORDS, ...OBJECTS, ...BYTES];
