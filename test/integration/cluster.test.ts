/** The test cluster itself: what the other tests take for granted. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { describe, expect } from 'vitest';
import {
  api,
  auditOf,
  cluster,
  deployment,
  endPod,
  hasCondition,
  job,
  pod,
  startPod,
  test,
  untilCondition,
  writeLog,
} from '../harness/index.ts';

const run = promisify(execFile);
const clusterDir = join(import.meta.dirname, '..', 'cluster');

describe.concurrent('what runs in it', () => {
  test('a Job becomes Complete through its pods', async ({ ns, expect }) => {
    const made = await api.create(job({ namespace: ns, name: 'good', completions: 3, parallelism: 3 }));
    const done = await untilCondition(made, 'Complete');
    expect(done.status.succeeded).toBe(3);
  });

  test('a Job whose pod fails becomes Failed, and its pod says how', async ({ ns, expect }) => {
    const made = await api.create(job({ namespace: ns, name: 'bad', exitCode: 3, message: 'it broke' }));
    const done = await untilCondition(made, 'Failed');
    expect(done.status.conditions.at(-1).reason).toBe('BackoffLimitExceeded');
    const pods = await api.get(`/api/v1/namespaces/${ns}/pods?labelSelector=job-name%3Dbad`);
    expect(pods.items[0].status.phase).toBe('Failed');
    expect(pods.items[0].status.containerStatuses[0].state.terminated).toMatchObject({
      exitCode: 3,
      reason: 'Error',
      message: 'it broke',
    });
  });

  test('a Job retries, as often as its pods are told to fail', async ({ ns, exitCodes, expect }) => {
    const retried = job({ namespace: ns, name: 'retried', exitCode: 'ask', backoffLimit: 3 });
    await api.create(retried);
    exitCodes(retried, [1, 0]);
    const done = await untilCondition(retried, 'Complete');
    expect(done.status).toMatchObject({ failed: 1, succeeded: 1 });
  });

  test('an index of a Job fails while the others succeed', async ({ ns, expect }) => {
    const spec = { completionMode: 'Indexed', backoffLimitPerIndex: 0 };
    const indexed = job({
      namespace: ns,
      name: 'indexed',
      completions: 3,
      parallelism: 3,
      failIndexes: [1],
      exitCode: 1,
    });
    const { backoffLimit: _, ...own } = indexed.spec as { backoffLimit: number };
    await api.create({ ...indexed, spec: { ...own, ...spec } } as typeof indexed);
    const done = await untilCondition(indexed, 'Failed');
    expect(done.status).toMatchObject({ completedIndexes: '0,2', failedIndexes: '1' });
  });

  test('a container that fails under OnFailure is started again', async ({ ns, expect }) => {
    const made = pod({ namespace: ns, name: 'again', failTimes: 2, backOff: '100ms', restartPolicy: 'OnFailure' });
    await api.create(made);
    const done = await api.until(made, (found) => found?.status.phase === 'Succeeded');
    expect(done.status.containerStatuses[0].restartCount).toBe(2);
  });

  test('a pod starts when it may, becomes ready when it should, and goes when it is deleted', async ({ ns }) => {
    const made = pod({ namespace: ns, name: 'slow', start: 'never', readyAfter: '300ms', containers: ['a', 'b'] });
    await api.create(made);
    await api.until(made, (found) => hasCondition(found, 'PodScheduled'));
    // Looked for before it starts: a moment later it is ready.
    const notReady = api.until(made, (found) => found?.status.phase === 'Running' && !hasCondition(found, 'Ready'));
    await startPod(made);
    await notReady;
    await untilCondition(made, 'Ready');
    await api.delete(made);
    await api.until(made, (found) => found === undefined);
  });

  test('a pod ends when it is told', async ({ ns, expect }) => {
    const made = pod({ namespace: ns, name: 'asks', exitCode: 'ask' });
    await api.create(made);
    await untilCondition(made, 'Ready');
    await endPod(made, 0);
    const done = await api.until(made, (found) => found?.status.phase !== 'Running');
    expect(done.status.phase).toBe('Succeeded');
  });

  test('a pod whose image cannot be had waits', async ({ ns }) => {
    const made = pod({ namespace: ns, name: 'stuck', waiting: 'ImagePullBackOff' });
    await api.create(made);
    await api.until(made, (found) => found?.status.containerStatuses?.[0].state.waiting?.reason === 'ImagePullBackOff');
  });

  test('the log of a failed pod can be read', async ({ ns, expect }) => {
    const made = pod({ namespace: ns, name: 'talks', exitCode: 1 });
    await api.create(made);
    await api.until(made, (found) => found?.status.phase === 'Failed');
    await writeLog(made, ['one', 'two', 'three']);
    expect(await api.get(`/api/v1/namespaces/${ns}/pods/talks/log?tailLines=2`)).toBe('two\nthree\n');
  });

  test('a Deployment rolls out', async ({ ns, expect }) => {
    const made = deployment({ namespace: ns, name: 'web', replicas: 2 });
    await api.create(made);
    const done = await api.until(made, (found) => found?.status.availableReplicas === 2);
    expect(done.status.readyReplicas).toBe(2);
  });

  test('an exact status can be patched', async ({ ns, expect }) => {
    const made = job({ namespace: ns, name: 'patched', spec: { suspend: true } });
    await api.create(made);
    const patched = await api.patchStatus(made, { active: 0, failed: 7 });
    expect(patched.status.failed).toBe(7);
  });
});

describe.concurrent('who may do what', () => {
  const readPods = [{ apiGroups: [''], resources: ['pods'], verbs: ['list', 'watch'] }];

  for (const by of ['certificate', 'token'] as const) {
    test(`an identity by ${by} may do what its rules say, and the audit log tells what it did`, async ({
      identity,
      ns,
      expect,
    }) => {
      const who = await identity({ rules: readPods, by });
      const kubectl = (...args: string[]) => run(cluster().bin('kubectl'), ['--kubeconfig', who.kubeconfig, ...args]);
      await kubectl('-n', ns, 'get', 'pods', '--field-selector=metadata.name=x');
      await expect(kubectl('-n', ns, 'get', 'jobs')).rejects.toThrow(/Forbidden.*cannot list resource "jobs"/);
      await expect(kubectl('-n', 'default', 'get', 'pods')).rejects.toThrow('Forbidden');

      const lists = auditOf(who.user).filter(({ verb }) => verb === 'list');
      expect(lists.map(({ resource, namespace, code }) => ({ resource, namespace, code }))).toEqual([
        { resource: 'pods', namespace: ns, code: 200 },
        { resource: 'jobs', namespace: ns, code: 403 },
        { resource: 'pods', namespace: 'default', code: 403 },
      ]);
      expect(lists[0]?.query.fieldSelector).toBe('metadata.name=x');
    });
  }

  test('a watch is in the audit log while it is open, and once', async ({ identity, ns, expect }) => {
    const who = await identity();
    await api.create(pod({ namespace: ns, name: 'seen' }));
    const watching = spawn(cluster().bin('kubectl'), ['--kubeconfig', who.kubeconfig, '-n', ns, 'get', 'pods', '-w']);
    const watches = () => auditOf(who.user).filter(({ verb }) => verb === 'watch');
    const ended = once(watching, 'close');
    await once(watching.stdout, 'data');
    await expect.poll(watches, { timeout: 60_000 }).toMatchObject([{ resource: 'pods', state: 'open' }]);
    watching.kill();
    await ended;
    await expect.poll(watches, { timeout: 60_000 }).toMatchObject([{ resource: 'pods', state: 'ended' }]);
  });
});

describe.concurrent('how it ends', () => {
  /** Commands of all processes that name this folder. */
  async function processesOf(folder: string): Promise<string[]> {
    const { stdout } = await run('ps', ['-axo', 'args']);
    return stdout.split('\n').filter((line) => line.includes(folder));
  }

  async function untilGone(folder: string): Promise<void> {
    // Nothing tells when a process that is not a child has ended.
    while (existsSync(folder) || (await processesOf(folder)).length > 0) {
      await sleep(50);
    }
  }

  /** An ended process that nobody has reaped yet (Z) has ended. */
  async function untilEnded(pid: number): Promise<void> {
    const state = () =>
      run('ps', ['-o', 'stat=', '-p', String(pid)]).then(
        ({ stdout }) => stdout.trim(),
        () => 'Z',
      );
    while (!(await state()).startsWith('Z')) {
      await sleep(50);
    }
  }

  for (const signal of ['SIGINT', 'SIGKILL'] as const) {
    test(`${signal} for whoever started it leaves no process and no folder`, { timeout: 60_000 }, async ({
      expect,
    }) => {
      const runner = spawn(process.execPath, [join(clusterDir, 'up.ts')], { stdio: ['ignore', 'ignore', 'pipe'] });
      const lines = createInterface({ input: runner.stderr });
      let folder: string | undefined;
      for await (const line of lines) {
        folder = / are in (\S+)\. /.exec(line)?.[1];
        if (folder !== undefined) {
          break;
        }
      }
      // etcd and the API server besides those that the supervisor starts itself.
      expect(await processesOf(folder ?? '')).toHaveLength(2 + cluster().coordinates.pids.length);
      runner.kill(signal);
      await untilGone(folder ?? '');
    });
  }

  test('a process under test dies with the process that tests it', async () => {
    const script = `
      const { connectCluster } = await import(process.argv[1]);
      const { spawn } = await import('node:child_process');
      const child = spawn('sleep', ['1000'], { detached: true, stdio: 'ignore' });
      await connectCluster(JSON.parse(process.argv[2])).hold(child.pid);
      console.log(child.pid);`;
    const modulePath = join(clusterDir, 'index.ts');
    const tester = spawn(
      process.execPath,
      ['--input-type=module', '-e', script, modulePath, JSON.stringify(cluster().coordinates)],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const pid = Number(await new Promise((resolve) => tester.stdout.once('data', (data) => resolve(String(data)))));
    process.kill(pid, 0);
    tester.kill('SIGKILL');
    await untilEnded(pid);
  });

  test('without Go and without a cache one line says what to install', async ({ expect }) => {
    const env = { PATH: '/nonexistent', HOME: '/nonexistent', XDG_CACHE_HOME: '/nonexistent' };
    const start = run(process.execPath, [join(clusterDir, 'up.ts')], { env });
    const error = await start.then(
      () => undefined,
      (failure: { code: number; stderr: string }) => failure,
    );
    expect(error?.code).toBe(1);
    expect(error?.stderr).toMatch(
      /^The test cluster needs etcd, .*: install Go 1\.26 or newer .*KUBEBUILDER_ASSETS.*\n$/,
    );
  });
});

describe('several at a time', () => {
  test('another one starts and stops', { timeout: 120_000 }, async () => {
    const { startCluster } = await import('../cluster/index.ts');
    const another = await startCluster();
    await another.stop();
    expect(existsSync(another.coordinates.dir)).toBe(false);
    for (const pid of another.coordinates.pids) {
      expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    }
  });
});
