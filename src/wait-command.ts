import { hostname } from 'node:os';
import { needOf } from './access/needs.ts';
import { assertNever } from './assert-never.ts';
import type { Environment, WaitInvocation } from './cli/invocation.ts';
import { toPlan } from './cli/plan.ts';
import { UsageError } from './cli/usage-error.ts';
import { systemClock } from './clock.ts';
import { EXIT } from './exit.ts';
import { text } from './json.ts';
import { ConfigurationError } from './kube/configuration-error.ts';
import { type Connection, connect } from './kube/connection.ts';
import { createTransport, type Transport } from './kube/transport.ts';
import { refusalLines } from './report/refusal.ts';
import type { Writer } from './report/reporter.ts';
import { textReporter } from './report/text.ts';
import { isKindGoal, rulesOf } from './verdict/index.ts';
import { VERSION } from './version.ts';
import type { Plan } from './wait/plan.ts';
import { run } from './wait/run.ts';
import type { Ending } from './wait/state.ts';

/** How long the question who we are may take, in milliseconds: it only makes a message better. */
const IDENTITY_TIMEOUT_MS = 2_000;

/**
 * Waits. Gives the exit code.
 * @throws UsageError for what only the connection or discovery can tell
 */
export async function wait(invocation: WaitInvocation, env: Environment, writer: Writer): Promise<number> {
  const { connection, plan } = await prepare(invocation, env);
  const userAgent = `kube-await/${VERSION} (${process.platform}/${process.arch})`;
  const transport = createTransport(connection, { userAgent, requestTimeoutMs: plan.requestTimeoutMs });
  const reporter = textReporter(writer, { verbosity: invocation.output.quiet ? 'results' : 'progress' });
  const ending = await run(plan, { transport, clock: systemClock, random: Math.random, tell: reporter.tell });
  if (ending.kind === 'refused') {
    const { want, verb, problem } = ending;
    const server = connection.server.href;
    const identity = await whoAmI(transport);
    for (const line of refusalLines({ need: needOf(want), verb, problem, server, identity })) writer.err(line);
  }
  transport.close();
  return exitCode(ending);
}

async function prepare(
  invocation: WaitInvocation,
  env: Environment,
): Promise<{ readonly connection: Connection; readonly plan: Plan }> {
  let connection: Connection;
  try {
    connection = await connect(invocation.connection, env);
  } catch (error) {
    if (error instanceof ConfigurationError) throw new UsageError(error.message);
    throw error;
  }
  const plan = await toPlan(invocation, { namespace: connection.namespace, self: selfOf(connection, env) });
  for (const target of plan.targets) {
    if (rulesOf(target.resource) === undefined || !target.goals.every((goal) => isKindGoal(goal.for))) {
      throw new UsageError(`${target.label}: this version waits for jobs and pods only`);
    }
  }
  if (invocation.command !== undefined) throw new UsageError('-- COMMAND: this version does not have it yet');
  return { connection, plan };
}

/** The pod that this process runs in: from the downward API where it is used, else by what a pod is given anyway. */
function selfOf(connection: Connection, env: Environment): Plan['self'] {
  const { POD_NAME: name, POD_NAMESPACE: namespace } = env;
  if (name && namespace) return { name, namespace };
  if (connection.source !== 'in-cluster') return undefined;
  return { name: name || hostname(), namespace: namespace || connection.namespace };
}

/** The user name that the API server gives us. https://kubernetes.io/docs/reference/access-authn-authz/authentication/#self-subject-review */
async function whoAmI(transport: Transport): Promise<string | undefined> {
  try {
    const response = await transport.request({
      method: 'POST',
      path: '/apis/authentication.k8s.io/v1/selfsubjectreviews',
      body: JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' }),
      signal: AbortSignal.timeout(IDENTITY_TIMEOUT_MS),
      timeoutMs: IDENTITY_TIMEOUT_MS,
    });
    return text(await response.json(), 'status', 'userInfo', 'username');
  } catch {
    return undefined;
  }
}

function exitCode(ending: Ending): number {
  switch (ending.kind) {
    case 'reached':
      return EXIT.reached;
    case 'failed':
      return EXIT.failed;
    case 'refused':
      return EXIT.refused;
    case 'timeout':
      return EXIT.timeout;
    default:
      return assertNever(ending);
  }
}
