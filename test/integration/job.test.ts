/** Jobs: when the real controller has them done, when it has given them up, and what is said meanwhile. */
import { describe } from 'vitest';
import { api, endPod, hasCondition, type Json, job, test } from '../harness/index.ts';

type TestJob = ReturnType<typeof job>;

/** The pods of a Job, by their index where they have one. */
async function podsOf(target: TestJob, count: number): Promise<(Json & { kind: 'Pod'; apiVersion: 'v1' })[]> {
  const { name, namespace } = target.metadata;
  const path = `/api/v1/namespaces/${namespace}/pods?labelSelector=job-name%3D${name}`;
  const running = (pods: Json[]): boolean => pods.filter(({ status }) => status.phase === 'Running').length === count;
  const found = await api.untilAll(path, running, { what: `${count} running pods` });
  const indexOf = ({ metadata }: Json): number => Number(metadata.labels['batch.kubernetes.io/job-completion-index']);
  return found
    .filter(({ status }) => status.phase === 'Running')
    .sort((a, b) => indexOf(a) - indexOf(b))
    .map((pod) => ({ ...pod, apiVersion: 'v1' as const, kind: 'Pod' as const }));
}

/** Without backoffLimit, which an Indexed Job with limits of its own for each index leaves to the API server. */
function withoutBackoffLimit(target: TestJob): TestJob {
  const { backoffLimit: _, ...spec } = target.spec as { backoffLimit: number };
  return { ...target, spec };
}

describe.concurrent('reached with Complete, and not before', () => {
  test('a Job that does not exist yet', async ({ ns, kubeAwait, exitCodes, expect }) => {
    const run = kubeAwait(['job/migrate']);
    await run.line(/^job\/migrate: does not exist yet$/);
    const migrate = job({ namespace: ns, name: 'migrate', exitCode: 'ask' });
    await api.create(migrate);
    await run.line(/^job\/migrate: 0\/1 succeeded, 1 active$/);
    exitCodes(migrate, [0]);
    const { code, stdout } = await run.exit;
    const now = await api.get(migrate);
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'job/migrate reached: Complete, 1/1 succeeded\n' });
    expect(hasCondition(now, 'Complete')).toBe(true);
  });

  test('a Job that runs already', async ({ ns, kubeAwait, expect }) => {
    const migrate = job({ namespace: ns, name: 'migrate', exitCode: 'ask' });
    await api.create(migrate);
    const [pod] = await podsOf(migrate, 1);
    const run = kubeAwait(['job/migrate']);
    await run.line(/^job\/migrate: 0\/1 succeeded, 1 active$/);
    if (pod) await endPod(pod, 0);
    const { code } = await run.exit;
    const now = await api.get(migrate);
    expect(code).toBe(0);
    expect(hasCondition(now, 'Complete')).toBe(true);
  });

  test('a Job that was Complete long ago, in one line', async ({ ns, kubeAwait, expect }) => {
    const old = job({ namespace: ns, name: 'old' });
    await api.create(old);
    await api.until(old, (found) => hasCondition(found, 'Complete'));
    const { code, stdout, stderr } = await kubeAwait(['job/old']).exit;
    expect({ code, stdout, stderr }).toEqual({
      code: 0,
      stdout: 'job/old reached: Complete, 1/1 succeeded\n',
      stderr: '',
    });
  });

  test('a Job whose pods fail twice before one succeeds', async ({ ns, kubeAwait, exitCodes, expect }) => {
    const flaky = job({ namespace: ns, name: 'flaky', exitCode: 'ask', backoffLimit: 2 });
    await api.create(flaky);
    const run = kubeAwait(['job/flaky']);
    exitCodes(flaky, [1, 1, 0]);
    await run.line(/^job\/flaky: 0\/1 succeeded, 1 failed$/);
    await run.line(/^job\/flaky: 0\/1 succeeded, 2 failed$/);
    const { code, stdout } = await run.exit;
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'job/flaky reached: Complete, 1/1 succeeded, 2 failed\n' });
  });

  test('a Job whose container is restarted in its pod until it succeeds', async ({ ns, kubeAwait, expect }) => {
    const behaviour = { failTimes: 2, backOff: '100ms', restartPolicy: 'OnFailure' } as const;
    await api.create(job({ namespace: ns, name: 'restarts', backoffLimit: 6, ...behaviour }));
    const { code } = await kubeAwait(['job/restarts']).exit;
    expect(code).toBe(0);
  });

  test('a Job with parallel pods, each of which is told', async ({ ns, kubeAwait, expect }) => {
    const many = job({ namespace: ns, name: 'many', completions: 3, parallelism: 3, exitCode: 'ask' });
    await api.create(many);
    const run = kubeAwait(['job/many']);
    const pods = await podsOf(many, 3);
    await run.line(/^job\/many: 0\/3 succeeded, 3 active$/);
    for (const [index, pod] of pods.entries()) {
      await endPod(pod, 0);
      if (index < 2) await run.line(new RegExp(`^job/many: ${index + 1}/3 succeeded, ${2 - index} active$`));
    }
    const { code, stdout } = await run.exit;
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'job/many reached: Complete, 3/3 succeeded\n' });
  });

  test('a work queue, which is told without a total', async ({ ns, kubeAwait, expect }) => {
    const queue = job({ namespace: ns, name: 'queue', parallelism: 2, exitCode: 'ask' });
    await api.create(queue);
    const run = kubeAwait(['job/queue']);
    const [first, second] = await podsOf(queue, 2);
    await run.line(/^job\/queue: 0 succeeded, 2 active$/);
    if (first) await endPod(first, 0);
    await run.line(/^job\/queue: 1 succeeded, 1 active$/);
    if (second) await endPod(second, 0);
    const { code, stdout } = await run.exit;
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'job/queue reached: Complete, 2 succeeded\n' });
  });

  test('an Indexed Job', async ({ ns, kubeAwait, expect }) => {
    const spec = { completionMode: 'Indexed', completions: 3, parallelism: 2 };
    await api.create(job({ namespace: ns, name: 'indexed', spec }));
    const { code, stdout } = await kubeAwait(['job/indexed']).exit;
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'job/indexed reached: Complete, 3/3 succeeded\n' });
  });

  test('a Job with a success policy, once the pods that are not needed any more have ended', async ({
    ns,
    kubeAwait,
    expect,
  }) => {
    const spec = { completionMode: 'Indexed', successPolicy: { rules: [{ succeededIndexes: '0' }] } };
    const leader = job({
      namespace: ns,
      name: 'leader',
      completions: 3,
      parallelism: 3,
      exitCode: 'ask',
      deleteAfter: '1s',
      spec,
    });
    await api.create(leader);
    const run = kubeAwait(['job/leader']);
    const [first] = await podsOf(leader, 3);
    if (first) await endPod(first, 0);
    await run.line(/^job\/leader: SuccessCriteriaMet: 1\/3 succeeded/);
    const { code } = await run.exit;
    const now = await api.get(leader);
    expect(code).toBe(0);
    expect(hasCondition(now, 'Complete')).toBe(true);
  });

  test('a Job that was suspended', async ({ ns, kubeAwait, expect }) => {
    const paused = job({ namespace: ns, name: 'paused', spec: { suspend: true } });
    await api.create(paused);
    const run = kubeAwait(['job/paused']);
    await run.line(/^job\/paused: suspended: 0\/1 succeeded$/);
    await api.patch(paused, { spec: { suspend: false } });
    const { code, stdout } = await run.exit;
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'job/paused reached: Complete, 1/1 succeeded\n' });
  });

  test('a Job whose pods failed in a way that its podFailurePolicy ignores', async ({
    ns,
    kubeAwait,
    exitCodes,
    expect,
  }) => {
    const rules = [{ action: 'Ignore', onExitCodes: { operator: 'In', values: [42] } }];
    const ignores = job({ namespace: ns, name: 'ignores', exitCode: 'ask', spec: { podFailurePolicy: { rules } } });
    await api.create(ignores);
    const run = kubeAwait(['job/ignores']);
    exitCodes(ignores, [42, 0]);
    const { code } = await run.exit;
    expect(code).toBe(0);
  });
});

describe.concurrent('failed with the reason and the message of its condition', () => {
  test('a Job whose pods failed until backoffLimit, and not while a try was left', async ({
    ns,
    kubeAwait,
    exitCodes,
    expect,
  }) => {
    const bad = job({ namespace: ns, name: 'bad', exitCode: 'ask', backoffLimit: 1 });
    await api.create(bad);
    const run = kubeAwait(['job/bad']);
    exitCodes(bad, [3, 3]);
    await run.line(/^job\/bad: 0\/1 succeeded, 1 active, 1 failed$/);
    const { code, stdout } = await run.exit;
    expect({ code, stdout }).toEqual({
      code: 1,
      stdout: 'job/bad failed: BackoffLimitExceeded: Job has reached the specified backoff limit\n',
    });
    expect(run.lines.at(-1)?.text).toContain('BackoffLimitExceeded');
  });

  test('a Job that failed long ago', async ({ ns, kubeAwait, expect }) => {
    const bad = job({ namespace: ns, name: 'bad', exitCode: 1 });
    await api.create(bad);
    await api.until(bad, (found) => hasCondition(found, 'Failed'));
    const { code, stdout } = await kubeAwait(['job/bad']).exit;
    expect(code).toBe(1);
    expect(stdout).toMatch(/^job\/bad failed: BackoffLimitExceeded: .+\n$/);
  });

  test('a Job that ran longer than activeDeadlineSeconds', async ({ ns, kubeAwait, expect }) => {
    const spec = { activeDeadlineSeconds: 1 };
    await api.create(job({ namespace: ns, name: 'slow', exitCode: 'ask', spec }));
    const { code, stdout } = await kubeAwait(['job/slow']).exit;
    expect(code).toBe(1);
    expect(stdout).toMatch(/^job\/slow failed: DeadlineExceeded: .+\n$/);
  });

  test('an Indexed Job with a failed index, when the other indexes are done', async ({ ns, kubeAwait, expect }) => {
    const spec = { completionMode: 'Indexed', backoffLimitPerIndex: 0 };
    const indexed = withoutBackoffLimit(
      job({ namespace: ns, name: 'indexed', completions: 2, parallelism: 2, exitCode: 'ask', spec }),
    );
    await api.create(indexed);
    const run = kubeAwait(['job/indexed']);
    const [first, second] = await podsOf(indexed, 2);
    if (first) await endPod(first, 1);
    await run.line(/^job\/indexed: 0\/2 succeeded, 1 active, 1 failed$/);
    if (second) await endPod(second, 0);
    const { code, stdout } = await run.exit;
    expect(code).toBe(1);
    expect(stdout).toMatch(/^job\/indexed failed: FailedIndexes: .+\n$/);
  });

  test('an Indexed Job with more failed indexes than maxFailedIndexes', async ({ ns, kubeAwait, expect }) => {
    const spec = { completionMode: 'Indexed', backoffLimitPerIndex: 0, maxFailedIndexes: 0 };
    const indexed = withoutBackoffLimit(
      job({ namespace: ns, name: 'indexed', completions: 2, parallelism: 2, exitCode: 'ask', spec }),
    );
    await api.create(indexed);
    const run = kubeAwait(['job/indexed']);
    const [first] = await podsOf(indexed, 2);
    if (first) await endPod(first, 1);
    const { code, stdout } = await run.exit;
    expect(code).toBe(1);
    expect(stdout).toMatch(/^job\/indexed failed: MaxFailedIndexesExceeded: .+\n$/);
  });

  test('an index that its podFailurePolicy gives up, though it had tries left', async ({ ns, kubeAwait, expect }) => {
    const rules = [{ action: 'FailIndex', onExitCodes: { operator: 'In', values: [42] } }];
    const spec = { completionMode: 'Indexed', backoffLimitPerIndex: 5, podFailurePolicy: { rules } };
    const indexed = withoutBackoffLimit(
      job({ namespace: ns, name: 'indexed', completions: 2, parallelism: 2, exitCode: 42, failIndexes: [1], spec }),
    );
    await api.create(indexed);
    const { code, stdout } = await kubeAwait(['job/indexed']).exit;
    expect(code).toBe(1);
    expect(stdout).toMatch(/^job\/indexed failed: FailedIndexes: .+\n$/);
  });

  test('a Job that its podFailurePolicy gives up, at once, while its other pods are still ending', async ({
    ns,
    kubeAwait,
    expect,
  }) => {
    const rules = [{ action: 'FailJob', onExitCodes: { operator: 'In', values: [42] } }];
    const strict = job({
      namespace: ns,
      name: 'strict',
      completions: 2,
      parallelism: 2,
      backoffLimit: 6,
      exitCode: 'ask',
      deleteAfter: '30s',
      spec: { podFailurePolicy: { rules } },
    });
    await api.create(strict);
    const run = kubeAwait(['job/strict']);
    const [first] = await podsOf(strict, 2);
    if (first) await endPod(first, 42);
    const { code, stdout } = await run.exit;
    const now = await api.get(strict);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^job\/strict failed: PodFailurePolicy: .*exit code 42.*\n$/);
    expect([hasCondition(now, 'FailureTarget'), hasCondition(now, 'Failed')]).toEqual([true, false]);
  });
});

describe.concurrent('judged by conditions that are True, never by counters', () => {
  const now = (): string => `${new Date().toISOString().slice(0, 19)}Z`;
  const condition = (type: string, more: object = {}): object => ({
    type,
    status: 'True',
    reason: 'Tested',
    message: `it is ${type}`,
    lastProbeTime: now(),
    lastTransitionTime: now(),
    ...more,
  });

  /** A Job that the cluster's own controller leaves alone, so that its status is ours. */
  async function foreign(namespace: string): Promise<TestJob> {
    const made = job({ namespace, name: 'foreign', completions: 3, spec: { managedBy: 'example.com/other' } });
    await api.create(made);
    return made;
  }

  test('SuccessCriteriaMet alone is pending, Complete is not', async ({ ns, kubeAwait, expect }) => {
    const target = await foreign(ns);
    const run = kubeAwait(['job/foreign']);
    await run.line(/^job\/foreign: 0\/3 succeeded$/);
    const startTime = now();
    const met = condition('SuccessCriteriaMet');
    await api.patchStatus(target, { startTime, succeeded: 3, conditions: [met] });
    await run.line(/^job\/foreign: SuccessCriteriaMet: 3\/3 succeeded$/);
    await api.patchStatus(target, { completionTime: now(), conditions: [met, condition('Complete')] });
    const { code, stdout } = await run.exit;
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'job/foreign reached: Complete, 3/3 succeeded\n' });
  });

  test('counters that say all is done are pending', async ({ ns, kubeAwait, expect }) => {
    const target = await foreign(ns);
    await api.patchStatus(target, { startTime: now(), succeeded: 3, active: 0 });
    const { code, stdout } = await kubeAwait(['job/foreign', '--timeout=0']).exit;
    expect({ code, stdout }).toEqual({ code: 124, stdout: 'job/foreign not reached: 3/3 succeeded\n' });
  });

  test('a condition that is False says nothing', async ({ ns, kubeAwait, expect }) => {
    const target = await foreign(ns);
    const conditions = ['Complete', 'Failed', 'FailureTarget'].map((type) => condition(type, { status: 'False' }));
    await api.patchStatus(target, { startTime: now(), active: 1, conditions });
    const { code, stdout } = await kubeAwait(['job/foreign', '--timeout=0']).exit;
    expect({ code, stdout }).toEqual({ code: 124, stdout: 'job/foreign not reached: 0/3 succeeded, 1 active\n' });
  });

  test('FailureTarget fails at once', async ({ ns, kubeAwait, expect }) => {
    const target = await foreign(ns);
    const run = kubeAwait(['job/foreign']);
    await run.line(/^job\/foreign: 0\/3 succeeded$/);
    await api.patchStatus(target, { startTime: now(), active: 1, conditions: [condition('FailureTarget')] });
    const { code, stdout } = await run.exit;
    expect({ code, stdout }).toEqual({ code: 1, stdout: 'job/foreign failed: Tested: it is FailureTarget\n' });
  });

  test('--for=finished waits for Failed behind FailureTarget', async ({ ns, kubeAwait, expect }) => {
    const target = await foreign(ns);
    const run = kubeAwait(['job/foreign', '--for=finished']);
    const doomed = condition('FailureTarget');
    await api.patchStatus(target, { startTime: now(), active: 1, conditions: [doomed] });
    await run.line(/^job\/foreign: FailureTarget: 0\/3 succeeded, 1 active$/);
    await api.patchStatus(target, { active: 0, failed: 1, conditions: [doomed, condition('Failed')] });
    const { code, stdout } = await run.exit;
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'job/foreign reached: Tested: it is Failed\n' });
  });
});

describe.concurrent('--for', () => {
  for (const [goal, exitCode, expected] of [
    ['complete', 0, { code: 0, stdout: 'job/x reached: Complete, 1/1 succeeded\n' }],
    ['ready', 0, { code: 0, stdout: 'job/x reached: Complete, 1/1 succeeded\n' }],
    ['finished', 0, { code: 0, stdout: 'job/x reached: Complete, 1/1 succeeded\n' }],
    ['complete', 1, { code: 1, stdout: /^job\/x failed: BackoffLimitExceeded: / }],
    ['ready', 1, { code: 1, stdout: /^job\/x failed: BackoffLimitExceeded: / }],
    ['finished', 1, { code: 0, stdout: /^job\/x reached: BackoffLimitExceeded: / }],
  ] as const) {
    const outcome = exitCode === 0 ? 'completes' : 'fails';
    test(`--for=${goal} and a Job that ${outcome}: ${expected.code}`, async ({ ns, kubeAwait, expect }) => {
      await api.create(job({ namespace: ns, name: 'x', exitCode }));
      const { code, stdout } = await kubeAwait(['job/x', `--for=${goal}`]).exit;
      expect(code).toBe(expected.code);
      expect(stdout).toMatch(expected.stdout);
    });
  }

  for (const [outcome, exitCodes, code] of [
    ['has a succeeded pod', '', 0],
    ['has none', 'all fail', 1],
  ] as const) {
    test(`job-wr and a Job that has failed and ${outcome}: ${code}`, async ({ ns, kubeAwait, expect }) => {
      const failing = exitCodes === '' ? { failIndexes: [1] } : {};
      const spec = { completionMode: 'Indexed' };
      const target = job({ namespace: ns, name: 'x', completions: 2, parallelism: 2, exitCode: 1, spec, ...failing });
      await api.create(target);
      const { code: got } = await kubeAwait(['job-wr', 'x', '--logs=0']).exit;
      expect(got).toBe(code);
    });
  }

  test('job-we is --for=finished', async ({ ns, kubeAwait, expect }) => {
    await api.create(job({ namespace: ns, name: 'x', exitCode: 1 }));
    const { code } = await kubeAwait(['job-we', 'x']).exit;
    expect(code).toBe(0);
  });
});
