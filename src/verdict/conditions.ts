import { list, number, text } from '../json.ts';
import type { Condition } from './verdict.ts';

/** The conditions of an object's status; those without a type are passed over. */
export function conditions(object: unknown): readonly Condition[] {
  return list(object, 'status', 'conditions').flatMap((raw) => {
    const type = text(raw, 'type');
    if (type === undefined) return [];
    return [
      {
        type,
        status: text(raw, 'status') ?? 'Unknown',
        reason: text(raw, 'reason'),
        message: text(raw, 'message'),
        observedGeneration: number(raw, 'observedGeneration'),
      },
    ];
  });
}

/** The condition of that type whose status is True. A condition that is False or Unknown says nothing. */
export function conditionTrue(object: unknown, type: string): Condition | undefined {
  return conditions(object).find((condition) => condition.type === type && condition.status === 'True');
}
