/** What becomes of an object while nobody looks: the connection is cut, and the watch is resumed, or it cannot be. */
import { describe } from 'vitest';
import { api, endPod, job } from '../harness/index.ts';
import { GONE, GONE_EVENT, isList, isWatch, proxied, type TestProxy } from '../harness/proxy.ts';

type TestJob = ReturnType<typeof job>;

const test = proxied.extend<{
  target: TestJob;
  /** A kubeconfig by way of the proxy. */
  kubeconfig: string;
}>({
  target: async ({ ns }, use) => {
    const target = job({ namespace: ns, name: 'x', exitCode: 'ask', spec: { ttlSecondsAfterFinished: 0 } });
    await api.create(target);
    await use(target);
  },
  kubeconfig: async ({ identity, proxy }, use) => {
    await use(proxy.kubeconfig(await identity({ by: 'token' })));
  },
});

/**
 * Cuts the watch, and lets the Job end and be deleted by its TTL while nothing goes through the proxy. Gives what tells
 * how often Jobs were read, and how often they were watched, from then on.
 */
async function endUnseen(
  target: TestJob,
  code: number,
  proxy: TestProxy,
): Promise<() => { readonly lists: number; readonly watches: number }> {
  const { namespace, name } = target.metadata;
  const pods = `/api/v1/namespaces/${namespace}/pods?labelSelector=job-name%3D${name}`;
  const [pod] = await api.untilAll(pods, (found) => found.length > 0);
  await proxy.request(isWatch);
  proxy.cut();
  await endPod({ ...pod, apiVersion: 'v1', kind: 'Pod' }, code);
  await api.until(target, (found) => found === undefined, { what: 'its deletion by the TTL' });
  const before = proxy.seen.length;
  return () => {
    const jobs = proxy.seen.slice(before).filter(({ path }) => path.endsWith('/jobs'));
    // A LIST of one object at the most only asks how far the server is.
    const reads = jobs.filter((one) => isList(one) && one.query.limit !== '1');
    return { lists: reads.length, watches: jobs.filter(isWatch).length };
  };
}

describe.concurrent('a Job deleted by ttlSecondsAfterFinished while the connection was cut', () => {
  for (const [ended, exitCode, code, said] of [
    ['Complete', 0, 0, /^job\/x reached: Complete, 1\/1 succeeded\n$/],
    ['Failed', 1, 1, /^job\/x failed: BackoffLimitExceeded: .+\n$/],
  ] as const) {
    test(`and the watch resumed: the event decides, ${ended}`, async ({
      target,
      kubeconfig,
      proxy,
      kubeAwait,
      expect,
    }) => {
      // Without a grace, so that a deletion whose event says nothing would be the end.
      const run = kubeAwait(['job/x', '--on-missing=fail', '--missing-grace=0s'], { kubeconfig });
      await run.line(/^job\/x: 0\/1 succeeded/);
      const asked = await endUnseen(target, exitCode, proxy);
      proxy.restore();
      const ended = await run.exit;
      expect(ended.code).toBe(code);
      expect(ended.stdout).toMatch(said);
      // It was not read anew: only the event can have told.
      expect(asked()).toEqual({ lists: 0, watches: 1 });
    });
  }

  for (const [how, gone, policy, code, said] of [
    ['as the answer', GONE, 'fail', 1, /^job\/x failed: deleted, outcome unknown\n$/],
    ['as an event', GONE_EVENT, 'fail', 1, /^job\/x failed: deleted, outcome unknown\n$/],
    ['as an event', GONE_EVENT, 'succeed', 0, /^job\/x reached: deleted, outcome unknown, taken as done\n$/],
  ] as const) {
    test(`and after a 410 ${how}: --on-missing=${policy} decides, outcome unknown`, async ({
      target,
      kubeconfig,
      proxy,
      kubeAwait,
      expect,
    }) => {
      const run = kubeAwait(['job/x', `--on-missing=${policy}`, '--missing-grace=200ms'], { kubeconfig });
      await run.line(/^job\/x: 0\/1 succeeded/);
      await endUnseen(target, 0, proxy);
      const answered = proxy.answerOnce(isWatch, gone);
      proxy.restore();
      await answered;
      const ended = await run.exit;
      expect(ended.code).toBe(code);
      expect(ended.stdout).toMatch(said);
    });
  }

  test('and after a 410: --on-missing=wait awaits a new one of its name, outcome unknown', async ({
    target,
    kubeconfig,
    proxy,
    kubeAwait,
    exitCodes,
    expect,
  }) => {
    const run = kubeAwait(['job/x'], { kubeconfig });
    await run.line(/^job\/x: 0\/1 succeeded/);
    await endUnseen(target, 0, proxy);
    const answered = proxy.answerOnce(isWatch, GONE);
    proxy.restore();
    await answered;
    await run.line(/^job\/x: deleted, outcome unknown$/);
    const next = job({ namespace: target.metadata.namespace, name: 'x', exitCode: 'ask' });
    await api.create(next);
    await run.line(/^job\/x: 0\/1 succeeded/);
    exitCodes(next, [0]);
    const { code, stdout } = await run.exit;
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'job/x reached: Complete, 1/1 succeeded\n' });
  });

  test('and made anew in that time: after a 410 the new one counts, whatever became of the old one', async ({
    target,
    kubeconfig,
    proxy,
    kubeAwait,
    exitCodes,
    expect,
  }) => {
    const run = kubeAwait(['job/x', '--on-missing=fail', '--missing-grace=0s'], { kubeconfig });
    await run.line(/^job\/x: 0\/1 succeeded/);
    await endUnseen(target, 0, proxy);
    const next = job({ namespace: target.metadata.namespace, name: 'x', exitCode: 'ask' });
    await api.create(next);
    const answered = proxy.answerOnce(isWatch, GONE);
    proxy.restore();
    await answered;
    exitCodes(next, [1]);
    const { code, stdout } = await run.exit;
    expect(code).toBe(1);
    expect(stdout).toMatch(/^job\/x failed: BackoffLimitExceeded: /);
  });
});

describe.concurrent('while new connections are not answered', () => {
  test('nothing is decided; what was missed is told by the resumed watch', async ({
    target,
    kubeconfig,
    proxy,
    kubeAwait,
    expect,
  }) => {
    const args = ['job/x', '--on-missing=fail', '--missing-grace=0s', '--request-timeout=1s'];
    const run = kubeAwait(args, { kubeconfig });
    await run.line(/^job\/x: 0\/1 succeeded/);
    const asked = await endUnseen(target, 0, proxy);
    proxy.hold();
    await run.line(/^job\/x: no complete answer within 1 s; retrying$/);
    proxy.restore();
    const { code, stdout } = await run.exit;
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'job/x reached: Complete, 1/1 succeeded\n' });
    expect(asked().lists).toBe(0);
  });
});

test('a gateway that lets no watch through: LISTs tell the end', async ({ ns, identity, proxy, kubeAwait, expect }) => {
  await api.create(job({ namespace: ns, name: 'y', exitCode: 'ask' }));
  const message = 'upstream request timeout';
  const body = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, code: 504 };
  proxy.answer(isWatch, { status: 504, body });
  const run = kubeAwait(['job/y', '--timeout=2m'], { kubeconfig: proxy.kubeconfig(await identity({ by: 'token' })) });
  await proxy.request(isWatch);
  const [pod] = await api.untilAll(`/api/v1/namespaces/${ns}/pods?labelSelector=job-name%3Dy`, (all) => all.length > 0);
  await endPod({ ...pod, apiVersion: 'v1', kind: 'Pod' }, 0);
  expect(await run.exit).toMatchObject({ code: 0, stdout: 'job/y reached: Complete, 1/1 succeeded\n' });
});
