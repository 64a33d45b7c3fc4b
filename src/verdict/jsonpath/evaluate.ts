import { assertNever } from '../../assert-never.ts';
import { Float, isInt64, type JsonPath, type Operator, type Step } from './parse.ts';

/**
 * What a path finds in an object, as kubectl has it: a missing field is no result, a list that is shorter than an index
 * or something other than a list in its place is an error. null is a value.
 * https://github.com/kubernetes/client-go/blob/v0.36.3/util/jsonpath/jsonpath.go
 * @throws EvaluationError
 */
export function evaluate(path: JsonPath, object: unknown): readonly unknown[] {
  return walk(path, [object], { left: BUDGET });
}

/** kubectl's own words. */
export class EvaluationError extends Error {}

/**
 * How many values may be looked at: some times the number that fits in one object (etcd takes 1.5 MiB), and a moment's
 * work. A path with several `..` multiplies them.
 */
const BUDGET = 5_000_000;
type Budget = { left: number };

function spend(budget: Budget, count: number): void {
  budget.left -= count;
  if (budget.left < 0) throw new EvaluationError('given jsonpath expression looks at too many values');
}

function walk(path: JsonPath, values: readonly unknown[], budget: Budget): readonly unknown[] {
  let found = values;
  for (const step of path) {
    found = take(step, found, budget);
    spend(budget, found.length + 1);
  }
  return found;
}

function take(step: Step, values: readonly unknown[], budget: Budget): readonly unknown[] {
  switch (step.at) {
    case 'field':
      return values
        .filter((value) => isMap(value))
        .filter((map) => Object.hasOwn(map, step.name))
        .map((map) => map[step.name]);
    case 'slice':
      return slice(step, values);
    case 'children':
      return values.flatMap((value) => childrenOf(value, budget));
    case 'descent':
      return descent(values, budget);
    case 'union':
      return step.paths.flatMap((path) => walk(path, values, budget));
    case 'exists':
      return elements(values).filter((element) => exists(step.path, element, budget));
    case 'compare':
      return elements(values).filter((element) => {
        const left = operand(step.left, element, budget);
        if (left.length === 0) return false;
        const right = operand(step.right, element, budget);
        return right.length > 0 && compare(left[0], step.operator, right[0]);
      });
    case 'text':
      return [step.text];
    case 'each':
      return values.map(() => step.literal);
    default:
      return assertNever(step);
  }
}

function slice(step: Extract<Step, { at: 'slice' }>, values: readonly unknown[]): readonly unknown[] {
  const found: unknown[] = [];
  for (const list of values) {
    if (isNull(list)) continue;
    if (!Array.isArray(list)) throw new EvaluationError(`${typeName(list)} is not array or slice`);
    const { length } = list;
    const start = step.start < 0 ? step.start + length : step.start;
    let end = step.end ?? length;
    if (end < 0 || (end === 0 && step.single)) end += length;
    // As in kubectl, lists after an empty slice are not looked at.
    if (start === end) return found;
    if (start >= length || start < 0) throw outOfBounds(start, length);
    if (end > length || end < 0) throw outOfBounds(end - 1, length);
    if (start > end) throw new EvaluationError(`starting index ${start} is greater than ending index ${end}`);
    for (let at = start; at < end; at += step.by) found.push(list[at]);
  }
  return found;
}

function outOfBounds(index: number, length: number): EvaluationError {
  return new EvaluationError(`array index out of bounds: index ${index}, length ${length}`);
}

/** What is directly in a value. A string is made of its bytes, as in Go. */
function childrenOf(value: unknown, budget: Budget): readonly unknown[] {
  if (typeof value === 'string') {
    spend(budget, value.length);
    return [...Buffer.from(value)];
  }
  const children = Array.isArray(value) ? value : isMap(value) ? Object.values(value) : [];
  spend(budget, children.length);
  return children;
}

/** All that is not empty, from the top down. No recursion: an object may be nested deeper than the stack allows. */
function descent(values: readonly unknown[], budget: Budget): readonly unknown[] {
  const found: unknown[] = [];
  const ahead = values.toReversed();
  while (ahead.length > 0) {
    const value = ahead.pop();
    if (typeof value === 'string') {
      if (value !== '') found.push(value);
      continue;
    }
    const children = childrenOf(value, budget);
    if (children.length === 0) continue;
    found.push(value);
    for (let at = children.length - 1; at >= 0; at -= 1) ahead.push(children[at]);
  }
  return found;
}

/** The elements that a filter chooses from. */
function elements(values: readonly unknown[]): readonly unknown[] {
  return values.flatMap((value) => {
    if (Array.isArray(value)) return value;
    throw new EvaluationError(`${printed(value)} is not array or slice and cannot be filtered`);
  });
}

function exists(path: JsonPath, element: unknown, budget: Budget): boolean {
  try {
    return walk(path, [element], budget).length > 0;
  } catch (error) {
    // kubectl overlooks an error here, such as an index out of bounds, and takes the element.
    if (error instanceof EvaluationError) return true;
    throw error;
  }
}

/** One side of a comparison: nothing, or one value. */
function operand(path: JsonPath, element: unknown, budget: Budget): readonly unknown[] {
  const found = walk(path, [element], budget);
  if (found.length > 1) throw new EvaluationError('can only compare one element at a time');
  return found;
}

/**
 * Values of different types are not unequal but cannot be compared, and an integer is not of a fraction's type.
 * https://github.com/kubernetes/client-go/blob/v0.36.3/third_party/forked/golang/template/funcs.go
 */
function compare(left: unknown, operator: Operator, right: unknown): boolean {
  const type = basicType(left);
  const other = basicType(right);
  if (type === undefined || other === undefined) throw new EvaluationError('invalid type for comparison');
  if (type !== other) throw new EvaluationError('incompatible types for comparison');
  const [a, b] = [plain(left), plain(right)];
  if (operator === '==') return a === b;
  if (operator === '!=') return a !== b;
  if (type === 'bool') throw new EvaluationError('invalid type for comparison');
  const order =
    type === 'string' ? Buffer.compare(Buffer.from(String(a)), Buffer.from(String(b))) : Number(a) - Number(b);
  switch (operator) {
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    case '>=':
      return order >= 0;
    default:
      return assertNever(operator);
  }
}

function plain(value: unknown): unknown {
  return value instanceof Float ? value.value : value;
}

/** Go's types of a scalar. A number of the API without a fraction is an integer: the API server writes no 1.0. */
function basicType(value: unknown): 'string' | 'bool' | 'int64' | 'float64' | undefined {
  if (typeof value === 'string') return 'string';
  if (typeof value === 'boolean') return 'bool';
  if (value instanceof Float) return 'float64';
  if (typeof value === 'number') return isInt64(value) ? 'int64' : 'float64';
  return undefined;
}

/** Of what is no list. */
function typeName(value: unknown): string {
  return basicType(value) ?? 'map[string]interface {}';
}

function isNull(value: unknown): value is null | undefined {
  return value === null || value === undefined;
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Float);
}

/** Whether a value is a list or a map, which no text is equal to. */
export function isNested(value: unknown): boolean {
  return Array.isArray(value) || isMap(value);
}

/** A value as Go prints it with %v and kubectl compares it, but for lists and maps, which are only hinted at. */
export function printed(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? '[]' : '[...]';
  if (isMap(value)) return Object.keys(value).length === 0 ? 'map[]' : 'map[...]';
  if (isNull(value)) return '<nil>';
  const scalar = plain(value);
  if (typeof scalar !== 'number') return String(scalar);
  return isInt64(scalar) ? String(BigInt(scalar)) : fraction(scalar);
}

/** Go writes an exponent sooner than JavaScript: from a million on, and below a ten-thousandth. */
function fraction(value: number): string {
  const [digits = '', exponent = ''] = value.toExponential().split('e');
  const power = Number(exponent);
  if (power >= -4 && power < 6) return String(value);
  return `${digits}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`;
}
