/**
 * What an object comes to. A verdict is pure: it follows from the object alone, never from the clock, and it carries
 * the API's own reason and message unchanged; src/report alone makes sentences.
 */
export type Verdict =
  | { readonly state: 'pending'; readonly why: Why }
  | {
      readonly state: 'reached';
      /** `terminal` can never be undone for this uid; `level` is true now and may cease to be. */
      readonly lasting: 'terminal' | 'level';
      readonly why: Why;
    }
  | { readonly state: 'failed'; readonly why: Why };

/** The facts behind a verdict. */
export type Why =
  | {
      readonly code: 'job';
      readonly counts: JobCounts;
      readonly suspended: boolean;
      /** The condition that decided, or that is worth telling: SuccessCriteriaMet, FailureTarget. */
      readonly condition: Condition | undefined;
    }
  | {
      readonly code: 'pod';
      readonly phase: string;
      readonly reason: string | undefined;
      readonly message: string | undefined;
      /** Containers that ended badly, or that wait for something that may never come. */
      readonly containers: readonly ContainerFacts[];
      /** It has ended, and a pod of the same name is awaited. */
      readonly awaits?: 'successor';
    }
  /** One container of a pod, asked for by name. */
  | { readonly code: 'container'; readonly phase: string; readonly container: ContainerFacts }
  | {
      readonly code: 'service';
      /** Undefined: it has no selector. */
      readonly pods: { readonly ready: number; readonly total: number } | undefined;
      /** Ready endpoints; undefined where EndpointSlices may not be read. */
      readonly endpoints: number | undefined;
    }
  | {
      readonly code: 'cronjob';
      readonly suspended: boolean;
      /** Its newest scheduled run; undefined where there was none yet. */
      readonly run: { readonly name: string; readonly state: Verdict['state']; readonly why: Why } | undefined;
    }
  | RolloutFacts
  | {
      readonly code: 'phase';
      readonly phase: string;
      readonly reason: string | undefined;
      readonly message: string | undefined;
    }
  | {
      readonly code: 'condition';
      /** `Ready=True` */
      readonly wanted: string;
      /** As it is; undefined where the object has none of that type. */
      readonly condition: Condition | undefined;
      /** Whether it speaks of an earlier spec. */
      readonly stale: boolean;
      /** Why it can never be compared. */
      readonly problem?: string | undefined;
    }
  | {
      readonly code: 'jsonpath';
      readonly expression: string;
      /** The value wanted; undefined: any. */
      readonly wanted: string | undefined;
      /** The value found; undefined: none. */
      readonly found: string | undefined;
      /** Why the two can never be compared. */
      readonly problem: string | undefined;
    }
  | { readonly code: 'exists' }
  /** The other objects that the verdict takes have not been read yet. */
  | { readonly code: 'reading' }
  /** A pod that has no container of the name that was asked for; these it has. */
  | { readonly code: 'no-container'; readonly containers: readonly string[] };

/** The counters of a roll-out, and how far it is. */
export interface RolloutFacts {
  readonly code: 'rollout';
  readonly stage: 'unobserved' | 'paused' | 'updating' | 'replacing' | 'starting' | 'done';
  readonly wanted: number;
  readonly updated: number;
  readonly available: number;
  readonly reason: string | undefined;
  readonly message: string | undefined;
}

/** A Job's counters. They are told, never judged. */
export interface JobCounts {
  readonly succeeded: number;
  readonly active: number;
  readonly failed: number;
  /** Undefined for a work queue: any pod's success is the Job's. */
  readonly completions: number | undefined;
}

/** https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/ (metav1.Condition and its older kin) */
export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string | undefined;
  readonly message: string | undefined;
  /** The generation of the spec that it speaks of, where it says so. */
  readonly observedGeneration?: number | undefined;
}

export interface ContainerFacts {
  readonly name: string;
  readonly state: 'waiting' | 'running' | 'terminated';
  readonly reason: string | undefined;
  readonly message: string | undefined;
  readonly exitCode: number | undefined;
  readonly signal: number | undefined;
  readonly restarts: number;
}

export function pending(why: Why): Verdict {
  return { state: 'pending', why };
}

export function reached(lasting: 'terminal' | 'level', why: Why): Verdict {
  return { state: 'reached', lasting, why };
}

export function failed(why: Why): Verdict {
  return { state: 'failed', why };
}
