/** Objects that take the place of others: of a Job with a fixed name, of a Helm hook, of a controller's pod. */
import { describe } from 'vitest';
import { api, deployment, hasCondition, type Json, job, pod, startPod, test } from '../harness/index.ts';

type TestObject = ReturnType<typeof job>;

const image = (version: string): object => ({ containers: [{ name: 'main', image: `app:${version}` }] });
const podsOf = (target: TestObject): string =>
  `/api/v1/namespaces/${target.metadata.namespace}/pods?labelSelector=job-name%3D${target.metadata.name}`;

/**
 * Makes a Job anew as Helm does with a hook under before-hook-creation: it deletes the old one, waits until that is
 * gone, and creates the new one.
 */
async function replace(old: TestObject, next: TestObject): Promise<void> {
  await api.delete(old, { propagationPolicy: 'Background' });
  await api.until(old, (found) => found === undefined);
  // Only so that the test's own look at the pods finds the new ones.
  await api.untilAll(podsOf(old), (all) => all.length === 0);
  await api.create(next);
}

describe.concurrent('a Job of a fixed name whose predecessor is still there', () => {
  const expression = '{.spec.template.spec.containers[0].image}';
  const args = ['job/migrate', '--for=complete', `--for=jsonpath=${expression}=app:2`];

  for (const [is, exitCode, condition] of [
    ['Complete', 0, 'Complete'],
    ['Failed', 1, 'Failed'],
  ] as const) {
    test(`${is} is told apart by --for=complete --for=jsonpath=...image`, async ({
      ns,
      kubeAwait,
      exitCodes,
      expect,
    }) => {
      const old = job({ namespace: ns, name: 'migrate', exitCode, podSpec: image('1') });
      await api.create(old);
      await api.until(old, (found) => hasCondition(found, condition));
      const run = kubeAwait([...args, '--on-missing=fail']);
      await run.line(/^job\/migrate: \S+ is app:1, not app:2$/);
      const next = job({ namespace: ns, name: 'migrate', exitCode: 'ask', podSpec: image('2') });
      await replace(old, next);
      await run.line(/^job\/migrate: 0\/1 succeeded, 1 active$/);
      exitCodes(next, [0]);
      const { code, stdout } = await run.exit;
      expect(code).toBe(0);
      expect(stdout).toMatch(/^job\/migrate reached: /);
      expect(hasCondition(await api.get(next), 'Complete')).toBe(true);
    });
  }

  test('and the failure of the new one is the end', async ({ ns, kubeAwait, expect }) => {
    await api.create(job({ namespace: ns, name: 'migrate', exitCode: 1, podSpec: image('2') }));
    const { code, stdout } = await kubeAwait([...args, '--logs=0']).exit;
    expect(code).toBe(1);
    expect(stdout).toMatch(/^job\/migrate failed: BackoffLimitExceeded: /);
  });
});

describe.concurrent('a Helm before-hook-creation replacement', () => {
  test('while the old Job runs: the new one counts', async ({ ns, kubeAwait, exitCodes, expect }) => {
    const old = job({ namespace: ns, name: 'hook', exitCode: 'ask' });
    await api.create(old);
    const run = kubeAwait(['job/hook', '--on-missing=fail']);
    await run.line(/^job\/hook: 0\/1 succeeded, 1 active$/);
    const next = job({ namespace: ns, name: 'hook', exitCode: 'ask' });
    await replace(old, next);
    await run.line(/^job\/hook: deleted before it was done$/);
    exitCodes(next, [0]);
    const { code, stdout } = await run.exit;
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'job/hook reached: Complete, 1/1 succeeded\n' });
    expect(hasCondition(await api.get(next), 'Complete')).toBe(true);
  });

  test('of a Complete Job, while another target is pending: the new one counts, and its failure is the end', async ({
    ns,
    kubeAwait,
    exitCodes,
    expect,
  }) => {
    const old = job({ namespace: ns, name: 'hook' });
    await api.create(old);
    await api.until(old, (found) => hasCondition(found, 'Complete'));
    const run = kubeAwait(['job/hook', 'job/never', '--logs=0']);
    await run.line(/^job\/hook reached: /);
    const next = job({ namespace: ns, name: 'hook', exitCode: 'ask' });
    await replace(old, next);
    await run.line(/^job\/hook: 0\/1 succeeded, 1 active$/);
    exitCodes(next, [1]);
    const { code, stdout } = await run.exit;
    expect(code).toBe(1);
    expect(stdout).toContain('job/hook failed: BackoffLimitExceeded: ');
  });

  test('by way of its pods: those of the old Job do not count for the new one', async ({
    ns,
    kubeAwait,
    exitCodes,
    expect,
  }) => {
    const labels = { app: 'hook' };
    const old = job({ namespace: ns, name: 'hook', labels, exitCode: 'ask' });
    await api.create(old);
    const run = kubeAwait(['pod', '-l', 'app=hook', '--on-missing=fail']);
    await run.line(/^pod -l app=hook: 0\/1 done, /);
    const next = job({ namespace: ns, name: 'hook', labels, exitCode: 'ask' });
    await replace(old, next);
    exitCodes(next, [0]);
    const { code } = await run.exit;
    expect(code).toBe(0);
    expect(hasCondition(await api.get(next), 'Complete')).toBe(true);
  });
});

describe.concurrent('a service pod restarted by its controller while counted', () => {
  const path = (namespace: string): string => `/api/v1/namespaces/${namespace}/pods?labelSelector=app%3Dweb`;
  const asPod = (found: Json): TestObject => ({ ...found, apiVersion: 'v1', kind: 'Pod' });
  const args = ['pod', '-l', 'app=web', '--on-missing=fail', '--missing-grace=0s'];

  test('another pod takes its place: that one is awaited', async ({ ns, kubeAwait, expect }) => {
    await api.create(deployment({ namespace: ns, name: 'web', replicas: 2, start: 'never' }));
    const [first, second] = await api.untilAll(path(ns), (all) => all.length === 2);
    await startPod(asPod(first));
    const run = kubeAwait(args);
    await run.line(/^pod -l app=web: 1\/2 done, /);
    await api.delete(asPod(first));
    await run.line(/^pod -l app=web: 0\/\d done, /);
    await startPod(asPod(second));
    await run.line(new RegExp(`^pod -l app=web: 1/2 done, (?!.*${second.metadata.name})`));
    const [third] = await api
      .untilAll(path(ns), (all) => all.length === 2)
      .then((all) => all.filter(({ metadata }) => metadata.uid !== second.metadata.uid));
    await startPod(asPod(third));
    const { code, stdout } = await run.exit;
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'pod -l app=web reached: 2/2 done\n' });
  });

  test('one of the same name takes its place: that one is awaited', async ({ ns, kubeAwait, expect }) => {
    const labels = { app: 'web' };
    const template = pod({ namespace: ns, name: 'x', start: 'never', labels });
    await api.create({
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { name: 'web', namespace: ns },
      spec: {
        selector: { matchLabels: labels },
        serviceName: 'web',
        replicas: 2,
        podManagementPolicy: 'Parallel',
        template: { metadata: { labels, annotations: template.metadata.annotations }, spec: template.spec },
      },
    } as unknown as TestObject);
    const [first, second] = await api.untilAll(path(ns), (all) => all.length === 2);
    await startPod(asPod(first));
    const run = kubeAwait([...args, '--expect=2']);
    await run.line(/^pod -l app=web: 1\/2 done, /);
    await api.delete(asPod(first));
    await run.line(/^pod -l app=web: 0\/\d done, /);
    const again = await api.until(
      asPod(first),
      (found) => found !== undefined && found.metadata.uid !== first.metadata.uid,
    );
    await startPod(asPod(second));
    await run.line(new RegExp(`^pod -l app=web: 1/2 done, pod/${first.metadata.name} `));
    // On a busy machine kwok deletes the new pod once more, for the deletion of the old one: then another one follows.
    let over = false;
    const exit = run.exit.finally(() => {
      over = true;
    });
    while (!over) {
      await startPod(asPod(again)).catch(() => undefined);
      await api.until(asPod(first), (found) => found !== undefined);
    }
    const { code, stdout } = await exit;
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'pod -l app=web reached: 2/2 done\n' });
  });

  test('its container restarts in place: it is not ready in that time', async ({ ns, kubeAwait, expect }) => {
    await api.create(deployment({ namespace: ns, name: 'web', start: 'never' }));
    const [only] = await api.untilAll(path(ns), (all) => all.length === 1);
    await startPod(asPod(only));
    await api.until(asPod(only), (found) => hasCondition(found, 'Ready'));
    const run = kubeAwait([...args, 'configmap/gate', '--missing-grace=1h'].filter((arg) => arg !== args[4]));
    await run.line(/^pod -l app=web: /);
    const ready = (status: string): Promise<Json> =>
      api.patchStatus(asPod(only), { conditions: [{ type: 'Ready', status, reason: 'ContainersNotReady' }] });
    await ready('False');
    await run.line(/^pod -l app=web: 0\/1 done, /);
    await api.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'gate', namespace: ns } });
    await run.line(/^configmap\/gate: exists$/);
    await ready('True');
    const { code, stdout } = await run.exit;
    expect(code).toBe(0);
    expect(stdout).toMatch(/^pod -l app=web reached: 1\/1 done/m);
  });
});
