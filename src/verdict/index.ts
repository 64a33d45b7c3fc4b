import type { Keep } from '../kube/collection.ts';
import type { KubeObject, Projection } from '../kube/object.ts';
import type { ApiResource } from '../kube/resource.ts';
import { judgeCustom } from './custom.ts';
import { type JobGoal, judgeJob, projectJob } from './job.ts';
import type { KindGoal } from './kind-goal.ts';
import { judgePod, projectPod } from './pod.ts';
import { judgeDaemonSet, judgeDeployment, judgeReplicas, judgeStatefulSet } from './rollout.ts';
import { judgeCondition, judgeCrd, judgeExistence, judgePhase } from './simple.ts';
import type { Verdict } from './verdict.ts';

/** How the objects of a kind are judged, and what of them is kept for it. */
interface KindRules {
  /** `others`: what it comes to follows from other objects as well, so src/wait gathers them. */
  readonly judge: ((object: KubeObject, goal: KindGoal) => Verdict) | 'others';
  readonly project?: Projection;
}

function jobGoal(goal: KindGoal): JobGoal {
  if (goal === 'settled') return 'finished';
  return goal === 'finished' || goal === 'partly' ? goal : 'complete';
}

/** By group and resource. To add a kind: one file with its rules, one line here. */
const KINDS: Readonly<Record<string, KindRules>> = {
  'batch/jobs': {
    judge: (job, goal) => judgeJob(job, jobGoal(goal)),
    project: projectJob,
  },
  '/pods': { judge: judgePod, project: projectPod },
  '/services': { judge: 'others' },
  'batch/cronjobs': { judge: 'others' },
  'apps/deployments': { judge: judgeDeployment },
  'apps/statefulsets': { judge: judgeStatefulSet },
  'apps/daemonsets': { judge: judgeDaemonSet },
  'apps/replicasets': { judge: judgeReplicas },
  '/replicationcontrollers': { judge: judgeReplicas },
  '/persistentvolumeclaims': { judge: (claim) => judgePhase(claim, ['Bound'], ['Lost']) },
  '/persistentvolumes': { judge: (volume) => judgePhase(volume, ['Bound', 'Available'], ['Failed']) },
  '/namespaces': { judge: (namespace) => judgePhase(namespace, ['Active'], []) },
  '/nodes': { judge: (node) => judgeCondition(node, 'Ready') },
  'apiextensions.k8s.io/customresourcedefinitions': { judge: judgeCrd },
  'apiregistration.k8s.io/apiservices': { judge: (service) => judgeCondition(service, 'Available') },
};

/** Every other built-in kind, such as a ConfigMap, has no state: it is there or not. */
const EXISTENCE: KindRules = { judge: judgeExistence };

function rulesOf(resource: ApiResource): KindRules {
  const kind = keyOf(resource);
  const custom: KindRules = { judge: (object) => judgeCustom(object, kind, resource.version) };
  return KINDS[kind] ?? (resource.origin === 'custom' ? custom : EXISTENCE);
}

/** `batch/jobs`, `/pods`: a kind whatever its version. */
export function keyOf({ group, name }: Pick<ApiResource, 'group' | 'name'>): string {
  return `${group}/${name}`;
}

/** A kind's own meaning of a goal; `others` where it follows from other objects as well. */
export function judgeKind(resource: ApiResource, object: KubeObject, goal: KindGoal): Verdict | 'others' {
  const { judge } = rulesOf(resource);
  return judge === 'others' ? judge : judge(object, goal);
}

/** How much of an object a kind's own meaning reads. */
export function keepFor(resource: ApiResource): Keep {
  return rulesOf(resource) === EXISTENCE ? 'metadata' : 'verdict';
}

const PROJECTIONS: Readonly<Record<Keep, Projection>> = {
  verdict: (json, metadata) => ({ metadata, spec: json.spec, status: json.status }),
  metadata: (_json, metadata) => ({ metadata }),
  // A jsonpath may ask for any field.
  whole: (json, metadata) => ({ ...json, metadata: { ...(json.metadata as object), ...metadata } }),
};

/** What is kept of each object of a collection. */
export function projectionOf(resource: ApiResource, keep: Keep): Projection {
  const own = keep === 'verdict' ? rulesOf(resource).project : undefined;
  // What a Service's EndpointSlices say stands beside spec and status.
  if (keyOf(resource) === 'discovery.k8s.io/endpointslices')
    return (json, metadata) => ({ metadata, endpoints: json.endpoints });
  return own ?? PROJECTIONS[keep];
}
