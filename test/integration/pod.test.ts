/** Pods: tasks and services, by name and by selector, alone, of a Job, or of a controller that replaces them. */
import { describe } from 'vitest';
import {
  api,
  auditOf,
  deployment,
  endPod,
  hasCondition,
  type Json,
  job,
  pod,
  startPod,
  test,
  untilAnswered,
} from '../harness/index.ts';

type TestPod = ReturnType<typeof pod>;

const x = { app: 'x' };
const running = (target: TestPod): Promise<Json> =>
  api.until(target, (found) => found?.status.phase === 'Running', { what: 'running' });
const phase = (target: TestPod, expected: string): Promise<Json> =>
  api.until(target, (found) => found?.status.phase === expected, { what: expected });

/** Task pods `task-0`, `task-1`, ... that run until they are told. */
async function tasks(namespace: string, count: number, more: object = {}): Promise<TestPod[]> {
  const made = Array.from({ length: count }, (_, index) =>
    pod({ namespace, name: `task-${index}`, labels: x, exitCode: 'ask', ...more }),
  );
  await Promise.all(made.map((one) => api.create(one)));
  await Promise.all(made.map(running));
  return made;
}

describe.concurrent('three task pods of a selector', () => {
  test('are reached when the last has succeeded, and not before', async ({ ns, kubeAwait, expect }) => {
    const made = await tasks(ns, 3);
    const run = kubeAwait(['pod', '-l', 'app=x']);
    await run.line(/^pod -l app=x: 0\/3 done, /);
    for (const [index, one] of made.entries()) {
      await endPod(one, 0);
      if (index < 2) await run.line(new RegExp(`^pod -l app=x: ${index + 1}/3 done, `));
    }
    const { code, stdout } = await run.exit;
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'pod -l app=x reached: 3/3 done\n' });
  });

  test('fail as soon as one has failed', async ({ ns, kubeAwait, expect }) => {
    const [first] = await tasks(ns, 3, { message: 'no such table' });
    const run = kubeAwait(['pod', '-l', 'app=x']);
    await run.line(/^pod -l app=x: 0\/3 done, /);
    if (first) await endPod(first, 3);
    const { code, stdout } = await run.exit;
    const others = await api.get(`/api/v1/namespaces/${ns}/pods?fieldSelector=status.phase%3DRunning`);
    expect({ code, stdout }).toEqual({
      code: 1,
      stdout: 'pod -l app=x failed: 0/3 done, pod/task-0 Failed, container main: exit code 3 (no such table)\n',
    });
    expect(others.items).toHaveLength(2);
  });

  test('that come one after the other are awaited too, when they come before the others are done', async ({
    ns,
    kubeAwait,
    expect,
  }) => {
    const [first] = await tasks(ns, 1);
    const run = kubeAwait(['pod', '-l', 'app=x']);
    await run.line(/^pod -l app=x: 0\/1 done, /);
    const late = pod({ namespace: ns, name: 'late', labels: x, exitCode: 'ask' });
    await api.create(late);
    await run.line(/^pod -l app=x: 0\/2 done, /);
    if (first) await endPod(first, 0);
    await run.line(/^pod -l app=x: 1\/2 done, pod\/late /);
    await endPod(late, 0);
    const { code } = await run.exit;
    expect(code).toBe(0);
  });
});

describe.concurrent('a pod by name', () => {
  test('that is a task is reached with Succeeded', async ({ ns, kubeAwait, expect }) => {
    const [task] = await tasks(ns, 1);
    const run = kubeAwait(['pod/task-0']);
    await run.line(/^pod\/task-0: Running$/);
    if (task) await endPod(task, 0);
    const { code, stdout } = await run.exit;
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'pod/task-0 reached: Succeeded\n' });
  });

  test('that is a task fails with Failed, and says which container ended how', async ({ ns, kubeAwait, expect }) => {
    await api.create(pod({ namespace: ns, name: 'task', exitCode: 7, message: 'disk full' }));
    const { code, stdout } = await kubeAwait(['pod/task']).exit;
    expect({ code, stdout }).toEqual({
      code: 1,
      stdout: 'pod/task failed: Failed, container main: exit code 7 (disk full)\n',
    });
  });

  test('whose container is restarted is pending while it fails', async ({ ns, kubeAwait, expect }) => {
    const behaviour = { failTimes: 1, restartPolicy: 'OnFailure', backOff: '1h' } as const;
    const task = pod({ namespace: ns, name: 'task', ...behaviour });
    await api.create(task);
    const run = kubeAwait(['pod/task']);
    await run.line(/^pod\/task: Running, container main waits: CrashLoopBackOff: back-off restarting failed/);
    await api.patchStatus(task, { phase: 'Succeeded' });
    const { code, stdout } = await run.exit;
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'pod/task reached: Succeeded\n' });
  });

  test('whose image cannot be had is pending with the reason', async ({ ns, kubeAwait, expect }) => {
    const task = pod({ namespace: ns, name: 'task', waiting: 'ImagePullBackOff', exitCode: 0 });
    await api.create(task);
    const run = kubeAwait(['pod/task']);
    await run.line(/^pod\/task: Pending, container main waits: ImagePullBackOff: pretended: pretended$/);
    await startPod(task);
    const { code } = await run.exit;
    expect(code).toBe(0);
  });

  test('that cannot be scheduled is pending with the reason', async ({ ns, kubeAwait, expect }) => {
    const nowhere = { nodeSelector: { disk: 'none' } };
    await api.create(pod({ namespace: ns, name: 'task', exitCode: 0, spec: nowhere }));
    const run = kubeAwait(['pod/task']);
    const { text } = await run.line(/^pod\/task: Pending, Unschedulable: /);
    expect(text).toContain('nodes are available');
  });

  test('that is a service is reached when it is ready', async ({ ns, kubeAwait, expect }) => {
    const web = pod({ namespace: ns, name: 'web', start: 'never' });
    await api.create(web);
    const run = kubeAwait(['pod/web']);
    await run.line(/^pod\/web: Pending/);
    await startPod(web);
    const { code, stdout } = await run.exit;
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'pod/web reached: Ready\n' });
  });

  test('that is a service is pending while it runs without being ready', async ({ ns, kubeAwait, expect }) => {
    const web = pod({ namespace: ns, name: 'web', ready: 'never' });
    await api.create(web);
    await running(web);
    const { code, stdout } = await kubeAwait(['pod/web', '--timeout=0']).exit;
    expect({ code, stdout }).toEqual({ code: 124, stdout: 'pod/web not reached: Running, ContainersNotReady\n' });
  });

  test('that is a service is reached with Succeeded too', async ({ ns, kubeAwait, expect }) => {
    const web = pod({ namespace: ns, name: 'web', ready: 'never' });
    await api.create(web);
    await running(web);
    await api.patchStatus(web, { phase: 'Succeeded' });
    const { code, stdout } = await kubeAwait(['pod/web']).exit;
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'pod/web reached: Succeeded\n' });
  });

  test('that is evicted fails with the reason and the message of its status', async ({ ns, kubeAwait, expect }) => {
    const web = pod({ namespace: ns, name: 'web', ready: 'never' });
    await api.create(web);
    await running(web);
    const run = kubeAwait(['pod/web']);
    await run.line(/^pod\/web: Running, /);
    await api.patchStatus(web, { phase: 'Failed', reason: 'Evicted', message: 'The node was low on memory.' });
    const { code, stdout } = await run.exit;
    expect({ code, stdout }).toEqual({
      code: 1,
      stdout: 'pod/web failed: Failed, Evicted: The node was low on memory.\n',
    });
  });
});

describe.concurrent('--for', () => {
  test('--for=ready takes a ready task pod', async ({ ns, kubeAwait, expect }) => {
    await tasks(ns, 1);
    const { code, stdout } = await kubeAwait(['pod/task-0', '--for=ready']).exit;
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'pod/task-0 reached: Ready\n' });
  });

  test('--for=complete does not take a ready service pod', async ({ ns, kubeAwait, expect }) => {
    const web = pod({ namespace: ns, name: 'web' });
    await api.create(web);
    await api.until(web, (found) => hasCondition(found, 'Ready'));
    const { code, stdout } = await kubeAwait(['pod/web', '--for=complete', '--timeout=0']).exit;
    expect({ code, stdout }).toEqual({ code: 124, stdout: 'pod/web not reached: Running\n' });
  });

  test('--for=finished takes a failed pod', async ({ ns, kubeAwait, expect }) => {
    await api.create(pod({ namespace: ns, name: 'task', exitCode: 4 }));
    const { code, stdout } = await kubeAwait(['pod/task', '--for=finished']).exit;
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'pod/task reached: Failed, container main: exit code 4\n' });
  });

  test('of several goals all must hold', async ({ ns, kubeAwait, expect }) => {
    const [task] = await tasks(ns, 1);
    const run = kubeAwait(['pod/task-0', '--for=ready', '--for=complete']);
    await run.line(/^pod\/task-0: Running$/);
    if (task) await endPod(task, 0);
    const { code } = await run.exit;
    expect(code).toBe(0);
  });

  test('what is only ready must still be so at the end', async ({ ns, kubeAwait, expect }) => {
    const web = pod({ namespace: ns, name: 'web' });
    const [task] = await tasks(ns, 1);
    await api.create(web);
    const run = kubeAwait(['pod/web', 'pod/task-0']);
    await run.line(/^pod\/web: Ready$/);
    await api.patchStatus(web, { conditions: [{ type: 'Ready', status: 'False', reason: 'ContainersNotReady' }] });
    await run.line(/^pod\/web: Running, ContainersNotReady$/);
    if (task) await endPod(task, 0);
    await run.line(/^pod\/task-0 reached: Succeeded$/);
    await api.patchStatus(web, { conditions: [{ type: 'Ready', status: 'True' }] });
    const { code, stdout } = await run.exit;
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'pod/task-0 reached: Succeeded\npod/web reached: Ready\n' });
  });

  test('--for=finished: a failed pod of a selector is an end', async ({ ns, kubeAwait, expect }) => {
    const [good, bad] = await tasks(ns, 2);
    const run = kubeAwait(['pod', '-l', 'app=x', '--for=finished']);
    if (bad) await endPod(bad, 1);
    await run.line(/^pod -l app=x: 1\/2 done, pod\/task-0 Running$/);
    if (good) await endPod(good, 0);
    const { code, stdout } = await run.exit;
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'pod -l app=x reached: 2/2 done\n' });
  });

  test('pod-we counts failed pods as done', async ({ ns, kubeAwait, expect }) => {
    await api.create(pod({ namespace: ns, name: 'good', labels: x, exitCode: 0 }));
    await api.create(pod({ namespace: ns, name: 'bad', labels: x, exitCode: 1 }));
    const { code, stdout } = await kubeAwait(['pod-we', '-l', 'app=x']).exit;
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'pod -l app=x reached: 2/2 done\n' });
  });

  test('pod-wr is content with one that is ready', async ({ ns, kubeAwait, expect }) => {
    await api.create(pod({ namespace: ns, name: 'stuck', labels: x, waiting: 'ImagePullBackOff' }));
    await api.create(pod({ namespace: ns, name: 'web', labels: x }));
    const { code } = await kubeAwait(['pod-wr', '-l', 'app=x']).exit;
    expect(code).toBe(0);
  });
});

describe.concurrent('pods of a Job are judged through it', () => {
  test('20 waits never end before the Job is Complete', async ({ ns, kubeAwait, expect }) => {
    const runs = Array.from({ length: 20 }, (_, index) => `job-${index}`).map(async (name) => {
      const labels = { app: name };
      const target = job({ namespace: ns, name, labels, completions: 3, parallelism: 1, runFor: '50ms' });
      await api.create(target);
      const run = kubeAwait(['pod', '-l', `app=${name}`]);
      await run.line(/reached/);
      // Asked for after the line was there: what is not Complete now was not Complete then.
      const then = await api.get(target);
      return { code: (await run.exit).code, complete: hasCondition(then, 'Complete'), pods: then.status.succeeded };
    });
    expect(await Promise.all(runs)).toEqual(runs.map(() => ({ code: 0, complete: true, pods: 3 })));
  });

  test('all pods that there are have succeeded, and the Job has not', async ({ ns, kubeAwait, expect }) => {
    // Its own controller leaves this Job alone, so that each step is ours.
    const target = job({ namespace: ns, name: 'steps', completions: 2, spec: { managedBy: 'example.com/other' } });
    const { uid } = (await api.create(target)).metadata;
    const owner = { apiVersion: 'batch/v1', kind: 'Job', name: 'steps', uid, controller: true };
    const metadata = { ownerReferences: [owner] };
    const run = kubeAwait(['pod', '-l', 'app=x']);
    await run.line(/^pod -l app=x: does not exist yet$/);
    const first = pod({ namespace: ns, name: 'first', labels: x, exitCode: 0, metadata });
    await api.create(first);
    await phase(first, 'Succeeded');
    await run.line(/^pod -l app=x: 0\/1 done, job\/steps 0\/2 succeeded$/);
    // What comes after it on the same two watches shows that the pod's end has changed nothing.
    const startTime = `${new Date().toISOString().slice(0, 19)}Z`;
    await api.patchStatus(target, { startTime, succeeded: 1 });
    await run.line(/^pod -l app=x: 0\/1 done, job\/steps 1\/2 succeeded$/);
    const second = pod({ namespace: ns, name: 'second', labels: x, exitCode: 0, metadata });
    await api.create(second);
    await phase(second, 'Succeeded');
    const times = { lastProbeTime: startTime, lastTransitionTime: startTime };
    const met = { type: 'SuccessCriteriaMet', status: 'True', ...times };
    await api.patchStatus(target, { succeeded: 2, conditions: [met] });
    await run.line(/^pod -l app=x: 0\/1 done, job\/steps SuccessCriteriaMet: 2\/2 succeeded$/);
    const conditions = [met, { type: 'Complete', status: 'True', ...times }];
    await api.patchStatus(target, { completionTime: startTime, conditions });
    const { code } = await run.exit;
    expect(code).toBe(0);
  });

  test('a pod that failed is not the end while the Job tries again', async ({ ns, kubeAwait, exitCodes, expect }) => {
    const retried = job({ namespace: ns, name: 'retried', labels: x, exitCode: 'ask', backoffLimit: 1 });
    await api.create(retried);
    const run = kubeAwait(['pod', '-l', 'app=x']);
    exitCodes(retried, [1, 0]);
    await run.line(/^pod -l app=x: 0\/1 done, job\/retried 0\/1 succeeded, 1 failed$/);
    const { code } = await run.exit;
    expect(code).toBe(0);
  });

  test('a Job that has failed fails the run, with its reason', async ({ ns, kubeAwait, expect }) => {
    await api.create(job({ namespace: ns, name: 'bad', labels: x, exitCode: 1 }));
    const { code, stdout } = await kubeAwait(['pod', '-l', 'app=x']).exit;
    expect(code).toBe(1);
    expect(stdout).toMatch(/^pod -l app=x failed: 0\/1 done, job\/bad BackoffLimitExceeded: .+\n$/);
  });

  test('under --for=finished a Job that has failed is an end as well', async ({ ns, kubeAwait, expect }) => {
    await api.create(job({ namespace: ns, name: 'bad', labels: x, exitCode: 1 }));
    const { code } = await kubeAwait(['pod', '-l', 'app=x', '--for=finished']).exit;
    expect(code).toBe(0);
  });

  test('of several Jobs each must be Complete', async ({ ns, kubeAwait, exitCodes, expect }) => {
    const one = job({ namespace: ns, name: 'one', labels: x });
    const two = job({ namespace: ns, name: 'two', labels: x, exitCode: 'ask' });
    await api.create(one);
    await api.create(two);
    const run = kubeAwait(['pod', '-l', 'app=x']);
    await run.line(/^pod -l app=x: 1\/2 done, job\/two 0\/1 succeeded, 1 active$/);
    exitCodes(two, [0]);
    const { code, stdout } = await run.exit;
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'pod -l app=x reached: 2/2 done\n' });
  });

  test('a pod of a Job by name is judged alone', async ({ ns, kubeAwait, exitCodes, identity, expect }) => {
    const who = await identity();
    const retried = job({ namespace: ns, name: 'retried', labels: x, exitCode: 'ask', backoffLimit: 6 });
    await api.create(retried);
    exitCodes(retried, [1]);
    const pods = `/api/v1/namespaces/${ns}/pods?labelSelector=app%3Dx`;
    const [failed] = await api.untilAll(pods, (all) => all.some(({ status }) => status.phase === 'Failed'));
    const name = `pod/${failed?.metadata.name}`;
    const { code, stdout } = await kubeAwait([name], { as: who }).exit;
    expect({ code, stdout }).toEqual({ code: 1, stdout: `${name} failed: Failed, container main: exit code 1\n` });
    expect(auditOf(who.user).map(({ resource }) => resource)).not.toContain('jobs');
  });

  test('pod-we asks for no Job', async ({ ns, kubeAwait, identity, expect }) => {
    const who = await identity();
    await api.create(job({ namespace: ns, name: 'bad', labels: x, exitCode: 1 }));
    const { code } = await kubeAwait(['pod-we', '-l', 'app=x'], { as: who }).exit;
    expect(code).toBe(0);
    expect(auditOf(who.user).map(({ resource }) => resource)).not.toContain('jobs');
  });
});

describe.concurrent('failed pods and their owners', () => {
  const evicted = { phase: 'Failed', reason: 'Evicted', message: 'The node was low on memory.' };

  async function replicas(namespace: string, options: object = {}): Promise<{ web: TestPod; first: TestPod }> {
    const web = deployment({ namespace, name: 'web', ...options });
    await api.create(web);
    const path = `/api/v1/namespaces/${namespace}/pods?labelSelector=app%3Dweb`;
    const [found] = await api.untilAll(path, (all) => all[0]?.status.phase === 'Running');
    return { web, first: { ...found, apiVersion: 'v1', kind: 'Pod' } as unknown as TestPod };
  }

  test('a pod that a ReplicaSet replaces does not count, and is told', async ({ ns, kubeAwait, expect }) => {
    const { first } = await replicas(ns, { ready: 'never' });
    const run = kubeAwait(['pod', '-l', 'app=web']);
    await run.line(/^pod -l app=web: 0\/1 done, pod\/web-\S+ Running, ContainersNotReady$/);
    await api.patchStatus(first, evicted);
    await run.line(/^pod -l app=web: 0\/1 done, 1 replaced by the controller, pod\/web-\S+ /);
    const path = `/api/v1/namespaces/${ns}/pods?labelSelector=app%3Dweb`;
    const [second] = await api
      .untilAll(path, (all) => all.some(({ status }) => status.phase === 'Running'))
      .then((all) => all.filter(({ status }) => status.phase === 'Running'));
    const conditions = [{ type: 'Ready', status: 'True' }];
    await api.patchStatus({ ...second, apiVersion: 'v1', kind: 'Pod' } as unknown as TestPod, { conditions });
    const { code, stdout } = await run.exit;
    expect(code).toBe(0);
    expect(stdout).toMatch(/^pod -l app=web reached: /);
  });

  test('a selector that finds only such pods is pending, not missing', async ({ ns, kubeAwait, expect }) => {
    const { web, first } = await replicas(ns);
    await api.patchStatus(first, evicted);
    const path = `/api/v1/namespaces/${ns}/pods?labelSelector=app%3Dweb`;
    await api.untilAll(path, (all) => all.length === 2);
    await api.patch(web, { spec: { replicas: 0 } });
    await api.untilAll(path, (all) => all.length === 1);
    const run = kubeAwait(['pod', '-l', 'app=web', '--on-missing=fail', '--missing-grace=0s']);
    await run.line(/^pod -l app=web: 0\/0 done, 1 replaced by the controller; replaced: pod\/web-\S+$/);
    await api.patch(web, { spec: { replicas: 1 } });
    const { code } = await run.exit;
    expect(code).toBe(0);
  });

  test('such a pod by name is judged alone', async ({ ns, kubeAwait, expect }) => {
    const { first } = await replicas(ns);
    await api.patchStatus(first, evicted);
    const { code } = await kubeAwait([`pod/${first.metadata.name}`]).exit;
    expect(code).toBe(1);
  });

  test('a pod of any other controller is not replaced', async ({ ns, kubeAwait, expect }) => {
    const owner = deployment({ namespace: ns, name: 'owner', replicas: 0 });
    const { uid } = (await api.create(owner)).metadata;
    const reference = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'owner', uid, controller: true };
    const metadata = { ownerReferences: [reference] };
    await api.create(pod({ namespace: ns, name: 'task', labels: x, exitCode: 1, metadata }));
    const { code } = await kubeAwait(['pod', '-l', 'app=x']).exit;
    expect(code).toBe(1);
  });
});

describe.concurrent('--expect and --at-least', () => {
  test('--expect: fewer are not enough, however well they ended', async ({ ns, kubeAwait, expect }) => {
    await api.create(pod({ namespace: ns, name: 'one', labels: x, exitCode: 0 }));
    const run = kubeAwait(['pod', '-l', 'app=x', '--expect=2']);
    await run.line(/^pod -l app=x: 1\/2 done, 1 of 2 expected found$/);
    await api.create(pod({ namespace: ns, name: 'two', labels: x, exitCode: 0 }));
    const { code, stdout } = await run.exit;
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'pod -l app=x reached: 2/2 done\n' });
  });

  test('--expect 2: the first pod appears 5 s before the second', async ({ ns, kubeAwait, expect }) => {
    await api.create(pod({ namespace: ns, name: 'one', labels: x, exitCode: 0 }));
    // Missing is what such a selector is not.
    const policy = ['--on-missing=fail', '--missing-grace=0s'];
    const run = kubeAwait(['pod', '-l', 'app=x', '--expect=2', ...policy, '--heartbeat=1s']);
    await run.line(/^still waiting after 5s, .*: pod -l app=x \(1\/2 done, 1 of 2 expected found\)$/);
    await api.create(pod({ namespace: ns, name: 'two', labels: x, exitCode: 'ask' }));
    await run.line(/^pod -l app=x: 1\/2 done, pod\/two /);
    await endPod(pod({ namespace: ns, name: 'two' }), 0);
    const { code, stdout } = await run.exit;
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'pod -l app=x reached: 2/2 done\n' });
  });

  test('--expect counts Jobs too', async ({ ns, kubeAwait, expect }) => {
    await api.create(job({ namespace: ns, name: 'one', labels: x }));
    const run = kubeAwait(['job', '-l', 'app=x', '--expect=2']);
    await run.line(/^job -l app=x: 1\/2 done, 1 of 2 expected found$/);
    await api.create(job({ namespace: ns, name: 'two', labels: x }));
    const { code } = await run.exit;
    expect(code).toBe(0);
  });

  test('--expect: so many succeeded pods of a Job are enough, also where Jobs may not be read', async ({
    ns,
    kubeAwait,
    identity,
    expect,
  }) => {
    const who = await identity({ rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['list', 'watch'] }] });
    await api.create(job({ namespace: ns, name: 'many', labels: x, completions: 3, parallelism: 1, runFor: '50ms' }));
    const { code } = await kubeAwait(['pod', '-l', 'app=x', '--expect=3'], { as: who }).exit;
    const pods = await api.get(`/api/v1/namespaces/${ns}/pods?fieldSelector=status.phase%3DSucceeded`);
    expect(code).toBe(0);
    expect(pods.items).toHaveLength(3);
  });

  test('--expect: a failed Job fails the run, where Jobs may be read', async ({ ns, kubeAwait, expect }) => {
    await api.create(job({ namespace: ns, name: 'bad', labels: x, exitCode: 1 }));
    const { code, stdout } = await kubeAwait(['pod', '-l', 'app=x', '--expect=3']).exit;
    expect(code).toBe(1);
    expect(stdout).toContain('job/bad BackoffLimitExceeded');
  });

  test('--at-least: so many are enough', async ({ ns, kubeAwait, expect }) => {
    const [first, second] = await tasks(ns, 3);
    const run = kubeAwait(['pod', '-l', 'app=x', '--at-least=2']);
    if (first) await endPod(first, 0);
    await run.line(/^pod -l app=x: 1\/2 done, /);
    if (second) await endPod(second, 0);
    const { code, stdout } = await run.exit;
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'pod -l app=x reached: 2/2 done\n' });
  });

  test('--at-least fails when too few can still be reached, and not before', async ({ ns, kubeAwait, expect }) => {
    const [first, second] = await tasks(ns, 3);
    const run = kubeAwait(['pod', '-l', 'app=x', '--at-least=2']);
    await run.line(/^pod -l app=x: 0\/2 done, /);
    if (first) await endPod(first, 1);
    await run.line(/^pod -l app=x: 0\/2 done, pod\/task-1 Running$/);
    if (second) await endPod(second, 1);
    const { code, stdout } = await run.exit;
    const failed = await api.get(`/api/v1/namespaces/${ns}/pods?fieldSelector=status.phase%3DFailed`);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^pod -l app=x failed: 0\/2 done, pod\/task-0 Failed, container main: exit code 1\n$/);
    expect(failed.items).toHaveLength(2);
  });

  for (const [third, exitCode, expected] of [
    ['two failed bare pods of three', 0, { code: 0, stdout: /^pod -l app=x reached: 1\/1 done/ }],
    [
      'all three bare pods failed, at once',
      1,
      { code: 1, stdout: /^pod -l app=x failed: 0\/1 done, pod\/task-0 Failed/ },
    ],
  ] as const) {
    test(`--at-least 1 with ${third}: ${expected.code}`, async ({ ns, kubeAwait, expect }) => {
      const [one, two, last] = await tasks(ns, 3);
      const run = kubeAwait(['pod', '-l', 'app=x', '--at-least=1', '--logs=0']);
      if (one) await endPod(one, 1);
      if (two) await endPod(two, 1);
      await run.line(/^pod -l app=x: 0\/1 done, pod\/task-2 Running$/);
      if (last) await endPod(last, exitCode);
      const { code, stdout } = await run.exit;
      expect(code).toBe(expected.code);
      expect(stdout).toMatch(expected.stdout);
    });
  }

  test('--at-least: a failed pod stays failed, though its Job would try again', async ({
    ns,
    kubeAwait,
    exitCodes,
    expect,
  }) => {
    const retried = job({ namespace: ns, name: 'retried', labels: x, exitCode: 'ask', backoffLimit: 6 });
    await api.create(retried);
    exitCodes(retried, [1]);
    const { code, stdout } = await kubeAwait(['pod', '-l', 'app=x', '--at-least=1', '--logs=0']).exit;
    const { status } = await api.get(retried);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^pod -l app=x failed: 0\/1 done, pod\/retried-\w+ Failed/);
    expect(hasCondition({ status }, 'Failed')).toBe(false);
  });

  test('--at-least and --expect: not before so many are there', async ({ ns, kubeAwait, expect }) => {
    await api.create(pod({ namespace: ns, name: 'one', labels: x, exitCode: 0 }));
    const run = kubeAwait(['pod', '-l', 'app=x', '--at-least=1', '--expect=2']);
    await run.line(/^pod -l app=x: 1\/1 done, 1 of 2 expected found$/);
    await api.create(pod({ namespace: ns, name: 'two', labels: x, start: 'never' }));
    const { code } = await run.exit;
    expect(code).toBe(0);
  });

  test('--at-least asks for no Job', async ({ ns, kubeAwait, identity, expect }) => {
    const who = await identity();
    await api.create(job({ namespace: ns, name: 'many', labels: x, completions: 2, parallelism: 1 }));
    const { code } = await kubeAwait(['pod', '-l', 'app=x', '--at-least=1'], { as: who }).exit;
    expect(code).toBe(0);
    expect(auditOf(who.user).map(({ resource }) => resource)).not.toContain('jobs');
  });
});

describe.concurrent("the waiter's own pod", () => {
  test('never counts in a selector', async ({ ns, kubeAwait, expect }) => {
    await tasks(ns, 1);
    await api.create(pod({ namespace: ns, name: 'other', labels: x, exitCode: 0 }));
    const env = { POD_NAME: 'task-0', POD_NAMESPACE: ns };
    const { code, stdout } = await kubeAwait(['pod', '-l', 'app=x'], { env }).exit;
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'pod -l app=x reached: 1/1 done, pod/other Succeeded\n' });
  });

  test('by name is a usage error', async ({ ns, kubeAwait, expect }) => {
    const env = { POD_NAME: 'task-0', POD_NAMESPACE: ns };
    const { code, stderr } = await kubeAwait(['pod/task-0'], { env }).exit;
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: 'kube-await: expected --container NAME with the pod that waits itself, got "pod/task-0"\n',
    });
  });
});

describe.concurrent('a wait that only pods of the own controller can meet is a deadlock', () => {
  test('a selector that finds none but them: the first heartbeat says so', async ({ ns, kubeAwait, expect }) => {
    await api.create(deployment({ namespace: ns, name: 'web', replicas: 2, start: 'never' }));
    const path = `/api/v1/namespaces/${ns}/pods?labelSelector=app%3Dweb`;
    const [self] = await api.untilAll(path, (all) => all.length === 2);
    const env = { POD_NAME: self.metadata.name, POD_NAMESPACE: ns };
    const run = kubeAwait(['pod', '-l', 'app=web', '--heartbeat=200ms'], { env });
    const { text } = await run.line(/^hint: pod -l app=web: only pods of replicaset\/web-\w+ can meet this/);
    expect(text).toMatch(/it waits for itself, for ever$/);
    // Another pod that the selector finds can be done: nothing is said.
    await api.create(pod({ namespace: ns, name: 'other', labels: { app: 'web' }, start: 'never' }));
    const args = ['pod', '-l', 'app=web', '--heartbeat=200ms', '--timeout=1s'];
    const { stderr } = await untilAnswered(() => kubeAwait(args, { env }));
    expect(stderr).toMatch(/^still waiting after /m);
    expect(stderr).not.toContain('hint: ');
  });
});
