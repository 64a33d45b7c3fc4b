import { assertNever } from '../assert-never.ts';
import { field, list, number, text } from '../json.ts';
import type { KubeObject } from '../kube/object.ts';
import { keyOf } from '../verdict/index.ts';
import { containerStatuses } from '../verdict/pod.ts';
import { PODS } from './others.ts';
import { earlier, type Scene } from './scene.ts';
import type { Memory, Stuck, Want } from './state.ts';
import { wantOf } from './want.ts';

/** A container that has run so long without a fault is not stuck, in milliseconds. */
const HEALTHY_MS = 60_000;

/**
 * Reasons with which a container waits that seldom pass by themselves, and the group whose clock they share: image
 * reasons take turns while kubelet tries again. https://github.com/kubernetes/kubernetes/blob/v1.36.0/pkg/kubelet/images/types.go
 */
const GROUPS: Readonly<Record<string, string>> = {
  ErrImagePull: 'image',
  ImagePullBackOff: 'image',
  InvalidImageName: 'image',
  ErrImageNeverPull: 'image',
  ImageInspectError: 'image',
  RegistryUnavailable: 'image',
  SignatureValidationFailed: 'image',
  CreateContainerConfigError: 'config',
  CreateContainerError: 'create',
  RunContainerError: 'run',
  CrashLoopBackOff: 'crash',
};

/** What comes of --stuck-after. */
export interface StuckJudgement {
  readonly memory: Memory;
  readonly wants: readonly Want[];
  /** The container, or pod, that has been stuck for too long. */
  readonly stuck: Stuck | undefined;
  readonly wakeAt: number | undefined;
}

/**
 * Follows how long each container of the target's pods, or of its Jobs' pods, has been stuck. The clock of a container
 * stops only when it has been ready, has run for a minute, or has ended well: between two crashes it runs for a moment.
 */
export function judgeStuck(scene: Scene): StuckJudgement {
  const { target, memory, now } = scene;
  const { stuckAfterMs } = target;
  if (stuckAfterMs === undefined) return { memory, wants: [], stuck: undefined, wakeAt: undefined };
  const { pods, wants } = podsOf(scene);
  const clocks = new Map<string, Stuck>();
  for (const pod of pods) {
    for (const seen of troubles(pod, scene)) {
      const before = memory.stuck.get(seen.key);
      const clock = tick(before, seen, now);
      if (clock !== undefined) clocks.set(seen.key, clock);
    }
  }
  let worst: { readonly clock: Stuck; readonly since: number } | undefined;
  let wakeAt: number | undefined;
  for (const clock of clocks.values()) {
    if (clock.runningSince !== undefined) {
      wakeAt = earlier(wakeAt, clock.runningSince + HEALTHY_MS);
      continue;
    }
    const since = clock.began.get(clock.group) ?? now;
    const due = since + stuckAfterMs;
    if (now < due) wakeAt = earlier(wakeAt, due);
    else if (worst === undefined || since < worst.since) worst = { clock, since };
  }
  return { memory: { ...memory, stuck: clocks }, wants, stuck: worst?.clock, wakeAt };
}

function podsOf(scene: Scene): { readonly pods: readonly KubeObject[]; readonly wants: readonly Want[] } {
  const { target, memory, collections } = scene;
  const here = [...memory.members.values()].filter(({ presence }) => presence === 'here');
  const kind = keyOf(target.resource);
  if (kind === '/pods') return { pods: here.map(({ object }) => object), wants: [] };
  if (kind !== 'batch/jobs') return { pods: [], wants: [] };
  const wants = here.flatMap(({ object, verdict }) => {
    const labelSelector = podSelectorOfJob(object);
    if (verdict.state !== 'pending' || labelSelector === undefined) return [];
    const { namespace } = object.metadata;
    return [wantOf({ resource: PODS, namespace, labelSelector, mode: 'watch', keep: 'verdict' }, 'required')];
  });
  const pods = wants.flatMap((want) => [...(collections.get(want.key)?.objects?.values() ?? [])]);
  return { pods, wants };
}

/** The label selector of a Job's pods. */
export function podSelectorOfJob(job: KubeObject): string | undefined {
  const labels = field(job, 'spec', 'selector', 'matchLabels');
  if (typeof labels !== 'object' || labels === null) return undefined;
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${String(value)}`)
    .join(',');
}

/** How a container, or the scheduling of a pod, looks now. */
interface Seen {
  readonly key: string;
  readonly label: string;
  /** Undefined: nothing is wrong at the moment. */
  readonly group: string | undefined;
  readonly reason: string;
  readonly message: string | undefined;
  /** `well`: ready, or ended with 0: whatever was is over. */
  readonly state: 'stuck' | 'running' | 'well' | 'between';
  /** When it began, where the object says so. */
  readonly since: number | undefined;
}

function troubles(pod: KubeObject, { wallOffset }: Scene): readonly Seen[] {
  const { uid, name } = pod.metadata;
  const phase = text(pod, 'status', 'phase');
  if (phase === 'Succeeded' || phase === 'Failed' || pod.metadata.deletionTimestamp !== undefined) return [];
  const seen: Seen[] = [];
  const scheduled = list(pod, 'status', 'conditions').find((one) => text(one, 'type') === 'PodScheduled');
  if (text(scheduled, 'status') === 'False' && text(scheduled, 'reason') === 'Unschedulable') {
    const at = Date.parse(text(scheduled, 'lastTransitionTime') ?? '');
    const since = Number.isNaN(at) ? undefined : at - wallOffset;
    const message = text(scheduled, 'message');
    seen.push({
      key: uid,
      label: `pod/${name}`,
      group: 'unschedulable',
      reason: 'Unschedulable',
      message,
      state: 'stuck',
      since,
    });
  }
  for (const status of containerStatuses(pod)) {
    const container = text(status, 'name') ?? '';
    const reason = text(status, 'state', 'waiting', 'reason');
    const group = reason === undefined ? undefined : GROUPS[reason];
    seen.push({
      key: `${uid}/${container}`,
      label: `pod/${name} container ${container}`,
      group,
      reason: reason ?? '',
      message: text(status, 'state', 'waiting', 'message'),
      state: stateOf(status, group),
      since: undefined,
    });
  }
  return seen;
}

function stateOf(status: unknown, group: string | undefined): Seen['state'] {
  if (group !== undefined) return 'stuck';
  if (field(status, 'ready') === true || number(status, 'state', 'terminated', 'exitCode') === 0) return 'well';
  return field(status, 'state', 'running') === undefined ? 'between' : 'running';
}

function tick(before: Stuck | undefined, seen: Seen, now: number): Stuck | undefined {
  const { label, group, reason, message, state } = seen;
  switch (state) {
    case 'well':
      return undefined;
    case 'stuck': {
      if (group === undefined) return before;
      const began = new Map(before?.began);
      if (!began.has(group)) began.set(group, Math.min(now, seen.since ?? now));
      return { label, group, reason, message, began, runningSince: undefined };
    }
    case 'running': {
      if (before === undefined) return undefined;
      const runningSince = before.runningSince ?? now;
      return now - runningSince >= HEALTHY_MS ? undefined : { ...before, runningSince };
    }
    case 'between':
      return before === undefined ? undefined : { ...before, runningSince: undefined };
    default:
      return assertNever(state);
  }
}
