/** --stuck-after: what holds a container up, and what stops the clock. */
import { setTimeout as pause } from 'node:timers/promises';
import { describe } from 'vitest';
import { api, auditOf, hasCondition, type Json, job, pod, startPod, test } from '../harness/index.ts';
import { annotationsOf } from '../harness/objects.ts';

const reasons = [
  'ErrImagePull',
  'ImagePullBackOff',
  'InvalidImageName',
  'ErrImageNeverPull',
  'CreateContainerConfigError',
  'CreateContainerError',
  'RunContainerError',
  'CrashLoopBackOff',
];

const isWaiting = (found: Json | undefined): boolean =>
  found?.status?.containerStatuses?.[0]?.state?.waiting !== undefined;

/** Much faster than any clock here; faster still would only be work for the API server. */
const TURN_MS = 100;

describe.concurrent('--stuck-after fails for a container that waits with', () => {
  // One namespace and one wait for each reason would make a minute of what is one rule.
  test(reasons.join(', '), async ({ ns, bare, expect }) => {
    await Promise.all(
      reasons.map(async (reason) => {
        const name = reason.toLowerCase();
        await api.create(pod({ namespace: ns, name, waiting: reason, exitCode: 0 }));
        const { code, stdout } = await bare([`pod/${name}`, '--stuck-after=500ms', '--logs=0'], { namespace: ns }).exit;
        expect({ code, stdout }).toEqual({
          code: 1,
          stdout: `pod/${name} failed: pod/${name} container main is stuck: ${reason}: pretended: pretended\n`,
        });
      }),
    );
  });
});

describe.concurrent('--stuck-after', () => {
  test('is off unless it is asked for, and leaves reasons that pass by themselves alone', async ({
    ns,
    kubeAwait,
    expect,
  }) => {
    await api.create(pod({ namespace: ns, name: 'broken', waiting: 'ImagePullBackOff', exitCode: 0 }));
    await api.create(pod({ namespace: ns, name: 'starting', waiting: 'ContainerCreating', exitCode: 0 }));
    const [without, starting] = await Promise.all([
      kubeAwait(['pod/broken', '--timeout=2s']).exit,
      kubeAwait(['pod/starting', '--stuck-after=200ms', '--timeout=2s']).exit,
    ]);
    expect([without.code, starting.code]).toEqual([124, 124]);
  });

  test('alternating image reasons count as one', async ({ ns, kubeAwait, expect }) => {
    const target = pod({ namespace: ns, name: 'x', waiting: 'ErrImagePull', exitCode: 0 });
    await api.create(target);
    const run = kubeAwait(['pod/x', '--stuck-after=4s', '--logs=0']);
    const turns: string[] = [];
    let over = false;
    const exit = run.exit.finally(() => {
      over = true;
    });
    // Faster than the clock, so that one that began anew with each turn would never run out.
    while (!over) {
      const next = turns.length % 2 === 0 ? 'ImagePullBackOff' : 'ErrImagePull';
      await api.patch(target, { metadata: { annotations: annotationsOf({ waiting: next }) } });
      await api.until(target, (found) => found?.status?.containerStatuses?.[0]?.state?.waiting?.reason === next, {
        what: next,
      });
      turns.push(next);
      await pause(TURN_MS);
    }
    const { code, stdout } = await exit;
    expect(code).toBe(1);
    expect(stdout).toMatch(/^pod\/x failed: pod\/x container main is stuck: (ErrImagePull|ImagePullBackOff): /);
    expect(turns.length).toBeGreaterThan(1);
  });

  test('CrashLoopBackOff: the clock goes on while the container runs for a moment', async ({
    ns,
    kubeAwait,
    expect,
  }) => {
    const behaviour = { start: 'never', exitCode: 'ask', restartPolicy: 'OnFailure', backOff: '1h' } as const;
    const target = pod({ namespace: ns, name: 'x', ...behaviour });
    await api.create(target);
    const status = (state: object, more: object = {}): Promise<Json> =>
      api.patchStatus(target, {
        phase: 'Running',
        containerStatuses: [
          { name: 'main', image: 'pretended', imageID: '', ready: false, restartCount: 1, state, ...more },
        ],
      });
    const crashed = { waiting: { reason: 'CrashLoopBackOff', message: 'back-off' } };
    await status(crashed);
    const run = kubeAwait(['pod/x', '--stuck-after=2s', '--logs=0']);
    await run.line(/^pod\/x: .*CrashLoopBackOff/);
    let over = false;
    const exit = run.exit.finally(() => {
      over = true;
    });
    while (!over) {
      await status({ running: { startedAt: new Date().toISOString() } });
      await status({ terminated: { exitCode: 1 } });
      await status(crashed);
      await pause(TURN_MS);
    }
    const { code, stdout } = await exit;
    expect(code).toBe(1);
    expect(stdout).toMatch(/^pod\/x failed: pod\/x container main is stuck: CrashLoopBackOff: back-off\n$/);
  });

  test('the clock continues while the container is ready for a moment', async ({ ns, kubeAwait, expect }) => {
    const labels = { app: 'x' };
    const flapping = pod({ namespace: ns, name: 'x', labels, start: 'never', backOff: '1h' });
    await api.create(flapping);
    const status = (ready: boolean): Promise<Json> =>
      api.patchStatus(flapping, {
        phase: 'Running',
        containerStatuses: [
          {
            name: 'main',
            image: 'pretended',
            imageID: '',
            ready,
            restartCount: 1,
            state: ready ? { running: {} } : { waiting: { reason: 'CrashLoopBackOff' } },
          },
        ],
      });
    const run = kubeAwait(['pod', '-l', 'app=x', '--stuck-after=2s', '--logs=0']);
    await run.line(/does not exist yet|CrashLoop|Pending/);
    let over = false;
    const exit = run.exit.finally(() => {
      over = true;
    });
    while (!over) {
      await status(false);
      await status(true);
      await status(false);
      await pause(TURN_MS);
    }
    const { code, stdout } = await exit;
    expect([code, stdout]).toEqual([1, 'pod -l app=x failed: pod/x container main is stuck: CrashLoopBackOff\n']);
  });

  test('Unschedulable: the clock starts when it is first seen, whatever time the condition has', async ({
    ns,
    kubeAwait,
    expect,
  }) => {
    // No scheduler takes it, so the condition stays as written.
    const target = pod({ namespace: ns, name: 'x', exitCode: 0, spec: { schedulerName: 'nobody' } });
    await api.create(target);
    await api.patchStatus(target, {
      conditions: [
        {
          type: 'PodScheduled',
          status: 'False',
          reason: 'Unschedulable',
          message: '0/1 nodes are available',
          lastTransitionTime: `${new Date(Date.now() - 11 * 60_000).toISOString().slice(0, 19)}Z`,
        },
      ],
    });
    const [early, late] = await Promise.all([
      kubeAwait(['pod/x', '--stuck-after=10m', '--timeout=1s', '--logs=0']).exit,
      kubeAwait(['pod/x', '--stuck-after=500ms', '--logs=0']).exit,
    ]);
    expect(early.code).toBe(124);
    expect([late.code, late.stdout]).toEqual([
      1,
      'pod/x failed: pod/x is stuck: Unschedulable: 0/1 nodes are available\n',
    ]);
  });

  test('a pod that the scheduler has no node for', async ({ ns, kubeAwait, expect }) => {
    const nowhere = { nodeSelector: { 'kube-await.test/no-such': 'node' } };
    await api.create(pod({ namespace: ns, name: 'x', exitCode: 0, spec: nowhere }));
    const { code, stdout } = await kubeAwait(['pod/x', '--stuck-after=1s', '--logs=0']).exit;
    expect(code).toBe(1);
    expect(stdout).toMatch(/^pod\/x failed: pod\/x is stuck: Unschedulable: 0\/\d+ nodes are available/);
  });

  test('one stuck pod of a selector is enough', async ({ ns, kubeAwait, expect }) => {
    const labels = { app: 'x' };
    await api.create(pod({ namespace: ns, name: 'good', labels, exitCode: 'ask' }));
    await api.create(pod({ namespace: ns, name: 'bad', labels, waiting: 'ErrImageNeverPull', exitCode: 0 }));
    const { code, stdout } = await kubeAwait(['pod', '-l', 'app=x', '--stuck-after=500ms', '--logs=0']).exit;
    expect(code).toBe(1);
    expect(stdout).toMatch(/^pod -l app=x failed: pod\/bad container main is stuck: ErrImageNeverPull: /);
  });
});

describe.concurrent('--stuck-after of a Job, by way of its pods', () => {
  const jobs = { apiGroups: ['batch'], resources: ['jobs'], verbs: ['list', 'watch'] };
  const pods = { apiGroups: [''], resources: ['pods'], verbs: ['list', 'watch'] };

  test('fails while the Job itself has no trouble to tell', async ({ ns, kubeAwait, identity, expect }) => {
    const as = await identity({ rules: [jobs, pods] });
    await api.create(job({ namespace: ns, name: 'x', waiting: 'ImagePullBackOff' }));
    const { code, stdout } = await kubeAwait(['job/x', '--stuck-after=500ms', '--logs=0'], { as }).exit;
    expect(code).toBe(1);
    expect(stdout).toMatch(/^job\/x failed: pod\/x-\w+ container main is stuck: ImagePullBackOff: /);
  });

  test('is reached when the trouble is over in time', async ({ ns, kubeAwait, expect }) => {
    await api.create(job({ namespace: ns, name: 'x', waiting: 'ImagePullBackOff' }));
    const [made] = await api.untilAll(`/api/v1/namespaces/${ns}/pods?labelSelector=job-name%3Dx`, (found) =>
      found.some(isWaiting),
    );
    const run = kubeAwait(['job/x', '--stuck-after=1h']);
    await run.line(/^job\/x: 0\/1 succeeded/);
    await startPod({ ...made, apiVersion: 'v1', kind: 'Pod' });
    const { code } = await run.exit;
    expect(code).toBe(0);
  });

  test('needs `list` and `watch` on pods: refused without', async ({ ns, kubeAwait, identity, expect }) => {
    const as = await identity({ rules: [jobs] });
    await api.create(job({ namespace: ns, name: 'x', exitCode: 'ask' }));
    const { code, stderr } = await kubeAwait(['job/x', '--stuck-after=1h'], { as }).exit;
    expect(code).toBe(3);
    expect(stderr).toMatch(/resources: \["pods"\]\n\s+verbs: \["list", "watch"\]/);
  });

  test('and only then: without it no pod is asked for', async ({ ns, kubeAwait, identity, exitCodes, expect }) => {
    const as = await identity({ rules: [jobs] });
    const target = job({ namespace: ns, name: 'x', exitCode: 'ask' });
    await api.create(target);
    const run = kubeAwait(['job/x'], { as });
    await run.line(/^job\/x: 0\/1 succeeded/);
    exitCodes(target, [0]);
    const { code } = await run.exit;
    expect(code).toBe(0);
    expect(auditOf(as.user).map(({ resource }) => resource)).not.toContain('pods');
    expect(hasCondition(await api.get(target), 'Complete')).toBe(true);
  });
});
