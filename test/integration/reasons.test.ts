/** What a line or a hint says about an object that stays pending. */
import { describe } from 'vitest';
import { api, deployment, job, pod, test, untilAnswered } from '../harness/index.ts';

/** Lets the namespace have no pods at all. */
const noPods = (namespace: string): Promise<unknown> =>
  api.create({
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { name: 'none', namespace },
    spec: { hard: { pods: '0' } },
  } as never);

describe.concurrent('why an object is pending', () => {
  test('a Deployment and a Job whose pods a quota forbids', async ({ ns, kubeAwait, expect }) => {
    const quota = { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'none', namespace: ns } };
    await noPods(ns);
    await api.until(quota, (found) => found?.status?.hard !== undefined);
    await Promise.all([
      api.create(deployment({ namespace: ns, name: 'web' })),
      api.create(job({ namespace: ns, name: 'migrate' })),
    ]);
    const events = `/api/v1/namespaces/${ns}/events?fieldSelector=involvedObject.kind%3DJob,reason%3DFailedCreate`;
    await api.untilAll(events, (found) => found.length > 0);
    const [web, migrate] = await Promise.all([
      (async () => {
        const run = kubeAwait(['deployment/web']);
        const { text } = await run.line(/FailedCreate/);
        run.kill();
        return text;
      })(),
      untilAnswered(() => kubeAwait(['job/migrate', '--timeout=1s'])),
    ]);
    expect(web).toMatch(/^deployment\/web: FailedCreate: .*exceeded quota: none.*, 0\/1 updated, 0\/1 available$/);
    expect(migrate.code).toBe(124);
    expect(migrate.stderr).toMatch(/^job\/migrate: warning: FailedCreate: .*exceeded quota: none/m);
  });

  test('a Job whose warning events cannot be read', async ({ ns, kubeAwait, identity, expect }) => {
    const jobs = { apiGroups: ['batch'], resources: ['jobs'], verbs: ['list', 'watch'] };
    const pods = { apiGroups: [''], resources: ['pods'], verbs: ['list', 'watch'] };
    const as = await identity({ rules: [jobs, pods] });
    await api.create(job({ namespace: ns, name: 'migrate', spec: { suspend: true } } as never));
    const { code, stderr } = await untilAnswered(() => kubeAwait(['job/migrate', '--timeout=1s'], { as }));
    expect(code).toBe(124);
    expect(stderr).not.toContain('warning');
  });

  test('a claim that no pod uses', async ({ ns, kubeAwait }) => {
    await api.create({
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'data', namespace: ns },
      spec: {
        accessModes: ['ReadWriteOnce'],
        storageClassName: 'nobody',
        resources: { requests: { storage: '1Gi' } },
      },
    } as never);
    const run = kubeAwait(['pvc/data', '--heartbeat=200ms']);
    await run.line(/^hint: persistentvolumeclaim\/data: .*WaitForFirstConsumer/);
    run.kill();
  });

  test('a Job and a pod in which a proxy runs on', async ({ ns, kubeAwait }) => {
    const containers = ['main', 'proxy'];
    await api.create(job({ namespace: ns, name: 'migrate', start: 'never', containers }));
    await api.create(pod({ namespace: ns, name: 'task', start: 'never', containers, restartPolicy: 'Never' }));
    const [ofJob] = await api.untilAll(
      `/api/v1/namespaces/${ns}/pods?labelSelector=job-name%3Dmigrate`,
      (found) => found.length === 1,
    );
    const image = { image: 'pretended', imageID: '', restartCount: 0, ready: false };
    const status = {
      phase: 'Running',
      containerStatuses: [
        { name: 'main', ...image, state: { terminated: { exitCode: 0 } } },
        { name: 'proxy', ...image, state: { running: {} } },
      ],
    };
    for (const name of ['task', ofJob.metadata.name]) {
      await api.patchStatus({ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: ns } }, status);
    }
    const run = kubeAwait(['job/migrate', 'pod/task', '--heartbeat=200ms']);
    const says = 'container main ended with 0, but container proxy still runs and keeps the pod from ending';
    await run.line(new RegExp(`^hint: pod/task: pod/task: ${says}`));
    await run.line(new RegExp(`^hint: job/migrate: pod/migrate-\\w+: ${says}`));
    run.kill();
  });
});
