import { type Answer, ask, type Standing, standings } from './access/check.ts';
import { type Need, needsOf, type Rule, ruleOf, unservedRemark } from './access/needs.ts';
import { assertNever } from './assert-never.ts';
import type { CheckInvocation, Environment } from './cli/invocation.ts';
import { type Clock, systemClock } from './clock.ts';
import { EXIT } from './exit.ts';
import { text } from './json.ts';
import { type Problem, TransportError, whatToDo } from './kube/problem.ts';
import { createBackoff, createPace } from './kube/retry.ts';
import type { Transport } from './kube/transport.ts';
import { clean, cleanJson } from './report/clean.ts';
import { elapsed } from './report/elapsed.ts';
import { describeUnauthorized, describeUntrusted, isUnauthorized, mendingLines } from './report/refusal.ts';
import type { Writer } from './report/reporter.ts';
import { table } from './report/table.ts';
import { describeProblem } from './report/words.ts';
import { type Line, openLine, planOver, shownServer, whoAmI } from './session.ts';

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
  const line = await openLine(invocation, env);
  const server = shownServer(line.connection);
  const isJson = invocation.output.format === 'json';
  const { timeoutMs, output } = invocation;
  try {
    const findings = await inTime(systemClock, timeoutMs, async (signal) => {
      const { plan } = await planOver(line, invocation, env, { unanswered: 'throw', signal });
      return await find(line, needsOf(plan.targets, { explainFailures: output.logs > 0 }), {
        signal,
        timeoutMs: plan.requestTimeoutMs,
      });
    });
    if (isJson) writer.out(cleanJson(toJson(findings)));
    else for (const shown of toLines(findings, line.connection.source)) writer.out(clean(shown));
    return findings.standings.some(isLacking) ? EXIT.refused : EXIT.reached;
  } catch (error) {
    if (!(error instanceof TransportError)) throw error;
    const said = clean(describeEnd(error.problem, line));
    if (isJson) writer.out(cleanJson({ server, allowed: false, problem: said }));
    else writer.err(said);
    return whatToDo(error.problem) === 'refused' ? EXIT.refused : EXIT.timeout;
  } finally {
    line.transport.close();
  }
}

/**
 * Tries until there is an answer, or the time is up: a pod's network may come up a moment after its first container.
 * With a time limit of 0 once. Rejects with what went wrong last.
 */
async function inTime<T>(clock: Clock, timeoutMs: number, attempt: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const limit = new AbortController();
  const backoff = createBackoff({ random: Math.random, now: () => clock.now(), pace: createPace(clock) });
  const isLimited = timeoutMs > 0 && Number.isFinite(timeoutMs);
  const alarm = isLimited ? clock.alarm(timeoutMs, () => limit.abort()) : undefined;
  let last: TransportError | undefined;
  try {
    for (;;) {
      try {
        return await attempt(limit.signal);
      } catch (error) {
        if (!(error instanceof TransportError)) throw error;
        const { problem } = error;
        if (limit.signal.aborted) throw last ?? silence(timeoutMs);
        last = error;
        if (timeoutMs === 0 || whatToDo(problem) !== 'retry') throw error;
        await clock.sleep(backoff.next(problem), limit.signal);
        if (limit.signal.aborted) throw error;
      }
    }
  } finally {
    alarm?.cancel();
  }
}

function silence(timeoutMs: number): TransportError {
  return new TransportError({ kind: 'unreachable', message: `nothing came within ${elapsed(timeoutMs)}` });
}

function describeEnd(problem: Problem, { connection }: Line): string {
  const server = shownServer(connection);
  if (problem.kind === 'credentials') return `refused: ${problem.message}`;
  if (problem.kind === 'untrusted') return `refused: ${describeUntrusted(problem, server)}`;
  if (isUnauthorized(problem)) {
    return `refused: ${describeUnauthorized(problem, { server, credentials: connection.credentials, asked: undefined })}`;
  }
  const said = describeProblem(problem);
  return whatToDo(problem) === 'refused' ? `refused by ${server}: ${said}` : `no answer from ${server}: ${said}`;
}

interface RequestLimits {
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
}

async function find({ connection, transport }: Line, needs: readonly Need[], limits: RequestLimits): Promise<Findings> {
  const answers = await ask(transport, needs, limits);
  const [version, identity] = await Promise.all([versionOf(transport, limits), whoAmI(transport)]);
  return { server: shownServer(connection), version, identity, answers, standings: standings(needs, answers) };
}

async function versionOf(transport: Transport, limits: RequestLimits): Promise<string | undefined> {
  try {
    const response = await transport.request({ method: 'GET', path: '/version', ...limits });
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

function lackingNeeds({ standings: all }: Findings): readonly Need[] {
  return all.filter(isLacking).map(({ need }) => need);
}

function toLines(findings: Findings, source: string): readonly string[] {
  const { server, version, identity, answers, standings: all } = findings;
  const head = [
    `server    ${server} (${source})${version === undefined ? '' : `, ${version}`}`,
    `identity  ${identity ?? 'unknown: the API server does not say'}`,
    '',
  ];
  const rows = answers
    .filter(isOwn)
    .map(({ need, verb, allowed }) => [
      verb,
      resourceOf(need),
      need.namespace ?? (need.namespaced ? '(all)' : '(cluster)'),
      allowed ? 'yes' : 'no',
      need.need,
      need.reasons.join('; '),
    ]);
  const lines = table([['VERB', 'RESOURCE', 'NAMESPACE', 'ALLOWED', 'NEED', 'FOR'], ...rows]);
  const said = [...remarksOn(all).map((remark) => `remark: ${remark}`), ...lackingLines(findings)];
  return [...head, ...lines, ...(said.length === 0 ? [] : ['', ...said])];
}

/** `get` is asked for its own sake only where the need is for it; else it may have to stand in for `list`. */
function isOwn({ need, verb }: Answer): boolean {
  return need.verbs.includes(verb);
}

function lackingLines(findings: Findings): readonly string[] {
  const lacking = lackingNeeds(findings);
  if (lacking.length === 0) return [];
  const who = findings.identity === undefined ? 'this identity' : `"${findings.identity}"`;
  return [`lacking: ${lacking.map(placed).join(', ')}`, ...mendingLines(lacking, who)];
}

function resourceOf({ resource, subresource, apiGroup, resourceName }: Need): string {
  const full = `${resource}${apiGroup === '' ? '' : `.${apiGroup}`}${subresource === undefined ? '' : `/${subresource}`}`;
  return resourceName === undefined ? full : `${full}/${resourceName}`;
}

function placed(need: Need): string {
  if (need.namespace !== undefined) return `${resourceOf(need)} in namespace ${need.namespace}`;
  return need.namespaced ? `${resourceOf(need)} in all namespaces` : resourceOf(need);
}

/** What a wait would do without, or do in another way. */
function remarksOn(all: readonly Standing[]): readonly string[] {
  return all.flatMap((standing) => {
    const unserved = unservedRemark(standing.need);
    return [...(unserved === undefined ? [] : [unserved]), ...remarksOnOne(standing)];
  });
}

function remarksOnOne(standing: Standing): readonly string[] {
  const what = placed(standing.need);
  switch (standing.standing) {
    case 'granted':
      return [];
    case 'fallback':
      return standing.instead.map((instead) =>
        instead === 'poll'
          ? `${what}: without watch it is polled every 2 to 10 s`
          : `${what}: without list it is read by get`,
      );
    case 'lacking':
      return standing.need.need === 'optional' ? [`${what}: optional, not granted`] : [];
    default:
      return assertNever(standing);
  }
}

function toJson(findings: Findings): object {
  const { server, version, identity, answers, standings: all } = findings;
  const needs = answers.filter(isOwn).map(({ need, verb, allowed, reason }) => {
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
  const lacking = lackingNeeds(findings);
  const rules = lacking.map((need): { namespace: string | undefined; rule: Rule } => ({
    namespace: need.namespace,
    rule: ruleOf(need),
  }));
  return { server, version, identity, allowed: lacking.length === 0, needs, remarks: remarksOn(all), lacking: rules };
}
