/** Deployment, StatefulSet, DaemonSet, ReplicaSet and ReplicationController: reached, pending, failed. */
import { describe } from 'vitest';
import { freeze } from '../harness/frozen.ts';
import { api, deployment, type Json, startPod, test } from '../harness/index.ts';
import { looksAt, slug } from '../harness/looks.ts';
import type { TestObject } from '../harness/objects.ts';

type Kind = 'Deployment' | 'StatefulSet' | 'DaemonSet' | 'ReplicaSet' | 'ReplicationController';

/** Two pods that are never started, unless the spec says otherwise. */
function workload(kind: Kind, namespace: string, spec: object = {}, name = 'web'): TestObject {
  const labels = { app: name };
  const annotations = { 'kube-await.test/hold': 'true' };
  return {
    apiVersion: kind === 'ReplicationController' ? 'v1' : 'apps/v1',
    kind,
    metadata: { name, namespace },
    spec: {
      ...(kind === 'DaemonSet' ? {} : { replicas: 2 }),
      selector: kind === 'ReplicationController' ? labels : { matchLabels: labels },
      template: { metadata: { labels, annotations }, spec: { containers: [{ name: 'main', image: 'pretended' }] } },
      ...spec,
    },
  };
}

const startPods = async (namespace: string, count: number): Promise<void> => {
  const pods = await api.untilAll(`/api/v1/namespaces/${namespace}/pods`, (all) => all.length === count);
  await Promise.all(
    pods.map(({ metadata }) =>
      startPod({ apiVersion: 'v1', kind: 'Pod', metadata: { name: metadata.name, namespace } }),
    ),
  );
};

const now = (): string => `${new Date().toISOString().slice(0, 19)}Z`;
const progressing = (status: string, reason: string, message: string): object => ({
  conditions: [{ type: 'Progressing', status, reason, message, lastUpdateTime: now(), lastTransitionTime: now() }],
});
const exceeded = progressing('False', 'ProgressDeadlineExceeded', 'ReplicaSet "web-1" has timed out progressing.');
/** The pod template of a second generation. */
const changed = (image: string): object => ({
  spec: { template: { spec: { containers: [{ name: 'main', image }] } } },
});

const unobserved = 'the controller has not seen the present spec yet';

interface Row {
  readonly is: string;
  readonly kind: Kind;
  readonly spec?: object;
  /** Whether the spec is changed once, so that the present generation is 2. */
  readonly generation?: 1 | 2;
  readonly status: object;
  readonly ends: 'reached' | 'pending' | 'failed';
  readonly says: string;
}

const rolledOut = { replicas: 2, updatedReplicas: 2, readyReplicas: 2, availableReplicas: 2 };
const both = { currentRevision: 'web-1', updateRevision: 'web-1' };
const scheduled = { currentNumberScheduled: 3, numberMisscheduled: 0, desiredNumberScheduled: 3, numberReady: 3 };

const ROWS: readonly Row[] = [
  {
    is: 'Deployment whose replicas are all updated and available',
    kind: 'Deployment',
    status: { observedGeneration: 1, ...rolledOut },
    ends: 'reached',
    says: '2/2 updated, 2/2 available',
  },
  {
    is: 'Deployment that its controller has not seen at all',
    kind: 'Deployment',
    status: {},
    ends: 'pending',
    says: unobserved,
  },
  {
    is: 'Deployment that was rolled out, and whose observedGeneration lags',
    kind: 'Deployment',
    generation: 2,
    status: { observedGeneration: 1, ...rolledOut },
    ends: 'pending',
    says: unobserved,
  },
  {
    is: 'Deployment of whose new replicas one is missing',
    kind: 'Deployment',
    status: { observedGeneration: 1, ...rolledOut, updatedReplicas: 1 },
    ends: 'pending',
    says: '1/2 updated, 2/2 available',
  },
  {
    is: 'Deployment of which an old replica is still there',
    kind: 'Deployment',
    status: { observedGeneration: 1, ...rolledOut, replicas: 3 },
    ends: 'pending',
    says: '2/2 updated, 2/2 available, old pods are still there',
  },
  {
    is: 'Deployment of which a new replica is not available yet',
    kind: 'Deployment',
    status: { observedGeneration: 1, ...rolledOut, availableReplicas: 1 },
    ends: 'pending',
    says: '2/2 updated, 1/2 available',
  },
  {
    is: 'Deployment that wants no replica',
    kind: 'Deployment',
    spec: { replicas: 0 },
    status: { observedGeneration: 1 },
    ends: 'reached',
    says: '0/0 updated, 0/0 available',
  },
  {
    is: 'Deployment whose progress deadline is exceeded',
    kind: 'Deployment',
    status: { observedGeneration: 1, replicas: 2, updatedReplicas: 2, ...exceeded },
    ends: 'failed',
    says: 'ProgressDeadlineExceeded: ReplicaSet "web-1" has timed out progressing., 2/2 updated, 0/2 available',
  },
  {
    is: 'Deployment whose progress deadline was exceeded at an earlier generation',
    kind: 'Deployment',
    generation: 2,
    status: { observedGeneration: 1, replicas: 2, updatedReplicas: 2, ...exceeded },
    ends: 'pending',
    says: unobserved,
  },
  {
    is: 'Deployment that is paused half-way',
    kind: 'Deployment',
    spec: { paused: true },
    status: { observedGeneration: 1, ...rolledOut, updatedReplicas: 1 },
    ends: 'pending',
    says: 'paused: 1/2 updated, 2/2 available',
  },
  {
    is: 'Deployment that is paused and rolled out',
    kind: 'Deployment',
    spec: { paused: true },
    status: { observedGeneration: 1, ...rolledOut },
    ends: 'reached',
    says: '2/2 updated, 2/2 available',
  },
  {
    is: 'StatefulSet whose replicas are all updated and ready',
    kind: 'StatefulSet',
    status: { observedGeneration: 1, ...rolledOut, ...both },
    ends: 'reached',
    says: '2/2 updated, 2/2 available',
  },
  {
    is: 'StatefulSet that was rolled out, and whose observedGeneration lags',
    kind: 'StatefulSet',
    generation: 2,
    status: { observedGeneration: 1, ...rolledOut, ...both },
    ends: 'pending',
    says: unobserved,
  },
  {
    is: 'StatefulSet of which a replica is not ready',
    kind: 'StatefulSet',
    status: { observedGeneration: 1, ...rolledOut, ...both, readyReplicas: 1, availableReplicas: 1 },
    ends: 'pending',
    says: '2/2 updated, 1/2 available',
  },
  {
    is: 'StatefulSet of which a replica is still of the old revision',
    kind: 'StatefulSet',
    status: { observedGeneration: 1, ...rolledOut, ...both, updateRevision: 'web-2', updatedReplicas: 1 },
    ends: 'pending',
    says: '1/2 updated, 2/2 available',
  },
  {
    is: 'StatefulSet with a partition, updated down to it',
    kind: 'StatefulSet',
    spec: { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 1 } } },
    status: { observedGeneration: 1, ...rolledOut, ...both, updateRevision: 'web-2', updatedReplicas: 1 },
    ends: 'reached',
    says: '1/2 updated, 2/2 available',
  },
  {
    is: 'StatefulSet with a partition, not updated down to it yet',
    kind: 'StatefulSet',
    spec: { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 1 } } },
    status: { observedGeneration: 1, ...rolledOut, ...both, updateRevision: 'web-2', updatedReplicas: 0 },
    ends: 'pending',
    says: '0/2 updated, 2/2 available',
  },
  {
    is: 'StatefulSet with OnDelete whose replicas are ready, old as they are',
    kind: 'StatefulSet',
    spec: { updateStrategy: { type: 'OnDelete' } },
    status: { observedGeneration: 1, ...rolledOut, ...both, updateRevision: 'web-2', updatedReplicas: 0 },
    ends: 'reached',
    says: '0/2 updated, 2/2 available',
  },
  {
    is: 'StatefulSet with OnDelete that its controller has not seen at the present generation',
    kind: 'StatefulSet',
    spec: { updateStrategy: { type: 'OnDelete' } },
    generation: 2,
    status: { observedGeneration: 1, ...rolledOut, ...both },
    ends: 'pending',
    says: unobserved,
  },
  {
    is: 'DaemonSet that is updated and available on all its nodes',
    kind: 'DaemonSet',
    status: { observedGeneration: 1, ...scheduled, updatedNumberScheduled: 3, numberAvailable: 3 },
    ends: 'reached',
    says: '3/3 updated, 3/3 available',
  },
  {
    is: 'DaemonSet that was rolled out, and whose observedGeneration lags',
    kind: 'DaemonSet',
    generation: 2,
    status: { observedGeneration: 1, ...scheduled, updatedNumberScheduled: 3, numberAvailable: 3 },
    ends: 'pending',
    says: unobserved,
  },
  {
    is: 'DaemonSet that is old on one node',
    kind: 'DaemonSet',
    status: { observedGeneration: 1, ...scheduled, updatedNumberScheduled: 2, numberAvailable: 3 },
    ends: 'pending',
    says: '2/3 updated, 3/3 available',
  },
  {
    is: 'DaemonSet that is not available on one node',
    kind: 'DaemonSet',
    status: { observedGeneration: 1, ...scheduled, updatedNumberScheduled: 3, numberAvailable: 2 },
    ends: 'pending',
    says: '3/3 updated, 2/3 available',
  },
  {
    is: 'DaemonSet with OnDelete that is available, old as it is',
    kind: 'DaemonSet',
    spec: { updateStrategy: { type: 'OnDelete' } },
    status: { observedGeneration: 1, ...scheduled, updatedNumberScheduled: 0, numberAvailable: 3 },
    ends: 'reached',
    says: '0/3 updated, 3/3 available',
  },
  {
    is: 'ReplicaSet whose replicas are all available',
    kind: 'ReplicaSet',
    status: { observedGeneration: 1, replicas: 2, readyReplicas: 2, availableReplicas: 2 },
    ends: 'reached',
    says: '2/2 updated, 2/2 available',
  },
  {
    is: 'ReplicaSet of which a replica is not available',
    kind: 'ReplicaSet',
    status: { observedGeneration: 1, replicas: 2, readyReplicas: 2, availableReplicas: 1 },
    ends: 'pending',
    says: '2/2 updated, 1/2 available',
  },
  {
    is: 'ReplicaSet whose observedGeneration lags',
    kind: 'ReplicaSet',
    generation: 2,
    status: { observedGeneration: 1, replicas: 2, readyReplicas: 2, availableReplicas: 2 },
    ends: 'pending',
    says: unobserved,
  },
  {
    is: 'ReplicationController whose replicas are all available',
    kind: 'ReplicationController',
    status: { observedGeneration: 1, replicas: 2, readyReplicas: 2, availableReplicas: 2 },
    ends: 'reached',
    says: '2/2 updated, 2/2 available',
  },
  {
    is: 'ReplicationController of which a replica is not available',
    kind: 'ReplicationController',
    status: { observedGeneration: 1, replicas: 2, readyReplicas: 1, availableReplicas: 1 },
    ends: 'pending',
    says: '2/2 updated, 1/2 available',
  },
];

test('each status of a controller', async ({ ns, kubeAwait, expect }) => {
  await freeze(ns);
  const looks = await Promise.all(
    ROWS.map(async ({ is, kind, spec, generation = 1, status, ends, says }) => {
      const name = slug(is);
      const made = workload(kind, ns, spec, name);
      await api.create(made);
      if (generation === 2) await api.patch(made, changed('newer'));
      const { metadata } = await api.patchStatus(made, status);
      expect({ is, generation: metadata.generation }).toEqual({ is, generation });
      return { target: `${kind.toLowerCase()}/${name}`, ends, says };
    }),
  );
  for (const { args, ...ended } of looksAt(looks)) {
    const { code, stdout } = await kubeAwait(args).exit;
    expect({ code, stdout }).toEqual(ended);
  }
});

describe.concurrent('a roll-out by its own controller', () => {
  for (const kind of ['Deployment', 'ReplicaSet', 'ReplicationController'] as const) {
    test(`${kind}: reached when its pods are ready, and not before`, async ({ ns, kubeAwait, expect }) => {
      const target = workload(kind, ns);
      await api.create(target);
      const label = `${kind.toLowerCase()}/web`;
      const run = kubeAwait([label]);
      await run.line(new RegExp(`^${label}: 2/2 updated, 0/2 available$`));
      await startPods(ns, 2);
      const { code, stdout } = await run.exit;
      expect({ code, stdout }).toEqual({ code: 0, stdout: `${label} reached: 2/2 updated, 2/2 available\n` });
    });
  }

  test('StatefulSet: reached when the last of its pods, which come one after the other, is ready', async ({
    ns,
    kubeAwait,
    expect,
  }) => {
    await api.create(workload('StatefulSet', ns));
    const run = kubeAwait(['sts/web']);
    await run.line(/^statefulset\/web: 1\/2 updated, 0\/2 available$/);
    await startPods(ns, 1);
    await run.line(/^statefulset\/web: [12]\/2 updated, 1\/2 available$/);
    await startPods(ns, 2);
    const { code } = await run.exit;
    expect(code).toBe(0);
  });

  test('StatefulSet: an update is reached when every pod is of the new revision', async ({ ns, kubeAwait, expect }) => {
    const target = workload('StatefulSet', ns, { podManagementPolicy: 'Parallel' });
    await api.create(target);
    await startPods(ns, 2);
    await api.until(target, (found) => found?.status.readyReplicas === 2);
    await api.patch(target, changed('newer'));
    const run = kubeAwait(['sts/web']);
    await run.line(/^statefulset\/web: 1\/2 updated, 1\/2 available$/);
    const isNew = (found: Json): boolean => found?.spec.containers[0].image === 'newer';
    for (const name of ['web-1', 'web-0']) {
      const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: ns } };
      await api.until(pod, isNew);
      await startPod(pod);
    }
    const { code } = await run.exit;
    const { status } = await api.get(target);
    expect({ code, updated: status.updatedReplicas }).toEqual({ code: 0, updated: 2 });
    expect(status.currentRevision).toBe(status.updateRevision);
  });

  test('DaemonSet: reached when its pod on each node is ready', async ({ ns, kubeAwait, expect }) => {
    const target = workload('DaemonSet', ns);
    await api.create(target);
    const run = kubeAwait(['ds/web']);
    await run.line(/^daemonset\/web: 3\/3 updated, 0\/3 available$/);
    await startPods(ns, 3);
    const { code, stdout } = await run.exit;
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'daemonset/web reached: 3/3 updated, 3/3 available\n' });
  });

  test('Deployment: fails when its progress deadline passes', async ({ ns, kubeAwait, expect }) => {
    await api.create(workload('Deployment', ns, { progressDeadlineSeconds: 1 }));
    const { code, stdout } = await kubeAwait(['deploy/web']).exit;
    expect(code).toBe(1);
    expect(stdout).toMatch(/^deployment\/web failed: ProgressDeadlineExceeded: ReplicaSet "web-.+" has timed out/);
  });

  test('Deployment: paused half-way is pending with a hint, and goes on when it is resumed', async ({
    ns,
    kubeAwait,
    expect,
  }) => {
    const target = deployment({ namespace: ns, name: 'web' });
    await api.create(target);
    await api.until(target, (found) => found?.status.availableReplicas === 1);
    await api.patch(target, { spec: { paused: true, ...(changed('newer') as { spec: object }).spec } });
    const run = kubeAwait(['deploy/web', '--heartbeat=200ms']);
    await run.line(/^deployment\/web: paused: 0\/1 updated, 1\/1 available$/);
    await run.line(/^hint: deployment\/web: its roll-out is paused: kubectl rollout resume/);
    await api.patch(target, { spec: { paused: false } });
    const { code } = await run.exit;
    expect(code).toBe(0);
  });

  test('Deployment: ready must hold at the end', async ({ ns, kubeAwait, expect }) => {
    const target = deployment({ namespace: ns, name: 'web' });
    await api.create(target);
    await api.until(target, (found) => found?.status.availableReplicas === 1);
    const run = kubeAwait(['deploy/web', 'configmap/gate']);
    await run.line(/^deployment\/web: 1\/1 updated, 1\/1 available$/);
    await api.patch(target, {
      spec: { replicas: 2, template: { metadata: { annotations: { 'kube-await.test/hold': 'true' } } } },
    });
    await run.line(/^deployment\/web: .*2 updated, .*$/);
    await api.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'gate', namespace: ns } });
    await run.line(/^configmap\/gate: exists$/);
    await api.patch(target, { spec: { template: { metadata: { annotations: { 'kube-await.test/hold': null } } } } });
    const { code, stdout } = await run.exit;
    expect(code).toBe(0);
    expect(stdout).toContain('deployment/web reached: 2/2 updated, 2/2 available\n');
  });
});
