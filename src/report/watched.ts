/**
 * Whether a terminal shows what is drawn to a person: not one without cursor movement, and not one whose output a CI
 * system collects. https://no-color.org is about colours alone.
 */
export function isWatched({ TERM, CI }: Readonly<Record<string, string | undefined>>): boolean {
  return TERM !== undefined && TERM !== '' && TERM !== 'dumb' && (CI === undefined || CI === '' || CI === 'false');
}
