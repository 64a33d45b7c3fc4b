import { field, number, text } from '../json.ts';
import type { KubeObject } from '../kube/object.ts';
import { conditions } from '../verdict/conditions.ts';
import { keyOf } from '../verdict/index.ts';
import { containerStatuses, hasEnded, isTerminating } from '../verdict/pod.ts';
import { PODS } from './others.ts';
import { earlier, type Scene } from './scene.ts';
import type { Memory, Stuck, Want } from './state.ts';
import { wantOf } from './want.ts';

/** A container that has run for this long without interruption is not stuck any more, in milliseconds. */
const HEALTHY_MS = 60_000;

/**
 * Waiting reasons that seldom pass by themselves.
 * https://github.com/kubernetes/kubernetes/blob/v1.36.0/pkg/kubelet/images/types.go
 * https://github.com/kubernetes/kubernetes/blob/v1.36.0/pkg/kubelet/kuberuntime/kuberuntime_container.go
 */
const STUCK_REASONS: ReadonlySet<string> = new Set([
  'ErrImagePull',
  'ImagePullBackOff',
  'InvalidImageName',
  'ErrImageNeverPull',
  'ImageInspectError',
  'RegistryUnavailable',
  'SignatureValidationFailed',
  'CreateContainerConfigError',
  'CreateContainerError',
  'RunContainerError',
  'CrashLoopBackOff',
]);

/** The result of --stuck-after. */
export interface StuckJudgement {
  readonly memory: Memory;
  readonly wants: readonly Want[];
  /** The container or pod that has been stuck for longer than --stuck-after. */
  readonly stuck: Stuck | undefined;
  readonly wakeAt: number | undefined;
}

/**
 * Follows how long each container of the target's pods, or of its Jobs' pods, has been stuck. Each container has one
 * clock whatever the reasons, and so has the scheduling of each pod. A clock starts when this run first sees the state:
 * the clocks of the nodes and of this machine may differ.
 */
export function judgeStuck(scene: Scene): StuckJudgement {
  const { target, memory, now } = scene;
  const { stuckAfterMs } = target;
  if (stuckAfterMs === undefined) return { memory, wants: [], stuck: undefined, wakeAt: undefined };
  const { pods, wants } = podsOf(scene);
  const clocks = new Map<string, Stuck>();
  for (const { key, ...seen } of pods.flatMap(troubles)) {
    const clock = tick(memory.stuck.get(key), seen, now);
    if (clock !== undefined) clocks.set(key, clock);
  }
  let longest: Stuck | undefined;
  let wakeAt: number | undefined;
  for (const clock of clocks.values()) {
    const due = clock.runningSince === undefined ? clock.since + stuckAfterMs : clock.runningSince + HEALTHY_MS;
    if (now < due) wakeAt = earlier(wakeAt, due);
    else if (longest === undefined || clock.since < longest.since) longest = clock;
  }
  return { memory: { ...memory, stuck: clocks }, wants, stuck: longest, wakeAt };
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

/** The current state of a container, or of a pod's scheduling. */
interface Seen extends Pick<Stuck, 'label' | 'reason' | 'message' | 'restarts'> {
  readonly key: string;
  /** `well`: scheduled, or ended with 0, which stops the clock. `between`: neither stuck nor running. */
  readonly state: 'stuck' | 'running' | 'well' | 'between';
}

function troubles(pod: KubeObject): readonly Seen[] {
  const { uid, name } = pod.metadata;
  if (hasEnded(pod) || isTerminating(pod)) return [];
  const label = `pod/${name}`;
  const scheduled = conditions(pod).find(({ type }) => type === 'PodScheduled');
  const isUnschedulable = scheduled?.status === 'False' && scheduled.reason === 'Unschedulable';
  const state = scheduled?.status === 'True' ? 'well' : isUnschedulable ? 'stuck' : 'between';
  const { reason = '', message } = scheduled ?? {};
  return [
    { key: uid, label, reason, message, restarts: 0, state },
    ...containerStatuses(pod).map((status): Seen => {
      const container = text(status, 'name') ?? '';
      return {
        key: `${uid}/${container}`,
        label: `${label} container ${container}`,
        reason: text(status, 'state', 'waiting', 'reason') ?? '',
        message: text(status, 'state', 'waiting', 'message'),
        restarts: number(status, 'restartCount') ?? 0,
        state: stateOf(status),
      };
    }),
  ];
}

function stateOf(status: unknown): Seen['state'] {
  if (STUCK_REASONS.has(text(status, 'state', 'waiting', 'reason') ?? '')) return 'stuck';
  if (number(status, 'state', 'terminated', 'exitCode') === 0) return 'well';
  return field(status, 'state', 'running') === undefined ? 'between' : 'running';
}

function tick(before: Stuck | undefined, seen: Omit<Seen, 'key'>, now: number): Stuck | undefined {
  const { label, reason, message, restarts, state } = seen;
  if (state === 'stuck')
    return { label, reason, message, since: before?.since ?? now, runningSince: undefined, restarts };
  if (before === undefined || state === 'well') return undefined;
  if (state === 'between') return { ...before, runningSince: undefined };
  // A crash between two events shows only in the number of restarts.
  const runningSince = before.restarts === restarts ? (before.runningSince ?? now) : now;
  return now - runningSince >= HEALTHY_MS ? undefined : { ...before, runningSince, restarts };
}
