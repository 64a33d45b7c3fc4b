/** Releases in the chart's modes `hook` and `chain`: what Helm runs, in which order, and what is left of it. */
import { describe } from 'vitest';
import { api, containerOf, hasCondition, images, type Json, job, jobOf, pod, test, untilLine } from './harness.ts';
import { release, tell, whenTold } from './release.ts';

const QUICK = ['sh', '-c', 'true'];
const jobsOf = (ns: string): string => `/apis/batch/v1/namespaces/${ns}/jobs`;

/** A Job of somebody else, which the release has to come after; gives its pod once it runs. */
async function makeOther(ns: string, name: string, script: string): Promise<string> {
  const [, , told = ''] = whenTold(script);
  const container = { name: 'main', image: images().busybox, command: ['sh', '-c', told] };
  const { spec } = jobOf({ namespace: ns, name, containers: [container] });
  const securityContext = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } };
  spec.template.spec.containers[0].securityContext = securityContext;
  await api.create({ ...job(ns, name), spec });
  const pods = await api.untilAll(
    `/api/v1/namespaces/${ns}/pods?labelSelector=job-name%3D${name}`,
    (found) => containerOf(found[0], 'main')?.state.running,
    `${name} to run`,
  );
  return pods[0].metadata.name;
}

const named = (objects: readonly Json[], name: string): Json | undefined =>
  objects.find(({ metadata }) => metadata.name === name);

describe.concurrent('a release with its migration as a hook', () => {
  test('others first, then the migration, then the release; hooks that succeeded are deleted', async ({
    ns,
    expect,
  }) => {
    const shop = release(ns);
    const other = await makeOther(ns, 'db-setup', 'true');
    const early: string[] = [];
    const migrated = api.untilAll(
      jobsOf(ns),
      (jobs) => {
        const [before, migration] = [named(jobs, 'shop-before'), named(jobs, 'shop-migrate')];
        if (migration !== undefined && !hasCondition(before, 'Complete')) early.push('the migration');
        return hasCondition(migration, 'Complete');
      },
      'the migration',
    );
    const installed = shop.install({ migrations: { mode: 'hook', after: ['db-setup'], command: QUICK } });
    const both = Promise.all([installed, migrated]);
    await api.untilAll(
      shop.pods('migration'),
      (pods) => containerOf(pods[0], 'await-others')?.state.running,
      'the start of the hook that waits',
    );
    await untilLine(ns, 'job/shop-before', 'await-others', /^job\/db-setup: 0\/1 succeeded, 1 active$/);
    expect((await api.get(`/apis/apps/v1/namespaces/${ns}/deployments`)).items).toEqual([]);
    await tell(ns, other);
    const [install] = await both;
    expect(install).toMatchObject({ code: 0, stderr: '' });
    expect(early).toEqual([]);
    expect((await api.get(jobsOf(ns))).items.map(({ metadata }: Json) => metadata.name)).toEqual(['db-setup']);
    for (const component of ['api', 'worker']) {
      for (const each of await shop.rolledOut(component)) expect(each.spec.initContainers).toBeUndefined();
    }
  });

  test('a failing migration fails the upgrade, changes nothing, and can be tried again', async ({ ns, expect }) => {
    const shop = release(ns);
    const migrations = { mode: 'hook', command: QUICK, backoffLimit: 0 };
    expect(await shop.install({ migrations })).toMatchObject({ code: 0 });
    const before = await shop.rolledOut('api');
    const command = ['sh', '-c', 'echo "no such column: price"; exit 1'];
    const failed = await shop.upgrade({ migrations: { ...migrations, command }, api: { replicas: 3 } });
    expect(failed.code).not.toBe(0);
    expect(failed.stdout + failed.stderr).toContain('no such column: price');
    const names = (pods: readonly Json[]): string[] => pods.map(({ metadata }) => metadata.name).sort();
    expect(names(await shop.rolledOut('api'))).toEqual(names(before));
    // It stays to be looked at, until the next try.
    expect(hasCondition(await api.get(job(ns, 'shop-migrate')), 'Failed')).toBe(true);
    expect(await shop.upgrade({ migrations, api: { replicas: 3 } })).toMatchObject({ code: 0 });
    expect(await shop.rolledOut('api')).toHaveLength(3);
    expect((await api.get(jobsOf(ns))).items).toEqual([]);
  });

  test('a Job of others that has failed fails the install, with the reason in what Helm prints', async ({
    ns,
    expect,
  }) => {
    const shop = release(ns);
    await tell(ns, await makeOther(ns, 'db-setup', 'exit 1'));
    const { code, stdout, stderr } = await shop.install({ migrations: { mode: 'hook', after: ['db-setup'] } });
    expect(code).not.toBe(0);
    expect(stdout + stderr).toContain('job/db-setup failed: BackoffLimitExceeded');
    expect((await api.get(`/apis/apps/v1/namespaces/${ns}/deployments`)).items).toEqual([]);
  });

  test('a Job of others that never comes: our timeout ends it, not that of Helm', async ({ ns, expect }) => {
    const values = {
      migrations: { mode: 'hook', after: ['db-setup'], activeDeadlineSeconds: 4 },
      await: { timeoutSeconds: 5 },
    };
    const { code, stdout, stderr } = await release(ns).install(values, '--timeout=120s');
    expect(code).not.toBe(0);
    expect(stdout + stderr).toContain('job/db-setup not reached after 5s: does not exist');
  });
});

describe.concurrent('a release with a chain of hooks', () => {
  const migrations = { mode: 'chain', command: QUICK, backoffLimit: 0 };

  test('helm install ends when the Job that is no hook is complete, and no pod runs on', async ({ ns, expect }) => {
    const shop = release(ns);
    const installing = shop.install({ migrations, index: { command: whenTold('true') } });
    let ended = false;
    void installing.then(() => {
      ended = true;
    });
    // One of the hook's containers is done, the other one holds it.
    await api.until(
      pod(ns, 'shop-smoke-test'),
      (found) => containerOf(found, 'main')?.state.terminated?.exitCode === 0,
      'the end of the smoke test',
    );
    await untilLine(ns, 'shop-smoke-test', 'await-index', /job\/shop-index-1-\w+: 0\/1 succeeded, 1 active/);
    const [index] = await shop.jobs('index');
    expect(hasCondition(index, 'Complete')).toBe(false);
    expect(ended).toBe(false);
    const [indexing] = await api.untilAll(shop.pods('index'), (pods) => pods.length === 1, 'the pod of the index');
    await tell(ns, indexing.metadata.name);
    expect(await installing).toMatchObject({ code: 0, stderr: '' });
    expect(hasCondition(await api.get(job(ns, index.metadata.name)), 'Complete')).toBe(true);
    await api.until(pod(ns, 'shop-smoke-test'), (found) => found === undefined, 'the deletion of the hook');
    for (const component of ['api', 'worker']) await shop.rolledOut(component);
    const running = (await api.get(`/api/v1/namespaces/${ns}/pods`)).items.filter(
      ({ status }: Json) => status.phase !== 'Succeeded',
    );
    const components = running.map(({ metadata }: Json) => metadata.labels['app.kubernetes.io/component']);
    expect(components.sort()).toEqual(['api', 'api', 'worker']);
  });

  test('a sibling that fails ends the sidecar too, and the release fails then', async ({ ns, expect }) => {
    const broken = { image: images().busybox, command: ['sh', '-c', 'echo "no answer"; exit 7'] };
    const shop = release(ns);
    const { code, stdout, stderr } = await shop.install({
      migrations,
      index: { command: whenTold('true') },
      smokeTest: broken,
    });
    expect(code).not.toBe(0);
    expect(stdout + stderr).toContain('no answer');
    const failed = await api.get(pod(ns, 'shop-smoke-test'));
    expect(failed.status.phase).toBe('Failed');
    const { exitCode, message } = containerOf(failed, 'await-index').state.terminated;
    expect(exitCode).toBe(1);
    expect(message).toMatch(/^pod\/shop-smoke-test failed: .*main.*7/);
    // It did not wait for the index to say so.
    const [index] = await shop.jobs('index');
    expect(index.status.active).toBe(1);
  });

  test('a Job that is no hook and fails, fails the release', async ({ ns, expect }) => {
    const shop = release(ns);
    const { code, stdout, stderr } = await shop.install({ migrations, index: { command: ['sh', '-c', 'exit 1'] } });
    expect(code).not.toBe(0);
    expect(stdout + stderr).toMatch(/job\/shop-index-1-\w+ failed: BackoffLimitExceeded/);
    expect((await api.get(pod(ns, 'shop-smoke-test'))).status.phase).toBe('Failed');
  });
});
