import type { ConnectionOptions } from '../kube/options.ts';
import type { Goal, OnMissing, Plan } from '../wait/plan.ts';
import { type Item, scan } from './argv.ts';
import { parseDuration, parseDurationOrSeconds } from './duration.ts';
import { parseGoal } from './goals.ts';
import { checkContainer, checkNamespace } from './names.ts';
import { OPTIONS, type Option, type OptionName, type TargetMode, variableOf } from './options.ts';
import { buildTarget } from './plan.ts';
import { FORMS, parseTargets, type TargetRequest } from './targets.ts';
import { at, quote, UsageError } from './usage-error.ts';

/** What the user wants, before the connection and unknown kinds are looked at. */
export type Invocation =
  | WaitInvocation
  | CheckInvocation
  | RbacInvocation
  | { readonly mode: 'completion'; readonly shell: Shell }
  | { readonly mode: 'help'; readonly topic: HelpTopic }
  | { readonly mode: 'version' };

export type Shell = 'bash' | 'zsh';
export type HelpTopic = TargetMode | 'completion';

/** What every mode with targets has. */
export interface TargetRun {
  /** Never empty. */
  readonly targets: readonly TargetRequest[];
  /** Of -n. Undefined: the connection's. */
  readonly namespace: string | undefined;
  readonly policy: Policy;
  readonly timeoutMs: number;
  readonly onRefused: Plan['onRefused'];
  readonly connection: ConnectionOptions;
  readonly output: OutputOptions;
}

export interface WaitInvocation extends TargetRun {
  readonly mode: 'wait';
  /** What to run once every target is reached. Never empty. */
  readonly command: readonly string[] | undefined;
}

export interface CheckInvocation extends TargetRun {
  readonly mode: 'check';
}

export interface RbacInvocation extends TargetRun {
  readonly mode: 'rbac';
  readonly serviceAccount: string;
  readonly explainFailures: boolean;
}

export interface OutputOptions {
  readonly format: 'text' | 'json';
  readonly quiet: boolean;
  /** 0: none. */
  readonly heartbeatMs: number;
  /** How many log lines of each failed container. */
  readonly logs: number;
  /** Undefined: the kubelet's own file, in a pod. Empty: none. */
  readonly terminationLog: string | undefined;
}

/** A value and where it came from: what the environment sets for a whole chart is ignored where it does not apply. */
export interface Sourced<T> {
  readonly value: T;
  readonly from: 'argv' | 'env';
  /** `--expect` or `KUBE_AWAIT_EXPECT`: what messages call it. */
  readonly shown: string;
}

/** What applies to some targets and not to others. Undefined: not set. */
export interface Policy {
  readonly goals: Sourced<readonly Goal[]> | undefined;
  readonly allNamespaces: Sourced<boolean> | undefined;
  readonly onMissing: Sourced<OnMissing> | undefined;
  readonly missingGraceMs: Sourced<number> | undefined;
  readonly expect: Sourced<number> | undefined;
  readonly atLeast: Sourced<number> | undefined;
  readonly container: Sourced<string> | undefined;
  /** 0: off. */
  readonly stuckAfterMs: Sourced<number> | undefined;
}

export type Environment = Readonly<Record<string, string | undefined>>;

const SECOND_MS = 1000;
const DEFAULT_TIMEOUT_MS: Readonly<Record<TargetMode, number>> = {
  wait: 600 * SECOND_MS,
  check: 10 * SECOND_MS,
  rbac: 600 * SECOND_MS,
};
const DEFAULT_REQUEST_TIMEOUT_MS = 30 * SECOND_MS;
const DEFAULT_HEARTBEAT_MS = 30 * SECOND_MS;
const DEFAULT_LOGS = 20;

/**
 * The command line (without the program's own name) and the environment, understood and checked as far as that can be
 * done without a cluster. Throws a UsageError, and nothing else.
 */
export function parse(argv: readonly string[], env: Environment): Invocation {
  const { items, command } = scan(argv);
  const firstWord = items.findIndex((item) => item.is === 'word');
  const subcommand = subcommandOf(items[firstWord]);
  const mode = subcommand ?? 'wait';

  if (isAsked(items, 'help')) return { mode: 'help', topic: mode };
  if (isAsked(items, 'version')) return { mode: 'version' };

  const rest = subcommand === undefined ? items : items.toSpliced(firstWord, 1);
  if (mode === 'completion') return parseCompletion(rest, env);
  if (command !== undefined && mode !== 'wait') {
    throw new UsageError(`${mode}: expected no COMMAND, got ${quote(['--', ...command].join(' '))}`);
  }
  if (command?.length === 0) throw new UsageError('--: expected a COMMAND behind it, got nothing');

  const options = new Options(rest, env, mode);
  const targets = parseTargets(rest);
  if (targets.length === 0) throw new UsageError(`expected a target (${FORMS}), got none; see kube-await --help`);
  const run = targetRun(options, targets, mode);
  checkBuiltIns(run);
  switch (mode) {
    case 'wait':
      return { mode, ...run, command };
    case 'check':
      return { mode, ...run };
    case 'rbac':
      return {
        mode,
        ...run,
        serviceAccount: options.text('service-account')?.value ?? 'kube-await',
        explainFailures: options.flag('explain-failures')?.value ?? false,
      };
  }
}

/** Only the first word can be a subcommand: `job check` awaits a Job called check. */
function subcommandOf(item: Item | undefined): Exclude<HelpTopic, 'wait'> | undefined {
  if (item?.is !== 'word') return undefined;
  return (['check', 'rbac', 'completion'] as const).find((subcommand) => subcommand === item.text);
}

function isAsked(items: readonly Item[], name: 'help' | 'version'): boolean {
  return items.some((item) => item.is === 'option' && item.option.name === name && flagValue(item.value, name));
}

function parseCompletion(items: readonly Item[], env: Environment): Invocation {
  const [extra] = items.filter((item) => item.is === 'option');
  if (extra !== undefined) throw new UsageError(`completion: expected no option, got ${quote(extra.shown)}`);
  const [word, ...more] = items.filter((item) => item.is === 'word').map(({ text }) => text);
  if (more.length > 0 || (word !== undefined && word !== 'bash' && word !== 'zsh')) {
    throw new UsageError(`completion: expected bash or zsh, got ${quote([word, ...more].join(' '))}`);
  }
  return { mode: 'completion', shell: word ?? (env.SHELL?.endsWith('zsh') ? 'zsh' : 'bash') };
}

function targetRun(options: Options, targets: readonly TargetRequest[], mode: TargetMode): TargetRun {
  const namespace = options.text('namespace');
  if (namespace !== undefined) at(namespace.shown, () => checkNamespace(namespace.value));
  const asGroups = options.many('as-group', (text) => text);
  const as = options.text('as');
  if (asGroups !== undefined && as === undefined) {
    throw new UsageError(`${asGroups.shown}: expected --as as well, got a group without a user`);
  }
  return {
    targets,
    namespace: namespace?.value,
    policy: policy(options, namespace),
    timeoutMs: endless(options.read('timeout', parseDuration)?.value ?? DEFAULT_TIMEOUT_MS[mode]),
    onRefused: options.choice('on-refused', ['fail', 'wait'])?.value ?? 'fail',
    connection: {
      kubeconfig: options.text('kubeconfig')?.value,
      context: options.text('context')?.value,
      server: options.text('server')?.value,
      token: options.text('token')?.value,
      as: as?.value,
      asGroups: asGroups?.value,
      insecureSkipTlsVerify: options.flag('insecure-skip-tls-verify')?.value,
      requestTimeoutMs: options.read('request-timeout', requestTimeout)?.value ?? DEFAULT_REQUEST_TIMEOUT_MS,
    },
    output: {
      format: options.choice('output', ['text', 'json'])?.value ?? 'text',
      quiet: options.flag('quiet')?.value ?? false,
      heartbeatMs: options.read('heartbeat', notNegative)?.value ?? DEFAULT_HEARTBEAT_MS,
      logs: options.read('logs', (text) => count(text, 0))?.value ?? DEFAULT_LOGS,
      terminationLog: options.read('termination-log', (text) => text)?.value,
    },
  };
}

function policy(options: Options, namespace: Sourced<string> | undefined): Policy {
  const allNamespaces = options.flag('all-namespaces');
  // -n on the command line says more than a variable that was set for everybody.
  const overruled = allNamespaces?.from === 'env' && namespace?.from === 'argv';
  return {
    goals: options.many('for', parseGoal),
    allNamespaces: overruled ? undefined : allNamespaces,
    onMissing: options.choice('on-missing', ['wait', 'fail', 'succeed']),
    missingGraceMs: options.read('missing-grace', notNegative),
    expect: options.read('expect', (text) => count(text, 1)),
    atLeast: options.read('at-least', (text) => count(text, 1)),
    container: options.read('container', (text) => {
      checkContainer(text);
      return text;
    }),
    stuckAfterMs: options.read('stuck-after', notNegative),
  };
}

/** What is wrong with a built-in kind is told now, and not after a kubeconfig was looked for. */
function checkBuiltIns(run: TargetRun): void {
  for (const request of run.targets) {
    if (request.builtIn !== undefined) buildTarget(run, request, request.builtIn, { namespace: '', self: undefined });
  }
}

/** A negative timeout means for ever. */
function endless(ms: number): number {
  return ms < 0 ? Number.POSITIVE_INFINITY : ms;
}

function notNegative(text: string): number {
  const ms = parseDuration(text);
  if (ms < 0) throw new UsageError(`expected a duration of 0 or more, got ${quote(text)}`);
  return ms;
}

function requestTimeout(text: string): number {
  const ms = parseDurationOrSeconds(text);
  if (ms < 0) throw new UsageError(`expected a duration of 0 (none) or more, got ${quote(text)}`);
  return ms;
}

function count(text: string, least: number): number {
  if (!/^\d{1,9}$/.test(text) || Number(text) < least) {
    throw new UsageError(`expected a whole number of at least ${least}, got ${quote(text)}`);
  }
  return Number(text);
}

/** The words that pflag takes for a boolean. https://pkg.go.dev/strconv#ParseBool */
function flagValue(text: string | undefined, shown: string): boolean {
  if (text === undefined || /^(1|t|T|true|TRUE|True)$/.test(text)) return true;
  if (/^(0|f|F|false|FALSE|False)$/.test(text)) return false;
  throw new UsageError(`${shown}: expected true or false, got ${quote(text)}`);
}

/** The values of the options, each from the command line or else from its variable. */
class Options {
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

type Given = readonly [OptionName, Sourced<readonly (string | undefined)[]>];

function fromArguments(items: readonly Item[], mode: TargetMode): Given[] {
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
      const values = [...earlier.value, value].filter((one) => one !== undefined).map(quote);
      const both = values.length === 0 ? '' : `: ${values.join(' and ')}`;
      throw new UsageError(`${shown}: expected it once, got it twice${both}`);
    }
  }
  return [...given];
}

/**
 * Only variables with the exact name of an option are looked at: a Service called kube-await puts KUBE_AWAIT_PORT and
 * KUBE_AWAIT_SERVICE_HOST into every pod of its namespace.
 * https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
 */
function fromEnvironment(env: Environment, mode: TargetMode): Given[] {
  return OPTIONS.flatMap((option: Option): Given[] => {
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

function orList(words: readonly string[]): string {
  return `${words.slice(0, -1).join(', ')} or ${words.at(-1) ?? ''}`;
}
