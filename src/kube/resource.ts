/**
 * What the API server calls an APIResource: how a kind is named and where its objects are served.
 * https://kubernetes.io/docs/reference/using-api/api-concepts/#standard-api-terminology
 */
export interface ApiResource {
  /** Empty for the core group. */
  readonly group: string;
  /** Empty: not known yet, since the kind is not served yet. */
  readonly version: string;
  /** The plural, as in the URL and in RBAC rules: `jobs`. */
  readonly name: string;
  readonly singularName: string;
  readonly kind: string;
  readonly shortNames: readonly string[];
  readonly namespaced: boolean;
  /** Whether somebody else than Kubernetes defines it: `custom` was found by discovery. */
  readonly origin?: 'custom';
}

/** `batch/v1`, or `v1` for the core group. */
export function groupVersion(resource: ApiResource): string {
  return resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;
}

/**
 * The path under which a collection of objects is served, without a trailing slash.
 * A namespaced resource without a namespace means all namespaces.
 */
export function collectionPath(resource: ApiResource, namespace: string | undefined): string {
  const root = resource.group === '' ? `/api/${resource.version}` : `/apis/${resource.group}/${resource.version}`;
  const scope = resource.namespaced && namespace !== undefined ? `/namespaces/${encodeURIComponent(namespace)}` : '';
  return `${root}${scope}/${resource.name}`;
}
