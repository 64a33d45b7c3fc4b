import type { Need } from '../access/needs.ts';
import type { Verb } from '../kube/collection.ts';

type Subject = Pick<Need, 'apiGroup' | 'resource' | 'subresource' | 'resourceName' | 'namespaced' | 'namespace'>;

/** A permission in the words of RBAC: `list jobs "x" in API group "batch" in namespace "app"`. Not yet cleaned. */
export function describePermission(verb: Verb, need: Subject): string {
  const { apiGroup, resource, subresource, resourceName } = need;
  const what = subresource === undefined ? resource : `${resource}/${subresource}`;
  const name = resourceName === undefined ? '' : ` "${resourceName}"`;
  const group = apiGroup === '' ? '' : ` in API group "${apiGroup}"`;
  return `${verb} ${what}${name}${group}${scopeOf(need)}`;
}

function scopeOf({ namespaced, namespace }: Subject): string {
  if (!namespaced) return ' at the cluster scope';
  return namespace === undefined ? ' in all namespaces' : ` in namespace "${namespace}"`;
}
