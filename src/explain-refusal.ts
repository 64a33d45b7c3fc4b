import { ask, standings } from './access/check.ts';
import { covers, type Need, needOf, needsOf } from './access/needs.ts';
import { TransportError } from './kube/problem.ts';
import { isMendedByRule, type Refusal } from './report/refusal.ts';
import { type Line, shownServer, whoAmI } from './session.ts';
import type { Plan } from './wait/plan.ts';
import type { Ending } from './wait/state.ts';

/** How long the questions may take that only make the message better, in milliseconds. */
const LIMIT_MS = 5_000;

/** Finds out who was refused, and what else the run lacks. Never rejects but for a bug. */
export async function explainRefusal(
  { want, verb, problem }: Extract<Ending, { kind: 'refused' }>,
  { targets }: Plan,
  line: Line,
  signal: AbortSignal,
): Promise<Refusal> {
  const { connection } = line;
  const need = needOf(want);
  const facts = { need, verb, problem, server: shownServer(connection), credentials: connection.credentials };
  if (!isMendedByRule(problem)) return { ...facts, lacking: [], identity: undefined };
  const needs = required(needsOf(targets, { explainFailures: false }), need);
  const [identity, lacking] = await Promise.all([whoAmI(line.transport, signal), lackingOf(needs, line, signal)]);
  // Whatever a review says: this one was refused.
  const refused = needs.filter((one) => covers(one, need) && !lacking.includes(one));
  return { ...facts, identity, lacking: [...refused, ...lacking] };
}

/** What the run cannot do without, what it was refused among it. */
function required(needs: readonly Need[], refused: Need): readonly Need[] {
  const all = needs.filter((need) => need.need === 'required' || covers(need, refused));
  return all.some((need) => covers(need, refused)) ? all : [...all, refused];
}

/** Those that are not granted; all of them where the API server does not say in time. */
async function lackingOf(needs: readonly Need[], { transport }: Line, signal: AbortSignal): Promise<readonly Need[]> {
  try {
    const answers = await ask(transport, needs, { signal, timeoutMs: LIMIT_MS });
    return standings(needs, answers).flatMap(({ need, standing }) => (standing === 'lacking' ? [need] : []));
  } catch (error) {
    if (error instanceof TransportError) return needs;
    throw error;
  }
}
