// C0 and C1 controls, line and paragraph separators, and the characters that reorder or hide text.
// https://www.unicode.org/reports/tr9/#Explicit_Directional_Embeddings, https://trojansource.codes/
const UNSAFE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not get through
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\u001b': '\\e' };

/**
 * Makes every character visible that could move the cursor, colour, reorder or break a line: each string that comes
 * from elsewhere goes through here before it is written. Never throws; what is plain text comes out unchanged.
 */
export function clean(foreign: string): string {
  return foreign.replace(UNSAFE, (character) => {
    const short = SHORT[character];
    return short ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}
