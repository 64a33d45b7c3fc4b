import type { KubeObject } from '../kube/object.ts';
import { isNotServed } from '../kube/problem.ts';
import type { ApiResource } from '../kube/resource.ts';
import { judgeCronJob, newestScheduled } from '../verdict/cronjob.ts';
import { judgeKind, keyOf } from '../verdict/index.ts';
import type { KindGoal } from '../verdict/kind-goal.ts';
import { controllerOf } from '../verdict/owner.ts';
import { isExternalName, judgeService, podSelectorOf } from '../verdict/service.ts';
import { pending, type Verdict } from '../verdict/verdict.ts';
import { judgeGoals, type OwnMeaning } from './goals.ts';
import type { Plan } from './plan.ts';
import type { Scene } from './scene.ts';
import { isDenied, isOpen } from './scene.ts';
import type { Member, Memory, Want } from './state.ts';
import { wantOf } from './want.ts';

const builtIn = (group: string, name: string, kind: string): ApiResource => ({
  group,
  version: 'v1',
  name,
  singularName: kind.toLowerCase(),
  kind,
  shortNames: [],
  namespaced: true,
});

export const JOBS = builtIn('batch', 'jobs', 'Job');
export const PODS = builtIn('', 'pods', 'Pod');
export const EVENTS = builtIn('', 'events', 'Event');
export const ENDPOINT_SLICES = builtIn('discovery.k8s.io', 'endpointslices', 'EndpointSlice');

/** Judges the members whose verdict takes other objects too: the pods of a Service, the Jobs of a CronJob. */
export function judgeWithOthers(scene: Scene): { readonly memory: Memory; readonly wants: readonly Want[] } {
  const { plan, target, memory } = scene;
  const kind = keyOf(target.resource);
  if (kind !== '/services' && kind !== 'batch/cronjobs') return { memory, wants: [] };
  const wants: Want[] = [];
  const members = new Map<string, Member>();
  const pods: KubeObject[] = [];
  // A newest run that is deleted before its end still counts as the newest.
  const endedJobs = new Map(memory.endedJobs);
  for (const [uid, member] of memory.members) {
    const done =
      member.presence === 'gone' || (member.verdict.state === 'reached' && member.verdict.lasting === 'terminal');
    if (done) {
      members.set(uid, member);
      continue;
    }
    const own: OwnMeaning = (object, goal) => {
      if (judgeKind(target.resource, object, goal) !== 'others') throw new Error(`${kind} is judged alone`);
      return kind === '/services'
        ? service(scene, object, goal, wants, pods)
        : cronJob(scene, object, goal === 'finished' ? goal : 'complete', { wants, endedJobs });
    };
    members.set(uid, { ...member, verdict: judgeGoals(plan, target, member.object, own) });
  }
  if (kind !== '/services') return { memory: { ...memory, members, endedJobs }, wants };
  const self = pods.find((pod) => isSelf(plan, pod));
  return { memory: { ...memory, members, self, servedBy: pods.filter((pod) => pod !== self) }, wants };
}

/** Whether a pod is the one that this program runs in. */
export function isSelf({ self }: Pick<Plan, 'self'>, { metadata }: KubeObject): boolean {
  if (self?.uid !== undefined) return metadata.uid === self.uid;
  return self !== undefined && metadata.name === self.name && metadata.namespace === self.namespace;
}

/** Its pods are added to `all`; the waiter's own, which is never ready while it waits, does not count. */
function service(scene: Scene, object: KubeObject, goal: KindGoal, wants: Want[], all: KubeObject[]): Verdict {
  const { name, namespace } = object.metadata;
  if (isExternalName(object)) return judgeService(object, undefined, undefined, goal);
  const labelSelector = podSelectorOf(object);
  const pods =
    labelSelector === undefined
      ? undefined
      : wantOf({ resource: PODS, namespace, labelSelector, mode: 'watch', keep: 'verdict' }, 'required');
  // With a selector the pods decide where EndpointSlices may not be read; without one there is nothing else to go by.
  const slices = wantOf(
    {
      resource: ENDPOINT_SLICES,
      namespace,
      labelSelector: `kubernetes.io/service-name=${name}`,
      mode: 'watch',
      keep: 'verdict',
    },
    pods === undefined ? 'required' : 'optional',
  );
  wants.push(slices);
  if (pods !== undefined) wants.push(pods);
  const sliceState = scene.collections.get(slices.key);
  const trouble = sliceState?.trouble;
  const lacking = isDenied(trouble) || (trouble !== undefined && isNotServed(trouble.problem));
  if ((pods !== undefined && isOpen(scene, pods)) || (isOpen(scene, slices) && !(lacking && pods !== undefined))) {
    return pending({ code: 'reading' });
  }
  const found = pods === undefined ? undefined : [...(scene.collections.get(pods.key)?.objects?.values() ?? [])];
  all.push(...(found ?? []));
  const others = found?.filter((pod) => !isSelf(scene.plan, pod));
  return judgeService(object, others, sliceState?.objects?.values(), goal);
}

function cronJob(
  scene: Scene,
  object: KubeObject,
  goal: 'complete' | 'finished',
  { wants, endedJobs }: { readonly wants: Want[]; readonly endedJobs: Map<string, KubeObject> },
): Verdict {
  const { namespace } = object.metadata;
  const want = wantOf({ resource: JOBS, namespace, mode: 'watch', keep: 'verdict' }, 'required');
  wants.push(want);
  const here = scene.collections.get(want.key)?.objects;
  if (here === undefined) return pending({ code: 'reading' });
  // A history limit of 0 deletes a Job in the moment in which it ends.
  const ended = [...scene.memory.endedJobs.values()].filter((job) => controllerOf(job)?.uid === object.metadata.uid);
  const jobs = new Map([...ended.map((job) => [job.metadata.uid, job] as const), ...here]);
  const newest = newestScheduled(object, jobs.values());
  if (newest !== undefined) endedJobs.set(newest.metadata.uid, newest);
  return judgeCronJob(object, jobs.values(), goal);
}
