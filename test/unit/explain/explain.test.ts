/** When an explanation begins, and that it ends. */
import { describe, expect, test } from 'vitest';
import { type ExplainDeps, explain } from '../../../src/explain/explain.ts';
import { TransportError } from '../../../src/kube/problem.ts';
import type { Response, Transport, TransportRequest } from '../../../src/kube/transport.ts';
import type { RunEvent } from '../../../src/wait/events.ts';
import { NOTHING_SEEN } from '../../../src/wait/memory.ts';
import type { State } from '../../../src/wait/state.ts';
import { job, object, PODS } from '../objects.ts';
import { failed, HandClock, jobWhy, MIGRATE, pending, stateOf } from '../report/support.ts';

/** Sleeps as long as it is moved. */
class SleepyClock extends HandClock {
  readonly slept: number[] = [];
  override sleep(ms?: number): Promise<void> {
    this.slept.push(ms ?? 0);
    return Promise.resolve();
  }
}

const POD = {
  metadata: { name: 'migrate-x', namespace: 'app', uid: 'u', resourceVersion: '1' },
  spec: { nodeName: 'n' },
  status: {
    phase: 'Failed',
    containerStatuses: [{ name: 'main', restartCount: 0, state: { terminated: { exitCode: 3, reason: 'Error' } } }],
  },
};

type Answer = (request: TransportRequest) => Promise<Partial<Response>>;

const found: Answer = async () => ({ json: async () => ({ items: [POD] }) });
const text =
  (line: string): Answer =>
  async () => ({
    body: (async function* () {
      yield Buffer.from(`${line}\n`);
    })(),
  });
/** Never comes: only the caller's signal ends it. */
const never: Answer = ({ signal }) =>
  new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(new TransportError({ kind: 'unreachable', message: 'aborted' })));
  });

/** Comes to a halt after a line. */
const halting =
  (line: string): Answer =>
  async (request) => ({
    body: (async function* () {
      yield Buffer.from(`${line}\n`);
      await never(request);
    })() as AsyncIterable<Uint8Array>,
  });

function transport(pods: Answer, logs: Answer): Transport & { readonly asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    request: async (request) => {
      asked.push(request.path);
      // Only what an explanation reads of an answer.
      return (await (request.path.includes('/log?') ? logs : pods)(request)) as Response;
    },
    close: () => {},
  };
}

/** A Job that has failed, of whose pods one is known. */
function stateWith(reason: string, restartPolicy: string): State {
  const target = failed(MIGRATE, jobWhy({}, { type: 'Failed', status: 'True', reason, message: undefined }));
  const known = { ...job('migrate', 'Failed'), spec: { selector: { matchLabels: { a: 'b' } }, restartPolicy } };
  const member = { object: known, verdict: { state: 'failed', why: jobWhy() }, presence: 'here' } as const;
  const failedPods = new Map([['u', object(PODS, POD)]]);
  return stateOf([{ ...target, memory: { ...NOTHING_SEEN, members: new Map([['m', member]]), failedPods } }]);
}

function run(state: State, using: Transport, more: Partial<ExplainDeps> = {}, ending: 'failed' | 'timeout' = 'failed') {
  const clock = new SleepyClock();
  const events: RunEvent[] = [];
  const { signal } = new AbortController();
  const deps = { clock, random: () => 0.5, tell: (event: RunEvent) => void events.push(event), logLines: 20, signal };
  const over = explain(state, ending, { transport: using, start: 'spread', ...deps, ...more });
  return { clock, events, over, said: () => events.map((event) => (event.event === 'log' ? event.line : event.event)) };
}

/** Until all that can happen by itself has happened. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('an explanation', () => {
  test.each<[string, string, string, 'at once' | 'spread', 'failed' | 'timeout', readonly number[]]>([
    ['a log that many read: after a random while', 'BackoffLimitExceeded', 'Never', 'spread', 'failed', [1_000]],
    ['a person who waits: at once', 'BackoffLimitExceeded', 'Never', 'at once', 'failed', []],
    ['a pod that is being deleted: at once', 'BackoffLimitExceeded', 'OnFailure', 'spread', 'failed', []],
    ['a Job out of time, whose pods go: at once', 'DeadlineExceeded', 'Never', 'spread', 'failed', []],
  ])('%s', async (_, reason, restartPolicy, start, ending, slept) => {
    const { clock, over, said } = run(
      stateWith(reason, restartPolicy),
      transport(found, text('one')),
      { start },
      ending,
    );
    await over;
    expect(clock.slept).toEqual(slept);
    expect(said()).toEqual(['pod', 'one']);
  });

  test('of a timeout begins at once', async () => {
    const target = { ...pending(MIGRATE, jobWhy()), memory: stateWith('', 'Never').targets[0]?.memory ?? NOTHING_SEEN };
    const { clock, over, said } = run(stateOf([target]), transport(found, text('one')), {}, 'timeout');
    await over;
    expect(clock.slept).toEqual([]);
    expect(said()).toEqual(['pod', 'one']);
  });

  test.each<[string, Answer, Answer, readonly string[]]>([
    ['pods that do not come; one was seen before', never, text('one'), ['pod', 'unexplained']],
    ['a log that does not come', found, never, ['pod', 'unexplained']],
    ['a log that comes to a halt', found, halting('one'), ['pod', 'one', 'unexplained']],
  ])('ends after five seconds, and says so: %s', async (_, pods, logs, expected) => {
    const { clock, over, events, said } = run(stateWith('BackoffLimitExceeded', 'Never'), transport(pods, logs));
    await settled();
    clock.pass(4_999);
    await settled();
    expect(said()).not.toContain('unexplained');
    clock.pass(1);
    await over;
    expect(said()).toEqual(expected);
    expect(events.at(-1)).toMatchObject({ cause: { problem: { message: 'no answer within 5 s' } } });
    expect(clock.pending).toBe(0);
  });

  test('ends with a signal, without a word', async () => {
    const stop = new AbortController();
    const { over, said } = run(stateWith('BackoffLimitExceeded', 'Never'), transport(found, never), {
      signal: stop.signal,
    });
    await settled();
    stop.abort();
    await over;
    expect(said()).toEqual(['pod']);
  });

  test('reads the pods of the Job alone, and so many lines of their logs', async () => {
    const using = transport(found, text('one'));
    await run(stateWith('BackoffLimitExceeded', 'Never'), using, { logLines: 7 }).over;
    expect(using.asked).toEqual([
      '/api/v1/namespaces/app/pods?labelSelector=a%3Db&limit=100',
      '/api/v1/namespaces/app/pods/migrate-x/log?container=main&tailLines=7',
    ]);
  });
});
