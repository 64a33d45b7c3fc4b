import type { ConnectionOptions } from '../kube/options.ts';
import type { Goal, OnMissing, Plan } from '../wait/plan.ts';
import { type Item, scan } from './argv.ts';
import { parseDuration, parseDurationOrSeconds } from './duration.ts';
import { flagValue, Given, type Sourced } from './given.ts';
import { parseGoal } from './goals.ts';
import { builtInKind } from './kinds.ts';
import { checkContainer, checkName, checkNamespace } from './names.ts';
import type { TargetMode } from './options.ts';
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

  const given = new Given(rest, env, mode);
  const targets = parseTargets(rest);
  if (targets.length === 0) throw new UsageError(`expected a target (${FORMS}), got none; see kube-await --help`);
  const run = targetRun(given, targets, mode);
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
        serviceAccount: given.read('service-account', serviceAccount)?.value ?? 'kube-await',
        explainFailures: given.flag('explain-failures')?.value ?? false,
      };
  }
}

/** Only the first word can be a subcommand: `job check` awaits a Job called check. */
function subcommandOf(item: Item | undefined): Exclude<HelpTopic, 'wait'> | undefined {
  if (item?.is !== 'word') return undefined;
  return (['check', 'rbac', 'completion'] as const).find((subcommand) => subcommand === item.text);
}

function isAsked(items: readonly Item[], name: 'help' | 'version'): boolean {
  return items.some((item) => item.is === 'option' && item.option.name === name && flagValue(item.value, item.shown));
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

/** What the options say, with the targets. */
export function targetRun(given: Given, targets: readonly TargetRequest[], mode: TargetMode): TargetRun {
  const namespace = given.text('namespace');
  if (namespace !== undefined) at(namespace.shown, () => checkNamespace(namespace.value));
  const asGroups = given.many('as-group', (text) => text);
  const as = given.text('as');
  if (asGroups !== undefined && as === undefined) {
    throw new UsageError(`${asGroups.shown}: expected --as as well, got a group without a user`);
  }
  return {
    targets,
    namespace: namespace?.value,
    policy: policy(given, namespace),
    timeoutMs: endless(given.read('timeout', parseDuration)?.value ?? DEFAULT_TIMEOUT_MS[mode]),
    onRefused: given.choice('on-refused', ['fail', 'wait'])?.value ?? 'fail',
    connection: {
      kubeconfig: given.text('kubeconfig')?.value,
      context: given.text('context')?.value,
      server: given.text('server')?.value,
      token: given.text('token')?.value,
      as: as?.value,
      asGroups: asGroups?.value,
      insecureSkipTlsVerify: given.flag('insecure-skip-tls-verify')?.value,
      requestTimeoutMs: given.read('request-timeout', requestTimeout)?.value ?? DEFAULT_REQUEST_TIMEOUT_MS,
    },
    output: {
      format: given.choice('output', ['text', 'json'])?.value ?? 'text',
      quiet: given.flag('quiet')?.value ?? false,
      heartbeatMs: given.read('heartbeat', notNegative)?.value ?? DEFAULT_HEARTBEAT_MS,
      logs: given.read('logs', (text) => count(text, 0))?.value ?? DEFAULT_LOGS,
      terminationLog: given.read('termination-log', (text) => text)?.value,
    },
  };
}

function policy(given: Given, namespace: Sourced<string> | undefined): Policy {
  const allNamespaces = given.flag('all-namespaces');
  // -n on the command line says more than a variable that was set for everybody.
  const overruled = allNamespaces?.from === 'env' && namespace?.from === 'argv';
  return {
    goals: given.many('for', parseGoal),
    allNamespaces: overruled ? undefined : allNamespaces,
    onMissing: given.choice('on-missing', ['wait', 'fail', 'succeed']),
    missingGraceMs: given.read('missing-grace', notNegative),
    expect: given.read('expect', (text) => count(text, 1)),
    atLeast: given.read('at-least', (text) => count(text, 1)),
    container: given.read('container', container),
    stuckAfterMs: given.read('stuck-after', notNegative),
  };
}

/** What is wrong with a built-in kind is told now, and not after a kubeconfig was looked for. */
export function checkBuiltIns(run: TargetRun): void {
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

function serviceAccount(text: string): string {
  checkName(text, builtInKind('serviceaccount'));
  return text;
}

function container(text: string): string {
  checkContainer(text);
  return text;
}

function count(text: string, least: number): number {
  if (!/^\d{1,9}$/.test(text) || Number(text) < least) {
    throw new UsageError(`expected a whole number of at least ${least}, got ${quote(text)}`);
  }
  return Number(text);
}
