/** Jobs as they end under a real kubelet, seen by a pod that waits for them. */
import { describe } from 'vitest';
import { api, hasCondition, images, job, jobOf, podsWith, shell, test, waiter } from './harness.ts';

const EXPLAIN = { rbac: ['--explain-failures'] };

describe.concurrent('a Job that succeeds', () => {
  test('fixed completions, ten, five at a time: reached when all ten are', async ({ ns, expect }) => {
    const waiting = await waiter(ns, ['job/ten']);
    const work = shell(images().busybox, 'sleep 1');
    await api.create(
      jobOf({ namespace: ns, name: 'ten', containers: [work], job: { completions: 10, parallelism: 5 } }),
    );
    const { code, log, status } = await waiting.end();
    const { completionTime, succeeded } = (await api.get(job(ns, 'ten'))).status;
    expect({ code, succeeded }).toEqual({ code: 0, succeeded: 10 });
    expect(log).toMatch(/^job\/ten: \d\/10 succeeded, 5 active/m);
    expect(log).toContain('job/ten reached: Complete, 10/10 succeeded\n');
    expect(Date.parse(status.state.terminated.finishedAt)).toBeGreaterThanOrEqual(Date.parse(completionTime));
  });

  test('a work queue without completions: reached when one has found it empty and all have ended', async ({
    ns,
    expect,
  }) => {
    const waiting = await waiter(ns, ['job/queue']);
    // The first to end says that there is no more work; the others still finish theirs.
    const work = shell(images().busybox, 'sleep $(( $(date +%s) % 3 + 1 ))');
    await api.create(jobOf({ namespace: ns, name: 'queue', containers: [work], job: { parallelism: 3 } }));
    const { code, log } = await waiting.end();
    expect(code).toBe(0);
    expect(log).toMatch(/^job\/queue reached: Complete, /m);
    expect((await api.get(job(ns, 'queue'))).status).toMatchObject({ succeeded: 3 });
  });

  test('a Job that fails once and then succeeds is pending between', async ({ ns, expect }) => {
    const waiting = await waiter(ns, ['job/flaky']);
    // The first try leaves nothing behind, so the second tells itself by its index of failures.
    const work = shell(images().busybox, '[ "$TRY" != 0 ]', {
      env: [
        {
          name: 'TRY',
          valueFrom: { fieldRef: { fieldPath: "metadata.annotations['batch.kubernetes.io/job-index-failure-count']" } },
        },
      ],
    });
    const perIndex = { completions: 1, completionMode: 'Indexed', backoffLimitPerIndex: 1 };
    await api.create(
      jobOf({ namespace: ns, name: 'flaky', containers: [work], job: { ...perIndex, backoffLimit: 6 } }),
    );
    const { code, log } = await waiting.end();
    expect(code).toBe(0);
    expect(log).toContain('1 failed');
    expect(log).toMatch(/^job\/flaky reached: Complete, /m);
  });

  test('a CronJob: reached by its next scheduled run', async ({ ns, expect }) => {
    const { spec } = jobOf({ namespace: ns, name: 'run', containers: [shell(images().busybox, 'sleep 1')] });
    await api.create({
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      metadata: { name: 'nightly', namespace: ns },
      spec: { schedule: '* * * * *', jobTemplate: { spec } },
    });
    const { code, log } = await (await waiter(ns, ['cronjob/nightly'])).end();
    expect(code).toBe(0);
    expect(log).toMatch(/^cronjob\/nightly reached: /m);
  });
});

describe.concurrent('a Job that fails', () => {
  test('backoffLimit reached, restartPolicy Never: the last log lines of the container', async ({ ns, expect }) => {
    // On one stream: the lines of two have no order.
    const work = shell(images().busybox, 'echo connecting; echo "no such table: users"; exit 3');
    await api.create(jobOf({ namespace: ns, name: 'never', containers: [work] }));
    const { code, log, message } = await (await waiter(ns, ['job/never'], EXPLAIN)).end();
    expect(code).toBe(1);
    expect(message).toMatch(/^job\/never failed: BackoffLimitExceeded/);
    expect(log).toMatch(/pod\/never-\w+ .*Failed/);
    expect(log).toMatch(/main.*exit code 3/);
    expect(log).toMatch(/connecting\n.*no such table: users\n/);
  });

  // With 1 the first restart is the end, with 2 a CrashLoopBackOff comes before.
  test.for([1, 2])(
    'backoffLimit %i reached, restartPolicy OnFailure: the exit code, though the pod is deleted',
    async (backoffLimit, { ns, expect }) => {
      const waiting = await waiter(ns, ['job/on-failure'], EXPLAIN);
      await waiting.started();
      const containers = [shell(images().busybox, 'echo "no such table: users"; sleep 1; exit 3')];
      const made = { namespace: ns, name: 'on-failure', containers, job: { backoffLimit } };
      await api.create(jobOf({ ...made, restartPolicy: 'OnFailure' }));
      const { code, log, message } = await waiting.end();
      expect(code).toBe(1);
      expect(message).toMatch(/^job\/on-failure failed: BackoffLimitExceeded/);
      expect(log).toMatch(/container main: exit code 3/);
      await api.untilAll(podsWith(ns, 'job-name=on-failure'), (pods) => pods.length === 0, 'the end of its pods');
    },
  );

  test('a container in CrashLoopBackOff: pending, and failed with --stuck-after', async ({ ns, expect }) => {
    const waiting = await waiter(ns, ['job/loop', '--stuck-after=2s'], EXPLAIN);
    const containers = [shell(images().busybox, 'exit 3')];
    const made = { namespace: ns, name: 'loop', containers, job: { backoffLimit: 6 } };
    await api.create(jobOf({ ...made, restartPolicy: 'OnFailure' }));
    const { code, message } = await waiting.end();
    expect(code).toBe(1);
    expect(message).toContain('CrashLoopBackOff');
    expect(hasCondition(await api.get(job(ns, 'loop')), 'Failed')).toBe(false);
  });

  test('OOMKilled is named', async ({ ns, expect }) => {
    const work = shell(images().busybox, 'a=0123456789abcdef; while :; do a=$a$a; done', {
      resources: { limits: { memory: '16Mi' } },
    });
    await api.create(jobOf({ namespace: ns, name: 'oom', containers: [work] }));
    const { code, log } = await (await waiter(ns, ['job/oom'], EXPLAIN)).end();
    expect(code).toBe(1);
    expect(log).toMatch(/main.*OOMKilled/);
    expect(log).toMatch(/137/);
  });

  test('an image that cannot be pulled: pending, and failed with --stuck-after', async ({ ns, expect }) => {
    const work = { ...shell('localhost:1/there-is-no/such-image:1', 'true') };
    const waiting = await waiter(ns, ['job/pull', '--stuck-after=5s'], EXPLAIN);
    await api.create(jobOf({ namespace: ns, name: 'pull', containers: [work] }));
    const { code, log, message } = await waiting.end();
    expect(code).toBe(1);
    expect(message).toMatch(/ErrImagePull|ImagePullBackOff/);
    expect(log).toContain('such-image:1');
    expect(hasCondition(await api.get(job(ns, 'pull')), 'Failed')).toBe(false);
  });

  test('Indexed with one failed index: failed, not "nine of ten"', async ({ ns, expect }) => {
    const work = shell(images().busybox, '[ "$JOB_COMPLETION_INDEX" != 2 ]');
    const waiting = await waiter(ns, ['job/indexed'], EXPLAIN);
    await waiting.started();
    const indexed = { completions: 4, parallelism: 4, completionMode: 'Indexed', backoffLimitPerIndex: 0 };
    await api.create(
      jobOf({ namespace: ns, name: 'indexed', containers: [work], job: { ...indexed, backoffLimit: null } }),
    );
    const { code, log, message } = await waiting.end();
    expect(code).toBe(1);
    expect(message).toMatch(/^job\/indexed failed: FailedIndexes/);
    expect(log).toMatch(/pod\/indexed-2-/);
    expect((await api.get(job(ns, 'indexed'))).status.failedIndexes).toBe('2');
  });

  test('without permission for pods and logs: the failure, and which permission would show more', async ({
    ns,
    expect,
  }) => {
    await api.create(jobOf({ namespace: ns, name: 'terse', containers: [shell(images().busybox, 'exit 1')] }));
    const { code, log } = await (await waiter(ns, ['job/terse'])).end();
    expect(code).toBe(1);
    expect(log).toContain('job/terse failed: BackoffLimitExceeded');
    expect(log).toContain('the permission to list pods in namespace');
  });
});

describe.concurrent('a Job that is gone', () => {
  test('a pod restarted after the TTL starts with --on-missing succeed, and waits with a hint without', async ({
    ns,
    expect,
  }) => {
    const args = ['job/short', '--heartbeat=1s'];
    const succeed = ['--on-missing=succeed', '--missing-grace=3s'];
    const first = await Promise.all([waiter(ns, args), waiter(ns, [...args, '--on-missing=succeed'])]);
    await Promise.all(first.map((each) => each.started()));
    const work = shell(images().busybox, 'true');
    await api.create(jobOf({ namespace: ns, name: 'short', containers: [work], job: { ttlSecondsAfterFinished: 2 } }));
    expect(await Promise.all(first.map(async (each) => (await each.end()).code))).toEqual([0, 0]);
    await api.until(job(ns, 'short'), (found) => found === undefined, 'the end of the Job');
    await api.untilAll(podsWith(ns, 'job-name=short'), (pods) => pods.length === 0, 'the end of its pods');
    const [waits, starts] = await Promise.all([waiter(ns, args), waiter(ns, [...args, ...succeed])]);
    expect(await waits.line(/^hint: job\/short/)).toContain('ttlSecondsAfterFinished');
    const { code, log } = await starts.end();
    expect(code).toBe(0);
    expect(log).toContain('never seen, taken as done');
  });
});
