import { scan } from './argv.ts';
import { Given } from './given.ts';
import { checkBuiltIns, type Environment, targetRun, type WaitInvocation } from './invocation.ts';
import type { OptionName } from './options.ts';
import type { Preset } from './presets.ts';
import { parseLabelSelector } from './selector.ts';
import { targetsOf } from './targets.ts';
import { at, quote, UsageError } from './usage-error.ts';

/** What a call as wait_for.sh asks for. */
export type ScriptCall =
  /** Fewer than two arguments. */
  { readonly call: 'usage' } | { readonly call: 'unknown kind'; readonly kind: string } | ScriptWait;

export interface ScriptWait {
  readonly call: 'wait';
  readonly invocation: WaitInvocation;
  /** The target as its lines show it: the kind without its suffix, and the arguments as they were given. */
  readonly shown: string;
  /** How much is told on standard error, besides what goes wrong. */
  readonly debug: Level;
  /** How often standard error says what is still awaited; 0: never. */
  readonly heartbeatMs: number;
}

/** The values of DEBUG and of TREAT_ERRORS_AS_READY. */
export type Level = 0 | 1 | 2;

type Kind = 'job' | 'pod' | 'service';

/** What each kind means by how errors count: they do not (0), they are as good as ready (1), one success is enough (2). */
const MEANINGS: Readonly<Record<Kind, readonly [Preset, Preset, Preset]>> = {
  job: ['wait_for.sh job', 'job-we', 'job-wr'],
  pod: ['wait_for.sh pod', 'pod-we', 'pod-wr'],
  service: ['wait_for.sh service', 'wait_for.sh service-we', 'wait_for.sh service-wr'],
};

/** The options that kubectl has as well and that say which objects are meant, and where they are. */
const OPTIONS: readonly OptionName[] = [
  'selector',
  'field-selector',
  'namespace',
  'all-namespaces',
  'context',
  'kubeconfig',
  'as',
  'as-group',
  'server',
  'token',
  'insecure-skip-tls-verify',
  'request-timeout',
];

const DEFAULT_WAIT_TIME_MS = 2_000;
/** WAIT_TIME=0 would print lines as fast as they can be written. */
const SHORTEST_WAIT_TIME_MS = 100;

/**
 * The arguments of k8s-wait-for's wait_for.sh (without the program's own name) and its environment, as an invocation
 * like any other. The first argument is a kind and the second a name or a selector; every argument behind them is split
 * at white space, since the script hands them to kubectl in that way. Throws a UsageError, and nothing else.
 * https://github.com/groundnuty/k8s-wait-for
 */
export function parseWaitForSh(argv: readonly string[], env: Environment): ScriptCall {
  const [word, subject, ...rest] = argv;
  if (word === undefined || subject === undefined) return { call: 'usage' };
  const [, kind, suffix] = /^(job|pod|service(?!-))(?:-(we|wr))?$/.exec(word) ?? [];
  if (!isKind(kind)) return { call: 'unknown kind', kind: word };

  const preset = MEANINGS[kind][suffix === undefined ? errorsAsReady(env) : suffix === 'we' ? 1 : 2];
  const { items, command } = scan(tokens(subject, rest));
  if (command !== undefined) throw new UsageError('expected names and options of kubectl, got "--"');
  for (const item of items) {
    if (item.is === 'option' && !OPTIONS.includes(item.option.name)) throw notOfKubectl(item.shown);
  }
  const given = new Given(items, env, 'wait');
  const run = targetRun(given, targetsOf(preset, items), 'wait');
  checkBuiltIns(run);
  return {
    call: 'wait',
    invocation: {
      mode: 'wait',
      command: undefined,
      ...run,
      timeoutMs: given.text('timeout') === undefined ? Number.POSITIVE_INFINITY : run.timeoutMs,
      output: { ...run.output, heartbeatMs: waitTime(env) },
    },
    shown: [kind, subject, rest.join(' ')].filter((part, index) => index < 2 || part !== '').join(' '),
    debug: debugLevel(env),
    heartbeatMs: run.output.heartbeatMs,
  };
}

function isKind(word: string | undefined): word is Kind {
  return word !== undefined && Object.hasOwn(MEANINGS, word);
}

/** A set-based selector in an argument of its own has white space in it that separates nothing. */
function tokens(subject: string, rest: readonly string[]): readonly string[] {
  const split = [subject];
  for (const argument of rest) {
    const before = split.at(-1);
    if ((before === '-l' || before === '--selector') && isSelector(argument)) split.push(argument);
    else split.push(...argument.split(/[ \t\n]+/).filter((part) => part !== ''));
  }
  return split;
}

function isSelector(text: string): boolean {
  try {
    parseLabelSelector(text);
    return true;
  } catch (error) {
    if (error instanceof UsageError) return false;
    throw error;
  }
}

function notOfKubectl(shown: string): UsageError {
  const known = OPTIONS.map((name) => `--${name}`).join(', ');
  return new UsageError(`${shown}: expected one of the options ${known}`);
}

function errorsAsReady(env: Environment): Level {
  const text = env.TREAT_ERRORS_AS_READY?.trim() || '0';
  const level = levelOf(text);
  if (level === undefined) throw new UsageError(`TREAT_ERRORS_AS_READY: expected 0, 1 or 2, got ${quote(text)}`);
  return level;
}

/** Other programs use a variable of this name too, with values of their own: those mean nothing here. */
function debugLevel(env: Environment): Level {
  const text = env.DEBUG?.trim() ?? '';
  return levelOf(text) ?? (/^\d+$/.test(text) ? 2 : 0);
}

function levelOf(text: string): Level | undefined {
  return ([0, 1, 2] as const).find((level) => /^\d+$/.test(text) && Number(text) === level);
}

const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Seconds, or whatever else sleep(1) takes: `2`, `0.5`, `1m`. */
function waitTime(env: Environment): number {
  const text = env.WAIT_TIME?.trim() ?? '';
  if (text === '') return DEFAULT_WAIT_TIME_MS;
  return at('WAIT_TIME', () => {
    const [, amount, unit = 's'] = /^(\d+\.?\d*|\.\d+)([smhd]?)$/.exec(text) ?? [];
    if (amount === undefined) throw new UsageError(`expected seconds, such as 2, got ${quote(text)}`);
    return Math.max(SHORTEST_WAIT_TIME_MS, Number(amount) * (UNIT_MS[unit || 's'] ?? 0));
  });
}
