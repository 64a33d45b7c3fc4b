import { field, list, number, text } from '../json.ts';
import type { KubeObject } from '../kube/object.ts';
import type { KindGoal } from './kind-goal.ts';
import { containerFacts, containerStatuses, hasEnded, isTerminating } from './pod.ts';
import { failed, pending, reached, type Verdict, type Why } from './verdict.ts';

type RestartPolicy = 'Always' | 'OnFailure' | 'Never';

interface Found {
  readonly spec: unknown;
  readonly policy: RestartPolicy;
}

/** The names of all containers of a pod, init containers first. */
export function containerNames(pod: KubeObject): readonly string[] {
  return specs(pod).map((spec) => text(spec, 'name') ?? '');
}

/**
 * Judges one container of a pod; undefined where the pod has none of that name. `default` is `ready` for a container
 * that is restarted for ever, else `complete`. An end counts only if kubelet will not start the container again.
 * https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#container-restarts
 */
export function judgeContainer(pod: KubeObject, name: string, goal: KindGoal): Verdict | undefined {
  const found = find(pod, name);
  if (found === undefined) return undefined;
  const wanted = goal === 'default' ? (found.policy === 'Always' ? 'ready' : 'complete') : goal;
  const anyEnd = wanted === 'finished' || wanted === 'settled';
  const status = statusOf(pod, name);
  const why: Why = {
    code: 'container',
    phase: text(pod, 'status', 'phase') ?? 'Pending',
    container: containerFacts(status, name),
  };
  const exitCode = number(status, 'state', 'terminated', 'exitCode');
  if (exitCode !== undefined && isFinal(pod, found, exitCode)) {
    return anyEnd || exitCode === 0 ? reached('terminal', why) : failed(why);
  }
  if (hasEnded(pod)) {
    // Evicted, or the pod ended before this container was started: it never will be.
    return anyEnd ? reached('terminal', why) : failed(why);
  }
  const wantsReady = wanted !== 'complete' && wanted !== 'finished' && !isTerminating(pod);
  if (wantsReady && field(status, 'ready') === true) return reached('level', why);
  return pending(why);
}

function specs(pod: KubeObject): readonly unknown[] {
  return [...list(pod, 'spec', 'initContainers'), ...list(pod, 'spec', 'containers')];
}

function find(pod: KubeObject, name: string): Found | undefined {
  const own = policyOf(pod.spec) ?? 'Always';
  for (const [group, fallback] of [
    // An init container that succeeded is never started again, whatever the pod's policy says.
    ['initContainers', own === 'Always' ? 'OnFailure' : own],
    ['containers', own],
  ] as const) {
    const spec = list(pod, 'spec', group).find((one) => text(one, 'name') === name);
    if (spec !== undefined) return { spec, policy: policyOf(spec) ?? fallback };
  }
  return undefined;
}

function policyOf(spec: unknown): RestartPolicy | undefined {
  const policy = text(spec, 'restartPolicy');
  return policy === 'Always' || policy === 'OnFailure' || policy === 'Never' ? policy : undefined;
}

function statusOf(pod: KubeObject, name: string): unknown {
  return containerStatuses(pod).find((status) => text(status, 'name') === name);
}

/** Whether kubelet leaves an ended container as it is: by its own rules, its own policy, the pod's. */
function isFinal(pod: KubeObject, { spec, policy }: Found, exitCode: number): boolean {
  if (hasEnded(pod)) return true;
  for (const rule of list(spec, 'restartPolicyRules')) {
    if (ruleMatches(rule, exitCode))
      return text(rule, 'action') !== 'Restart' && text(rule, 'action') !== 'RestartAllContainers';
  }
  return policy === 'Never' || (policy === 'OnFailure' && exitCode === 0);
}

/** https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#container-restart-rules */
function ruleMatches(rule: unknown, exitCode: number): boolean {
  const within = list(rule, 'exitCodes', 'values').includes(exitCode);
  switch (text(rule, 'exitCodes', 'operator')) {
    case 'In':
      return within;
    case 'NotIn':
      return !within;
    default:
      return false;
  }
}
