/**
 * What kubectl 1.36.3 made of `kubectl wait --for=condition=TYPE=WANTED --timeout=1s`, run against an API server of the
 * same version. Each object was a custom resource of generation 2 with this status, of a schema with
 * x-kubernetes-preserve-unknown-fields and without a status subresource.
 */
export interface ConditionCase {
  readonly name: string;
  /** Undefined: the object has none. */
  readonly status: unknown;
  readonly type: string;
  readonly wanted: string;
  /** `pending` is a timeout. */
  readonly kubectl: 'reached' | 'pending' | 'failed';
  /** The error, without `error: `. */
  readonly message?: string;
  /** Where we differ on purpose. */
  readonly ours?: 'pending';
  readonly why?: string;
}

export const CONDITION_CASES: readonly ConditionCase[] = [
  {
    name: 'the status wanted',
    status: { conditions: [{ type: 'Ready', status: 'True' }] },
    type: 'Ready',
    wanted: 'True',
    kubectl: 'reached',
  },
  {
    name: 'another status',
    status: { conditions: [{ type: 'Ready', status: 'False', reason: 'Crash', message: 'gone' }] },
    type: 'Ready',
    wanted: 'True',
    kubectl: 'pending',
  },
  {
    name: 'a type in other case',
    status: { conditions: [{ type: 'Ready', status: 'True' }] },
    type: 'rEADY',
    wanted: 'True',
    kubectl: 'reached',
  },
  {
    name: 'a status in other case',
    status: { conditions: [{ type: 'Ready', status: 'true' }] },
    type: 'Ready',
    wanted: 'TRUE',
    kubectl: 'reached',
  },
  {
    name: 'false wanted',
    status: { conditions: [{ type: 'Ready', status: 'False' }] },
    type: 'Ready',
    wanted: 'false',
    kubectl: 'reached',
  },
  {
    name: 'unknown wanted',
    status: { conditions: [{ type: 'Ready', status: 'Unknown' }] },
    type: 'Ready',
    wanted: 'unknown',
    kubectl: 'reached',
  },
  {
    name: 'any other status word',
    status: { conditions: [{ type: 'Ready', status: 'Maybe' }] },
    type: 'Ready',
    wanted: 'maybe',
    kubectl: 'reached',
  },
  {
    name: 'no such condition, True wanted',
    status: { conditions: [{ type: 'Other', status: 'True' }] },
    type: 'Ready',
    wanted: 'True',
    kubectl: 'pending',
  },
  {
    name: 'no such condition, False wanted',
    status: { conditions: [{ type: 'Other', status: 'True' }] },
    type: 'Ready',
    wanted: 'False',
    kubectl: 'pending',
  },
  {
    name: 'no such condition, Unknown wanted',
    status: { conditions: [{ type: 'Other', status: 'True' }] },
    type: 'Ready',
    wanted: 'Unknown',
    kubectl: 'pending',
  },
  {
    name: 'an exclamation mark is no negation',
    status: { conditions: [{ type: 'Ready', status: 'False' }] },
    type: '!Ready',
    wanted: 'True',
    kubectl: 'pending',
  },
  { name: 'no status', status: undefined, type: 'Ready', wanted: 'True', kubectl: 'pending' },
  { name: 'no conditions', status: {}, type: 'Ready', wanted: 'True', kubectl: 'pending' },
  { name: 'an empty list', status: { conditions: [] }, type: 'Ready', wanted: 'True', kubectl: 'pending' },
  {
    name: 'conditions null',
    status: { conditions: null },
    type: 'Ready',
    wanted: 'True',
    kubectl: 'failed',
    message: '.status.conditions accessor error: <nil> is of the type <nil>, expected []interface{}',
    ours: 'pending',
    why: 'a controller in Go may send null before it has any',
  },
  {
    name: 'conditions a map',
    status: { conditions: { Ready: 'True' } },
    type: 'Ready',
    wanted: 'True',
    kubectl: 'failed',
    message:
      '.status.conditions accessor error: map[Ready:True] is of the type map[string]interface {}, expected []interface{}',
  },
  {
    name: 'conditions a word',
    status: { conditions: 'Ready' },
    type: 'Ready',
    wanted: 'True',
    kubectl: 'failed',
    message: '.status.conditions accessor error: Ready is of the type string, expected []interface{}',
  },
  {
    name: 'a status that is a word',
    status: 'Ready',
    type: 'Ready',
    wanted: 'True',
    kubectl: 'failed',
    message: '.status.conditions accessor error: Ready is of the type string, expected map[string]interface{}',
  },
  { name: 'a status null', status: null, type: 'Ready', wanted: 'True', kubectl: 'pending' },
  {
    name: 'things that are no conditions',
    status: { conditions: [null, 'Ready', 3, [], { type: 'Ready', status: 'True' }] },
    type: 'Ready',
    wanted: 'True',
    kubectl: 'reached',
  },
  {
    name: 'the first of a type decides',
    status: {
      conditions: [
        { type: 'Ready', status: 'False' },
        { type: 'Ready', status: 'True' },
      ],
    },
    type: 'Ready',
    wanted: 'True',
    kubectl: 'pending',
  },
  {
    name: 'one without a status is passed over',
    status: { conditions: [{ type: 'Ready' }, { type: 'Ready', status: 'True' }] },
    type: 'Ready',
    wanted: 'True',
    kubectl: 'reached',
  },
  {
    name: 'one with a boolean status is passed over',
    status: { conditions: [{ type: 'Ready', status: true }] },
    type: 'Ready',
    wanted: 'True',
    kubectl: 'pending',
  },
  {
    name: 'one with a type that is no word is passed over',
    status: {
      conditions: [
        { type: 7, status: 'True' },
        { type: '7', status: 'True' },
      ],
    },
    type: '7',
    wanted: 'True',
    kubectl: 'reached',
  },
  {
    name: 'an empty status',
    status: {
      conditions: [
        { type: 'Ready', status: '' },
        { type: 'Ready', status: 'True' },
      ],
    },
    type: 'Ready',
    wanted: 'True',
    kubectl: 'pending',
  },
  {
    name: 'status observed earlier',
    status: { observedGeneration: 1, conditions: [{ type: 'Ready', status: 'True' }] },
    type: 'Ready',
    wanted: 'True',
    kubectl: 'pending',
  },
  {
    name: 'status observed now',
    status: { observedGeneration: 2, conditions: [{ type: 'Ready', status: 'True' }] },
    type: 'Ready',
    wanted: 'True',
    kubectl: 'reached',
  },
  {
    name: 'status observed later',
    status: { observedGeneration: 3, conditions: [{ type: 'Ready', status: 'True' }] },
    type: 'Ready',
    wanted: 'True',
    kubectl: 'reached',
  },
  {
    name: 'condition observed earlier',
    status: { conditions: [{ type: 'Ready', status: 'True', observedGeneration: 1 }] },
    type: 'Ready',
    wanted: 'True',
    kubectl: 'pending',
  },
  {
    name: 'condition observed now, status earlier',
    status: { observedGeneration: 1, conditions: [{ type: 'Ready', status: 'True', observedGeneration: 2 }] },
    type: 'Ready',
    wanted: 'True',
    kubectl: 'reached',
  },
  {
    name: 'condition observed earlier, status now',
    status: { observedGeneration: 2, conditions: [{ type: 'Ready', status: 'True', observedGeneration: 1 }] },
    type: 'Ready',
    wanted: 'True',
    kubectl: 'pending',
  },
  {
    name: 'condition observed at generation 0',
    status: { observedGeneration: 2, conditions: [{ type: 'Ready', status: 'True', observedGeneration: 0 }] },
    type: 'Ready',
    wanted: 'True',
    kubectl: 'pending',
  },
  {
    name: 'condition observed at a word, status now',
    status: { observedGeneration: 2, conditions: [{ type: 'Ready', status: 'True', observedGeneration: '1' }] },
    type: 'Ready',
    wanted: 'True',
    kubectl: 'reached',
  },
  {
    name: 'condition observed at a word, status earlier',
    status: { observedGeneration: 1, conditions: [{ type: 'Ready', status: 'True', observedGeneration: '2' }] },
    type: 'Ready',
    wanted: 'True',
    kubectl: 'pending',
  },
  {
    name: 'a stale first one hides a current second',
    status: {
      conditions: [
        { type: 'Ready', status: 'True', observedGeneration: 1 },
        { type: 'Ready', status: 'True', observedGeneration: 2 },
      ],
    },
    type: 'Ready',
    wanted: 'True',
    kubectl: 'pending',
  },
  {
    name: 'another status, observed earlier',
    status: { observedGeneration: 1, conditions: [{ type: 'Ready', status: 'False' }] },
    type: 'Ready',
    wanted: 'False',
    kubectl: 'pending',
  },
];
