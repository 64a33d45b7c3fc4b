import { needsOf } from './access/needs.ts';
import { rbacLines } from './access/rbac.ts';
import type { Environment, RbacInvocation } from './cli/invocation.ts';
import { toPlan } from './cli/plan.ts';
import { UsageError } from './cli/usage-error.ts';
import { EXIT } from './exit.ts';
import { ConfigurationError } from './kube/configuration-error.ts';
import { connect } from './kube/connection.ts';
import type { Writer } from './report/reporter.ts';
import type { Plan } from './wait/plan.ts';

/**
 * Prints the manifests that grant what a wait for these targets needs. Asks no server, but for kinds that are not built
 * in; where there is no cluster at all, the namespace is `default`, as it is for kubectl.
 * @throws UsageError
 */
export async function rbac(invocation: RbacInvocation, env: Environment, writer: Writer): Promise<number> {
  const { namespace, targets } = await outlineOf(invocation, env);
  const { explainFailures, serviceAccount } = invocation;
  const needs = needsOf(targets, { explainFailures });
  for (const line of rbacLines(needs, { serviceAccount, namespace })) writer.out(line);
  return EXIT.reached;
}

interface Outline extends Pick<Plan, 'targets'> {
  /** Where the ServiceAccount lives. */
  readonly namespace: string;
}

async function outlineOf(invocation: RbacInvocation, env: Environment): Promise<Outline> {
  if (invocation.targets.some((target) => target.builtIn === undefined)) {
    const { openSession } = await import('./session.ts');
    const { connection, plan, transport } = await openSession(invocation, env);
    transport.close();
    return { namespace: invocation.namespace ?? connection.namespace, targets: plan.targets };
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
