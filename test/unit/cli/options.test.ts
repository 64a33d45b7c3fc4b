import { expect, test } from 'vitest';
import { OPTIONS, type Option, optionByName, optionByShort, variableOf } from '../../../src/cli/options.ts';

const options: readonly Option[] = OPTIONS;

test('what asks for something else, or belongs to one kind, is not read from the environment', () => {
  expect(options.filter(({ env }) => env === 'no').map(({ name }) => name)).toEqual([
    'selector',
    'field-selector',
    'all',
    'help',
    'version',
  ]);
});

test('no two options share a name or a letter', () => {
  for (const option of options) {
    expect(optionByName(option.name)).toBe(option);
    if (option.short !== undefined) expect(optionByShort(option.short)).toBe(option);
  }
});

test('an enumeration lists its words, everything else that takes a value names it', () => {
  for (const { name, type, choices, value } of options) {
    expect({ name, choices: choices !== undefined, value: value !== undefined }).toEqual({
      name,
      choices: type === 'enum',
      value: type !== 'enum' && type !== 'boolean',
    });
  }
});

test('a variable has the name of its option', () => {
  expect(options.map(variableOf)).toContain('KUBE_AWAIT_ON_MISSING');
});

// https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
test('no variable can be one of a Service called kube-await', () => {
  expect(options.map(variableOf).filter((name) => /_(SERVICE_HOST|SERVICE_PORT.*|PORT|PORT_.*)$/.test(name))).toEqual(
    [],
  );
});
