import { describe, expect, test } from 'vitest';
import type { CollectionSpec, Emission } from '../../../src/kube/collection.ts';
import {
  type Happening,
  type Machine,
  startOf,
  TIMING,
  transition,
  type WatchEvent,
} from '../../../src/kube/list-watch.ts';
import type { KubeObject } from '../../../src/kube/object.ts';
import { notServed, type Problem } from '../../../src/kube/problem.ts';
import type { ApiResource } from '../../../src/kube/resource.ts';
import { JOBS } from '../objects.ts';
import { NAMED, SELECTED } from './stand-in.ts';

const object = (name: string, resourceVersion: string, uid = name): KubeObject => ({
  metadata: { name, uid, resourceVersion },
});
const http = (status: number, reason: string): Problem => ({ kind: 'status', status, reason, message: reason });
const FORBIDDEN = http(403, 'Forbidden');
const GONE = http(410, 'Expired');
const RESET: Problem = { kind: 'unreachable', message: 'read ECONNRESET', code: 'ECONNRESET' };

/** Tells a machine what happened, step by step. */
class Script {
  machine: Machine;
  emitted: readonly Emission[] = [];
  now = 0;
  readonly spec: CollectionSpec;

  constructor(spec: CollectionSpec = NAMED) {
    this.spec = spec;
    this.machine = startOf(spec);
  }

  on(happening: Happening): this {
    const next = transition(this.machine, happening, this.spec, this.now);
    this.machine = next.machine;
    this.emitted = next.emit;
    return this;
  }

  listed(objects: readonly KubeObject[], resourceVersion = '10'): this {
    return this.on({ what: 'page', objects, continueToken: undefined, resourceVersion });
  }

  events(...events: readonly WatchEvent[]): this {
    return this.on({ what: 'events', events });
  }

  fails(problem: Problem): this {
    return this.on({ what: 'problem', problem });
  }

  /** After the pause. */
  elapses(): this {
    return this.on({ what: 'elapsed' });
  }

  get at(): string {
    const { phase } = this.machine;
    return phase.at === 'pause' ? `pause, then ${phase.next.at}` : phase.at;
  }

  get names(): readonly string[] {
    return [...this.machine.objects.values()].map(({ metadata }) => metadata.name);
  }

  get told(): readonly string[] {
    return this.emitted.map((emission) => emission.what);
  }
}

const watching = (): Script => new Script().listed([object('a', '9')]);
/** The same of a selector, which finds objects of any name. */
const watchingAll = (): Script => new Script(SELECTED).listed([object('a', '9')]);

describe('a list', () => {
  test('is handed over whole, then watched from its resourceVersion', () => {
    const run = watching();
    expect(run.emitted).toEqual([
      { what: 'answered', verb: 'list' },
      { what: 'snapshot', objects: new Map([['a', object('a', '9')]]), departed: [] },
    ]);
    expect(run.machine.phase).toEqual({ at: 'watch', resourceVersion: '10' });
  });

  test('of several pages tells nothing before the last one', () => {
    const run = new Script(SELECTED);
    run.on({ what: 'page', objects: [object('a', '1')], continueToken: 't', resourceVersion: '5' });
    expect(run.told).toEqual([]);
    expect(run.machine.phase).toMatchObject({ at: 'list', continueToken: 't' });
    run.listed([object('b', '2')]);
    expect(run.names).toEqual(['a', 'b']);
  });

  test('goes on with the same page after a broken connection, and begins anew when its token has expired', () => {
    const page: Happening = { what: 'page', objects: [object('a', '1')], continueToken: 't', resourceVersion: '5' };
    for (const problem of [RESET, { kind: 'interrupted', message: 'aborted' }] as const) {
      const broken = new Script(SELECTED).on(page).fails(problem).elapses();
      expect(broken.machine.phase).toMatchObject({ at: 'list', continueToken: 't' });
    }
    const expired = new Script(SELECTED).on(page).fails(GONE).elapses();
    expect(expired.machine.phase).toMatchObject({ at: 'list', continueToken: undefined, pages: [] });
  });

  test.each([undefined, '0'])('without a real resourceVersion (%s) is not watched', (resourceVersion) => {
    const run = new Script().on({ what: 'page', objects: [], continueToken: undefined, resourceVersion });
    expect(run.at).toBe('pause, then list');
  });

  test('once is all', () => {
    expect(new Script({ ...NAMED, mode: 'once' }).listed([]).at).toBe('done');
  });
});

describe('a watch', () => {
  test('adds, changes and takes away, and moves its resourceVersion', () => {
    const run = watchingAll();
    run.events({ type: 'ADDED', object: object('b', '11') }, { type: 'MODIFIED', object: object('a', '12') });
    expect(run.names).toEqual(['a', 'b']);
    run.events({ type: 'DELETED', object: object('a', '13') });
    expect(run.names).toEqual(['b']);
    expect(run.emitted).toMatchObject([{ what: 'snapshot', departed: [object('a', '13')] }]);
    expect(run.machine.phase).toEqual({ at: 'watch', resourceVersion: '13' });
  });

  test('tells of a deletion of what it never saw', () => {
    const run = watchingAll().events({ type: 'DELETED', object: object('z', '11') });
    expect(run.emitted).toMatchObject([{ what: 'snapshot', departed: [object('z', '11')] }]);
  });

  test('keeps a bookmark to itself', () => {
    const run = watching().events({ type: 'BOOKMARK', resourceVersion: '20' });
    expect(run.told).toEqual([]);
    expect(run.machine.phase).toEqual({ at: 'watch', resourceVersion: '20' });
  });

  test('passes over what is older than what it knows', () => {
    const run = watching().events({ type: 'MODIFIED', object: object('a', '12') });
    run.events({ type: 'DELETED', object: object('a', '11') }, { type: 'ADDED', object: object('a', '9') });
    expect(run.names).toEqual(['a']);
    expect(run.told).toEqual([]);
    expect(run.machine.phase).toEqual({ at: 'watch', resourceVersion: '12' });
  });

  test('compares versions as numbers, and not at all where they are none', () => {
    const digits = new Script().listed([object('a', '9')], '9').events({ type: 'MODIFIED', object: object('a', '10') });
    expect(digits.machine.phase).toMatchObject({ resourceVersion: '10' });
    const words = new Script().listed([], 'b').events({ type: 'ADDED', object: object('a', 'a') });
    expect(words.names).toEqual(['a']);
  });

  test.each([
    ['as an HTTP answer', (run: Script) => run.fails(GONE)],
    ['as an event', (run: Script) => run.events({ type: 'ERROR', problem: GONE })],
  ])('410 %s: lists anew', (_, fail) => {
    expect(fail(watching()).at).toBe('pause, then list');
  });

  test('events before an ERROR count', () => {
    const run = watching().events({ type: 'DELETED', object: object('a', '11') }, { type: 'ERROR', problem: GONE });
    expect(run.told).toEqual(['snapshot', 'problem']);
    expect(run.names).toEqual([]);
  });

  test.each([
    ['429', http(429, 'TooManyRequests')],
    ['a cut', { kind: 'interrupted', message: 'aborted' } as Problem],
  ] as const)('%s: opens it again from where it was', (_, problem) => {
    const run = watching().events({ type: 'BOOKMARK', resourceVersion: '20' }).fails(problem);
    expect(run.at).toBe('pause, then watch');
    expect(run.elapses().machine.phase).toEqual({ at: 'watch', resourceVersion: '20' });
  });

  describe.each([
    ['nothing could be reached', RESET],
    ['503', http(503, 'ServiceUnavailable')],
  ] as const)('an outage, %s', (_, problem) => {
    const back = (): Script =>
      watchingAll().events({ type: 'BOOKMARK', resourceVersion: '20' }).fails(problem).elapses();

    test('asks how far the server is, and tells nothing of the answer', () => {
      const run = back();
      expect(run.machine.phase).toEqual({ at: 'check', resourceVersion: '20' });
      run.listed([object('b', '21')], '21');
      expect(run.told).toEqual([]);
      expect(run.names).toEqual(['a']);
    });

    test.each(['20', '21', '100'])('it is as far as before, at %s: opens it again from where it was', (now) => {
      expect(back().listed([], now).machine.phase).toEqual({ at: 'watch', resourceVersion: '20', checked: true });
    });

    test.each([
      ['as it was seen', object('a', '9')],
      ['changed since', object('a', '21')],
      ['new', object('b', '21')],
      ['without a version', { metadata: { name: 'b', uid: 'b' } }],
      ['whose version is no number', object('a', '21x')],
    ] as const)('it has an object %s: opens it again from where it was', (_, one) => {
      expect(back().listed([one], '30').machine.phase).toEqual({ at: 'watch', resourceVersion: '20', checked: true });
    });

    test.each([
      ['in a state that was never seen', object('a', '15')],
      ['in an older state', object('a', '7')],
      ['that should have been seen', object('b', '20')],
    ])('it has gone back and further since, with an object %s: lists anew', (_, one) => {
      const run = back().listed([object('a', '9'), one], '30');
      expect(run.machine.phase).toEqual({ at: 'list', pages: [], continueToken: undefined });
    });

    test.each(['19', '3', undefined])('it has gone back, to %s: lists anew', (now) => {
      const run = back().on({ what: 'page', objects: [], continueToken: 'more', resourceVersion: now });
      expect(run.machine.phase).toEqual({ at: 'list', pages: [], continueToken: undefined });
    });

    test.each([
      ['out again', RESET],
      ['refuses for a moment', FORBIDDEN],
      ['knows nobody for a moment', http(401, 'Unauthorized')],
      ['too busy', http(429, 'TooManyRequests')],
    ] as const)('%s: asks again', (_, next) => {
      const run = back().fails(next);
      expect(run.emitted).toEqual([{ what: 'problem', verb: 'list', problem: next }]);
      expect(run.elapses().machine.phase).toEqual({ at: 'check', resourceVersion: '20' });
    });

    test('no watch can be opened again: lists anew, since a LIST is answered', () => {
      const run = back().listed([], '20').fails(problem);
      expect(run.at).toBe('pause, then list');
      // The same once more from there: each other answer tells what exists.
      run.elapses().listed([object('a', '25')], '30');
      expect(run.fails(problem).elapses().at).toBe('check');
      expect(run.listed([], '30').fails(problem).at).toBe('pause, then list');
    });

    test('the watch is open again, and it is out again: asks again how far it is', () => {
      const run = back().listed([], '20').on({ what: 'opened' }).fails(problem);
      expect(run.elapses().machine.phase).toEqual({ at: 'check', resourceVersion: '20' });
    });

    test('the path is unknown to it: looks the kind up', () => {
      expect(back().fails(http(404, 'NotFound')).at).toBe('lookup');
    });
  });

  test('an outage where only get is granted: gets anew', () => {
    const run = new Script().fails(FORBIDDEN).on({ what: 'object', object: object('a', '7') });
    expect(run.fails(RESET).at).toBe('pause, then get');
  });

  test('what is told again with the version that is known counts', () => {
    const run = watching().events({ type: 'MODIFIED', object: object('a', '10') });
    expect(run.told).toEqual(['snapshot']);
    expect(run.machine.phase).toEqual({ at: 'watch', resourceVersion: '10' });
  });

  test.each([
    ['9', '10x'],
    ['9', 'x10'],
    ['9x', '10'],
    ['x9', '10'],
  ])('%s is not older than %s: one of them is no number', (version, known) => {
    const run = new Script().listed([], known).events({ type: 'ADDED', object: object('a', version) });
    expect(run.names).toEqual(['a']);
  });

  test('what has no version of its own counts, and the watch goes on from where it was', () => {
    const bare: KubeObject = { metadata: { name: 'b', uid: 'b' } };
    const run = watchingAll().events({ type: 'ADDED', object: bare });
    expect(run.names).toEqual(['a', 'b']);
    expect(run.machine.phase).toEqual({ at: 'watch', resourceVersion: '10' });
  });

  test('an ERROR that lets it go on: from where it was', () => {
    const problem = http(500, 'InternalError');
    const run = watching().events({ type: 'MODIFIED', object: object('a', '11') }, { type: 'ERROR', problem });
    expect(run.emitted).toMatchObject([{ what: 'snapshot' }, { what: 'problem', verb: 'watch', problem }]);
    expect(run.machine.phase).toEqual({
      at: 'pause',
      cause: { why: 'problem', problem },
      next: { at: 'check', resourceVersion: '11' },
    });
  });

  test('a line that is no event: what came before it counts, and the pause is for it', () => {
    const problem: Problem = { kind: 'interrupted', message: 'm' };
    const run = watching().events({ type: 'MODIFIED', object: object('a', '11') }, { type: 'ERROR', problem });
    expect(run.emitted).toMatchObject([{ what: 'snapshot' }, { what: 'problem', verb: 'watch', problem }]);
    expect(run.machine.phase).toMatchObject({ cause: { why: 'problem', problem }, next: { at: 'list' } });
  });

  test.each([
    ['bad request', http(400, 'BadRequest')],
    ['410', GONE],
  ])('%s: the pause is for it, and all is read anew', (_, problem) => {
    const run = watching().fails(problem);
    expect(run.emitted).toEqual([{ what: 'problem', verb: 'watch', problem }]);
    expect(run.machine).toMatchObject({
      read: 'list',
      phase: {
        at: 'pause',
        cause: { why: 'problem', problem },
        next: { at: 'list', pages: [], continueToken: undefined },
      },
    });
  });

  test('is told as open', () => {
    expect(watching().on({ what: 'opened' }).emitted).toEqual([{ what: 'answered', verb: 'watch' }]);
  });

  test('that the server does not end: lists anew, for events may have been held back', () => {
    expect(watching().on({ what: 'overdue' }).at).toBe('pause, then list');
  });

  test('a line that is no event: lists anew', () => {
    expect(watching().events({ type: 'ERROR', problem: { kind: 'interrupted', message: '' } }).at).toBe(
      'pause, then list',
    );
  });

  /** Opened; over after this long, with an event before or none. */
  function opened(run: Script, { afterMs = 10, event = false } = {}): Script {
    run.on({ what: 'opened' });
    const [first] = run.machine.objects.values();
    if (event) run.events({ type: 'MODIFIED', object: object(first?.metadata.name ?? '', '20') });
    run.now += afterMs;
    return run;
  }
  const many = (count: number): Script =>
    new Script(SELECTED).listed(Array.from({ length: count }, (_, index) => object(`a${index}`, '9')));

  test('that brings a bookmark alone and ends at once is followed by a pause', () => {
    const run = watching().on({ what: 'opened' });
    run.events({ type: 'BOOKMARK', resourceVersion: '20' });
    expect(run.on({ what: 'closed' }).at).toBe('pause, then list');
  });

  describe('that the server ends in good order', () => {
    test.each([
      ['after its time', { afterMs: 300_000 }],
      ['after a second', { afterMs: TIMING.shortWatch }],
      ['at once, after an event', { event: true }],
    ])('%s: a small collection is listed again at once, a large one is watched from where it was', (_, how) => {
      expect(opened(watching(), how).on({ what: 'closed' }).at).toBe('list');
      expect(opened(many(500), how).on({ what: 'closed' }).machine.phase).toEqual({
        at: 'list',
        pages: [],
        continueToken: undefined,
      });
      const resourceVersion = 'event' in how ? '20' : '10';
      expect(opened(many(501), how).on({ what: 'closed' }).machine.phase).toEqual({ at: 'watch', resourceVersion });
    });

    test('where only get is granted: the object is read by get', () => {
      const run = new Script().fails(FORBIDDEN).on({ what: 'object', object: object('a', '7') });
      expect(opened(run, { afterMs: 300_000 }).on({ what: 'closed' }).at).toBe('get');
    });
  });

  test('one that ends within a second without an event is followed by a LIST after a pause', () => {
    for (const run of [watching(), many(501)]) {
      expect(opened(run, { afterMs: TIMING.shortWatch - 1 }).on({ what: 'closed' }).at).toBe('pause, then list');
    }
  });

  describe('one that is cut within a second without an event', () => {
    const cut = (run: Script, how = {}): Script =>
      opened(run, how).fails({ kind: 'interrupted', message: 'aborted' }).elapses();

    test('is resumed once, then followed by a LIST, since events may be held back', () => {
      for (const run of [watching(), many(501)]) {
        expect([cut(run, { afterMs: TIMING.shortWatch - 1 }).at, cut(run).at]).toEqual(['watch', 'list']);
        run.listed([object('a', '12')], '12');
        expect([cut(run).at, cut(run).at]).toEqual(['watch', 'list']);
      }
    });

    test.each([
      ['has an event', { event: true }],
      ['lasts', { afterMs: TIMING.shortWatch }],
    ])('and is resumed again after one that %s', (_, how) => {
      const run = watching();
      expect([cut(run).at, cut(run, how).at, cut(run).at, cut(run).at]).toEqual(['watch', 'watch', 'watch', 'list']);
    });
  });

  test('one that is cut later goes on from where it was', () => {
    for (const how of [{ afterMs: TIMING.shortWatch }, { event: true }]) {
      const run = opened(watching(), how).fails({ kind: 'interrupted', message: 'aborted' });
      expect(run.at).toBe('pause, then watch');
    }
  });

  test('one that cannot be opened does not count as one that ended at once', () => {
    const run = watching();
    for (let count = 0; count < 5; count += 1) run.fails(http(429, 'TooManyRequests')).elapses();
    expect(run.machine.phase).toEqual({ at: 'watch', resourceVersion: '10' });
  });

  test('401: lists anew, and is told', () => {
    const run = watching().fails(http(401, 'Unauthorized'));
    expect(run.at).toBe('pause, then list');
    expect(run.told).toEqual(['problem']);
  });
});

describe('a path that the server does not know', () => {
  const UNKNOWN = http(404, 'NotFound');
  const newer: ApiResource = { ...JOBS, version: 'v2' };

  test.each([
    ['a list', () => new Script()],
    ['a watch', watching],
  ])('%s: discovery is asked, and nothing is taken for missing', (_, start) => {
    const before = start();
    const run = start().fails(UNKNOWN);
    expect(run.told).toEqual([]);
    expect(run.names).toEqual(before.names);
    expect(run.at).toBe('lookup');
  });

  test('the kind is served in another version: it is listed there from now on', () => {
    const run = new Script().fails(UNKNOWN).on({ what: 'looked up', resource: newer });
    expect(run.machine.phase).toMatchObject({ at: 'list', pages: [] });
    expect(run.machine.resource?.version).toBe('v2');
    expect(run.listed([]).machine.resource?.version).toBe('v2');
  });

  test('no such kind: that is told, and it is looked up again', () => {
    const run = new Script().fails(UNKNOWN).on({ what: 'looked up', resource: undefined });
    const problem = notServed(JOBS);
    expect(run.emitted).toEqual([{ what: 'problem', verb: 'list', problem }]);
    expect(run.machine.phase).toEqual({ at: 'pause', cause: { why: 'problem', problem }, next: { at: 'lookup' } });
  });

  test('discovery lists what the path denies: the path is tried again after a pause for the 404', () => {
    const run = new Script().fails(UNKNOWN).on({ what: 'looked up', resource: JOBS });
    expect(run.emitted).toEqual([{ what: 'problem', verb: 'list', problem: UNKNOWN }]);
    expect(run.machine.phase).toMatchObject({ cause: { problem: UNKNOWN }, next: { at: 'list', pages: [] } });
    const later = new Script().fails(UNKNOWN).on({ what: 'looked up', resource: newer }).fails(UNKNOWN);
    expect(later.on({ what: 'looked up', resource: newer }).at).toBe('pause, then list');
  });

  test.each([
    ['does not answer', RESET],
    ['is refused', FORBIDDEN],
  ])('discovery %s: the path is tried again', (_, problem) => {
    const run = new Script().fails(UNKNOWN).fails(problem);
    expect(run.emitted).toEqual([{ what: 'problem', verb: 'list', problem }]);
    expect(run.machine.phase).toMatchObject({ cause: { problem }, next: { at: 'list', pages: [] } });
  });

  describe('of a kind that a definition may add', () => {
    const custom: ApiResource = { ...JOBS, group: 'example.com', origin: 'custom' };
    const nothing = [
      { what: 'answered', verb: 'list' },
      { what: 'snapshot', objects: new Map(), departed: [] },
    ];

    test('whose definition was removed: nothing exists, and it is looked up less and less often', () => {
      const run = new Script({ ...NAMED, resource: custom }).listed([object('a', '9')]).fails(UNKNOWN);
      const pauses: unknown[] = [];
      for (let count = 0; count < 6; count += 1) {
        run.on({ what: 'looked up', resource: undefined });
        expect(run.emitted).toEqual(nothing);
        const { phase } = run.machine;
        pauses.push(phase.at === 'pause' && phase.cause.why === 'poll' && phase.cause.ms);
        expect(run.elapses().at).toBe('lookup');
      }
      expect(pauses).toEqual([2_000, 3_000, 4_500, 6_750, 10_000, 10_000]);
      expect(run.on({ what: 'looked up', resource: custom }).at).toBe('list');
    });

    test('that is not served yet: it is looked up first, also after discovery did not answer', () => {
      const run = new Script({ ...NAMED, resource: { ...custom, version: '' } });
      expect(run.at).toBe('lookup');
      expect(run.fails(RESET).at).toBe('pause, then lookup');
      expect(run.elapses().on({ what: 'looked up', resource: undefined }).emitted).toEqual(nothing);
    });

    test('once is all', () => {
      const run = new Script({ ...NAMED, mode: 'once', resource: custom }).fails(UNKNOWN);
      expect(run.on({ what: 'looked up', resource: undefined }).at).toBe('done');
    });

    test.each([
      ['without a group', { ...custom, group: '' }],
      ['that is built in', JOBS],
    ])('but not of one %s', (_, resource) => {
      const run = new Script({ ...NAMED, resource }).fails(UNKNOWN).on({ what: 'looked up', resource: undefined });
      expect(run.told).toEqual(['problem']);
    });
  });

  test('a get that speaks of no object, too', () => {
    expect(new Script().fails(FORBIDDEN).fails(UNKNOWN).at).toBe('lookup');
  });
});

describe('without the permission to watch', () => {
  test('reads again and again, more slowly each time, and says so once', () => {
    const run = watching().fails(FORBIDDEN);
    expect(run.emitted).toMatchObject([{ what: 'fallback', to: 'poll' }]);
    const pauses: number[] = [];
    for (let round = 0; round < 8; round += 1) {
      const { phase } = run.machine;
      if (phase.at === 'pause' && phase.cause.why === 'poll') pauses.push(phase.cause.ms);
      run.elapses().listed([object('a', '9')]);
      expect(run.told).toEqual(['answered', 'snapshot']);
    }
    expect(pauses).toEqual([2000, 3000, 4500, 6750, 10_000, 10_000, 10_000, 10_000]);
  });

  test('the next try of the watch is a minute after the first refusal, however often is read between', () => {
    const run = watching().fails(FORBIDDEN);
    for (const now of [20_000, 40_000, TIMING.watchAgain - 1]) {
      run.now = now;
      expect(run.elapses().listed([]).at).toBe('pause, then list');
    }
    run.now = TIMING.watchAgain;
    expect(run.elapses().listed([]).at).toBe('watch');
  });

  test('tries the watch again after a minute, silently where it is refused again', () => {
    const run = watching().fails(FORBIDDEN).elapses();
    run.now = TIMING.watchAgain;
    expect(run.listed([]).at).toBe('watch');
    expect(run.fails(FORBIDDEN).told).toEqual([]);
    run.elapses().listed([]);
    expect(run.at).toBe('pause, then list');
    run.now = 2 * TIMING.watchAgain;
    expect(run.elapses().listed([]).at).toBe('watch');
    run.on({ what: 'opened' });
    expect(run.machine.follow).toEqual({ by: 'watch' });
  });
});

describe('what comes when it is not expected', () => {
  // A late answer of a request that was given up.
  const late: readonly (readonly [string, Happening])[] = [
    ['the end of a watch', { what: 'closed' }],
    ['events', { what: 'events', events: [] }],
    ['a pause that is over', { what: 'elapsed' }],
  ];
  test.each(late)('%s: all is read anew', (_, happening) => {
    const run = new Script(SELECTED).on({ what: 'page', objects: [], continueToken: 't', resourceVersion: '5' });
    expect(run.on(happening).machine.phase).toEqual({ at: 'list', pages: [], continueToken: undefined });
    expect(run.told).toEqual([]);
  });

  test('a problem in a pause, or when all is done: all is read anew', () => {
    for (const run of [new Script().fails(RESET), new Script({ ...NAMED, mode: 'once' }).listed([])]) {
      run.fails(GONE);
      expect([run.at, run.told]).toEqual(['list', []]);
    }
  });

  test('a page outside of a list stands for itself', () => {
    expect(watchingAll().listed([object('b', '1')]).names).toEqual(['b']);
  });
});

describe('without the permission to list', () => {
  test('what is told', () => {
    const run = new Script().fails(FORBIDDEN).on({ what: 'object', object: object('a', '7') });
    expect(run.emitted).toEqual([
      { what: 'answered', verb: 'get' },
      { what: 'fallback', to: 'get', problem: FORBIDDEN },
      { what: 'snapshot', objects: new Map([['a', object('a', '7')]]), departed: [] },
    ]);
  });

  test('get is read on, without a word, and is what a broken watch goes back to', () => {
    const run = new Script().fails(FORBIDDEN).on({ what: 'object', object: object('a', '7') });
    run.on({ what: 'overdue' });
    expect(run.machine.phase).toMatchObject({
      next: { at: 'get', refusal: { kind: 'status', status: 403, reason: 'Forbidden', message: 'list is refused' } },
    });
    run.elapses().on({ what: 'object', object: object('a', '8') });
    expect(run.told).toEqual(['answered', 'snapshot']);
  });

  test('get that does not answer is tried again, once it worked', () => {
    const run = new Script().fails(FORBIDDEN).on({ what: 'object', object: undefined }).elapses().fails(RESET);
    expect(run.emitted).toEqual([{ what: 'problem', verb: 'get', problem: RESET }]);
    expect(run.at).toBe('pause, then get');
  });

  test('get that does not answer at all: list is tried again', () => {
    const run = new Script().fails(FORBIDDEN).fails(RESET);
    expect(run.emitted).toEqual([{ what: 'problem', verb: 'get', problem: RESET }]);
    expect(run.at).toBe('pause, then list');
  });

  test('get is refused later: it is get that is lacking, and list is tried again', () => {
    const run = new Script().fails(FORBIDDEN).on({ what: 'object', object: undefined }).elapses();
    const later = http(403, 'Later');
    run.fails(later);
    expect(run.emitted).toEqual([{ what: 'problem', verb: 'get', problem: later }]);
    expect([run.at, run.machine.read]).toEqual(['pause, then list', 'list']);
  });

  test('list is refused again after a pause of get: get is tried again', () => {
    const run = new Script().fails(FORBIDDEN).fails(FORBIDDEN).elapses();
    expect(run.at).toBe('list');
    expect(run.fails(FORBIDDEN).at).toBe('get');
  });

  test('a path that get does not know: list is tried again in another version', () => {
    const run = new Script().fails(FORBIDDEN).on({ what: 'object', object: undefined }).elapses();
    run.fails(http(404, 'NotFound'));
    expect([run.at, run.machine.read]).toEqual(['lookup', 'list']);
  });

  test('another error of a list is no reason to get', () => {
    expect(new Script().fails(http(401, 'Unauthorized')).at).toBe('pause, then list');
    expect(new Script().fails({ kind: 'untrusted', message: '', code: '' }).at).toBe('pause, then list');
  });

  test('a named object is read by get at once, and that is said once it worked', () => {
    const run = new Script().fails(FORBIDDEN);
    expect(run.at).toBe('get');
    expect(run.told).toEqual([]);
    run.on({ what: 'object', object: object('a', '7') });
    expect(run.told).toEqual(['answered', 'fallback', 'snapshot']);
    expect(run.machine.phase).toEqual({ at: 'watch', resourceVersion: '7' });
  });

  test('one that is not there is read again', () => {
    const run = new Script().fails(FORBIDDEN).on({ what: 'object', object: undefined });
    expect(run.names).toEqual([]);
    expect(run.at).toBe('pause, then get');
  });

  test('get is refused as well: the refusal told is that of list', () => {
    const run = new Script().fails(FORBIDDEN).fails(FORBIDDEN);
    expect(run.emitted).toMatchObject([{ what: 'problem', verb: 'list' }]);
    expect(run.at).toBe('pause, then list');
  });

  test('a selector has nothing else', () => {
    const run = new Script(SELECTED).fails(FORBIDDEN);
    expect(run.emitted).toMatchObject([{ what: 'problem', verb: 'list' }]);
    expect(run.at).toBe('pause, then list');
  });
});

describe('objects of other names', () => {
  test('are ignored where a name was asked for, in a LIST, in a watch and by get', () => {
    const run = new Script().listed([object('b', '9'), object('a', '9')]);
    expect(run.names).toEqual(['a']);
    run.events({ type: 'ADDED', object: object('c', '11') }, { type: 'DELETED', object: object('d', '12') });
    expect([run.names, run.told]).toEqual([['a'], []]);
    run.events({ type: 'MODIFIED', object: object('b', '13') }, { type: 'MODIFIED', object: object('a', '14') });
    expect([run.names, run.machine.phase]).toEqual([['a'], { at: 'watch', resourceVersion: '14' }]);
    const got = new Script().fails(FORBIDDEN).on({ what: 'object', object: object('b', '9') });
    expect(got.names).toEqual([]);
  });

  test('count for a selector', () => {
    expect(watchingAll().events({ type: 'ADDED', object: object('b', '11') }).names).toEqual(['a', 'b']);
  });
});
