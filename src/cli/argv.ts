import { OPTIONS, type Option, optionByName, optionByShort } from './options.ts';
import { suggest } from './suggest.ts';
import { orList, quote, UsageError } from './usage-error.ts';

/** One thing on the command line, in the order in which it stood there. */
export type Item =
  | { readonly is: 'word'; readonly text: string }
  | {
      readonly is: 'option';
      readonly option: Option;
      /** Undefined only for a boolean without `=`. */
      readonly value: string | undefined;
      /** As the user wrote its name: `-n` or `--namespace`. */
      readonly shown: string;
    };

export interface Scan {
  readonly items: readonly Item[];
  /** What stands behind `--`. Undefined: there was no `--`. */
  readonly command: readonly string[] | undefined;
}

/**
 * Splits the command line as kubectl's own parser (pflag) does: `--name value`, `--name=value`, `-n value`, `-nvalue`,
 * `-n=value`, `-qA`; an option that takes a value takes the next argument, whatever that begins with, so `--timeout -1s`
 * works; options and words in any order; nothing behind `--` is looked at.
 *
 * No parser of a library does this. yargs splits `-lapp=db` into letters, turns the name `1e3` into a number, does not
 * tell behind which word an option stood, and costs every run 18 ms and 16 MB: so it is loaded only to print help.
 * Node's util.parseArgs takes `-q=false` for six options.
 * https://github.com/spf13/pflag#command-line-flag-syntax
 */
export function scan(argv: readonly string[]): Scan {
  const end = commandStart(argv);
  return { items: end.items, command: end.at === undefined ? undefined : argv.slice(end.at) };
}

function commandStart(argv: readonly string[]): { items: Item[]; at: number | undefined } {
  const items: Item[] = [];
  let index = 0;
  const next = (): string | undefined => argv[index++];
  for (let argument = next(); argument !== undefined; argument = next()) {
    if (argument === '--') return { items, at: index };
    if (argument.startsWith('--')) items.push(long(argument, next));
    else if (argument.startsWith('-') && argument !== '-') items.push(...short(argument, next));
    else items.push({ is: 'word', text: argument });
  }
  return { items, at: undefined };
}

function long(argument: string, next: () => string | undefined): Item {
  const equals = argument.indexOf('=');
  const name = equals === -1 ? argument.slice(2) : argument.slice(2, equals);
  const shown = `--${name}`;
  const option = optionByName(name);
  if (option === undefined) throw unknownOption(name, argument);
  const inline = equals === -1 ? undefined : argument.slice(equals + 1);
  return withValue(option, shown, inline, next);
}

/** Short options may stand together; the first that takes a value takes the rest of the argument for it. */
function short(argument: string, next: () => string | undefined): Item[] {
  const items: Item[] = [];
  for (let at = 1; at < argument.length; at++) {
    const shown = `-${argument[at]}`;
    const option = optionByShort(argument[at] ?? '');
    if (option === undefined) throw new UsageError(`unknown option ${quote(argument)}`);
    const rest = argument.slice(at + 1);
    if (option.type !== 'boolean' || rest.startsWith('=')) {
      // Charts that were written for k8s-wait-for have the name and its value in one argument: "-l app=db".
      const inline = rest === '' ? undefined : rest.replace(/^=/, '').trim();
      items.push(withValue(option, shown, inline, next));
      return items;
    }
    items.push({ is: 'option', option, value: undefined, shown });
  }
  return items;
}

function withValue(option: Option, shown: string, inline: string | undefined, next: () => string | undefined): Item {
  if (option.type === 'boolean' || inline !== undefined) return { is: 'option', option, value: inline, shown };
  const value = next();
  if (value === undefined) throw new UsageError(`${shown}: expected ${expectedValue(option)}, got nothing`);
  return { is: 'option', option, value, shown };
}

function expectedValue(option: Option): string {
  return option.choices === undefined ? `a value (${option.value ?? 'VALUE'})` : orList(option.choices);
}

function unknownOption(name: string, argument: string): UsageError {
  const [first = '', ...rest] = name.split(/\s/);
  if (rest.length > 0 && optionByName(first) !== undefined) {
    return new UsageError(`expected --${first} and its value as two arguments, got one: ${quote(argument)}`);
  }
  const near = suggest(
    name,
    OPTIONS.map((option) => option.name),
  );
  const hint = near === undefined ? '' : `, did you mean --${near}?`;
  return new UsageError(`unknown option ${quote(`--${name}`)}${hint}`);
}
