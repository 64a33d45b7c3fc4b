import { assertNever } from '../assert-never.ts';
import type { ApiResource } from '../kube/resource.ts';
import type { Goal } from '../wait/plan.ts';
import { quote, UsageError } from './usage-error.ts';

const EXPECTED = 'expected complete, finished, ready, create, delete, condition=TYPE[=STATUS] or jsonpath=EXPR[=VALUE]';

/**
 * One value of --for. Conditions and JSONPath are split as kubectl splits them; the path itself is parsed later, with
 * `{.` and `}` round it as kubectl puts them there.
 * https://github.com/kubernetes/kubectl/blob/v0.36.3/pkg/cmd/wait/wait.go
 */
export function parseGoal(text: string): Goal {
  const word = text.toLowerCase();
  switch (word) {
    case 'complete':
    case 'finished':
    case 'ready':
    case 'create':
    case 'delete':
      return { for: word };
  }
  if (text.startsWith('condition=')) return parseCondition(text);
  if (text.startsWith('jsonpath=')) return parseJsonPath(text);
  throw new UsageError(`${EXPECTED}, got ${quote(text)}`);
}

/** How a goal is shown: in the form in which it can be typed, but for those that only k8s-wait-for's kinds have. */
export function goalText(goal: Goal): string {
  switch (goal.for) {
    case 'condition':
      return `condition=${goal.type}=${goal.status}`;
    case 'jsonpath':
      return `jsonpath=${goal.expression}${goal.value === undefined ? '' : `=${goal.value}`}`;
    case 'default':
    case 'complete':
    case 'finished':
    case 'ready':
    case 'settled':
    case 'partly':
    case 'create':
    case 'delete':
      return goal.for;
    default:
      return assertNever(goal);
  }
}

function parseCondition(text: string): Goal {
  const condition = text.slice('condition='.length);
  const equals = condition.indexOf('=');
  const type = equals === -1 ? condition : condition.slice(0, equals);
  const status = equals === -1 ? 'True' : condition.slice(equals + 1);
  if (type === '' || status === '') throw new UsageError(`expected condition=TYPE[=STATUS], got ${quote(text)}`);
  if (type.startsWith('!')) {
    // kubectl takes it for a type of that name, which no object has, and waits in vain.
    throw new UsageError(`expected condition=${type.slice(1)}=false for a negation, got ${quote(text)}`);
  }
  return { for: 'condition', type, status };
}

function parseJsonPath(text: string): Goal {
  const [path = '', value, ...more] = splitAtSingleEquals(text.slice('jsonpath='.length));
  if (more.length > 0) {
    throw new UsageError(`expected jsonpath=EXPR[=VALUE] with one "=" before VALUE, got ${quote(text)}`);
  }
  const expression = relaxed(path);
  if (expression === undefined) {
    throw new UsageError(`expected jsonpath={.field}[=VALUE], such as jsonpath={.status.phase}, got ${quote(text)}`);
  }
  if (value === undefined) return { for: 'jsonpath', expression };
  const wanted = value.replace(/^['"]+|['"]+$/g, '');
  if (wanted === '') throw new UsageError(`expected a value after the "=" of jsonpath=EXPR=VALUE, got ${quote(text)}`);
  return { for: 'jsonpath', expression, value: wanted };
}

/** At each single `=`: a double one belongs to a filter such as `[?(@.type=="Ready")]`. */
function splitAtSingleEquals(text: string): string[] {
  const parts = [''];
  for (const part of text.match(/==|=|[^=]+/g) ?? []) {
    if (part === '=') parts.push('');
    else parts[parts.length - 1] += part;
  }
  return parts;
}

/**
 * `status.phase`, `.status.phase` and `{status.phase}` all become `{.status.phase}`. Quotes round it are taken off: in
 * a chart's args there is no shell to do it.
 * https://github.com/kubernetes/kubectl/blob/v0.36.3/pkg/cmd/get/customcolumn.go
 */
function relaxed(path: string): string | undefined {
  const [, inBraces, bare] = /^\{\.?([^{}]+)\}$|^\.?([^{}]+)$/.exec(path.trim().replace(/^(['"])(.*)\1$/s, '$2')) ?? [];
  const field = inBraces ?? bare;
  return field === undefined ? undefined : `{.${field}}`;
}

/** The kinds that run to an end, for which `complete` and `finished` have a meaning. */
const RUN_TO_END: readonly (readonly [group: string, name: string])[] = [
  ['batch', 'jobs'],
  ['batch', 'cronjobs'],
  ['', 'pods'],
];

export function applies(goal: Goal, resource: ApiResource): boolean {
  if (goal.for !== 'complete' && goal.for !== 'finished') return true;
  return RUN_TO_END.some(([group, name]) => resource.group === group && resource.name === name);
}
