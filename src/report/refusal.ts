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
export function refusalLines(refusal: Refusal): readonly string[] {
  const { need, identity } = refusal;
  const said = [clean(`refused: ${describeRefusal(refusal)}`)];
  if (!isMendedByRule(refusal)) return said;
  const role = need.namespace === undefined ? 'ClusterRole' : `Role in namespace "${need.namespace}"`;
  return [
    ...said,
    clean(`a ${role} with this rule, bound to ${nameOf(identity)}, grants it:`),
    ...ruleLines(need).map((line) => clean(`  ${line}`)),
  ];
}

/** What was refused, to whom and why, in one sentence. Not yet cleaned of foreign characters. */
export function describeRefusal({ need, verb, problem, server, identity }: Refusal): string {
  if (problem.kind === 'untrusted') {
    const against = problem.caFile === undefined ? '' : `, checked against ${problem.caFile}`;
    return `the certificate of ${server} cannot be trusted: ${problem.message} (${problem.code})${against}`;
  }
  const what = need.resourceName === undefined ? need.resource : `${need.resource} "${need.resourceName}"`;
  const group = need.apiGroup === '' ? '' : ` in API group "${need.apiGroup}"`;
  const where = need.namespace === undefined ? ' in all namespaces' : ` in namespace "${need.namespace}"`;
  const said = describeProblem(problem);
  return isUnauthorized(problem)
    ? `${server} does not accept the credentials, asked to ${verb} ${what}${group}${where}: ${said}`
    : `${nameOf(identity)} cannot ${verb} ${what}${group}${where}: ${said}`;
}

/** Whether a rule would have helped: not where it was not even asked who we are. */
export function isMendedByRule({ problem }: Refusal): boolean {
  return problem.kind !== 'untrusted' && !isUnauthorized(problem);
}

function isUnauthorized(problem: Problem): boolean {
  return problem.kind === 'status' && problem.status === 401;
}

function nameOf(identity: string | undefined): string {
  return identity === undefined ? 'this identity' : `"${identity}"`;
}
