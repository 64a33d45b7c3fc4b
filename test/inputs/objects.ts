/** What an API server may send: objects of any shape, with the fields that verdicts read, and nulls everywhere. */
import fc from 'fast-check';
import { builtInKinds } from '../../src/cli/kinds.ts';
import type { Emission } from '../../src/kube/collection.ts';
import { type KubeObject, toObject } from '../../src/kube/object.ts';
import type { Problem } from '../../src/kube/problem.ts';
import type { ApiResource } from '../../src/kube/resource.ts';
import { textReporter } from '../../src/report/text.ts';
import { judgeConditionGoal } from '../../src/verdict/condition-goal.ts';
import { judgeContainer } from '../../src/verdict/container.ts';
import { judgeKind, keepFor, projectionOf } from '../../src/verdict/index.ts';
import { controllerOf } from '../../src/verdict/owner.ts';
import type { Target } from '../../src/wait/plan.ts';
import { named, selected } from '../unit/objects.ts';
import { Paper, stateOf } from '../unit/report/support.ts';
import { Script } from '../unit/wait/script.ts';
import { type InputKind, inputKind } from './kind.ts';

const CUSTOM: ApiResource = {
  group: 'example.test',
  version: 'v1',
  name: 'widgets',
  singularName: 'widget',
  kind: 'Widget',
  shortNames: [],
  namespaced: true,
  origin: 'custom',
};
const KINDS: readonly ApiResource[] = [...builtInKinds(), CUSTOM];

const FIELDS = [
  ...['a', 'b', '__proto__', 'constructor', 'toString', 'status', 'spec', 'metadata', 'conditions', 'type', 'reason'],
  ...['message', 'observedGeneration', 'generation', 'phase', 'succeeded', 'failed', 'active', 'completions', 'name'],
  ...[
    'parallelism',
    'containerStatuses',
    'initContainerStatuses',
    'state',
    'terminated',
    'waiting',
    'running',
    'exitCode',
  ],
  ...['restartPolicy', 'containers', 'initContainers', 'ownerReferences', 'controller', 'kind', 'uid', 'apiVersion'],
  ...['selector', 'externalName', 'endpoints', 'ready', 'replicas', 'updatedReplicas', 'availableReplicas', 'paused'],
  ...['desiredNumberScheduled', 'restartPolicyRules', 'exitCodes', 'values', 'operator', 'suspend', 'lastState'],
];
const VALUES = [
  ...[
    null,
    true,
    false,
    0,
    1,
    -1,
    1.5,
    1e21,
    '',
    'x',
    'True',
    'False',
    'Unknown',
    'Complete',
    'Failed',
    'Ready',
    'Job',
  ],
  ...['FailureTarget', 'SuccessCriteriaMet', 'Succeeded', 'Running', 'Pending', 'Never', 'Always', 'OnFailure', 'main'],
  ...['Progressing', 'ProgressDeadlineExceeded', 'PodScheduled', 'Unschedulable', 'ImagePullBackOff', 'Bound', 'uid-1'],
  ...['OnDelete', 'ExternalName', 'batch/v1', 'apps/v1', 'ReplicaSet', '2026-01-01T00:00:00Z', 'tomorrow'],
];

/** Any JSON, mostly of the words above. */
export const anyJson: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'medium' },
    fc.constantFrom(...VALUES),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...FIELDS), tie('value'), { maxKeys: 5 }),
  ),
})).value;

const value = fc.constantFrom(...VALUES);
const condition = fc.record(
  { type: value, status: value, reason: value, message: value, observedGeneration: value, lastTransitionTime: value },
  { requiredKeys: [] },
);
const containerStatus = fc.record(
  {
    name: value,
    ready: value,
    restartCount: value,
    state: fc.dictionary(fc.constantFrom('waiting', 'running', 'terminated'), anyJson, { maxKeys: 2 }),
    lastState: anyJson,
  },
  { requiredKeys: [] },
);
/** Nearly what is expected, so that rules are reached; then anything in any place. */
const likely = fc.record(
  {
    metadata: fc.record(
      {
        name: fc.constantFrom('a', 'b', 'c'),
        namespace: fc.constantFrom('app', 'other'),
        uid: fc.constantFrom('uid-1', 'uid-2', 'uid-3'),
        resourceVersion: fc.oneof(fc.nat(50).map(String), value),
        generation: value,
        deletionTimestamp: value,
        ownerReferences: fc.oneof(
          anyJson,
          fc.array(fc.dictionary(fc.constantFrom('controller', 'kind', 'uid', 'name', 'apiVersion'), value)),
        ),
      },
      { requiredKeys: ['name', 'uid'] },
    ),
    spec: fc.oneof(
      anyJson,
      fc.dictionary(
        fc.constantFrom(...FIELDS),
        fc.oneof(
          anyJson,
          fc.array(fc.record({ name: value, restartPolicy: value, restartPolicyRules: anyJson }, { requiredKeys: [] })),
        ),
      ),
    ),
    status: fc.oneof(
      anyJson,
      fc.record(
        {
          phase: value,
          conditions: fc.array(condition, { maxLength: 3 }),
          containerStatuses: fc.array(containerStatus, { maxLength: 2 }),
          initContainerStatuses: fc.oneof(anyJson, fc.array(containerStatus, { maxLength: 2 })),
          observedGeneration: value,
          replicas: value,
          succeeded: value,
          failed: value,
        },
        { requiredKeys: [] },
      ),
    ),
  },
  { requiredKeys: ['metadata'] },
);
/** Mostly nearly an object. */
export const anyObject = fc.oneof({ weight: 4, arbitrary: likely }, { weight: 1, arbitrary: anyJson });
const anyKind = fc.constantFrom(...KINDS);
const kindGoal = fc.constantFrom('default', 'complete', 'finished', 'ready', 'settled', 'partly');

const STATES = ['pending', 'reached', 'failed', 'others', undefined];

function objectOf(kind: ApiResource, json: unknown): KubeObject | undefined {
  const object = toObject(json, projectionOf(kind, keepFor(kind)));
  if (object !== undefined && typeof object.metadata.uid !== 'string') throw new Error('an object without a uid');
  return object;
}

const problem: fc.Arbitrary<Problem> = fc.oneof(
  fc.constant<Problem>({ kind: 'unreachable', message: 'connect ECONNREFUSED', code: 'ECONNREFUSED' }),
  fc.constant<Problem>({ kind: 'interrupted', message: 'aborted' }),
  fc
    .constantFrom(401, 403, 404, 410, 429, 500)
    .map((status): Problem => ({ kind: 'status', status, reason: `Because${status}`, message: 'it is so' })),
);
const verb = fc.constantFrom('list', 'watch', 'get');

/** What a collection may tell: any of it at any time. */
const emission = fc.oneof(
  fc.record({
    what: fc.constant('snapshot' as const),
    jsons: fc.array(anyObject, { maxLength: 4 }),
    gone: fc.array(anyObject, { maxLength: 2 }),
  }),
  fc.record({ what: fc.constant('answered' as const), verb }),
  fc.record({ what: fc.constant('problem' as const), verb, problem }),
  fc.record({ what: fc.constant('fallback' as const), to: fc.constantFrom('poll', 'get'), problem }),
);

const anyTarget: fc.Arbitrary<Target> = fc
  .record({
    kind: anyKind,
    by: fc.constantFrom('name', 'selector'),
    goal: fc.constantFrom('default', 'complete', 'finished', 'ready', 'create', 'delete'),
    onMissing: fc.constantFrom('wait', 'fail', 'succeed'),
    expect: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
    atLeast: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
    container: fc.option(fc.constantFrom('main', 'x'), { nil: undefined, freq: 3 }),
    stuckAfterMs: fc.option(fc.constantFrom(0, 1_000), { nil: undefined }),
    ownerJobs: fc.constantFrom('where readable', undefined),
  })
  .map(({ kind, by, goal, ...more }) => {
    const rest = { ...more, goals: [{ for: goal }] };
    return by === 'name' ? named(kind, 'a', rest) : selected(kind, rest);
  });

export const OBJECTS: readonly InputKind[] = [
  inputKind('objects under the verdict of each kind', fc.tuple(anyObject, anyKind, kindGoal), ([json, kind, goal]) => {
    const object = objectOf(kind, json);
    if (object === undefined) return undefined;
    const verdict = judgeKind(kind, object, goal);
    const container = judgeContainer(object, 'main', goal);
    for (const state of [verdict === 'others' ? verdict : verdict.state, container?.state]) {
      if (!STATES.includes(state)) throw new Error(`a verdict ${state}`);
    }
    controllerOf(object);
    judgeConditionGoal({ type: 'Complete', status: 'True' }, object, kind);
    return undefined;
  }),
  inputKind(
    'runs of any targets over anything that collections may tell, and what is said of them',
    fc.tuple(
      fc.array(anyTarget, { minLength: 1, maxLength: 2 }),
      fc.array(fc.tuple(fc.nat(5), fc.nat(20), emission), { maxLength: 8 }),
    ),
    ([targets, told]) => {
      const run = new Script(targets);
      const paper = new Paper();
      const { tell } = textReporter(paper, { verbosity: 'progress' });
      let seconds = 0;
      for (const [which, laterBy, emitted] of told) {
        const wanted = run.wants[which % Math.max(1, run.wants.length)];
        if (wanted === undefined) break;
        seconds += laterBy;
        run.at(seconds);
        run.emitTo(wanted.key, emissionOf(wanted.spec.resource, emitted));
        const { state } = run;
        for (const target of state.targets) tell({ event: 'changed', target });
        tell({ event: 'heartbeat', state: stateOf(state.targets), elapsedMs: seconds * 1_000, leftMs: 1_000 });
        if (state.ending === undefined) continue;
        tell({ event: 'done', ending: state.ending, state, elapsedMs: seconds * 1_000 });
        break;
      }
      return undefined;
    },
  ),
];

type Told = typeof emission extends fc.Arbitrary<infer T> ? T : never;

function emissionOf(kind: ApiResource, told: Told): Emission {
  if (told.what !== 'snapshot') return told;
  const all = (jsons: readonly unknown[]): readonly KubeObject[] =>
    jsons.map((json) => objectOf(kind, json)).filter((object) => object !== undefined);
  return {
    what: 'snapshot',
    objects: new Map(all(told.jsons).map((object) => [object.metadata.uid, object])),
    departed: all(told.gone),
  };
}
