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

/** The elements of the array at a path; none where there is no array. */
export function list(from: unknown, ...path: readonly string[]): readonly unknown[] {
  const value = field(from, ...path);
  return Array.isArray(value) ? value : [];
}
