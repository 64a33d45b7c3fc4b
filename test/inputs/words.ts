/** What is typed, or stands in the environment. */
import fc from 'fast-check';
import { parseDuration, parseDurationOrSeconds } from '../../src/cli/duration.ts';
import { parse } from '../../src/cli/invocation.ts';
import { OPTIONS } from '../../src/cli/options.ts';
import { parseFieldSelector, parseLabelSelector } from '../../src/cli/selector.ts';
import { UsageError } from '../../src/cli/usage-error.ts';
import { JsonPathError, judgeJsonPath, parseJsonPath } from '../../src/verdict/jsonpath.ts';
import { anyCharacter, type InputKind, inputKind, refusalBy } from './kind.ts';
import { anyJson } from './objects.ts';

const option = fc.constantFrom(
  ...OPTIONS.flatMap(({ name }) => [`--${name}`, `--${name}=`]),
  ...['-l', '-n', '-A', '-q', '-o', '-s', '-x'],
);
const word = fc.constantFrom(
  ...['job', 'pod', 'a', 'job/a', 'infra/pod', 'infra/job/a', 'pod,job', 'node', 'ct', 'job-we'],
  ...['check', 'rbac', 'completion', 'bash'],
);
const value = fc.constantFrom(
  ...['app=db', '5s', '-1s', '5', 'a', 'json', 'wait', 'complete', 'delete', 'condition=A', 'true'],
  ...['', 'a\nb', '\u2028', '--'],
);
const argument = fc.oneof(
  option,
  word,
  value,
  fc.string({ unit: 'grapheme' }),
  fc
    .tuple(fc.oneof(option, word), fc.constantFrom('', '=', '/', ','), fc.oneof(value, word))
    .map((parts) => parts.join('')),
);
/** What may well be taken. */
const start = fc.constantFrom<readonly string[]>(
  [],
  ['job/a'],
  ['pod', '-l', 'app=db'],
  ['job', 'a'],
  ['rbac', 'job/a'],
);
const env = fc.dictionary(
  fc.constantFrom(...OPTIONS.map(({ name }) => `KUBE_AWAIT_${name.toUpperCase().replaceAll('-', '_')}`)),
  fc.oneof(value, fc.string()),
  { maxKeys: 2 },
);

/** Texts made of these parts, and any others. */
const textOf = (...parts: readonly string[]): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 6, arbitrary: joined(fc.constantFrom(...parts)) },
    { weight: 3, arbitrary: joined(fc.oneof(fc.constantFrom(...parts), fc.string({ maxLength: 2 }))) },
    { weight: 1, arbitrary: fc.string({ unit: anyCharacter }) },
  );
const joined = (part: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.array(part, { maxLength: 8 }).map((all) => all.join(''));

const expression = textOf(
  ...['.a', '.b', '..', '..a', '.*', '[0]', '[-1]', '[*]', '[1:]', "['a']", "['a','b']", '[0,*]', ' '],
  ...['[?(@.a)]', '[?(@.a==1)]', '[?(@.b=="x")]', '[?(@..a<@.b)]', ' "t"', ' 1.5', '[?(@==true)]'],
  ...['[', ']', '(', ')', '?', '"', "'", '\\', '{', '}', '\n', ',', '=', '-', '$', '@', '*', 'é', '😀'],
);

const selector = textOf(
  ...['app=x', 'tier!=y', 'a in (b,c)', '!k', 'k', ',', ',', 'a/b', '==', '(', ')', '!', '/', '\\', '.'],
);

export const WORDS: readonly InputKind[] = [
  inputKind('command lines and variables', fc.tuple(start, fc.array(argument, { maxLength: 6 }), env), (given) =>
    refusalBy(UsageError, () => {
      const [first, more, variables] = given;
      const invocation = parse([...first, ...more], variables);
      if ('targets' in invocation && invocation.targets.length === 0) throw new Error('no targets');
    }),
  ),
  inputKind(
    'durations',
    textOf(...['1h', '5m', '90s', '1.5s', '300ms', '0', '-', '+', '7', '.', 'h', 'µs', '9'.repeat(20)]),
    (text) =>
      refusalBy(UsageError, () => {
        for (const read of [parseDuration, parseDurationOrSeconds]) {
          if (!Number.isSafeInteger(Math.trunc(read(text)))) throw new Error('not a number');
        }
      }),
  ),
  inputKind('label selectors', selector, (text) => refusalBy(UsageError, () => parseLabelSelector(text))),
  inputKind('field selectors', selector, (text) => refusalBy(UsageError, () => parseFieldSelector(text))),
  inputKind(
    'jsonpaths, with an object and a value to compare',
    fc.tuple(expression, fc.oneof(anyJson, fc.anything()), fc.option(fc.string(), { nil: undefined })),
    ([text, object, wanted]) =>
      refusalBy(JsonPathError, () => {
        const path = parseJsonPath(text);
        const outcome = judgeJsonPath(path, wanted, object);
        if ((outcome.state === 'failed') !== 'problem' in outcome) throw new Error('a failure without a problem');
      }),
  ),
];
