import type { Item } from '../cli/argv.ts';
import { Given } from '../cli/given.ts';
import { checkBuiltIns, type TargetRun, targetRun } from '../cli/invocation.ts';
import { checkKindWord, checkNamespace } from '../cli/names.ts';
import { OPTIONS, type Option, type OptionName, optionByName } from '../cli/options.ts';
import { parseTargets, type TargetRequest, targetsOf } from '../cli/targets.ts';
import { at, orList, quote, UsageError } from '../cli/usage-error.ts';
import type { Target, WaitOptions } from '../index.ts';

/** Options of the command that have no meaning here, or that belong to a target. */
const NOT_HERE: readonly OptionName[] = [
  'selector',
  'field-selector',
  'all',
  'output',
  'quiet',
  'termination-log',
  'help',
  'version',
];

/** What only a program can give. */
const OWN = ['signal', 'onEvent'];

const OPTION_OF: ReadonlyMap<string, Option> = new Map(
  OPTIONS.filter(({ modes, name }: Option) => modes.includes('wait') && !NOT_HERE.includes(name)).map((option) => [
    camelCase(option.name),
    option,
  ]),
);

/**
 * Targets and options as the command line would have given them, so that they are checked by the same rules.
 * @throws UsageError
 */
export function toTargetRun(targets: readonly Target[], options: WaitOptions): TargetRun {
  const requests = targets.flatMap(request);
  if (requests.length === 0) throw new UsageError('expected a target, got none');
  const run = targetRun(new Given(optionItems(options), {}, 'wait'), requests, 'wait');
  checkBuiltIns(run);
  return run;
}

/** The name that an option of the command has here: `onMissing` for `--on-missing`. */
export function camelCase(name: string): string {
  return name.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}

function request(target: Target): readonly TargetRequest[] {
  if (typeof target === 'string') {
    if (!target.includes('/')) throw new UsageError(`expected KIND/NAME or an object, got ${quote(target)}`);
    return parseTargets([{ is: 'word', text: target }]);
  }
  if (typeof target !== 'object' || target === null || typeof target.kind !== 'string') {
    throw new UsageError(`expected KIND/NAME or an object with a kind, got ${quote(String(target))}`);
  }
  const { kind, namespace } = target;
  const items = selection(target);
  checkKindWord(kind);
  if (namespace !== undefined) at('namespace', () => checkNamespace(namespace));
  if (items.length === 0) throw new UsageError(`${kind}: expected a name, a labelSelector, a fieldSelector or all`);
  return targetsOf(kind, items).map((each) => ({ ...each, namespace }));
}

/** The fields of a target, and what each holds. */
const FIELDS: Readonly<Record<string, 'string' | 'boolean'>> = {
  kind: 'string',
  namespace: 'string',
  name: 'string',
  labelSelector: 'string',
  fieldSelector: 'string',
  all: 'boolean',
};

/** A field that is undefined is one that is not there. */
function selection(target: Exclude<Target, string>): Item[] {
  for (const [key, value] of Object.entries(target)) {
    const type = FIELDS[key];
    if (type === undefined) throw new UsageError(`expected ${orList(Object.keys(FIELDS))}, got ${quote(key)}`);
    if (value !== undefined && typeof value !== type)
      throw new UsageError(`${key}: expected a ${type}, got ${quote(String(value))}`);
  }
  return [
    ...('name' in target && target.name !== undefined ? [{ is: 'word', text: target.name } as const] : []),
    ...('labelSelector' in target ? bound('selector', 'labelSelector', target.labelSelector) : []),
    ...('fieldSelector' in target ? bound('field-selector', 'fieldSelector', target.fieldSelector) : []),
    ...('all' in target && target.all === true ? bound('all', 'all', 'true') : []),
  ];
}

function bound(name: OptionName, shown: string, value: string | undefined): Item[] {
  const option = optionByName(name);
  return option === undefined || value === undefined ? [] : [{ is: 'option', option, value, shown }];
}

function optionItems(options: WaitOptions): Item[] {
  return Object.entries(options).flatMap(([shown, given]): Item[] => {
    if (OWN.includes(shown) || given === undefined) return [];
    const option = OPTION_OF.get(shown);
    if (option === undefined) throw new UsageError(`unknown option ${quote(shown)}`);
    const values: readonly unknown[] = option.repeat === 'any' && Array.isArray(given) ? given : [given];
    return values.map((value) => ({ is: 'option', option, value: textOf(option, value), shown }));
  });
}

/** Numbers are milliseconds where the command line wants a unit. */
function textOf({ type }: Option, value: unknown): string {
  if (typeof value !== 'number' || (type !== 'duration' && type !== 'seconds')) return String(value);
  return value === Number.POSITIVE_INFINITY ? '-1ms' : `${value}ms`;
}
