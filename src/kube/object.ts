import { field, number, text } from '../json.ts';

/**
 * An object as the API server sends it. Only the metadata that every object has is typed; the rest is foreign data,
 * of any shape, and is read through src/json.ts.
 */
export interface KubeObject {
  readonly metadata: ObjectMeta;
  readonly [field: string]: unknown;
}

/** https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/object-meta/ */
export interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly uid: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly unknown[];
}

/**
 * Takes foreign JSON for an object, cut down by `project`. Undefined where it has no name: nothing that is asked for
 * here comes without one. An object without a uid (some aggregated API servers) is known by its namespace and name.
 */
export function toObject(json: unknown, project: Projection): KubeObject | undefined {
  const name = text(json, 'metadata', 'name');
  if (name === undefined) return undefined;
  const metadata = field(json, 'metadata') as Record<string, unknown>;
  const cut: Record<string, unknown> = { name };
  const namespace = text(metadata, 'namespace');
  if (namespace !== undefined) cut.namespace = namespace;
  cut.uid = text(metadata, 'uid') ?? `${namespace ?? ''}/${name}`;
  for (const key of ['resourceVersion', 'creationTimestamp', 'deletionTimestamp']) {
    const value = text(metadata, key);
    if (value !== undefined) cut[key] = value;
  }
  const generation = number(metadata, 'generation');
  if (generation !== undefined) cut.generation = generation;
  if (Array.isArray(metadata.ownerReferences)) cut.ownerReferences = metadata.ownerReferences;
  return project(json as Record<string, unknown>, cut as unknown as ObjectMeta);
}

/**
 * Cuts an object down to what its verdict needs, so that ten thousand pods fit in the memory of an init container.
 * `json` is the whole object, `metadata` the part of its metadata that every verdict may use.
 */
export type Projection = (json: Readonly<Record<string, unknown>>, metadata: ObjectMeta) => KubeObject;
