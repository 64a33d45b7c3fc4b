import { quote, UsageError } from './usage-error.ts';

/**
 * Label selectors, as the API server parses them, so that a mistake is told before anything is asked.
 * https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors
 * https://github.com/kubernetes/apimachinery/blob/v0.36.3/pkg/labels/selector.go
 */

type Sign = '(' | ')' | ',' | '!' | '=' | '==' | '!=' | '<' | '>';
type Token =
  | { readonly is: Sign | 'end'; readonly text: string; readonly at: number }
  | { readonly is: 'word'; readonly text: string; readonly at: number };

/** Only these are white space to the API server; any other character belongs to a word, and fails there. */
const SPACE = /[ \t\r\n]+/y;
const SIGN = /==|!=|[=!(),<>]/y;
const WORD = /[^ \t\r\n=!(),<>]+/y;
const QUOTED = /^(["'])(.*)\1$/s;

/**
 * A label selector, checked; gives the text to send and to show: the user's own, trimmed, white space put together.
 * Quotes round the whole are taken off: in a chart's args no shell is there to do it. Throws a UsageError that says
 * where it stopped making sense.
 */
export function parseLabelSelector(input: string): string {
  const text = input
    .trim()
    .replace(QUOTED, '$2')
    .trim()
    .replace(/[ \t\r\n]+/g, ' ');
  if (text === '') throw new UsageError(`expected a label selector such as app=db, got ${quote(input)}`);
  new Parser(text).parse();
  return text;
}

class Parser {
  readonly #text: string;
  readonly #tokens: readonly Token[];
  #next = 0;

  constructor(text: string) {
    this.#text = text;
    this.#tokens = tokens(text);
  }

  parse(): void {
    for (;;) {
      this.#requirement();
      const token = this.#take();
      if (token.is === 'end') return;
      if (token.is !== ',') throw this.#unexpected('"," or the end', token);
    }
  }

  #requirement(): void {
    const negated = this.#peek().is === '!';
    if (negated) this.#take();
    const key = this.#take();
    if (key.is !== 'word') throw this.#unexpected('a label key', key);
    this.#check(key, labelKeyProblem(key.text), 'a label key');

    const after = this.#peek();
    if (after.is === 'end' || after.is === ',') return;
    if (negated) throw this.#unexpected('"," or the end', after);
    this.#take();
    switch (after.is === 'word' ? after.text : after.is) {
      case 'in':
      case 'notin':
        this.#set();
        break;
      case '=':
      case '==':
      case '!=':
        this.#exact();
        break;
      case '<':
      case '>':
        this.#integer();
        break;
      default:
        throw this.#unexpected('"=", "!=", "in", "notin", "<", ">", "," or the end', after);
    }
  }

  /** An empty value is legal: `app=` finds objects whose label app is empty. */
  #exact(): void {
    const { is } = this.#peek();
    if (is === 'end' || is === ',') return;
    this.#value();
  }

  #integer(): void {
    const token = this.#take();
    // ParseInt of Go: a sign, digits, and at most 64 bits.
    const value =
      token.is === 'word' && /^[-+]?\d+$/.test(token.text) ? BigInt(token.text.replace('+', '')) : undefined;
    if (value === undefined || BigInt.asIntN(64, value) !== value) throw this.#unexpected('a whole number', token);
    this.#check(token, labelValueProblem(token.text), 'a label value');
  }

  #set(): void {
    const open = this.#take();
    if (open.is !== '(') throw this.#unexpected('"("', open);
    // Values may be empty, so any row of values and commas is legal, but no two values without a comma between.
    for (;;) {
      if (this.#peek().is === 'word') this.#value();
      const token = this.#take();
      if (token.is === ')') return;
      if (token.is !== ',') throw this.#unexpected('"," or ")"', token);
    }
  }

  #value(): void {
    const token = this.#take();
    if (token.is !== 'word') throw this.#unexpected('a label value', token);
    this.#check(token, labelValueProblem(token.text), 'a label value');
  }

  #peek(): Token {
    return this.#tokens[this.#next] ?? { is: 'end', text: '', at: this.#text.length };
  }

  #take(): Token {
    const token = this.#peek();
    this.#next++;
    return token;
  }

  #check(token: Token, problem: string | undefined, what: string): void {
    if (problem !== undefined) throw new UsageError(`expected ${what} ${problem}, got ${this.#where(token)}`);
  }

  #unexpected(expected: string, token: Token): UsageError {
    return new UsageError(`expected ${expected}, got ${this.#where(token)}`);
  }

  #where(token: Token): string {
    if (token.is === 'end') return `the end of ${quote(this.#text)}`;
    return `${quote(token.text)} at character ${token.at + 1} of ${quote(this.#text)}`;
  }
}

function tokens(text: string): Token[] {
  const found: Token[] = [];
  let at = 0;
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    return pattern.exec(text)?.[0];
  };
  while (at < text.length) {
    const space = match(SPACE);
    if (space !== undefined) {
      at += space.length;
      continue;
    }
    const sign = match(SIGN);
    const part = sign ?? match(WORD) ?? '';
    found.push(sign === undefined ? { is: 'word', text: part, at } : { is: sign as Sign, text: part, at });
    at += part.length;
  }
  return found;
}

const NAME = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;
const DNS_SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set */
function labelKeyProblem(key: string): string | undefined {
  const slash = key.indexOf('/');
  const prefix = slash === -1 ? undefined : key.slice(0, slash);
  const name = key.slice(slash + 1);
  if (prefix !== undefined && (!DNS_SUBDOMAIN.test(prefix) || prefix.length > 253)) {
    return 'whose prefix is a DNS name (example.com/app)';
  }
  if (name.length > 63) return 'of at most 63 characters';
  if (!NAME.test(name)) return 'of letters, digits, "-", "_" and "."';
  return undefined;
}

function labelValueProblem(value: string): string | undefined {
  if (value.length > 63) return 'of at most 63 characters';
  if (value !== '' && !NAME.test(value)) return 'of letters, digits, "-", "_" and "."';
  return undefined;
}

/**
 * A field selector (`status.phase!=Failed,metadata.name=x`), checked; gives the text to send: the user's, trimmed.
 * Which fields a kind has only the API server knows. In a value "\", "," and "=" stand behind a backslash.
 * https://kubernetes.io/docs/concepts/overview/working-with-objects/field-selectors/
 * https://github.com/kubernetes/apimachinery/blob/v0.36.3/pkg/fields/selector.go
 */
export function parseFieldSelector(input: string): string {
  const text = input.trim().replace(QUOTED, '$2').trim();
  const terms = splitTerms(text);
  if (terms.length === 0) {
    throw new UsageError(`expected a field selector such as status.phase=Running, got ${quote(input)}`);
  }
  for (const term of terms) {
    const parts = /^(.*?)(!=|==|=)(.*)$/s.exec(term);
    const [, field = '', , value = ''] = parts ?? [];
    if (field.trim() === '') throw new UsageError(`expected FIELD=VALUE or FIELD!=VALUE, ${got(term, text)}`);
    if (!/^([^\\,=]|\\[\\,=])*$/s.test(value)) {
      throw new UsageError(`expected a value in which "\\", "," and "=" stand behind a "\\", ${got(term, text)}`);
    }
  }
  return text;
}

/** At the commas that have no backslash before them. The API server passes over empty terms. */
function splitTerms(text: string): string[] {
  return text.match(/(?:\\.|[^\\,]|\\$)+/gs) ?? [];
}

function got(part: string, whole: string): string {
  return part === whole ? `got ${quote(whole)}` : `got ${quote(part)} in ${quote(whole)}`;
}
