import type { CollectionSpec } from '../kube/collection.ts';
import type { Want } from './state.ts';

/** A want with its key: two wants for the same objects are one collection. */
export function wantOf(spec: CollectionSpec, need: Want['need']): Want {
  const { resource, namespace, name, labelSelector, fieldSelector, mode, keep } = spec;
  const { group, version, name: plural } = resource;
  const parts = [group, version, plural, namespace, name, labelSelector, fieldSelector, mode, keep];
  return { key: JSON.stringify(parts.map((part) => part ?? null)), spec, need };
}
