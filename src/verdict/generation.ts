import { number } from '../json.ts';
import type { KubeObject } from '../kube/object.ts';
import type { Condition } from './verdict.ts';

/**
 * Whether a status speaks of an earlier spec: the controller has not seen the present one yet. A condition's own
 * observedGeneration is asked first, then the status's; where there is none it counts as current, as for kubectl wait.
 * https://github.com/kubernetes/enhancements/tree/master/keps/sig-api-machinery/1623-standardize-conditions
 */
export function isStale(object: KubeObject, condition?: Condition): boolean {
  const observed = condition?.observedGeneration ?? number(object, 'status', 'observedGeneration');
  return observed !== undefined && observed < (object.metadata.generation ?? 0);
}
