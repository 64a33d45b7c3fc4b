/** Pods and Jobs as e2e tests make them: all of them may run under the `restricted` Pod Security Standard. */
import type { Json, Reference } from '../cluster/rest.ts';

type Labels = Readonly<Record<string, string>>;

export interface PodOptions {
  readonly labels?: Labels;
  readonly restartPolicy?: 'Always' | 'OnFailure' | 'Never';
  readonly containers: readonly Json[];
  readonly initContainers?: readonly Json[];
  /** With a token for it; none without. */
  readonly serviceAccount?: string;
  readonly metadata?: object;
  /** Merged over the pod's spec. */
  readonly spec?: object;
}

export interface Made extends Reference {
  readonly spec: Json;
}

/** The template of a pod. */
export function templateOf(options: PodOptions): Json {
  const { labels, restartPolicy = 'Never', containers, initContainers, serviceAccount, metadata, spec } = options;
  return {
    metadata: { ...(labels && { labels }), ...metadata },
    spec: {
      restartPolicy,
      ...(serviceAccount !== undefined && { serviceAccountName: serviceAccount }),
      automountServiceAccountToken: serviceAccount !== undefined,
      terminationGracePeriodSeconds: 1,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: 65532,
        runAsGroup: 65532,
        fsGroup: 65532,
        seccompProfile: { type: 'RuntimeDefault' },
      },
      ...(initContainers && { initContainers }),
      containers,
      ...spec,
    },
  };
}

export function podOf(options: PodOptions & { readonly namespace: string; readonly name: string }): Made {
  const { metadata, spec } = templateOf(options);
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: options.name, namespace: options.namespace, ...metadata },
    spec,
  };
}

export interface JobOptions extends PodOptions {
  readonly namespace: string;
  readonly name: string;
  /** Merged over the Job's own spec. */
  readonly job?: object;
}

/** A Job that tries once, unless told otherwise. */
export function jobOf({ namespace, name, job, ...options }: JobOptions): Made {
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name, namespace },
    spec: { backoffLimit: 0, template: templateOf(options), ...job },
  };
}

const restricted = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
} as const;

/** A container that runs a shell script. */
export function shell(image: string, script: string, more: object = {}): Json {
  return { name: 'main', image, command: ['sh', '-c', script], securityContext: restricted, ...more };
}

/** A container `await` that runs kube-await, with the resources that the samples give it. */
export function waitsWith(
  image: string,
  args: readonly string[],
  {
    env = {},
    limit = '64Mi',
    ...more
  }: { env?: Labels | undefined; limit?: string | undefined; [key: string]: unknown } = {},
): Json {
  return {
    name: 'await',
    image,
    args,
    env: Object.entries(env).map(([name, value]) => ({ name, value })),
    resources: { requests: { cpu: '10m', memory: '32Mi' }, limits: { memory: limit } },
    securityContext: restricted,
    ...more,
  };
}
