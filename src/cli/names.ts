import type { ApiResource } from '../kube/resource.ts';
import { quote, UsageError } from './usage-error.ts';

const LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const KIND = /^[A-Za-z0-9]([-A-Za-z0-9]*)(\.[-A-Za-z0-9.]*)?$/;

/** All objects of these groups have names that are DNS subdomains; elsewhere kinds have rules of their own. */
const DNS_NAMED_GROUPS: readonly string[] = ['', 'apps', 'batch'];

/** https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#dns-label-names */
export function checkNamespace(name: string): void {
  if (!LABEL.test(name)) {
    throw new UsageError(`expected a namespace (lower-case letters, digits and "-"), got ${quote(name)}`);
  }
}

/** Containers are named as namespaces are. */
export function checkContainer(name: string): void {
  if (!LABEL.test(name)) {
    throw new UsageError(`expected a container (lower-case letters, digits and "-"), got ${quote(name)}`);
  }
}

export function checkKindWord(word: string): void {
  if (!KIND.test(word)) throw new UsageError(`expected a kind such as job, pod or deployment, got ${quote(word)}`);
}

function isPrintable(name: string): boolean {
  // Most names are plain, and what stands below takes V8 a moment to make ready.
  return /^[\w.-]+$/.test(name) || /^[^\s/%,\p{C}]+$/u.test(name);
}

/**
 * What can be no object's name, is no name. Where the kind is known, its stricter rule holds: a name that no Job can
 * have would be awaited until the timeout.
 * https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#names
 */
export function checkName(name: string, resource: ApiResource | undefined): void {
  if (name === '' || name === '.' || name === '..' || name.length > 253 || !isPrintable(name)) {
    throw new UsageError(`expected a name, got ${quote(name)}`);
  }
  if (resource !== undefined && DNS_NAMED_GROUPS.includes(resource.group) && !SUBDOMAIN.test(name)) {
    const what = `a name of a ${resource.singularName} (lower-case letters, digits, "-" and ".")`;
    throw new UsageError(`expected ${what}, got ${quote(name)}`);
  }
}
