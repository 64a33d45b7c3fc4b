import type { KubeObject, Projection } from '../kube/object.ts';
import type { ApiResource } from '../kube/resource.ts';
import { judgeJob, projectJob } from './job.ts';
import { judgePod, projectPod } from './pod.ts';
import type { Verdict } from './verdict.ts';

/** The goals that a kind gives a meaning to. */
export type KindGoal = 'default' | 'complete' | 'finished' | 'ready';

export function isKindGoal(goal: string): goal is KindGoal {
  return goal === 'default' || goal === 'complete' || goal === 'finished' || goal === 'ready';
}

/** What is known of one kind: how its objects are judged and what of them is kept. */
export interface KindRules {
  readonly judge: (object: KubeObject, goal: KindGoal) => Verdict;
  readonly project: Projection;
}

/** By group and resource. To add a kind: one file with its rules, one line here. */
const KINDS: Readonly<Record<string, KindRules>> = {
  'batch/jobs': {
    judge: (job, goal) => judgeJob(job, goal === 'finished' ? 'finished' : 'complete'),
    project: projectJob,
  },
  '/pods': { judge: judgePod, project: projectPod },
};

/** The rules of a kind; undefined where the kind has none of its own. */
export function rulesOf(resource: ApiResource): KindRules | undefined {
  return KINDS[`${resource.group}/${resource.name}`];
}
