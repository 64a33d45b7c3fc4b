import { hintsOf } from '../wait/hints.ts';
import type { TargetState } from '../wait/state.ts';
import { describeHint } from './words.ts';

/** Gives what may explain how a target stands, each hint once in a run. Not yet cleaned. */
export function eachHintOnce(): (target: TargetState) => readonly string[] {
  const told = new Set<string>();
  return (target) =>
    hintsOf(target).flatMap((hint) => {
      const said = describeHint(hint);
      const key = JSON.stringify([target.target.label, said]);
      if (told.has(key)) return [];
      told.add(key);
      return [said];
    });
}

/** A hint as a line of its own. */
export function hintLine({ target }: TargetState, hint: string): string {
  return `hint: ${target.label}: ${hint}`;
}
