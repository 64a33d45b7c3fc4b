import { field, number, text } from '../json.ts';
import type { KubeObject } from '../kube/object.ts';
import { conditions } from './conditions.ts';
import { isStale } from './generation.ts';
import { failed, pending, type RolloutFacts, reached, type Verdict, type Why } from './verdict.ts';

// The rules of `kubectl rollout status`:
// https://kubernetes.io/docs/reference/kubectl/generated/kubectl_rollout/kubectl_rollout_status/

/** https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#deployment-status */
export function judgeDeployment(deployment: KubeObject): Verdict {
  const wanted = number(deployment, 'spec', 'replicas') ?? 1;
  const { replicas, updated, available } = counters(deployment);
  const progressing = conditions(deployment).find(({ type }) => type === 'Progressing');
  if (isUnobserved(deployment)) return pending(rollout(deployment, { wanted, stage: 'unobserved' }));
  if (progressing?.reason === 'ProgressDeadlineExceeded') {
    const { reason, message } = progressing;
    return failed({ ...rollout(deployment, { wanted, stage: 'updating' }), reason, message });
  }
  if (updated < wanted) return unlessPaused(deployment, rollout(deployment, { wanted, stage: 'updating' }));
  if (replicas > updated) return unlessPaused(deployment, rollout(deployment, { wanted, stage: 'replacing' }));
  if (available < updated) return pending(rollout(deployment, { wanted, stage: 'starting' }));
  return reached('level', rollout(deployment, { wanted, stage: 'done' }));
}

/** https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#rolling-updates */
export function judgeStatefulSet(set: KubeObject): Verdict {
  const wanted = number(set, 'spec', 'replicas') ?? 1;
  const { ready, updated } = counters(set);
  const facts = (stage: RolloutFacts['stage']): Why => rollout(set, { wanted, stage, available: ready });
  if (isUnobserved(set)) return pending(facts('unobserved'));
  if (ready < wanted) return pending(facts('starting'));
  if (isOnDelete(set)) return reached('level', facts('done'));
  // Pods below the partition stay as they are, on purpose.
  const partition = number(set, 'spec', 'updateStrategy', 'rollingUpdate', 'partition') ?? 0;
  if (updated < Math.max(0, wanted - partition)) return pending(facts('updating'));
  const current = text(set, 'status', 'currentRevision');
  const update = text(set, 'status', 'updateRevision');
  if (partition === 0 && current !== update) return pending(facts('replacing'));
  return reached('level', facts('done'));
}

/** https://kubernetes.io/docs/tasks/manage-daemon/update-daemon-set/ */
export function judgeDaemonSet(set: KubeObject): Verdict {
  const wanted = number(set, 'status', 'desiredNumberScheduled') ?? 0;
  const updated = number(set, 'status', 'updatedNumberScheduled') ?? 0;
  const available = number(set, 'status', 'numberAvailable') ?? 0;
  const facts = (stage: RolloutFacts['stage']): Why => rollout(set, { wanted, stage, updated, available });
  if (isUnobserved(set)) return pending(facts('unobserved'));
  if (!isOnDelete(set) && updated < wanted) return pending(facts('updating'));
  if (available < wanted) return pending(facts('starting'));
  return reached('level', facts('done'));
}

/** ReplicaSet and ReplicationController: every wanted replica is available. */
export function judgeReplicas(set: KubeObject): Verdict {
  const wanted = number(set, 'spec', 'replicas') ?? 1;
  const { available } = counters(set);
  if (isUnobserved(set)) return pending(rollout(set, { wanted, stage: 'unobserved' }));
  const enough = available >= wanted;
  // A ReplicaSet knows of no update: it has one version.
  const facts = rollout(set, { wanted, stage: enough ? 'done' : 'starting', updated: wanted });
  return enough ? reached('level', facts) : pending(facts);
}

function counters(object: KubeObject): Record<'replicas' | 'updated' | 'available' | 'ready', number> {
  const count = (name: string): number => number(object, 'status', name) ?? 0;
  return {
    replicas: count('replicas'),
    updated: count('updatedReplicas'),
    available: count('availableReplicas'),
    ready: count('readyReplicas'),
  };
}

/** Unlike for other kinds, no observedGeneration means here that the controller has not looked at all. */
function isUnobserved(object: KubeObject): boolean {
  const generation = object.metadata.generation ?? 0;
  return isStale(object) || (generation > 0 && number(object, 'status', 'observedGeneration') === undefined);
}

function isOnDelete(object: KubeObject): boolean {
  return text(object, 'spec', 'updateStrategy', 'type') === 'OnDelete';
}

/** A paused roll-out goes no further by itself: that is worth a word of its own. */
function unlessPaused(deployment: KubeObject, why: Why & { readonly code: 'rollout' }): Verdict {
  return pending(field(deployment, 'spec', 'paused') === true ? { ...why, stage: 'paused' } : why);
}

function rollout(
  object: KubeObject,
  known: Pick<RolloutFacts, 'wanted' | 'stage'> & Partial<Pick<RolloutFacts, 'updated' | 'available'>>,
): RolloutFacts {
  const { updated, available } = counters(object);
  return { code: 'rollout', updated, available, reason: undefined, message: undefined, ...known };
}
