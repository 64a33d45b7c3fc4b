/** The command line of k8s-wait-for's wait_for.sh: the spellings of one wait, and the arguments that are refused. */
import { describe, expect, test } from 'vitest';
import { UsageError } from '../../../src/cli/usage-error.ts';
import { parseWaitForSh, type ScriptWait } from '../../../src/cli/wait-for-sh.ts';

function waitOf(args: readonly string[]): ScriptWait {
  const call = parseWaitForSh(args, {});
  if (call.call !== 'wait') throw new Error(call.call);
  return call;
}

/** All but the spelling itself, which messages quote. */
const meaningOf = (args: readonly string[]): string =>
  JSON.stringify(waitOf(args), (key, value) => (key === 'shown' ? undefined : value), 1);

/** The spellings of a wait. An integration test runs one of each. */
const SPELLINGS: readonly (readonly [args: readonly string[], ...others: (readonly string[])[]])[] = [
  [
    ['pod', 'db', '-n', 'app'],
    ['pod', 'db', '-n app'],
    ['pod', 'db', '-napp'],
    ['pod', 'db', '--namespace', 'app'],
    ['pod', 'db', '--namespace=app'],
    ['pod', 'db', '--namespace app'],
  ],
  [
    ['pod', '-lapp=x', '-n', 'app'],
    ['pod', '-lapp=x', '-n app'],
    ['pod', '-l', 'app=x', '-n', 'app'],
    ['pod', '-l', 'app=x -n app'],
    ['pod', '-l app=x', '-n', 'app'],
    ['pod', '--selector=app=x', '-n', 'app'],
    ['pod', '-n', 'app', '-lapp=x'],
  ],
  [
    ['pod', '-l app in (x, z), tier notin (cache)', '-n', 'app'],
    ['pod', '-lapp in (x, z), tier notin (cache)', '--namespace=app'],
    // k8s-wait-for fails with this one.
    ['pod', '-l', 'app in (x, z), tier notin (cache)', '-n', 'app'],
  ],
  [
    ['pod', '-lapp=x,ns=app', '-A'],
    ['pod', '-lapp=x,ns=app', '--all-namespaces'],
  ],
  [
    ['pod', 'db', 'cache', '-n', 'app'],
    ['pod', 'db', 'cache -n app'],
  ],
];

describe('spellings of one wait', () => {
  for (const [args, ...others] of SPELLINGS) {
    for (const other of others) {
      test(`${JSON.stringify(other)} as ${JSON.stringify(args)}`, () => {
        expect(meaningOf(other)).toBe(meaningOf(args));
      });
    }
    for (const spelling of [args, ...others]) {
      test(`${JSON.stringify(spelling)} is shown as it was given`, () => {
        expect(waitOf(spelling).shown).toBe(spelling.join(' '));
      });
    }
  }
});

/** Each ends with exit code 1 and one line. */
const REFUSED: readonly (readonly [args: readonly string[], theirs: string, ours: RegExp])[] = [
  [['pod', 'x', '--ignore-not-found'], 'waits or is ready', /^unknown option "--ignore-not-found"$/],
  [['pod', 'x', '--timeout=5m'], 'fails', /^--timeout: expected one of the options --selector, /],
  [['pod', 'x', '-o wide'], 'fails', /^-o: expected one of the options --selector, /],
  [['pod', 'x', '-A'], 'fails', /^-A: expected a selector, got "pod\/x"$/],
  [['pod', 'x', '-lapp=x'], 'fails', /^-l: expected a kind without a name, got "[^"]+\/x"$/],
  [['pod', ''], 'fails', /: expected a name, got ""$/],
  [['pod', 'x', '--', 'y'], 'waits', /^expected names and options of kubectl, got "--"$/],
  [['pod', '-lapp in x'], 'fails', /^-l: .* got "x" at character 8 of "app in x"$/],
];

test.each(REFUSED)('%j is refused (theirs: %s)', (args, _theirs, said) => {
  let thrown: unknown;
  try {
    parseWaitForSh(args, {});
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(UsageError);
  expect((thrown as UsageError).message).toMatch(said);
});

test.each([
  ['WAIT_TIME', 'soon', 'WAIT_TIME: expected seconds, such as 2, got "soon"'],
  ['TREAT_ERRORS_AS_READY', '3', 'TREAT_ERRORS_AS_READY: expected 0, 1 or 2, got "3"'],
  ['KUBE_AWAIT_TIMEOUT', '10', 'KUBE_AWAIT_TIMEOUT: expected'],
])('%s=%s is refused', (name, value, said) => {
  expect(() => parseWaitForSh(['pod', 'x'], { [name]: value })).toThrow(said);
});

test.each(['deployment', 'service-we', 'jobs'])('%s is an unknown kind', (kind) => {
  expect(parseWaitForSh([kind, 'x'], {})).toEqual({ call: 'unknown kind', kind });
});

test.each([[[]], [['pod']], [['--help']]])('fewer than two arguments are a question for usage: %j', (args) => {
  expect(parseWaitForSh(args ?? [], {})).toEqual({ call: 'usage' });
});
