import type { KubeObject } from './object.ts';
import type { Problem } from './problem.ts';
import type { ApiResource } from './resource.ts';

/** What is read: the objects of one resource that a name or a selector finds. */
export interface CollectionSpec {
  readonly resource: ApiResource;
  /** Undefined: cluster-scoped, or all namespaces. */
  readonly namespace: string | undefined;
  readonly name?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  /** `once`: one complete list, no watch. */
  readonly mode: 'watch' | 'once';
  /** How much of each object is needed: what its kind's verdict reads, all of it, or its metadata only. */
  readonly keep: Keep;
}

export type Keep = 'verdict' | 'whole' | 'metadata';

/** What the server was asked to do when a problem arose: the verb that RBAC knows. */
export type Verb = 'list' | 'watch' | 'get';

/** What a collection tells. */
export type Emission =
  /**
   * Everything that exists now, by uid. `departed` are objects that a DELETED event has taken away since the last
   * snapshot, in their last state; with a label or field selector such an object may merely have left the selection.
   */
  | {
      readonly what: 'snapshot';
      readonly objects: ReadonlyMap<string, KubeObject>;
      readonly departed: readonly KubeObject[];
      /** What discovery found, if the resource of the spec was not known or is served in another version. */
      readonly resource?: ApiResource | undefined;
    }
  /** The server has answered a request as asked: an outage or a refusal is over. */
  | { readonly what: 'answered'; readonly verb: Verb }
  /** A request failed; it is tried again. */
  | { readonly what: 'problem'; readonly verb: Verb; readonly problem: Problem }
  /** A permission is lacking, and what is done instead. */
  | { readonly what: 'fallback'; readonly to: 'poll' | 'get'; readonly problem: Problem };
