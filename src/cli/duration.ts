import { quote, UsageError } from './usage-error.ts';

/** Go's units, in nanoseconds. https://pkg.go.dev/time#ParseDuration */
const UNIT_NS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  // The micro sign U+00B5 and the Greek letter U+03BC: Go takes both.
  '\u00b5s': 1_000n,
  '\u03bcs': 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};

const NS_PER_MS = 1_000_000n;
/** Go counts nanoseconds in 64 bits. In milliseconds that is far from what a number cannot hold exactly. */
const LONGEST_NS = 2n ** 63n - 1n;
const PART = /(\d*)(?:\.(\d*))?(ns|us|\u00b5s|\u03bcs|ms|s|m|h)/y;
const BARE_NUMBER = /^[-+]?(\d+\.?\d*|\.\d+)$/;
const EXPECTED = 'expected a duration such as 90s, 10m or 1h30m';

/**
 * A duration in Go's syntax, in whole milliseconds, rounded away from zero: `1ns` must not turn into the 0 that means
 * "look once". Throws a UsageError for anything else, a bare number other than 0 included.
 */
export function parseDuration(text: string): number {
  if (/^[-+]?0$/.test(text)) return 0;
  if (BARE_NUMBER.test(text)) {
    throw new UsageError(`expected a duration with a unit, such as ${text}s, got ${quote(text)}`);
  }
  const negative = text.startsWith('-');
  const ns = nanoseconds(text.replace(/^[-+]/, ''));
  if (ns === undefined) throw new UsageError(`${EXPECTED}, got ${quote(text)}`);
  if (ns > LONGEST_NS) throw new UsageError(`expected a duration of at most 292 years, got ${quote(text)}`);
  const ms = Number((ns + NS_PER_MS - 1n) / NS_PER_MS);
  return negative && ms !== 0 ? -ms : ms;
}

/**
 * As `parseDuration`, and a whole number without a unit means seconds, as for kubectl's --request-timeout.
 * https://kubernetes.io/docs/reference/kubectl/kubectl/#options
 */
export function parseDurationOrSeconds(text: string): number {
  return parseDuration(/^[-+]?\d+$/.test(text) ? `${text}s` : text);
}

/** Whole numbers throughout: 4.35 * 1000 is not 4350 in floating point. */
function nanoseconds(text: string): bigint | undefined {
  if (text === '') return undefined;
  let total = 0n;
  PART.lastIndex = 0;
  while (PART.lastIndex < text.length) {
    const part = PART.exec(text);
    if (part === null) return undefined;
    const [, whole = '', fraction = '', unitName = ''] = part;
    const unit = UNIT_NS[unitName];
    if (unit === undefined || whole + fraction === '') return undefined;
    total += BigInt(whole || '0') * unit;
    total += (BigInt(fraction || '0') * unit) / 10n ** BigInt(fraction.length);
  }
  return total;
}
