/** Targets that are not there, not there yet, not there any more, or on their way out. */
import { describe } from 'vitest';
import { api, endPod, hasCondition, job, pod, test, untilAnswered } from '../harness/index.ts';

type TestObject = ReturnType<typeof job>;

const x = { app: 'x' };
const held = ['kube-await.test/held'];
const gone = (target: TestObject): Promise<unknown> => api.until(target, (found) => found === undefined);
const running = (target: TestObject): Promise<unknown> =>
  api.until(target, (found) => found?.status.phase === 'Running');
/** Lets an object go that is being deleted. */
const release = (target: TestObject): Promise<unknown> => api.patch(target, { metadata: { finalizers: null } });
/** By default the API leaves the pods of a Job that is deleted. */
const withPods = { propagationPolicy: 'Background' };
const noPods = (target: TestObject): Promise<unknown> =>
  api.untilAll(
    `/api/v1/namespaces/${target.metadata.namespace}/pods?labelSelector=job-name%3D${target.metadata.name}`,
    (all) => all.length === 0,
  );

describe.concurrent('a target that does not exist', () => {
  test('is awaited until the timeout, which says so', async ({ kubeAwait, expect }) => {
    const { code, stdout, stderr } = await untilAnswered(() => kubeAwait(['job/x', '--timeout=4s']));
    expect({ code, stdout, stderr }).toEqual({
      code: 124,
      stdout: 'job/x not reached after 4s: does not exist yet\n',
      stderr: expect.stringMatching(/^job\/x: does not exist yet\nhint: job\/x: .*\n$/),
    });
  });

  test('--on-missing=wait is awaited beyond the grace', async ({ kubeAwait, expect }) => {
    const args = ['job/x', '--on-missing=wait', '--missing-grace=0s', '--timeout=4s'];
    const { code } = await kubeAwait(args).exit;
    expect(code).toBe(124);
  });

  test('--on-missing=fail fails when the grace is over', async ({ kubeAwait, expect }) => {
    const run = kubeAwait(['job/x', '--on-missing=fail', '--missing-grace=1s']);
    await run.line(/^job\/x: does not exist yet$/);
    const { code, stdout, durationMs } = await run.exit;
    expect({ code, stdout }).toEqual({ code: 1, stdout: 'job/x failed: does not exist\n' });
    expect(durationMs).toBeGreaterThan(1_000);
  });

  test('--on-missing=succeed is reached when the grace is over, never seen', async ({ kubeAwait, expect }) => {
    const { code, stdout } = await kubeAwait(['job/x', '--on-missing=succeed', '--missing-grace=1s']).exit;
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'job/x reached: never seen, taken as done\n' });
  });

  test('--on-missing=fail is awaited like any other once it is there within the grace', async ({
    ns,
    kubeAwait,
    exitCodes,
    expect,
  }) => {
    const run = kubeAwait(['job/x', '--on-missing=fail', '--missing-grace=60s']);
    await run.line(/^job\/x: does not exist yet$/);
    const late = job({ namespace: ns, name: 'x', exitCode: 'ask' });
    await api.create(late);
    await run.line(/^job\/x: 0\/1 succeeded, 1 active$/);
    exitCodes(late, [0]);
    const { code } = await run.exit;
    expect(code).toBe(0);
  });

  test('a selector that finds nothing is missing too', async ({ kubeAwait, expect }) => {
    const waits = await untilAnswered(() => kubeAwait(['pod', '-l', 'app=x', '--timeout=4s']));
    const fails = await kubeAwait(['pod', '-l', 'app=x', '--on-missing=fail', '--missing-grace=0s']).exit;
    const succeeds = await kubeAwait(['job', '-l', 'app=x', '--on-missing=succeed', '--missing-grace=0s']).exit;
    expect([waits.code, fails.code, succeeds.code]).toEqual([124, 1, 0]);
    expect(waits.stdout).toBe('pod -l app=x not reached after 4s: does not exist yet\n');
    expect(fails.stdout).toBe('pod -l app=x failed: does not exist\n');
    expect(succeeds.stdout).toBe('job -l app=x reached: never seen, taken as done\n');
  });

  test('the variables KUBE_AWAIT_ON_MISSING and KUBE_AWAIT_MISSING_GRACE mean the same', async ({
    kubeAwait,
    expect,
  }) => {
    const env = { KUBE_AWAIT_ON_MISSING: 'succeed', KUBE_AWAIT_MISSING_GRACE: '0s' };
    const { code } = await kubeAwait(['job/x'], { env }).exit;
    expect(code).toBe(0);
  });
});

describe.concurrent('a target that is deleted before it was done', () => {
  test('is awaited, and a new one of its name counts', async ({ ns, kubeAwait, exitCodes, expect }) => {
    const first = job({ namespace: ns, name: 'x', exitCode: 'ask' });
    await api.create(first);
    const run = kubeAwait(['job/x']);
    await run.line(/^job\/x: 0\/1 succeeded, 1 active$/);
    await api.delete(first, withPods);
    await run.line(/^job\/x: deleted before it was done$/);
    await noPods(first);
    const second = job({ namespace: ns, name: 'x', exitCode: 'ask' });
    await api.create(second);
    exitCodes(second, [0]);
    const { code, stdout } = await run.exit;
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'job/x reached: Complete, 1/1 succeeded\n' });
    expect(hasCondition(await api.get(second), 'Complete')).toBe(true);
  });

  for (const [policy, expected] of [
    ['fail', { code: 1, stdout: 'job/x failed: deleted before it was done\n' }],
    ['succeed', { code: 0, stdout: 'job/x reached: deleted before it was done, taken as done\n' }],
  ] as const) {
    test(`--on-missing=${policy} decides`, async ({ ns, kubeAwait, expect }) => {
      const target = job({ namespace: ns, name: 'x', exitCode: 'ask' });
      await api.create(target);
      const run = kubeAwait(['job/x', `--on-missing=${policy}`, '--missing-grace=0s']);
      await run.line(/^job\/x: 0\/1 succeeded, 1 active$/);
      await api.delete(target, withPods);
      const { code, stdout } = await run.exit;
      expect({ code, stdout }).toEqual(expected);
    });
  }

  test('leaves a gap in a selector', async ({ ns, kubeAwait, expect }) => {
    const task = pod({ namespace: ns, name: 'task', labels: x, exitCode: 'ask' });
    const other = pod({ namespace: ns, name: 'other', labels: x, exitCode: 0 });
    await api.create(task);
    await api.create(other);
    const run = kubeAwait(['pod', '-l', 'app=x', '--on-missing=fail', '--missing-grace=0s', '--for=finished']);
    await run.line(/^pod -l app=x: 1\/2 done, pod\/task Running$/);
    // Gone at once, so that it cannot end on the way.
    await api.delete(task, { gracePeriodSeconds: 0 });
    const { code, stdout } = await run.exit;
    expect({ code, stdout }).toEqual({
      code: 1,
      stdout: 'pod -l app=x failed: 1/2 done, pod/task deleted before it was done\n',
    });
  });

  test('is taken as done under --on-missing=succeed, also when nothing else was found', async ({
    ns,
    kubeAwait,
    expect,
  }) => {
    const task = pod({ namespace: ns, name: 'task', labels: x, exitCode: 'ask' });
    await api.create(task);
    const run = kubeAwait(['pod', '-l', 'app=x', '--on-missing=succeed', '--missing-grace=0s']);
    await run.line(/^pod -l app=x: 0\/1 done, pod\/task Running$/);
    await api.delete(task, { gracePeriodSeconds: 0 });
    const { code, stdout } = await run.exit;
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: 'pod -l app=x reached: 1/1 done, pod/task deleted before it was done, taken as done\n',
    });
  });

  test('is not what happened when it has merely left the selection', async ({ ns, kubeAwait, expect }) => {
    const task = pod({ namespace: ns, name: 'task', labels: x, exitCode: 'ask' });
    const other = pod({ namespace: ns, name: 'other', labels: x, exitCode: 'ask' });
    await api.create(task);
    await api.create(other);
    await running(other);
    const run = kubeAwait(['pod', '-l', 'app=x', '--on-missing=fail', '--missing-grace=0s']);
    await run.line(/^pod -l app=x: 0\/2 done, /);
    await api.patch(task, { metadata: { labels: { app: 'y' } } });
    await run.line(/^pod -l app=x: 0\/1 done, pod\/other /);
    await endPod(other, 0);
    const { code } = await run.exit;
    expect(code).toBe(0);
  });

  test('while nobody looked: how it ended is unknown', async ({ ns, kubeAwait, identity, expect }) => {
    const rules = [{ apiGroups: ['batch'], resources: ['jobs'], verbs: ['get', 'list'] }];
    const target = job({ namespace: ns, name: 'x', exitCode: 'ask' });
    await api.create(target);
    const args = ['job/x', '--on-missing=fail', '--missing-grace=0s'];
    const run = kubeAwait(args, { as: await identity({ rules }) });
    await run.line(/^cannot watch jobs\.batch "x" in .* \(forbidden\); polling every 2 to 10 s instead$/);
    await api.delete(target, withPods);
    const { code, stdout } = await run.exit;
    expect({ code, stdout }).toEqual({ code: 1, stdout: 'job/x failed: deleted, outcome unknown\n' });
  });
});

describe.concurrent('an edit of its labels looks like a deletion', () => {
  const relabel = (target: TestObject): Promise<unknown> => api.patch(target, { metadata: { labels: { app: 'y' } } });

  test('under --for=delete: it is still there until it is deleted', async ({ ns, kubeAwait, expect }) => {
    const target = pod({ namespace: ns, name: 'task', labels: x, exitCode: 'ask' });
    const other = pod({ namespace: ns, name: 'other', labels: x, exitCode: 'ask' });
    await Promise.all([api.create(target), api.create(other)]);
    const run = kubeAwait(['pod', '-l', 'app=x', '--for=delete']);
    await run.line(/^pod -l app=x: 2 of 2 still exist, /);
    await relabel(target);
    await api.delete(other, { gracePeriodSeconds: 0 });
    await run.line(/^pod -l app=x: 1 of 2 still exist, task among them$/);
    await api.delete(target, { gracePeriodSeconds: 0 });
    const { code, stdout } = await run.exit;
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'pod -l app=x reached: deleted\n' });
  });

  for (const policy of ['wait', 'fail', 'succeed']) {
    test(`under --for=complete and --on-missing=${policy}: the others decide`, async ({
      ns,
      kubeAwait,
      exitCodes,
      expect,
    }) => {
      const left = job({ namespace: ns, name: 'left', labels: x, exitCode: 'ask' });
      const stays = job({ namespace: ns, name: 'stays', labels: x, exitCode: 'ask' });
      await Promise.all([api.create(left), api.create(stays)]);
      const args = ['--for=complete', `--on-missing=${policy}`, '--missing-grace=0s'];
      const run = kubeAwait(['job', '-l', 'app=x', ...args]);
      await run.line(/^job -l app=x: 0\/2 done, /);
      await relabel(left);
      await run.line(/^job -l app=x: 0\/1 done, /);
      exitCodes(stays, [0]);
      const { code, stdout } = await run.exit;
      expect(code).toBe(0);
      expect(stdout).toMatch(/^job -l app=x reached: 1\/1 done, job\/stays Complete/);
    });
  }

  test('of the pod of a Job: its Job does not count any more', async ({ ns, kubeAwait, expect }) => {
    const migrate = job({ namespace: ns, name: 'migrate', labels: x, exitCode: 'ask' });
    const other = pod({ namespace: ns, name: 'other', labels: x, exitCode: 0 });
    await Promise.all([api.create(migrate), api.create(other)]);
    const pods = `/api/v1/namespaces/${ns}/pods?labelSelector=job-name%3Dmigrate`;
    const [found] = await api.untilAll(pods, (all) => all[0]?.status.phase === 'Running');
    const run = kubeAwait(['pod', '-l', 'app=x']);
    await run.line(/^pod -l app=x: 1\/2 done, job\/migrate 0\/1 succeeded/);
    await relabel({ ...found, apiVersion: 'v1', kind: 'Pod' });
    const { code, stdout } = await run.exit;
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'pod -l app=x reached: 1/1 done, pod/other Succeeded\n' });
  });

  test('but a Job that is deleted with its pods leaves a gap', async ({ ns, kubeAwait, expect }) => {
    // Its pod goes without an end that anybody could tell.
    const migrate = job({ namespace: ns, name: 'migrate', labels: x, exitCode: 'ask', deleteAfter: '1h' });
    const other = pod({ namespace: ns, name: 'other', labels: x, exitCode: 0 });
    await Promise.all([api.create(migrate), api.create(other)]);
    const pods = `/api/v1/namespaces/${ns}/pods?labelSelector=job-name%3Dmigrate`;
    const [found] = await api.untilAll(pods, (all) => all[0]?.status.phase === 'Running');
    const run = kubeAwait(['pod', '-l', 'app=x', '--on-missing=fail', '--missing-grace=1s', '--logs=0']);
    await run.line(/^pod -l app=x: 1\/2 done, job\/migrate 0\/1 succeeded/);
    await api.delete(migrate, withPods);
    await api.delete({ ...found, apiVersion: 'v1', kind: 'Pod' }, { gracePeriodSeconds: 0 });
    const { code, stdout } = await run.exit;
    expect(code).toBe(1);
    expect(stdout).toMatch(/^pod -l app=x failed: 1\/2 done, job\/migrate deleted, outcome unknown\n$/);
  });
});

describe.concurrent('what was done stays done', () => {
  test('a Job that is Complete and then deleted by its TTL, while another target is pending', async ({
    ns,
    kubeAwait,
    exitCodes,
    expect,
  }) => {
    const quick = job({ namespace: ns, name: 'quick', exitCode: 'ask', spec: { ttlSecondsAfterFinished: 0 } });
    const slow = job({ namespace: ns, name: 'slow', exitCode: 'ask' });
    await api.create(quick);
    await api.create(slow);
    const run = kubeAwait(['job/quick', 'job/slow', '--on-missing=fail', '--missing-grace=0s']);
    await run.line(/^job\/quick: 0\/1 succeeded, 1 active$/);
    await run.line(/^job\/slow: 0\/1 succeeded, 1 active$/);
    exitCodes(quick, [0]);
    await gone(quick);
    await run.line(/^job\/quick reached: Complete, 1\/1 succeeded$/);
    exitCodes(slow, [0]);
    const { code, stdout } = await run.exit;
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: 'job/quick reached: Complete, 1/1 succeeded\njob/slow reached: Complete, 1/1 succeeded\n',
    });
  });

  test('the pods of such a Job, which go with it', async ({ ns, kubeAwait, exitCodes, expect }) => {
    const spec = { ttlSecondsAfterFinished: 0 };
    const quick = job({ namespace: ns, name: 'quick', labels: x, exitCode: 'ask', spec });
    const slow = job({ namespace: ns, name: 'slow', exitCode: 'ask' });
    const pods = `/api/v1/namespaces/${ns}/pods?labelSelector=app%3Dx`;
    await api.create(quick);
    await api.create(slow);
    await api.untilAll(pods, (all) => all.length === 1);
    const run = kubeAwait(['pod', '-l', 'app=x', 'job/slow', '--on-missing=fail', '--missing-grace=0s']);
    await run.line(/^pod -l app=x: 0\/1 done, job\/quick 0\/1 succeeded, 1 active$/);
    exitCodes(quick, [0]);
    await gone(quick);
    await api.untilAll(pods, (all) => all.length === 0);
    exitCodes(slow, [0]);
    const { code, stdout } = await run.exit;
    expect(code).toBe(0);
    expect(stdout).toContain('pod -l app=x reached: ');
  });

  test('a pod that Succeeded and was deleted', async ({ ns, kubeAwait, expect }) => {
    const quick = pod({ namespace: ns, name: 'quick', exitCode: 'ask' });
    const slow = pod({ namespace: ns, name: 'slow', exitCode: 'ask' });
    await api.create(quick);
    await api.create(slow);
    await running(quick);
    await running(slow);
    const run = kubeAwait(['pod/quick', 'pod/slow']);
    await run.line(/^pod\/quick: Running$/);
    await endPod(quick, 0);
    await run.line(/^pod\/quick reached: Succeeded$/);
    await api.delete(quick);
    await gone(quick);
    await endPod(slow, 0);
    const { code } = await run.exit;
    expect(code).toBe(0);
  });

  test('until a new object of its name is there: then that one counts', async ({
    ns,
    kubeAwait,
    exitCodes,
    expect,
  }) => {
    const first = job({ namespace: ns, name: 'x' });
    const other = job({ namespace: ns, name: 'other', exitCode: 'ask' });
    await api.create(first);
    await api.create(other);
    const run = kubeAwait(['job/x', 'job/other']);
    await run.line(/^job\/x reached: /);
    await api.delete(first, withPods);
    await gone(first);
    await noPods(first);
    const second = job({ namespace: ns, name: 'x', exitCode: 'ask' });
    await api.create(second);
    await run.line(/^job\/x: 0\/1 succeeded, 1 active$/);
    exitCodes(other, [0]);
    await run.line(/^job\/other reached: /);
    exitCodes(second, [0]);
    const { code } = await run.exit;
    expect(code).toBe(0);
    expect(hasCondition(await api.get(second), 'Complete')).toBe(true);
  });

  test('a service pod that was ready and is deleted is not ready any more', async ({ ns, kubeAwait, expect }) => {
    const web = pod({ namespace: ns, name: 'web' });
    const task = pod({ namespace: ns, name: 'task', exitCode: 'ask' });
    await api.create(web);
    await api.create(task);
    const run = kubeAwait(['pod/web', 'pod/task', '--on-missing=fail', '--missing-grace=0s']);
    await run.line(/^pod\/web: Ready$/);
    await api.delete(web, { gracePeriodSeconds: 0 });
    const { code, stdout } = await run.exit;
    expect({ code, stdout }).toEqual({ code: 1, stdout: 'pod/web failed: deleted before it was done\n' });
  });
});

describe.concurrent('an object that is being deleted when it is first seen', () => {
  test('is a missing Job, though it is Complete; its successor counts', async ({
    ns,
    kubeAwait,
    exitCodes,
    expect,
  }) => {
    const first = job({ namespace: ns, name: 'x', metadata: { finalizers: held } });
    await api.create(first);
    await api.until(first, (found) => hasCondition(found, 'Complete'));
    await api.delete(first, withPods);
    const run = kubeAwait(['job/x']);
    await run.line(/^job\/x: does not exist yet$/);
    await release(first);
    await gone(first);
    await noPods(first);
    const second = job({ namespace: ns, name: 'x', exitCode: 'ask' });
    await api.create(second);
    await run.line(/^job\/x: 0\/1 succeeded, 1 active$/);
    exitCodes(second, [0]);
    const { code, stdout } = await run.exit;
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'job/x reached: Complete, 1/1 succeeded\n' });
  });

  test('is a missing pod, by name and in a selector', async ({ ns, kubeAwait, expect }) => {
    const old = pod({ namespace: ns, name: 'old', labels: x, exitCode: 0, metadata: { finalizers: held } });
    await api.create(old);
    await api.until(old, (found) => found?.status.phase === 'Succeeded');
    await api.delete(old);
    const named = await kubeAwait(['pod/old', '--timeout=0']).exit;
    const found = await kubeAwait(['pod', '-l', 'app=x', '--timeout=0']).exit;
    await release(old);
    expect([named.stdout, found.stdout]).toEqual([
      'pod/old not reached: does not exist yet\n',
      'pod -l app=x not reached: does not exist yet\n',
    ]);
  });

  test('was seen alive: then its verdict is kept', async ({ ns, kubeAwait, expect }) => {
    // On a node that no one plays. A pod without a node would be marked as Failed once it is terminating.
    const spec = { nodeName: 'nowhere' };
    const task = pod({ namespace: ns, name: 'task', exitCode: 'ask', metadata: { finalizers: held }, spec });
    await api.create(task);
    await api.patchStatus(task, { phase: 'Running' });
    const run = kubeAwait(['pod/task']);
    await run.line(/^pod\/task: Running$/);
    await api.delete(task);
    await api.patchStatus(task, { phase: 'Succeeded' });
    const { code, stdout } = await run.exit;
    await release(task);
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'pod/task reached: Succeeded\n' });
  });
});

describe.concurrent('--timeout=0 looks once, without any grace', () => {
  test('reached is 0, running 124, failed 1', async ({ ns, kubeAwait, expect }) => {
    const done = job({ namespace: ns, name: 'done' });
    const failed = job({ namespace: ns, name: 'failed', exitCode: 1 });
    const active = pod({ namespace: ns, name: 'active', exitCode: 'ask' });
    await Promise.all([done, failed, active].map((one) => api.create(one)));
    await api.until(done, (found) => hasCondition(found, 'Complete'));
    await api.until(failed, (found) => hasCondition(found, 'Failed'));
    await running(active);
    const runs = ['job/done', 'pod/active', 'job/failed'].map((one) => kubeAwait([one, '--timeout=0']).exit);
    const ended = await Promise.all(runs);
    expect(ended.map(({ code }) => code)).toEqual([0, 124, 1]);
    expect(ended[1]?.stdout).toBe('pod/active not reached: Running\n');
  });

  for (const [policy, code, stdout] of [
    ['wait', 124, 'job/x not reached: does not exist yet\n'],
    ['fail', 1, 'job/x failed: does not exist\n'],
    ['succeed', 0, 'job/x reached: never seen, taken as done\n'],
  ] as const) {
    test(`a missing target under --on-missing=${policy}: ${code}`, async ({ kubeAwait, expect }) => {
      const args = ['job/x', '--timeout=0', `--on-missing=${policy}`, '--missing-grace=60s'];
      const ended = await kubeAwait(args).exit;
      expect({ code: ended.code, stdout: ended.stdout }).toEqual({ code, stdout });
    });
  }

  test('pods of a Job that runs are pending', async ({ ns, kubeAwait, expect }) => {
    const target = job({ namespace: ns, name: 'two', labels: x, completions: 2, parallelism: 1, exitCode: 'ask' });
    await api.create(target);
    await api.untilAll(`/api/v1/namespaces/${ns}/pods`, (all) => all.length === 1);
    const { code, stdout } = await kubeAwait(['pod', '-l', 'app=x', '--timeout=0']).exit;
    expect({ code, stdout }).toEqual({
      code: 124,
      stdout: 'pod -l app=x not reached: 0/1 done, job/two 0/2 succeeded, 1 active\n',
    });
  });
});
