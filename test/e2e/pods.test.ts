/** Pods without a Job as they end under a real kubelet, and the pod that waits itself. */
import { describe } from 'vitest';
import { api, containerOf, images, pod, podOf, shell, test, waiter } from './harness.ts';
import { FINALIZER } from './setup.ts';

const EXPLAIN = { rbac: ['--explain-failures'] };

describe.concurrent('a pod that is a task', () => {
  test('Completed: reached', async ({ ns, expect }) => {
    const waiting = await waiter(ns, ['pod/task']);
    await api.create(podOf({ namespace: ns, name: 'task', containers: [shell(images().busybox, 'sleep 1')] }));
    const { code, log } = await waiting.end();
    expect(code).toBe(0);
    expect(log).toMatch(/^pod\/task reached: Succeeded/m);
  });

  test('Error: failed, with its last log lines', async ({ ns, expect }) => {
    const containers = [shell(images().busybox, 'echo "disk full"; exit 4')];
    await api.create(podOf({ namespace: ns, name: 'task', containers }));
    const { code, log } = await (await waiter(ns, ['pod/task'], EXPLAIN)).end();
    expect(code).toBe(1);
    expect(log).toMatch(/container main: exit code 4/);
    expect(log).toContain('main | disk full\n');
  });

  // Docker says ContainerCannotRun, containerd StartError; both end with 128 and never began.
  test('a command that is not there: failed, with what the runtime says', async ({ ns, expect }) => {
    const containers = [shell(images().busybox, '', { command: ['/there/is/no/such-command'] })];
    await api.create(podOf({ namespace: ns, name: 'task', containers }));
    const { code, log } = await (await waiter(ns, ['pod/task'], EXPLAIN)).end();
    expect(code).toBe(1);
    expect(log).toMatch(/container main: exit code 128 \((StartError|ContainerCannotRun): /);
    expect(log).toContain('/there/is/no/such-command');
  });

  test('three in parallel by selector: reached with the last', async ({ ns, expect }) => {
    const labels = { part: 'seed' };
    const waiting = await waiter(ns, ['pod', '-l', 'part=seed', '--expect=3']);
    await waiting.started();
    const seconds = { a: 1, b: 2, c: 3 };
    for (const [name, sleeps] of Object.entries(seconds)) {
      const containers = [shell(images().busybox, `sleep ${sleeps}`)];
      await api.create(podOf({ namespace: ns, name, labels, containers }));
    }
    const { code, log, status } = await waiting.end();
    expect(code).toBe(0);
    expect(log).toMatch(/^pod -l part=seed reached: 3\/3/m);
    for (const name of Object.keys(seconds)) {
      const { finishedAt } = containerOf(await api.get(pod(ns, name)), 'main').state.terminated;
      expect(Date.parse(finishedAt)).toBeLessThanOrEqual(Date.parse(status.state.terminated.finishedAt));
    }
  });
});

describe.concurrent('the pod that waits', () => {
  test('does not wait for itself where its selector finds it', async ({ ns, expect }) => {
    const labels = { app: 'shop' };
    // As a service it could never be ready, as a task never be done, as long as it waits.
    // Its token names the pod, not its host name.
    const waiting = await waiter(ns, ['pod', '-l', 'app=shop'], { labels, spec: { hostname: 'another' } });
    await waiting.started();
    await api.create(podOf({ namespace: ns, name: 'other', labels, containers: [shell(images().busybox, 'sleep 1')] }));
    const { code, log } = await waiting.end();
    expect(code).toBe(0);
    expect(log).not.toContain(waiting.name);
  });

  test('ends on SIGTERM as process 1, with 143, at once', async ({ ns, expect }) => {
    // It gets the signal at the same moment, and shows how long kubelet takes to send it and to see the end.
    const prompt = shell(images().busybox, 'trap exit TERM; sleep 1000 & wait');
    const waiting = await waiter(ns, ['job/never'], {
      beside: [prompt],
      // So that the last status can be read.
      metadata: { finalizers: [FINALIZER] },
      spec: { terminationGracePeriodSeconds: 60 },
    });
    await waiting.line(/does not exist yet/);
    await api.delete(pod(ns, waiting.name));
    const deleted = await api.until(
      pod(ns, waiting.name),
      (found) => ['await', 'main'].every((name) => containerOf(found, name)?.state.terminated),
      'the end of the waiter',
    );
    await api.patch(pod(ns, waiting.name), { metadata: { finalizers: null } });
    const { exitCode, finishedAt, message } = containerOf(deleted, 'await').state.terminated;
    expect(exitCode).toBe(143);
    expect(message).toBe('kube-await: ended by SIGTERM');
    const reference = Date.parse(containerOf(deleted, 'main').state.terminated.finishedAt);
    expect(Date.parse(finishedAt) - reference).toBeLessThanOrEqual(1000);
  });
});
