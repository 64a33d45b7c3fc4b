import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { goalText, parseGoal } from '../../../src/cli/goals.ts';
import type { Goal } from '../../../src/wait/plan.ts';
import { ONE_LINE, outcome } from './support.ts';

const jsonpath = (expression: string, value?: string): Goal =>
  value === undefined ? { for: 'jsonpath', expression } : { for: 'jsonpath', expression, value };
const READY = '{.status.conditions[?(@.type=="Ready")].status}';

describe('a value of --for', () => {
  test.each<[string, string, Goal]>([
    ['complete', 'complete', { for: 'complete' }],
    ['finished', 'finished', { for: 'finished' }],
    ['ready', 'ready', { for: 'ready' }],
    ['create', 'create', { for: 'create' }],
    ['delete in any case, as kubectl takes it', 'Delete', { for: 'delete' }],
    ['a condition is wanted True', 'condition=Ready', { for: 'condition', type: 'Ready', status: 'True' }],
    ['a condition with a status', 'condition=Ready=false', { for: 'condition', type: 'Ready', status: 'false' }],
    ['a status may hold a =', 'condition=A=b=c', { for: 'condition', type: 'A', status: 'b=c' }],
    ['a path with a value', 'jsonpath={.status.phase}=Running', jsonpath('{.status.phase}', 'Running')],
    ['a path without a value', 'jsonpath={.status.loadBalancer.ingress}', jsonpath('{.status.loadBalancer.ingress}')],
    ['a path without braces', 'jsonpath=.status.phase=Running', jsonpath('{.status.phase}', 'Running')],
    ['a path without dot and braces', 'jsonpath=status.phase', jsonpath('{.status.phase}')],
    ['a path with braces and no dot', 'jsonpath={status.phase}', jsonpath('{.status.phase}')],
    ['a double = belongs to the path', `jsonpath=${READY}=True`, jsonpath(READY, 'True')],
    ['and so does one in a path without a value', `jsonpath=${READY}`, jsonpath(READY)],
    ['quotes round the path', "jsonpath='{.status.phase}'=Running", jsonpath('{.status.phase}', 'Running')],
    ['quotes round the value', `jsonpath={.status.phase}="Running"`, jsonpath('{.status.phase}', 'Running')],
    ['a double = in the value', 'jsonpath={.data.x}=a==b', jsonpath('{.data.x}', 'a==b')],
  ])('%s: %s', (_, text, goal) => {
    expect(parseGoal(text)).toEqual(goal);
  });

  const words = 'complete, finished, ready, create, delete, condition=TYPE[=STATUS] or jsonpath=EXPR[=VALUE]';
  test.each([
    ['', `expected ${words}, got ""`],
    ['completed', `expected ${words}, got "completed"`],
    ['Condition=Ready', `expected ${words}, got "Condition=Ready"`],
    ['condition=', 'expected condition=TYPE[=STATUS], got "condition="'],
    ['condition=Ready=', 'expected condition=TYPE[=STATUS], got "condition=Ready="'],
    ['condition==True', 'expected condition=TYPE[=STATUS], got "condition==True"'],
    ['jsonpath=', 'expected jsonpath={.field}[=VALUE], such as jsonpath={.status.phase}, got "jsonpath="'],
    [
      'jsonpath={.a}{.b}',
      'expected jsonpath={.field}[=VALUE], such as jsonpath={.status.phase}, got "jsonpath={.a}{.b}"',
    ],
    ['jsonpath={.a', 'expected jsonpath={.field}[=VALUE], such as jsonpath={.status.phase}, got "jsonpath={.a"'],
    ['jsonpath={.a}=', 'expected a value after the "=" of jsonpath=EXPR=VALUE, got "jsonpath={.a}="'],
    [`jsonpath={.a}=''`, `expected a value after the "=" of jsonpath=EXPR=VALUE, got "jsonpath={.a}=''"`],
    ['jsonpath={.a}=b=c', 'expected jsonpath=EXPR[=VALUE] with one "=" before VALUE, got "jsonpath={.a}=b=c"'],
    [
      'jsonpath={.a}===b',
      'expected jsonpath={.field}[=VALUE], such as jsonpath={.status.phase}, got "jsonpath={.a}===b"',
    ],
  ])('%j is refused', (text, refused) => {
    expect(outcome(() => parseGoal(text))).toEqual({ refused });
  });

  test('any other text is refused on one line, and what is taken can be typed again', () => {
    const part = fc.constantFrom('jsonpath=', 'condition=', 'create', '{', '}', '.a', '=', '==', "'", '"', 'x', '\n');
    fc.assert(
      fc.property(
        fc.array(part).map((parts) => parts.join('')),
        (text) => {
          const goal = outcome(() => parseGoal(text));
          if ('refused' in goal) expect(goal.refused).toMatch(ONE_LINE);
          else expect(parseGoal(goalText(goal))).toEqual(goal);
        },
      ),
      { numRuns: 1000 },
    );
  });
});
