/** The command lines and variables that are refused before any server is asked: each with one line that names the fault. */
import { describe, expect, test } from 'vitest';
import { parse } from '../../../src/cli/invocation.ts';
import { UsageError } from '../../../src/cli/usage-error.ts';

function refusalOf(args: readonly string[], env: Readonly<Record<string, string>> = {}): string {
  try {
    parse(args, env);
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  throw new Error('it is not refused');
}

/** Arguments, split at spaces or as they are, and what the line must name. */
type Row = readonly [args: string | readonly string[], named: string];

const rows: Readonly<Record<string, readonly Row[]>> = {
  targets: [
    ['', 'expected a target'],
    ['job', '"job" alone'],
    ['job a pod b', '"pod/b"'],
    ['job/a pod b/c', '"pod b/c"'],
    ['a/b/c/d', '"a/b/c/d"'],
    ['job/', '"job/"'],
    ['/a', '"/a"'],
    ['job/Migrate', '"Migrate"'],
    ['job/a b', '"b"'],
    ['pod,job/a', '"pod,job/a"'],
    ['INFRA/job/a', '"INFRA"'],
    ['infra/node/a', '"infra/node/a"'],
    ['infra/node --all', '"infra/node --all"'],
    ['job/a -A', '-A: expected a selector'],
    ['infra/pod -l a=b -A', '-A: expected a kind without a namespace'],
    ['job -l a=b -l c=d', '-l: expected it once'],
    ['-- true', 'expected a target'],
    ['job/a --', '--: expected a COMMAND'],
  ],
  options: [
    ['job/a --no-such-option', '"--no-such-option"'],
    ['job/a --timeuot=1s', 'did you mean --timeout?'],
    ['job/a -x', '"-x"'],
    ['job/a --timeout', '--timeout'],
    ['job/a --timeout=1s --timeout=2s', '--timeout: expected it once'],
    ['job/a --quiet=perhaps', '"perhaps"'],
    ['job/a --on-missing=ignore', '"ignore"'],
    ['job/a --on-refused=ignore', '"ignore"'],
    ['job/a --for=done', '"done"'],
    ['deploy/a --for=complete', '"deployment/a"'],
    ['svc/a --for=finished', '"service/a"'],
    ['job/a --for=condition=', '"condition="'],
    ['job/a --for=condition=!Complete', 'condition=Complete=false'],
    ['job/a --for=jsonpath={.status', '"jsonpath={.status"'],
    ['job/a --container=app', '--container: expected a pod, got "job/a"'],
    ['pod/a --container=app --for=condition=Ready', '--container: expected --for ready, complete or finished'],
    ['pod -l a=b --for=create --expect=2', '--expect: expected another goal'],
    ['pod -l a=b --for=delete --at-least=1', '--at-least: expected another goal'],
    ['job/a --for=delete --on-missing=fail', '--on-missing: expected another goal'],
    ['job/a --for=create --missing-grace=1s', '--missing-grace: expected another goal'],
    ['job/a --for=delete --stuck-after=1s', '--stuck-after: expected another goal'],
    ['pod/a --for=create --container=app', '--container: expected another goal'],
    ['job/a -n UPPER', '"UPPER"'],
    ['job/a --as-group=x', '--as-group'],
  ],
  durations: [
    ['job/a --timeout=10', '"10"'],
    ['job/a --timeout=ten', '"ten"'],
    ['job/a --timeout=', '--timeout'],
    ['job/a --timeout=1d', '"1d"'],
    ['job/a --missing-grace=-1s', '"-1s"'],
    ['job/a --stuck-after=soon', '"soon"'],
    ['job/a --heartbeat=5', '"5"'],
  ],
  numbers: [
    ['pod -l a=b --expect=0', '"0"'],
    ['pod -l a=b --expect=many', '"many"'],
    ['pod -l a=b --at-least=-1', '"-1"'],
    ['pod/a --expect=2', '"pod/a"'],
    ['job/a --at-least=1', '"job/a"'],
  ],
  selectors: [
    [['pod', '-l', ''], '-l'],
    [['pod', '-l', 'a=b=c'], '"a=b=c"'],
    [['pod', '-l', 'a in b'], '"a in b"'],
    [['pod', '-l', 'a in (b'], '"a in (b"'],
    [['pod', '-l', '-a=b'], '"-a=b"'],
    ['pod -l a=b -l c=d', '-l: expected it once'],
    ['-l a=b', '-l: expected a kind'],
    ['-l a=b pod job', '-l'],
    ['pod a -l a=b', '"pod/a"'],
    ['pod --all -l a=b', '--all'],
    ['pod --field-selector x', '--field-selector'],
    ['pod a --field-selector metadata.name=b', '"pod/a"'],
  ],
};

for (const [what, list] of Object.entries(rows)) {
  describe(what, () => {
    for (const [args, named] of list) {
      const given = typeof args === 'string' ? args.split(' ').filter((word) => word !== '') : args;
      const shown = given.map((word) => (word === '' || word.includes(' ') ? `"${word}"` : word)).join(' ');
      test(`kube-await ${shown}`.trimEnd(), () => {
        const message = refusalOf(given);
        expect(message).toMatch(/^[^\n]+$/);
        expect(message).toContain(named);
      });
    }
  });
}

const variables: readonly (readonly [name: string, value: string])[] = [
  ['KUBE_AWAIT_TIMEOUT', '10'],
  ['KUBE_AWAIT_ON_MISSING', 'ignore'],
  ['KUBE_AWAIT_MISSING_GRACE', 'soon'],
  ['KUBE_AWAIT_EXPECT', 'x'],
  ['KUBE_AWAIT_AT_LEAST', '0'],
  ['KUBE_AWAIT_FOR', 'done'],
  ['KUBE_AWAIT_HEARTBEAT', 'often'],
  ['KUBE_AWAIT_QUIET', 'perhaps'],
  ['KUBE_AWAIT_NAMESPACE', 'UPPER'],
];

test.each(variables)('%s=%s', (name, value) => {
  expect(refusalOf(['pod', '-l', 'a=b'], { [name]: value })).toMatch(new RegExp(`^${name}: [^\n]*"${value}"[^\n]*$`));
});
