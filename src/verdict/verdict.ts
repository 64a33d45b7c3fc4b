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
    };

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
}

export interface ContainerFacts {
  readonly name: string;
  readonly state: 'waiting' | 'terminated';
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
