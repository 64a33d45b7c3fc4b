// Reading foreign JSON, of any shape: nothing here throws, and null counts as absent.

/** One field of foreign data, undefined where `from` is no object. */
export function field(from: unknown, ...path: readonly string[]): unknown {
  let at = from;
  for (const name of path) {
    if (typeof at !== 'object' || at === null || Array.isArray(at)) return undefined;
    at = Object.hasOwn(at, name) ? (at as Record<string, unknown>)[name] : undefined;
  }
  return at ?? undefined;
}

/** The string at a path; an empty one counts as absent, as with Go's omitempty. */
export function text(from: unknown, ...path: readonly string[]): string | undefined {
  const value = field(from, ...path);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** The finite number at a path. */
export function number(from: unknown, ...path: readonly string[]): number | undefined {
  const value = field(from, ...path);
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

/**
 * Whether two pieces of plain data hold the same: objects, arrays and what JSON has, undefined too. Anything else (a Map,
 * a class's object) is only the same as itself. Node's own comparison is loaded only when it is called first.
 */
export function isSame(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  const prototype = Object.getPrototypeOf(a);
  if (prototype !== Object.getPrototypeOf(b)) return false;
  if (prototype !== Object.prototype && prototype !== Array.prototype) return false;
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  return keys.every(
    (key) => Object.hasOwn(b, key) && isSame((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]),
  );
}

/** The elements of the array at a path; none where there is no array. */
export function list(from: unknown, ...path: readonly string[]): readonly unknown[] {
  const value = field(from, ...path);
  return Array.isArray(value) ? value : [];
}
