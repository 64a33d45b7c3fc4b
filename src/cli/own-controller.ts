import type { Target } from '../wait/plan.ts';

/**
 * What Kubernetes appends to the name of a controller for that of its pods. Made-up parts have no vowels, nothing that
 * looks like one, and five letters at the end. https://github.com/kubernetes/apimachinery/blob/v0.36.3/pkg/util/rand/rand.go
 */
const MADE_UP = '[bcdfghjklmnpqrstvwxz2456789]';
const PODS_OF: Readonly<Record<string, RegExp>> = {
  'batch/jobs': new RegExp(`^-(\\d+-)?${MADE_UP}{5}$`),
  'apps/deployments': new RegExp(`^-${MADE_UP}{1,10}-${MADE_UP}{5}$`),
  'apps/daemonsets': new RegExp(`^-${MADE_UP}{5}$`),
  'apps/statefulsets': /^-\d+$/,
};

/**
 * Whether the pod that waits belongs to the object that it waits for, as far as its name tells: such an object is never
 * done before its pod is, and the pod never before its wait. Nothing is read for it, so it is good for a hint only.
 */
export function isOwnController(
  { resource, select, namespace, goals }: Pick<Target, 'resource' | 'select' | 'namespace' | 'goals'>,
  self: { readonly namespace: string; readonly name: string } | undefined,
): boolean {
  if (self === undefined || select.by !== 'name' || namespace !== self.namespace) return false;
  if (!goals.some(({ for: goal }) => goal === 'default' || goal === 'complete' || goal === 'ready')) return false;
  if (!self.name.startsWith(select.name)) return false;
  return PODS_OF[`${resource.group}/${resource.name}`]?.test(self.name.slice(select.name.length)) ?? false;
}
