/** Built-in kinds that the API server does not serve as we ask for them: it is older than the table of kinds. */
import { describe } from 'vitest';
import type { Reference } from '../cluster/rest.ts';
import { api, type Json, untilAnswered } from '../harness/index.ts';
import { isList, NO_SUCH_PATH, proxied, type Seen, type TestProxy } from '../harness/proxy.ts';

const test = proxied.extend<{ kubeconfig: string }>({
  kubeconfig: async ({ identity, proxy }, use) => {
    await use(proxy.kubeconfig(await identity({ by: 'token' })));
  },
});

const under = (path: string) => (seen: Seen) => seen.path.startsWith(`${path}/`);

/** From here on the server behind the proxy does not know this version of this group, nor does its discovery. */
async function without(proxy: TestProxy, group: string, version: string): Promise<void> {
  const known = await api.get('/apis');
  const groups = known.groups.flatMap((one: Json) => {
    if (one.name !== group) return [one];
    const versions = one.versions.filter((each: Json) => each.version !== version);
    return versions.length === 0 ? [] : [{ ...one, versions, preferredVersion: versions[0] }];
  });
  proxy.answer(under(`/apis/${group}/${version}`), NO_SUCH_PATH);
  proxy.answer(({ path }) => path === `/apis/${group}/${version}`, NO_SUCH_PATH);
  // Without the aggregated form, as servers before 1.26.
  proxy.answer(({ path }) => path === '/apis', { status: 200, body: { ...known, groups } });
}

const scaler = (namespace: string): Reference =>
  ({
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: 'x', namespace },
    spec: { maxReplicas: 1, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'x' } },
  }) as Reference;

describe.concurrent('a 404 for a built-in kind', () => {
  test('leads to discovery, and to the version that is served', async ({
    ns,
    proxy,
    kubeconfig,
    kubeAwait,
    expect,
  }) => {
    await without(proxy, 'autoscaling', 'v2');
    const run = kubeAwait(['hpa/x'], { kubeconfig });
    await run.line(/^horizontalpodautoscaler\/x: does not exist yet$/);
    await api.create(scaler(ns));
    const { code, stdout } = await run.exit;
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'horizontalpodautoscaler/x reached: exists\n' });
  });

  test('that no version of the server serves: 2, and the message names the kind', async ({
    proxy,
    kubeconfig,
    kubeAwait,
    expect,
  }) => {
    await without(proxy, 'resource.k8s.io', 'v1');
    // Not even where a missing object would be the end, well or badly.
    for (const policy of ['fail', 'succeed']) {
      const args = ['resourceclaim/x', `--on-missing=${policy}`, '--missing-grace=0s'];
      const { code, stdout, stderr } = await kubeAwait(args, { kubeconfig }).exit;
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toMatch(
        /^kube-await: resourceclaim\/x: the API server serves no resourceclaims\.resource\.k8s\.io$/m,
      );
    }
    const json = await kubeAwait(['resourceclaim/x', '-o', 'json'], { kubeconfig }).exit;
    const last = json.stdout.trim().split('\n').at(-1) ?? '';
    expect(JSON.parse(last)).toMatchObject({
      event: 'done',
      exitCode: 2,
      message: 'the API server cannot answer for a target',
    });
    expect(json.stderr).toContain('the API server serves no resourceclaims.resource.k8s.io');
  });

  for (const policy of ['fail', 'succeed']) {
    test(`while discovery does not answer, under --on-missing=${policy}: never missing, 124 with why`, async ({
      proxy,
      kubeconfig,
      kubeAwait,
      expect,
    }) => {
      proxy.answer(under('/apis/batch/v1'), NO_SUCH_PATH);
      proxy.answer(({ path }) => path === '/apis', { status: 503, body: {} });
      const args = ['job/x', `--on-missing=${policy}`, '--missing-grace=0s'];
      const start = () => kubeAwait([...args, '--timeout=4s'], { kubeconfig });
      const { code, stdout } = await untilAnswered(start, /503/);
      expect(code).toBe(124);
      expect(stdout).toBe('job/x not reached after 4s: the API server never answered: 503 ServiceUnavailable: {}\n');
      // It is asked again: the path may be known later.
      const lists = () => proxy.seen.filter((seen) => isList(seen) && under('/apis/batch/v1')(seen)).length;
      const before = lists();
      const patient = kubeAwait(args, { kubeconfig });
      await proxy.request(() => lists() > before + 1);
      patient.kill();
    });
  }

  test('after it was served is waited out: another API server may answer', async ({
    ns,
    proxy,
    kubeconfig,
    kubeAwait,
    expect,
  }) => {
    const run = kubeAwait(['hpa/x', '--on-missing=fail', '--missing-grace=1h'], { kubeconfig });
    await run.line(/^horizontalpodautoscaler\/x: does not exist yet$/);
    const answered = proxy.answerOnce(under('/apis/autoscaling/v2'), NO_SUCH_PATH);
    proxy.cut();
    proxy.restore();
    await answered;
    await api.create(scaler(ns));
    const { code } = await run.exit;
    expect(code).toBe(0);
  });

  test('of the EndpointSlices of a Service: its pods decide', async ({ ns, proxy, kubeconfig, kubeAwait, expect }) => {
    await without(proxy, 'discovery.k8s.io', 'v1');
    const labels = { app: 'api' };
    await api.create({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'api', namespace: ns },
      spec: { selector: labels, ports: [{ port: 80 }] },
    } as Reference);
    const run = kubeAwait(['svc/api'], { kubeconfig });
    await run.line(/^service\/api: 0\/0 pods ready$/);
    const spec = { containers: [{ name: 'main', image: 'pretended' }] };
    await api.create({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'a', namespace: ns, labels },
      spec,
    } as Reference);
    const { code, stdout } = await run.exit;
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'service/api reached: 1/1 pods ready\n' });
  });
});

describe.concurrent('a word that discovery does not know', () => {
  test('is told as such also when discovery did not answer at first: it is never a missing object', async ({
    proxy,
    kubeconfig,
    kubeAwait,
    expect,
  }) => {
    const answered = proxy.answerOnce(({ path }) => path === '/apis', { status: 503, body: {} });
    const args = ['jbos/x', '--on-missing=succeed', '--missing-grace=0s'];
    const { code, stdout, stderr } = await kubeAwait(args, { kubeconfig }).exit;
    await answered;
    expect({ code, stdout, stderr }).toEqual({
      code: 2,
      stdout: '',
      stderr: 'kube-await: jbos/x: the API server serves no jbos\n',
    });
  });
});
