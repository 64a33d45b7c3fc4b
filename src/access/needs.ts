import type { Verb } from '../kube/collection.ts';
import type { Want } from '../wait/state.ts';

/** One permission that a run needs, in the terms of RBAC. */
export interface Need {
  readonly verbs: readonly Verb[];
  readonly apiGroup: string;
  readonly resource: string;
  readonly resourceName: string | undefined;
  /** Undefined: cluster-wide. */
  readonly namespace: string | undefined;
}

/**
 * What a collection needs. With resourceNames `list` and `watch` are granted for requests that carry the fieldSelector
 * metadata.name. https://kubernetes.io/docs/reference/access-authn-authz/rbac/#referring-to-resources
 */
export function needOf({ spec }: Want): Need {
  const { resource, name, namespace, mode } = spec;
  return {
    verbs: mode === 'once' ? ['list'] : ['list', 'watch'],
    apiGroup: resource.group,
    resource: resource.name,
    resourceName: name,
    namespace: resource.namespaced ? namespace : undefined,
  };
}

/** The rule of a Role that grants a need, as lines of YAML. */
export function ruleLines(need: Need): readonly string[] {
  const quoted = (words: readonly string[]): string => `[${words.map((word) => JSON.stringify(word)).join(', ')}]`;
  return [
    `- apiGroups: ${quoted([need.apiGroup])}`,
    `  resources: ${quoted([need.resource])}`,
    ...(need.resourceName === undefined ? [] : [`  resourceNames: ${quoted([need.resourceName])}`]),
    `  verbs: ${quoted(need.verbs)}`,
  ];
}
