/** CronJobs: reached with their newest scheduled Job, never by their status. */
import { describe } from 'vitest';
import type { Reference } from '../cluster/rest.ts';
import { api, endPod, type Json, job, test, untilCondition } from '../harness/index.ts';
import type { TestObject } from '../harness/objects.ts';

/** One that is never due while a test runs, unless its status says otherwise. */
function cronJob(namespace: string, spec: object = {}, behaviour: Parameters<typeof job>[0] | undefined = undefined) {
  return {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { name: 'backup', namespace },
    spec: {
      schedule: '0 0 1 1 *',
      jobTemplate: { spec: job(behaviour ?? { namespace, name: 'backup' }).spec },
      ...spec,
    },
  } as TestObject;
}

interface RunOptions {
  readonly name: string;
  /** Hours ago. */
  readonly scheduled: number | 'by hand';
  readonly exitCode?: number | 'ask';
}

/** A Job as the controller would make it, or kubectl create job --from. */
async function run(owner: Json, { name, scheduled, exitCode = 0 }: RunOptions): Promise<TestObject> {
  const { namespace, uid } = owner.metadata;
  const at = (hours: number): string => new Date(Date.now() - hours * 3_600_000).toISOString();
  const annotations =
    scheduled === 'by hand'
      ? { 'cronjob.kubernetes.io/instantiate': 'manual' }
      : { 'batch.kubernetes.io/cronjob-scheduled-timestamp': at(scheduled) };
  const controller = { apiVersion: 'batch/v1', kind: 'CronJob', name: 'backup', uid, controller: true };
  const made = job({ namespace, name, exitCode, annotations, metadata: { ownerReferences: [controller] } });
  await api.create(made);
  return made;
}

/** Lets the one pod of a Job end. */
async function endJob(target: TestObject, code: number): Promise<void> {
  const { name, namespace } = target.metadata;
  const pods = `/api/v1/namespaces/${namespace}/pods?labelSelector=job-name%3D${name}`;
  const [found] = await api.untilAll(pods, ([one]) => one?.status.phase === 'Running');
  await endPod({ apiVersion: 'v1', kind: 'Pod', metadata: { name: found.metadata.name, namespace } }, code);
}

describe.concurrent('a CronJob', () => {
  test('that its controller has scheduled: reached with the Job', async ({ ns, kubeAwait, expect }) => {
    const target = cronJob(ns, { schedule: '* * * * *' });
    await api.create(target);
    const waiting = kubeAwait(['cronjob/backup']);
    // A run that was due two minutes ago is made up for at once.
    const due = new Date(Date.now() - 120_000).toISOString();
    await api.patchStatus(target, { lastScheduleTime: `${due.slice(0, 19)}Z` });
    const { code, stdout } = await waiting.exit;
    expect(code).toBe(0);
    expect(stdout).toMatch(/^cronjob\/backup reached: job\/backup-\d+ Complete, 1\/1 succeeded\n$/);
  });

  test('that was never scheduled, but run by hand: pending, whatever its status says', async ({
    ns,
    kubeAwait,
    expect,
  }) => {
    const owner = await api.create(cronJob(ns));
    const manual = await run(owner, { name: 'manual', scheduled: 'by hand' });
    await untilCondition(manual, 'Complete');
    const { status } = await api.until(cronJob(ns), (found) => found?.status.lastSuccessfulTime !== undefined);
    expect(status.lastSuccessfulTime).toBeTruthy();
    const { code, stdout } = await kubeAwait(['cronjob/backup', '--timeout=0']).exit;
    expect({ code, stdout }).toEqual({ code: 124, stdout: 'cronjob/backup not reached: not scheduled yet\n' });
  });

  test('whose last run failed: that is told, and the next run is awaited', async ({ ns, kubeAwait, expect }) => {
    const owner = await api.create(cronJob(ns));
    const bad = await run(owner, { name: 'bad', scheduled: 2, exitCode: 1 });
    await untilCondition(bad, 'Failed');
    const waiting = kubeAwait(['cronjob/backup']);
    await waiting.line(/^cronjob\/backup: job\/bad failed: BackoffLimitExceeded: .+; awaiting the next run$/);
    const next = await run(owner, { name: 'next', scheduled: 1, exitCode: 'ask' });
    await waiting.line(/^cronjob\/backup: job\/next 0\/1 succeeded, 1 active$/);
    await endJob(next, 0);
    const { code, stdout } = await waiting.exit;
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: 'cronjob/backup reached: job/next Complete, 1/1 succeeded\n',
    });
  });

  test('whose newest run is still at work, after one that was Complete: pending', async ({ ns, kubeAwait, expect }) => {
    const owner = await api.create(cronJob(ns));
    const old = await run(owner, { name: 'old', scheduled: 2 });
    await untilCondition(old, 'Complete');
    await run(owner, { name: 'new', scheduled: 1, exitCode: 'ask' });
    const { code, stdout } = await kubeAwait(['cronjob/backup', '--timeout=0']).exit;
    expect(code).toBe(124);
    expect(stdout).toMatch(/^cronjob\/backup not reached: job\/new 0\/1 succeeded/);
  });

  test('whose runs were made in another order than scheduled: the time of the schedule decides', async ({
    ns,
    kubeAwait,
    expect,
  }) => {
    const owner = await api.create(cronJob(ns));
    const newest = await run(owner, { name: 'newest', scheduled: 1 });
    await untilCondition(newest, 'Complete');
    const older = await run(owner, { name: 'older', scheduled: 2, exitCode: 1 });
    await untilCondition(older, 'Failed');
    const { code, stdout } = await kubeAwait(['cronjob/backup', '--timeout=0']).exit;
    expect(code).toBe(0);
    expect(stdout).toContain('job/newest Complete');
  });

  test('that was made anew: the runs of its predecessor do not count', async ({ ns, kubeAwait, expect }) => {
    const owner = await api.create(cronJob(ns));
    const old = await run(owner, { name: 'old', scheduled: 1 });
    await untilCondition(old, 'Complete');
    await api.delete(cronJob(ns), { propagationPolicy: 'Orphan' });
    await api.until(cronJob(ns), (found) => found === undefined);
    await api.create(cronJob(ns));
    const { code, stdout } = await kubeAwait(['cronjob/backup', '--timeout=0']).exit;
    expect({ code, stdout }).toEqual({ code: 124, stdout: 'cronjob/backup not reached: not scheduled yet\n' });
  });

  test('whose newest run is gone: pending', async ({ ns, kubeAwait, expect }) => {
    const owner = await api.create(cronJob(ns));
    const older = await run(owner, { name: 'older', scheduled: 2 });
    await untilCondition(older, 'Complete');
    const only = await run(owner, { name: 'only', scheduled: 1, exitCode: 'ask' });
    const waiting = kubeAwait(['cronjob/backup']);
    await waiting.line(/^cronjob\/backup: job\/only 0\/1 succeeded/);
    await api.delete(only, { propagationPolicy: 'Background' });
    await api.until(only, (found) => found === undefined);
    await run(owner, { name: 'next', scheduled: 0 });
    const { code, stdout } = await waiting.exit;
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: 'cronjob/backup reached: job/next Complete, 1/1 succeeded\n',
    });
  });

  test('that keeps no history: its Job is deleted in the moment in which it ends', async ({
    ns,
    kubeAwait,
    expect,
  }) => {
    const owner = await api.create(cronJob(ns, { successfulJobsHistoryLimit: 0 }));
    const only = await run(owner, { name: 'only', scheduled: 1, exitCode: 'ask' });
    const waiting = kubeAwait(['cronjob/backup']);
    await waiting.line(/^cronjob\/backup: job\/only 0\/1 succeeded/);
    await endJob(only, 0);
    const { code, stdout } = await waiting.exit;
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: 'cronjob/backup reached: job/only Complete, 1/1 succeeded\n',
    });
    await api.until(only, (found) => found === undefined);
  });

  test('that is suspended before its first run: pending with a hint', async ({ ns, kubeAwait, expect }) => {
    const owner = await api.create(cronJob(ns, { suspend: true }));
    const waiting = kubeAwait(['cronjob/backup', '--heartbeat=200ms']);
    await waiting.line(/^cronjob\/backup: suspended, not scheduled yet$/);
    await waiting.line(/^hint: cronjob\/backup: it is suspended: nothing runs until spec\.suspend is false$/);
    await run(owner, { name: 'only', scheduled: 0 });
    const { code } = await waiting.exit;
    expect(code).toBe(0);
  });

  test('that is suspended after its newest run was Complete: reached', async ({ ns, kubeAwait, expect }) => {
    const owner = await api.create(cronJob(ns, { suspend: true }));
    const only = await run(owner, { name: 'only', scheduled: 1 });
    await untilCondition(only, 'Complete');
    const { code } = await kubeAwait(['cronjob/backup', '--timeout=0']).exit;
    expect(code).toBe(0);
  });

  test('under --for=finished: a run that failed is an end too', async ({ ns, kubeAwait, expect }) => {
    const owner = await api.create(cronJob(ns));
    const bad = await run(owner, { name: 'bad', scheduled: 1, exitCode: 1 });
    await untilCondition(bad, 'Failed');
    const { code, stdout } = await kubeAwait(['cronjob/backup', '--for=finished', '--timeout=0']).exit;
    expect(code).toBe(0);
    expect(stdout).toMatch(/^cronjob\/backup reached: job\/bad BackoffLimitExceeded: /);
  });

  test('under --for=complete: as without', async ({ ns, kubeAwait, expect }) => {
    const owner = await api.create(cronJob(ns));
    const bad = await run(owner, { name: 'bad', scheduled: 2, exitCode: 1 });
    await untilCondition(bad, 'Failed');
    const waiting = kubeAwait(['cronjob/backup', '--for=complete']);
    await waiting.line(/awaiting the next run$/);
    await run(owner, { name: 'good', scheduled: 1 });
    const { code } = await waiting.exit;
    expect(code).toBe(0);
  });

  test('that is not there: missing, as any other', async ({ ns, kubeAwait, expect }) => {
    const waiting = kubeAwait(['cronjob/backup']);
    await waiting.line(/^cronjob\/backup: does not exist yet$/);
    const owner: Reference = await api.create(cronJob(ns));
    await waiting.line(/^cronjob\/backup: not scheduled yet$/);
    await run(owner, { name: 'only', scheduled: 0 });
    const { code } = await waiting.exit;
    expect(code).toBe(0);
  });
});
