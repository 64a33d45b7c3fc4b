import { text } from '../json.ts';
import type { KubeObject } from '../kube/object.ts';
import { conditions } from './conditions.ts';
import { isStale } from './generation.ts';
import { failed, pending, reached, type Verdict } from './verdict.ts';

/** Judges by the phase of the status: reached in one of `good`, failed in `bad`, which it never leaves by itself. */
export function judgePhase(object: KubeObject, good: readonly string[], bad: readonly string[]): Verdict {
  const phase = text(object, 'status', 'phase') ?? 'Pending';
  const why = {
    code: 'phase',
    phase,
    reason: text(object, 'status', 'reason'),
    message: text(object, 'status', 'message'),
  } as const;
  if (good.includes(phase)) return reached('level', why);
  return bad.includes(phase) ? failed(why) : pending(why);
}

/** Judges by one condition, which must be True and speak of the present spec. */
export function judgeCondition(object: KubeObject, type: string): Verdict {
  const condition = conditions(object).find((one) => one.type === type);
  const stale = isStale(object, condition);
  const why = { code: 'condition', wanted: `${type}=True`, condition, stale } as const;
  return condition?.status === 'True' && !stale ? reached('level', why) : pending(why);
}

/** https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/ */
export function judgeCrd(crd: KubeObject): Verdict {
  const names = conditions(crd).find(({ type }) => type === 'NamesAccepted');
  // Another kind has the name: it stays so until somebody changes one of the two.
  if (names?.status === 'False')
    return failed({ code: 'condition', wanted: 'NamesAccepted=True', condition: names, stale: false });
  return judgeCondition(crd, 'Established');
}

/** For kinds whose objects have no state to speak of. */
export function judgeExistence(): Verdict {
  return reached('level', { code: 'exists' });
}
