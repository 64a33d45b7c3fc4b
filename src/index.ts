/**
 * kube-await for programs: the same targets, options and verdicts as those of the command. docs/api.md tells of it.
 * This file is the whole of what a program can see, so that its declarations stand by themselves; the engine is loaded
 * with the first wait.
 */

/** What to wait for: `KIND/NAME` or `NAMESPACE/KIND/NAME` as text, or an object. */
export type Target = string | NamedTarget | SelectedTarget;

/** Objects of one kind. */
interface OfKind {
  /** As for kubectl: `job`, `po`, `deployments`, `crontab.stable.example.com`. */
  readonly kind: string;
  /** Left out: that of the options. */
  readonly namespace?: string | undefined;
}

/** One object by name. */
export interface NamedTarget extends OfKind {
  readonly name: string;
}

/** The objects of a kind that selectors find, or all of them. */
export type SelectedTarget = OfKind &
  (
    | {
        /** `app=db,tier!=cache` */
        readonly labelSelector: string;
        readonly fieldSelector?: string | undefined;
      }
    | {
        /** `status.phase!=Failed` */
        readonly fieldSelector: string;
      }
    | { readonly all: true }
  );

/** In Go's syntax (`90s`, `1h30m`), or a number of milliseconds. */
export type Duration = string | number;

/**
 * The options of the command, each with the same meaning and the same default. Neither the command line nor the
 * KUBE_AWAIT_ variables are read; KUBECONFIG, HTTPS_PROXY, POD_NAME and what else tells where we are is.
 */
export interface WaitOptions {
  /** Ends the wait: it rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Told of each event, in order. What it throws ends the wait, which rejects with it. */
  readonly onEvent?: ((event: WaitEvent) => void) | undefined;

  /** Of targets that name none. */
  readonly namespace?: string | undefined;
  /** Selectors look in every namespace. */
  readonly allNamespaces?: boolean | undefined;

  /** `complete`, `ready`, `condition=Available`, ...; of several all must hold. */
  readonly for?: string | readonly string[] | undefined;
  /** For the whole wait; 10 minutes. Infinity, or a negative one: for ever. 0: look once. */
  readonly timeout?: Duration | undefined;
  readonly onMissing?: 'wait' | 'fail' | 'succeed' | undefined;
  readonly missingGrace?: Duration | undefined;
  readonly onRefused?: 'fail' | 'wait' | undefined;
  readonly atLeast?: number | undefined;
  readonly expect?: number | undefined;
  readonly container?: string | undefined;
  readonly stuckAfter?: Duration | undefined;

  readonly context?: string | undefined;
  readonly kubeconfig?: string | undefined;
  readonly as?: string | undefined;
  readonly asGroup?: string | readonly string[] | undefined;
  readonly server?: string | undefined;
  readonly token?: string | undefined;
  readonly insecureSkipTlsVerify?: boolean | undefined;
  readonly requestTimeout?: Duration | undefined;

  /** How often a `heartbeat` event comes; 30 s. */
  readonly heartbeat?: Duration | undefined;
  /** On failure, so many of the last log lines of each failed container; 20. With 0 nothing is read to explain it. */
  readonly logs?: number | undefined;
}

/** How a wait has ended well. */
export interface Outcome {
  /** One for each target, in their order. */
  readonly results: readonly ReachedEvent[];
  readonly elapsedSeconds: number;
}

/**
 * Waits until every target is reached.
 *
 *     await waitFor(['job/migrate', { kind: 'pod', labelSelector: 'app=db' }], { timeout: '5m' });
 *
 * Rejects with a {@link WaitError} where they are not, and with the reason of the signal where that has aborted.
 */
export async function waitFor(targets: Target | readonly Target[], options: WaitOptions = {}): Promise<Outcome> {
  const { perform } = await import('./api/perform.ts');
  return perform(isList(targets) ? targets : [targets], options);
}

function isList(targets: Target | readonly Target[]): targets is readonly Target[] {
  return Array.isArray(targets);
}

/** Why a wait did not come to what was wanted. */
export type WaitError = WaitFailedError | WaitTimeoutError | WaitRefusedError | WaitUsageError;

/** A target has failed, or was missing or deleted under `onMissing: 'fail'`, or was stuck. */
export class WaitFailedError extends Error {
  override readonly name = 'WaitFailedError';
  readonly kind = 'failed';
  /** What the command would have exited with. */
  readonly exitCode = 1;
  /** Those that failed, and those that were reached until then. */
  readonly results: readonly (ReachedEvent | FailedEvent)[];

  constructor(message: string, results: readonly (ReachedEvent | FailedEvent)[]) {
    super(message);
    this.results = results;
  }
}

/** The timeout has passed. */
export class WaitTimeoutError extends Error {
  override readonly name = 'WaitTimeoutError';
  readonly kind = 'timeout';
  readonly exitCode = 124;
  /** Those that were not reached, with what they lack, and those that were. */
  readonly results: readonly (ReachedEvent | TimeoutEvent)[];

  constructor(message: string, results: readonly (ReachedEvent | TimeoutEvent)[]) {
    super(message);
    this.results = results;
  }
}

/** A 401, a 403, a certificate that cannot be trusted, or a credential plugin that fails. */
export class WaitRefusedError extends Error {
  override readonly name = 'WaitRefusedError';
  readonly kind = 'refused';
  readonly exitCode = 3;
  /** What was refused to whom, and the rules that would grant it. */
  readonly refusal: RefusedEvent;

  constructor(message: string, refusal: RefusedEvent) {
    super(message);
    this.refusal = refusal;
  }
}

/** Targets, options or the configuration cannot be used, or the API server cannot answer for a target. */
export class WaitUsageError extends Error {
  override readonly name = 'WaitUsageError';
  readonly kind = 'usage';
  readonly exitCode = 2;
}

/** What the command prints with `-o json`, as objects; docs/json-output.md says when each of them comes. */
export type WaitEvent =
  | WaitingEvent
  | ChangedEvent
  | RequestEvent
  | HeartbeatEvent
  | ReachedEvent
  | FailedEvent
  | TimeoutEvent
  | LogEvent
  | RefusedEvent
  | DoneEvent;

interface AnyEvent {
  /** RFC 3339, UTC, with milliseconds. */
  readonly time: string;
  /** For people; its words may change. */
  readonly message: string;
  /** Since the wait began. */
  readonly elapsedSeconds: number;
}

/** How a target stands. */
export interface Standing {
  /** As the command would have it: `job/migrate`, `pod -l app=db`. */
  readonly target: string;
  /** Left out for all namespaces and for cluster-scoped kinds. */
  readonly namespace?: string;
  /** Of the one object that it is, once that was seen. */
  readonly uid?: string;
  /** The API's own word. */
  readonly reason?: string;
  /** Numbers behind it; docs/events.schema.json lists them all. */
  readonly counts?: Readonly<Record<string, number>>;
}

/** How a target stands when the API server first tells of it. */
export interface WaitingEvent extends AnyEvent, Standing {
  readonly event: 'waiting';
  readonly level: 'info';
}

/** A target stands differently than before. */
export interface ChangedEvent extends AnyEvent, Standing {
  readonly event: 'changed';
  readonly level: 'info';
}

/** A request fails and is retried, is answered again, or is replaced because a permission is missing. */
export interface RequestEvent extends AnyEvent {
  readonly event: 'changed';
  readonly level: 'info' | 'warn';
  readonly target?: never;
  readonly resource: string;
  readonly apiGroup: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly reason?: string;
}

/** The wait goes on. */
export interface HeartbeatEvent extends AnyEvent {
  readonly event: 'heartbeat';
  readonly level: 'info';
  /** Left out where there is no timeout. */
  readonly leftSeconds?: number;
  readonly awaited: readonly (Standing & { readonly message: string; readonly hints?: readonly string[] })[];
}

/** A target is reached. */
export interface ReachedEvent extends AnyEvent, Standing {
  readonly event: 'reached';
  readonly level: 'info';
}

/** What explains that a target is not reached. */
export interface Explanation {
  readonly pods?: readonly PodFacts[];
  /** Why there is no more to tell. */
  readonly notes?: readonly string[];
  readonly hints?: readonly string[];
}

/** A target has failed. */
export interface FailedEvent extends AnyEvent, Standing, Explanation {
  readonly event: 'failed';
  readonly level: 'error';
}

/** The timeout has passed, and this target was not reached. */
export interface TimeoutEvent extends AnyEvent, Standing, Explanation {
  readonly event: 'timeout';
  readonly level: 'error';
}

/** One of the last log lines of a failed container. */
export interface LogEvent extends AnyEvent {
  readonly event: 'log';
  readonly level: 'error';
  readonly target: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly pod: string;
  readonly container: string;
}

/** The API server refused what is needed. */
export interface RefusedEvent extends AnyEvent {
  readonly event: 'refused';
  readonly level: 'error';
  readonly verb: 'get' | 'list' | 'watch';
  readonly resource: string;
  readonly apiGroup: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly server: string;
  /** The user name that the API server knows us by. */
  readonly identity?: string;
  readonly reason?: string;
  /** All that is lacking; left out where no rule would help. */
  readonly lacking?: readonly { readonly namespace?: string; readonly rule: PolicyRule }[];
}

/** The last event, once. */
export interface DoneEvent extends AnyEvent {
  readonly event: 'done';
  readonly level: 'info' | 'error';
  readonly exitCode: number;
}

/** A rule of a Role. */
export interface PolicyRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

/** A pod that failed, or that is stuck. */
export interface PodFacts {
  readonly name: string;
  readonly node?: string;
  readonly phase: string;
  readonly reason?: string;
  readonly message?: string;
  readonly containers: readonly ContainerFacts[];
  readonly warnings?: readonly string[];
}

/** A container of such a pod. */
export interface ContainerFacts {
  readonly name: string;
  readonly state: 'waiting' | 'running' | 'terminated';
  /** `previous`: it has been started again since. */
  readonly instance: 'current' | 'previous';
  readonly exitCode?: number;
  readonly signal?: number;
  readonly reason?: string;
  readonly message?: string;
  readonly restarts: number;
  /** Why it is not started again yet, where it has ended and is to be: CrashLoopBackOff. */
  readonly waitsFor?: string;
}
