/**
 * Controls (C0 and C1), format characters (those that reorder or hide text among them), line and paragraph separators,
 * and halves of characters.
 * https://www.unicode.org/reports/tr9/#Explicit_Directional_Embeddings, https://trojansource.codes/
 */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** Most that is ever written: it spares a start the tables behind the properties above, most of a millisecond. */
const PLAIN = /^[ -~]*$/;

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\u001b': '\\e' };

/**
 * Makes every character visible that could move the cursor, colour, reorder or break a line: each string that comes
 * from elsewhere goes through here before it is written. Never throws; what is plain text comes out unchanged.
 */
export function clean(foreign: string): string {
  if (PLAIN.test(foreign)) return foreign;
  return foreign.replace(UNSAFE, (character) => {
    const code = (character.codePointAt(0) ?? 0).toString(16);
    return SHORT[character] ?? (code.length > 4 ? `\\u{${code}}` : `\\u${code.padStart(4, '0')}`);
  });
}

/** A value as JSON, with every string in it made so. Fields that are undefined are left out. */
export function cleanJson(value: object): string {
  return JSON.stringify(value, (_, each) => (typeof each === 'string' ? clean(each) : each));
}
