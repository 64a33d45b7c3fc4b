import type { CollectionSpec, Emission, Verb } from '../kube/collection.ts';
import type { KubeObject } from '../kube/object.ts';
import type { Problem } from '../kube/problem.ts';
import type { Owner } from '../verdict/owner.ts';
import type { Verdict, Why } from '../verdict/verdict.ts';
import type { Target } from './plan.ts';

/** What the step is told. */
export type Input =
  | { readonly what: 'start' }
  /** Time has passed. */
  | { readonly what: 'tick' }
  | { readonly what: 'emission'; readonly key: string; readonly emission: Emission };

/** A collection that the state asks for. */
export interface Want {
  readonly key: string;
  readonly spec: CollectionSpec;
  /** Whether the run can end without its answer: then a refusal of it is no ending. */
  readonly need: 'required' | 'optional';
}

/** What is known of one collection. */
export interface CollectionState {
  readonly want: Want;
  /** Undefined until the first complete answer. */
  readonly objects: ReadonlyMap<string, KubeObject> | undefined;
  /** What goes wrong now; undefined once the server answers again. */
  readonly trouble: Trouble | undefined;
  /** Set on a list shortly before the timeout: the collection that it checks, and the objects known when it began. */
  readonly look?: { readonly key: string; readonly known: CollectionState['objects'] } | undefined;
  /** After trouble a watch goes on where it was: until then what was missed may still be on its way. */
  readonly catchingUpUntil?: number | undefined;
}

export interface Trouble {
  readonly verb: Verb;
  readonly problem: Problem;
  /** Since when requests are refused without a success between; undefined while the newest problem is another one. */
  readonly refusedSince: number | undefined;
  /** When it was told last. */
  readonly at: number;
  /** Whether the server was out of reach since its last answer: just after a start it refuses what it will grant. */
  readonly afterOutage: boolean;
}

/** The whole state of a run. Times are milliseconds of the run's monotonic clock. */
export interface State {
  readonly startedAt: number;
  readonly collections: ReadonlyMap<string, CollectionState>;
  /** In the order of the plan. */
  readonly targets: readonly TargetState[];
  /** Written once: the first ending wins. */
  readonly ending: Ending | undefined;
}

export interface TargetState {
  readonly target: Target;
  readonly memory: Memory;
  readonly status: Status;
}

/** What is remembered of a target's objects from one snapshot to the next. */
export interface Memory {
  /** When the first complete answer came. */
  readonly syncedAt: number | undefined;
  /** Objects seen alive, by uid: those that exist, and those that are gone but ended in a terminal verdict. */
  readonly members: ReadonlyMap<string, Member>;
  /** Objects that were already being deleted when first seen: out of an earlier release, never counted. */
  readonly predecessors: ReadonlySet<string>;
  /** Objects that were deleted before they were done, by namespace and name, until one of that name is there again. */
  readonly lost: ReadonlyMap<string, Lost>;
  /** Jobs that have ended, and the newest run of a CronJob, by uid, in their last state. They may be deleted. */
  readonly endedJobs: ReadonlyMap<string, KubeObject>;
  /** Since when an owning Job that a member names is not there, by uid. */
  readonly ownersGone: ReadonlyMap<string, number>;
  /** Since when nothing is there to be judged: the first complete answer, or the newest deletion. */
  readonly absentSince: number | undefined;
  /** The waiter's own pod, where the selector finds it, or that of a Service. */
  readonly self: KubeObject | undefined;
  /** Pods that do not count because their controller replaces them: how each is called, by uid. */
  readonly replaced: ReadonlyMap<string, string>;
  /** Where the target is a Service: its pods but for the waiter's own. They are what meets it. */
  readonly servedBy: readonly KubeObject[] | undefined;
  /** Clocks of --stuck-after, by pod and container. */
  readonly stuck: ReadonlyMap<string, Stuck>;
  /** Pods of a Job that failed, the newest last: some are deleted before the Job has failed. */
  readonly failedPods: ReadonlyMap<string, KubeObject>;
  /** Since when a Job has active pods of which not all are ready. */
  readonly unreadySince: number | undefined;
  /** Pods of such a Job. */
  readonly unreadyPods: readonly KubeObject[];
  /** Collections that only explain, and that may not be read: they are not asked for again. */
  readonly refused: ReadonlySet<string>;
  /** Under --for=delete: what of the first list may still be there, by uid, and how much that was. */
  readonly doomed: ReadonlyMap<string, KubeObject> | undefined;
  readonly doomedTotal: number | undefined;
}

/** A container, or the scheduling of a pod, that is stuck or was stuck and has not recovered since. */
export interface Stuck {
  readonly label: string;
  /** The newest reason. */
  readonly reason: string;
  readonly message: string | undefined;
  /** When this run first saw it stuck. */
  readonly since: number;
  /** Since when it has been running without a restart; undefined while it is not running. */
  readonly runningSince: number | undefined;
  readonly restarts: number;
}

/** One thing that counts towards a selector's target: an object, a Job that owns objects, an object that is lost. */
export interface Item {
  readonly label: string;
  readonly state: 'pending' | 'reached' | 'failed';
  readonly why: Why | Extract<StatusWhy, { code: 'missing' }>;
}

export interface Member {
  readonly object: KubeObject;
  readonly verdict: Verdict;
  readonly presence: 'here' | 'gone';
}

export interface Lost {
  readonly name: string;
  readonly uid: string;
  readonly at: number;
  /** Whether its last state was seen (it was not done then) or nobody knows how it ended. */
  readonly outcome: 'not done' | 'unknown';
  /** Whether it was deleted, has merely left the selection, or is being looked up by name. */
  readonly fate: 'open' | 'deleted';
  /** Of a pod that is judged through its Job: then it is the Job that counts on. */
  readonly job: Owner | undefined;
}

/** How a target stands. Compared as data: a line is told when it differs from the one before. */
export type Status =
  /** No complete answer yet. */
  | { readonly state: 'unknown' }
  | {
      readonly state: 'pending' | 'reached' | 'failed';
      readonly why: StatusWhy;
      readonly uid?: string;
      /** Set on a terminal verdict: nothing that happens to the object can take it back. */
      readonly lasting?: 'terminal';
    };

export type StatusWhy =
  | Why
  /** Nothing is there, or it was deleted before it was done. `taken` says what the policy made of it. */
  | {
      readonly code: 'missing';
      readonly lost: Pick<Lost, 'name' | 'outcome'> | undefined;
      readonly taken: 'pending' | 'done' | 'failed';
      /** Where only the container that was asked for is missing: those that there are. */
      readonly containers: readonly string[] | undefined;
    }
  /** A container that has been stuck for longer than --stuck-after. */
  | { readonly code: 'stuck'; readonly label: string; readonly reason: string; readonly message: string | undefined }
  /** Objects that are to go. */
  | { readonly code: 'deletion'; readonly left: number; readonly total: number; readonly first: string | undefined }
  /** A selector's objects, counted. */
  | {
      readonly code: 'members';
      readonly reached: number;
      readonly total: number;
      /** How many must be found, or must be reached, where the user said so. */
      readonly expect: number | undefined;
      readonly atLeast: number | undefined;
      /** Objects that exist but do not count: pods that their controller replaces. */
      readonly replaced: number;
      /** The one that is worth telling: why the target has failed, or why it is still pending. */
      readonly first:
        | { readonly label: string; readonly why: Why | Extract<StatusWhy, { code: 'missing' }> }
        | undefined;
    };

/** How a run ends, but for signals and bugs, which end it from outside. */
export type Ending =
  | { readonly kind: 'reached' }
  | { readonly kind: 'failed' }
  /** The first LIST of the target got an answer that no later one will differ from. */
  | { readonly kind: 'usage'; readonly target: Target; readonly problem: Problem }
  | { readonly kind: 'refused'; readonly want: Want; readonly verb: Verb; readonly problem: Problem }
  | { readonly kind: 'timeout' };
