import { field, text } from '../json.ts';
import type { Verb } from '../kube/collection.ts';
import type { Transport } from '../kube/transport.ts';
import type { Need } from './needs.ts';

/** One answer of the API server. */
export interface Answer {
  readonly need: Need;
  readonly verb: Verb;
  readonly allowed: boolean;
  /** The authorizer's own words, where it has some. */
  readonly reason: string | undefined;
}

/** What a need comes to: granted, granted in a way that takes more requests, or lacking. */
export type Standing =
  | { readonly need: Need; readonly standing: 'granted' }
  /** `get` in the place of `list`, or polling in the place of `watch`. */
  | { readonly need: Need; readonly standing: 'fallback'; readonly instead: readonly ('get' | 'poll')[] }
  | { readonly need: Need; readonly standing: 'lacking' };

interface AskOptions {
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
}

/**
 * Asks whether we may do what the needs say; for a named object also `get`, which can stand in for `list`.
 * https://kubernetes.io/docs/reference/access-authn-authz/authorization/#checking-api-access
 * @throws TransportError
 */
export function ask(transport: Transport, needs: readonly Need[], options: AskOptions): Promise<readonly Answer[]> {
  const questions = needs.flatMap((need) => {
    const { verbs } = need;
    const more: readonly Verb[] = need.resourceName !== undefined && verbs.includes('list') ? ['get'] : [];
    return [...verbs, ...more].map((verb) => ({ need, verb }));
  });
  return Promise.all(questions.map(({ need, verb }) => askOne(transport, need, verb, options)));
}

async function askOne(transport: Transport, need: Need, verb: Verb, options: AskOptions): Promise<Answer> {
  const { apiGroup: group, resource, subresource, resourceName: name, namespace } = need;
  const response = await transport.request({
    method: 'POST',
    path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
    body: JSON.stringify({
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: { resourceAttributes: { verb, group, resource, subresource, name, namespace } },
    }),
    ...options,
  });
  const json = await response.json();
  return { need, verb, allowed: field(json, 'status', 'allowed') === true, reason: text(json, 'status', 'reason') };
}

/** What the answers mean for a wait, in the order of the needs. */
export function standings(needs: readonly Need[], answers: readonly Answer[]): readonly Standing[] {
  return needs.map((need): Standing => {
    const may = (verb: Verb): boolean =>
      answers.some((answer) => answer.need === need && answer.verb === verb && answer.allowed);
    if (need.verbs.every(may)) return { need, standing: 'granted' };
    const reads = !need.verbs.includes('list') || may('list') || (need.resourceName !== undefined && may('get'));
    if (!reads || !need.verbs.includes('list')) return { need, standing: 'lacking' };
    const instead = [...(may('list') ? [] : ['get' as const]), ...(may('watch') ? [] : ['poll' as const])];
    return { need, standing: 'fallback', instead };
  });
}
