import fc from 'fast-check';

/** What the proxy does to one request, or from one request on. Durations in milliseconds. */
export type Fault =
  /** Each connection is closed as soon as it is made, and all that are open are cut. */
  | { readonly kind: 'refuse'; readonly forMs: number }
  | { readonly kind: 'reset'; readonly when: 'before headers' | 'during headers' | 'after headers' }
  /** Nothing more is said, though the socket stays open; then it is reset. */
  | { readonly kind: 'stall'; readonly forMs: number }
  /** The answer ends within a line, by its number; in good order or by a reset. */
  | { readonly kind: 'half line'; readonly line: number; readonly end: 'close' | 'reset' }
  /** The bytes come in pieces of this size, so that characters and lines are torn. */
  | { readonly kind: 'drip'; readonly bytes: number; readonly pauseMs: number }
  /** What comes within this time comes in one packet. */
  | { readonly kind: 'pack'; readonly forMs: number }
  | { readonly kind: 'status'; readonly status: number; readonly retryAfter: 'none' | 'seconds' | 'date' }
  /** A web page of somebody in between. */
  | { readonly kind: 'page'; readonly status: number }
  /** An ERROR event in a watch; of a LIST, the same as a status. */
  | { readonly kind: 'error event'; readonly status: number }
  /** This watch and those after it close at once, without an event. */
  | { readonly kind: 'close'; readonly times: number }
  | { readonly kind: 'bookmarks'; readonly count: number }
  /** Each event comes again. */
  | { readonly kind: 'duplicate' }
  /** One event of this watch, by its number, never arrives. */
  | { readonly kind: 'swallow'; readonly event: number }
  /** After each event all earlier ones of this watch come again, the newest first. */
  | { readonly kind: 'stale' }
  /** Pages of one object each, and the token of the second page has expired. */
  | { readonly kind: 'expired continue' }
  | { readonly kind: 'forbid'; readonly status: 401 | 403; readonly forMs: number }
  /** The token is replaced on disk, and the old one is refused from then on. */
  | { readonly kind: 'rotate token' }
  /** Another certificate of the same authority, and all connections are cut. */
  | { readonly kind: 'replace certificate' }
  /** The server's name cannot be looked up, and all connections are cut. */
  | { readonly kind: 'name'; readonly code: 'ENOTFOUND' | 'EAI_AGAIN'; readonly forMs: number };

/** Which fault meets which request, by its number; requests beyond the last are left alone. */
export type Script = readonly (Fault | undefined)[];

const span = (min: number, max: number) => fc.integer({ min, max });

export const fault: fc.Arbitrary<Fault> = fc.oneof(
  fc.record({ kind: fc.constant('refuse' as const), forMs: span(50, 900) }),
  fc.record({
    kind: fc.constant('reset' as const),
    when: fc.constantFrom('before headers', 'during headers', 'after headers'),
  }),
  // Some longer than the time limit of a request.
  fc.record({
    kind: fc.constant('stall' as const),
    forMs: fc.oneof(span(50, 1_500), span(50, 1_500), span(4_000, 6_000)),
  }),
  fc.record({ kind: fc.constant('half line' as const), line: span(0, 3), end: fc.constantFrom('close', 'reset') }),
  fc.record({ kind: fc.constant('drip' as const), bytes: span(1, 700), pauseMs: span(0, 2) }),
  fc.record({ kind: fc.constant('pack' as const), forMs: span(50, 800) }),
  fc.record({
    kind: fc.constant('status' as const),
    status: fc.constantFrom(410, 429, 500, 502, 503, 504),
    retryAfter: fc.constantFrom('none', 'seconds', 'date'),
  }),
  fc.record({ kind: fc.constant('page' as const), status: fc.constantFrom(200, 502, 503) }),
  fc.record({ kind: fc.constant('error event' as const), status: fc.constantFrom(410, 500, 504) }),
  fc.record({ kind: fc.constant('close' as const), times: span(1, 3) }),
  fc.record({ kind: fc.constant('bookmarks' as const), count: span(1, 5_000) }),
  fc.constant({ kind: 'duplicate' as const }),
  fc.constant({ kind: 'stale' as const }),
  fc.constant({ kind: 'expired continue' as const }),
  fc.record({ kind: fc.constant('forbid' as const), status: fc.constantFrom(401, 403), forMs: span(100, 2_500) }),
  fc.constant({ kind: 'rotate token' as const }),
  fc.constant({ kind: 'replace certificate' as const }),
  fc.record({
    kind: fc.constant('name' as const),
    code: fc.constantFrom('ENOTFOUND', 'EAI_AGAIN'),
    forMs: span(50, 1_500),
  }),
);

const faults = (maxLength: number) => fc.array(fc.option(fault, { nil: undefined, freq: 3 }), { maxLength });

/** What may happen again and again without an end to all progress: a LIST that drips slowly never ends in its time. */
const LASTING: readonly Fault['kind'][] = ['duplicate', 'stale', 'drip', 'pack', 'bookmarks', 'expired continue'];
const lasting = fault.filter((one) => LASTING.includes(one.kind) && (one.kind !== 'drip' || one.pauseMs === 0));

const swallow = fc.record({ kind: fc.constant('swallow' as const), event: span(0, 4) });

export const script: fc.Arbitrary<Script> = fc.oneof(
  faults(6),
  fc.tuple(swallow, faults(2)).map(([first, others]) => [undefined, first, ...others]),
  // The first watch is where most of a run takes place.
  fc.tuple(fault, faults(4)).map(([first, others]) => [undefined, first, ...others]),
  // Something in between that always does the same, and one other thing.
  fc.tuple(lasting, fc.nat(3), fault).map(([always, at, once]) => Array(10).fill(always).with(at, once)),
  lasting.map((always) => Array(10).fill(always)),
);
