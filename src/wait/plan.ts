import type { KubeObject } from '../kube/object.ts';
import type { ApiResource } from '../kube/resource.ts';

/** What a target must come to. Several goals of one target must all hold. */
export type Goal =
  /** The kind's own meaning of done. */
  | { readonly for: 'default' }
  | { readonly for: 'complete' }
  | { readonly for: 'finished' }
  | { readonly for: 'ready' }
  /** Ready, or ended well or badly: a failed pod counts as done. Of a Service, every pod of it. */
  | { readonly for: 'settled' }
  /** A part is enough: a Job that has ended with at least one succeeded pod, a Service with one ready pod. */
  | { readonly for: 'partly' }
  | { readonly for: 'create' }
  | { readonly for: 'delete' }
  | { readonly for: 'condition'; readonly type: string; readonly status: string }
  | { readonly for: 'jsonpath'; readonly expression: string; readonly value?: string };

/** Which objects of a resource a target means. */
export type Selection =
  | { readonly by: 'name'; readonly name: string }
  | { readonly by: 'selector'; readonly labelSelector?: string; readonly fieldSelector?: string };

/** What it means that a target does not exist, or was deleted before it was done. */
export type OnMissing = 'wait' | 'fail' | 'succeed';

/** One thing that is waited for. */
export interface Target {
  /** As the user wrote it and as each line shows it: `job/migrate`, `pod -l app=db`, `infra/job/migrate`. */
  readonly label: string;
  readonly resource: ApiResource;
  /** Undefined for cluster-scoped resources and for all namespaces. */
  readonly namespace: string | undefined;
  readonly select: Selection;
  /** Never empty. */
  readonly goals: readonly Goal[];
  readonly onMissing: OnMissing;
  readonly missingGraceMs: number;
  /** A selector must find at least so many objects before it can be reached. Undefined: not set by the user, so 1. */
  readonly expect: number | undefined;
  /** So many reached objects of a selector are enough. Undefined: all of them. */
  readonly atLeast: number | undefined;
  /** Of a pod, only this container. */
  readonly container: string | undefined;
  readonly stuckAfterMs: number | undefined;
  /** Pods of a Job are judged through it only if jobs may be read: Roles for k8s-wait-for seldom have them. */
  readonly ownerJobs?: 'where readable' | undefined;
  /** Targets with the same text here are alternatives: one of them is enough, and only all of them can fail. */
  readonly oneOf?: string | undefined;
}

/** The pod that this program runs in. */
export interface Self {
  readonly namespace: string;
  readonly name: string;
  /** Where it is known: another cluster may have a pod of the same name. */
  readonly uid?: string | undefined;
}

/** The run, resolved: no later code parses a string of the user's. */
export interface Plan {
  /** Never empty, no two alike. */
  readonly targets: readonly Target[];
  /** For the whole run. Infinity: for ever. 0: one complete list of each target. */
  readonly timeoutMs: number;
  readonly onRefused: 'fail' | 'wait';
  /** 0: none. */
  readonly heartbeatMs: number;
  /** Every request but watches. */
  readonly requestTimeoutMs: number;
  /** The waiter's own pod, which never counts in a selector. */
  readonly self: Self | undefined;
  /** Whether failures are explained by the pods of a Job and their logs. */
  readonly explains: 'failures' | 'nothing';
  /** What all jsonpath goals come to, by expression. */
  readonly jsonPaths: ReadonlyMap<string, PlannedJsonPath>;
}

export interface PlannedJsonPath {
  readonly judge: JsonPathJudge;
  /** Whether it may look at the status, at whatever spelling of it. */
  readonly readsStatus: boolean;
}

/** Compares what an expression finds in an object with a value; undefined: any will do. Never throws. */
export type JsonPathJudge = (
  value: string | undefined,
  object: KubeObject,
) => {
  readonly state: 'pending' | 'reached' | 'failed';
  /** What was found, cut short; undefined: nothing. */
  readonly shown: string | undefined;
  /** Why it can never be compared. */
  readonly problem?: string | undefined;
};
