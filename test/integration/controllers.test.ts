/** Pods by what their controller does with them: replaced, followed by one of the same name, retried; and the own pod. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe } from 'vitest';
import { podOfToken } from '../../src/kube/in-cluster.ts';
import {
  api,
  auditOf,
  cluster,
  endPod,
  hasCondition,
  type Json,
  job,
  pod,
  type TestObject,
  test,
} from '../harness/index.ts';

const x = { app: 'x' };
const HOLD = { finalizers: ['kube-await.test/hold'] };
const SHUT_DOWN = { phase: 'Succeeded', reason: 'Completed' };
const EVICTED = { phase: 'Failed', reason: 'Evicted', message: 'The node was low on memory.' };
const READY = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] };
const strict = ['--on-missing=fail', '--missing-grace=0s'];

const asPod = (found: Json): TestObject => ({ ...found, apiVersion: 'v1', kind: 'Pod' });
const podsAt = (namespace: string, label = 'app%3Dx'): string =>
  `/api/v1/namespaces/${namespace}/pods?labelSelector=${label}`;
const release = (target: TestObject): Promise<Json> => api.patch(target, { metadata: { finalizers: null } });

/** A controller from outside of Kubernetes: no one acts on its pods but the test. */
const ownedBy = (kind: string): object => ({
  ownerReferences: [
    {
      apiVersion: 'example.com/v1',
      kind,
      name: 'owner',
      uid: '00000000-0000-0000-0000-000000000001',
      controller: true,
    },
  ],
});

/** A pod that is never scheduled, so that no one but the test writes its status. */
async function still(namespace: string, name: string, status: object, more: object = {}): Promise<TestObject> {
  const made = pod({ namespace, name, labels: x, spec: { schedulerName: 'nobody' }, ...more });
  await api.create(made);
  await api.patchStatus(made, status);
  return made;
}

interface Controller {
  readonly kind: 'ReplicaSet' | 'ReplicationController' | 'StatefulSet';
  readonly apiVersion: string;
}

/** Makes a controller of one pod that is not scheduled and that stays when it is deleted; gives the pod. */
async function controller(namespace: string, { kind, apiVersion }: Controller): Promise<TestObject> {
  const spec = { schedulerName: 'nobody', containers: [{ name: 'main', image: 'pretended' }] };
  await api.create({
    apiVersion,
    kind,
    metadata: { name: 'x', namespace },
    spec: {
      replicas: 1,
      selector: kind === 'ReplicationController' ? x : { matchLabels: x },
      ...(kind === 'StatefulSet' && { serviceName: 'x' }),
      template: { metadata: { labels: x, ...HOLD }, spec },
    },
  } as unknown as TestObject);
  const [found] = await api.untilAll(podsAt(namespace), (all) => all.length === 1);
  return asPod(found);
}

/** The pod that takes the place of another one. */
async function replacement(namespace: string, old: TestObject): Promise<TestObject> {
  const isNew = ({ metadata }: Json): boolean => metadata.uid !== (old.metadata as Json).uid;
  const found = await api.untilAll(podsAt(namespace), (all) => all.some(isNew));
  return asPod(found.find(isNew));
}

const REPLACING: readonly Controller[] = [
  { kind: 'ReplicaSet', apiVersion: 'apps/v1' },
  { kind: 'ReplicationController', apiVersion: 'v1' },
];

describe.concurrent.each(REPLACING)('a pod that a $kind replaces', (made) => {
  for (const [what, status] of [
    ['Succeeded, after a graceful node shutdown', SHUT_DOWN],
    ['Failed, after an eviction', EVICTED],
  ] as const) {
    test(`${what}: its replacement decides`, async ({ ns, kubeAwait, expect }) => {
      const old = await controller(ns, made);
      const ways = [['--expect=1'], ['--at-least=1'], ['--for=ready'], []];
      const begin = () => ways.map((way) => kubeAwait(['pod', '-l', 'app=x', ...way, ...strict]));
      const seenAlive = begin();
      for (const run of seenAlive) await run.line(/^pod -l app=x: 0\/1 done, .*pod\/\S+ Pending/);
      await api.patchStatus(old, status);
      const next = await replacement(ns, old);
      const runs = [...seenAlive, ...begin()];
      for (const run of runs) {
        await run.line(new RegExp(`; replaced: pod/${old.metadata.name}$`));
        await run.line(/^pod -l app=x: 0\/1 done, .*1 replaced by the controller, pod\/\S+ Pending/);
      }
      await api.patchStatus(next, READY);
      for (const run of runs) {
        const { code, stderr } = await run.exit;
        expect(code).toBe(0);
        expect(stderr.match(/; replaced: /g)).toHaveLength(1);
      }
    });
  }

  test('hangs in Terminating on a lost node, seen ready before', async ({ ns, kubeAwait, expect }) => {
    const old = await controller(ns, made);
    await api.patchStatus(old, READY);
    const run = kubeAwait(['pod', '-l', 'app=x', 'configmap/gate', '--heartbeat=0']);
    await run.line(/^pod -l app=x: 1\/1 done, /);
    await api.delete(old);
    const next = await replacement(ns, old);
    await run.line(/^pod -l app=x: 0\/1 done, 1 replaced by the controller, pod\/\S+ Pending/);
    await api.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'gate', namespace: ns } });
    await run.line(/^configmap\/gate: exists$/);
    await api.patchStatus(next, READY);
    const { code, stdout } = await run.exit;
    expect(code).toBe(0);
    expect(stdout).toMatch(/^pod -l app=x reached: 1\/1 done/m);
    // The same command, started later.
    expect((await kubeAwait(['pod', '-l', 'app=x', '--timeout=0']).exit).code).toBe(0);
    expect((await api.get(old)).metadata.deletionTimestamp).toBeDefined();
  });
});

describe.concurrent('a pod of a controller from outside of Kubernetes', () => {
  for (const status of [SHUT_DOWN, EVICTED]) {
    test(`${status.phase}, restartPolicy Always: it is replaced`, async ({ ns, kubeAwait, expect }) => {
      await still(ns, 'old', status, { metadata: ownedBy('CloneSet') });
      const run = kubeAwait(['pod', '-l', 'app=x', ...strict]);
      await run.line(/^pod -l app=x: 0\/0 done, 1 replaced by the controller; replaced: pod\/old$/);
      await still(ns, 'new', READY, { metadata: ownedBy('CloneSet') });
      const { code } = await run.exit;
      expect(code).toBe(0);
      const settled = await kubeAwait(['pod-we', '-l', 'app=x', '--timeout=0']).exit;
      expect(settled).toMatchObject({ code: 0, stdout: 'pod -l app=x reached: 2/2 done\n' });
    });
  }

  for (const [policy, status, code] of [
    ['Never', EVICTED, 1],
    ['OnFailure', EVICTED, 1],
    ['Never', SHUT_DOWN, 0],
  ] as const) {
    test(`${status.phase}, restartPolicy ${policy}: it is judged by itself`, async ({ ns, kubeAwait, expect }) => {
      await still(ns, 'task', status, { restartPolicy: policy, metadata: ownedBy('Workflow') });
      expect((await kubeAwait(['pod', '-l', 'app=x', '--logs=0']).exit).code).toBe(code);
    });
  }
});

describe.concurrent('a pod by name that has ended', () => {
  test('of a StatefulSet: the pod that follows it is awaited', async ({ ns, kubeAwait, expect }) => {
    const old = await controller(ns, { kind: 'StatefulSet', apiVersion: 'apps/v1' });
    const run = kubeAwait(['pod/x-0']);
    await run.line(/^pod\/x-0: Pending/);
    await api.patchStatus(old, EVICTED);
    await run.line(/^pod\/x-0: Failed, Evicted: The node was low on memory\., a pod of the same name may follow$/);
    await api.until(old, (found) => found?.metadata.deletionTimestamp !== undefined);
    await release(old);
    await api.patchStatus(await replacement(ns, old), READY);
    const { code, stdout } = await run.exit;
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'pod/x-0 reached: Ready\n' });
  });

  for (const { phase, ...status } of [SHUT_DOWN, EVICTED]) {
    test(`${phase}, seen at first: pending, or reached under finished`, async ({ ns, kubeAwait, expect }) => {
      await still(ns, 'kafka-0', { phase, ...status }, { metadata: ownedBy('StrimziPodSet') });
      const pending = await kubeAwait(['pod/kafka-0', '--timeout=0']).exit;
      expect(pending.code).toBe(124);
      expect(pending.stdout).toMatch(
        new RegExp(`^pod/kafka-0 not reached: ${phase}, .*a pod of the same name may follow`),
      );
      expect((await kubeAwait(['pod/kafka-0', '--for=finished', '--timeout=0']).exit).code).toBe(0);
    });
  }

  test('of a ReplicaSet, which never uses a name again: Failed is failed', async ({ ns, kubeAwait, expect }) => {
    const old = await controller(ns, { kind: 'ReplicaSet', apiVersion: 'apps/v1' });
    const name = `pod/${old.metadata.name}`;
    const run = kubeAwait([name, '--logs=0']);
    await run.line(/: Pending/);
    await api.patchStatus(old, EVICTED);
    expect((await run.exit).code).toBe(1);
    expect((await kubeAwait([name, '--logs=0']).exit).code).toBe(1);
  });
});

describe.concurrent('a ready pod that is drained', () => {
  test('is not ready while it terminates, and missing when it is gone', async ({ ns, kubeAwait, expect }) => {
    // On a node: the garbage collector marks a terminating pod without one as Failed.
    const web = pod({ namespace: ns, name: 'web', labels: x, deleteAfter: '1h' });
    await api.create(web);
    await api.until(web, (found) => hasCondition(found, 'Ready'));
    const run = kubeAwait(['pod/web', 'pod', '-l', 'app=x']);
    const gated = kubeAwait(['pod/web', 'pod', '-l', 'app=x', 'configmap/gate']);
    expect((await run.exit).code).toBe(0);
    await gated.line(/^pod\/web: Ready$/);
    await gated.line(/^pod -l app=x: 1\/1 done, /);
    await api.delete(web);
    await gated.line(/^pod\/web: Running/);
    await gated.line(/^pod -l app=x: 0\/1 done, pod\/web Running/);
    await api.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'gate', namespace: ns } });
    await gated.line(/^configmap\/gate: exists$/);
    // As kubectl wait does, a condition is read as it is.
    const condition = await kubeAwait(['pod', '-l', 'app=x', '--for=condition=Ready', '--timeout=0']).exit;
    expect(condition.code).toBe(0);
    await api.delete(web, { gracePeriodSeconds: 0 });
    await gated.line(/^pod\/web: deleted before it was done$/);
    await gated.line(/^pod -l app=x: does not exist yet$/);
    await still(ns, 'web', READY);
    expect((await gated.exit).code).toBe(0);
  });

  test('a task that ends while it terminates: its phase decides', async ({ ns, kubeAwait, expect }) => {
    const task = await still(ns, 'task', { phase: 'Running' }, { restartPolicy: 'Never', metadata: HOLD });
    const runs = [['pod/task'], ['pod', '-l', 'app=x']].map((args) => kubeAwait([...args, '--logs=0']));
    for (const run of runs) await run.line(/Running/);
    await api.delete(task);
    await api.patchStatus(task, { phase: 'Failed' });
    for (const run of runs) expect((await run.exit).code).toBe(1);
    await release(task);
  });
});

describe.concurrent('pods of a Job', () => {
  const jobsAsked = (user: string): boolean => auditOf(user).some(({ resource }) => resource === 'jobs');

  test('--for=ready: running, ready pods are enough, and no Job is read', async ({
    ns,
    kubeAwait,
    identity,
    expect,
  }) => {
    const who = await identity();
    const workers = job({ namespace: ns, name: 'workers', labels: x, exitCode: 'ask', completions: 2, parallelism: 2 });
    await api.create(workers);
    const { code } = await kubeAwait(['pod', '-l', 'app=x', '--for=ready', '--expect=1'], { as: who }).exit;
    expect(code).toBe(0);
    await api.untilAll(podsAt(ns), (all) => all.length === 2 && all.every((one) => hasCondition(one, 'Ready')));
    const whole = await identity();
    const all = await kubeAwait(['pod', '-l', 'app=x', '--for=ready'], { as: whole }).exit;
    expect(all).toMatchObject({ code: 0, stdout: 'pod -l app=x reached: 2/2 done\n' });
    expect(jobsAsked(whole.user)).toBe(false);
    expect(hasCondition(await api.get(workers), 'Complete')).toBe(false);
  });

  test('--for=ready: a failed pod does not count while its Job may retry', async ({
    ns,
    kubeAwait,
    identity,
    exitCodes,
    expect,
  }) => {
    const who = await identity();
    const retried = job({ namespace: ns, name: 'retried', labels: x, exitCode: 'ask', backoffLimit: 1 });
    await api.create(retried);
    exitCodes(retried, [1]);
    const run = kubeAwait(['pod', '-l', 'app=x', '--for=ready', ...strict], { as: who });
    const { code, stdout } = await run.exit;
    const pods = await api.get(podsAt(ns));
    // It may have seen the first pod ready, or the second one.
    expect({ code, pods: pods.items.length > 0 }).toEqual({ code: 0, pods: true });
    expect(stdout).toMatch(/^pod -l app=x reached: 1\/1 done, pod\/retried-\w+ Ready\n$/);
  });

  /** One pod of a Job that its own controller leaves alone, failed, and one that is ready. */
  async function failedAndReady(namespace: string): Promise<TestObject> {
    const owner = job({ namespace, name: 'owner', spec: { managedBy: 'example.com/other' } });
    const { uid } = (await api.create(owner)).metadata;
    const reference = { apiVersion: 'batch/v1', kind: 'Job', name: 'owner', uid, controller: true };
    const more = { restartPolicy: 'Never', metadata: { ownerReferences: [reference] } };
    await still(namespace, 'bad', { phase: 'Failed' }, more);
    await still(namespace, 'good', READY, more);
    return owner;
  }
  const time = '2026-01-01T00:00:00Z';
  const failure = {
    startTime: time,
    conditions: ['FailureTarget', 'Failed'].map((type) => ({
      type,
      status: 'True',
      reason: 'BackoffLimitExceeded',
      lastProbeTime: time,
      lastTransitionTime: time,
    })),
  };
  const onlyPods = [{ apiGroups: [''], resources: ['pods'], verbs: ['list', 'watch'] }];

  test('--for=ready: the Job of a failed pod decides, or the pods where Jobs are refused', async ({
    ns,
    kubeAwait,
    identity,
    expect,
  }) => {
    const owner = await failedAndReady(ns);
    const args = ['pod', '-l', 'app=x', '--for=ready', '--logs=0'];
    const who = await identity();
    expect((await kubeAwait(args, { as: who }).exit).code).toBe(0);
    expect(jobsAsked(who.user)).toBe(true);
    const refused = await kubeAwait(args, { as: await identity({ rules: onlyPods, namespace: ns }) }).exit;
    expect(refused.code).toBe(1);
    expect(refused.stdout).toContain('pod/bad Failed');
    await api.patchStatus(owner, failure);
    const over = await kubeAwait(args).exit;
    expect(over.code).toBe(1);
    expect(over.stdout).toContain('job/owner BackoffLimitExceeded');
  });

  test('--expect N: reached with N Succeeded pods, at once', async ({ ns, kubeAwait, expect }) => {
    const many = job({ namespace: ns, name: 'many', labels: x, exitCode: 'ask', completions: 3, parallelism: 3 });
    await api.create(many);
    const [first, second] = await api.untilAll(
      podsAt(ns),
      (all) => all.length === 3 && all.every(({ status }) => status.phase === 'Running'),
    );
    const run = kubeAwait(['pod', '-l', 'app=x', '--expect=2']);
    await run.line(/^pod -l app=x: 0\/3 done, /);
    await endPod(asPod(first), 0);
    await run.line(/^pod -l app=x: 1\/3 done, /);
    await endPod(asPod(second), 0);
    const { code, stdout } = await run.exit;
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'pod -l app=x reached: 2/2 done\n' });
    expect(hasCondition(await api.get(many), 'Complete')).toBe(false);
  });

  test('--expect N: a failed Job fails the run while fewer than N have Succeeded', async ({
    ns,
    kubeAwait,
    expect,
  }) => {
    const owner = await failedAndReady(ns);
    const run = kubeAwait(['pod', '-l', 'app=x', '--expect=2', '--logs=0']);
    await run.line(/^pod -l app=x: 0\/2 done, 1 of 2 expected found, pod\/good Running$/);
    await api.patchStatus(owner, failure);
    expect((await run.exit).code).toBe(1);
    const good = pod({ namespace: ns, name: 'good' });
    await api.patchStatus(good, { phase: 'Succeeded' });
    expect((await kubeAwait(['pod', '-l', 'app=x', '--expect=1', '--timeout=0']).exit).code).toBe(0);
  });
});

describe.concurrent('pods of a Service', () => {
  test('that have Succeeded, terminate or are replaced do not matter', async ({ ns, kubeAwait, expect }) => {
    const metadata = { name: 'api', namespace: ns };
    const service = { apiVersion: 'v1', kind: 'Service', metadata, spec: { selector: x, ports: [{ port: 80 }] } };
    await api.create(service as unknown as TestObject);
    await still(ns, 'succeeded', SHUT_DOWN);
    await still(ns, 'replaced', EVICTED, { metadata: ownedBy('CloneSet') });
    const going = await still(ns, 'going', READY, { metadata: HOLD });
    await api.delete(going);
    const none = await kubeAwait(['service/api', '--timeout=0']).exit;
    expect(none.stdout).toContain('0/0 pods ready');
    const web = pod({ namespace: ns, name: 'web', labels: x });
    await api.create(web);
    const { code, stdout } = await kubeAwait(['service/api']).exit;
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'service/api reached: 1/1 pods ready, 1 ready endpoint\n' });
    await release(going);
  });
});

describe.concurrent('the own pod', () => {
  test('one of a StatefulSet may wait for those that precede it: no deadlock', async ({ ns, kubeAwait, expect }) => {
    const first = await controller(ns, { kind: 'StatefulSet', apiVersion: 'apps/v1' });
    const owners = (first.metadata as Json).ownerReferences;
    await still(ns, 'x-1', { phase: 'Pending' }, { metadata: { ownerReferences: owners } });
    const env = { POD_NAME: 'x-1', POD_NAMESPACE: ns };
    const run = kubeAwait(['pod', '-l', 'app=x', '--heartbeat=200ms'], { env });
    await run.line(/^still waiting after .*pod\/x-0/);
    await api.patchStatus(first, READY);
    const { code, stderr } = await run.exit;
    expect(code).toBe(0);
    expect(stderr).not.toContain('hint: ');
  });

  test('the claims of its token name it', async ({ ns, expect }) => {
    const waiter = pod({ namespace: ns, name: 'waiter', start: 'never', spec: { hostname: 'another' } });
    const { uid } = (await api.create(waiter)).metadata;
    const { status } = await api.post(`/api/v1/namespaces/${ns}/serviceaccounts/default/token`, {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: { boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: 'waiter', uid } },
    });
    const dir = mkdtempSync(join(cluster().coordinates.dir, 'token-'));
    writeFileSync(join(dir, 'token'), status.token, { mode: 0o600 });
    expect(podOfToken(dir)).toEqual({ namespace: ns, name: 'waiter', uid });
  });
});
