import type { Reference } from '../cluster/rest.ts';

/** What the pods of a builder pretend to do: test/cluster/stages/pod.yaml says what each means. */
export interface Behaviour {
  readonly runFor?: string;
  /** `ask`: the pod runs until `endPod` says how it ended. */
  readonly exitCode?: number | 'ask';
  readonly message?: string;
  readonly failTimes?: number;
  readonly failIndexes?: readonly number[];
  readonly backOff?: string;
  readonly readyAfter?: string;
  readonly ready?: 'never';
  readonly start?: 'never';
  /** The reason with which its containers wait, such as ImagePullBackOff. */
  readonly waiting?: string;
  readonly deleteAfter?: string;
}

const prefix = 'kube-await.test/';

/** The annotations that make kwok behave so. */
export function annotationsOf(behaviour: Behaviour): Record<string, string> {
  const values = {
    'run-for': behaviour.runFor,
    'exit-code': behaviour.exitCode?.toString(),
    message: behaviour.message,
    'fail-times': behaviour.failTimes?.toString(),
    'fail-indexes': behaviour.failIndexes?.join(','),
    'back-off': behaviour.backOff,
    'ready-after': behaviour.readyAfter,
    ready: behaviour.ready && 'false',
    hold: behaviour.start && 'true',
    waiting: behaviour.waiting,
    'delete-after': behaviour.deleteAfter,
  };
  const set = Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return Object.fromEntries(set.map(([name, value]) => [prefix + name, value]));
}

/** The patch that lets a pod with `exitCode: 'ask'` end. */
export const ended = (code: number) => ({ metadata: { annotations: { [`${prefix}exit-code`]: String(code) } } });

/** The patch that lets a pod with `start: 'never'` or `waiting` start. */
export const started = { metadata: { annotations: { [`${prefix}hold`]: null, [`${prefix}waiting`]: null } } };

export interface TestObject extends Reference {
  readonly metadata: { readonly name: string; readonly namespace: string; readonly [key: string]: unknown };
  readonly spec: object;
}

interface Common extends Behaviour {
  readonly namespace: string;
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly restartPolicy?: 'Always' | 'OnFailure' | 'Never';
  /** Names of its containers; `main`. */
  readonly containers?: readonly string[];
  /** Merged over the object's metadata. */
  readonly metadata?: object;
  /** Merged over the object's own spec. */
  readonly spec?: object;
  /** Merged over the spec of the pods, where the object is not a pod itself. */
  readonly podSpec?: object;
}

function podSpec(options: Common, restartPolicy: string): object {
  const containers = (options.containers ?? ['main']).map((name) => ({ name, image: 'pretended' }));
  return { restartPolicy: options.restartPolicy ?? restartPolicy, containers, ...options.podSpec };
}

/** A pod. It is a task if it is told how it ends, else a service; restartPolicy decides where given. */
export function pod(options: Common): TestObject {
  const { namespace, name, labels, metadata, spec } = options;
  const task = options.runFor !== undefined || options.exitCode !== undefined || options.failTimes !== undefined;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace,
      ...(labels && { labels }),
      annotations: { ...annotationsOf(options), ...options.annotations },
      ...metadata,
    },
    spec: { ...podSpec(options, task ? 'Never' : 'Always'), ...spec },
  };
}

export interface JobOptions extends Common {
  readonly completions?: number;
  readonly parallelism?: number;
  /** 0, since the Job controller waits ten seconds before it tries again. */
  readonly backoffLimit?: number;
  /** Also on its pods. */
  readonly labels?: Readonly<Record<string, string>>;
}

/** A Job whose pods run for 200 ms and succeed, unless told otherwise. */
export function job(options: JobOptions): TestObject {
  const { namespace, name, labels, metadata, completions, parallelism, backoffLimit = 0, spec } = options;
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name,
      namespace,
      ...(labels && { labels }),
      ...(options.annotations && { annotations: options.annotations }),
      ...metadata,
    },
    spec: {
      ...(completions !== undefined && { completions }),
      ...(parallelism !== undefined && { parallelism }),
      backoffLimit,
      template: {
        metadata: { ...(labels && { labels }), annotations: annotationsOf(options) },
        spec: podSpec(options, 'Never'),
      },
      ...spec,
    },
  };
}

export interface DeploymentOptions extends Common {
  readonly replicas?: number;
}

/** A Deployment; its pods carry `app: NAME` and the given labels. */
export function deployment(options: DeploymentOptions): TestObject {
  const { namespace, name, metadata, replicas = 1, spec } = options;
  const labels = { app: name, ...options.labels };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      name,
      namespace,
      labels,
      ...(options.annotations && { annotations: options.annotations }),
      ...metadata,
    },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels, annotations: annotationsOf(options) },
        spec: podSpec(options, 'Always'),
      },
      ...spec,
    },
  };
}
