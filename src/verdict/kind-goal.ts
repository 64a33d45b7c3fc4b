const KIND_GOALS = ['default', 'complete', 'finished', 'ready', 'settled', 'partly'] as const;

/** The goals that a kind gives a meaning to. */
export type KindGoal = (typeof KIND_GOALS)[number];

export function isKindGoal(goal: string): goal is KindGoal {
  return KIND_GOALS.some((own) => own === goal);
}
