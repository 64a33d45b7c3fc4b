/** --container: one container of a pod, regular, init or sidecar, and whether kubelet would start it again. */
import { describe } from 'vitest';
import { api, cluster, hasCondition, type Json, job, pod, test } from '../harness/index.ts';
import { looksAt, slug } from '../harness/looks.ts';
import type { TestObject } from '../harness/objects.ts';

interface Container {
  readonly name: string;
  readonly restartPolicy?: 'Always' | 'OnFailure' | 'Never';
  readonly restartPolicyRules?: readonly object[];
}

interface Row {
  readonly is: string;
  readonly policy: 'Always' | 'OnFailure' | 'Never';
  readonly init?: readonly Container[];
  readonly containers?: readonly Container[];
  readonly args: readonly string[];
  /** By container: what its status says. */
  readonly states: Readonly<Record<string, object>>;
  readonly pod?: object;
  readonly ends: 'reached' | 'pending' | 'failed';
  readonly says: string;
}

const running = (ready = false): object => ({ ready, state: { running: { startedAt: '2026-01-01T00:00:00Z' } } });
const ended = (exitCode: number): object => ({
  ready: false,
  state: { terminated: { exitCode, reason: exitCode === 0 ? 'Completed' : 'Error' } },
});
const backOff: object = {
  ready: false,
  restartCount: 2,
  state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 20s' } },
};

const both = [{ name: 'main' }, { name: 'proxy' }];
const sidecar: Container = { name: 'proxy', restartPolicy: 'Always' };
const again42 = {
  restartPolicy: 'Never',
  restartPolicyRules: [{ action: 'Restart', exitCodes: { operator: 'In', values: [42] } }],
} as const;

const ROWS: readonly Row[] = [
  {
    is: 'a container that is restarted for ever: its default is to be ready, whatever the others are',
    policy: 'Always',
    args: ['--container=proxy'],
    states: { main: running(false), proxy: running(true) },
    ends: 'reached',
    says: 'container proxy runs',
  },
  {
    is: 'a container that is restarted for ever and is not ready',
    policy: 'Always',
    args: ['--container=main'],
    states: { main: running(false), proxy: running(true) },
    ends: 'pending',
    says: 'container main runs',
  },
  {
    is: 'a container that is restarted for ever and has ended with 0',
    policy: 'Always',
    args: ['--container=main', '--for=complete'],
    states: { main: ended(0), proxy: running(true) },
    ends: 'pending',
    says: 'container main: exit code 0 (Completed)',
  },
  {
    is: 'a container of a task: its default is to have ended with 0, while another still runs',
    policy: 'Never',
    args: ['--container=main'],
    states: { main: ended(0), proxy: running(true) },
    ends: 'reached',
    says: 'container main: exit code 0 (Completed)',
  },
  {
    is: 'a container of a task that is ready',
    policy: 'Never',
    args: ['--container=main'],
    states: { main: running(true), proxy: running(true) },
    ends: 'pending',
    says: 'container main runs',
  },
  {
    is: 'a container of a task that is ready, under --for=ready',
    policy: 'Never',
    args: ['--container=main', '--for=ready'],
    states: { main: running(true), proxy: running(false) },
    ends: 'reached',
    says: 'container main runs',
  },
  {
    is: 'a container under Never that has failed, while another still runs',
    policy: 'Never',
    args: ['--container=main'],
    states: { main: ended(3), proxy: running(true) },
    ends: 'failed',
    says: 'container main: exit code 3',
  },
  {
    is: 'a container under Never that has failed, under --for=finished',
    policy: 'Never',
    args: ['--container=main', '--for=finished'],
    states: { main: ended(3), proxy: running(true) },
    ends: 'reached',
    says: 'container main: exit code 3',
  },
  {
    is: 'a container under OnFailure that has failed: kubelet starts it again',
    policy: 'OnFailure',
    args: ['--container=main'],
    states: { main: ended(3), proxy: running(true) },
    ends: 'pending',
    says: 'container main: exit code 3',
  },
  {
    is: 'a container under OnFailure that has failed, under --for=finished',
    policy: 'OnFailure',
    args: ['--container=main', '--for=finished'],
    states: { main: ended(3), proxy: running(true) },
    ends: 'pending',
    says: 'container main: exit code 3',
  },
  {
    is: 'a container under OnFailure that has ended with 0',
    policy: 'OnFailure',
    args: ['--container=main'],
    states: { main: ended(0), proxy: running(true) },
    ends: 'reached',
    says: 'container main: exit code 0 (Completed)',
  },
  {
    is: 'a container that waits to be started again',
    policy: 'OnFailure',
    args: ['--container=main'],
    states: { main: backOff, proxy: running(true) },
    ends: 'pending',
    says: 'container main waits: CrashLoopBackOff: back-off 20s after 2 restarts',
  },
  {
    is: 'a container that has no status yet',
    policy: 'Never',
    args: ['--container=main'],
    states: {},
    ends: 'pending',
    says: 'container main waits',
  },
  {
    is: 'an init container that has ended with 0, in a service pod',
    policy: 'Always',
    init: [{ name: 'setup' }],
    args: ['--container=setup'],
    states: { setup: ended(0) },
    ends: 'reached',
    says: 'container setup: exit code 0 (Completed)',
  },
  {
    is: 'an init container that has failed, in a service pod: it is started again',
    policy: 'Always',
    init: [{ name: 'setup' }],
    args: ['--container=setup'],
    states: { setup: ended(1) },
    ends: 'pending',
    says: 'container setup: exit code 1',
  },
  {
    is: 'an init container that has failed, in a pod that is not restarted',
    policy: 'Never',
    init: [{ name: 'setup' }],
    args: ['--container=setup'],
    states: { setup: ended(1) },
    ends: 'failed',
    says: 'container setup: exit code 1',
  },
  {
    is: 'a sidecar: its default is to be ready, in a task pod too',
    policy: 'Never',
    init: [sidecar],
    containers: [{ name: 'main' }],
    args: ['--container=proxy'],
    states: { proxy: running(true) },
    ends: 'reached',
    says: 'container proxy runs',
  },
  {
    is: 'a sidecar that has failed: it is started again',
    policy: 'Never',
    init: [sidecar],
    containers: [{ name: 'main' }],
    args: ['--container=proxy', '--for=finished'],
    states: { proxy: ended(1) },
    ends: 'pending',
    says: 'container proxy: exit code 1',
  },
  {
    is: 'a container whose own restartPolicy is Never, in a service pod, that has ended with 0',
    policy: 'Always',
    containers: [{ name: 'main', restartPolicy: 'Never' }, { name: 'proxy' }],
    args: ['--container=main'],
    states: { main: ended(0), proxy: running(true) },
    ends: 'reached',
    says: 'container main: exit code 0 (Completed)',
  },
  {
    is: 'a container whose own restartPolicy is Never, in a service pod, that has failed',
    policy: 'Always',
    containers: [{ name: 'main', restartPolicy: 'Never' }, { name: 'proxy' }],
    args: ['--container=main'],
    states: { main: ended(2), proxy: running(true) },
    ends: 'failed',
    says: 'container main: exit code 2',
  },
  {
    is: 'a container whose own restartPolicy is Always, in a task pod',
    policy: 'Never',
    containers: [{ name: 'main' }, { name: 'proxy', restartPolicy: 'Always' }],
    args: ['--container=proxy'],
    states: { main: running(true), proxy: ended(1) },
    ends: 'pending',
    says: 'container proxy: exit code 1',
  },
  {
    is: 'an exit code for which its restartPolicyRules start it again',
    policy: 'Never',
    containers: [{ name: 'main', ...again42 }, { name: 'proxy' }],
    args: ['--container=main', '--for=finished'],
    states: { main: ended(42), proxy: running(true) },
    ends: 'pending',
    says: 'container main: exit code 42',
  },
  {
    is: 'an exit code that its restartPolicyRules do not name',
    policy: 'Never',
    containers: [{ name: 'main', ...again42 }, { name: 'proxy' }],
    args: ['--container=main'],
    states: { main: ended(43), proxy: running(true) },
    ends: 'failed',
    says: 'container main: exit code 43',
  },
  {
    is: 'an exit code for which its rules start it again, in a pod that has ended all the same',
    policy: 'Never',
    containers: [{ name: 'main', ...again42 }, { name: 'proxy' }],
    args: ['--container=main'],
    states: { main: ended(42), proxy: ended(1) },
    pod: { phase: 'Failed' },
    ends: 'failed',
    says: 'container main: exit code 42',
  },
  {
    is: 'a container that had not ended when its pod was evicted',
    policy: 'Always',
    args: ['--container=main'],
    states: {},
    pod: { phase: 'Failed', reason: 'Evicted' },
    ends: 'failed',
    says: 'container main waits',
  },
  {
    is: 'such a container under --for=finished',
    policy: 'Always',
    args: ['--container=main', '--for=finished'],
    states: {},
    pod: { phase: 'Failed', reason: 'Evicted' },
    ends: 'reached',
    says: 'container main waits',
  },
];

/** A pod that is never started, so that its status is the test's. */
async function held(
  namespace: string,
  {
    policy,
    init,
    containers = both,
    states,
    pod: status,
  }: Pick<Row, 'policy' | 'init' | 'containers' | 'states' | 'pod'>,
  more: Partial<Parameters<typeof pod>[0]> = {},
): Promise<TestObject> {
  const image = { image: 'pretended' };
  const spec = {
    restartPolicy: policy,
    ...(init && { initContainers: init.map((one) => ({ ...one, ...image })) }),
    containers: containers.map((one) => ({ ...one, ...image })),
  };
  const made = pod({ namespace, name: 'x', start: 'never', exitCode: 'ask', backOff: '1h', spec, ...more });
  const created: Json = await api.create(made);
  // What the API server does not know of it leaves out without a word.
  const kept = [...(created.spec.initContainers ?? []), ...created.spec.containers];
  for (const one of [...(init ?? []), ...containers]) {
    const { restartPolicy, restartPolicyRules } = kept.find(({ name }) => name === one.name);
    if (restartPolicy !== one.restartPolicy || restartPolicyRules?.length !== one.restartPolicyRules?.length) {
      throw new Error(`the API server drops the restart rules of ${one.name}`);
    }
  }
  await api.until(made, (found) => hasCondition(found, 'PodScheduled'));
  const statusOf = ({ name }: Container): object[] => {
    const state = states[name];
    return state ? [{ name, image: 'pretended', imageID: '', restartCount: 0, ...state }] : [];
  };
  await api.patchStatus(made, {
    phase: 'Running',
    ...status,
    initContainerStatuses: (init ?? []).flatMap(statusOf),
    containerStatuses: containers.flatMap(statusOf),
  });
  return made;
}

/** No label is made of the name of a pod. */
const nameOf = (is: string): string => slug(is, 200);

describe.concurrent('--container', () => {
  const hasOwnPolicy = ({ containers }: Row): boolean =>
    containers?.some(({ restartPolicy }) => restartPolicy !== undefined) ?? false;
  const groups = Map.groupBy(ROWS, (row) => `${row.args.join(' ')}${hasOwnPolicy(row) ? ', own restartPolicy' : ''}`);
  for (const [what, rows] of groups) {
    test(`${what}: each state of the container`, async ({ ns, kubeAwait, skip, expect }) => {
      const isSupported = !rows.some(hasOwnPolicy) || cluster().minor >= 35;
      skip(!isSupported, 'containers have a restartPolicy of their own since Kubernetes 1.35');
      const looks = rows.map(({ is, ends, says }) => ({ target: `pod/${nameOf(is)}`, ends, says }));
      await Promise.all(rows.map((row) => held(ns, row, { name: nameOf(row.is) })));
      for (const { args: targets, ...ended } of looksAt(looks)) {
        const { code, stdout } = await kubeAwait([...targets, ...(rows[0]?.args ?? [])]).exit;
        // A terminal verdict is printed when it is known, the others when the run ends.
        const sorted = (text: string): readonly string[] => text.split('\n').sort();
        expect({ code, lines: sorted(stdout) }).toEqual({ code: ended.code, lines: sorted(ended.stdout) });
      }
    });
  }

  test('is awaited while its pod goes on', async ({ ns, kubeAwait, expect }) => {
    const target = await held(ns, { policy: 'Never', states: { main: running(true), proxy: running(true) } });
    const run = kubeAwait(['pod/x', '--container=main']);
    await run.line(/^pod\/x: container main runs$/);
    const status = (name: string, state: object) => ({
      name,
      image: 'pretended',
      imageID: '',
      restartCount: 0,
      ...state,
    });
    await api.patchStatus(target, { containerStatuses: [status('main', ended(0)), status('proxy', running(true))] });
    const { code, stdout } = await run.exit;
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'pod/x reached: container main: exit code 0 (Completed)\n' });
  });

  test('of the pod that waits itself: a sidecar waits for the main container beside it', async ({
    ns,
    kubeAwait,
    expect,
  }) => {
    await held(ns, { policy: 'Never', states: { main: ended(0), proxy: running(true) } });
    const env = { POD_NAME: 'x', POD_NAMESPACE: ns };
    const { code, stdout } = await kubeAwait(['pod/x', '--container=main', '--timeout=0'], { env }).exit;
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'pod/x reached: container main: exit code 0 (Completed)\n' });
  });

  test('a name that the pod has not: a hint, and pending', async ({ ns, kubeAwait, expect }) => {
    await held(ns, { policy: 'Never', states: {} });
    const run = kubeAwait(['pod/x', '--container=absent', '--heartbeat=200ms']);
    await run.line(/^pod\/x: no container of that name, there are main, proxy$/);
    const { text } = await run.line(/^hint: /);
    expect(text).toBe('hint: pod/x: no pod has a container absent; there are main, proxy');
  });

  for (const [policy, code, verb] of [
    ['fail', 1, 'failed'],
    ['succeed', 0, 'reached'],
  ] as const) {
    test(`a name that the pod has not, under --on-missing=${policy}: ${code}`, async ({ ns, kubeAwait, expect }) => {
      await held(ns, { policy: 'Never', states: {} });
      const args = ['pod/x', '--container=absent', `--on-missing=${policy}`, '--missing-grace=0s'];
      const ended = await kubeAwait(args).exit;
      expect(ended.code).toBe(code);
      expect(ended.stdout).toContain(`pod/x ${verb}: no container of that name, there are main, proxy`);
    });
  }

  test('of a selector: that container of each pod that has it', async ({ ns, kubeAwait, expect }) => {
    const labels = { app: 'x' };
    const states = { main: ended(0), proxy: running(true) };
    await held(ns, { policy: 'Never', states }, { name: 'one', labels });
    await held(ns, { policy: 'Never', states: { proxy: running(true) } }, { name: 'two', labels });
    await held(ns, { policy: 'Never', containers: [{ name: 'other' }], states: {} }, { name: 'three', labels });
    const run = kubeAwait(['pod', '-l', 'app=x', '--container=main']);
    await run.line(/^pod -l app=x: 1\/2 done, pod\/two container main waits$/);
    const two = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'two', namespace: ns } };
    const main = { name: 'main', image: 'pretended', imageID: '', restartCount: 0, ...ended(0) };
    await api.patchStatus(two, { containerStatuses: [main] });
    const { code, stdout } = await run.exit;
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'pod -l app=x reached: 2/2 done\n' });
  });

  test("of a Job's pods: the container is enough, the Job may go on", async ({ ns, kubeAwait, expect }) => {
    const migrate = job({
      namespace: ns,
      name: 'migrate',
      labels: { app: 'x' },
      start: 'never',
      containers: ['main', 'proxy'],
    });
    await api.create(migrate);
    const [found] = await api.untilAll(`/api/v1/namespaces/${ns}/pods?labelSelector=app%3Dx`, ([one]) =>
      hasCondition(one, 'PodScheduled'),
    );
    const run = kubeAwait(['pod', '-l', 'app=x', '--container=main']);
    await run.line(/^pod -l app=x: 0\/1 done, pod\/migrate-.+ container main waits$/);
    const target = { apiVersion: 'v1', kind: 'Pod', metadata: { name: found.metadata.name, namespace: ns } };
    const main = { name: 'main', image: 'pretended', imageID: '', restartCount: 0, ...ended(0) };
    await api.patchStatus(target, { phase: 'Running', containerStatuses: [main] });
    const { code } = await run.exit;
    const { status } = await api.get(migrate);
    expect({ code, succeeded: status.succeeded ?? 0 }).toEqual({ code: 0, succeeded: 0 });
  });
});
