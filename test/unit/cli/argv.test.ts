import { describe, expect, test } from 'vitest';
import { scan } from '../../../src/cli/argv.ts';
import { outcome, words } from './support.ts';

/** What a line is split into: words as they are, options as `name=value`. */
function split(argv: readonly string[]): unknown {
  return outcome(() => {
    const { items, command } = scan(argv);
    const shown = items.map((item) => {
      if (item.is === 'word') return item.text;
      return `${item.shown}${item.value === undefined ? '' : `=${item.value}`} (${item.option.name})`;
    });
    return command === undefined ? shown : [...shown, { command }];
  });
}

describe('a command line is split', () => {
  test.each<[string, string, unknown[]]>([
    ['words', 'job migrate', ['job', 'migrate']],
    ['a value behind its option', '--timeout 5s', ['--timeout=5s (timeout)']],
    ['a value with =', '--timeout=5s', ['--timeout=5s (timeout)']],
    ['an empty value with =', '--context=', ['--context= (context)']],
    ['only the first = parts name and value', '--for=condition=Ready=false', ['--for=condition=Ready=false (for)']],
    ['a short option', '-n infra', ['-n=infra (namespace)']],
    ['a short option, glued', '-ninfra', ['-n=infra (namespace)']],
    ['a short option, glued with =', '-n=infra', ['-n=infra (namespace)']],
    ['a selector, glued', 'pod -lapp=db', ['pod', '-l=app=db (selector)']],
    ['a selector, glued with =', 'pod -l=app=db', ['pod', '-l=app=db (selector)']],
    ['option and value in one argument', 'pod "-l app=db"', ['pod', '-l=app=db (selector)']],
    ['the same with a namespace', 'pod "-n infra"', ['pod', '-n=infra (namespace)']],
    ['kubectl has -s for --server', '-s https://x', ['-s=https://x (server)']],
    ['short options together', '-qA', ['-q (quiet)', '-A (all-namespaces)']],
    ['short options together, the last with a value', '-qnfoo', ['-q (quiet)', '-n=foo (namespace)']],
    ['a boolean with =', '--quiet=false', ['--quiet=false (quiet)']],
    ['a short boolean with =', '-q=false', ['-q=false (quiet)']],
    ['a boolean takes no further argument', '-q false', ['-q (quiet)', 'false']],
    ['a negative value', '--timeout -1s job/x', ['--timeout=-1s (timeout)', 'job/x']],
    ['an option takes what follows, whatever it is', '-n --timeout', ['-n=--timeout (namespace)']],
    ['even --', '-n -- x', ['-n=-- (namespace)', 'x']],
    ['numbers stay text', 'job 1e3 --context 007', ['job', '1e3', '--context=007 (context)']],
    ['options in any place', '-q job -n x a', ['-q (quiet)', 'job', '-n=x (namespace)', 'a']],
    [
      'nothing behind -- is looked at',
      'job/x -- sh -c --bogus --',
      ['job/x', { command: ['sh', '-c', '--bogus', '--'] }],
    ],
    ['nothing behind --', 'job/x --', ['job/x', { command: [] }]],
    ['a lone dash is a word', '-', ['-']],
  ])('%s: %s', (_, line, expected) => {
    expect(split(words(line))).toEqual(expected);
  });

  test('an empty argument is a word', () => {
    expect(split(['', 'x'])).toEqual(['', 'x']);
  });
});

describe('an option that is none is refused', () => {
  test.each([
    ['--timout=5s', 'unknown option "--timout", did you mean --timeout?'],
    ['--name-space x', 'unknown option "--name-space", did you mean --namespace?'],
    ['--bogus', 'unknown option "--bogus"'],
    ['--no-quiet', 'unknown option "--no-quiet"'],
    ['--Timeout 5s', 'unknown option "--Timeout", did you mean --timeout?'],
    ['--__proto__', 'unknown option "--__proto__"'],
    ['-x', 'unknown option "-x"'],
    ['-1s', 'unknown option "-1s"'],
    ['-qx', 'unknown option "-qx"'],
    ['-timeout=5s', 'unknown option "-timeout=5s"'],
    ['--=x', 'unknown option "--"'],
    ['"--selector app=db"', 'expected --selector and its value as two arguments, got one: "--selector app=db"'],
    ['---quiet', 'unknown option "---quiet", did you mean --quiet?'],
  ])('%s', (line, refused) => {
    expect(split(words(line))).toEqual({ refused });
  });
});

describe('a value that is missing is asked for', () => {
  test.each([
    ['--timeout', '--timeout: expected a value (DURATION), got nothing'],
    ['pod -l', '-l: expected a value (SELECTOR), got nothing'],
    ['--on-missing', '--on-missing: expected wait, fail or succeed, got nothing'],
  ])('%s', (line, refused) => {
    expect(split(words(line))).toEqual({ refused });
  });
});
