import { readFileSync } from 'node:fs';
import type { Environment, TargetRun } from './cli/invocation.ts';
import { builtInKinds, unknownKind } from './cli/kinds.ts';
import { toPlan } from './cli/plan.ts';
import { UsageError } from './cli/usage-error.ts';
import { text } from './json.ts';
import { ConfigurationError } from './kube/configuration-error.ts';
import { type Connection, connect } from './kube/connection.ts';
import { podOfToken } from './kube/in-cluster.ts';
import { TransportError } from './kube/problem.ts';
import type { ApiResource } from './kube/resource.ts';
import { createTransport, type Transport } from './kube/transport.ts';
import { VERSION } from './version.ts';
import type { JsonPathJudge, Plan, PlannedJsonPath, Target } from './wait/plan.ts';

/**
 * Limit for asking the API server who we are, in milliseconds. The answer only improves a message, but a server that has
 * just refused a request also answers this one, however slow it is.
 */
const IDENTITY_TIMEOUT_MS = 10_000;

/** A way to the API server. */
export interface Line {
  readonly connection: Connection;
  readonly transport: Transport;
}

/** A line to the API server, and what to do there. */
export interface Session extends Line {
  readonly plan: Plan;
  /** Asks discovery for a kind that is not served as it was asked for. Throws TransportError. */
  readonly resolve: (resource: ApiResource, signal: AbortSignal) => Promise<ApiResource | undefined>;
}

/** What becomes of a kind that is not built in while the API server does not answer. */
interface LookUp {
  /** `wait`: the run itself looks for it, with its patience and its time limit. `throw`: a TransportError. */
  readonly unanswered: 'wait' | 'throw';
  readonly signal: AbortSignal;
}

/**
 * Finds the API server and resolves the targets. Nothing is asked of the network but for kinds that are not built in.
 * @throws UsageError
 */
export async function openSession(run: TargetRun, env: Environment): Promise<Session> {
  const line = await openLine(run, env);
  return { ...line, ...(await planOver(line, run, env, { unanswered: 'wait', signal: new AbortController().signal })) };
}

/**
 * Finds the API server; asks it nothing.
 * @throws UsageError
 */
export async function openLine(run: TargetRun, env: Environment): Promise<Line> {
  const connection = await connectOrRefuse(run, env);
  const { requestTimeoutMs } = run.connection;
  const userAgent = `kube-await/${VERSION} (${process.platform}/${process.arch})`;
  return { connection, transport: createTransport(connection, { userAgent, requestTimeoutMs }) };
}

/**
 * Resolves the targets.
 * @throws UsageError, and TransportError where `lookUp` says so
 */
export async function planOver(
  { connection, transport }: Line,
  run: TargetRun,
  env: Environment,
  lookUp: LookUp,
): Promise<Pick<Session, 'plan' | 'resolve'>> {
  const { requestTimeoutMs } = run.connection;
  const find = async (word: string, signal: AbortSignal): Promise<ApiResource | undefined> => {
    const { discover } = await import('./kube/discovery.ts');
    const found = await discover(transport, word, { signal, timeoutMs: requestTimeoutMs });
    return found === undefined || isBuiltInGroup(found) ? found : { ...found, origin: 'custom' };
  };
  const { namespace } = connection;
  const resolveKind = (word: string): Promise<ApiResource> => resolveWord(word, find, lookUp);
  const outline = await toPlan(run, { namespace, self: selfOf(connection, env), resolveKind });
  const explains = run.output.logs > 0 ? 'failures' : 'nothing';
  const plan: Plan = { ...outline, explains, jsonPaths: await readJsonPaths(outline.targets) };
  return { plan, resolve: (resource, signal) => findAgain(resource, find, signal) };
}

/** In whatever version it is served now. */
async function findAgain(
  { group, version, name, kind }: ApiResource,
  find: (word: string, signal: AbortSignal) => Promise<ApiResource | undefined>,
  signal: AbortSignal,
): Promise<ApiResource | undefined> {
  if (version === '') return find(kind, signal);
  const found = await find(group === '' ? name : `${name}.${group}`, signal);
  return found?.group === group && found.name === name ? found : undefined;
}

/** The API server's address as it may be shown: without a password. */
export function shownServer({ server }: Connection): string {
  return server.origin + server.pathname;
}

async function connectOrRefuse(run: TargetRun, env: Environment): Promise<Connection> {
  try {
    const connection = await connect(run.connection, env);
    // All of a container, and no pod of a cluster: `docker run`.
    if (process.pid === 1 && !env.KUBERNETES_SERVICE_HOST) {
      const { refuseOwnLoopback } = await import('./kube/loopback.ts');
      await refuseOwnLoopback(connection);
    }
    return connection;
  } catch (error) {
    if (error instanceof ConfigurationError) throw new UsageError(error.message);
    throw error;
  }
}

/**
 * The pod that this process runs in, asked of no one. The claims of its token come first: POD_NAME may be anything, and
 * the host name is another one under hostNetwork, spec.hostname and setHostnameAsFQDN.
 */
export function selfOf(connection: Connection, env: Environment, serviceAccountDir?: string): Plan['self'] {
  const claimed = podOfToken(serviceAccountDir);
  if (claimed !== undefined) return claimed;
  const { POD_NAME: name, POD_NAMESPACE: namespace } = env;
  if (name && namespace) return { name, namespace };
  if (connection.source !== 'in-cluster') return undefined;
  return { name: name || hostname(), namespace: namespace || connection.namespace };
}

/** On Linux it is a file, which is read sooner than the module for it is loaded. */
function hostname(): string {
  try {
    return readFileSync('/proc/sys/kernel/hostname', 'utf8').trim();
  } catch {
    return process.getBuiltinModule('node:os').hostname();
  }
}

/** A kind that is not built in. One that is not served yet, but names its group, is awaited like a missing object. */
async function resolveWord(
  word: string,
  find: (word: string, signal: AbortSignal) => Promise<ApiResource | undefined>,
  { unanswered, signal }: LookUp,
): Promise<ApiResource> {
  try {
    const found = await find(word, signal);
    if (found !== undefined) return found;
    if (!word.includes('.')) throw unknownKind(word);
  } catch (error) {
    if (!(error instanceof TransportError) || unanswered === 'throw') throw error;
  }
  return notServedYet(word);
}

function isBuiltInGroup({ group }: ApiResource): boolean {
  return builtInKinds().some((kind) => kind.group === group);
}

/** What is known of a kind by its word alone; `kind` holds the word until discovery knows better. */
function notServedYet(word: string): ApiResource {
  const [name = word, ...group] = word.split('.');
  const rest = { version: '', kind: word, shortNames: [], namespaced: true, origin: 'custom' } as const;
  return { group: group.join('.'), name, singularName: name, ...rest };
}

/** Reads all jsonpath expressions, before anything is asked: a bad one is a usage error. */
async function readJsonPaths(targets: readonly Target[]): Promise<Plan['jsonPaths']> {
  const goals = targets.flatMap((target) => target.goals.filter((goal) => goal.for === 'jsonpath'));
  const planned = new Map<string, PlannedJsonPath>();
  if (goals.length === 0) return planned;
  const { JsonPathError, judgeJsonPath, parseJsonPath, readsStatus } = await import('./verdict/jsonpath.ts');
  for (const { expression } of goals) {
    try {
      const path = parseJsonPath(expression);
      const judge: JsonPathJudge = (value, object) => judgeJsonPath(path, value, object);
      planned.set(expression, { judge, readsStatus: readsStatus(path) });
    } catch (error) {
      if (error instanceof JsonPathError) throw new UsageError(`--for=jsonpath: ${error.message}`);
      throw error;
    }
  }
  return planned;
}

/**
 * The user name that the API server gives us; undefined if it does not answer within ten seconds.
 * https://kubernetes.io/docs/reference/access-authn-authz/authentication/#self-subject-review
 */
export async function whoAmI(transport: Transport, signal?: AbortSignal): Promise<string | undefined> {
  try {
    const response = await transport.request({
      method: 'POST',
      path: '/apis/authentication.k8s.io/v1/selfsubjectreviews',
      body: JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' }),
      signal: signal ?? new AbortController().signal,
      timeoutMs: IDENTITY_TIMEOUT_MS,
    });
    return text(await response.json(), 'status', 'userInfo', 'username');
  } catch {
    return undefined;
  }
}
