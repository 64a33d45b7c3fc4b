import type { Verb } from '../kube/collection.ts';
import type { ApiResource } from '../kube/resource.ts';
import { keyOf } from '../verdict/index.ts';
import { isKindGoal } from '../verdict/kind-goal.ts';
import { ownerRule } from '../wait/goals.ts';
import { ENDPOINT_SLICES, EVENTS, JOBS, PODS } from '../wait/others.ts';
import type { Target } from '../wait/plan.ts';
import type { Want } from '../wait/state.ts';

/** One permission that a run needs, in the terms of RBAC. */
export interface Need {
  readonly verbs: readonly Verb[];
  readonly apiGroup: string;
  readonly resource: string;
  readonly subresource: string | undefined;
  readonly resourceName: string | undefined;
  /** Whether its objects are in namespaces at all. */
  readonly namespaced: boolean;
  /** Undefined: cluster-wide. */
  readonly namespace: string | undefined;
  /** `unknown`: the server does not serve the kind yet, so that `resource` is only what the user called it. */
  readonly served: 'yes' | 'unknown';
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
    namespaced: resource.namespaced,
    served: resource.version === '' ? 'unknown' : 'yes',
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
  const { resource, select, label, stuckAfterMs } = target;
  const namespace = resource.namespaced ? target.namespace : undefined;
  const resourceName = select.by === 'name' ? select.name : undefined;
  const needs = [needFor(resource, { resourceName, namespace, need: 'required', reason: label })];
  const all = { resourceName: undefined, namespace };
  switch (keyOf(resource)) {
    case '/pods': {
      const rule = ownerRule(target);
      const whose = rule?.after === 'a failed pod' ? 'its failed pods' : 'its pods';
      if (rule !== undefined) {
        needs.push(needFor(JOBS, { ...all, need: rule.need, reason: `${label}: the Jobs that own ${whose}` }));
      }
      break;
    }
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
        const reason = `${label}: its endpoints, all there is to go by for a Service without a selector`;
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
function explanationNeeds({ resource, select, namespace, label }: Target): Need[] {
  const reason = `${label}: why it failed`;
  const all = { resourceName: undefined, namespace, need: 'optional', reason } as const;
  const log = (resourceName: string | undefined): Need => ({
    ...needFor(PODS, { ...all, resourceName, verbs: ['get'] }),
    subresource: 'log',
  });
  const events = needFor(EVENTS, { ...all, verbs: ['list'] });
  switch (keyOf(resource)) {
    case 'batch/jobs':
      return [needFor(PODS, all), log(undefined), events];
    case '/pods':
      // The pods themselves are read anyway.
      return [log(select.by === 'name' ? select.name : undefined), events];
    default:
      return [];
  }
}

/**
 * Each permission once, with all its reasons; required where one of them requires it. One that a wider one includes is
 * left out, unless the wider one is optional and may thus be struck from the Role.
 */
function merge(needs: readonly Need[]): readonly Need[] {
  const distinct: Need[] = [];
  for (const need of needs) {
    const at = distinct.findIndex((other) => covers(other, need) && covers(need, other));
    const before = distinct[at];
    if (before === undefined) distinct.push(need);
    else distinct[at] = join(before, need);
  }
  const kept = distinct.filter((need) => !distinct.some((other) => includes(other, need)));
  return kept.map((need) =>
    distinct.filter((other) => includes(need, other)).reduce((all, other) => join(all, other), need),
  );
}

function includes(wide: Need, narrow: Need): boolean {
  if (wide === narrow || (wide.need === 'optional' && narrow.need === 'required')) return false;
  return covers(wide, narrow);
}

function join(wide: Need, narrow: Need): Need {
  const need = wide.need === 'required' || narrow.need === 'required' ? 'required' : 'optional';
  return { ...wide, need, reasons: [...new Set([...wide.reasons, ...narrow.reasons])] };
}

/** Whether the rule for one need grants another one as well. */
export function covers(wide: Need, narrow: Need): boolean {
  return (
    wide.apiGroup === narrow.apiGroup &&
    wide.resource === narrow.resource &&
    wide.subresource === narrow.subresource &&
    narrow.verbs.every((verb) => wide.verbs.includes(verb)) &&
    (wide.resourceName === undefined || wide.resourceName === narrow.resourceName) &&
    (wide.namespace === undefined || wide.namespace === narrow.namespace)
  );
}

/** What to know of a need whose kind is not served yet; undefined: it is served. */
export function unservedRemark({ served, apiGroup, resource }: Need): string | undefined {
  if (served === 'yes') return undefined;
  return `the API server does not serve ${resource}.${apiGroup} yet; a rule grants something only if ${resource} is the plural`;
}

/** https://kubernetes.io/docs/reference/kubernetes-api/authorization-resources/role-v1/ (PolicyRule) */
export interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

/** The rule of a Role that grants a need. */
export function ruleOf({ apiGroup, resource, subresource, resourceName, verbs }: Need): Rule {
  return {
    apiGroups: [apiGroup],
    resources: [subresource === undefined ? resource : `${resource}/${subresource}`],
    ...(resourceName === undefined ? {} : { resourceNames: [resourceName] }),
    verbs,
  };
}

/** The same as lines of YAML. */
export function ruleLines(need: Need): readonly string[] {
  const lines = Object.entries(ruleOf(need)).map(
    ([key, words]) => `${key}: [${words.map((word: string) => yamlString(word)).join(', ')}]`,
  );
  return lines.map((line, at) => `${at === 0 ? '- ' : '  '}${line}`);
}

/** JSON's strings are YAML's, but for characters that YAML takes for line breaks or does not take at all. */
export function yamlString(text: string): string {
  return JSON.stringify(text).replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (character) => `\\U${(character.codePointAt(0) ?? 0).toString(16).padStart(8, '0')}`,
  );
}
