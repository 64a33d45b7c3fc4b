/** Servers, and what is in front of them, that ignore parameters, lose events, or answer in a way that never changes. */
import { randomBytes } from 'node:crypto';
import { describe } from 'vitest';
import type { Reference } from '../cluster/rest.ts';
import { api, endPod, hasCondition, type Json, job, pod } from '../harness/index.ts';
import { isList, isWatch, NO_SUCH_PATH, proxied, rejection } from '../harness/proxy.ts';

const test = proxied.extend<{ kubeconfig: string }>({
  kubeconfig: async ({ identity, proxy }, use) => {
    await use(proxy.kubeconfig(await identity({ by: 'token' })));
  },
});

const eventsOf = (stdout: string): Json[] =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

const widget = (group: string, namespace: string, name: string): Reference =>
  ({ apiVersion: `${group}/v1`, kind: 'Widget', metadata: { name, namespace, labels: { app: 'x' } } }) as Reference;

/** A kind of the test's own. */
async function define(): Promise<{ readonly group: string; readonly crd: Reference }> {
  const group = `x${randomBytes(4).toString('hex')}.test`;
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
  const crd = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `widgets.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural: 'widgets', kind: 'Widget', singular: 'widget' },
      versions: [{ name: 'v1', served: true, storage: true, schema }],
    },
  };
  await api.create(crd as Reference);
  await api.until(crd as Reference, (found) => hasCondition(found, 'Established'));
  // Established comes a moment before the kind is served.
  for (;;) {
    const served = await api.get(`/apis/${group}/v1`).catch(() => undefined);
    if (served?.resources.length > 0) return { group, crd: crd as Reference };
  }
}

describe.concurrent('a server that ignores the field selector', () => {
  test('objects of other names do not count, in a LIST and in a watch', async ({
    ns,
    proxy,
    kubeconfig,
    kubeAwait,
    expect,
  }) => {
    proxy.change((query) => query.delete('fieldSelector'));
    await api.create(job({ namespace: ns, name: 'complete' }));
    await api.create(job({ namespace: ns, name: 'failed', exitCode: 1, spec: { backoffLimit: 0 } }));
    await api.create(pod({ namespace: ns, name: 'done', exitCode: 0 }));
    await api.until(job({ namespace: ns, name: 'complete' }), (found) => hasCondition(found, 'Complete'));
    await api.until(job({ namespace: ns, name: 'failed' }), (found) => hasCondition(found, 'Failed'));
    const once = await kubeAwait(['job/x', 'pod/x', '--timeout=0'], { kubeconfig }).exit;
    expect(once).toMatchObject({
      code: 124,
      stdout: 'job/x not reached: does not exist yet\npod/x not reached: does not exist yet\n',
    });
    const run = kubeAwait(['job/x', 'pod/x', 'job/failed', '--for=delete', '--timeout=2m'], { kubeconfig });
    await run.line(/^job\/failed: still exists$/);
    await api.delete(job({ namespace: ns, name: 'complete' }));
    await api.delete(job({ namespace: ns, name: 'failed' }));
    expect((await run.exit).code).toBe(0);
    const later = kubeAwait(['job/x', '--timeout=2m'], { kubeconfig });
    await later.line(/^job\/x: does not exist yet$/);
    await api.create(job({ namespace: ns, name: 'y' }));
    await api.create(job({ namespace: ns, name: 'x', exitCode: 1, spec: { backoffLimit: 0 } }));
    expect((await later.exit).code).toBe(1);
  });
});

describe.concurrent('a first LIST whose answer will not change', () => {
  test('a field selector that the kind does not support: 2 at once, with the words of the API server', async ({
    kubeAwait,
    expect,
  }) => {
    const args = ['job/x', 'pvc', '--field-selector', 'status.phase!=Bound'];
    const text = await kubeAwait(args).exit;
    const json = await kubeAwait([...args, '-o', 'json']).exit;
    for (const { code, stderr } of [text, json]) {
      expect(code).toBe(2);
      expect(stderr).toMatch(
        /^kube-await: persistentvolumeclaim --field-selector status\.phase!=Bound: the server answers 400 BadRequest: .*"status\.phase"/m,
      );
    }
    expect(text.stdout).toBe('');
    expect(eventsOf(json.stdout).at(-1)).toMatchObject({ event: 'done', exitCode: 2 });
  });

  for (const [code, reason] of [
    [405, 'MethodNotAllowed'],
    [406, 'NotAcceptable'],
    [415, 'UnsupportedMediaType'],
    [422, 'Invalid'],
  ] as const)
    test(`${code}: 2, under every policy`, async ({ proxy, kubeconfig, kubeAwait, expect }) => {
      proxy.answer(({ path }) => path.endsWith('/jobs'), rejection(code, reason, 'not like this'));
      const args = ['pod/y', 'job/x', '--on-refused=wait', '--on-missing=succeed'];
      for (const more of [[], ['--timeout=0']]) {
        const { code: exitCode, stderr } = await kubeAwait([...args, ...more], { kubeconfig }).exit;
        expect(exitCode).toBe(2);
        expect(stderr).toContain(`kube-await: job/x: the server answers ${code} ${reason}: not like this\n`);
      }
    });

  test('a redirect: 2, with its Location', async ({ proxy, kubeconfig, kubeAwait, expect }) => {
    const headers = { location: 'https://login.test/?rd=%2F' };
    proxy.answer(isList, { status: 302, body: '<a href="/">Found</a>', headers });
    const { code, stdout, stderr } = await kubeAwait(['job/x'], { kubeconfig }).exit;
    expect({ code, stdout, stderr }).toEqual({
      code: 2,
      stdout: '',
      stderr: 'kube-await: job/x: the server answers 302 Redirect: Location https://login.test/?rd=%2F\n',
    });
    expect(proxy.seen.filter(({ path }) => path.endsWith('/jobs'))).toHaveLength(1);
  });

  test('a 400 of something in front is retried, and so is one that comes later', async ({
    ns,
    proxy,
    kubeconfig,
    kubeAwait,
    expect,
  }) => {
    const target = job({ namespace: ns, name: 'x', exitCode: 'ask' });
    await api.create(target);
    const first = proxy.answerOnce(isList, { status: 400, body: 'The plain HTTP request was sent to HTTPS port' });
    const bad = rejection(400, 'BadRequest', 'bad');
    const watch = proxy.answerOnce(isWatch, bad);
    const run = kubeAwait(['job/x', '--timeout=2m'], { kubeconfig });
    await Promise.all([first, watch]);
    await proxy.answerOnce(isList, bad);
    const path = `/api/v1/namespaces/${ns}/pods?labelSelector=job-name%3Dx`;
    const [one] = await api.untilAll(path, (all) => all.length > 0);
    await endPod({ ...one, apiVersion: 'v1', kind: 'Pod' }, 0);
    expect(await run.exit).toMatchObject({ code: 0, stdout: 'job/x reached: Complete, 1/1 succeeded\n' });
  });
});

describe.concurrent('a watch event that is lost', () => {
  const completes = (line: string): boolean => line.includes('"type":"Complete"');

  async function completed(ns: string): Promise<void> {
    const path = `/api/v1/namespaces/${ns}/pods?labelSelector=job-name%3Dx`;
    const [one] = await api.untilAll(path, (all) => all.length > 0);
    await endPod({ ...one, apiVersion: 'v1', kind: 'Pod' }, 0);
  }

  test('is found by a LIST one second before the timeout', async ({ ns, proxy, kubeconfig, kubeAwait, expect }) => {
    const swallowed = proxy.swallow(completes);
    await api.create(job({ namespace: ns, name: 'x', exitCode: 'ask' }));
    const run = kubeAwait(['job/x', '--timeout=45s'], { kubeconfig });
    await proxy.request(isWatch);
    await completed(ns);
    await swallowed;
    expect(await run.exit).toMatchObject({ code: 0, stdout: 'job/x reached: Complete, 1/1 succeeded\n' });
    expect(proxy.seen.filter(isList)).toHaveLength(2);
  });

  test('is found by the LIST after the watch that the server ends', async ({
    ns,
    proxy,
    kubeconfig,
    kubeAwait,
    expect,
  }) => {
    proxy.change((query) => {
      if (query.has('watch')) query.set('timeoutSeconds', '4');
    });
    const swallowed = proxy.swallow(completes);
    await api.create(job({ namespace: ns, name: 'x', exitCode: 'ask' }));
    const run = kubeAwait(['job/x', '--timeout=-1s'], { kubeconfig });
    await proxy.request(isWatch);
    await completed(ns);
    await swallowed;
    expect(await run.exit).toMatchObject({ code: 0, stdout: 'job/x reached: Complete, 1/1 succeeded\n' });
  });
});

describe.concurrent('a custom kind whose definition is removed', () => {
  /** The API server deletes the objects before the definition, and reports it where a watch is open. */
  const isDeletion = (line: string): boolean => line.includes('"type":"DELETED"');

  test('its objects are deleted, by name and by selector', async ({ ns, proxy, kubeconfig, kubeAwait, expect }) => {
    const { group, crd } = await define();
    const swallowed = [proxy.swallow(isDeletion), proxy.swallow(isDeletion)];
    await api.create(widget(group, ns, 'a'));
    const kind = `widgets.${group}`;
    const args = [`${kind}/a`, kind, '-l', 'app=x', '--for=delete', '--timeout=2m'];
    const run = kubeAwait(args, { kubeconfig });
    await Promise.all([run.line(/^widget\..*\/a: still exists$/), run.line(/^widget\..* -l app=x: still exists$/)]);
    await proxy.request(({ path, query }) => path.endsWith('/widgets') && 'watch' in query && 'labelSelector' in query);
    await proxy.request(({ path, query }) => path.endsWith('/widgets') && 'watch' in query && 'fieldSelector' in query);
    await api.delete(crd);
    await Promise.all(swallowed);
    expect((await run.exit).code).toBe(0);
    // It is not served any longer, and finding none is success.
    for (const timeout of ['0', '1m']) {
      const later = await kubeAwait([`${kind}/a`, kind, '--all', '--for=delete', `--timeout=${timeout}`]).exit;
      expect(later.code).toBe(0);
    }
  });

  test('under a kind goal --on-missing decides, also with --timeout=0', async ({
    ns,
    proxy,
    kubeconfig,
    kubeAwait,
    expect,
  }) => {
    const { group, crd } = await define();
    const swallowed = proxy.swallow(isDeletion);
    await api.create(widget(group, ns, 'a'));
    const target = `widgets.${group}/a`;
    const run = kubeAwait([target, '--on-missing=fail', '--missing-grace=0s', '--timeout=2m'], { kubeconfig });
    await proxy.request(isWatch);
    await api.delete(crd);
    await swallowed;
    const { code, stdout } = await run.exit;
    expect({ code, stdout }).toEqual({
      code: 1,
      stdout: expect.stringMatching(/ failed: deleted, outcome unknown\n$/),
    });
    for (const [policy, expected] of [
      ['wait', 124],
      ['fail', 1],
      ['succeed', 0],
    ] as const) {
      const once = await kubeAwait([target, `--on-missing=${policy}`, '--timeout=0']).exit;
      expect([policy, once.code]).toEqual([policy, expected]);
    }
  });

  test('an API that is only unavailable is retried', async ({ ns, proxy, kubeconfig, kubeAwait, expect }) => {
    const { group, crd } = await define();
    await api.create(widget(group, ns, 'a'));
    const run = kubeAwait([`widgets.${group}/a`, '--for=delete', '--timeout=8s'], { kubeconfig });
    await run.line(/: still exists$/);
    proxy.answer(({ path }) => path.startsWith(`/apis/${group}/`), NO_SUCH_PATH);
    proxy.answer(({ path }) => path === '/apis', rejection(503, 'ServiceUnavailable', 'not now'));
    proxy.cut();
    proxy.restore();
    const { code, stdout } = await run.exit;
    expect(code).toBe(124);
    expect(stdout).toContain('still exists; the API server does not answer now: 503 ServiceUnavailable: not now');
    await api.delete(crd);
  });
});

describe.concurrent('--timeout=0 is one answer for every target', () => {
  test('1 comes before 2, 2 before 3, 3 before 124, in any order', async ({ ns, identity, kubeAwait, expect }) => {
    const rules = [
      { apiGroups: ['batch'], resources: ['jobs'], verbs: ['list', 'watch'] },
      { apiGroups: [''], resources: ['persistentvolumeclaims'], verbs: ['list', 'watch'] },
    ];
    const as = await identity({ rules });
    await api.create(job({ namespace: ns, name: 'failed', exitCode: 1, spec: { backoffLimit: 0 } }));
    await api.create(job({ namespace: ns, name: 'complete' }));
    await api.until(job({ namespace: ns, name: 'complete' }), (found) => hasCondition(found, 'Complete'));
    await api.until(job({ namespace: ns, name: 'failed' }), (found) => hasCondition(found, 'Failed'));
    const failed = ['job/failed'];
    const bad = ['pvc', '--field-selector', 'status.phase=x'];
    const refused = ['pod', '-l', 'app=x'];
    const missing = ['job/none'];
    const complete = ['job/complete'];
    for (const [code, targets] of [
      [1, [failed, bad, refused, missing]],
      [2, [bad, refused, missing, complete]],
      [3, [refused, missing, complete]],
      [124, [missing, complete]],
      [0, [complete]],
    ] as const) {
      for (const order of [targets, targets.toReversed()]) {
        const ended = await kubeAwait([...order.flat(), '--timeout=0', '--on-refused=wait', '--logs=0'], { as }).exit;
        expect([order, ended.code]).toEqual([order, code]);
      }
    }
  });
});
