import type { KubeObject } from '../kube/object.ts';
import type { Judgement, Scene } from './scene.ts';
import type { Want } from './state.ts';
import { wantOf } from './want.ts';

/**
 * Judges `--for=delete`: the objects of the first complete list are gone, by uid. A new object of the same name is
 * another one. Finding none at first is success, as for kubectl wait.
 */
export function judgeDeletion(scene: Scene): Judgement {
  const { target, memory, collections } = scene;
  const doomed = memory.doomed ?? new Map([...memory.members].map(([uid, { object }]) => [uid, object] as const));
  const byName = target.select.by === 'name';
  const wants: Want[] = [];
  const left = new Map<string, KubeObject>();
  for (const [uid, object] of doomed) {
    const { metadata } = object;
    if (memory.members.get(uid)?.presence === 'here') {
      left.set(uid, object);
      continue;
    }
    if (byName) continue;
    // Gone from the selection is not yet gone: its labels may have been edited.
    const { resource } = target;
    const want = wantOf(
      { resource, namespace: metadata.namespace, name: metadata.name, mode: 'watch', keep: 'metadata' },
      'required',
    );
    const objects = collections.get(want.key)?.objects;
    if (objects !== undefined && !objects.has(uid)) continue;
    left.set(uid, object);
    wants.push(want);
  }
  const total = memory.doomedTotal ?? doomed.size;
  const [first] = left.values();
  const why = { code: 'deletion', left: left.size, total, first: first?.metadata.name } as const;
  // What was seen to be gone stays gone, whatever is read later.
  const next = { ...memory, doomed: left, doomedTotal: total };
  return { memory: next, status: { state: left.size === 0 ? 'reached' : 'pending', why }, wants, wakeAt: undefined };
}
