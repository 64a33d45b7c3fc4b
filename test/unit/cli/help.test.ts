import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { completion } from '../../../src/cli/completion.ts';
import { help } from '../../../src/cli/help.ts';
import type { HelpTopic } from '../../../src/cli/invocation.ts';
import { OPTIONS, type Option } from '../../../src/cli/options.ts';
import { EXIT } from '../../../src/exit.ts';

const TOPICS: readonly HelpTopic[] = ['wait', 'check', 'rbac', 'completion'];

describe.each(TOPICS)('the help of %s', (topic) => {
  test('is at most 80 columns wide', async () => {
    const lines = (await help(topic)).split('\n');
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
  });

  test('begins with how it is called, and has an example', async () => {
    const text = await help(topic);
    expect(text).toMatch(/^kube-await /);
    expect(text).toContain('Examples:\n  ');
  });
});

describe('the help of a wait', () => {
  test.each(OPTIONS.filter((option: Option) => option.modes.includes('wait')).map(({ name }) => name))(
    'has --%s',
    async (name) => {
      expect(await help('wait')).toMatch(new RegExp(`^  (-\\w,|   ) --${name} `, 'm'));
    },
  );

  test.each(Object.entries(EXIT))('has the exit code for %s', async (_, code) => {
    const [, codes = ''] = (await help('wait')).split('Exit codes:');
    expect(codes).toMatch(new RegExp(`\\b${code}\\b`));
  });

  test("leaves rbac's own options to rbac", async () => {
    expect(await help('wait')).not.toContain('--explain-failures');
    expect(await help('rbac')).toContain('--explain-failures');
    expect(await help('rbac')).not.toContain('--stuck-after');
  });
});

describe('completion in bash', () => {
  /** What bash offers for the last word. */
  function offers(...line: string[]): string[] {
    const script = `${completion('bash')}
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _kube_await; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const output = execFileSync('bash', ['-c', script, 'bash', 'kube-await', ...line], { encoding: 'utf8' });
    return output.split('\n').filter((word) => word !== '');
  }

  test.each<[string, string[], string[]]>([
    ['a kind', ['deplo'], ['deployment']],
    ['a subcommand as the first word', ['rb'], ['rbac']],
    ['no subcommand behind it', ['check', 'rb'], []],
    ['an option', ['job/x', '--on-'], ['--on-missing', '--on-refused']],
    ['the values of an option', ['--on-missing', ''], ['wait', 'fail', 'succeed']],
    ['the values of an option with =', ['--on-missing', '=', 's'], ['succeed']],
    ['all of them right behind the =', ['-o', '='], ['text', 'json']],
    ['goals', ['--for', 'c'], ['complete', 'create', 'condition=']],
    ['nothing for a duration', ['--timeout', ''], []],
    ['no option behind --', ['job/x', '--', '--on-'], []],
  ])('offers %s', (_, line, expected) => {
    expect(offers(...line)).toEqual(expected);
  });
});

test('completion in zsh turns on what runs the script of bash', () => {
  expect(completion('zsh')).toMatch(
    /^autoload .*compinit[\s\S]*bashcompinit[\s\S]*\ncomplete -F _kube_await kube-await$/,
  );
});
