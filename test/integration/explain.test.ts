/** What is told of a failure: the pods behind it, their log lines, and what may not be read. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe } from 'vitest';
import {
  api,
  auditOf,
  cluster,
  type Ended,
  endPod,
  type Json,
  job,
  type PolicyRule,
  pod,
  type TestObject,
  test,
  untilAnswered,
  untilCondition,
  writeLog,
} from '../harness/index.ts';

const jobsOnly: readonly PolicyRule[] = [{ apiGroups: ['batch'], resources: ['jobs'], verbs: ['list', 'watch'] }];
const podsToo: readonly PolicyRule[] = [
  ...jobsOnly,
  { apiGroups: [''], resources: ['pods'], verbs: ['list', 'watch'] },
];
const LIMIT = 'BackoffLimitExceeded: Job has reached the specified backoff limit';

/** The pod of a Job, once there is one and it has a node. */
async function podOf(namespace: string, name: string): Promise<Json> {
  const path = `/api/v1/namespaces/${namespace}/pods?labelSelector=job-name%3D${name}`;
  const isThere = (pods: Json[]): boolean => pods.length > 0 && pods.every(({ spec }) => spec.nodeName);
  const found = await api.untilAll(path, isThere, { what: `a pod of ${name}` });
  return { ...found[0], apiVersion: 'v1', kind: 'Pod' };
}

/** What a run says of pods, with the names and nodes made equal that differ from run to run. */
function block({ stderr }: Ended): readonly string[] {
  const lines = stderr.trimEnd().split('\n');
  const first = lines.findIndex((line) => line.includes(' on node '));
  // A pod without a node has one line.
  return lines
    .slice(first)
    .map((line) => line.replace(/on node \S+:/, 'on node NODE:').replace(/\b(pod\/[a-z]+)-[a-z0-9]{5}\b/, '$1-XXXXX'));
}

const at = { startedAt: '2026-01-01T00:00:00Z', finishedAt: '2026-01-01T00:00:01Z' };
const containerStatus = (name: string, restartCount: number, state: object, lastState = {}) => ({
  ...{ name, restartCount, state, lastState },
  ...{ image: 'x', imageID: '', ready: false },
});
const terminated = (exitCode: number, reason: string, more = {}) => ({
  terminated: { exitCode, reason, ...at, ...more },
});

/** As kubelet and others warn of a pod. */
function warn(of: Json, reason: string, message: string): Promise<Json> {
  const { name, namespace, uid } = of.metadata;
  const event = {
    type: 'Warning',
    reason,
    message,
    firstTimestamp: at.startedAt,
    lastTimestamp: at.finishedAt,
    count: 1,
  };
  return api.create({
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: `${name}-${reason.toLowerCase()}`, namespace },
    ...{ involvedObject: { apiVersion: 'v1', kind: 'Pod', name, namespace, uid }, ...event },
  });
}

describe.concurrent('a failed Job', () => {
  test('its pod, the exit code, the termination message and the last log lines', async ({ ns, kubeAwait, expect }) => {
    const failing = job({ namespace: ns, name: 'migrate', exitCode: 'ask', message: 'no table users' });
    await api.create(failing);
    const one = await podOf(ns, 'migrate');
    await writeLog(one, ['one', 'two \u001b[31mred', 'three']);
    const run = kubeAwait(['job/migrate', '--logs=2']);
    await run.line(/1 active/);
    await endPod(one, 3);
    const ended = await run.exit;
    expect(ended).toMatchObject({ code: 1, stdout: `job/migrate failed: ${LIMIT}\n` });
    expect(block(ended)).toEqual([
      'job/migrate: pod/migrate-XXXXX on node NODE: Failed',
      '  container main: exit code 3 (no table users)',
      '  main | two \\e[31mred',
      '  main | three',
    ]);
  });

  test('each container with its exit code, signal, reason and restarts', async ({ ns, kubeAwait, expect }) => {
    const containers = ['main', 'proxy', 'odd', 'well'];
    await api.create(job({ namespace: ns, name: 'migrate', start: 'never', containers }));
    const one = await podOf(ns, 'migrate');
    await writeLog(one, ['killed']);
    const run = kubeAwait(['job/migrate']);
    await run.line(/1 active/);
    const noProgram = { message: 'exec: "migrate": executable file not found in $PATH' };
    await api.patchStatus(one, {
      phase: 'Failed',
      containerStatuses: [
        containerStatus('main', 0, terminated(137, 'OOMKilled')),
        containerStatus('proxy', 2, terminated(139, 'Error', { signal: 11 })),
        containerStatus('odd', 0, terminated(128, 'ContainerCannotRun', noProgram)),
        containerStatus('well', 0, terminated(0, 'Completed')),
      ],
    });
    const lines = block(await run.exit);
    expect(lines.filter((line) => !line.includes('nothing more could be read'))).toEqual([
      'job/migrate: pod/migrate-XXXXX on node NODE: Failed',
      '  container main: exit code 137 (OOMKilled)',
      '  container proxy: exit code 139, signal 11 after 2 restarts',
      '  container odd: exit code 128 (ContainerCannotRun: exec: "migrate": executable file not found in $PATH)',
      '  main | killed',
    ]);
  });

  test('three pods at most, and a permission that is lacking once', async ({ ns, identity, kubeAwait, expect }) => {
    // Every one of them has failed before the Job has: with a lower limit it would delete those that still run.
    const failing = job({ namespace: ns, name: 'a', exitCode: 4, completions: 5, parallelism: 5, backoffLimit: 4 });
    await api.create(failing);
    await untilCondition(failing, 'Failed');
    const ended = await kubeAwait(['job/a'], { as: await identity({ rules: podsToo }) }).exit;
    expect(ended.code).toBe(1);
    const one = ['job/a: pod/a-XXXXX on node NODE: Failed', '  container main: exit code 4'];
    const lacking = `job/a: the permission to get pods/log in namespace "${ns}" would show their last log lines`;
    expect(block(ended)).toEqual([...one, lacking, ...one, ...one]);
  });

  test('pods may not be read: told all the same, and which permission would show them', async ({
    ns,
    identity,
    kubeAwait,
    expect,
  }) => {
    await api.create(job({ namespace: ns, name: 'a', exitCode: 1 }));
    const { code, stdout, stderr } = await kubeAwait(['job/a'], { as: await identity({ rules: jobsOnly }) }).exit;
    expect({ code, stdout }).toEqual({ code: 1, stdout: `job/a failed: ${LIMIT}\n` });
    const lacking = `job/a: the permission to list pods in namespace "${ns}" would show which pods failed and why`;
    expect(stderr.trimEnd().split('\n').at(-1)).toBe(lacking);
    expect(stderr).not.toContain('refused');
  });

  test('restartPolicy OnFailure: the instance that failed, and its log', async ({ ns, kubeAwait, expect }) => {
    const failing = { namespace: ns, name: 'a', restartPolicy: 'OnFailure', exitCode: 'ask', backoffLimit: 0 } as const;
    await api.create(job({ ...failing, message: 'no table users', deleteAfter: '1m' }));
    const one = await podOf(ns, 'a');
    await writeLog(one, ['of the next instance'], { previous: ['no table users'] });
    const run = kubeAwait(['job/a']);
    await run.line(/1 active/);
    await endPod(one, 7);
    const ended = await run.exit;
    expect(ended).toMatchObject({ code: 1, stdout: `job/a failed: ${LIMIT}\n` });
    expect(block(ended)).toEqual([
      'job/a: pod/a-XXXXX on node NODE: Running',
      expect.stringMatching(
        /^ {2}container main: exit code 7 after \d+ restarts? \(no table users\), (then started again|now waits: \w+)$/,
      ),
      '  main | no table users',
    ]);
  });

  test('restartPolicy OnFailure: what was seen of the pod, though it is gone', async ({ ns, kubeAwait, expect }) => {
    const failing = { namespace: ns, name: 'a', restartPolicy: 'OnFailure', exitCode: 'ask', backoffLimit: 0 } as const;
    await api.create(job(failing));
    const one = await podOf(ns, 'a');
    const run = kubeAwait(['job/a']);
    await run.line(/1 active/);
    await endPod(one, 7);
    const lines = block(await run.exit);
    expect(lines[0]).toMatch(/^job\/a: pod\/a-XXXXX on node NODE: (Running|Failed)$/);
    // 143 where it was ended by the deletion before anybody had looked: the pretended kubelet keeps no earlier state.
    expect(lines[1]).toMatch(/^ {2}container main: exit code (7|143)/);
  });

  test('that was over before: its pods are gone, and why', async ({ ns, kubeAwait, expect }) => {
    const failing = { namespace: ns, exitCode: 7, backoffLimit: 0 } as const;
    const restarting = job({ ...failing, name: 'a', restartPolicy: 'OnFailure' });
    const slow = job({ ...failing, name: 'b', exitCode: 'ask', spec: { activeDeadlineSeconds: 1 } });
    const said = async (one: TestObject): Promise<string | undefined> => {
      await api.create(one);
      await untilCondition(one, 'Failed');
      const { stderr } = await kubeAwait([`job/${one.metadata.name}`]).exit;
      return stderr.trimEnd().split('\n').at(-1);
    };
    expect(await Promise.all([said(restarting), said(slow)])).toEqual([
      'job/a: its failed pods are gone, and their logs; restartPolicy: Never keeps them',
      'job/b: its failed pods are gone, and their logs: the Job controller deletes what still runs when activeDeadlineSeconds have passed',
    ]);
  });

  test('activeDeadlineSeconds: the pod that still ran, and what it did last', async ({ ns, kubeAwait, expect }) => {
    const spec = { activeDeadlineSeconds: 3 };
    await api.create(job({ namespace: ns, name: 'a', exitCode: 'ask', deleteAfter: '1m', spec }));
    await writeLog(await podOf(ns, 'a'), ['waiting for a lock']);
    const ended = await kubeAwait(['job/a']).exit;
    expect(ended.stdout).toBe('job/a failed: DeadlineExceeded: Job was active longer than specified deadline\n');
    expect(block(ended)).toEqual([
      'job/a: pod/a-XXXXX on node NODE: Running',
      '  container main runs',
      '  main | waiting for a lock',
    ]);
  });

  test('with --logs=0 is told alone', async ({ ns, kubeAwait, expect }) => {
    await api.create(job({ namespace: ns, name: 'a', exitCode: 4 }));
    const { stderr } = await kubeAwait(['job/a', '--logs=0']).exit;
    expect(stderr).not.toContain('container main');
  });
});

describe.concurrent('a failed pod', () => {
  test.for<[string, object, string]>([
    ['Evicted', { reason: 'Evicted', message: 'The node was low on resource: memory.' }, 'Evicted: The node was low'],
    ['DeadlineExceeded', { reason: 'DeadlineExceeded' }, 'DeadlineExceeded'],
  ])('%s', async ([, status, said], { ns, kubeAwait, expect }) => {
    const made = pod({ namespace: ns, name: 'p', start: 'never', exitCode: 'ask' });
    await api.create(made);
    await api.patchStatus(made, { phase: 'Failed', ...status });
    const ended = await kubeAwait(['pod/p']).exit;
    expect(ended.stdout).toMatch(new RegExp(`^pod/p failed: Failed, ${said}`));
    expect(block(ended)).toEqual([expect.stringMatching(new RegExp(`^pod/p( on node NODE)?: Failed, ${said}`))]);
  });

  test('that a Job owns: the hint is to wait for the Job', async ({ ns, kubeAwait, expect }) => {
    const failing = job({ namespace: ns, name: 'a', exitCode: 4 });
    await api.create(failing);
    await untilCondition(failing, 'Failed');
    const { name } = (await podOf(ns, 'a')).metadata;
    const { code, stderr } = await kubeAwait([`pod/${name}`]).exit;
    expect(code).toBe(1);
    const hint = `hint: pod/${name}: it is one try of job/a, which may try again: wait for the Job instead`;
    expect(stderr.split('\n')).toContain(hint);
  });
});

describe.concurrent('what is stuck', () => {
  test('an image that cannot be pulled: the message and the latest warnings', async ({ ns, kubeAwait, expect }) => {
    const made = await api.create(pod({ namespace: ns, name: 'p', waiting: 'ImagePullBackOff' }));
    await warn(made, 'Failed', 'Failed to pull image "pretended": no such host');
    const ended = await kubeAwait(['pod/p', '--stuck-after=1s']).exit;
    expect(ended.code).toBe(1);
    expect(ended.stdout).toMatch(/^pod\/p failed: pod\/p container main is stuck: ImagePullBackOff: pretended/);
    expect(block(ended)).toEqual([
      'pod/p on node NODE: Pending',
      '  container main waits: ImagePullBackOff: pretended: pretended',
      '  warning: Failed: Failed to pull image "pretended": no such host',
    ]);
  });

  test('a container in CrashLoopBackOff: how its last instance ended, and the log of that one', async ({
    ns,
    identity,
    kubeAwait,
    expect,
  }) => {
    const made = pod({ namespace: ns, name: 'p', exitCode: 3, restartPolicy: 'OnFailure', backOff: '1h' });
    await api.create(made);
    await writeLog(made, ['of the one that is to come'], { previous: ['no table users'] });
    const who = await identity();
    const ended = await kubeAwait(['pod/p', '--stuck-after=1s'], { as: who }).exit;
    expect(ended.code).toBe(1);
    expect(block(ended)).toEqual([
      'pod/p on node NODE: Running',
      '  container main: exit code 3, now waits: CrashLoopBackOff',
      '  main | no table users',
    ]);
    const [asked] = auditOf(who.user).filter(({ subresource }) => subresource === 'log');
    expect(asked?.query).toEqual({ container: 'main', tailLines: '20', previous: 'true' });
  });
});

describe.concurrent('what is pending when the timeout passes', () => {
  test('a pod for which there is no node', async ({ ns, kubeAwait, expect }) => {
    await api.create(pod({ namespace: ns, name: 'p', spec: { nodeSelector: { disk: 'ssd' } } }));
    const ended = await untilAnswered(() => kubeAwait(['pod/p', '--timeout=3s']));
    expect(ended).toMatchObject({
      code: 124,
      stdout: expect.stringMatching(/^pod\/p not reached after 3s: Pending, Unsch/),
    });
    // The scheduler's own warning says the same, so it is not repeated.
    expect(block(ended).at(-1)).toMatch(/^pod\/p: Pending, Unschedulable: 0\/\d+ nodes are available: /);
  });

  test('pods that a volume keeps from starting: of a Job, of a Service', async ({ ns, kubeAwait, expect }) => {
    const message = 'MountVolume.SetUp failed for volume "tls" : secret "tls" not found';
    await api.create(job({ namespace: ns, name: 'a', waiting: 'ContainerCreating', labels: { app: 'x' } }));
    const ports = [{ port: 80 }];
    const spec = { selector: { app: 'x' }, ports };
    await api.create({ apiVersion: 'v1', kind: 'Service', metadata: { name: 's', namespace: ns }, spec } as TestObject);
    await warn(await podOf(ns, 'a'), 'FailedMount', message);
    const targets = ['job/a', 'service/s'];
    const ended = await Promise.all(targets.map((target) => untilAnswered(() => kubeAwait([target, '--timeout=3s']))));
    expect(ended.map(({ code }) => code)).toEqual([124, 124]);
    expect(ended.map(block)).toEqual(
      targets.map((target) => [`${target}: pod/a-XXXXX on node NODE: Pending`, `  warning: FailedMount: ${message}`]),
    );
  });

  test('a pod that is not ready: the probe that says so', async ({ ns, kubeAwait, expect }) => {
    const made = pod({ namespace: ns, name: 'p', ready: 'never' });
    const { metadata } = await api.create(made);
    await api.until(made, (found) => found?.status.phase === 'Running');
    await warn({ metadata }, 'Unhealthy', 'Readiness probe failed: 503');
    const ended = await untilAnswered(() => kubeAwait(['pod/p', '--timeout=3s']));
    expect(ended.code).toBe(124);
    expect(block(ended)).toEqual([
      'pod/p on node NODE: Running, ContainersNotReady',
      '  warning: Unhealthy: Readiness probe failed: 503',
    ]);
  });

  test('a suspended Job: the hint with the heartbeat', async ({ ns, kubeAwait, expect }) => {
    await api.create(job({ namespace: ns, name: 'a', spec: { suspend: true } }));
    const { text } = await kubeAwait(['job/a', '--heartbeat=1s']).line(/^hint: /);
    expect(text).toBe('hint: job/a: it is suspended: nothing runs until spec.suspend is false');
  });

  test('a missing Job: a TTL, a hook that waits for this pod, the namespace', async ({ ns, kubeAwait, expect }) => {
    const { text } = await kubeAwait(['job/a', '--heartbeat=1s']).line(/^hint: /);
    for (const part of ['ttlSecondsAfterFinished', 'helm --wait a post-install hook waits for this very pod', ns]) {
      expect(text).toContain(part);
    }
  });
});

describe.concurrent('the termination log', () => {
  const logOf = (ns: string): string => join(cluster().coordinates.dir, `termination-${ns}`);

  test('one line: the verdict, and how the pod ended; no log line', async ({ ns, kubeAwait, expect }) => {
    await api.create(job({ namespace: ns, name: 'migrate', exitCode: 'ask', message: 'from the log, maybe' }));
    const one = await podOf(ns, 'migrate');
    await writeLog(one, ['secret']);
    const run = kubeAwait(['job/migrate', 'job/none', '--termination-log', logOf(ns)]);
    await run.line(/1 active/);
    await endPod(one, 3);
    expect((await run.exit).stderr).toContain('secret');
    const { name } = one.metadata;
    expect(readFileSync(logOf(ns), 'utf8')).toBe(
      `job/migrate failed: ${LIMIT}, pod/${name} container main: exit code 3`,
    );
  });

  test('says verdict and reason in its first 256 bytes, however long the target is', async ({
    ns,
    kubeAwait,
    expect,
  }) => {
    const long = Array.from({ length: 20 }, (_, at) => `label-number-${at}!=value`).join(',');
    const made = pod({ namespace: ns, name: 'p', exitCode: 5, message: 'x'.repeat(3000) });
    await api.create(made);
    expect((await kubeAwait(['pod', '-l', long, '--termination-log', logOf(ns)]).exit).code).toBe(1);
    const log = readFileSync(logOf(ns), 'utf8');
    expect(log.slice(0, 256)).toMatch(
      /^pod -l label-number-0!=value,.*… failed: 0\/1 done, pod\/p Failed, container main: exit code 5/,
    );
    expect(Buffer.byteLength(log)).toBe(1024);
  });

  test('the timeout: what is lacking, and of how many more', async ({ ns, kubeAwait, expect }) => {
    const args = ['job', 'a', 'b', 'c', '--timeout=0', '--termination-log', logOf(ns)];
    expect((await kubeAwait(args).exit).code).toBe(124);
    expect(readFileSync(logOf(ns), 'utf8')).toBe('job/a not reached: does not exist yet; and 2 more');
  });

  test('is empty before COMMAND', async ({ ns, bare, expect }) => {
    const args = ['namespace/default', '--termination-log', logOf(ns), '--', 'wc', '-c', logOf(ns)];
    writeFileSync(logOf(ns), 'of an earlier try');
    const { stdout } = await bare(args).exit;
    expect(stdout).toContain(`0 ${logOf(ns)}\n`);
  });
});
