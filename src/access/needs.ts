import type { Verb } from '../kube/collection.ts';
import type { ApiResource } from '../kube/resource.ts';
import { keyOf } from '../verdict/index.ts';
import { isKindGoal } from '../verdict/kind-goal.ts';
import { ENDPOINT_SLICES, JOBS, PODS } from '../wait/others.ts';
import type { Target } from '../wait/plan.ts';
import type { Want } from '../wait/state.ts';

/** One permission that a run needs, in the terms of RBAC. */
export interface Need {
  readonly verbs: readonly Verb[];
  readonly apiGroup: string;
  readonly resource: string;
  readonly subresource: string | undefined;
  readonly resourceName: string | undefined;
  /** Undefined: cluster-wide. */
  readonly namespace: string | undefined;
  readonly need: Want['need'];
  /** The labels of the targets that need it, and what for. */
  readonly reasons: readonly string[];
}

type Scope = Pick<Need, 'resourceName' | 'namespace' | 'need'> & {
  readonly reason: string;
  readonly verbs?: readonly Verb[];
};

function needFor(resource: ApiResource, { reason, verbs = ['list', 'watch'], ...scope }: Scope): Need {
  return {
    verbs,
    apiGroup: resource.group,
    resource: resource.name,
    subresource: undefined,
    reasons: [reason],
    ...scope,
  };
}

/**
 * What a collection needs. With resourceNames `list` and `watch` are granted for requests that carry the fieldSelector
 * metadata.name. https://kubernetes.io/docs/reference/access-authn-authz/rbac/#referring-to-resources
 */
export function needOf({ spec, need }: Want): Need {
  const { resource, name: resourceName, mode } = spec;
  const namespace = resource.namespaced ? spec.namespace : undefined;
  const verbs: readonly Verb[] = mode === 'once' ? ['list'] : ['list', 'watch'];
  return needFor(resource, { resourceName, namespace, need, reason: '', verbs });
}

/** Whether what explains a failure is wanted, too. */
export interface NeedOptions {
  readonly explainFailures: boolean;
}

/** Every permission that a run for these targets may come to need, each once. */
export function needsOf(targets: readonly Target[], { explainFailures }: NeedOptions): readonly Need[] {
  const needs = targets.flatMap((target) => [
    ...ownNeeds(target),
    ...(explainFailures ? explanationNeeds(target) : []),
  ]);
  return merge(needs);
}

function ownNeeds(target: Target): Need[] {
  const { resource, select, label, container, ownerJobs, stuckAfterMs } = target;
  const namespace = resource.namespaced ? target.namespace : undefined;
  const resourceName = select.by === 'name' ? select.name : undefined;
  const needs = [needFor(resource, { resourceName, namespace, need: 'required', reason: label })];
  const all = { resourceName: undefined, namespace };
  switch (keyOf(resource)) {
    case '/pods':
      if (ownerJobs !== 'never') {
        const need = ownerJobs === 'required' && container === undefined ? 'required' : 'optional';
        needs.push(needFor(JOBS, { ...all, need, reason: `${label}: the Jobs that own its pods` }));
      }
      break;
    case 'batch/jobs':
      if (stuckAfterMs !== undefined) {
        needs.push(needFor(PODS, { ...all, need: 'required', reason: `${label}: its pods, for --stuck-after` }));
      }
      break;
    case 'batch/cronjobs':
      if (meansItsOwn(target)) needs.push(needFor(JOBS, { ...all, need: 'required', reason: `${label}: its Jobs` }));
      break;
    case '/services':
      if (meansItsOwn(target)) {
        needs.push(needFor(PODS, { ...all, need: 'required', reason: `${label}: its pods` }));
        // Only of a Service without a selector they are all there is to go by.
        const reason = `${label}: its endpoints`;
        needs.push(needFor(ENDPOINT_SLICES, { ...all, need: 'optional', reason }));
      }
      break;
  }
  return needs;
}

/** Whether a goal asks for the kind's own meaning, which may take other objects. */
function meansItsOwn({ goals }: Target): boolean {
  return goals.some(({ for: goal }) => isKindGoal(goal));
}

/** Pods and their logs, to say why a Job or a pod has failed. */
function explanationNeeds({ resource, namespace, label }: Target): Need[] {
  const kind = keyOf(resource);
  if (kind !== 'batch/jobs' && kind !== '/pods') return [];
  const reason = `${label}: why it failed`;
  const all = { resourceName: undefined, namespace, need: 'optional', reason } as const;
  return [needFor(PODS, all), { ...needFor(PODS, { ...all, verbs: ['get'] }), subresource: 'log' }];
}

/** Each permission once, with all its reasons; required where one of them requires it. */
function merge(needs: readonly Need[]): readonly Need[] {
  const merged = new Map<string, Need>();
  for (const need of needs) {
    const { apiGroup, resource, subresource, resourceName, namespace, verbs } = need;
    const key = JSON.stringify(
      [namespace, apiGroup, resource, subresource, resourceName, verbs].map((part) => part ?? null),
    );
    const before = merged.get(key);
    const required = before?.need === 'required' || need.need === 'required';
    const reasons = [...new Set([...(before?.reasons ?? []), ...need.reasons])];
    merged.set(key, { ...need, need: required ? 'required' : 'optional', reasons });
  }
  return [...merged.values()];
}

/** The rule of a Role that grants a need, as lines of YAML. */
export function ruleLines(need: Need): readonly string[] {
  const quoted = (words: readonly string[]): string => `[${words.map((word) => JSON.stringify(word)).join(', ')}]`;
  const resource = need.subresource === undefined ? need.resource : `${need.resource}/${need.subresource}`;
  return [
    `- apiGroups: ${quoted([need.apiGroup])}`,
    `  resources: ${quoted([resource])}`,
    ...(need.resourceName === undefined ? [] : [`  resourceNames: ${quoted([need.resourceName])}`]),
    `  verbs: ${quoted(need.verbs)}`,
  ];
}
