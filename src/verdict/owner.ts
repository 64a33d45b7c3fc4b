import { field, list, text } from '../json.ts';
import type { KubeObject } from '../kube/object.ts';

/** The object that manages another one. */
export interface Owner {
  readonly kind: string;
  /** Without the version, empty for the core group. */
  readonly group: string;
  readonly name: string;
  readonly uid: string;
}

/**
 * The managing controller of an object, of which there is at most one.
 * https://kubernetes.io/docs/concepts/overview/working-with-objects/owners-dependents/
 */
export function controllerOf(object: KubeObject): Owner | undefined {
  const reference = list(object, 'metadata', 'ownerReferences').find((owner) => field(owner, 'controller') === true);
  const kind = text(reference, 'kind');
  const name = text(reference, 'name');
  const uid = text(reference, 'uid');
  if (kind === undefined || name === undefined || uid === undefined) return undefined;
  const apiVersion = text(reference, 'apiVersion') ?? '';
  const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';
  return { kind, group, name, uid };
}

/** Controllers that never use the name of a pod again. */
const NEW_NAMES: readonly string[] = ['apps/ReplicaSet', 'apps/DaemonSet', '/ReplicationController'];

/** Whether a controller may create a pod of the same name again, as a StatefulSet does. */
export function reusesNames({ group, kind }: Owner): boolean {
  return !NEW_NAMES.includes(`${group}/${kind}`);
}

/** Whether a pod is one of several attempts or parts of a Job. */
export function isJob(owner: Owner | undefined): owner is Owner {
  return owner?.group === 'batch' && owner.kind === 'Job';
}
