import type { Need } from '../access/needs.ts';
import type { Verb } from '../kube/collection.ts';

type Subject = Pick<Need, 'apiGroup' | 'resource' | 'subresource' | 'resourceName' | 'namespaced' | 'namespace'>;

/** A permission in kubectl's words: `list jobs.batch "x" in namespace "app"`. Not yet cleaned. */
export function describePermission(verb: Verb, need: Subject): string {
  const { apiGroup, resource, subresource, resourceName } = need;
  const what = `${resource}${apiGroup === '' ? '' : `.${apiGroup}`}${subresource === undefined ? '' : `/${subresource}`}`;
  const name = resourceName === undefined ? '' : ` "${resourceName}"`;
  return `${verb} ${what}${name}${scopeOf(need)}`;
}

function scopeOf({ namespaced, namespace }: Subject): string {
  if (!namespaced) return ' at the cluster scope';
  return namespace === undefined ? ' in all namespaces' : ` in namespace "${namespace}"`;
}
