import { describe, expect, test } from 'vitest';
import { type Environment, parse } from '../../../src/cli/invocation.ts';
import { builtInKind } from '../../../src/cli/kinds.ts';
import { type PlanContext, toPlan } from '../../../src/cli/plan.ts';
import { UsageError } from '../../../src/cli/usage-error.ts';
import type { ApiResource } from '../../../src/kube/resource.ts';
import type { Target } from '../../../src/wait/plan.ts';
import { words } from './support.ts';

const CRON_TAB: ApiResource = {
  group: 'stable.example.com',
  version: 'v1',
  name: 'crontabs',
  singularName: 'crontab',
  kind: 'CronTab',
  shortNames: ['ct'],
  namespaced: true,
};
const CLUSTER_TAB: ApiResource = { ...CRON_TAB, name: 'clustertabs', singularName: 'clustertab', namespaced: false };

const CONTEXT: PlanContext = {
  namespace: 'here',
  self: { namespace: 'here', name: 'me' },
  resolveKind: async (word) => {
    if (word.startsWith('cl')) return CLUSTER_TAB;
    if (word.startsWith('c')) return CRON_TAB;
    throw new UsageError(`nobody serves ${word}`);
  },
};

type Outline = Awaited<ReturnType<typeof toPlan>>;

/** The plan of a command line in a namespace called `here`, or the message of the UsageError. */
async function plan(line: string, env: Environment = {}, context = CONTEXT): Promise<Outline | { refused: string }> {
  try {
    const invocation = parse(words(line), env);
    if (!('targets' in invocation)) throw new Error(`no targets in ${line}`);
    return await toPlan(invocation, context);
  } catch (error) {
    if (error instanceof UsageError) return { refused: error.message };
    throw error;
  }
}

async function targets(line: string, env: Environment = {}): Promise<unknown> {
  const result = await plan(line, env);
  return 'refused' in result ? result : result.targets;
}

function kind(word: string): ApiResource {
  const found = builtInKind(word);
  if (found === undefined) throw new Error(`no kind ${word}`);
  return found;
}

/** What a target is when nothing is said about it. */
const DEFAULTS = {
  namespace: 'here',
  goals: [{ for: 'default' }],
  onMissing: 'wait',
  missingGraceMs: 10_000,
  expect: undefined,
  atLeast: undefined,
  container: undefined,
  stuckAfterMs: undefined,
} as const;

const MIGRATE: Target = {
  ...DEFAULTS,
  label: 'job/migrate',
  resource: kind('job'),
  select: { by: 'name', name: 'migrate' },
};
const POD_X: Target = { ...DEFAULTS, label: 'pod/x', resource: kind('pod'), select: { by: 'name', name: 'x' } };
const PODS: Target = {
  ...DEFAULTS,
  label: 'pod -l app=db',
  resource: kind('pod'),
  select: { by: 'selector', labelSelector: 'app=db' },
};
const JOBS: Target = { ...PODS, label: 'job -l app=db', resource: kind('job') };
const WEB: Target = {
  ...DEFAULTS,
  label: 'deployment/web',
  resource: kind('deployment'),
  select: { by: 'name', name: 'web' },
};
const NODE: Target = {
  ...DEFAULTS,
  label: 'node/a',
  resource: kind('node'),
  namespace: undefined,
  select: { by: 'name', name: 'a' },
};
const TAB: Target = {
  ...DEFAULTS,
  label: 'crontab.stable.example.com/x',
  resource: CRON_TAB,
  select: { by: 'name', name: 'x' },
};

describe('a run', () => {
  const RUN: Outline = {
    targets: [MIGRATE],
    timeoutMs: 600_000,
    onRefused: 'fail',
    heartbeatMs: 30_000,
    requestTimeoutMs: 30_000,
    self: { namespace: 'here', name: 'me' },
  };
  test.each<[string, string, typeof RUN]>([
    ['by default', 'job/migrate', RUN],
    ['with a timeout', 'job/migrate --timeout 90s', { ...RUN, timeoutMs: 90_000 }],
    ['that looks once', 'job/migrate --timeout 0', { ...RUN, timeoutMs: 0 }],
    ['that may take for ever', 'job/migrate --timeout -1s', { ...RUN, timeoutMs: Number.POSITIVE_INFINITY }],
    ['that outlasts a refusal', 'job/migrate --on-refused=wait', { ...RUN, onRefused: 'wait' }],
    ['without heartbeat', 'job/migrate --heartbeat 0', { ...RUN, heartbeatMs: 0 }],
    ['with short requests', 'job/migrate --request-timeout 5', { ...RUN, requestTimeoutMs: 5_000 }],
    ['of a check waits 10s for answers', 'check job/migrate', { ...RUN, timeoutMs: 10_000 }],
    ['of rbac', 'rbac job/migrate', RUN],
  ])('%s: %s', async (_, line, expected) => {
    expect(await plan(line)).toEqual(expected);
  });
});

describe('a target', () => {
  test.each<[string, string, Target[]]>([
    ['is shown by the singular of its kind', 'jobs/migrate', [MIGRATE]],
    ['is shown with a slash', 'job migrate', [MIGRATE]],
    ['is in the namespace of -n', 'job/migrate -n shop', [{ ...MIGRATE, namespace: 'shop' }]],
    [
      'is in the namespace before it',
      'infra/job/migrate -n shop',
      [{ ...MIGRATE, namespace: 'infra', label: 'infra/job/migrate' }],
    ],
    ['is everywhere with -A', 'pod -l app=db -A', [{ ...PODS, namespace: undefined }]],
    [
      'is everywhere with -A, -n or not, as in kubectl',
      'pod -l app=db -A -n shop',
      [{ ...PODS, namespace: undefined }],
    ],
    ['is not everywhere with -A=false', 'pod -l app=db -A=false', [PODS]],
    ['is in no namespace when cluster-scoped', 'node/a -n shop', [NODE]],
    [
      'is in no namespace when cluster-scoped and custom',
      'ct/x cl/x',
      [TAB, { ...TAB, resource: CLUSTER_TAB, namespace: undefined, label: 'clustertab.stable.example.com/x' }],
    ],
    [
      'shows all of its selection',
      'infra/po -l a,!b --field-selector c=d',
      [
        {
          ...PODS,
          namespace: 'infra',
          label: 'infra/pod -l a,!b --field-selector c=d',
          select: { by: 'selector', labelSelector: 'a,!b', fieldSelector: 'c=d' },
        },
      ],
    ],
    ['shows --all', 'po --all', [{ ...PODS, label: 'pod --all', select: { by: 'selector' } }]],
    ['counts once', 'job migrate migrate jobs/migrate here/job/migrate', [MIGRATE]],
    ['counts once, being custom', 'ct/x crontab/x', [TAB]],
    [
      'counts twice in two namespaces',
      'job/migrate infra/job/migrate',
      [MIGRATE, { ...MIGRATE, namespace: 'infra', label: 'infra/job/migrate' }],
    ],
    [
      'counts twice with two meanings',
      'job/migrate job-we/migrate',
      [MIGRATE, { ...MIGRATE, goals: [{ for: 'finished' }] }],
    ],
  ])('%s: %s', async (_, line, expected) => {
    expect(await targets(line)).toEqual(expected);
  });
});

describe('goals', () => {
  test.each<[string, string, Target[]]>([
    ['complete', 'job/migrate --for complete', [{ ...MIGRATE, goals: [{ for: 'complete' }] }]],
    [
      'several',
      'job/migrate --for=complete --for=jsonpath=.a=b',
      [{ ...MIGRATE, goals: [{ for: 'complete' }, { for: 'jsonpath', expression: '{.a}', value: 'b' }] }],
    ],
    ['the same twice', 'job/migrate --for=ready --for=Ready', [{ ...MIGRATE, goals: [{ for: 'ready' }] }]],
    [
      'a condition of any kind',
      'ct/x --for=condition=Done',
      [{ ...TAB, goals: [{ for: 'condition', type: 'Done', status: 'True' }] }],
    ],
    ['ready of any kind', 'deploy/web --for=ready', [{ ...WEB, goals: [{ for: 'ready' }] }]],
    ['create', 'job/migrate --for=create', [{ ...MIGRATE, goals: [{ for: 'create' }] }]],
    [
      'create and a condition, as kubectl has them',
      'job/migrate --for=create --for=condition=A',
      [{ ...MIGRATE, goals: [{ for: 'create' }, { for: 'condition', type: 'A', status: 'True' }] }],
    ],
    ['job-we', 'job-we/migrate', [{ ...MIGRATE, goals: [{ for: 'finished' }] }]],
    ['job-wr', 'job-wr/migrate', [{ ...MIGRATE, goals: [{ for: 'partly' }] }]],
    ['pod-we asks for no Job', 'pod-we -lapp=db', [{ ...PODS, goals: [{ for: 'settled' }] }]],
    ['pod-wr', 'pod-wr -lapp=db', [{ ...PODS, goals: [{ for: 'ready' }], atLeast: 1 }]],
    ['pod-wr by name', 'pod-wr x', [{ ...POD_X, goals: [{ for: 'ready' }] }]],
    [
      'pod-wr by several names: one of them',
      'pod-wr x y x',
      ['x', 'y'].map((name) => ({
        ...POD_X,
        label: `pod/${name}`,
        select: { by: 'name', name },
        goals: [{ for: 'ready' }],
        oneOf: 'pod-wr x y x',
      })),
    ],
    [
      'pod-wr by several names, and all of them',
      'pod-wr/x pod-wr/y',
      ['x', 'y'].map((name) => ({
        ...POD_X,
        label: `pod/${name}`,
        select: { by: 'name', name },
        goals: [{ for: 'ready' }],
      })),
    ],
    ['pods that are deleted ask for no Job', 'pod -l app=db --for=delete', [{ ...PODS, goals: [{ for: 'delete' }] }]],
    [
      'a condition of pods asks for no Job',
      'pod -l app=db --for=condition=Ready',
      [{ ...PODS, goals: [{ for: 'condition', type: 'Ready', status: 'True' }] }],
    ],
    ['finished pods ask for their Job', 'pod -l app=db --for=finished', [{ ...PODS, goals: [{ for: 'finished' }] }]],
  ])('%s: %s', async (_, line, expected) => {
    expect(await targets(line)).toEqual(expected);
  });

  test.each([
    [
      'complete of another kind',
      'deploy/web --for=complete',
      '--for=complete: expected a job, pod or cronjob, got "deployment/web"',
    ],
    [
      'finished of another kind',
      'job/a svc/web --for=finished',
      '--for=finished: expected a job, pod or cronjob, got "service/web"',
    ],
    [
      'finished of a custom kind',
      'ct/x --for=finished',
      '--for=finished: expected a job, pod or cronjob, got "crontab.stable.example.com/x"',
    ],
    [
      'no goal',
      'job/a --for=done',
      '--for: expected complete, finished, ready, create, delete, condition=TYPE[=STATUS] or jsonpath=EXPR[=VALUE], got "done"',
    ],
    [
      'a goal with a kind that means one',
      'job-we/a --for=complete',
      '--for: expected none with job-we, which means --for=finished',
    ],
    [
      'a goal with a kind that means what --for cannot say',
      'pod-we/a --for=ready',
      '--for: expected none with pod-we, which has a meaning of its own',
    ],
  ])('%s is refused: %s', async (_, line, refused) => {
    expect(await targets(line)).toEqual({ refused });
  });
});

describe('policies', () => {
  test.each<[string, string, Target[]]>([
    ['--on-missing=fail', 'job/migrate --on-missing=fail', [{ ...MIGRATE, onMissing: 'fail' }]],
    [
      'a longer grace under succeed',
      'job/migrate --on-missing=succeed',
      [{ ...MIGRATE, onMissing: 'succeed', missingGraceMs: 60_000 }],
    ],
    [
      '--missing-grace',
      'job/migrate --on-missing=succeed --missing-grace=0',
      [{ ...MIGRATE, onMissing: 'succeed', missingGraceMs: 0 }],
    ],
    ['--expect asks for Jobs where that is allowed', 'pod -l app=db --expect 3', [{ ...PODS, expect: 3 }]],
    ['--at-least asks for no Job', 'pod -l app=db --at-least 2', [{ ...PODS, atLeast: 2 }]],
    ['both', 'pod -l app=db --at-least 2 --expect 3', [{ ...PODS, expect: 3, atLeast: 2 }]],
    ['--expect of Jobs', 'job -l app=db --expect 3', [{ ...JOBS, expect: 3 }]],
    [
      'more than one with pod-wr',
      'pod-wr -l app=db --at-least 2',
      [{ ...PODS, goals: [{ for: 'ready' }], atLeast: 2 }],
    ],
    ['--container', 'pod/x --container app', [{ ...POD_X, container: 'app' }]],
    ['--container of selected pods', 'pod -l app=db --container app', [{ ...PODS, container: 'app' }]],
    ['--stuck-after', 'job/migrate --stuck-after 5m', [{ ...MIGRATE, stuckAfterMs: 300_000 }]],
    ['--stuck-after 0 is off', 'job/migrate --stuck-after 0', [MIGRATE]],
    [
      'the waiter itself, by container',
      'pod/me --container app',
      [{ ...POD_X, label: 'pod/me', select: { by: 'name', name: 'me' }, container: 'app' }],
    ],
    [
      'a pod of its name elsewhere',
      'infra/pod/me',
      [{ ...POD_X, label: 'infra/pod/me', namespace: 'infra', select: { by: 'name', name: 'me' } }],
    ],
    ['a Job of its name', 'job/me', [{ ...MIGRATE, label: 'job/me', select: { by: 'name', name: 'me' } }]],
  ])('%s: %s', async (_, line, expected) => {
    expect(await targets(line)).toEqual(expected);
  });

  test.each([
    ['-A with a name', 'pod/x -A', '-A: expected a selector, got "pod/x"'],
    [
      '-A with the name of a cluster-scoped object',
      'node/a --all-namespaces',
      '--all-namespaces: expected a selector, got "node/a"',
    ],
    [
      '-A with a namespace before a kind',
      'infra/pod -l app=db -A',
      '-A: expected a kind without a namespace, got "infra/pod -l app=db"',
    ],
    ['-A with a custom name', 'ct/x -A', '-A: expected a selector, got "crontab.stable.example.com/x"'],
    [
      'a namespace before a cluster-scoped kind',
      'infra/node/a',
      'expected no namespace before a cluster-scoped kind, got "infra/node/a"',
    ],
    [
      'the same with a selector',
      'infra/ns -l a',
      'expected no namespace before a cluster-scoped kind, got "infra/namespace -l a"',
    ],
    [
      'a namespace before a custom cluster-scoped kind',
      'infra/cl/a',
      'expected no namespace before a cluster-scoped kind, got "infra/clustertab.stable.example.com/a"',
    ],
    ['--expect with a name', 'job/a --expect 2', '--expect: expected a selector, got "job/a"'],
    [
      '--expect with a selector and a name',
      'pod -l app=db job/a --expect 2',
      '--expect: expected a selector, got "job/a"',
    ],
    ['--at-least with a name', 'job/a --at-least 2', '--at-least: expected a selector, got "job/a"'],
    ['--container of another kind', 'job/a --container app', '--container: expected a pod, got "job/a"'],
    [
      '--container with a condition',
      'pod/x --container app --for=condition=Ready',
      '--container: expected --for ready, complete or finished with it, got "--for=condition=Ready=True"',
    ],
    [
      '--expect with create',
      'pod -l a --for=create --expect 2',
      '--expect: expected another goal with it, got "--for=create"',
    ],
    [
      '--at-least with delete',
      'pod -l a --for=delete --at-least 2',
      '--at-least: expected another goal with it, got "--for=delete"',
    ],
    [
      '--on-missing with delete',
      'job/a --for=delete --on-missing=fail',
      '--on-missing: expected another goal with it, got "--for=delete"',
    ],
    [
      '--missing-grace with create',
      'job/a --for=create --missing-grace=1s',
      '--missing-grace: expected another goal with it, got "--for=create"',
    ],
    [
      '--stuck-after with create',
      'job/a --for=create --stuck-after=1s',
      '--stuck-after: expected another goal with it, got "--for=create"',
    ],
    [
      '--container with delete',
      'pod/x --for=delete --container app',
      '--container: expected another goal with it, got "--for=delete"',
    ],
    ['the waiter itself', 'pod/me', 'expected --container NAME with the pod that waits itself, got "pod/me"'],
    [
      'the waiter itself, with its namespace',
      'here/pod/me -n shop',
      'expected --container NAME with the pod that waits itself, got "here/pod/me"',
    ],
  ])('%s is refused: %s', async (_, line, refused) => {
    expect(await targets(line)).toEqual({ refused });
  });
});

describe('what the environment sets for a whole chart is ignored where it does not apply', () => {
  const env = {
    KUBE_AWAIT_EXPECT: '2',
    KUBE_AWAIT_AT_LEAST: '1',
    KUBE_AWAIT_CONTAINER: 'app',
    KUBE_AWAIT_ALL_NAMESPACES: 'true',
    KUBE_AWAIT_ON_MISSING: 'succeed',
    KUBE_AWAIT_STUCK_AFTER: '5m',
  };
  const patience = { onMissing: 'succeed', missingGraceMs: 60_000, stuckAfterMs: 300_000 } as const;
  test.each<[string, string, Environment, Target[]]>([
    ['with a name', 'job/migrate', env, [{ ...MIGRATE, ...patience }]],
    ['with pods by name', 'pod/x', env, [{ ...POD_X, ...patience, container: 'app' }]],
    [
      'with pods by selector all apply',
      'pod -l app=db',
      env,
      [{ ...PODS, ...patience, namespace: undefined, expect: 2, atLeast: 1, container: 'app' }],
    ],
    [
      'with another kind by selector',
      'job -l app=db',
      env,
      [{ ...JOBS, ...patience, namespace: undefined, expect: 2, atLeast: 1 }],
    ],
    ['with delete', 'job -l app=db --for=delete', env, [{ ...JOBS, namespace: undefined, goals: [{ for: 'delete' }] }]],
    [
      'with a namespace before the kind',
      'infra/job -l app=db',
      { KUBE_AWAIT_ALL_NAMESPACES: '1' },
      [{ ...JOBS, namespace: 'infra', label: 'infra/job -l app=db' }],
    ],
    ['with -n', 'job -l app=db -n shop', { KUBE_AWAIT_ALL_NAMESPACES: '1' }, [{ ...JOBS, namespace: 'shop' }]],
    [
      'with a container and a condition',
      'pod/x --for=condition=A',
      { KUBE_AWAIT_CONTAINER: 'app' },
      [{ ...POD_X, goals: [{ for: 'condition', type: 'A', status: 'True' }] }],
    ],
    [
      'a goal of other kinds',
      'job/migrate deploy/web',
      { KUBE_AWAIT_FOR: 'complete' },
      [{ ...MIGRATE, goals: [{ for: 'complete' }] }, WEB],
    ],
    [
      'a goal, with a kind that means one',
      'job-we/migrate',
      { KUBE_AWAIT_FOR: 'complete' },
      [{ ...MIGRATE, goals: [{ for: 'finished' }] }],
    ],
    [
      'a number, with pod-wr',
      'pod-wr -l app=db',
      { KUBE_AWAIT_AT_LEAST: '2' },
      [{ ...PODS, goals: [{ for: 'ready' }], atLeast: 1 }],
    ],
    ['but a namespace applies', 'job/migrate', { KUBE_AWAIT_NAMESPACE: 'shop' }, [{ ...MIGRATE, namespace: 'shop' }]],
    [
      'and so do several goals, a line each',
      'job/migrate',
      { KUBE_AWAIT_FOR: 'complete\n condition=A,B \n' },
      [{ ...MIGRATE, goals: [{ for: 'complete' }, { for: 'condition', type: 'A,B', status: 'True' }] }],
    ],
  ])('%s: %s', async (_, line, variables, expected) => {
    expect(await targets(line, variables)).toEqual(expected);
  });

  test('an option that was typed is not ignored because of a goal that was not', async () => {
    expect(await targets('pod -l a --expect 2', { KUBE_AWAIT_FOR: 'delete' })).toEqual({
      refused: '--expect: expected another goal with it, got "--for=delete"',
    });
  });
});

describe('a kind that is not built in', () => {
  test('is looked up', async () => {
    expect(await targets('crontab.stable.example.com/x')).toEqual([TAB]);
  });

  test('is looked up for a selector too', async () => {
    expect(await targets('infra/ct -l a')).toEqual([
      {
        ...TAB,
        namespace: 'infra',
        label: 'infra/crontab.stable.example.com -l a',
        select: { by: 'selector', labelSelector: 'a' },
      },
    ]);
  });

  test('is refused as discovery says', async () => {
    expect(await targets('job/migrate unknown/x')).toEqual({ refused: 'nobody serves unknown' });
  });

  test('is refused where there is no discovery', async () => {
    expect(await plan('jbo/x', {}, { namespace: 'here', self: undefined })).toEqual({
      refused: 'expected a kind such as job, pod or deployment, got "jbo", did you mean job?',
    });
  });

  test('is not looked up when all kinds are built in', async () => {
    const resolveKind = () => Promise.reject(new Error('looked up'));
    expect(await plan('job/migrate pod -l a', {}, { ...CONTEXT, resolveKind })).toMatchObject({
      targets: [{ label: 'job/migrate' }, { label: 'pod -l a' }],
    });
  });
});
