import { type Need, ruleLines, unservedRemark } from '../access/needs.ts';
import type { Verb } from '../kube/collection.ts';
import type { Problem } from '../kube/problem.ts';
import { clean } from './clean.ts';
import { describePermission } from './permission.ts';
import { describeProblem } from './words.ts';

/** Who was refused what. */
export interface Refusal {
  /** What was asked for. */
  readonly need: Need;
  readonly verb: Verb;
  readonly problem: Problem;
  /** What the run lacks in all, so that one mending is enough. Never empty where a rule would mend it. */
  readonly lacking: readonly Need[];
  /** Without a password. */
  readonly server: string;
  /** The user name that the API server knows us by, where it says so. */
  readonly identity: string | undefined;
  /** Where the credentials come from: `user "admin" of /home/me/.kube/config`. */
  readonly credentials: string | undefined;
}

/** The lines that say what was refused and what would mend it. */
export function refusalLines(refusal: Refusal): readonly string[] {
  const first = clean(`refused: ${describeRefusal(refusal)}`);
  if (!isMendedByRule(refusal.problem)) return [first];
  return [first, ...mendingLines(refusal.lacking, nameOf(refusal.identity))];
}

/** What was refused, to whom and why, in one sentence. Not yet cleaned of foreign characters. */
export function describeRefusal({ need, verb, problem, server, identity, credentials }: Refusal): string {
  if (problem.kind === 'untrusted') return describeUntrusted(problem, server);
  if (problem.kind === 'credentials') return problem.message;
  const permission = describePermission(verb, need);
  if (isUnauthorized(problem)) return describeUnauthorized(problem, { server, credentials, asked: permission });
  if (isFromIntermediary(problem)) {
    return `something in front of ${server} refuses to ${permission}: ${describeProblem(problem)}`;
  }
  const user = isAnonymous(problem) ? ANONYMOUS : identity;
  const denied = `${nameOf(user)} cannot ${permission}: ${describeProblem(withoutRepetition(problem, user))}`;
  if (user !== ANONYMOUS) return denied;
  return `no credentials reached ${server}${credentials === undefined ? '' : ` from ${credentials}`}: ${denied}`;
}

/** A certificate that cannot be trusted, and by what it was judged. */
export function describeUntrusted(problem: Extract<Problem, { kind: 'untrusted' }>, server: string): string {
  const against = problem.caFile ?? 'the authorities that Node knows, since no certificate authority is configured';
  return `the certificate of ${server} cannot be trusted: ${problem.message} (${problem.code}), checked against ${against}`;
}

/** Credentials that are nobody's, any more or at all. */
export function describeUnauthorized(
  problem: Problem,
  facts: Pick<Refusal, 'server' | 'credentials'> & { readonly asked: string | undefined },
): string {
  const asked = facts.asked === undefined ? '' : `, asked to ${facts.asked}`;
  const as = facts.credentials === undefined ? '' : ` with ${facts.credentials}`;
  return `${facts.server} does not accept the credentials${asked}${as}: ${describeProblem(problem)}`;
}

/** Whether a rule would have helped: only where the API server knew who asked. */
export function isMendedByRule(problem: Problem): boolean {
  return problem.kind === 'status' && !isUnauthorized(problem) && !isFromIntermediary(problem) && !isAnonymous(problem);
}

/** Whether the API server saw a request without credentials. It says so only in the message of its 403. */
function isAnonymous(problem: Problem): boolean {
  return problem.kind === 'status' && problem.message.includes(`User "${ANONYMOUS}"`);
}

/** Whether the answer is not the API server's own: that of a service mesh or a gateway. */
function isFromIntermediary(problem: Problem): boolean {
  return problem.kind === 'status' && problem.from === 'intermediary';
}

export function isUnauthorized(problem: Problem): boolean {
  return problem.kind === 'status' && problem.status === 401;
}

/** https://kubernetes.io/docs/reference/access-authn-authz/authentication/#anonymous-requests */
const ANONYMOUS = 'system:anonymous';

/** The missing rules, by the Role that each belongs to. */
export function mendingLines(lacking: readonly Need[], who: string): readonly string[] {
  const scopes = Map.groupBy(lacking, ({ namespace }) => namespace);
  return [...scopes].flatMap(([namespace, needs]) => {
    const add = needs.length === 1 ? 'to grant it, add this rule' : 'to grant it, add these rules';
    const role =
      namespace === undefined
        ? `a ClusterRole bound to ${who} by a ClusterRoleBinding`
        : `a Role in namespace "${namespace}" bound to ${who}`;
    return [
      clean(`${add} to ${role}:`),
      ...needs.flatMap((need) => [...ruleLines(need).map((line) => clean(`  ${line}`)), ...remarkOn(need)]),
    ];
  });
}

function remarkOn(need: Need): readonly string[] {
  const remark = unservedRemark(need);
  return remark === undefined ? [] : [clean(`  # ${remark}`)];
}

function nameOf(identity: string | undefined): string {
  return identity === undefined ? 'this identity' : `"${identity}"`;
}

/**
 * A 403 of RBAC says in many words what the line has said already; what comes behind that (a role that does not exist,
 * an admission's own reason) is kept.
 */
function withoutRepetition(problem: Problem, identity: string | undefined): Problem {
  if (problem.kind !== 'status' || identity === undefined) return problem;
  const [whole, user, more = ''] =
    /^\S+(?: "[^"]*")? is forbidden: User "([^"]*)" cannot \S+ resource "[^"]*" in API group "[^"]*"(?: in the namespace "[^"]*"| at the cluster scope)(?:: )?(.*)$/s.exec(
      problem.message,
    ) ?? [];
  return whole === undefined || user !== identity ? problem : { ...problem, message: more };
}
