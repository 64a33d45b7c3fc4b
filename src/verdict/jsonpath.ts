import { EvaluationError, evaluate, isNested, printed } from './jsonpath/evaluate.ts';
import type { JsonPath } from './jsonpath/parse.ts';

export { type JsonPath, JsonPathError, parseJsonPath } from './jsonpath/parse.ts';

/** What an object comes to under a JSONPath. `reached` is true now and may cease to be. */
export type JsonPathOutcome =
  | {
      readonly state: 'pending' | 'reached';
      /** What the path finds now, on one line and short. Undefined: nothing. */
      readonly shown: string | undefined;
    }
  | {
      readonly state: 'failed';
      readonly shown: string | undefined;
      /** Why no comparison can be made, in kubectl's words. */
      readonly problem: string;
    };

/**
 * Whether a path may find something in the status of the object that it is applied to. `{$.status.x}` begins with a
 * field that has no name, which is the object itself, and a wildcard may find anything.
 */
export function readsStatus(path: JsonPath): boolean {
  const first = path.find((step) => !(step.at === 'field' && step.name === ''));
  switch (first?.at) {
    case 'field':
      return first.name === 'status';
    case 'union':
      return first.paths.some(readsStatus);
    case 'text':
    case 'each':
      return false;
    default:
      return true;
  }
}

/**
 * Judges an object, whole as the API server sent it, by `kubectl wait --for=jsonpath=`. Without a value it is enough
 * that the path finds something, be it null or empty. With one, what it finds is compared as Go prints it, the white
 * space round it aside: a number as 3 or 1.5, a boolean as true, null as <nil>. Nothing found is pending; what kubectl
 * ends with an error at is `failed`: more than one value, a list or map against a value, an index out of bounds.
 * https://github.com/kubernetes/kubectl/blob/v0.36.3/pkg/cmd/wait/json.go
 */
export function judgeJsonPath(path: JsonPath, value: string | undefined, object: unknown): JsonPathOutcome {
  try {
    return judgeResults(evaluate(path, object), value);
  } catch (error) {
    if (!(error instanceof EvaluationError)) throw error;
    return { state: 'failed', shown: undefined, problem: error.message };
  }
}

function judgeResults(results: readonly unknown[], value: string | undefined): JsonPathOutcome {
  if (results.length === 0) return { state: 'pending', shown: undefined };
  const shown = short(results);
  if (results.length > 1) {
    return { state: 'failed', shown, problem: 'given jsonpath expression matches more than one value' };
  }
  if (value === undefined) return { state: 'reached', shown };
  if (isNested(results[0])) {
    return { state: 'failed', shown, problem: 'jsonpath leads to a nested object or list which is not supported' };
  }
  return { state: printed(results[0]).trim() === value.trim() ? 'reached' : 'pending', shown };
}

/** Of several results the first three, of a long one the beginning. */
function short(results: readonly unknown[]): string {
  const first = results.slice(0, 3).map((result) => {
    const text = printed(result);
    return text.length > 60 ? `${text.slice(0, 60)}...` : text;
  });
  return (results.length > 3 ? [...first, '...'] : first).join(', ');
}
