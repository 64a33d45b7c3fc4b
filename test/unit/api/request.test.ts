import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { camelCase, toTargetRun } from '../../../src/api/request.ts';
import { parse } from '../../../src/cli/invocation.ts';
import { OPTIONS, type Option } from '../../../src/cli/options.ts';
import type { Target, WaitOptions } from '../../../src/index.ts';

/** The same wait, asked for on the command line; what it calls its options aside. */
function byCommand(argv: readonly string[]) {
  const { mode: _, command: __, ...run } = { command: undefined, ...parse(argv, {}) };
  return withoutSpellings(run);
}

function withoutSpellings(run: object): unknown {
  return JSON.parse(JSON.stringify(run, (key, value) => (key === 'shown' ? undefined : value)));
}

const same: readonly (readonly [Target | readonly Target[], WaitOptions, readonly string[]])[] = [
  ['job/migrate', {}, ['job/migrate']],
  ['infra/job/migrate', { namespace: 'shop' }, ['infra/job/migrate', '-n', 'shop']],
  [{ kind: 'job', name: 'migrate', namespace: undefined }, { timeout: undefined }, ['job/migrate']],
  [
    { kind: 'pod', namespace: 'infra', labelSelector: 'a=b' },
    { atLeast: 2 },
    ['infra/pod', '-l', 'a=b', '--at-least', '2'],
  ],
  [{ kind: 'job-we', name: 'a' }, {}, ['job-we', 'a']],
  [
    [
      { kind: 'pod', labelSelector: 'a in (b, c)', fieldSelector: 'spec.nodeName=n' },
      { kind: 'cm', all: true },
    ],
    { allNamespaces: true },
    ['-A', 'pod', '-l', 'a in (b, c)', '--field-selector', 'spec.nodeName=n', 'cm', '--all'],
  ],
  [
    'pod/x',
    { for: 'ready', container: 'main', timeout: 90_000 },
    ['pod/x', '--for=ready', '--container=main', '--timeout=90s'],
  ],
  [
    'deploy/x',
    { for: ['condition=Available', 'jsonpath={.status.replicas}=2'], timeout: Number.POSITIVE_INFINITY },
    ['deploy/x', '--for=condition=Available', '--for=jsonpath={.status.replicas}=2', '--timeout=-1s'],
  ],
  [
    'job/x',
    {
      onMissing: 'succeed',
      missingGrace: 1.5,
      stuckAfter: '2m',
      onRefused: 'wait',
      heartbeat: 0,
      logs: 0,
      requestTimeout: 500,
    },
    [
      ...['job/x', '--on-missing=succeed', '--missing-grace=1.5ms', '--stuck-after=2m', '--on-refused=wait'],
      ...['--heartbeat=0', '--logs=0', '--request-timeout=500ms'],
    ],
  ],
  [
    'job/x',
    {
      server: 'https://s',
      token: 't',
      as: 'me',
      asGroup: ['a', 'b'],
      insecureSkipTlsVerify: true,
      kubeconfig: 'f',
      context: 'c',
    },
    [
      ...['job/x', '--server=https://s', '--token=t', '--as=me', '--as-group=a', '--as-group=b'],
      ...['--insecure-skip-tls-verify', '--kubeconfig=f', '--context=c'],
    ],
  ],
];

test.each(same)('%j %j is %j', (targets, options, argv) => {
  const run = toTargetRun(Array.isArray(targets) ? targets : [targets as Target], options);
  expect(withoutSpellings(run)).toEqual(byCommand(argv));
});

/** What no type checker has seen. */
const untyped = (value: unknown) => value as never;

describe('refused, with one line that names what is wrong', () => {
  test.each<[string, readonly Target[], WaitOptions, string]>([
    ['no target', [], {}, 'expected a target, got none'],
    ['a kind alone', ['job'], {}, 'expected KIND/NAME or an object, got "job"'],
    ['words of a command line', ['pod -l a=b'], {}, 'expected KIND/NAME or an object, got "pod -l a=b"'],
    ['no target at all', [untyped(undefined)], {}, 'expected KIND/NAME or an object with a kind, got "undefined"'],
    [
      'neither name nor selector',
      [untyped({ kind: 'job' })],
      {},
      'job: expected a name, a labelSelector, a fieldSelector or all',
    ],
    ['a selector that is undefined', [untyped({ kind: 'pod', labelSelector: undefined })], {}, 'pod: expected a name'],
    ['all: false', [untyped({ kind: 'pod', all: false })], {}, 'pod: expected a name'],
    ['a name with a slash', [{ kind: 'job', name: 'a/b' }], {}, 'job: expected a name, got "a/b"'],
    ['two kinds', [{ kind: 'pod,job', labelSelector: 'a=b' }], {}, 'expected a kind such as'],
    [
      'a name and a selector',
      [untyped({ kind: 'job', name: 'a', labelSelector: 'b' })],
      {},
      'labelSelector: expected a kind',
    ],
    ['a misspelled field', [untyped({ kind: 'job', nam: 'a' })], {}, 'got "nam"'],
    ['a name that is no text', [untyped({ kind: 'job', name: 5 })], {}, 'name: expected a string, got "5"'],
    ['a bad namespace', [{ kind: 'job', name: 'a', namespace: 'A' }], {}, 'namespace: expected a namespace'],
    ['an option that there is not', ['job/a'], untyped({ timeuot: '5s' }), 'unknown option "timeuot"'],
    ['an option of the command alone', ['job/a'], untyped({ quiet: true }), 'unknown option "quiet"'],
    ['a duration without a unit', ['job/a'], { timeout: '5' }, 'timeout: expected a duration with a unit'],
    ['a number that is none', ['job/a'], { timeout: Number.NaN }, 'timeout: expected a duration'],
    ['a goal that the kind has not', ['cm/a'], { for: 'complete' }, '--for=complete: expected a job'],
    ['an option that needs a selector', ['job/a'], { expect: 2 }, 'expect: expected a selector'],
  ])('%s', (_, targets, options, message) => {
    expect(() => toTargetRun(targets, options)).toThrow(message);
  });
});

describe('src/index.ts', () => {
  const read = (...file: string[]): string =>
    readFileSync(path.join(import.meta.dirname, '..', '..', '..', ...file), 'utf8');
  const declared = read('src', 'index.ts');

  test('has every option of a wait that is not about its output or its targets', () => {
    const not = ['selector', 'fieldSelector', 'all', 'output', 'quiet', 'terminationLog', 'help', 'version'];
    const options = OPTIONS.filter(({ modes }: Option) => modes.includes('wait')).map(({ name }) => camelCase(name));
    const [, interior = ''] = /interface WaitOptions \{([\s\S]*?)\n\}/.exec(declared) ?? [];
    const fields = [...interior.matchAll(/^ {2}readonly (\w+)\?:/gm)].map(([, name]) => name);
    expect(fields.sort()).toEqual([...options.filter((name) => !not.includes(name)), 'onEvent', 'signal'].sort());
  });

  test('has every field of every event', () => {
    const named = new Set<string>();
    const collect = (value: unknown): void => {
      if (typeof value !== 'object' || value === null) return;
      for (const [key, inner] of Object.entries(value)) {
        if (key === 'counts') continue;
        if (key === 'properties') for (const name of Object.keys(inner)) named.add(name);
        collect(inner);
      }
    };
    collect(JSON.parse(read('docs', 'events.schema.json')));
    expect([...named].filter((name) => !new RegExp(`readonly ${name}\\??:`).test(declared))).toEqual([]);
  });
});
