/**
 * kubectl's JSONPath, as far as `kubectl wait` lets it in: one expression, no template around it. It is neither
 * RFC 9535 nor Goessner's: a path is a chain of steps, `['a.b']` is two fields, a filter compares two paths or literals.
 * https://kubernetes.io/docs/reference/kubectl/jsonpath/
 * https://github.com/kubernetes/client-go/blob/v0.36.3/util/jsonpath/parser.go
 */

/** Each step takes the values that the one before it found and finds others in them. */
export type JsonPath = readonly Step[];

export type Step =
  | { readonly at: 'field'; readonly name: string }
  | {
      readonly at: 'slice';
      readonly start: number;
      /** Undefined: to the end of the list. */
      readonly end: number | undefined;
      /** One element, `[2]`: the end was not written but follows from the start. */
      readonly single: boolean;
      readonly by: number;
    }
  | { readonly at: 'children' }
  /** A value, and everything below it. */
  | { readonly at: 'descent' }
  | { readonly at: 'union'; readonly paths: readonly JsonPath[] }
  | { readonly at: 'exists'; readonly path: JsonPath }
  | { readonly at: 'compare'; readonly left: JsonPath; readonly operator: Operator; readonly right: JsonPath }
  /** A string stands for itself whatever it is applied to; `each` other literal once for each value before it. */
  | { readonly at: 'text'; readonly text: string }
  | { readonly at: 'each'; readonly literal: number | boolean | Float };

export type Operator = (typeof OPERATORS)[number];
const OPERATORS = ['==', '!=', '<', '<=', '>', '>='] as const;

/** `1.0` in an expression. kubectl does not compare it with a 1, and JavaScript's numbers cannot tell them apart. */
export class Float {
  readonly value: number;
  constructor(value: number) {
    this.value = value;
  }
}

/** The expression cannot be used. The message is one line that names it and says what would be right. */
export class JsonPathError extends Error {
  override readonly name = 'JsonPathError';
}

/**
 * Takes `status.phase`, `.status.phase`, `{status.phase}` or `{.status.phase}`. What kubectl finds out only while it
 * waits, a word that is neither quoted nor a field (`[?(@.type==Ready)]`), an operator or a step that cannot be, is
 * refused here too; so are `range` and `end`, with which kubectl waits in vain.
 * https://github.com/kubernetes/kubectl/blob/v0.36.3/pkg/cmd/get/customcolumn.go
 * @throws JsonPathError
 */
export function parseJsonPath(expression: string): JsonPath {
  const [, inBraces, bare] = /^\{\.?([^{}]+)\}$|^\.?([^{}]+)$/.exec(expression) ?? [];
  const path = inBraces ?? bare;
  try {
    if (path === undefined) {
      throw new Malformed('unexpected path string', '.name1.name2 or {.name1.name2}, with no other braces');
    }
    return steps(`.${path}`);
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    throw new JsonPathError(`${error.message} in ${quoted(expression)}: expected ${error.expected}`);
  }
}

class Malformed extends Error {
  readonly expected: string;
  constructor(problem: string, expected: string) {
    super(problem);
    this.expected = expected;
  }
}

/** Scanners, to be set to where they begin. None can match in two ways, so none goes back over what it has read. */
const FIELD = /(?:\\.|[^\\ \t\r\n.,[\]$@{}])*/suy;
const WORD = /[^ \t\r\n.,[\]$@{}]*/uy;
const NUMBER = /[+-]?[.\p{Nd}]*/uy;

function scan(scanner: RegExp, text: string, from: number): string {
  scanner.lastIndex = from;
  return scanner.exec(text)?.[0] ?? '';
}

/** What stands between braces, or on one side of a filter. */
function steps(text: string): JsonPath {
  const found: Step[] = [];
  let at = 0;
  const take = (scanner: RegExp): string => {
    const value = scan(scanner, text, at);
    at += value.length;
    return value;
  };
  const field = (): void => {
    const name = take(FIELD);
    // A backslash takes the next character, and there is none.
    if (text[at] === '\\') throw new Malformed('unclosed action', 'a character after the last "\\"');
    found.push(name === '*' ? { at: 'children' } : { at: 'field', name: name.replaceAll('\\', '') });
  };
  while (at < text.length) {
    const next = String.fromCodePoint(text.codePointAt(at) ?? 0);
    if (text.startsWith('[?(', at)) {
      const end = filterEnd(text, at + 3);
      found.push(filter(text.slice(at + 3, end)));
      at = end + 2;
    } else if (text.startsWith('..', at)) {
      if (found.at(-1)?.at === 'descent')
        throw new Malformed('invalid multiple recursive descent', 'one ".." at a time');
      found.push({ at: 'descent' });
      at += 2;
      if (/^[\p{L}\p{Nd}_]/u.test(text.slice(at, at + 2))) field();
    } else if (next === ' ' || next === '@' || next === '$') {
      // `@` and `$` both stand for what the path is applied to, which is where it begins anyway.
      at += 1;
    } else if (next === '[') {
      const end = text.indexOf(']', at);
      const inside = text.slice(at + 1, end);
      if (end === -1 || inside.includes('\n')) throw new Malformed('unterminated array', 'a "]" for each "["');
      found.push(...subscript(inside));
      at = end + 1;
    } else if (next === '"' || next === "'") {
      const end = quoteEnd(text, at, next);
      found.push({ at: 'text', text: unquote(text.slice(at, end), next) });
      at = end;
    } else if (next === '.') {
      at += 1;
      field();
    } else if (/[+\-\p{Nd}]/u.test(next)) {
      found.push(number(take(NUMBER)));
    } else if (/[\p{L}_]/u.test(next)) {
      found.push(word(take(WORD)));
    } else {
      const name = next === '\n' || next === '\r' ? 'unclosed action' : `unrecognized character ${quoted(next)}`;
      throw new Malformed(name, `.field, ['key'], [index], [?(@.field=="value")] or ..`);
    }
  }
  return found;
}

function word(value: string): Step {
  if (value === 'true' || value === 'false') return { at: 'each', literal: value === 'true' };
  if (value === 'range' || value === 'end') {
    throw new Malformed(`${value} is of no use`, 'one value to wait for, not a template');
  }
  throw new Malformed(
    `unrecognized identifier ${quoted(value)}`,
    'text in quotes, a dot before a field, a backslash before a space in its name',
  );
}

/** Go's int64, as near as JavaScript comes to it: JSON.parse rounds what is beyond 2^53. */
export function isInt64(value: number): boolean {
  return Number.isInteger(value) && value >= -(2 ** 63) && value < 2 ** 63;
}

function number(value: string): Step {
  const parsed = /^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)$/.test(value) ? Number(value) : Number.NaN;
  if (!Number.isFinite(parsed))
    throw new Malformed(`cannot parse number ${quoted(value)}`, 'a number such as 3 or -1.5');
  return { at: 'each', literal: !value.includes('.') && isInt64(parsed) ? parsed : new Float(parsed) };
}

/** What stands in brackets: indices, a slice, a key, or several of them. */
function subscript(inside: string): JsonPath {
  const several = inside.split(',');
  if (several.length > 1) {
    return [{ at: 'union', paths: several.map((one) => steps(`[${one.trim()}]`)) }];
  }
  const key = /^'([^']*)'$/.exec(inside)?.[1];
  // Read like a path: a dot in it divides, unless a backslash stands before it.
  if (key !== undefined) return steps(`.${key}`);
  const [, start, end, by] = /^(-?\d*)(?::(-?\d*))?(?::(-?\d*))?$/.exec(inside === '*' ? ':' : inside) ?? [];
  if (start === undefined) {
    throw new Malformed(
      `invalid array index ${quoted(inside)}`,
      `a number, START:END:STEP, * or 'key' in single quotes`,
    );
  }
  const from = index(start) ?? 0;
  const every = index(by) ?? 1;
  if (every <= 0) throw new Malformed(`step must be > 0, got ${every}`, 'START:END:STEP');
  return [
    { at: 'slice', start: from, end: end === undefined ? from + 1 : index(end), single: end === undefined, by: every },
  ];
}

function index(written: string | undefined): number | undefined {
  if (written === undefined || written === '') return undefined;
  const value = Number(written);
  if (!Number.isSafeInteger(value)) throw new Malformed(`array index ${quoted(written)} is not a number`, 'a number');
  return value;
}

/** Where the `)` is that ends a filter: the first one, but not in the first quoted string. */
function filterEnd(text: string, from: number): number {
  let quote: string | undefined;
  let closed = false;
  for (let at = from; at < text.length && text[at] !== '\n'; at += 1) {
    const character = text[at];
    if (quote === undefined) {
      if (character === '"' || character === "'") quote = character;
    } else if (character === quote && text[at - 1] !== '\\') {
      closed = true;
    }
    if (character === ')' && (quote === undefined || closed)) {
      if (text[at + 1] === ']') return at;
      throw new Malformed('unclosed array', '")]" at the end of a filter, and one comparison in it');
    }
  }
  throw new Malformed('unterminated filter', '")]" at the end of a filter, and quotes in pairs');
}

function filter(text: string): Step {
  const [, left, operator, right] = /^([^!<>=]+)([!<>=]+)(.+)$/s.exec(text) ?? [];
  if (left === undefined || operator === undefined || right === undefined) return { at: 'exists', path: steps(text) };
  const known = OPERATORS.find((one) => one === operator);
  if (known === undefined) {
    throw new Malformed(`unrecognized filter operator ${quoted(operator)}`, OPERATORS.join(', '));
  }
  return { at: 'compare', left: steps(left), operator: known, right: steps(right) };
}

function quoteEnd(text: string, from: number, quote: string): number {
  for (let at = from + 1; at < text.length && text[at] !== '\n'; at += 1) {
    if (text[at] === quote && text[at - 1] !== '\\') return at + 1;
  }
  throw new Malformed('unterminated quoted string', `another ${quote}`);
}

const ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
};

/** With the escapes of a string in Go, but for single bytes above 0x7f, of which no valid text could be made. */
function unquote(text: string, quote: string): string {
  const special = /\\(?:(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8})|([0-7]{3})|(.)|$)|["']/gs;
  return text.slice(1, -1).replace(special, (written, hex?: string, octal?: string, letter?: string) => {
    const code = hex === undefined ? Number.parseInt(octal ?? '', 8) : Number.parseInt(hex.slice(1), 16);
    const wide = hex !== undefined && hex[0] !== 'x';
    const valid = wide ? code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff) : code <= 0x7f;
    if (valid) return String.fromCodePoint(code);
    if (letter === quote || (written !== quote && written.length === 1)) return letter ?? written;
    const character = ESCAPES[letter ?? ''];
    if (character !== undefined) return character;
    throw new Malformed(`invalid escape ${quoted(written)}`, '\\\\, \\n, \\t, \\u00e9 or the quote itself');
  });
}

/** Input as it may stand in a message: on one line, in quotes, every invisible character made visible, cut when long. */
function quoted(input: string): string {
  const shown = input.length > 120 ? `${input.slice(0, 120)}...` : input;
  return JSON.stringify(shown).replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (hidden) => `\\u{${hidden.codePointAt(0)?.toString(16)}}`,
  );
}
