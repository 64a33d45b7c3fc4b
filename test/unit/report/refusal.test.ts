/** What a refusal says, and whether it prints a rule. */
import { describe, expect, test } from 'vitest';
import type { Need } from '../../../src/access/needs.ts';
import { fromHttp, type Problem } from '../../../src/kube/problem.ts';
import { isMendedByRule, mendingLines, type Refusal, refusalLines } from '../../../src/report/refusal.ts';

const NEED: Need = {
  verbs: ['list', 'watch'],
  apiGroup: 'batch',
  resource: 'jobs',
  subresource: undefined,
  resourceName: 'x',
  namespaced: true,
  namespace: 'seed',
  served: 'yes',
  need: 'required',
  reasons: [],
};

function linesFor(problem: Problem, more: Partial<Refusal> = {}): readonly string[] {
  const who = { server: 'https://10.0.0.1/', identity: 'ann', credentials: 'user "ann" of /config' };
  return refusalLines({ need: NEED, verb: 'list', problem, lacking: [NEED], ...who, ...more });
}

const forbidden = (user: string, more = ''): Problem =>
  fromHttp(
    403,
    {},
    JSON.stringify({
      kind: 'Status',
      reason: 'Forbidden',
      message: `jobs.batch "x" is forbidden: User "${user}" cannot list resource "jobs" in API group "batch" in the namespace "seed"${more}`,
    }),
  );
const RULE = [
  '  - apiGroups: ["batch"]',
  '    resources: ["jobs"]',
  '    resourceNames: ["x"]',
  '    verbs: ["list", "watch"]',
];

describe('a 403 of the API server', () => {
  test('names verb, resource, namespace and identity, and prints the rule', () => {
    expect(linesFor(forbidden('ann'))).toEqual([
      'refused: "ann" cannot list jobs.batch "x" in namespace "seed": 403 Forbidden',
      'to grant it, add this rule to a Role in namespace "seed" bound to "ann":',
      ...RULE,
    ]);
  });

  test.each([
    ['the message alone names it', undefined],
    ['the API server names it', 'system:anonymous'],
  ])('for system:anonymous says that no credentials arrived, without a rule: %s', (_, identity) => {
    expect(linesFor(forbidden('system:anonymous', ': why'), { identity })).toEqual([
      'refused: no credentials reached https://10.0.0.1/ from user "ann" of /config: "system:anonymous" cannot list jobs.batch "x" in namespace "seed": 403 Forbidden: why',
    ]);
    expect(linesFor(forbidden('system:anonymous'), { identity, credentials: undefined })[0]).toContain(
      'no credentials reached https://10.0.0.1/: ',
    );
  });
});

test.each<[string, string]>([
  ['RBAC: access denied', '403 Forbidden: RBAC: access denied'],
  ['<html><title>Request blocked</title></html>', '403 Forbidden: Request blocked'],
  ['', '403 Forbidden: HTTP status 403'],
  [`no\n${'x'.repeat(300)}`, `403 Forbidden: no ${'x'.repeat(196)}…`],
])('a 403 that is no Status comes from something in front; its first words are shown, no rule: %j', (body, said) => {
  expect(linesFor(fromHttp(403, {}, body))).toEqual([
    `refused: something in front of https://10.0.0.1/ refuses to list jobs.batch "x" in namespace "seed": ${said}`,
  ]);
});

test.each<[string, Problem, RegExp]>([
  ['a 401', fromHttp(401, {}, '{"kind":"Status","message":"Unauthorized"}'), /does not accept the credentials/],
  ['a 401 that is no Status', fromHttp(401, {}, 'no'), /does not accept the credentials/],
  ['a certificate', { kind: 'untrusted', message: 'expired', code: 'CERT_HAS_EXPIRED' }, /cannot be trusted/],
  [
    'a plugin',
    { kind: 'credentials', message: 'user "u": it failed:\u001b[2J why' },
    /^refused: user "u": it failed:\\e\[2J why$/,
  ],
])('%s is one line, without a rule', (_, problem, expected) => {
  expect(linesFor(problem)).toEqual([expect.stringMatching(expected)]);
  expect(isMendedByRule(problem)).toBe(false);
});

test('the rules of a Role and of a ClusterRole', () => {
  const all: Need = { ...NEED, namespace: undefined };
  const said = mendingLines([NEED, { ...NEED, resourceName: 'y' }, all], '"ann"').filter(
    (line) => !line.startsWith(' '),
  );
  expect(said).toEqual([
    'to grant it, add these rules to a Role in namespace "seed" bound to "ann":',
    'to grant it, add this rule to a ClusterRole bound to "ann" by a ClusterRoleBinding:',
  ]);
});
