import type { Verb } from '../kube/collection.ts';
import type { Problem } from '../kube/problem.ts';
import type { ContainerFacts } from '../verdict/verdict.ts';
import type { Ending, State, TargetState, Want } from './state.ts';

/** A pod that explains why a target is not reached. */
export interface PodReport {
  readonly name: string;
  readonly node: string | undefined;
  readonly phase: string;
  readonly reason: string | undefined;
  readonly message: string | undefined;
  readonly containers: readonly ContainerReport[];
  /** Messages of its newest warning events, the newest last. */
  readonly warnings: readonly string[];
}

/** A container that ended badly, or waits for something that may never come. */
export interface ContainerReport extends ContainerFacts {
  /** `previous`: it has been started again since. */
  readonly instance: 'current' | 'previous';
  /** Why it is not started again yet, where it has ended and is to be: CrashLoopBackOff. */
  readonly waitsFor: string | undefined;
}

/** Why pods or their logs could not be shown. */
export type Unexplained =
  | { readonly why: 'refused'; readonly resource: 'pods' | 'pods/log'; readonly verb: 'list' | 'get' }
  /** Deleted by the Job controller (under restartPolicy OnFailure, or since activeDeadlineSeconds have passed) or by others. */
  | { readonly why: 'gone'; readonly what: 'pods' | 'logs'; readonly by: 'restart policy' | 'deadline' | 'others' }
  /** A warning event about a Job that has no pods. */
  | { readonly why: 'warning'; readonly message: string }
  | { readonly why: 'problem'; readonly problem: Problem };

/** What a run has to tell while it goes on and when it ends. Words are src/report's. */
export type RunEvent =
  /** The state of a target has changed. `replaced`: pods that count no longer, since their controller replaces them. */
  | { readonly event: 'changed'; readonly target: TargetState; readonly replaced?: readonly string[] }
  /** Still waiting: the targets that are not reached. */
  | { readonly event: 'heartbeat'; readonly state: State; readonly elapsedMs: number; readonly leftMs: number }
  /** A request fails, for the first time or differently than before. It is tried again. */
  | { readonly event: 'trouble'; readonly want: Want; readonly verb: Verb; readonly problem: Problem }
  /** The requests that failed are answered again. */
  | { readonly event: 'recovered'; readonly want: Want }
  /** A permission is lacking, and what is done instead. */
  | { readonly event: 'fallback'; readonly want: Want; readonly to: 'poll' | 'get'; readonly problem: Problem }
  /** A pod that failed, or that is stuck, of a target that is not reached. */
  | { readonly event: 'pod'; readonly target: TargetState; readonly pod: PodReport }
  /** One of the last log lines of a container of such a pod. */
  | {
      readonly event: 'log';
      readonly target: TargetState;
      readonly pod: string;
      readonly container: string;
      readonly line: string;
    }
  /** Why there is no more to tell of a target's pods. */
  | { readonly event: 'unexplained'; readonly target: TargetState; readonly cause: Unexplained }
  /** Told once, last. */
  | { readonly event: 'done'; readonly state: State; readonly ending: Ending; readonly elapsedMs: number };
