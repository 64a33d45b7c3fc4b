/** `import { waitFor } from 'kube-await'`: the engine of the command, in this very process. */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe } from 'vitest';
import type { WaitError, WaitEvent, WaitOptions } from '../../src/index.ts';
import { api, auditOf, cluster, endPod, job, pod, test } from '../harness/index.ts';
import { readJsonLines } from '../json-lines.ts';

/** The bundle: the sources would load all of the packages of which it has a part. */
const bundle = pathToFileURL(path.join(import.meta.dirname, '..', '..', 'lib', 'index.js')).href;
const {
  WaitFailedError,
  WaitRefusedError,
  WaitTimeoutError,
  WaitUsageError,
  waitFor,
}: typeof import('../../src/index.ts') = await import(bundle);

/** What a promise rejects with. */
const reasonOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    (value) => Promise.reject(new Error(`resolved with ${JSON.stringify(value)}`)),
    (error: unknown) => error,
  );

/** A wait as administrator, with its events. */
function start(targets: Parameters<typeof waitFor>[0], options: WaitOptions) {
  const events: WaitEvent[] = [];
  const onEvent = (event: WaitEvent): void => {
    events.push(event);
    options.onEvent?.(event);
  };
  return { events, outcome: waitFor(targets, { kubeconfig: cluster().kubeconfig, ...options, onEvent }) };
}

/** A listener, and a promise of the first event of that name. */
function whenHeard(name: WaitEvent['event']) {
  const { promise, resolve } = Promise.withResolvers<WaitEvent>();
  return { heard: promise, onEvent: (event: WaitEvent) => void (event.event === name && resolve(event)) };
}

describe.concurrent('waitFor', () => {
  test('resolves with one result for each target, in their order', async ({ ns, expect }) => {
    const made = await api.create(job({ namespace: ns, name: 'migrate' }));
    await api.create(pod({ namespace: ns, name: 'task', labels: { app: 'task' }, runFor: '1ms' }));
    const { outcome, events } = start(['job/migrate', { kind: 'pod', labelSelector: 'app in (task)' }], {
      namespace: ns,
      timeout: '60s',
    });
    const { results, elapsedSeconds } = await outcome;
    expect(results).toMatchObject([
      { target: 'job/migrate', namespace: ns, uid: made.metadata.uid, counts: { succeeded: 1 } },
      { target: 'pod -l app in (task)', namespace: ns, counts: { reached: 1, total: 1 } },
    ]);
    expect(elapsedSeconds).toBeGreaterThan(0);
    readJsonLines(events.map((event) => JSON.stringify(event)).join('\n'));
    expect(events.at(-1)).toMatchObject({ event: 'done', exitCode: 0 });
  });

  test('takes a namespace with the target, and one target alone', async ({ ns, expect }) => {
    await api.create(pod({ namespace: ns, name: 'p', runFor: '1ms' }));
    const target = { kind: 'po', name: 'p', namespace: ns };
    const { results } = await start(target, { timeout: 60_000 }).outcome;
    expect(results).toMatchObject([{ target: `${ns}/pod/p` }]);
  });

  test('rejects when a target has failed, with what is known of it', async ({ ns, expect }) => {
    await api.create(job({ namespace: ns, name: 'good' }));
    await api.create(job({ namespace: ns, name: 'bad', exitCode: 3, message: 'no such table' }));
    await start('job/good', { namespace: ns }).outcome;
    const error = await reasonOf(start(['job/good', 'job/bad'], { namespace: ns, logs: 5 }).outcome);
    if (!(error instanceof WaitFailedError)) throw error;
    expect(error.message).toMatch(/^job\/bad failed: BackoffLimitExceeded: /);
    expect(error).toMatchObject({ name: 'WaitFailedError', kind: 'failed', exitCode: 1 });
    // The other one may not have been looked at yet.
    expect(error.results.filter(({ target }) => target === 'job/bad')).toMatchObject([
      {
        event: 'failed',
        reason: 'BackoffLimitExceeded',
        pods: [{ containers: [{ exitCode: 3, message: 'no such table' }] }],
      },
    ]);
  });

  test('rejects when the timeout has passed, with what is lacking', async ({ ns, expect }) => {
    await api.create(pod({ namespace: ns, name: 'there', runFor: '1ms' }));
    await start('pod/there', { namespace: ns }).outcome;
    const error = await reasonOf(start(['pod/there', 'job/none'], { namespace: ns, timeout: 15_000 }).outcome);
    if (!(error instanceof WaitTimeoutError)) throw error;
    expect(error).toMatchObject({
      kind: 'timeout',
      exitCode: 124,
      message: 'job/none not reached: does not exist yet',
    });
    expect(error.results.map(({ event, target }) => `${event} ${target}`)).toEqual([
      'timeout job/none',
      'reached pod/there',
    ]);
  });

  test('rejects when it is refused, with the rule that is lacking', async ({ ns, identity, expect }) => {
    const nobody = await identity({ rules: [] });
    const { kubeconfig } = nobody;
    const error = await reasonOf(start('job/x', { namespace: ns, kubeconfig, timeout: 0 }).outcome);
    if (!(error instanceof WaitRefusedError)) throw error;
    expect(error).toMatchObject({ kind: 'refused', exitCode: 3 });
    expect(error.refusal).toMatchObject({
      verb: 'list',
      resource: 'jobs',
      identity: nobody.user,
      lacking: [{ namespace: ns, rule: { resources: ['jobs'], resourceNames: ['x'], verbs: ['list', 'watch'] } }],
    });
  });

  test('rejects with the reason of its signal, and leaves no request behind', async ({ ns, identity, expect }) => {
    await api.create(pod({ namespace: ns, name: 'p', exitCode: 'ask' }));
    const me = await identity({});
    const { heard, onEvent } = whenHeard('waiting');
    const controller = new AbortController();
    const { outcome, events } = start('pod/p', {
      namespace: ns,
      kubeconfig: me.kubeconfig,
      signal: controller.signal,
      onEvent,
    });
    await heard;
    const reason = new Error('not needed any more');
    controller.abort(reason);
    expect(await reasonOf(outcome)).toBe(reason);
    const told = events.length;
    await endPod({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', namespace: ns } }, 0);
    await api.until(
      { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', namespace: ns } },
      (found) => found?.status.phase === 'Succeeded',
    );
    expect(events).toHaveLength(told);
    await expect.poll(() => auditOf(me.user).filter(({ state }) => state === 'open'), { timeout: 60_000 }).toEqual([]);
  });

  test('asks nothing where the signal has aborted before', async ({ identity, expect }) => {
    const me = await identity({});
    const signal = AbortSignal.abort(new Error('too late'));
    const { outcome } = start('job/x', { kubeconfig: me.kubeconfig, signal });
    expect(await reasonOf(outcome)).toMatchObject({ message: 'too late' });
    expect(auditOf(me.user)).toEqual([]);
  });

  test('a listener that throws ends it, and one that aborts too', async ({ ns, expect }) => {
    const thrown = new Error('of the listener');
    const onEvent = (): never => {
      throw thrown;
    };
    expect(await reasonOf(start('job/none', { namespace: ns, onEvent }).outcome)).toBe(thrown);
    const controller = new AbortController();
    const abort = (): void => controller.abort(thrown);
    const { outcome } = start('job/none', { namespace: ns, signal: controller.signal, onEvent: abort });
    expect(await reasonOf(outcome)).toBe(thrown);
  });

  test('a heartbeat tells what is awaited', async ({ ns, expect }) => {
    const { heard, onEvent } = whenHeard('heartbeat');
    const controller = new AbortController();
    const { signal } = controller;
    const { outcome } = start('job/none', {
      namespace: ns,
      heartbeat: 50,
      timeout: Number.POSITIVE_INFINITY,
      signal,
      onEvent,
    });
    const beat = await heard;
    controller.abort();
    expect(beat).not.toHaveProperty('leftSeconds');
    expect(beat).toMatchObject({ awaited: [{ target: 'job/none' }] });
    expect(await reasonOf(outcome)).toMatchObject({ name: 'AbortError' });
  });

  test('what only discovery or the configuration can tell is a usage error too', async ({ expect }) => {
    const errors = await Promise.all([
      reasonOf(start('nonsense/x', {}).outcome),
      reasonOf(start('job/x', { kubeconfig: '/none' }).outcome),
    ]);
    for (const error of errors) expect(error).toBeInstanceOf(WaitUsageError);
    const kinds = errors.map((error) => (error as WaitError).kind);
    expect(kinds).toEqual(['usage', 'usage']);
  });
});
