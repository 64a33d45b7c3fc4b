/**
 * The one table of options. Parsing, the environment, help and shell completion all read it.
 */

/** What the program is asked to do with its targets. */
export type TargetMode = 'wait' | 'check' | 'rbac';

export type OptionGroup = 'Targets' | 'Waiting' | 'Connection' | 'Output' | 'rbac only' | 'Help';

interface OptionEntry {
  readonly name: string;
  readonly short?: string;
  /** `seconds`: a duration that may lack its unit. A boolean takes no value, but for `--name=false`. */
  readonly type: 'boolean' | 'string' | 'duration' | 'seconds' | 'count' | 'enum';
  readonly choices?: readonly string[];
  /** What its value is called in help. */
  readonly value?: string;
  /** Most options stand once. `each kind`: once behind each kind that it selects objects of. */
  readonly repeat?: 'any' | 'each kind';
  /**
   * Whether KUBE_AWAIT_NAME sets it. `no`: it belongs to one kind of one command line, or asks for something else than
   * a wait, so that set for a whole chart it could only surprise.
   */
  readonly env: 'yes' | 'no';
  readonly modes: readonly TargetMode[];
  readonly group: OptionGroup;
  readonly help: string;
  /** For help only: where a default is fixed, the code that uses it says so. */
  readonly defaultText?: string;
}

/**
 * check and rbac take every option of a wait, also those that change nothing for them, so that the arguments of a
 * wait can be put behind them as they are.
 */
const ALL_MODES: readonly TargetMode[] = ['wait', 'check', 'rbac'];

export const OPTIONS = [
  {
    name: 'selector',
    short: 'l',
    type: 'string',
    value: 'SELECTOR',
    repeat: 'each kind',
    env: 'no',
    modes: ALL_MODES,
    group: 'Targets',
    help: 'objects of the kind before it, by their labels: app=db,tier!=cache',
  },
  {
    name: 'field-selector',
    type: 'string',
    value: 'SELECTOR',
    repeat: 'each kind',
    env: 'no',
    modes: ALL_MODES,
    group: 'Targets',
    help: 'objects of the kind before it, by their fields',
  },
  {
    name: 'all',
    type: 'boolean',
    repeat: 'each kind',
    env: 'no',
    modes: ALL_MODES,
    group: 'Targets',
    help: 'all objects of the kind before it',
  },
  {
    name: 'namespace',
    short: 'n',
    type: 'string',
    value: 'NAME',
    env: 'yes',
    modes: ALL_MODES,
    group: 'Targets',
    help: 'namespace of targets that name none',
    defaultText: "the context's",
  },
  {
    name: 'all-namespaces',
    short: 'A',
    type: 'boolean',
    env: 'yes',
    modes: ALL_MODES,
    group: 'Targets',
    help: 'selectors look in every namespace',
  },
  {
    name: 'for',
    type: 'string',
    value: 'GOAL',
    repeat: 'any',
    env: 'yes',
    modes: ALL_MODES,
    group: 'Waiting',
    help:
      'complete, finished, ready, create, delete, condition=TYPE[=STATUS] or jsonpath=EXPR[=VALUE]; ' +
      'repeated: all must hold',
    defaultText: "the kind's own meaning of done",
  },
  {
    name: 'timeout',
    type: 'duration',
    value: 'DURATION',
    env: 'yes',
    modes: ALL_MODES,
    group: 'Waiting',
    help: 'for the whole run; 0: look once, negative: for ever',
    defaultText: '10m',
  },
  {
    name: 'on-missing',
    type: 'enum',
    choices: ['wait', 'fail', 'succeed'],
    env: 'yes',
    modes: ALL_MODES,
    group: 'Waiting',
    help: 'what a target means that is not there once the grace is over',
    defaultText: 'wait',
  },
  {
    name: 'missing-grace',
    type: 'duration',
    value: 'DURATION',
    env: 'yes',
    modes: ALL_MODES,
    group: 'Waiting',
    help: 'how long a target may be missing before --on-missing decides',
    defaultText: '10s; 60s under succeed',
  },
  {
    name: 'on-refused',
    type: 'enum',
    choices: ['fail', 'wait'],
    env: 'yes',
    modes: ALL_MODES,
    group: 'Waiting',
    help: 'what a lasting 401 or 403 means',
    defaultText: 'fail',
  },
  {
    name: 'at-least',
    type: 'count',
    value: 'N',
    env: 'yes',
    modes: ALL_MODES,
    group: 'Waiting',
    help: "of a selector's objects, so many are enough",
    defaultText: 'all',
  },
  {
    name: 'expect',
    type: 'count',
    value: 'N',
    env: 'yes',
    modes: ALL_MODES,
    group: 'Waiting',
    help: 'a selector must find at least so many objects first',
    defaultText: '1',
  },
  {
    name: 'container',
    type: 'string',
    value: 'NAME',
    env: 'yes',
    modes: ALL_MODES,
    group: 'Waiting',
    help: 'of a pod, wait for this container only',
  },
  {
    name: 'stuck-after',
    type: 'duration',
    value: 'DURATION',
    env: 'yes',
    modes: ALL_MODES,
    group: 'Waiting',
    help: 'fail when a container has been stuck for this long: image pull, crash loop, unschedulable, ...',
    defaultText: 'off',
  },
  {
    name: 'context',
    type: 'string',
    value: 'NAME',
    env: 'yes',
    modes: ALL_MODES,
    group: 'Connection',
    help: 'context of the kubeconfig',
  },
  {
    name: 'kubeconfig',
    type: 'string',
    value: 'PATH',
    env: 'yes',
    modes: ALL_MODES,
    group: 'Connection',
    help: 'kubeconfig file to use instead of $KUBECONFIG',
  },
  {
    name: 'as',
    type: 'string',
    value: 'USER',
    env: 'yes',
    modes: ALL_MODES,
    group: 'Connection',
    help: 'user to impersonate',
  },
  {
    name: 'as-group',
    type: 'string',
    value: 'GROUP',
    repeat: 'any',
    env: 'yes',
    modes: ALL_MODES,
    group: 'Connection',
    help: 'group to impersonate, may be repeated',
  },
  {
    name: 'server',
    short: 's',
    type: 'string',
    value: 'URL',
    env: 'yes',
    modes: ALL_MODES,
    group: 'Connection',
    help: 'address of the API server',
  },
  {
    name: 'token',
    type: 'string',
    value: 'TOKEN',
    env: 'yes',
    modes: ALL_MODES,
    group: 'Connection',
    help: 'bearer token; KUBE_AWAIT_TOKEN does not show in ps',
  },
  {
    name: 'insecure-skip-tls-verify',
    type: 'boolean',
    env: 'yes',
    modes: ALL_MODES,
    group: 'Connection',
    help: "do not check the server's certificate",
  },
  {
    name: 'request-timeout',
    type: 'seconds',
    value: 'DURATION',
    env: 'yes',
    modes: ALL_MODES,
    group: 'Connection',
    help: 'for every request but watches; 0: none',
    defaultText: '30s',
  },
  {
    name: 'output',
    short: 'o',
    type: 'enum',
    choices: ['text', 'json'],
    env: 'yes',
    modes: ALL_MODES,
    group: 'Output',
    help: 'form of the output',
    defaultText: 'text',
  },
  {
    name: 'quiet',
    short: 'q',
    type: 'boolean',
    env: 'yes',
    modes: ALL_MODES,
    group: 'Output',
    help: 'results only, no progress',
  },
  {
    name: 'heartbeat',
    type: 'duration',
    value: 'DURATION',
    env: 'yes',
    modes: ALL_MODES,
    group: 'Output',
    help: 'how often to say what is still awaited; 0: never',
    defaultText: '30s',
  },
  {
    name: 'logs',
    type: 'count',
    value: 'N',
    env: 'yes',
    modes: ALL_MODES,
    group: 'Output',
    help: 'on failure, the last N log lines of failed containers',
    defaultText: '20',
  },
  {
    name: 'termination-log',
    type: 'string',
    value: 'PATH',
    env: 'yes',
    modes: ALL_MODES,
    group: 'Output',
    help: 'file for the one-line verdict of an end other than 0 and 2',
    defaultText: '/dev/termination-log, in a pod',
  },
  {
    name: 'service-account',
    type: 'string',
    value: 'NAME',
    env: 'yes',
    modes: ['rbac'],
    group: 'rbac only',
    help: 'ServiceAccount to bind the Role to',
    defaultText: 'kube-await',
  },
  {
    name: 'explain-failures',
    type: 'boolean',
    env: 'yes',
    modes: ['rbac'],
    group: 'rbac only',
    help: 'add what it takes to show pods and logs of a failure',
  },
  {
    name: 'help',
    short: 'h',
    type: 'boolean',
    env: 'no',
    modes: ALL_MODES,
    group: 'Help',
    help: 'show this help',
  },
  {
    name: 'version',
    type: 'boolean',
    env: 'no',
    modes: ALL_MODES,
    group: 'Help',
    help: 'show the version',
  },
] as const satisfies readonly OptionEntry[];

export type OptionName = (typeof OPTIONS)[number]['name'];

/** One row of the table. */
export interface Option extends OptionEntry {
  readonly name: OptionName;
}

const byName: ReadonlyMap<string, Option> = new Map<string, Option>(OPTIONS.map((option) => [option.name, option]));
const byShort: ReadonlyMap<string, Option> = new Map<string, Option>(
  OPTIONS.flatMap((option: Option) => (option.short === undefined ? [] : [[option.short, option] as const])),
);

export function optionByName(name: string): Option | undefined {
  return byName.get(name);
}

export function optionByShort(letter: string): Option | undefined {
  return byShort.get(letter);
}

/** The variable that sets an option: KUBE_AWAIT_ON_MISSING for --on-missing. */
export function variableOf(option: Option): string {
  return `KUBE_AWAIT_${option.name.toUpperCase().replaceAll('-', '_')}`;
}
