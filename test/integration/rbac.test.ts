/**
 * What `rbac` prints is enough for the wait, and none of it is too much: for each kind with a meaning of its own, by
 * name and by selector, with real identities.
 */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { load, loadAll } from 'js-yaml';
import { afterAll, beforeAll, describe } from 'vitest';
import {
  api,
  cluster,
  deployment,
  endPod,
  type Json,
  job,
  type PolicyRule,
  pod,
  type Run,
  test,
  tokenKubeconfig,
} from '../harness/index.ts';

const RBAC = 'rbac.authorization.k8s.io';

/** All rows share a namespace: their objects differ in name and label. */
let ns = '';
/** What is not in the namespace. */
const clusterWide: Json[] = [];

beforeAll(async () => {
  ns = `rbac-${randomBytes(4).toString('hex')}`;
  await api.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: ns } });
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: ns } };
  await api.until(account, Boolean);
});

afterAll(async () => {
  clusterWide.push({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: ns } });
  await Promise.all(clusterWide.map((object) => api.delete(object)));
});

async function create(object: Json): Promise<Json> {
  return await api.create({ ...object, metadata: { namespace: ns, ...object.metadata } });
}

/** Something that is not in a namespace, removed in the end. */
async function createClusterWide(object: Json): Promise<Json> {
  clusterWide.push(object);
  return await api.create(object);
}

/** Rules with the Role or ClusterRole that they stand in. */
interface Granted {
  /** Undefined: cluster-wide. */
  readonly namespace: string | undefined;
  readonly rule: PolicyRule;
}

/** Binds rules to somebody, and waits until they are in force. */
async function grant(granted: readonly Granted[], subject: Json, user: string): Promise<void> {
  for (const { namespace, rule } of granted) {
    const name = `granted-${randomBytes(4).toString('hex')}`;
    const prefix = namespace === undefined ? 'Cluster' : '';
    const metadata = namespace === undefined ? { name } : { name, namespace };
    const make = namespace === undefined ? createClusterWide : api.create;
    await make({ apiVersion: `${RBAC}/v1`, kind: `${prefix}Role`, metadata, rules: [rule] } as Json);
    await make({
      apiVersion: `${RBAC}/v1`,
      kind: `${prefix}RoleBinding`,
      metadata,
      roleRef: { apiGroup: RBAC, kind: `${prefix}Role`, name },
      subjects: [subject],
    } as Json);
  }
  await inForce(granted, user);
}

/** The authorizer reads roles through a watch of its own, whose progress nobody else can watch: ask until it knows. */
async function inForce(granted: readonly Granted[], user: string): Promise<void> {
  for (const { namespace, rule } of granted) {
    const resourceAttributes = {
      namespace,
      verb: rule.verbs[0],
      group: rule.apiGroups[0],
      resource: rule.resources[0],
      name: rule.resourceNames?.[0],
    };
    const review = { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview' };
    const isAllowed = async (): Promise<boolean> =>
      (
        await api.post('/apis/authorization.k8s.io/v1/subjectaccessreviews', {
          ...review,
          spec: { user, resourceAttributes },
        })
      ).status.allowed;
    while (!(await isAllowed())) await pause(20);
  }
}

interface Person {
  readonly user: string;
  readonly kubeconfig: string;
  readonly subject: Json;
}

async function withToken(name: string): Promise<Person> {
  const kubeconfig = join(cluster().coordinates.dir, `kubeconfig-${ns}-${name}`);
  writeFileSync(kubeconfig, tokenKubeconfig(await cluster().token(ns, name)), { mode: 0o600 });
  return {
    user: `system:serviceaccount:${ns}:${name}`,
    kubeconfig,
    subject: { kind: 'ServiceAccount', name, namespace: ns },
  };
}

/** Somebody new without rights, by the token of a ServiceAccount. */
async function newcomer(): Promise<Person> {
  const name = `new-${randomBytes(4).toString('hex')}`;
  await create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name } });
  return await withToken(name);
}

async function withCertificate(): Promise<Person> {
  const user = `user-${randomBytes(4).toString('hex')}`;
  return { user, kubeconfig: await cluster().addUser(user), subject: { apiGroup: RBAC, kind: 'User', name: user } };
}

function apply(yaml: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const args = ['--kubeconfig', cluster().kubeconfig, 'apply', '-f', '-'];
    const child = execFile(cluster().bin('kubectl'), args, (error) => (error ? reject(error) : resolve()));
    child.stdin?.end(yaml);
  });
}

interface Printed extends Granted {
  readonly need: 'required' | 'optional';
}

/** The rules of the manifests that `rbac` printed; what is optional stands in comments. */
function rulesOf(yaml: string): readonly Printed[] {
  const documents = loadAll(yaml) as Json[];
  const roles = documents.filter(({ kind }) => kind === 'Role' || kind === 'ClusterRole');
  const optional = yaml
    .split(/^ {2}- apiGroups/m)
    .slice(0, -1)
    .map((before) => /\(optional\)\n(?: {2}#.*\n)*$/.test(before));
  return roles
    .flatMap(({ metadata, rules }) => rules.map((rule: PolicyRule) => ({ namespace: metadata.namespace, rule })))
    .map((granted, at) => ({ ...granted, need: optional[at] ? 'optional' : 'required' }));
}

/** `jobs.batch/x`, `pods (all)`, `endpointslices.discovery.k8s.io?` where it is optional. */
function short({ namespace, rule, need }: Printed): string {
  const group = rule.apiGroups[0] === '' ? '' : `.${rule.apiGroups[0]}`;
  const name = rule.resourceNames === undefined ? '' : `/${rule.resourceNames}`;
  return `${rule.resources}${group}${name}${namespace === undefined ? ' (all)' : ''}${need === 'optional' ? '?' : ''}`;
}

/** A wait, and what it needs. `x` is the name of an object and the value of its label app. */
interface Row {
  readonly args: (x: string) => readonly string[];
  readonly rules: (x: string) => readonly string[];
  /** Makes what is waited for. */
  readonly make: (x: string) => Promise<unknown>;
  /** Lets it be done, where `make` leaves it pending. */
  readonly finish?: (x: string) => Promise<unknown>;
}

const labelled = (x: string): Json => ({ name: x, labels: { app: x } });
const app = (x: string): Json => ({ app: x });
/** Of another kind than what is waited for. */
const template = (x: string): Json => ({
  metadata: { labels: app(x) },
  spec: { containers: [{ name: 'main', image: 'pretended' }] },
});

const makeJob = (x: string): Promise<Json> => create(job({ namespace: ns, name: x, labels: app(x) }));
const makePod = (x: string): Promise<Json> => create(pod({ namespace: ns, name: x, labels: app(x), exitCode: 0 }));

async function makeService(x: string): Promise<void> {
  await create(pod({ namespace: ns, name: x, labels: app(x) }));
  await create({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: labelled(x),
    spec: { selector: app(x), ports: [{ port: 80 }] },
  });
}

/** With a run that was scheduled, though nobody waits for the minute. */
async function makeCronJob(x: string): Promise<void> {
  const run = job({ namespace: ns, name: `${x}-1` });
  const spec = { schedule: '0 0 1 1 *', suspend: true, jobTemplate: { spec: run.spec } };
  const { metadata } = await create({ apiVersion: 'batch/v1', kind: 'CronJob', metadata: labelled(x), spec });
  const owner = { apiVersion: 'batch/v1', kind: 'CronJob', name: x, uid: metadata.uid, controller: true };
  await create({ ...run, metadata: { ...run.metadata, ownerReferences: [owner] } });
}

async function makeVolume(x: string): Promise<void> {
  const accessModes = ['ReadWriteOnce'];
  await createClusterWide({
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: labelled(x),
    spec: {
      accessModes,
      capacity: { storage: '1Mi' },
      storageClassName: '',
      hostPath: { path: '/nowhere' },
      claimRef: { namespace: ns, name: x },
    },
  });
  await create({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: labelled(x),
    spec: { accessModes, storageClassName: '', volumeName: x, resources: { requests: { storage: '1Mi' } } },
  });
}

/** Where nothing else is put, and whose end nobody else notices. */
const makeNode = (x: string): Promise<Json> =>
  createClusterWide({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: labelled(x),
    spec: { unschedulable: true, taints: [{ key: 'kube-await.test/own', effect: 'NoSchedule' }] },
  });

function makeCrd(x: string): Promise<Json> {
  const group = `${x}.kube-await.test`;
  return createClusterWide({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `things.${group}`, labels: app(x) },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural: 'things', kind: 'Thing' },
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
    },
  });
}

const makeApiService = (x: string): Promise<Json> =>
  createClusterWide({
    apiVersion: 'apiregistration.k8s.io/v1',
    kind: 'APIService',
    metadata: { name: `v1.${x}.kube-await.test`, labels: app(x) },
    spec: { group: `${x}.kube-await.test`, version: 'v1', groupPriorityMinimum: 1, versionPriority: 1 },
  });

/** A kind that needs nothing but itself, by name and by selector. */
function alone(
  kind: string,
  resource: string,
  make: Row['make'],
  { all = '', nameOf = (x: string): string => x } = {},
): readonly (readonly [string, Row])[] {
  return [
    [
      `${kind} by name`,
      { args: (x) => [`${kind}/${nameOf(x)}`], rules: (x) => [`${resource}/${nameOf(x)}${all}`], make },
    ],
    [`${kind} by selector`, { args: (x) => [kind, '-l', `app=${x}`], rules: () => [`${resource}${all}`], make }],
  ];
}

const workload = (apiVersion: string, kind: string, spec: (x: string) => Json): Row['make'] => {
  return (x) => create({ apiVersion, kind, metadata: labelled(x), spec: { template: template(x), ...spec(x) } });
};
const matching = (x: string): Json => ({ selector: { matchLabels: app(x) } });
const SLICES = 'endpointslices.discovery.k8s.io?';

const ROWS: readonly (readonly [string, Row])[] = [
  ...alone('job', 'jobs.batch', makeJob),
  ['pod by name', { args: (x) => [`pod/${x}`], rules: (x) => [`pods/${x}`], make: makePod }],
  ['pods of a Job', { args: (x) => ['pod', '-l', `app=${x}`], rules: () => ['pods', 'jobs.batch'], make: makeJob }],
  [
    'pods of a Job, --expect',
    { args: (x) => ['pod', '-l', `app=${x}`, '--expect=1'], rules: () => ['pods', 'jobs.batch?'], make: makeJob },
  ],
  [
    'pods of a Job, --at-least',
    { args: (x) => ['pod', '-l', `app=${x}`, '--at-least=1'], rules: () => ['pods'], make: makeJob },
  ],
  [
    'pods of a Job, --container',
    {
      args: (x) => ['pod', '-l', `app=${x}`, '--container=main'],
      rules: () => ['pods', 'jobs.batch?'],
      make: makeJob,
    },
  ],
  [
    'pods of a Job, everywhere',
    { args: (x) => ['pod', '-l', `app=${x}`, '-A'], rules: () => ['pods (all)', 'jobs.batch (all)'], make: makeJob },
  ],
  [
    'a Job and its pods',
    {
      args: (x) => [`job/${x}`, 'pod', '-l', `app=${x}`],
      // What is granted for all Jobs needs no rule for the one.
      rules: () => ['pods', 'jobs.batch'],
      make: makeJob,
    },
  ],
  [
    'job, --stuck-after',
    {
      args: (x) => [`job/${x}`, '--stuck-after=5m'],
      rules: (x) => [`jobs.batch/${x}`, 'pods'],
      make: (x) => create(job({ namespace: ns, name: x, labels: app(x), exitCode: 'ask' })),
      finish: async (x) => {
        const path = `/api/v1/namespaces/${ns}/pods?labelSelector=app%3D${x}`;
        const [made] = await api.untilAll(path, (pods) => pods.length > 0);
        await endPod({ ...made, apiVersion: 'v1', kind: 'Pod' }, 0);
      },
    },
  ],
  [
    'service by name',
    { args: (x) => [`service/${x}`], rules: (x) => [`services/${x}`, 'pods', SLICES], make: makeService },
  ],
  [
    'service by selector',
    { args: (x) => ['service', '-l', `app=${x}`], rules: () => ['services', 'pods', SLICES], make: makeService },
  ],
  [
    'cronjob by name',
    { args: (x) => [`cronjob/${x}`], rules: (x) => [`cronjobs.batch/${x}`, 'jobs.batch'], make: makeCronJob },
  ],
  [
    'cronjob by selector',
    { args: (x) => ['cronjob', '-l', `app=${x}`], rules: () => ['cronjobs.batch', 'jobs.batch'], make: makeCronJob },
  ],
  ...alone('deployment', 'deployments.apps', (x) => create(deployment({ namespace: ns, name: x }))),
  ...alone('statefulset', 'statefulsets.apps', workload('apps/v1', 'StatefulSet', matching)),
  ...alone('daemonset', 'daemonsets.apps', workload('apps/v1', 'DaemonSet', matching)),
  ...alone('replicaset', 'replicasets.apps', workload('apps/v1', 'ReplicaSet', matching)),
  ...alone(
    'replicationcontroller',
    'replicationcontrollers',
    workload('v1', 'ReplicationController', (x) => ({ selector: app(x) })),
  ),
  ...alone('persistentvolumeclaim', 'persistentvolumeclaims', makeVolume),
  ...alone('persistentvolume', 'persistentvolumes', makeVolume, { all: ' (all)' }),
  ...alone('customresourcedefinition', 'customresourcedefinitions.apiextensions.k8s.io', makeCrd, {
    all: ' (all)',
    nameOf: (x) => `things.${x}.kube-await.test`,
  }),
  ...alone('apiservice', 'apiservices.apiregistration.k8s.io', makeApiService, {
    all: ' (all)',
    nameOf: (x) => `v1.${x}.kube-await.test`,
  }),
  ...alone('node', 'nodes', makeNode, { all: ' (all)' }),
  ...alone(
    'namespace',
    'namespaces',
    (x) => createClusterWide({ apiVersion: 'v1', kind: 'Namespace', metadata: labelled(x) }),
    { all: ' (all)' },
  ),
  ...alone('configmap', 'configmaps', (x) => create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: labelled(x) })),
];

const withoutWatch = ({ namespace, rule }: Granted): Granted => ({
  namespace,
  rule: { ...rule, verbs: rule.verbs.filter((verb) => verb !== 'watch') },
});

/** The rules that a refusal prints, with the Role in which each must stand. */
function rulesPrinted(stderr: string): readonly Granted[] {
  return stderr.split(/^(?=to grant )/m).flatMap((part) => {
    const [, role, namespace, rules = ''] =
      /^to grant it, .* to a (ClusterRole|Role in namespace "([^"]*)") bound .*:\n([\s\S]*)$/.exec(part) ?? [];
    return role === undefined ? [] : (load(rules) as PolicyRule[]).map((rule) => ({ namespace, rule }));
  });
}

/** `list jobs.batch "x" in namespace "n"`, as a refusal names it; what a selector found has a name. */
function permission({ namespace, rule }: Granted): RegExp {
  const resource = rule.resources[0] ?? '';
  const group = rule.apiGroups[0] === '' ? '' : `\\.${rule.apiGroups[0]}`;
  const everywhere = CLUSTER_SCOPED.includes(resource)
    ? 'at the cluster scope'
    : `in (all namespaces|namespace "${ns}")`;
  return new RegExp(
    `^list ${resource}${group}(?: "[^"]+")? ${namespace === undefined ? everywhere : `in namespace "${namespace}"`}$`,
  );
}

const CLUSTER_SCOPED = ['persistentvolumes', 'customresourcedefinitions', 'apiservices', 'nodes', 'namespaces'];

describe.concurrent('exactly what rbac prints', () => {
  for (const [at, [title, row]] of ROWS.entries())
    test(title, { timeout: 240_000 }, async ({ bare, expect }) => {
      // Another one each time: what a first try has made is in the way of a second.
      const x = `r${at}-${randomBytes(2).toString('hex')}`;
      const start = (args: readonly string[], who: Person): Run =>
        bare([...args, '--on-missing=wait', '--timeout=3m'], { namespace: ns, kubeconfig: who.kubeconfig });
      const args = row.args(x);
      const { stdout: yaml } = await bare(['rbac', ...args, '--service-account', x], { namespace: ns }).exit;
      const printed = rulesOf(yaml);
      expect(printed.map(short)).toEqual(row.rules(x));
      await Promise.all([apply(yaml), row.make(x)]);

      const exact = await withToken(x);
      await inForce(printed, exact.user);
      const run = start(args, exact);
      // Where something is still pending, the rest is tried before it is done.
      const done = row.finish === undefined ? await run.exit : undefined;

      const required = printed.filter(({ need }) => need === 'required');
      const refusals = required.map(async (removed) => {
        const who = await newcomer();
        await grant(
          printed.filter((one) => one !== removed),
          who.subject,
          who.user,
        );
        // No patience: it is refused with the first answer.
        const refused = await bare([...args, '--timeout=0'], { namespace: ns, kubeconfig: who.kubeconfig }).exit;
        // Of two targets one may have been reached before.
        expect(refused).toMatchObject({ code: 3, stdout: expect.stringMatching(/^(\S+ reached: .+\n)?$/) });
        const [first = ''] = refused.stderr.split('\n').filter((line) => line.startsWith('refused: '));
        const [, who403, asked = ''] = /^refused: "([^"]*)" cannot (.*): 403 Forbidden$/.exec(first) ?? [];
        expect(who403).toBe(who.user);
        expect(asked).toMatch(permission(removed));
        expect(rulesPrinted(refused.stderr)).toEqual([{ namespace: removed.namespace, rule: removed.rule }]);
        await grant(rulesPrinted(refused.stderr), who.subject, who.user);
        return who;
      });
      const mended = await Promise.all(refusals);
      await row.finish?.(x);
      const ended = done ?? (await run.exit);
      expect({ code: ended.code, refused: /403|lacking/.test(ended.stderr) }).toEqual({ code: 0, refused: false });

      for (const who of mended) {
        const { code, stderr } = await start(args, who).exit;
        expect({ code, refused: /403|lacking/.test(stderr) }).toEqual({ code: 0, refused: false });
      }

      const certified = await withCertificate();
      await grant(required, certified.subject, certified.user);
      // The optional ones are lacking.
      const { code, stderr } = await start(args, certified).exit;
      expect({ code, refused: /refused|lacking/.test(stderr) }).toEqual({ code: 0, refused: false });
    });
});

describe.concurrent('without watch it reads again and again, and says so once', () => {
  for (const [at, [title, row]] of ROWS.entries())
    test(title, { timeout: 240_000 }, async ({ bare, expect }) => {
      const x = `w${at}`;
      const args = row.args(x);
      const { stdout: yaml } = await bare(['rbac', ...args], { namespace: ns }).exit;
      const who = await newcomer();
      await grant(rulesOf(yaml).map(withoutWatch), who.subject, who.user);
      const run = bare([...args, '--timeout=3m'], { namespace: ns, kubeconfig: who.kubeconfig });
      await run.line(/^cannot watch /);
      await row.make(x);
      await row.finish?.(x);
      const { code, stderr } = await run.exit;
      expect(code).toBe(0);
      const said = stderr.split('\n').filter((line) => line.startsWith('cannot watch '));
      expect(said).toEqual([...new Set(said)]);
      expect(said[0]).toMatch(/ \(forbidden\); polling every 2 to 10 s instead$/);
      expect(stderr).not.toContain('403');
    });
});
