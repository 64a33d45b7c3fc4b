import type { Need } from './needs.ts';
import { ruleLines, unservedRemark, yamlString } from './needs.ts';

/** What the manifests are called and who gets the permissions. */
export interface RbacOptions {
  readonly serviceAccount: string;
  /** Where the ServiceAccount lives, and where targets are that name no namespace. */
  readonly namespace: string;
}

/**
 * The smallest set of manifests that grants these needs to a ServiceAccount, as YAML for `kubectl apply -f -`: a Role
 * for each namespace, a ClusterRole for what is cluster-wide.
 * https://kubernetes.io/docs/reference/access-authn-authz/rbac/
 */
export function rbacLines(needs: readonly Need[], { serviceAccount, namespace }: RbacOptions): readonly string[] {
  const scopes = new Map<string | undefined, Need[]>();
  for (const need of needs) scopes.set(need.namespace, [...(scopes.get(need.namespace) ?? []), need]);
  const account = [
    'apiVersion: v1',
    'kind: ServiceAccount',
    'metadata:',
    `  name: ${q(serviceAccount)}`,
    `  namespace: ${q(namespace)}`,
  ];
  const documents = [account];
  for (const [scope, granted] of scopes) {
    // Outside of its own namespace another one of that name may have applied its own: neither must undo the other's.
    const name = scope === namespace ? serviceAccount : `${namespace}:${serviceAccount}`;
    documents.push(role(scope, granted, name), binding(scope, name, { serviceAccount, namespace }));
  }
  return documents.flatMap((lines, index) => (index === 0 ? lines : ['---', ...lines]));
}

function role(scope: string | undefined, needs: readonly Need[], name: string): string[] {
  return [
    'apiVersion: rbac.authorization.k8s.io/v1',
    `kind: ${scope === undefined ? 'ClusterRole' : 'Role'}`,
    ...metadata(scope, name),
    'rules:',
    ...needs.flatMap((need) => [...comments(need), ...ruleLines(need).map((line) => `  ${line}`)]),
  ];
}

function comments(need: Need): string[] {
  const optional = need.need === 'optional' ? ' (optional)' : '';
  const lines = need.reasons.map((reason) => `  # ${comment(reason)}${optional}`);
  const unserved = unservedRemark(need);
  if (unserved !== undefined) lines.push(`  # ${comment(unserved)}`);
  // The application in the same pod may use the same token, unless the pod is told otherwise.
  if (need.resourceName === undefined && need.subresource === 'log') {
    lines.push('  # Lets whoever has this ServiceAccount, the application too, read the logs of all pods there.');
  } else if (need.resourceName === undefined) {
    lines.push(`  # Lets whoever has this ServiceAccount, the application too, read all ${need.resource} there.`);
  }
  return lines;
}

/** A comment ends with its line: nothing of a name may begin another, or be what YAML does not take. */
function comment(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, ' ');
}

function binding(scope: string | undefined, name: string, account: RbacOptions): string[] {
  return [
    'apiVersion: rbac.authorization.k8s.io/v1',
    `kind: ${scope === undefined ? 'ClusterRoleBinding' : 'RoleBinding'}`,
    ...metadata(scope, name),
    'roleRef:',
    '  apiGroup: rbac.authorization.k8s.io',
    `  kind: ${scope === undefined ? 'ClusterRole' : 'Role'}`,
    `  name: ${q(name)}`,
    'subjects:',
    '  - kind: ServiceAccount',
    `    name: ${q(account.serviceAccount)}`,
    `    namespace: ${q(account.namespace)}`,
  ];
}

function metadata(scope: string | undefined, name: string): string[] {
  return ['metadata:', `  name: ${q(name)}`, ...(scope === undefined ? [] : [`  namespace: ${q(scope)}`])];
}

/** Plain where YAML would read the name as a string anyway; `1e3` and `true` it would not. */
function q(name: string): string {
  return /^[a-z][a-z0-9-]*$/.test(name) && !/^(true|false|yes|no|on|off|null|y|n)$/.test(name)
    ? name
    : yamlString(name);
}
