/** Services: reached when the pods that their present selector finds are ready and there is a ready endpoint. */
import { describe } from 'vitest';
import type { Reference } from '../cluster/rest.ts';
import { api, auditOf, hasCondition, type Json, job, pod, startPod, test } from '../harness/index.ts';
import type { TestObject } from '../harness/objects.ts';

const x = { app: 'x' };

function service(namespace: string, spec: object = { selector: x }): Reference {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'api', namespace },
    spec: { ports: [{ port: 80 }], ...spec },
  } as Reference;
}

/** Endpoints that somebody else than the endpoint slice controller has made. */
function slice(namespace: string, ready: boolean | undefined): Reference {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: 'api-1', namespace, labels: { 'kubernetes.io/service-name': 'api' } },
    addressType: 'IPv4',
    ports: [{ port: 80 }],
    endpoints: [{ addresses: ['10.1.2.3'], ...(ready !== undefined && { conditions: { ready } }) }],
  } as Reference;
}

const ready = (target: TestObject): Promise<Json> => api.until(target, (found) => hasCondition(found, 'Ready'));
const readyEndpoints = (namespace: string, count: number): Promise<unknown> =>
  api.untilAll(
    `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices?labelSelector=kubernetes.io%2Fservice-name%3Dapi`,
    (slices) =>
      slices.flatMap(({ endpoints }) => endpoints ?? []).filter(({ conditions }) => conditions.ready).length === count,
  );

/** A pod of the Service that is ready and in its endpoints. */
async function servingPod(namespace: string, name = 'web-0', more: object = {}): Promise<TestObject> {
  const target = pod({ namespace, name, labels: x, ...more });
  await api.create(target);
  await ready(target);
  return target;
}

describe.concurrent('a Service with a selector', () => {
  test('that comes later, and whose pods come later still', async ({ ns, kubeAwait, expect }) => {
    const run = kubeAwait(['service/api']);
    await run.line(/^service\/api: does not exist yet$/);
    await api.create(service(ns));
    await run.line(/^service\/api: 0\/0 pods ready, 0 ready endpoints$/);
    const web = pod({ namespace: ns, name: 'web-0', labels: x, start: 'never' });
    await api.create(web);
    await run.line(/^service\/api: 0\/1 pods ready, 0 ready endpoints$/);
    await startPod(web);
    const { code, stdout } = await run.exit;
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'service/api reached: 1/1 pods ready, 1 ready endpoint\n' });
  });

  test('is pending while one of its pods is not ready, though it has a ready endpoint', async ({
    ns,
    kubeAwait,
    expect,
  }) => {
    await api.create(service(ns));
    await servingPod(ns);
    const slow = pod({ namespace: ns, name: 'web-1', labels: x, start: 'never' });
    await api.create(slow);
    await readyEndpoints(ns, 1);
    const run = kubeAwait(['svc/api']);
    await run.line(/^service\/api: 1\/2 pods ready, 1 ready endpoint$/);
    await startPod(slow);
    const { code, stdout } = await run.exit;
    expect(code).toBe(0);
    expect(stdout).toMatch(/^service\/api reached: 2\/2 pods ready, [12] ready endpoints?\n$/);
  });

  test('is pending while its pods are ready and none is an endpoint', async ({ ns, kubeAwait, expect }) => {
    // A port that no pod names has no endpoint until the Service names another.
    await api.create(
      service(ns, { selector: x, ports: [{ port: 80, targetPort: 'absent' }], publishNotReadyAddresses: false }),
    );
    const held = pod({ namespace: ns, name: 'web-0', labels: x, start: 'never' });
    await api.create(held);
    await api.until(held, (found) => hasCondition(found, 'PodScheduled'));
    // Ready, but without an address, which kwok would have given it.
    await api.patchStatus(held, { conditions: [{ type: 'Ready', status: 'True' }], phase: 'Running' });
    const run = kubeAwait(['svc/api']);
    await run.line(/^service\/api: 1\/1 pods ready, 0 ready endpoints$/);
    await api.create(slice(ns, true));
    const { code } = await run.exit;
    expect(code).toBe(0);
  });

  test('leaves aside pods of a Job that have Succeeded', async ({ ns, kubeAwait, expect }) => {
    await api.create(service(ns));
    const migrate = job({ namespace: ns, name: 'migrate', labels: x });
    await api.create(migrate);
    await api.until(migrate, (found) => hasCondition(found, 'Complete'));
    await servingPod(ns);
    await readyEndpoints(ns, 1);
    const { code, stdout } = await kubeAwait(['svc/api']).exit;
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'service/api reached: 1/1 pods ready, 1 ready endpoint\n' });
  });

  test('is pending when it finds nothing but those', async ({ ns, kubeAwait, expect }) => {
    await api.create(service(ns));
    const migrate = job({ namespace: ns, name: 'migrate', labels: x });
    await api.create(migrate);
    await api.until(migrate, (found) => hasCondition(found, 'Complete'));
    const { code, stdout } = await kubeAwait(['svc/api', '--timeout=0']).exit;
    expect({ code, stdout }).toEqual({
      code: 124,
      stdout: 'service/api not reached: 0/0 pods ready, 0 ready endpoints\n',
    });
  });

  test('leaves aside a pod that is being deleted', async ({ ns, kubeAwait, expect }) => {
    await api.create(service(ns));
    await servingPod(ns);
    const going = pod({
      namespace: ns,
      name: 'going',
      labels: x,
      ready: 'never',
      metadata: { finalizers: ['kube-await.test/keep'] },
    });
    await api.create(going);
    await api.delete(going);
    await readyEndpoints(ns, 1);
    const { code, stdout } = await kubeAwait(['svc/api']).exit;
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'service/api reached: 1/1 pods ready, 1 ready endpoint\n' });
    await api.patch(going, { metadata: { finalizers: null } });
  });

  for (const { is, controlled, code, says } of [
    { is: 'leaves aside a failed pod that its controller replaces', controlled: true, code: 0, says: '1/1' },
    {
      is: 'is pending, never failed, with a failed pod that nobody replaces',
      controlled: false,
      code: 124,
      says: '1/2',
    },
  ]) {
    test(is, async ({ ns, kubeAwait, expect }) => {
      await api.create(service(ns));
      await servingPod(ns);
      const role = { role: 'replaced' };
      const bad = pod({ namespace: ns, name: 'bad', labels: { ...x, ...role } });
      await api.create(bad);
      await ready(bad);
      if (controlled) {
        // It adopts the pod. What it makes in its place is not of the Service, since it lacks the label.
        const set = { apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata: { namespace: ns, name: 'set' } };
        const template = { metadata: { labels: role }, spec: { containers: [{ name: 'main', image: 'pretended' }] } };
        const spec = { replicas: 1, selector: { matchLabels: role }, template };
        await api.create(Object.assign(set, { spec }));
        await api.until(bad, (found) => found?.metadata.ownerReferences !== undefined);
      }
      await api.patchStatus(bad, { phase: 'Failed', conditions: [{ type: 'Ready', status: 'False' }] });
      await readyEndpoints(ns, 1);
      const ended = await kubeAwait(['svc/api', '--timeout=0']).exit;
      expect(ended.code).toBe(code);
      expect(ended.stdout).toContain(`${says} pods ready, 1 ready endpoint`);
    });
  }

  test('means the selector that it has at present', async ({ ns, kubeAwait, expect }) => {
    await api.create(service(ns, { selector: { app: 'old' } }));
    await servingPod(ns);
    const run = kubeAwait(['svc/api']);
    await run.line(/^service\/api: 0\/0 pods ready, 0 ready endpoints$/);
    await api.patch(service(ns), { spec: { selector: x } });
    const { code } = await run.exit;
    expect(code).toBe(0);
  });

  test('must hold at the end: a pod that is not ready any more takes it back', async ({ ns, kubeAwait, expect }) => {
    await api.create(service(ns));
    const web = await servingPod(ns);
    const run = kubeAwait(['svc/api', 'configmap/gate']);
    await run.line(/^service\/api: 1\/1 pods ready, 1 ready endpoint$/);
    await api.patchStatus(web, { conditions: [{ type: 'Ready', status: 'False', reason: 'ContainersNotReady' }] });
    await run.line(/^service\/api: 0\/1 pods ready, /);
    await api.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'gate', namespace: ns } });
    await run.line(/^configmap\/gate: exists$/);
    await api.patchStatus(web, { conditions: [{ type: 'Ready', status: 'True' }] });
    const { code } = await run.exit;
    expect(code).toBe(0);
  });

  test('by labels: each one that is found', async ({ ns, kubeAwait, expect }) => {
    const labelled = (name: string, spec: object): Reference => ({
      ...service(ns, spec),
      metadata: { name, namespace: ns, labels: { part: 'shop' } },
    });
    await api.create(labelled('one', { selector: x }));
    await api.create(labelled('two', { selector: { app: 'y' } }));
    await servingPod(ns);
    const run = kubeAwait(['service', '-l', 'part=shop']);
    await run.line(/^service -l part=shop: 1\/2 done, service\/two 0\/0 pods ready, 0 ready endpoints$/);
    await api.create(pod({ namespace: ns, name: 'y', labels: { app: 'y' } }));
    const { code, stdout } = await run.exit;
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'service -l part=shop reached: 2/2 done\n' });
  });

  test('does not count the pod that waits itself', async ({ ns, kubeAwait, expect }) => {
    await api.create(service(ns));
    await servingPod(ns);
    await api.create(pod({ namespace: ns, name: 'waiter', labels: x, ready: 'never' }));
    await readyEndpoints(ns, 1);
    const env = { POD_NAME: 'waiter', POD_NAMESPACE: ns };
    const { code, stdout } = await kubeAwait(['svc/api', '--timeout=0'], { env }).exit;
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'service/api reached: 1/1 pods ready, 1 ready endpoint\n' });
  });
});

describe.concurrent('a Service whose pods belong to the controller of the pod that waits', () => {
  test('is a deadlock, as the first heartbeat says', async ({ ns, kubeAwait, expect }) => {
    const uid = '00000000-0000-0000-0000-000000000001';
    const owner = { apiVersion: 'example.com/v1', kind: 'Workflow', name: 'web', uid, controller: true };
    const metadata = { ownerReferences: [owner] };
    await api.create(service(ns));
    const waiter = pod({ namespace: ns, name: 'waiter', labels: x, ready: 'never', metadata });
    const sibling = pod({ namespace: ns, name: 'sibling', labels: x, ready: 'never', metadata });
    await Promise.all([waiter, sibling].map((one) => api.create(one)));
    const env = { POD_NAME: 'waiter', POD_NAMESPACE: ns };
    const run = kubeAwait(['svc/api', '--heartbeat=200ms'], { env });
    const { text } = await run.line(/^hint: service\/api: only pods of workflow\/web can meet this/);
    expect(text).toContain('it waits for itself, for ever');
  });
});

describe.concurrent('a Service without a selector', () => {
  test('is reached with a ready endpoint that somebody made', async ({ ns, kubeAwait, identity, expect }) => {
    const as = await identity();
    await api.create(service(ns, {}));
    const run = kubeAwait(['svc/api'], { as });
    await run.line(/^service\/api: 0 ready endpoints$/);
    await api.create(slice(ns, false));
    // Not changed, so nothing is told: what comes after it on the same watch shows that it was seen.
    await api.patch(slice(ns, true), { endpoints: (slice(ns, undefined) as Json).endpoints });
    const { code, stdout } = await run.exit;
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'service/api reached: 1 ready endpoint\n' });
    expect(auditOf(as.user).map(({ resource }) => resource)).not.toContain('pods');
  });

  test('is pending while none of its endpoints is ready', async ({ ns, kubeAwait, expect }) => {
    await api.create(service(ns, {}));
    await api.create(slice(ns, false));
    const { code, stdout } = await kubeAwait(['svc/api', '--timeout=0']).exit;
    expect({ code, stdout }).toEqual({ code: 124, stdout: 'service/api not reached: 0 ready endpoints\n' });
  });

  test('of type ExternalName is reached when it exists', async ({ ns, kubeAwait, identity, expect }) => {
    const as = await identity({ rules: [{ apiGroups: [''], resources: ['services'], verbs: ['list', 'watch'] }] });
    const run = kubeAwait(['svc/api'], { as });
    await run.line(/^service\/api: does not exist yet$/);
    await api.create(service(ns, { type: 'ExternalName', externalName: 'db.example.com' }));
    const { code, stdout } = await run.exit;
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'service/api reached: exists\n' });
  });
});

describe.concurrent('where EndpointSlices may not be read', () => {
  const rules = [{ apiGroups: [''], resources: ['services', 'pods'], verbs: ['list', 'watch'] }];

  test('the pods decide', async ({ ns, kubeAwait, identity, expect }) => {
    await api.create(service(ns));
    const web = pod({ namespace: ns, name: 'web-0', labels: x, start: 'never' });
    await api.create(web);
    const run = kubeAwait(['svc/api'], { as: await identity({ rules }) });
    await run.line(/^service\/api: 0\/1 pods ready$/);
    await startPod(web);
    const { code, stdout } = await run.exit;
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'service/api reached: 1/1 pods ready\n' });
  });

  test('a Service without a selector is refused: there is nothing else to go by', async ({
    ns,
    kubeAwait,
    identity,
    expect,
  }) => {
    await api.create(service(ns, {}));
    const { code, stderr } = await kubeAwait(['svc/api', '--timeout=0'], { as: await identity({ rules }) }).exit;
    expect(code).toBe(3);
    expect(stderr).toContain('cannot list endpointslices.discovery.k8s.io');
  });
});
