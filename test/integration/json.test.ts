/** -o json: each kind of ending, and every line as docs/events.schema.json says. */
import { describe } from 'vitest';
import { api, type Ended, endPod, type Identity, type Json, job, pod, test, writeLog } from '../harness/index.ts';
import { type JsonLine, readJsonLines } from '../json-lines.ts';

/** The lines of a run that has ended; nothing may stand on its standard error. */
function linesOf({ stdout, stderr }: Ended): readonly JsonLine[] {
  if (stderr !== '') throw new Error(`standard error: ${stderr}`);
  return readJsonLines(stdout);
}

const eventsOf = (lines: readonly JsonLine[]): readonly string[] => lines.map(({ event }) => event);

/** The pod that a Job has made, once it is there. */
async function podOf(namespace: string, name: string): Promise<Json> {
  let found: Json;
  await api.untilAll(`/api/v1/namespaces/${namespace}/pods?labelSelector=job-name%3D${name}`, (pods) => {
    found = pods.find(({ status }) => status.phase === 'Running');
    return found !== undefined;
  });
  return { ...found, apiVersion: 'v1', kind: 'Pod' };
}

describe.concurrent('-o json', () => {
  test('reached: from waiting to done', async ({ ns, kubeAwait, expect }) => {
    const made = await api.create(job({ namespace: ns, name: 'good', exitCode: 'ask' }));
    const run = kubeAwait(['job/good', '-o', 'json', '--heartbeat', '100ms']);
    await run.line(/"heartbeat".*"uid"/);
    await endPod(await podOf(ns, 'good'), 0);
    const ended = await run.exit;
    const lines = linesOf(ended);
    expect(ended.code).toBe(0);
    const about = { target: 'job/good', namespace: ns, uid: made.metadata.uid };
    expect(lines.find(({ event }) => event === 'waiting')).toMatchObject({ level: 'info', ...about });
    expect(lines.findLast(({ event }) => event === 'heartbeat')).toMatchObject({ awaited: [about] });
    expect(lines.at(-2)).toMatchObject({ event: 'reached', ...about, counts: { succeeded: 1, completions: 1 } });
    expect(lines.at(-1)).toMatchObject({ level: 'info', event: 'done', exitCode: 0 });
    expect(new Set(eventsOf(lines))).toEqual(new Set(['waiting', 'changed', 'heartbeat', 'reached', 'done']));
  });

  test('failed: the reason, the pods and their last words', async ({ ns, kubeAwait, expect }) => {
    await api.create(job({ namespace: ns, name: 'bad', exitCode: 'ask', message: 'it broke' }));
    const failing = await podOf(ns, 'bad');
    await writeLog(failing as never, ['no such table: orders', 'giving \u001b[31mup']);
    const run = kubeAwait(['job/bad', '-o', 'json']);
    await run.line(/"waiting"/);
    await endPod(failing as never, 3);
    const ended = await run.exit;
    const lines = linesOf(ended);
    expect(ended.code).toBe(1);
    expect(eventsOf(lines).slice(-4)).toEqual(['failed', 'log', 'log', 'done']);
    expect(lines.at(-4)).toMatchObject({
      level: 'error',
      target: 'job/bad',
      reason: 'BackoffLimitExceeded',
      message: expect.stringMatching(/^BackoffLimitExceeded: /),
      pods: [
        {
          name: failing.metadata.name,
          phase: 'Failed',
          containers: [{ name: 'main', exitCode: 3, reason: 'Error', message: 'it broke' }],
        },
      ],
    });
    const log = { target: 'job/bad', namespace: ns, pod: failing.metadata.name, container: 'main' };
    expect(lines.at(-3)).toMatchObject({ ...log, message: 'no such table: orders' });
    expect(lines.at(-2)).toMatchObject({ ...log, message: 'giving \\e[31mup' });
    expect(lines.at(-1)).toMatchObject({ level: 'error', exitCode: 1 });
  });

  test('missing: failed as well, without an object', async ({ kubeAwait, expect }) => {
    const args = ['job/none', '-o', 'json', '--on-missing', 'fail', '--missing-grace', '0s'];
    const ended = await kubeAwait(args).exit;
    const lines = linesOf(ended);
    expect(ended.code).toBe(1);
    expect(lines.at(-2)).toMatchObject({ event: 'failed', target: 'job/none', message: 'does not exist' });
    expect(lines.at(-2)).not.toHaveProperty('uid');
  });

  test('timeout: a line for each target that is pending', async ({ ns, kubeAwait, expect }) => {
    await api.create(pod({ namespace: ns, name: 'web' }));
    await api.until({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web', namespace: ns } }, (found) =>
      found?.status.conditions?.some((one: Json) => one.type === 'Ready' && one.status === 'True'),
    );
    const args = ['job/none', 'pod/web', 'pod', '-l', 'app=none', '-o', 'json', '--timeout', '0'];
    const ended = await kubeAwait(args).exit;
    const lines = linesOf(ended);
    expect(ended.code).toBe(124);
    expect(lines.slice(-4).map(({ event, target }) => [event, target])).toEqual([
      ['timeout', 'job/none'],
      ['reached', 'pod/web'],
      ['timeout', 'pod -l app=none'],
      ['done', undefined],
    ]);
    expect(lines.at(-1)).toMatchObject({ level: 'error', exitCode: 124 });
  });

  test('refused: what would mend it', async ({ ns, identity, kubeAwait, expect }) => {
    const nobody: Identity = await identity({ rules: [] });
    const ended = await kubeAwait(['job/good', '-o', 'json', '--timeout', '0'], { as: nobody }).exit;
    const lines = linesOf(ended);
    expect(ended.code).toBe(3);
    expect(eventsOf(lines).slice(-2)).toEqual(['refused', 'done']);
    expect(lines.at(-2)).toMatchObject({
      level: 'error',
      verb: expect.stringMatching(/^(get|list)$/),
      resource: 'jobs',
      apiGroup: 'batch',
      namespace: ns,
      name: 'good',
      identity: nobody.user,
      reason: 'Forbidden',
      lacking: [
        {
          namespace: ns,
          rule: { apiGroups: ['batch'], resources: ['jobs'], resourceNames: ['good'], verbs: ['list', 'watch'] },
        },
      ],
    });
    expect(lines.at(-1)).toMatchObject({ exitCode: 3 });
  });

  test('-q: results only', async ({ ns, kubeAwait, expect }) => {
    await api.create(job({ namespace: ns, name: 'good', exitCode: 'ask' }));
    const run = kubeAwait(['job/good', '-o', 'json', '-q', '--heartbeat', '10ms']);
    await endPod(await podOf(ns, 'good'), 0);
    expect(eventsOf(linesOf(await run.exit))).toEqual(['reached', 'done']);
  });

  test('COMMAND comes after done', async ({ ns, kubeAwait, expect }) => {
    await api.create(job({ namespace: ns, name: 'good' }));
    const command = ['--', '/bin/sh', '-c', 'echo "and now $0"; exit 5', 'this'];
    const { code, stdout } = await kubeAwait(['job/good', '-o', 'json', ...command]).exit;
    const [last, ...before] = stdout.trimEnd().split('\n').reverse();
    const lines = readJsonLines(before.reverse().join('\n'));
    expect(last).toBe('and now this');
    expect(code).toBe(5);
    expect(lines.at(-1)).toMatchObject({ event: 'done', exitCode: 0 });
  });

  test.for([
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const)('%s: done says so', async ([signal, exitCode], { kubeAwait, expect }) => {
    const run = kubeAwait(['job/none', '-o', 'json']);
    await run.line(/"waiting"/);
    run.kill(signal);
    const ended = await run.exit;
    expect(ended.code).toBe(exitCode);
    expect(linesOf(ended).at(-1)).toMatchObject({ event: 'done', exitCode, message: `ended by ${signal}` });
  });

  test('a server that does not answer: warnings, then the timeout', async ({ kubeAwait, expect }) => {
    const args = ['job/none', '-o', 'json', '--server', 'https://127.0.0.1:1', '--timeout', '1s'];
    const ended = await kubeAwait(args).exit;
    const lines = linesOf(ended);
    expect(eventsOf(lines)).toEqual(['changed', 'timeout', 'done']);
    expect(lines[0]).toMatchObject({
      level: 'warn',
      resource: 'jobs',
      message: expect.stringContaining('ECONNREFUSED'),
    });
    expect(lines[1]).toMatchObject({
      target: 'job/none',
      message: expect.stringMatching(/^the API server never answered/),
    });
  });

  test('a usage error is for people', async ({ kubeAwait, expect }) => {
    const { code, stdout, stderr } = await kubeAwait(['-o', 'json', 'job']).exit;
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^kube-await: .+\n$/);
  });
});
