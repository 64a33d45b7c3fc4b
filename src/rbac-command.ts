import { needsOf, unservedRemark } from './access/needs.ts';
import { rbacLines } from './access/rbac.ts';
import type { Environment, RbacInvocation } from './cli/invocation.ts';
import { toPlan } from './cli/plan.ts';
import { UsageError } from './cli/usage-error.ts';
import { EXIT } from './exit.ts';
import { ConfigurationError } from './kube/configuration-error.ts';
import { connect } from './kube/connection.ts';
import { TransportError, whatToDo } from './kube/problem.ts';
import { clean } from './report/clean.ts';
import type { Writer } from './report/reporter.ts';
import { describeProblem } from './report/words.ts';
import type { Plan } from './wait/plan.ts';

/**
 * Prints the manifests that grant what a wait for these targets needs. Asks no server, but for kinds that are not built
 * in; where there is no cluster at all, the namespace is `default`, as it is for kubectl.
 * @throws UsageError
 */
export async function rbac(invocation: RbacInvocation, env: Environment, writer: Writer): Promise<number> {
  try {
    const { namespace, targets } = await outlineOf(invocation, env);
    const { explainFailures, serviceAccount } = invocation;
    const needs = needsOf(targets, { explainFailures });
    for (const line of rbacLines(needs, { serviceAccount, namespace })) writer.out(line);
    // As a comment among the lines only, it would be lost in a pipe.
    for (const remark of new Set(needs.map(unservedRemark))) {
      if (remark !== undefined) writer.err(clean(`kube-await: ${remark}`));
    }
    return EXIT.reached;
  } catch (error) {
    if (!(error instanceof TransportError)) throw error;
    writer.err(
      clean(`kube-await: the kinds that the API server knows cannot be read: ${describeProblem(error.problem)}`),
    );
    return whatToDo(error.problem) === 'refused' ? EXIT.refused : EXIT.timeout;
  }
}

interface Outline extends Pick<Plan, 'targets'> {
  /** Where the ServiceAccount lives. */
  readonly namespace: string;
}

async function outlineOf(invocation: RbacInvocation, env: Environment): Promise<Outline> {
  if (invocation.targets.some((target) => target.builtIn === undefined)) {
    const { openLine, planOver } = await import('./session.ts');
    const line = await openLine(invocation, env);
    const { signal } = new AbortController();
    try {
      const { plan } = await planOver(line, invocation, env, { unanswered: 'throw', signal });
      return { namespace: invocation.namespace ?? line.connection.namespace, targets: plan.targets };
    } finally {
      line.transport.close();
    }
  }
  const namespace = invocation.namespace ?? (await contextNamespace(invocation, env));
  const { targets } = await toPlan(invocation, { namespace, self: undefined });
  return { namespace, targets };
}

async function contextNamespace({ connection }: RbacInvocation, env: Environment): Promise<string> {
  try {
    return (await connect(connection, env)).namespace;
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    // What the user named must be right; that there is nothing to find is no fault here.
    if (connection.kubeconfig !== undefined || connection.context !== undefined) throw new UsageError(error.message);
    return 'default';
  }
}
