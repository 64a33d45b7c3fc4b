/** What a collection asks the API server for, and what it makes of the answers. */
import { describe, expect, onTestFinished, test } from 'vitest';
import type { CollectionSpec, Emission } from '../../../src/kube/collection.ts';
import { follow } from '../../../src/kube/follow.ts';
import { TIMING } from '../../../src/kube/list-watch.ts';
import { notServed, type Problem, TransportError } from '../../../src/kube/problem.ts';
import type { ApiResource } from '../../../src/kube/resource.ts';
import { JOBS } from '../objects.ts';
import { listOf, NAMED, SELECTED, SleepingClock, StandIn, settle } from './stand-in.ts';

const PATH = '/apis/batch/v1/namespaces/app/jobs';
const a = (resourceVersion: string): object => ({ metadata: { name: 'a', uid: 'u', resourceVersion } });
const RESET: Problem = { kind: 'unreachable', message: 'read ECONNRESET', code: 'ECONNRESET' };

interface Given {
  readonly spec?: CollectionSpec;
  readonly random?: number;
  readonly resolve?: (resource: ApiResource) => Promise<ApiResource | undefined>;
}

/** A collection that is followed until the test is over. */
async function followed({ spec = NAMED, random = 0, resolve = async () => undefined }: Given = {}) {
  const server = new StandIn();
  const clock = new SleepingClock();
  const end = new AbortController();
  onTestFinished(() => end.abort());
  const emitted: Emission[] = [];
  /** The problems for which a pause was taken. */
  const paused: (Problem | undefined)[] = [];
  const looked: ApiResource[] = [];
  const backoff = {
    next: (problem: Problem | undefined) => {
      paused.push(problem);
      return 700;
    },
  };
  const deps = {
    transport: server,
    clock,
    backoff,
    signal: end.signal,
    random: () => random,
    requestTimeoutMs: 30_000,
    project: (json: Readonly<Record<string, unknown>>, metadata: CollectionMetadata) => ({
      metadata,
      status: json.status,
    }),
    resolve: (resource: ApiResource) => {
      looked.push(resource);
      return resolve(resource);
    },
  };
  let outcome: 'goes on' | 'is over' | Error = 'goes on';
  const all = async (): Promise<void> => {
    for await (const emission of follow(spec, deps)) emitted.push(emission);
  };
  const over = all().then(
    () => {
      outcome = 'is over';
    },
    (error: Error) => {
      outcome = error;
    },
  );
  await settle();
  return {
    server,
    clock,
    end,
    over,
    paused,
    looked,
    outcome: () => outcome,
    /** What was emitted since this was asked last. */
    told: () => emitted.splice(0),
    passes: async (ms: number) => {
      clock.pass(ms);
      await settle();
    },
  };
}
type CollectionMetadata = Parameters<Parameters<typeof follow>[1]['project']>[1];

const snapshot = (...versions: readonly string[]) => ({
  what: 'snapshot',
  objects: new Map(
    versions.map((version) => [
      'u',
      { metadata: { name: 'a', uid: 'u', resourceVersion: version }, status: undefined },
    ]),
  ),
  departed: [],
});

/** A collection whose watch is open from version 10. */
async function watched(given: Given = {}) {
  const run = await followed(given);
  await run.server.last().answers(listOf([a('9')]));
  await run.server.last().opens();
  run.told();
  return run;
}

describe('what a LIST asks for', () => {
  test.each<[string, CollectionSpec, string, object]>([
    ['one by name', NAMED, PATH, { fieldSelector: 'metadata.name=a' }],
    ['those of a label selector', SELECTED, PATH, { labelSelector: 'x=y', limit: '500' }],
    [
      'those of a field selector',
      { ...SELECTED, labelSelector: undefined, fieldSelector: 'spec.x=y' },
      PATH,
      { fieldSelector: 'spec.x=y', limit: '500' },
    ],
    [
      'one by name and a field',
      { ...NAMED, fieldSelector: 'spec.x=y' },
      PATH,
      { fieldSelector: 'metadata.name=a,spec.x=y' },
    ],
    [
      'all of all namespaces',
      { ...SELECTED, namespace: undefined, labelSelector: undefined },
      '/apis/batch/v1/jobs',
      { limit: '500' },
    ],
  ])('%s', async (_, spec, path, query) => {
    const { server } = await followed({ spec });
    expect(server.last()).toMatchObject({
      path,
      query,
      request: { method: 'GET', accept: 'application/json', timeoutMs: 30_000 },
    });
    expect(Object.keys(server.last().query)).toEqual(Object.keys(query));
  });

  test('the next page by its token', async () => {
    const { server, told } = await followed({ spec: SELECTED });
    await server.last().answers(listOf([a('9')], { resourceVersion: '10', continue: 't' }));
    expect(told()).toEqual([]);
    expect(server.last().query).toEqual({ labelSelector: 'x=y', limit: '500', continue: 't' });
    await server.last().answers(listOf([]));
    expect(told()).toEqual([{ what: 'answered', verb: 'list' }, snapshot('9')]);
  });

  test.each([
    ['a list', 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json'],
    ['a watch', 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json'],
    ['a get', 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json'],
  ])('of metadata no more than that: %s', async (what, accept) => {
    const { server } = await followed({ spec: { ...NAMED, keep: 'metadata' } });
    if (what === 'a watch') await server.last().answers(listOf([]));
    if (what === 'a get') await server.last().refuses(403);
    expect(server.last().request.accept).toBe(accept);
  });
});

describe('an answer to a LIST', () => {
  test.each([
    ['items', { items: [a('9')], metadata: {} }, ['9']],
    ['none, of a list', { kind: 'JobList', items: null, metadata: {} }, []],
    ['an item without a name', { items: [{}, a('9')], metadata: {} }, ['9']],
  ])('with %s', async (_, json, versions) => {
    const { server, told } = await followed();
    await server.last().answers(json);
    expect(told()).toEqual([{ what: 'answered', verb: 'list' }, snapshot(...versions)]);
  });

  test.each([
    ['a Status', { kind: 'Status', status: 'Success' }],
    ['a list of something', { kind: 'Listing' }],
    ['nothing', undefined],
    ['items that are none', { items: {} }],
  ])('that is %s says nothing of what exists', async (_, json) => {
    const { server, told, paused, clock } = await followed();
    await server.last().answers(json);
    const problem = { kind: 'interrupted', message: 'the answer to a LIST has no items', cause: undefined };
    expect(told()).toEqual([{ what: 'problem', verb: 'list', problem }]);
    expect(paused).toEqual([problem]);
    expect(clock.slept).toEqual([700]);
  });

  const list = (...parts: readonly string[]): string => `{"kind":"JobList","metadata":{},${parts.join(',')}}`;
  const item = JSON.stringify(a('9'));

  test.each([
    ['items', list(`"items":[${item}]`), ['9']],
    ['an item without a name', list(`"items":[{},${item}]`), ['9']],
    ['their name written in another way', list(`"it\\u0065ms":[{},${item}]`), ['9']],
    ['a second array of them, which is the one that counts', list('"items":[]', `"items":[${item}]`), ['9']],
    ['a first array of others', list('"items":[{}]', `"items":[${item}]`), ['9']],
    ['none', list('"items":null'), []],
  ])('of a selector with %s', async (_, text, versions) => {
    const { server, told } = await followed({ spec: SELECTED });
    await server.last().says(text);
    expect(told()).toEqual([{ what: 'answered', verb: 'list' }, snapshot(...versions)]);
  });

  test.each([
    ['is cut off', list(`"items":[${item}]`).slice(0, -1)],
    ['holds an item that is no JSON', list('"items":[{]')],
    ['is nothing', ''],
    ['has two arrays of items, each with some', list(`"items":[${item}]`, `"items":[${item}]`)],
  ])('of a selector that %s says nothing of what exists, and nothing of it is said', async (_, text) => {
    const { server, told } = await followed({ spec: SELECTED });
    await server.last().says(text);
    const problem = { kind: 'interrupted', message: 'the answer is not JSON' };
    expect(told()).toEqual([{ what: 'problem', verb: 'list', problem }]);
  });

  test('of once ends it', async () => {
    const { server, told, outcome } = await followed({ spec: { ...NAMED, mode: 'once' } });
    await server.last().answers(listOf([a('9')]));
    expect(told()).toEqual([{ what: 'answered', verb: 'list' }, snapshot('9')]);
    expect(outcome()).toBe('is over');
    expect(server.exchanges).toHaveLength(1);
  });
});

test('after a problem the same is asked for again, after the pause for that problem', async () => {
  const { server, told, paused, passes } = await followed();
  await server.last().fails(RESET);
  expect(told()).toEqual([{ what: 'problem', verb: 'list', problem: RESET }]);
  expect(paused).toEqual([RESET]);
  await passes(699);
  expect(server.exchanges).toHaveLength(1);
  await passes(1);
  expect(server.exchanges).toHaveLength(2);
  expect(server.last()).toMatchObject({ path: PATH, query: { fieldSelector: 'metadata.name=a' } });
});

test('a bug comes out', async () => {
  const { server, outcome } = await followed();
  await server.last().breaks(new TypeError('a bug'));
  expect(outcome()).toEqual(new TypeError('a bug'));
});

describe('what a watch asks for', () => {
  test.each([
    [0, '240'],
    [1, '300'],
    [0.5, '270'],
  ])('drawn %s: %s seconds', async (random, timeoutSeconds) => {
    const { server } = await followed({ spec: SELECTED, random });
    await server.last().answers(listOf([]));
    expect(server.last()).toMatchObject({ path: PATH, request: { method: 'GET', accept: 'application/json' } });
    expect(server.last().request).not.toHaveProperty('timeoutMs');
    expect(server.last().query).toEqual({
      labelSelector: 'x=y',
      watch: '1',
      allowWatchBookmarks: 'true',
      resourceVersion: '10',
      timeoutSeconds,
    });
  });
});

describe('a watch', () => {
  const event = (type: string, object: object): object => ({ type, object });

  test('is told as open', async () => {
    const { server, told } = await followed();
    await server.last().answers(listOf([]));
    told();
    await server.last().opens();
    expect(told()).toEqual([{ what: 'answered', verb: 'watch' }]);
  });

  test('gives a snapshot with each change, and goes on', async () => {
    const { server, told } = await watched();
    const before = server.exchanges.length;
    await server.last().sends(event('MODIFIED', a('11')));
    expect(told()).toEqual([snapshot('11')]);
    await server
      .last()
      .sends(event('DELETED', a('12')), event('ADDED', { metadata: { name: 'a', uid: 'u', resourceVersion: '13' } }));
    expect(told()).toMatchObject([{ ...snapshot('13'), departed: [{ metadata: { resourceVersion: '12' } }] }]);
    expect(server.exchanges).toHaveLength(before);
  });

  test('is followed by a LIST once the server has ended it, then by a watch from there', async () => {
    const { server, told, passes } = await watched();
    await server.last().sends(event('BOOKMARK', { metadata: { resourceVersion: '20' } }), '  ');
    await passes(TIMING.shortWatch);
    await server.last().ends();
    expect(told()).toEqual([]);
    expect(server.last().query).toEqual({ fieldSelector: 'metadata.name=a' });
    await server.last().answers(listOf([a('25')], { resourceVersion: '30' }));
    expect(told()).toEqual([{ what: 'answered', verb: 'list' }, snapshot('25')]);
    expect(server.last().query).toMatchObject({ watch: '1', resourceVersion: '30' });
  });

  test('of a large collection goes on from its last bookmark once the server has ended it', async () => {
    const { server, told, passes } = await followed({ spec: SELECTED });
    const items = Array.from({ length: 501 }, (_, index) => ({
      metadata: { name: `a${index}`, uid: `${index}`, resourceVersion: '9' },
    }));
    await server.last().answers(listOf(items));
    await server.last().opens();
    await server.last().sends(event('BOOKMARK', { metadata: { resourceVersion: '20' } }), '  ');
    told();
    await passes(TIMING.shortWatch);
    await server.last().ends();
    expect(told()).toEqual([]);
    expect(server.last().query).toMatchObject({ watch: '1', resourceVersion: '20' });
  });

  test('that sends nothing but a blank line saw nothing', async () => {
    const { server, paused } = await watched();
    await server.last().sends('  ');
    await server.last().ends();
    expect(paused).toHaveLength(1);
  });

  test('that ends at once without an event is followed by a LIST after a pause', async () => {
    const { server, paused, passes } = await followed();
    await server.last().answers(listOf([a('9')]));
    // The time counts from when it was opened.
    await passes(5_000);
    await server.last().opens();
    await passes(TIMING.shortWatch - 1);
    await server.last().ends();
    expect(paused).toEqual([
      { kind: 'interrupted', message: 'the watch ended after 999 ms without an event', cause: undefined },
    ]);
    await passes(700);
    expect(server.last().query).toEqual({ fieldSelector: 'metadata.name=a' });
  });

  test('that ends at once with an event is followed by a LIST at once', async () => {
    const { server, paused } = await watched();
    await server.last().sends(event('MODIFIED', a('11')));
    await server.last().ends();
    expect(paused).toEqual([]);
    expect(server.last().query).toEqual({ fieldSelector: 'metadata.name=a' });
  });

  test('that breaks off is opened again from where it was', async () => {
    const { server, told, passes } = await watched();
    await passes(TIMING.shortWatch);
    const cut: Problem = { kind: 'interrupted', message: 'aborted' };
    await server.last().fails(cut);
    expect(told()).toEqual([{ what: 'problem', verb: 'watch', problem: cut }]);
    await passes(700);
    expect(server.last().query.resourceVersion).toBe('10');
  });

  test('after an outage one object at the most is asked for, to see how far the server is', async () => {
    const { server, told, passes } = await watched();
    await server.last().fails(RESET);
    expect(told()).toEqual([{ what: 'problem', verb: 'watch', problem: RESET }]);
    await passes(700);
    const { watch, limit } = server.last().query;
    expect({ watch, limit }).toEqual({ watch: undefined, limit: '1' });
    await server.last().answers(listOf([], { resourceVersion: '12' }));
    expect(told()).toEqual([]);
    expect(server.last().query).toMatchObject({ watch: '1', resourceVersion: '10' });
  });

  test('that is open longer than the server was to keep it is given up, whatever it says, and all is read anew', async () => {
    const { server, told, passes } = await watched({ random: 0 });
    await passes(240_000);
    await server.last().sends(event('BOOKMARK', { metadata: { resourceVersion: '20' } }));
    await passes(TIMING.overdue - 1);
    expect(server.last().destroyed).toBe(false);
    const watch = server.last();
    await passes(1);
    expect(watch.destroyed).toBe(true);
    const problem = { kind: 'interrupted', message: 'the server did not end the watch in its time' };
    expect(told()).toEqual([{ what: 'problem', verb: 'watch', problem }]);
    await passes(700);
    expect(server.last().query).toEqual({ fieldSelector: 'metadata.name=a' });
  });

  test('that is over leaves nothing behind', async () => {
    const { server, clock, passes } = await watched();
    const watch = server.last();
    await watch.sends({ type: 'ERROR', object: { code: 410, reason: 'Expired' } });
    expect(watch.destroyed).toBe(true);
    await passes(700);
    expect(server.last().query).toEqual({ fieldSelector: 'metadata.name=a' });
    expect(clock.pending).toBe(0);
  });

  test('that the server ends with an error says which', async () => {
    const { server, told } = await watched();
    const status = { kind: 'Status', code: 500, reason: 'InternalError', message: 'm' };
    await server.last().sends(event('MODIFIED', a('11')), event('ERROR', status), event('MODIFIED', a('12')));
    const problem = { kind: 'status', status: 500, reason: 'InternalError', message: 'm' };
    expect(told()).toEqual([snapshot('11'), { what: 'problem', verb: 'watch', problem }]);
  });

  test.each([
    ['is no JSON', '{', 'a watch event is not JSON'],
    ['has another type', event('CHANGED', a('11')), 'a watch event of type "CHANGED" is not understood'],
    ['has a long type', event('x'.repeat(100), a('11')), `a watch event of type "${'x'.repeat(39)} is not understood`],
    ['has no type', { object: a('11') }, 'a watch event of type undefined is not understood'],
    ['has an object without a name', event('ADDED', {}), 'a watch event of type "ADDED" is not understood'],
    ['has a bookmark without a version', event('BOOKMARK', {}), 'a watch event of type "BOOKMARK" is not understood'],
  ])('with a line that %s: all is read anew', async (_, line, message) => {
    const { server, told, passes } = await watched();
    await server.last().sends(line, event('MODIFIED', a('12')));
    expect(told()).toMatchObject([{ what: 'problem', verb: 'watch', problem: { kind: 'interrupted', message } }]);
    await passes(700);
    expect(server.last().query).toEqual({ fieldSelector: 'metadata.name=a' });
  });

  test('with a line without an end: all is read anew', async () => {
    const { server, told } = await watched();
    await server.last().sends('x'.repeat(16 * 1024 * 1024 + 1));
    const message = 'a line of the answer is longer than 16777216 bytes';
    expect(told()).toMatchObject([{ what: 'problem', verb: 'watch', problem: { kind: 'interrupted', message } }]);
  });
});

describe('where watch is refused', () => {
  test.each([
    [0, 1_600],
    [0.5, 2_000],
    [1, 2_400],
  ])('the next LIST comes after a pause, spread round its length: drawn %s, %s ms', async (random, ms) => {
    const { server, told, clock, passes, paused } = await followed({ random });
    await server.last().answers(listOf([a('9')]));
    told();
    await server.last().refuses(403, { reason: 'Forbidden', message: 'no' });
    expect(told()).toMatchObject([{ what: 'fallback', to: 'poll', problem: { status: 403 } }]);
    expect(clock.slept).toEqual([expect.closeTo(ms, 6)]);
    expect(paused).toEqual([]);
    await passes(ms + 1);
    expect(server.last().query).toEqual({ fieldSelector: 'metadata.name=a' });
  });
});

describe('where list is refused', () => {
  test('the object is read by its name', async () => {
    const { server, told } = await followed({ spec: { ...NAMED, name: 'a/b' } });
    await server.last().refuses(403);
    expect(server.last()).toMatchObject({
      path: `${PATH}/a%2Fb`,
      query: {},
      request: { accept: 'application/json', timeoutMs: 30_000 },
    });
    await server.last().answers({ metadata: { name: 'a/b', uid: 'u', resourceVersion: '9' } });
    expect(told()).toMatchObject([
      { what: 'answered', verb: 'get' },
      { what: 'fallback', to: 'get' },
      { what: 'snapshot' },
    ]);
    expect(server.last().query).toMatchObject({ fieldSelector: 'metadata.name=a/b', watch: '1', resourceVersion: '9' });
  });

  test('a 404 of that object says that it is not there', async () => {
    const { server, told } = await followed();
    await server.last().refuses(403);
    await server.last().refuses(404, { details: { name: 'a' } });
    expect(told()).toMatchObject([{ what: 'answered' }, { what: 'fallback' }, snapshot()]);
  });

  test.each<[string, number, object]>([
    ['404 of something else', 404, { details: { name: 'jobs' } }],
    ['404 of the path', 404, {}],
    ['500 of that object', 500, { details: { name: 'a' } }],
  ])('a %s says nothing of it', async (_, status, body) => {
    const { server, told } = await followed();
    await server.last().refuses(403);
    await server.last().refuses(status, body);
    expect(told()).toMatchObject([{ what: 'problem', problem: { status } }]);
  });

  test('so does a broken connection', async () => {
    const { server, told } = await followed();
    await server.last().refuses(403);
    await server.last().fails(RESET);
    expect(told()).toEqual([{ what: 'problem', verb: 'get', problem: RESET }]);
  });

  test('a bug there comes out', async () => {
    const { server, outcome } = await followed();
    await server.last().refuses(403);
    await server.last().breaks(new TypeError('a bug'));
    expect(outcome()).toEqual(new TypeError('a bug'));
  });
});

describe('a path that the server does not know', () => {
  test('discovery is asked, and the kind is read in its version', async () => {
    const newer = { ...JOBS, version: 'v2' };
    const { server, looked } = await followed({ resolve: async () => newer });
    await server.last().refuses(404);
    expect(looked).toEqual([JOBS]);
    expect(server.last().path).toBe('/apis/batch/v2/namespaces/app/jobs');
    await server.last().answers(listOf([]));
    expect(server.last()).toMatchObject({ path: '/apis/batch/v2/namespaces/app/jobs', query: { watch: '1' } });
  });

  test('discovery does not answer: the path is tried again', async () => {
    const resolve = async (): Promise<never> => {
      throw new TransportError(RESET);
    };
    const { server, passes } = await followed({ resolve });
    await server.last().refuses(404);
    await passes(700);
    expect(server.exchanges).toHaveLength(2);
    expect(server.last().path).toBe(PATH);
  });
});

describe('a kind that is not served yet', () => {
  const UNKNOWN: ApiResource = { ...JOBS, group: 'example.com', version: '', origin: 'custom' };
  const spec: CollectionSpec = { ...SELECTED, resource: UNKNOWN };

  test('has no objects, and discovery is asked again and again', async () => {
    const answers = [undefined, undefined, undefined, undefined, undefined, undefined, JOBS];
    const { server, told, clock, looked, passes } = await followed({
      spec,
      random: 0.5,
      resolve: async () => answers.shift(),
    });
    expect(told()).toEqual([{ what: 'answered', verb: 'list' }, snapshot()]);
    for (const pause of [2_000, 3_000, 4_500, 6_750, 10_000, 10_000]) {
      expect(server.exchanges).toHaveLength(0);
      expect(clock.slept.at(-1)).toBe(pause);
      await passes(pause);
    }
    expect(looked).toEqual(Array.from({ length: 7 }, () => UNKNOWN));
    expect(server.last()).toMatchObject({ path: PATH, query: { labelSelector: 'x=y' } });
  });

  test('without a group may be a slip of the pen', async () => {
    const resource = { ...UNKNOWN, group: '' };
    const { told, clock } = await followed({ spec: { ...spec, resource } });
    expect(told()).toEqual([{ what: 'problem', verb: 'list', problem: notServed(resource) }]);
    expect(clock.slept).toEqual([700]);
  });

  test('is looked up once where one look is wanted', async () => {
    const { outcome, told, looked } = await followed({ spec: { ...spec, mode: 'once' } });
    expect(told()).toHaveLength(2);
    expect(looked).toHaveLength(1);
    expect(outcome()).toBe('is over');
  });

  test('discovery does not answer: that is told, and it is asked again', async () => {
    const answers = [RESET, undefined];
    const resolve = async (): Promise<undefined> => {
      const problem = answers.shift();
      if (problem !== undefined) throw new TransportError(problem);
    };
    const { told, clock, paused, passes } = await followed({ spec, resolve });
    expect(told()).toEqual([{ what: 'problem', verb: 'list', problem: RESET }]);
    expect([paused, clock.slept]).toEqual([[RESET], [700]]);
    await passes(700);
    expect(told()).toEqual([{ what: 'answered', verb: 'list' }, snapshot()]);
  });

  test('a bug there comes out', async () => {
    const resolve = async (): Promise<never> => {
      throw new TypeError('a bug');
    };
    expect((await followed({ spec, resolve })).outcome()).toEqual(new TypeError('a bug'));
  });

  test.each(['while it sleeps', 'while discovery is asked', 'while a failed look-up is told'])(
    'ends when it is aborted %s',
    async (when) => {
      const asked = Promise.withResolvers<undefined>();
      const run = await followed({
        spec,
        resolve: when === 'while it sleeps' ? async () => undefined : () => asked.promise,
      });
      run.told();
      run.end.abort();
      if (when === 'while a failed look-up is told') asked.reject(new TransportError(RESET));
      else asked.resolve(undefined);
      await run.over;
      expect(run.outcome()).toBe('is over');
      expect(run.server.exchanges).toHaveLength(0);
      expect(run.told().filter(({ what }) => what === 'problem')).toEqual([]);
    },
  );
});

describe('ends when it is aborted', () => {
  test.each([
    ['in a list', async () => followed()],
    ['in a watch', async () => watched()],
    [
      'in a pause',
      async () => {
        const run = await followed();
        await run.server.last().fails(RESET);
        run.told();
        return run;
      },
    ],
  ])('%s, and says no more', async (_, begin) => {
    const run = await begin();
    const asked = run.server.exchanges.length;
    run.end.abort();
    await run.over;
    expect(run.outcome()).toBe('is over');
    expect(run.told()).toEqual([]);
    expect(run.server.exchanges).toHaveLength(asked);
    expect(run.clock.pending).toBe(0);
  });
});
