import type { TargetState } from './state.ts';

/** The targets in groups of which one is enough; a target without alternatives is a group by itself. */
export function alternatives(targets: readonly TargetState[]): readonly (readonly TargetState[])[] {
  const groups = new Map<unknown, TargetState[]>();
  for (const state of targets) {
    const key = state.target.oneOf ?? state.target;
    groups.set(key, [...(groups.get(key) ?? []), state]);
  }
  return [...groups.values()];
}

/** The targets that the run still waits for: not reached, and no alternative of theirs either. */
export function awaited(targets: readonly TargetState[]): readonly TargetState[] {
  return alternatives(targets)
    .filter((group) => group.every(({ status }) => status.state !== 'reached'))
    .flat();
}
