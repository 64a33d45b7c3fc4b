import { type KubeObject, toObject } from '../../src/kube/object.ts';
import type { ApiResource } from '../../src/kube/resource.ts';
import { projectionOf } from '../../src/verdict/index.ts';
import type { Target } from '../../src/wait/plan.ts';

export const resource = (group: string, name: string, kind: string): ApiResource => ({
  group,
  version: 'v1',
  name,
  singularName: kind.toLowerCase(),
  kind,
  shortNames: [],
  namespaced: true,
});
export const JOBS = resource('batch', 'jobs', 'Job');
export const PODS = resource('', 'pods', 'Pod');

/** A target with the defaults of the command line. */
export function target(more: Partial<Target> & Pick<Target, 'resource' | 'select'>): Target {
  const { resource, select } = more;
  const label =
    select.by === 'name'
      ? `${resource.singularName}/${select.name}`
      : `${resource.singularName} -l ${select.labelSelector}`;
  return {
    label,
    namespace: 'app',
    goals: [{ for: 'default' }],
    onMissing: 'wait',
    missingGraceMs: 10_000,
    expect: undefined,
    atLeast: undefined,
    container: undefined,
    stuckAfterMs: undefined,
    ...more,
  };
}

export const named = (resource: ApiResource, name: string, more: Partial<Target> = {}): Target =>
  target({ resource, select: { by: 'name', name }, ...more });

export const selected = (resource: ApiResource, more: Partial<Target> = {}): Target =>
  target({ resource, select: { by: 'selector', labelSelector: 'app=x' }, ...more });

let version = 100;

/** An object as it comes out of a collection. */
export function object(of: ApiResource, json: Record<string, unknown>): KubeObject {
  const made = toObject(json, projectionOf(of, 'verdict'));
  if (made === undefined) throw new Error('not an object');
  return made;
}

interface Meta {
  readonly uid?: string;
  readonly deleting?: boolean;
  readonly owner?: { readonly kind: string; readonly name: string; readonly uid: string; readonly apiVersion?: string };
}

function metadata(name: string, { uid, deleting, owner }: Meta): Record<string, unknown> {
  version += 1;
  const controller = { apiVersion: owner?.kind === 'Job' ? 'batch/v1' : 'apps/v1', controller: true, ...owner };
  return {
    name,
    namespace: 'app',
    uid: uid ?? `uid-${name}`,
    resourceVersion: String(version),
    ...(deleting ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}),
    ...(owner === undefined ? {} : { ownerReferences: [controller] }),
  };
}

export function job(name: string, condition: string | undefined, more: Meta = {}): KubeObject {
  const conditions =
    condition === undefined ? [] : [{ type: condition, status: 'True', reason: `Because${condition}` }];
  return object(JOBS, { metadata: metadata(name, more), spec: { completions: 1 }, status: { active: 1, conditions } });
}

export function pod(
  name: string,
  phase: string,
  { ready, policy = 'Never', ...more }: Meta & { readonly ready?: boolean; readonly policy?: string } = {},
): KubeObject {
  const conditions = [{ type: 'Ready', status: ready ? 'True' : 'False', reason: 'ContainersNotReady' }];
  return object(PODS, {
    metadata: metadata(name, more),
    spec: { restartPolicy: policy },
    status: { phase, conditions },
  });
}
