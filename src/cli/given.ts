import type { Item } from './argv.ts';
import type { Environment } from './invocation.ts';
import { OPTIONS, type Option, type OptionName, type TargetMode, variableOf } from './options.ts';
import { at, orList, quote, UsageError } from './usage-error.ts';

/** A value and where it came from: what the environment sets for a whole chart is ignored where it does not apply. */
export interface Sourced<T> {
  readonly value: T;
  readonly from: 'argv' | 'env';
  /** `--expect` or `KUBE_AWAIT_EXPECT`: what messages call it. */
  readonly shown: string;
}

/** The values of the options, each from the command line or else from its variable. */
export class Given {
  readonly #given: ReadonlyMap<OptionName, Sourced<readonly (string | undefined)[]>>;

  constructor(items: readonly Item[], env: Environment, mode: TargetMode) {
    this.#given = new Map([...fromEnvironment(env, mode), ...fromArguments(items, mode)]);
  }

  /** An option that is given once, read by `read`. */
  read<T>(name: OptionName, read: (text: string) => T): Sourced<T> | undefined {
    const given = this.#given.get(name);
    if (given === undefined) return undefined;
    return { ...given, value: at(given.shown, () => read(given.value[0] ?? '')) };
  }

  /** As kubectl has it, an empty text is as good as none. */
  text(name: OptionName): Sourced<string> | undefined {
    const text = this.read(name, (value) => value);
    return text?.value === '' ? undefined : text;
  }

  flag(name: OptionName): Sourced<boolean> | undefined {
    const given = this.#given.get(name);
    return given && { ...given, value: flagValue(given.value[0], given.shown) };
  }

  choice<const T extends string>(name: OptionName, choices: readonly T[]): Sourced<T> | undefined {
    return this.read(name, (text) => {
      const choice = choices.find((one) => one === text);
      if (choice === undefined) throw new UsageError(`expected ${orList(choices)}, got ${quote(text)}`);
      return choice;
    });
  }

  many<T>(name: OptionName, read: (text: string) => T): Sourced<readonly T[]> | undefined {
    const given = this.#given.get(name);
    if (given === undefined) return undefined;
    return { ...given, value: at(given.shown, () => given.value.map((text) => read(text ?? ''))) };
  }
}

type Entry = readonly [OptionName, Sourced<readonly (string | undefined)[]>];

function fromArguments(items: readonly Item[], mode: TargetMode): Entry[] {
  const given = new Map<OptionName, Sourced<(string | undefined)[]>>();
  for (const item of items) {
    if (item.is !== 'option' || item.option.repeat === 'each kind') continue;
    const { option, value, shown } = item;
    if (!option.modes.includes(mode)) {
      throw new UsageError(`${shown}: expected it with ${option.modes.join(' or ')} only, got it without`);
    }
    const earlier = given.get(option.name);
    if (earlier === undefined) {
      given.set(option.name, { value: [value], from: 'argv', shown });
    } else if (option.repeat === 'any') {
      earlier.value.push(value);
    } else {
      throw new UsageError(`${shown}: expected it once, got it twice${bothValues(option, earlier.value[0], value)}`);
    }
  }
  return [...given];
}

function bothValues(option: Option, first: string | undefined, second: string | undefined): string {
  // Messages end up in logs, where a token must not be.
  if (first === undefined || second === undefined || option.name === 'token') return '';
  return `: ${quote(first)} and ${quote(second)}`;
}

/**
 * Only variables with the exact name of an option are looked at: a Service called kube-await puts KUBE_AWAIT_PORT and
 * KUBE_AWAIT_SERVICE_HOST into every pod of its namespace.
 * https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
 */
function fromEnvironment(env: Environment, mode: TargetMode): Entry[] {
  return OPTIONS.flatMap((option: Option): Entry[] => {
    const shown = variableOf(option);
    const text = env[shown];
    if (option.env === 'no' || !option.modes.includes(mode) || text === undefined || text === '') return [];
    // A repeated option has one value a line there: commas belong to JSONPath and to the names of groups.
    const value = option.repeat === 'any' ? lines(text) : [text];
    return value.length === 0 ? [] : [[option.name, { value, from: 'env', shown }]];
  });
}

function lines(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

/** The words that pflag takes for a boolean. https://pkg.go.dev/strconv#ParseBool */
export function flagValue(text: string | undefined, shown: string): boolean {
  if (text === undefined || /^(1|t|T|true|TRUE|True)$/.test(text)) return true;
  if (/^(0|f|F|false|FALSE|False)$/.test(text)) return false;
  throw new UsageError(`${shown}: expected true or false, got ${quote(text)}`);
}
