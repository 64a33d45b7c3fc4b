/** What is told of a failure: the pods behind it, their log lines, and what may not be read. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe } from 'vitest';
import { api, cluster, endPod, job, type PolicyRule, pod, test, untilCondition, writeLog } from '../harness/index.ts';

const jobsOnly: readonly PolicyRule[] = [{ apiGroups: ['batch'], resources: ['jobs'], verbs: ['list', 'watch'] }];
const podsToo: readonly PolicyRule[] = [
  ...jobsOnly,
  { apiGroups: [''], resources: ['pods'], verbs: ['list', 'watch'] },
];

/** The pods of a Job, once there is one. */
async function podOf(namespace: string, name: string) {
  const path = `/api/v1/namespaces/${namespace}/pods?labelSelector=job-name%3D${name}`;
  const found = await api.untilAll(path, (pods) => pods.length > 0 && pods, { what: `a pod of ${name}` });
  return { ...found[0], apiVersion: 'v1', kind: 'Pod' };
}

/** With names and nodes that differ from run to run made equal. */
const masked = (output: string, podName: string): string =>
  output.replaceAll(podName, 'POD').replace(/on node \S+:/g, 'on node NODE:');

describe.concurrent('a failed Job', () => {
  test('tells of its pod, the exit code, the termination message and the last log lines', async ({
    ns,
    kubeAwait,
    expect,
  }) => {
    const failing = job({ namespace: ns, name: 'migrate', exitCode: 'ask', message: 'no table users' });
    await api.create(failing);
    const one = await podOf(ns, 'migrate');
    await writeLog(one, ['one', 'two \u001b[31mred', 'three']);
    const log = join(cluster().coordinates.dir, `termination-${ns}`);
    const run = kubeAwait(['job/migrate', '--logs=2', '--termination-log', log]);
    await run.line(/1 active/);
    await endPod(one, 3);
    const { code, stdout, stderr } = await run.exit;
    expect(code).toBe(1);
    const verdict = 'job/migrate failed: BackoffLimitExceeded: Job has reached the specified backoff limit';
    expect(stdout).toBe(`${verdict}\n`);
    const lines = masked(stderr, one.metadata.name).split('\n');
    expect(lines.slice(lines.indexOf('job/migrate: pod/POD on node NODE: Failed'))).toEqual([
      'job/migrate: pod/POD on node NODE: Failed',
      '  container main: exit code 3 (no table users)',
      '  main | two \\e[31mred',
      '  main | three',
      '',
    ]);
    expect(readFileSync(log, 'utf8')).toBe(verdict);
  });

  test('is told without its pods where they may not be read, and which permission would show them', async ({
    ns,
    identity,
    kubeAwait,
    expect,
  }) => {
    await api.create(job({ namespace: ns, name: 'a', exitCode: 1 }));
    const { code, stdout, stderr } = await kubeAwait(['job/a'], { as: await identity({ rules: jobsOnly }) }).exit;
    expect(code).toBe(1);
    expect(stdout).toMatch(/^job\/a failed: BackoffLimitExceeded/);
    expect(stderr).toContain('job/a: the permission to list pods would show which pods failed and why\n');
    expect(stderr).not.toContain('refused');
  });

  test('is told without logs where they may not be read', async ({ ns, identity, kubeAwait, expect }) => {
    await api.create(job({ namespace: ns, name: 'a', exitCode: 4 }));
    const { code, stderr } = await kubeAwait(['job/a'], { as: await identity({ rules: podsToo }) }).exit;
    expect(code).toBe(1);
    expect(stderr).toContain('  container main: exit code 4\n');
    expect(stderr).toContain('job/a: the permission to get pods/log would show their last log lines\n');
  });

  test('keeps what it saw of pods that the Job controller deletes', async ({ ns, kubeAwait, expect }) => {
    const deadline = { activeDeadlineSeconds: 12 };
    const common = { namespace: ns, name: 'a', restartPolicy: 'OnFailure', runFor: '200ms', exitCode: 7 } as const;
    await api.create(job({ ...common, backoffLimit: 6, backOff: '1s', spec: deadline }));
    const { code, stdout, stderr } = await kubeAwait(['job/a']).exit;
    expect(code).toBe(1);
    expect(stdout).toMatch(/^job\/a failed: (DeadlineExceeded|BackoffLimitExceeded): /);
    expect(stderr).toMatch(/ {2}container main: exit code 7/);
  });

  test('with --logs=0 is told alone', async ({ ns, kubeAwait, expect }) => {
    await api.create(job({ namespace: ns, name: 'a', exitCode: 4 }));
    const { stderr } = await kubeAwait(['job/a', '--logs=0']).exit;
    expect(stderr).not.toContain('container main');
  });
});

describe.concurrent('what is not reached', () => {
  test('a failed pod by name that a Job owns: the hint is to wait for the Job', async ({ ns, kubeAwait, expect }) => {
    const failing = job({ namespace: ns, name: 'a', exitCode: 4 });
    await api.create(failing);
    await untilCondition(failing, 'Failed');
    const one = await podOf(ns, 'a');
    const { code, stderr } = await kubeAwait([`pod/${one.metadata.name}`]).exit;
    expect(code).toBe(1);
    expect(stderr).toContain('it is one try of job/a, which may try again: wait for the Job instead\n');
  });

  test('a pod that cannot start, when the timeout passes', async ({ ns, kubeAwait, expect }) => {
    await api.create(pod({ namespace: ns, name: 'p', waiting: 'ImagePullBackOff' }));
    const { code, stdout, stderr } = await kubeAwait(['pod/p', '--timeout=4s']).exit;
    expect(code).toBe(124);
    expect(stdout).toMatch(/^pod\/p not reached after 4s: Pending, container main waits: ImagePullBackOff/);
    expect(stderr).toMatch(/pod\/p: pod\/p.*: Pending\n {2}container main waits: ImagePullBackOff/);
  });

  test('a suspended Job: the hint with the heartbeat', async ({ ns, kubeAwait, expect }) => {
    await api.create(job({ namespace: ns, name: 'a', spec: { suspend: true } }));
    const { text } = await kubeAwait(['job/a', '--heartbeat=1s']).line(/^hint: /);
    expect(text).toBe('hint: job/a: it is suspended: nothing runs until spec.suspend is false');
  });
});
