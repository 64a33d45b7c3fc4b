/** What --for asks for beside a kind's own meaning: what it says, what is kept, and what must hold together. */
import { describe } from 'vitest';
import type { Reference } from '../cluster/rest.ts';
import { api, deployment, hasCondition, job, pod, startPod, test } from '../harness/index.ts';

const x = { app: 'x' };
const config = (namespace: string, name: string, data: object = {}): Reference =>
  ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace, labels: x }, data }) as Reference;

describe.concurrent('--for=condition', () => {
  test('Complete on a failed Job fails at once, with the reason of the Job', async ({ ns, kubeAwait, expect }) => {
    const target = job({ namespace: ns, name: 'x', exitCode: 'ask' });
    await api.create(target);
    const run = kubeAwait(['job/x', '--for=condition=Complete', '--logs=0']);
    await run.line(/^job\/x: no condition Complete yet$/);
    const [made] = await api.untilAll(`/api/v1/namespaces/${ns}/pods`, (all) => all.length === 1);
    await api.patch(
      { ...made, apiVersion: 'v1', kind: 'Pod' },
      { metadata: { annotations: { 'kube-await.test/exit-code': '1' } } },
    );
    const { code, stdout } = await run.exit;
    expect(code).toBe(1);
    expect(stdout).toMatch(/^job\/x failed: Failed=True, BackoffLimitExceeded: /);
  });

  test('of a selector must hold for all objects at the same moment', async ({ ns, kubeAwait, expect }) => {
    const [one, two] = ['one', 'two'].map((name) => pod({ namespace: ns, name, labels: x, start: 'never' }));
    if (one === undefined || two === undefined) throw new Error('two pods');
    await Promise.all([api.create(one), api.create(two)]);
    const run = kubeAwait(['pod', '-l', 'app=x', '--for=condition=Ready']);
    await startPod(one);
    await run.line(/^pod -l app=x: 1\/2 done, /);
    const ready = (status: string): Promise<unknown> =>
      api.patchStatus(one, { conditions: [{ type: 'Ready', status, reason: 'ContainersNotReady' }] });
    await ready('False');
    await run.line(/^pod -l app=x: 0\/2 done, /);
    await startPod(two);
    await run.line(/^pod -l app=x: 1\/2 done, pod\/one Ready=False/);
    await ready('True');
    const { code, stdout } = await run.exit;
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'pod -l app=x reached: 2/2 done\n' });
  });
});

describe.concurrent('--for=jsonpath that can never be compared fails at once and says why', () => {
  for (const [what, expression, says] of [
    ['several values', '{.spec.containers[*].name}=a', 'given jsonpath expression matches more than one value'],
    ['a list', '{.spec.containers}=a', 'jsonpath leads to a nested object or list which is not supported'],
    ['a map', '{.metadata.labels}=a', 'jsonpath leads to a nested object or list which is not supported'],
    ['an index out of bounds', '{.spec.containers[9].name}=a', 'array index out of bounds: index 9, length 2'],
  ] as const) {
    test(what, async ({ ns, kubeAwait, expect }) => {
      await api.create(pod({ namespace: ns, name: 'x', labels: x, containers: ['a', 'b'], start: 'never' }));
      const { code, stdout } = await kubeAwait(['pod/x', `--for=jsonpath=${expression}`, '--logs=0']).exit;
      expect({ code, stdout }).toEqual({ code: 1, stdout: `pod/x failed: ${says}\n` });
    });
  }
});

describe.concurrent('--for=create', () => {
  test('is kept when the object goes, while another target is pending', async ({ ns, kubeAwait, expect }) => {
    const run = kubeAwait(['configmap/one', 'configmap/two', '--for=create']);
    await run.line(/^configmap\/two: does not exist yet$/);
    await api.create(config(ns, 'one'));
    await run.line(/^configmap\/one reached: exists$/);
    await api.delete(config(ns, 'one'));
    await api.until(config(ns, 'one'), (found) => found === undefined);
    await api.create(config(ns, 'two'));
    const { code, stdout } = await run.exit;
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: 'configmap/one reached: exists\nconfigmap/two reached: exists\n',
    });
  });

  test('of a selector is reached with the first that it finds', async ({ ns, kubeAwait, expect }) => {
    const run = kubeAwait(['configmap', '-l', 'app=x', '--for=create']);
    await run.line(/^configmap -l app=x: does not exist yet$/);
    await api.create(config(ns, 'one'));
    const { code } = await run.exit;
    expect(code).toBe(0);
  });
});

describe.concurrent('--for=delete', () => {
  test('means the objects of the first list: those that come later do not count', async ({ ns, kubeAwait, expect }) => {
    await api.create(config(ns, 'one'));
    await api.create(config(ns, 'two'));
    const run = kubeAwait(['configmap', '-l', 'app=x', '--for=delete']);
    await run.line(/^configmap -l app=x: 2 of 2 still exist, /);
    await api.create(config(ns, 'three'));
    await api.delete(config(ns, 'one'));
    // One of the same name is another object.
    await api.until(config(ns, 'one'), (found) => found === undefined);
    await api.create(config(ns, 'one'));
    await run.line(/^configmap -l app=x: 1 of 2 still exist, two among them$/);
    await api.delete(config(ns, 'two'));
    const { code, stdout } = await run.exit;
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'configmap -l app=x reached: deleted\n' });
  });

  test('is kept when an object of the same name comes back, while another target is pending', async ({
    ns,
    kubeAwait,
    expect,
  }) => {
    await api.create(config(ns, 'one'));
    await api.create(config(ns, 'two'));
    const run = kubeAwait(['configmap/one', 'configmap/two', '--for=delete']);
    await run.line(/^configmap\/two: still exists$/);
    await api.delete(config(ns, 'one'));
    await run.line(/^configmap\/one: deleted$/);
    await api.create(config(ns, 'one'));
    await api.delete(config(ns, 'two'));
    const { code } = await run.exit;
    expect(code).toBe(0);
  });

  test('finds nothing: that is success', async ({ kubeAwait, expect }) => {
    const { code, stdout } = await kubeAwait(['configmap', '-l', 'app=x', '--for=delete']).exit;
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'configmap -l app=x reached: none found\n' });
  });
});

describe.concurrent('--for=ready', () => {
  test('means of a Deployment what it means by default', async ({ ns, kubeAwait, expect }) => {
    const web = deployment({ namespace: ns, name: 'web', start: 'never' });
    await api.create(web);
    const run = kubeAwait(['deploy/web', '--for=ready']);
    await run.line(/^deployment\/web: 1\/1 updated, 0\/1 available$/);
    const [made] = await api.untilAll(`/api/v1/namespaces/${ns}/pods`, (all) => all.length === 1);
    await startPod({ ...made, apiVersion: 'v1', kind: 'Pod' });
    const { code } = await run.exit;
    expect(code).toBe(0);
    expect(hasCondition(await api.get(web), 'Available')).toBe(true);
  });
});
