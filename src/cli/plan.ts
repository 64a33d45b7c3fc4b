import type { ApiResource } from '../kube/resource.ts';
import type { Goal, Plan, Selection, Target } from '../wait/plan.ts';
import type { Sourced } from './given.ts';
import { applies, goalText } from './goals.ts';
import type { Policy, TargetRun } from './invocation.ts';
import { kindLabel, unknownKind } from './kinds.ts';
import { checkName } from './names.ts';
import { meaningOf } from './presets.ts';
import type { TargetRequest } from './targets.ts';
import { at, quote, UsageError } from './usage-error.ts';

/** What only the connection knows. */
export interface PlanContext {
  /** Where targets are that name no namespace, when -n is not given either. */
  readonly namespace: string;
  /** The pod that this program runs in. */
  readonly self: Plan['self'];
  /** Discovery, for a kind that is not built in. Without it such a kind is unknown. */
  readonly resolveKind?: (word: string) => Promise<ApiResource>;
}

const GRACE_MS = 10_000;
/** Under `succeed` the end cannot be taken back, so a target gets longer to appear. */
const GRACE_UNDER_SUCCEED_MS = 60_000;

/**
 * Resolves kinds and namespaces. JSONPaths are left as text: what reads them is loaded only where there are some.
 * Throws a UsageError for what does not go together, or what `resolveKind` throws.
 */
export async function toPlan(run: TargetRun, context: PlanContext): Promise<Omit<Plan, 'jsonPaths' | 'explains'>> {
  const targets = new Map<string, Target>();
  for (const request of run.targets) {
    const resource = request.builtIn ?? (await discover(request, context));
    const target = buildTarget(run, request, resource, context);
    const { group, name } = target.resource;
    const key = JSON.stringify([group, name, target.namespace, target.select, request.preset, request.oneOf]);
    if (!targets.has(key)) targets.set(key, target);
  }
  return {
    targets: [...targets.values()],
    timeoutMs: run.timeoutMs,
    onRefused: run.onRefused,
    heartbeatMs: run.output.heartbeatMs,
    requestTimeoutMs: run.connection.requestTimeoutMs,
    self: context.self,
  };
}

async function discover(request: TargetRequest, context: PlanContext): Promise<ApiResource> {
  if (context.resolveKind === undefined) throw unknownKind(request.kind);
  return context.resolveKind(request.kind);
}

/** One target, once its kind is known. Throws a UsageError that names the target or the option at fault. */
export function buildTarget(
  run: TargetRun,
  request: TargetRequest,
  resource: ApiResource,
  context: PlanContext,
): Target {
  const { select } = request;
  const label = targetLabel(request, resource);
  if (select.by === 'name') at(label, () => checkName(select.name, resource));

  const goals = goalsOf(run, request, resource, label);
  const policy = policyOf(run, request);
  const options = new Applicable({ label, resource, select, goals });
  const onMissing = options.patience(policy.onMissing) ?? 'wait';
  const expect = options.count(policy.expect);
  const atLeast = options.count(policy.atLeast);
  const target: Target = {
    label,
    resource,
    namespace: namespaceOf(run, request, resource, context, label),
    select,
    goals,
    onMissing,
    missingGraceMs:
      options.patience(policy.missingGraceMs) ?? (onMissing === 'succeed' ? GRACE_UNDER_SUCCEED_MS : GRACE_MS),
    expect,
    atLeast,
    container: options.container(policy.container),
    stuckAfterMs: options.patience(policy.stuckAfterMs) || undefined,
    ownerJobs: request.preset && meaningOf(request.preset).ownerJobs,
    oneOf: request.oneOf,
  };
  refuseSelf(target, context.self);
  return target;
}

/** As each line of the output shows it: `job/migrate`, `infra/pod -l app=db`. */
function targetLabel(request: TargetRequest, resource: ApiResource): string {
  const { namespace, select } = request;
  const kind = `${namespace === undefined ? '' : `${namespace}/`}${kindLabel(resource)}`;
  if (select.by === 'name') return `${kind}/${select.name}`;
  const { labelSelector, fieldSelector } = select;
  if (labelSelector === undefined && fieldSelector === undefined) return `${kind} --all`;
  const label = labelSelector === undefined ? '' : ` -l ${labelSelector}`;
  return `${kind}${label}${fieldSelector === undefined ? '' : ` --field-selector ${fieldSelector}`}`;
}

function namespaceOf(
  run: TargetRun,
  request: TargetRequest,
  resource: ApiResource,
  context: PlanContext,
  label: string,
): string | undefined {
  const { allNamespaces } = run.policy;
  if (allNamespaces?.value === true && allNamespaces.from === 'argv') {
    if (request.select.by === 'name') {
      throw new UsageError(`${allNamespaces.shown}: expected a selector, got ${quote(label)}`);
    }
    if (request.namespace !== undefined) {
      throw new UsageError(`${allNamespaces.shown}: expected a kind without a namespace, got ${quote(label)}`);
    }
  }
  if (!resource.namespaced) {
    if (request.namespace !== undefined) {
      throw new UsageError(`expected no namespace before a cluster-scoped kind, got ${quote(label)}`);
    }
    return undefined;
  }
  if (request.namespace !== undefined) return request.namespace;
  if (allNamespaces?.value === true && request.select.by === 'selector') return undefined;
  return run.namespace ?? context.namespace;
}

function goalsOf(run: TargetRun, request: TargetRequest, resource: ApiResource, label: string): readonly Goal[] {
  const { goals } = run.policy;
  if (request.preset !== undefined) {
    const { goal } = meaningOf(request.preset);
    if (goals?.from === 'argv') {
      const means = goal === 'finished' || goal === 'ready' ? `means --for=${goal}` : 'has a meaning of its own';
      throw new UsageError(`${goals.shown}: expected none with ${request.preset}, which ${means}`);
    }
    return [{ for: goal }];
  }
  const applicable = (goals?.value ?? []).filter((goal) => {
    if (applies(goal, resource)) return true;
    if (goals?.from === 'env') return false;
    throw new UsageError(`--for=${goal.for}: expected a job, pod or cronjob, got ${quote(label)}`);
  });
  const distinct = new Map(applicable.map((goal) => [JSON.stringify(goal), goal]));
  return distinct.size === 0 ? [{ for: 'default' }] : [...distinct.values()];
}

/** pod-wr means --at-least=1, as good as typed; but a number that was typed is the user's last word. */
function policyOf({ policy }: TargetRun, { preset, select }: TargetRequest): Policy {
  if (preset === undefined || meaningOf(preset).enough === 'all') return policy;
  if (select.by === 'name' || policy.atLeast?.from === 'argv') return policy;
  return { ...policy, atLeast: { value: 1, from: 'argv', shown: preset } };
}

interface TargetFacts {
  readonly label: string;
  readonly resource: ApiResource;
  readonly select: Selection;
  readonly goals: readonly Goal[];
}

/**
 * The options that apply to one target. One that does not is refused when it was typed, and left out when it comes from
 * the environment.
 */
class Applicable {
  readonly #target: TargetFacts;
  /** `create` and `delete` ask whether objects are there, and nothing about them. */
  readonly #presence: Goal | undefined;

  constructor(target: TargetFacts) {
    this.#target = target;
    this.#presence = target.goals.find((goal) => goal.for === 'create' || goal.for === 'delete');
  }

  /** --on-missing, --missing-grace and --stuck-after. */
  patience<T>(option: Sourced<T> | undefined): T | undefined {
    return this.#unless(option, this.#presenceProblem());
  }

  /** --expect and --at-least: they count what a selector finds. */
  count(option: Sourced<number> | undefined): number | undefined {
    const { label, select } = this.#target;
    const byName = select.by === 'name' ? `expected a selector, got ${quote(label)}` : undefined;
    return this.#unless(option, byName ?? this.#presenceProblem());
  }

  container(option: Sourced<string> | undefined): string | undefined {
    const { label, resource, goals } = this.#target;
    const other = goals.find((goal) => goal.for === 'condition' || goal.for === 'jsonpath');
    const problem = !isPod(resource)
      ? `expected a pod, got ${quote(label)}`
      : other && `expected --for ready, complete or finished with it, got ${quote(`--for=${goalText(other)}`)}`;
    return this.#unless(option, problem ?? this.#presenceProblem());
  }

  #presenceProblem(): string | undefined {
    return this.#presence && `expected another goal with it, got ${quote(`--for=${this.#presence.for}`)}`;
  }

  #unless<T>(option: Sourced<T> | undefined, problem: string | undefined): T | undefined {
    if (option === undefined || problem === undefined) return option?.value;
    if (option.from === 'env') return undefined;
    throw new UsageError(`${option.shown}: ${problem}`);
  }
}

function isPod(resource: ApiResource): boolean {
  return resource.group === '' && resource.name === 'pods';
}

/** A pod that waits for itself to be done waits for ever; for one of its other containers it can wait. */
function refuseSelf({ label, resource, namespace, select, container }: Target, self: Plan['self']): void {
  if (!isPod(resource) || select.by !== 'name' || container !== undefined) return;
  if (self?.name !== select.name || self.namespace !== namespace) return;
  throw new UsageError(`expected --container NAME with the pod that waits itself, got ${quote(label)}`);
}
