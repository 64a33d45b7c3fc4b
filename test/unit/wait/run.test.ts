/** What a run asks for, tells and ends with, where the API server and the clock are played by hand. */
import { describe, expect, onTestFinished, test } from 'vitest';
import { notServed, type Problem } from '../../../src/kube/problem.ts';
import type { ApiResource } from '../../../src/kube/resource.ts';
import type { RunEvent } from '../../../src/wait/events.ts';
import type { Plan, Target } from '../../../src/wait/plan.ts';
import { run } from '../../../src/wait/run.ts';
import type { Ending, State } from '../../../src/wait/state.ts';
import { listOf, SleepingClock, StandIn, settle } from '../kube/stand-in.ts';
import { JOBS, named, PODS, resource, selected } from '../objects.ts';

const RESET: Problem = { kind: 'unreachable', message: 'read ECONNRESET', code: 'ECONNRESET' };
const SLICES = 'endpointslices';

const job = (name: string, condition?: string): object => ({
  metadata: { name, namespace: 'app', uid: `uid-${name}`, resourceVersion: '9' },
  status: { conditions: condition === undefined ? [] : [{ type: condition, status: 'True' }] },
});

interface Given extends Partial<Plan> {
  readonly targets: readonly Target[];
  readonly explain?: () => Promise<void>;
  readonly resolve?: (asked: ApiResource) => Promise<ApiResource | undefined>;
  /** Told each event, with what ends the run from outside. */
  readonly hears?: (event: RunEvent, end: AbortController) => void;
  readonly ended?: boolean;
}

async function started({ explain, resolve, hears, ended, ...plan }: Given) {
  const server = new StandIn();
  const clock = new SleepingClock();
  // A run does not begin with the process.
  clock.pass(1_000);
  const end = new AbortController();
  if (ended) end.abort(new Error('ended from outside'));
  const events: RunEvent[] = [];
  const order: string[] = [];
  const explained: { readonly state: State; readonly ending: string }[] = [];
  let outcome: Ending | Error | undefined;
  const over = run(
    {
      timeoutMs: 600_000,
      onRefused: 'fail',
      heartbeatMs: 0,
      requestTimeoutMs: 30_000,
      self: undefined,
      explains: 'nothing',
      jsonPaths: new Map(),
      ...plan,
    },
    {
      transport: server,
      clock,
      random: () => 0,
      tell: (event) => {
        events.push(event);
        order.push(event.event);
        hears?.(event, end);
      },
      signal: end.signal,
      decided: () => void order.push('decided'),
      explain: async (state, ending) => {
        explained.push({ state, ending });
        order.push('explain');
        await explain?.();
      },
      resolve: resolve ?? (async () => undefined),
    },
  ).then(
    (ending) => {
      outcome = ending;
    },
    (error: Error) => {
      outcome = error;
    },
  );
  onTestFinished(async () => {
    end.abort();
    await over;
  });
  await settle();
  return {
    server,
    clock,
    end,
    order,
    explained,
    outcome: () => outcome,
    /** What was told since this was asked last. */
    told: () => events.splice(0),
    passes: async (ms: number) => {
      clock.pass(ms);
      await settle();
    },
  };
}

const MIGRATE = named(JOBS, 'migrate');
const SEED = named(JOBS, 'seed');

test('a Job that is done: the run is over, and nothing goes on', async () => {
  const { server, order, outcome, told, clock } = await started({ targets: [MIGRATE] });
  expect(server.last()).toMatchObject({
    path: '/apis/batch/v1/namespaces/app/jobs',
    query: { fieldSelector: 'metadata.name=migrate' },
    request: { timeoutMs: 30_000 },
  });
  await server.last().answers(listOf([job('migrate')]));
  const [changed] = told();
  expect(changed).toMatchObject({ event: 'changed', target: { target: MIGRATE, status: { state: 'pending' } } });
  await server.last().opens();
  clock.pass(1_500);
  const watch = server.last();
  await watch.sends({
    type: 'MODIFIED',
    object: {
      ...job('migrate', 'Complete'),
      metadata: { ...(job('migrate') as { metadata: object }).metadata, resourceVersion: '11' },
    },
  });
  expect(outcome()).toEqual({ kind: 'reached' });
  expect(order).toEqual(['changed', 'decided', 'done']);
  expect(told()).toMatchObject([
    {
      event: 'done',
      ending: { kind: 'reached' },
      elapsedMs: 1_500,
      state: { targets: [{ status: { state: 'reached' } }] },
    },
  ]);
  // It costs nobody's start anything: the process may be gone by then.
  clock.pass(0);
  await settle();
  expect(watch.destroyed).toBe(true);
  expect(clock.pending).toBe(0);
});

describe('what explains an ending', () => {
  test('is asked for after the ending is decided and before it is told', async () => {
    const found = Promise.withResolvers<void>();
    const { server, order, outcome, explained, told, passes } = await started({
      targets: [MIGRATE],
      explain: () => found.promise,
    });
    await server.last().answers(listOf([job('migrate', 'Failed')]));
    expect(order).toEqual(['decided', 'explain']);
    expect(explained).toMatchObject([{ ending: 'failed', state: { ending: { kind: 'failed' } } }]);
    expect(outcome()).toBeUndefined();
    await passes(2_000);
    found.resolve();
    await settle();
    expect(outcome()).toEqual({ kind: 'failed' });
    // The time is that of the verdict.
    expect(told()).toMatchObject([{ event: 'done', elapsedMs: 0 }]);
  });

  test('is asked for at the timeout, too', async () => {
    const { server, explained, outcome, passes, told } = await started({ targets: [MIGRATE], timeoutMs: 5_000 });
    await server.last().answers(listOf([job('migrate')]));
    told();
    await passes(4_999);
    expect(outcome()).toBeUndefined();
    await passes(1);
    expect(explained).toMatchObject([{ ending: 'timeout' }]);
    expect(outcome()).toEqual({ kind: 'timeout' });
    expect(told()).toMatchObject([{ event: 'done', elapsedMs: 5_000 }]);
  });

  test('is not asked for where one look was all', async () => {
    const { server, explained, outcome } = await started({ targets: [MIGRATE], timeoutMs: 0 });
    await server.last().answers(listOf([job('migrate')]));
    expect([outcome(), explained]).toEqual([{ kind: 'timeout' }, []]);
  });

  test('is asked for where one look sees a failure', async () => {
    const { server, explained } = await started({ targets: [MIGRATE], timeoutMs: 0 });
    await server.last().answers(listOf([job('migrate', 'Failed')]));
    expect(explained).toHaveLength(1);
  });

  test('that cannot be told is a bug', async () => {
    const explain = async (): Promise<void> => {
      throw new TypeError('a bug');
    };
    const { server, outcome } = await started({ targets: [MIGRATE], explain });
    await server.last().answers(listOf([job('migrate', 'Failed')]));
    expect(outcome()).toEqual(new TypeError('a bug'));
  });
});

test('a timer that is late does not make the timeout longer', async () => {
  const { server, clock, told } = await started({ targets: [MIGRATE], timeoutMs: 5_000 });
  const { alarm } = clock;
  clock.alarm = (ms, onDue) => alarm.call(clock, ms + 300, onDue);
  await server.last().answers(listOf([]));
  clock.pass(5_300);
  await settle();
  expect(told().at(-1)).toMatchObject({ event: 'done', elapsedMs: 5_000 });
});

test('each change of a target is told once, and no other target with it', async () => {
  const { server, told } = await started({ targets: [MIGRATE, SEED] });
  const [migrate, seed] = server.exchanges;
  await migrate?.answers(listOf([job('migrate')]));
  expect(told()).toMatchObject([{ event: 'changed', target: { target: MIGRATE } }]);
  const [watch] = server.exchanges.slice(2);
  await watch?.opens();
  await watch?.sends({
    type: 'MODIFIED',
    object: {
      ...job('migrate'),
      metadata: { name: 'migrate', namespace: 'app', uid: 'uid-migrate', resourceVersion: '11' },
    },
  });
  expect(told()).toEqual([]);
  await seed?.answers(listOf([]));
  expect(told()).toMatchObject([{ event: 'changed', target: { target: SEED } }]);
});

test('a pod that its controller replaces is named once', async () => {
  const { server, told } = await started({ targets: [selected(PODS)] });
  const web = (name: string, phase: string): object => ({
    metadata: {
      name,
      namespace: 'app',
      uid: name,
      resourceVersion: '11',
      ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: 'r', controller: true }],
    },
    spec: { restartPolicy: 'Always' },
    status: { phase },
  });
  await server.last().answers(listOf([web('a', 'Failed'), web('b', 'Pending')]));
  expect(told()).toMatchObject([{ event: 'changed', replaced: ['pod/a'] }]);
  await server.last().opens();
  await server.last().sends({ type: 'MODIFIED', object: web('b', 'Running') });
  expect(told()).toMatchObject([{ event: 'changed', replaced: [] }]);
  await server.last().sends({ type: 'MODIFIED', object: web('b', 'Succeeded') });
  expect(told()).toMatchObject([{ event: 'changed', replaced: ['pod/b'] }]);
});

describe('collections', () => {
  const pod = {
    metadata: {
      name: 'x',
      namespace: 'app',
      uid: 'p',
      resourceVersion: '9',
      ownerReferences: [{ apiVersion: 'batch/v1', kind: 'Job', name: 'migrate', uid: 'uid-migrate', controller: true }],
    },
  };

  test('are asked for once they are wanted, and given up once they are not', async () => {
    const { server } = await started({ targets: [selected(PODS), SEED] });
    expect(server.exchanges.map(({ path }) => path)).toEqual([
      '/api/v1/namespaces/app/pods',
      '/apis/batch/v1/namespaces/app/jobs',
    ]);
    const [pods] = server.exchanges;
    await pods?.answers(listOf([pod]));
    const owner = server.last('/jobs');
    expect(owner.query).toEqual({ fieldSelector: 'metadata.name=migrate' });
    await owner.answers(listOf([job('migrate', 'Complete')]));
    const watches = server.exchanges.filter(({ query }) => query.watch === '1');
    expect(watches).toHaveLength(2);
    expect(watches.map(({ request }) => request.signal.aborted)).toEqual([false, false]);
    await watches[0]?.opens();
    // Without the pod nobody needs its Job any more.
    await watches[0]?.sends({
      type: 'MODIFIED',
      object: {
        metadata: { ...pod.metadata, resourceVersion: '11', ownerReferences: [] },
        spec: { restartPolicy: 'Never' },
      },
    });
    expect(watches.map(({ request }) => request.signal.aborted)).toEqual([false, true]);
    expect(server.exchanges.filter(({ query }) => query.watch === '1')).toHaveLength(2);
  });

  test('for which two targets ask are read once', async () => {
    const again = { ...MIGRATE, label: 'job/migrate again', goals: [{ for: 'finished' }] } as const;
    const { server } = await started({ targets: [MIGRATE, again] });
    expect(server.exchanges).toHaveLength(1);
  });
});

describe('the end from outside', () => {
  test('comes through at once', async () => {
    const { server, end, outcome, order, clock } = await started({ targets: [MIGRATE], heartbeatMs: 1_000 });
    const exchange = server.last();
    end.abort(new Error('SIGTERM'));
    await settle();
    expect(outcome()).toEqual(new Error('SIGTERM'));
    expect(exchange.request.signal.aborted).toBe(true);
    expect(order).toEqual([]);
    expect(clock.pending).toBe(0);
  });

  test('before the beginning', async () => {
    const { server, outcome, clock } = await started({ targets: [MIGRATE], heartbeatMs: 1_000, ended: true });
    expect(outcome()).toEqual(new Error('ended from outside'));
    expect(server.exchanges).toEqual([]);
    expect(clock.pending).toBe(0);
  });

  test('is too late once the ending is decided', async () => {
    const found = Promise.withResolvers<void>();
    const { server, end, outcome } = await started({ targets: [MIGRATE], explain: () => found.promise });
    await server.last().answers(listOf([job('migrate', 'Failed')]));
    end.abort(new Error('SIGTERM'));
    found.resolve();
    await settle();
    expect(outcome()).toEqual({ kind: 'failed' });
  });

  test('may come from whoever is told', async () => {
    const { server, outcome, clock } = await started({
      targets: [selected(PODS), MIGRATE],
      heartbeatMs: 1_000,
      hears: (_, end) => end.abort(new Error('a closed pipe')),
    });
    const owned = { apiVersion: 'batch/v1', kind: 'Job', name: 'other', uid: 'j', controller: true };
    await server.exchanges[0]?.answers(
      listOf([{ metadata: { name: 'x', namespace: 'app', uid: 'p', ownerReferences: [owned] } }]),
    );
    expect(outcome()).toEqual(new Error('a closed pipe'));
    expect(server.exchanges).toHaveLength(2);
    expect(clock.pending).toBe(0);
  });

  test('may come from whoever is told by a heartbeat', async () => {
    const { outcome, clock, passes } = await started({
      targets: [MIGRATE],
      heartbeatMs: 1_000,
      hears: (_, end) => end.abort(new Error('a closed pipe')),
    });
    await passes(1_000);
    expect(outcome()).toEqual(new Error('a closed pipe'));
    expect(clock.pending).toBe(0);
  });
});

describe('a heartbeat', () => {
  test('says how much time has passed and how much is left', async () => {
    const { told, passes, clock } = await started({ targets: [MIGRATE], heartbeatMs: 1_000, timeoutMs: 10_000 });
    await passes(999);
    expect(told()).toEqual([]);
    await passes(1);
    expect(told()).toMatchObject([
      { event: 'heartbeat', elapsedMs: 1_000, leftMs: 9_000, state: { startedAt: 1_000 } },
    ]);
    await passes(1_000);
    expect(told()).toMatchObject([{ event: 'heartbeat', elapsedMs: 2_000, leftMs: 8_000 }]);
    await passes(8_000);
    expect(clock.pending).toBe(0);
  });

  test('is none where none is wanted', async () => {
    const { told, passes } = await started({ targets: [MIGRATE] });
    await passes(60_000);
    expect(told()).toEqual([]);
  });
});

describe('trouble', () => {
  const sayings = (events: readonly RunEvent[]) =>
    events.filter(({ event }) => event === 'trouble' || event === 'recovered' || event === 'fallback');

  test('is told once until it is over', async () => {
    const { server, told, passes } = await started({ targets: [MIGRATE] });
    await server.last().fails(RESET);
    expect(sayings(told())).toMatchObject([
      { event: 'trouble', verb: 'list', problem: RESET, want: { need: 'required' } },
    ]);
    await passes(200);
    await server.last().fails(RESET);
    expect(told()).toEqual([]);
    await passes(400);
    await server.last().answers(listOf([]));
    expect(sayings(told())).toMatchObject([{ event: 'recovered', want: { need: 'required' } }]);
    await server.last().opens();
    expect(sayings(told())).toEqual([]);
  });

  test.each<[string, Problem, Problem, number]>([
    [
      'the same status in other words',
      { kind: 'status', status: 500, reason: 'a', message: 'a' },
      { kind: 'status', status: 500, reason: 'b', message: 'b' },
      1,
    ],
    [
      'another status',
      { kind: 'status', status: 500, reason: 'a', message: 'a' },
      { kind: 'status', status: 503, reason: 'a', message: 'a' },
      2,
    ],
    ['another message', RESET, { ...RESET, message: 'other' }, 2],
    ['another code', RESET, { ...RESET, code: 'OTHER' }, 1],
    ['another kind', { kind: 'interrupted', message: 'm' }, { kind: 'unreachable', message: 'm' }, 2],
    [
      'a status after an outage',
      { kind: 'unreachable', message: 'm' },
      { kind: 'status', status: 500, reason: 'a', message: 'm' },
      2,
    ],
  ])('%s: told %o, %o: %i times', async (_, first, second, times) => {
    const { server, told, passes } = await started({ targets: [MIGRATE] });
    await server.last().fails(first);
    await passes(1_000);
    await server.last().fails(second);
    expect(sayings(told())).toHaveLength(times);
  });

  test('is not told where it ends the run', async () => {
    const { server, order, outcome } = await started({ targets: [MIGRATE], timeoutMs: 0 });
    await server.last().refuses(403, { reason: 'Forbidden', message: 'no' });
    await server.last().refuses(403, { reason: 'Forbidden', message: 'no' });
    expect(outcome()).toMatchObject({ kind: 'refused', verb: 'list' });
    expect(order).toEqual(['decided', 'done']);
  });

  test('of a watch that is cut is its ordinary life', async () => {
    const { server, told, passes } = await started({ targets: [MIGRATE] });
    await server.last().answers(listOf([]));
    await server.last().opens();
    told();
    await passes(1_000);
    await server.last().fails({ kind: 'interrupted', message: 'cut' });
    await passes(200);
    await server.last().opens();
    expect(sayings(told())).toEqual([]);
    await server.last().fails(RESET);
    expect(sayings(told())).toMatchObject([{ event: 'trouble', verb: 'watch' }]);
  });

  test('of a list that is cut is told', async () => {
    const { server, told } = await started({ targets: [MIGRATE] });
    await server.last().fails({ kind: 'interrupted', message: 'cut' });
    expect(sayings(told())).toMatchObject([{ event: 'trouble', verb: 'list' }]);
  });

  test('of what only explains is told, but not that it is refused', async () => {
    const service = {
      metadata: { name: 'db', namespace: 'app', uid: 's', resourceVersion: '9' },
      spec: { selector: { a: 'b' } },
    };
    const { server, told, passes } = await started({ targets: [named(resource('', 'services', 'Service'), 'db')] });
    await server.last().answers(listOf([service]));
    told();
    await server.last(SLICES).refuses(403, { reason: 'Forbidden', message: 'no' });
    expect(sayings(told())).toEqual([]);
    await passes(1_000);
    await server.last(SLICES).refuses(500, { reason: 'InternalError', message: 'no' });
    expect(sayings(told())).toMatchObject([{ event: 'trouble', want: { need: 'optional' } }]);
  });

  test('of a permission that is needed is told', async () => {
    const { server, told } = await started({ targets: [MIGRATE] });
    for (const status of [403, 403]) await server.last().refuses(status, { reason: 'Forbidden', message: 'no' });
    expect(sayings(told())).toMatchObject([{ event: 'trouble', verb: 'list', problem: { status: 403 } }]);
  });

  test('of a permission that is lacking in two namespaces is told for each', async () => {
    const elsewhere = named(JOBS, 'migrate', { label: 'other/job/migrate', namespace: 'other' });
    const { server, told } = await started({ targets: [MIGRATE, elsewhere] });
    for (const exchange of [...server.exchanges]) await exchange.refuses(403, { reason: 'Forbidden', message: 'no' });
    for (const exchange of server.exchanges.slice(2)) await exchange.answers(job('migrate'));
    expect(sayings(told())).toMatchObject([
      { event: 'fallback', want: { spec: { namespace: 'app' } } },
      { event: 'fallback', want: { spec: { namespace: 'other' } } },
    ]);
  });

  test('of a permission that is lacking is told once, with what is done instead', async () => {
    const { server, told } = await started({
      targets: [MIGRATE, SEED, { ...MIGRATE, label: 'again', goals: [{ for: 'create' }] }],
    });
    for (const exchange of [...server.exchanges]) await exchange.refuses(403, { reason: 'Forbidden', message: 'no' });
    const gets = server.exchanges.slice(3);
    expect(gets).toHaveLength(3);
    for (const exchange of gets) await exchange.answers(job(exchange.path.split('/').at(-1) ?? ''));
    const fallbacks = sayings(told());
    expect(fallbacks).toMatchObject([
      { event: 'fallback', to: 'get', want: { spec: { name: 'migrate' } }, problem: { status: 403 } },
      { event: 'fallback', to: 'get', want: { spec: { name: 'seed' } } },
    ]);
    expect(fallbacks).toHaveLength(2);
    await server.exchanges[6]?.refuses(403, { reason: 'Forbidden', message: 'no' });
    expect(sayings(told())).toMatchObject([{ event: 'fallback', to: 'poll' }]);
  });
});

describe('a kind that the API server does not serve', () => {
  const custom: ApiResource = { ...resource('example.com', 'widgets', 'Widget'), origin: 'custom' };
  const unknown: ApiResource = { ...resource('', 'widgets', 'Widget'), origin: 'custom', version: '' };

  test('is a usage error where it is built in', async () => {
    const { server, outcome, clock, order } = await started({ targets: [MIGRATE], heartbeatMs: 1_000 });
    await server.last().refuses(404);
    expect(outcome()).toEqual({ kind: 'usage', target: MIGRATE, problem: notServed(JOBS) });
    expect(order).toEqual(['decided', 'done']);
    expect(clock.pending).toBe(0);
  });

  test('is a usage error where it has no group', async () => {
    const { outcome } = await started({ targets: [named(unknown, 'x')] });
    expect(outcome()).toMatchObject({ kind: 'usage', problem: { reason: 'NotServed' } });
  });

  test('is awaited where a definition may add it', async () => {
    const { server, outcome, passes } = await started({ targets: [named(custom, 'x')] });
    await server.last().refuses(404);
    await passes(200);
    expect(outcome()).toBeUndefined();
  });

  test('is awaited where it was served before', async () => {
    const { server, outcome, passes } = await started({ targets: [MIGRATE] });
    await server.last().answers(listOf([]));
    await server.last().refuses(404);
    await passes(200);
    expect(outcome()).toBeUndefined();
  });

  test('is done without where it is optional', async () => {
    const service = {
      metadata: { name: 'db', namespace: 'app', uid: 's', resourceVersion: '9' },
      spec: { selector: { a: 'b' } },
    };
    const { server, outcome, passes } = await started({ targets: [named(resource('', 'services', 'Service'), 'db')] });
    await server.last().answers(listOf([service]));
    await server.last(SLICES).refuses(404);
    await passes(200);
    expect(outcome()).toBeUndefined();
  });

  test('is looked up as it was asked for', async () => {
    const asked: ApiResource[] = [];
    const resolve = async (one: ApiResource) => {
      asked.push(one);
      return { ...custom, version: 'v2' };
    };
    const { server } = await started({ targets: [named({ ...custom, version: '' }, 'x')], resolve });
    expect(asked).toMatchObject([{ version: '', name: 'widgets' }]);
    expect(server.last().path).toBe('/apis/example.com/v2/namespaces/app/widgets');
  });
});

describe('a lost watch event', () => {
  test.each([
    [600_000, 599_000],
    [5_000, 4_000],
    [2_000, 1_000],
    [1_000, 500],
  ])('is found by a LIST before the timeout of %i ms, after %i ms', async (timeoutMs, at) => {
    const { server, outcome, passes } = await started({ targets: [MIGRATE], timeoutMs });
    await server.last().answers(listOf([job('migrate')]));
    await server.last().opens();
    await passes(at - 1);
    expect(server.exchanges).toHaveLength(2);
    await passes(1);
    expect(server.last().query).toEqual({ fieldSelector: 'metadata.name=migrate' });
    await server.last().answers(listOf([job('migrate', 'Complete')]));
    expect(outcome()).toEqual({ kind: 'reached' });
  });

  test.each([0, Number.POSITIVE_INFINITY])('with a timeout of %s nothing is read once more', async (timeoutMs) => {
    const { server, clock } = await started({ targets: [MIGRATE, SEED], timeoutMs });
    await server.exchanges[0]?.answers(listOf([job('migrate')]));
    await server.last('jobs').opens();
    clock.pass(10_000_000);
    await settle();
    expect(server.exchanges).toHaveLength(3);
  });
});

describe('a credential plugin that fails', () => {
  const BROKEN: Problem = { kind: 'credentials', message: 'the plugin failed' };

  test('before the API server answered is reported with the ending, not as trouble', async () => {
    const { server, told, outcome, passes } = await started({ targets: [MIGRATE] });
    for (let second = 0; second < 6; second += 1) {
      await server.last().fails(BROKEN);
      await passes(1_000);
    }
    await server.last().fails(BROKEN);
    expect(outcome()).toMatchObject({ kind: 'refused', problem: BROKEN });
    expect(told().map(({ event }) => event)).toEqual(['done']);
  });

  test('is reported as trouble where nothing ends: later, and under --on-refused=wait', async () => {
    const patient = await started({ targets: [MIGRATE], onRefused: 'wait' });
    await patient.server.last().fails(BROKEN);
    expect(patient.told()).toMatchObject([{ event: 'trouble', problem: BROKEN }]);
    const later = await started({ targets: [MIGRATE] });
    await later.server.last().answers(listOf([]));
    later.told();
    await later.server.last().fails(BROKEN);
    expect(later.told()).toMatchObject([{ event: 'trouble', problem: BROKEN }]);
  });
});

describe('a bug', () => {
  test('in what is told ends the run', async () => {
    const hears = (): void => {
      throw new TypeError('a bug');
    };
    const { server, outcome, clock } = await started({ targets: [MIGRATE], hears });
    await server.last().answers(listOf([]));
    expect(outcome()).toEqual(new TypeError('a bug'));
    expect(clock.pending).toBe(0);
  });

  test('in what is told when only time has passed ends the run', async () => {
    const hears = (event: RunEvent): void => {
      if (event.event === 'changed' && event.target.status.state === 'reached') throw new TypeError('a bug');
    };
    const gone = named(JOBS, 'gone', { onMissing: 'succeed' });
    const { server, outcome, passes } = await started({ targets: [gone, SEED], hears });
    await server.exchanges[0]?.answers(listOf([]));
    await passes(9_999);
    expect(outcome()).toBeUndefined();
    await passes(1);
    expect(outcome()).toEqual(new TypeError('a bug'));
  });

  test('in what is asked for ends the run', async () => {
    const { server, outcome } = await started({ targets: [MIGRATE] });
    await server.last().breaks(new TypeError('a bug'));
    expect(outcome()).toEqual(new TypeError('a bug'));
  });

  test('in a judge ends the run, when time alone is what passes', async () => {
    const goals = [{ for: 'jsonpath', expression: '{.a}' }] as const;
    const { server, outcome } = await started({ targets: [named(JOBS, 'migrate', { goals })] });
    await server.last().answers(listOf([job('migrate')]));
    expect(outcome()).toEqual(new Error('the jsonpath {.a} was not read'));
  });
});
