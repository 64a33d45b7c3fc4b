import { type Answer, ask, type Standing, standings } from './access/check.ts';
import { type Need, needsOf, ruleLines } from './access/needs.ts';
import type { CheckInvocation, Environment } from './cli/invocation.ts';
import { EXIT } from './exit.ts';
import { text } from './json.ts';
import { type Problem, TransportError, whatToDo } from './kube/problem.ts';
import type { Transport } from './kube/transport.ts';
import { clean } from './report/clean.ts';
import type { Writer } from './report/reporter.ts';
import { table } from './report/table.ts';
import { describeProblem } from './report/words.ts';
import { openSession, whoAmI } from './session.ts';

/** What was found out. */
interface Findings {
  readonly server: string;
  readonly version: string | undefined;
  readonly identity: string | undefined;
  readonly answers: readonly Answer[];
  readonly standings: readonly Standing[];
}

/**
 * Says whether the API server can be reached, who we are there, and whether a wait for these targets would be allowed.
 * Exit code 0, or 3 where something required is lacking, or 124 where no answer came in time.
 * @throws UsageError
 */
export async function check(invocation: CheckInvocation, env: Environment, writer: Writer): Promise<number> {
  const { connection, transport, plan } = await openSession(invocation, env);
  const server = connection.server.origin;
  const isJson = invocation.output.format === 'json';
  const needs = needsOf(plan.targets, { explainFailures: true });
  const { timeoutMs } = plan;
  const limit = Number.isFinite(timeoutMs) ? AbortSignal.timeout(timeoutMs) : new AbortController().signal;
  try {
    const findings = await find(transport, server, needs, limit, plan.requestTimeoutMs);
    if (isJson) writer.out(JSON.stringify(toJson(findings)));
    else for (const line of toLines(findings, connection.source)) writer.out(clean(line));
    return findings.standings.some(isLacking) ? EXIT.refused : EXIT.reached;
  } catch (error) {
    if (!(error instanceof TransportError)) throw error;
    const refused = whatToDo(error.problem) === 'refused';
    const said = problemLine(server, error.problem);
    if (isJson) writer.out(JSON.stringify({ server, allowed: false, problem: clean(said) }));
    else writer.err(clean(said));
    return refused ? EXIT.refused : EXIT.timeout;
  } finally {
    transport.close();
  }
}

function problemLine(server: string, problem: Problem): string {
  const said = describeProblem(problem);
  return whatToDo(problem) === 'refused' ? `refused by ${server}: ${said}` : `no answer from ${server}: ${said}`;
}

async function find(
  transport: Transport,
  server: string,
  needs: readonly Need[],
  signal: AbortSignal,
  timeoutMs: number,
): Promise<Findings> {
  const options = { signal, timeoutMs };
  const answers = await ask(transport, needs, options);
  const [version, identity] = await Promise.all([versionOf(transport, options), whoAmI(transport)]);
  return { server, version, identity, answers, standings: standings(needs, answers) };
}

async function versionOf(
  transport: Transport,
  options: { readonly signal: AbortSignal; readonly timeoutMs: number },
): Promise<string | undefined> {
  try {
    const response = await transport.request({ method: 'GET', path: '/version', ...options });
    return text(await response.json(), 'gitVersion');
  } catch (error) {
    // Some clusters tell their version to nobody without a right; all else has been answered.
    if (error instanceof TransportError) return undefined;
    throw error;
  }
}

function isLacking(standing: Standing): boolean {
  return standing.standing === 'lacking' && standing.need.need === 'required';
}

function toLines({ server, version, identity, answers, standings: all }: Findings, source: string): readonly string[] {
  const head = [
    `server    ${server} (${source})${version === undefined ? '' : `, ${version}`}`,
    `identity  ${identity ?? 'unknown: the API server does not say'}`,
    '',
  ];
  // `get` is asked for its own sake only where it must stand in for `list`.
  const shown = answers.filter(({ need, verb }) => need.verbs.includes(verb));
  const rows = shown.map(({ need, verb, allowed }) => [
    verb,
    resourceOf(need),
    need.namespace ?? '(all)',
    allowed ? 'yes' : 'no',
    need.need,
    need.reasons.join('; '),
  ]);
  const lines = table([['VERB', 'RESOURCE', 'NAMESPACE', 'ALLOWED', 'NEED', 'FOR'], ...rows]);
  return [...head, ...lines, ...all.flatMap(remarks)];
}

function resourceOf({ resource, subresource, apiGroup, resourceName }: Need): string {
  const full = `${resource}${apiGroup === '' ? '' : `.${apiGroup}`}${subresource === undefined ? '' : `/${subresource}`}`;
  return resourceName === undefined ? full : `${full}/${resourceName}`;
}

function remarks(standing: Standing): readonly string[] {
  const { need } = standing;
  const what = resourceOf(need);
  switch (standing.standing) {
    case 'granted':
      return [];
    case 'fallback':
      return standing.instead.map((instead) =>
        instead === 'poll'
          ? `remark: ${what}: without watch it is read again every 2 to 10 s`
          : `remark: ${what}: without list it is read by get`,
      );
    case 'lacking': {
      const scope = need.namespace === undefined ? 'ClusterRole' : `Role in namespace ${need.namespace}`;
      if (need.need === 'optional') return [`remark: ${what}: optional, not granted`];
      return [`lacking: ${what}: a ${scope} with this rule grants it:`, ...ruleLines(need).map((line) => `  ${line}`)];
    }
  }
}

function toJson({ server, version, identity, answers, standings: all }: Findings): object {
  const needs = answers.map(({ need, verb, allowed, reason }) => {
    const { apiGroup, resource, subresource, resourceName, namespace, reasons } = need;
    return {
      verb,
      apiGroup,
      resource,
      subresource,
      resourceName,
      namespace,
      need: need.need,
      allowed,
      reason,
      reasons,
    };
  });
  return { server, version, identity, allowed: !all.some(isLacking), needs };
}
