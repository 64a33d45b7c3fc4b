import type { Need } from '../access/needs.ts';
import { ruleLines } from '../access/needs.ts';
import type { Verb } from '../kube/collection.ts';
import type { Problem } from '../kube/problem.ts';
import { clean } from './clean.ts';
import { describeProblem } from './words.ts';

/** Who was refused what. */
export interface Refusal {
  readonly need: Need;
  readonly verb: Verb;
  readonly problem: Problem;
  readonly server: string;
  /** The user name that the API server knows us by, where it says so. */
  readonly identity: string | undefined;
}

/** The lines that say what was refused and what would mend it. */
export function refusalLines({ need, verb, problem, server, identity }: Refusal): readonly string[] {
  if (problem.kind === 'untrusted') {
    const against = problem.caFile === undefined ? '' : `, checked against ${problem.caFile}`;
    return [
      clean(`refused: the certificate of ${server} cannot be trusted: ${problem.message} (${problem.code})${against}`),
    ];
  }
  const what = need.resourceName === undefined ? need.resource : `${need.resource} "${need.resourceName}"`;
  const group = need.apiGroup === '' ? '' : ` in API group "${need.apiGroup}"`;
  const where = need.namespace === undefined ? ' in all namespaces' : ` in namespace "${need.namespace}"`;
  if (problem.kind === 'status' && problem.status === 401) {
    const said = describeProblem(problem);
    return [
      clean(`refused: ${server} does not accept the credentials, asked to ${verb} ${what}${group}${where}: ${said}`),
    ];
  }
  const who = identity === undefined ? 'this identity' : `"${identity}"`;
  const role = need.namespace === undefined ? 'ClusterRole' : `Role in namespace "${need.namespace}"`;
  return [
    clean(`refused: ${who} cannot ${verb} ${what}${group}${where}: ${describeProblem(problem)}`),
    clean(`a ${role} with this rule, bound to ${who}, grants it:`),
    ...ruleLines(need).map((line) => clean(`  ${line}`)),
  ];
}
