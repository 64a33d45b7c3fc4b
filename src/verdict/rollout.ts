import { field, number, text } from '../json.ts';
import type { KubeObject } from '../kube/object.ts';
import { conditions, conditionTrue } from './conditions.ts';
import { isStale } from './generation.ts';
import { failed, pending, type RolloutFacts, reached, type Verdict, type Why } from './verdict.ts';

// The rules of `kubectl rollout status`:
// https://kubernetes.io/docs/reference/kubectl/generated/kubectl_rollout/kubectl_rollout_status/

/**
 * Judges a Deployment. Complete counters win over a ProgressDeadlineExceeded that a rollback or a slow start left behind.
 * https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#deployment-status
 */
export function judgeDeployment(deployment: KubeObject): Verdict {
  const wanted = number(deployment, 'spec', 'replicas') ?? 1;
  const { replicas, updated, available } = counters(deployment);
  if (isUnobserved(deployment)) return pending(rollout(deployment, { wanted, stage: 'unobserved' }));
  const stage =
    updated < wanted ? 'updating' : replicas > updated ? 'replacing' : available < updated ? 'starting' : 'done';
  const why = rollout(deployment, { wanted, stage });
  if (stage === 'done') return reached('level', why);
  const progressing = conditions(deployment).find(({ type }) => type === 'Progressing');
  if (progressing?.reason === 'ProgressDeadlineExceeded') {
    const { reason, message } = progressing;
    return failed({ ...why, reason, message });
  }
  // A paused rollout does not continue by itself.
  const isPaused = stage !== 'starting' && field(deployment, 'spec', 'paused') === true;
  return pending({ ...why, ...replicaFailure(deployment), ...(isPaused ? { stage: 'paused' } : {}) });
}

/**
 * Judges a StatefulSet. The revisions alone would not do: currentRevision can lag behind although every pod is updated.
 * https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#rolling-updates
 */
export function judgeStatefulSet(set: KubeObject): Verdict {
  const wanted = number(set, 'spec', 'replicas') ?? 1;
  const { ready, updated } = counters(set);
  const facts = (stage: RolloutFacts['stage']): RolloutFacts => rollout(set, { wanted, stage, available: ready });
  if (isUnobserved(set)) return pending(facts('unobserved'));
  if (ready < wanted) return pending(facts('starting'));
  // Pods below the partition intentionally keep the old revision.
  const partition = number(set, 'spec', 'updateStrategy', 'rollingUpdate', 'partition') ?? 0;
  const isUpdated =
    text(set, 'status', 'currentRevision') === text(set, 'status', 'updateRevision') || updated >= wanted - partition;
  return isOnDelete(set) || isUpdated ? reached('level', facts('done')) : pending(facts('updating'));
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
  return enough ? reached('level', facts) : pending({ ...facts, ...replicaFailure(set) });
}

/** Why the controller cannot create pods: a quota or an admission webhook, for example. */
function replicaFailure(object: KubeObject): Partial<Pick<RolloutFacts, 'reason' | 'message'>> {
  const condition = conditionTrue(object, 'ReplicaFailure');
  return condition === undefined ? {} : { reason: condition.reason, message: condition.message };
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

function rollout(
  object: KubeObject,
  known: Pick<RolloutFacts, 'wanted' | 'stage'> & Partial<Pick<RolloutFacts, 'updated' | 'available'>>,
): RolloutFacts {
  const { updated, available } = counters(object);
  return { code: 'rollout', updated, available, reason: undefined, message: undefined, ...known };
}
