/** The sample chart, as tests render and read it. */
import path from 'node:path';
import type { Json } from '../cluster/rest.ts';

export const CHART = path.resolve(import.meta.dirname, '..', '..', 'k8s', 'chart');
export const MODES = ['job', 'hook', 'chain'] as const;

/** Where a rendered object has its pods, if it has any. */
export function podSpecOf(object: Json): Json | undefined {
  return object.kind === 'Pod' ? object.spec : object.spec?.template?.spec;
}

/** The containers that wait, of all rendered objects, with the ServiceAccount that each of them has. */
export function waitersOf(
  objects: readonly Json[],
  image: string,
): { readonly container: Json; readonly account: string }[] {
  return objects.flatMap((object) => {
    const pod = podSpecOf(object);
    return [...(pod?.initContainers ?? []), ...(pod?.containers ?? [])]
      .filter((container: Json) => container.image === image)
      .map((container: Json) => ({ container, account: pod.serviceAccountName }));
  });
}

/** The rules that the rendered Roles give a ServiceAccount. */
export function rulesOf(objects: readonly Json[], account: string): Json[] {
  const roles = objects
    .filter(({ kind, subjects }) => kind === 'RoleBinding' && subjects[0].name === account)
    .map(({ roleRef }) => roleRef.name);
  return objects
    .filter(({ kind, metadata }) => kind === 'Role' && roles.includes(metadata.name))
    .flatMap(({ rules }) => rules);
}
