import { field, list, text } from '../json.ts';
import type { KubeObject } from '../kube/object.ts';
import type { KindGoal } from './kind-goal.ts';
import { isReady, isReplaced, isTerminating } from './pod.ts';
import { pending, reached, type Verdict, type Why } from './verdict.ts';

/**
 * Judges a Service by its pods and endpoints. `pods`: those that its selector finds; undefined where it has none.
 * `slices`: its EndpointSlices; undefined where they may not be read. Under `settled` failed pods count as ready ones,
 * under `partly` one ready pod is enough.
 * https://kubernetes.io/docs/concepts/services-networking/service/
 */
export function judgeService(
  service: KubeObject,
  pods: Iterable<KubeObject> | undefined,
  slices: Iterable<KubeObject> | undefined,
  goal: KindGoal,
): Verdict {
  if (isExternalName(service)) return reached('level', { code: 'exists' });
  const endpoints = slices === undefined ? undefined : readyEndpoints(slices);
  let ready = 0;
  let failed = 0;
  let total = 0;
  for (const pod of pods ?? []) {
    if (!matters(pod)) continue;
    total += 1;
    if (isReady(pod)) ready += 1;
    if (text(pod, 'status', 'phase') === 'Failed') failed += 1;
  }
  const why: Why = { code: 'service', pods: pods === undefined ? undefined : { ready, total }, endpoints };
  const done = goal === 'settled' ? ready + failed : ready;
  const podsReady = pods === undefined || (total > 0 && done >= (goal === 'partly' ? 1 : total));
  // A Service whose pods have all failed has no endpoint, and that is as good as wanted there.
  const nobodyServes = goal === 'settled' && ready === 0;
  const endpointsReady = endpoints === undefined || nobodyServes ? pods !== undefined : endpoints > 0;
  return podsReady && endpointsReady ? reached('level', why) : pending(why);
}

/** An alias in DNS, without pods and endpoints. */
export function isExternalName(service: KubeObject): boolean {
  return text(service, 'spec', 'type') === 'ExternalName';
}

/** The label selector of a Service's pods; undefined where its endpoints are made by somebody else. */
export function podSelectorOf(service: KubeObject): string | undefined {
  const selector = field(service, 'spec', 'selector');
  if (typeof selector !== 'object' || selector === null) return undefined;
  const terms = Object.entries(selector).map(([key, value]) => `${key}=${typeof value === 'string' ? value : ''}`);
  return terms.length === 0 ? undefined : terms.join(',');
}

/** Pods that have Succeeded (of a Job with the same labels), are terminating or are replaced do not matter. */
function matters(pod: KubeObject): boolean {
  return !isTerminating(pod) && text(pod, 'status', 'phase') !== 'Succeeded' && !isReplaced(pod);
}

/** https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/#ready */
function readyEndpoints(slices: Iterable<KubeObject>): number {
  let ready = 0;
  for (const slice of slices) {
    for (const endpoint of list(slice, 'endpoints')) {
      // Unknown counts as ready, as the API says.
      if (field(endpoint, 'conditions', 'ready') !== false) ready += 1;
    }
  }
  return ready;
}
