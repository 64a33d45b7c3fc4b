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
  makeNamespace,
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
  ns = await makeNamespace();
});

afterAll(async () => {
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

/** Binds rules to somebody, in one Role for each scope, and waits until they are in force. */
async function grant(granted: readonly Granted[], subject: Json, user: string): Promise<void> {
  for (const [namespace, group] of Map.groupBy(granted, (one) => one.namespace)) {
    const name = `granted-${randomBytes(4).toString('hex')}`;
    const prefix = namespace === undefined ? 'Cluster' : '';
    const metadata = namespace === undefined ? { name } : { name, namespace };
    const rules = group.map(({ rule }) => rule);
    const make = namespace === undefined ? createClusterWide : api.create;
    await make({ apiVersion: `${RBAC}/v1`, kind: `${prefix}Role`, metadata, rules } as Json);
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

/**
 * The authorizer reads roles through a watch of its own, whose progress nobody else can watch: ask until it knows. The
 * rules of one Role come into force together.
 */
async function inForce(granted: readonly Granted[], user: string): Promise<void> {
  for (const [namespace, [first]] of Map.groupBy(granted, (one) => one.namespace)) {
    const rule = first?.rule;
    const resourceAttributes = {
      namespace,
      verb: rule?.verbs[0],
      group: rule?.apiGroups[0],
      resource: rule?.resources[0],
      name: rule?.resourceNames?.[0],
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

/** A kind that needs nothing but itself. */
interface Alone {
  readonly kind: string;
  readonly resource: string;
  readonly make: Row['make'];
  /** Of a kind that is in no namespace. */
  readonly all?: string;
  readonly nameOf?: (x: string) => string;
}

const byName = ({ kind, resource, make, all = '', nameOf = (x) => x }: Alone): Row => ({
  args: (x) => [`${kind}/${nameOf(x)}`],
  rules: (x) => [`${resource}/${nameOf(x)}${all}`],
  make,
});
const bySelector = ({ kind, resource, make, all = '' }: Alone): Row => ({
  args: (x) => [kind, '-l', `app=${x}`],
  rules: () => [`${resource}${all}`],
  make,
});

const workload = (apiVersion: string, kind: string, spec: (x: string) => Json): Row['make'] => {
  return (x) => create({ apiVersion, kind, metadata: labelled(x), spec: { template: template(x), ...spec(x) } });
};
const matching = (x: string): Json => ({ selector: { matchLabels: app(x) } });
const SLICES = 'endpointslices.discovery.k8s.io?';

const ALONE: readonly Alone[] = [
  { kind: 'job', resource: 'jobs.batch', make: makeJob },
  { kind: 'deployment', resource: 'deployments.apps', make: (x) => create(deployment({ namespace: ns, name: x })) },
  { kind: 'statefulset', resource: 'statefulsets.apps', make: workload('apps/v1', 'StatefulSet', matching) },
  { kind: 'daemonset', resource: 'daemonsets.apps', make: workload('apps/v1', 'DaemonSet', matching) },
  { kind: 'replicaset', resource: 'replicasets.apps', make: workload('apps/v1', 'ReplicaSet', matching) },
  {
    kind: 'replicationcontroller',
    resource: 'replicationcontrollers',
    make: workload('v1', 'ReplicationController', (x) => ({ selector: app(x) })),
  },
  { kind: 'persistentvolumeclaim', resource: 'persistentvolumeclaims', make: makeVolume },
  {
    kind: 'configmap',
    resource: 'configmaps',
    make: (x) => create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: labelled(x) }),
  },
  { kind: 'persistentvolume', resource: 'persistentvolumes', make: makeVolume, all: ' (all)' },
  {
    kind: 'customresourcedefinition',
    resource: 'customresourcedefinitions.apiextensions.k8s.io',
    make: makeCrd,
    all: ' (all)',
    nameOf: (x) => `things.${x}.kube-await.test`,
  },
  {
    kind: 'apiservice',
    resource: 'apiservices.apiregistration.k8s.io',
    make: makeApiService,
    all: ' (all)',
    nameOf: (x) => `v1.${x}.kube-await.test`,
  },
  { kind: 'node', resource: 'nodes', make: makeNode, all: ' (all)' },
  {
    kind: 'namespace',
    resource: 'namespaces',
    make: (x) => createClusterWide({ apiVersion: 'v1', kind: 'Namespace', metadata: labelled(x) }),
    all: ' (all)',
  },
];

const pods = (x: string): readonly string[] => ['pod', '-l', `app=${x}`];

/** What is awaited together: targets whose rules have nothing to do with each other, so that each is seen by itself. */
const GROUPS: readonly (readonly [string, readonly Row[]])[] = [
  [
    'kinds that need only themselves, by name',
    [{ args: (x) => [`pod/${x}`], rules: (x) => [`pods/${x}`], make: makePod }, ...ALONE.map(byName)],
  ],
  ['kinds that need only themselves, by selector', ALONE.map(bySelector)],
  [
    'service and cronjob, by name',
    [
      { args: (x) => [`service/${x}`], rules: (x) => [`services/${x}`, 'pods', SLICES], make: makeService },
      { args: (x) => [`cronjob/${x}`], rules: (x) => [`cronjobs.batch/${x}`, 'jobs.batch'], make: makeCronJob },
    ],
  ],
  [
    'service and cronjob, by selector',
    [
      { args: (x) => ['service', '-l', `app=${x}`], rules: () => ['services', 'pods', SLICES], make: makeService },
      { args: (x) => ['cronjob', '-l', `app=${x}`], rules: () => ['cronjobs.batch', 'jobs.batch'], make: makeCronJob },
    ],
  ],
  ['pods of a Job', [{ args: pods, rules: () => ['pods', 'jobs.batch'], make: makeJob }]],
  [
    'pods of a Job, --expect',
    [{ args: (x) => [...pods(x), '--expect=1'], rules: () => ['pods', 'jobs.batch?'], make: makeJob }],
  ],
  [
    'pods of a Job, --for=ready',
    [{ args: (x) => [...pods(x), '--for=ready'], rules: () => ['pods', 'jobs.batch?'], make: makeJob }],
  ],
  ['pods of a Job, --at-least', [{ args: (x) => [...pods(x), '--at-least=1'], rules: () => ['pods'], make: makeJob }]],
  [
    'pods of a Job, --container',
    [{ args: (x) => [...pods(x), '--container=main'], rules: () => ['pods', 'jobs.batch?'], make: makeJob }],
  ],
  [
    'pods of a Job, everywhere',
    [{ args: (x) => [...pods(x), '-A'], rules: () => ['pods (all)', 'jobs.batch (all)'], make: makeJob }],
  ],
  [
    'a Job and its pods',
    // What is granted for all Jobs needs no rule for the one.
    [{ args: (x) => [`job/${x}`, ...pods(x)], rules: () => ['pods', 'jobs.batch'], make: makeJob }],
  ],
  [
    'job, --stuck-after',
    [
      {
        args: (x) => [`job/${x}`, '--stuck-after=5m'],
        rules: (x) => [`jobs.batch/${x}`, 'pods'],
        make: (x) => create(job({ namespace: ns, name: x, labels: app(x), exitCode: 'ask' })),
        finish: async (x) => {
          const path = `/api/v1/namespaces/${ns}/pods?labelSelector=app%3D${x}`;
          const [made] = await api.untilAll(path, (found) => found.length > 0);
          await endPod({ ...made, apiVersion: 'v1', kind: 'Pod' }, 0);
        },
      },
    ],
  ],
];

const withoutWatch = ({ namespace, rule }: Granted): Granted => ({
  namespace,
  rule: { ...rule, verbs: rule.verbs.filter((verb) => verb !== 'watch') },
});

/** Says that something was refused. The random names of the objects may hold any number. */
const REFUSAL = /403 Forbidden|^refused: |^cannot (list|watch) /m;

/** The rules that a refusal prints, with the Role in which each must stand. */
function rulesPrinted(stderr: string): readonly Granted[] {
  return stderr.split(/^(?=to grant )/m).flatMap((part) => {
    const [, role, namespace, rules = ''] =
      /^to grant it, .* to a (ClusterRole|Role in namespace "([^"]*)") bound .*:\n([\s\S]*)$/.exec(part) ?? [];
    return role === undefined ? [] : (load(rules) as PolicyRule[]).map((rule) => ({ namespace, rule }));
  });
}

/** `list jobs.batch "x" in namespace "n"`, as a refusal names it; what a selector found has a name. */
function permission(verb: 'list' | 'watch', { namespace, rule }: Granted): string {
  const resource = rule.resources[0] ?? '';
  const name = rule.resourceNames === undefined ? '(?: "[^"]+")?' : ` "${rule.resourceNames[0]}"`;
  const group = rule.apiGroups[0] === '' ? '' : `\\.${rule.apiGroups[0]}`;
  const everywhere = CLUSTER_SCOPED.includes(resource)
    ? 'at the cluster scope'
    : `in (all namespaces|namespace "${ns}")`;
  return `${verb} ${resource}${group}${name} ${namespace === undefined ? everywhere : `in namespace "${namespace}"`}`;
}

const CLUSTER_SCOPED = ['persistentvolumes', 'customresourcedefinitions', 'apiservices', 'nodes', 'namespaces'];
const isEverywhere = (rule: string): boolean => rule.includes(' (all)');

/** The rules to go without in turn: all at once where each is the only one of its target, else one after another. */
function removalsFrom(rows: readonly Row[], required: readonly Printed[]): readonly (readonly Printed[])[] {
  return rows.length === required.length ? [required] : required.map((one) => [one]);
}

describe.concurrent('exactly what rbac prints is enough, and none of it too much', () => {
  for (const [at, [title, rows]] of GROUPS.entries())
    test(title, { timeout: 240_000 }, async ({ bare, expect }) => {
      // Another one each time: what a first try has made is in the way of a second.
      const account = `r${at}-${randomBytes(2).toString('hex')}`;
      const named = rows.map((row, index) => ({ row, x: `${account}-${index}` }));
      const args = named.flatMap(({ row, x }) => row.args(x));
      const start = (who: Person, options = ['--on-missing=wait', '--timeout=3m']): Run =>
        bare([...args, ...options], { namespace: ns, kubeconfig: who.kubeconfig });

      const { stdout: yaml } = await bare(['rbac', ...args, '--service-account', account], { namespace: ns }).exit;
      const printed = rulesOf(yaml);
      const expected = named.flatMap(({ row, x }) => row.rules(x));
      const inOrder = [...expected.filter((rule) => !isEverywhere(rule)), ...expected.filter(isEverywhere)];
      expect(printed.map(short)).toEqual(inOrder);
      const required = printed.filter(({ need }) => need === 'required');

      // Without watch it reads again and again, and says so once of each.
      const patient = await newcomer();
      await grant(printed.map(withoutWatch), patient.subject, patient.user);
      const polling = start(patient);
      const ownRules = named.map(({ row, x }) => row.rules(x)[0]);
      const unwatched = printed
        .filter((one) => ownRules.includes(short(one)))
        .map((one) => `^cannot ${permission('watch', one)} \\(forbidden\\); polling every 2 to 10 s instead$`);
      await Promise.all(unwatched.map((text) => polling.line(new RegExp(text))));

      await Promise.all([apply(yaml), ...named.map(({ row, x }) => row.make(x))]);
      const exact = await withToken(account);
      await inForce(printed, exact.user);
      const run = start(exact);
      const isPending = named.some(({ row }) => row.finish !== undefined);
      // Where something is still pending, the rest is tried before it is done.
      const done = isPending ? undefined : await run.exit;

      const removals = removalsFrom(rows, required).map(async (removed, index) => {
        // One of them is known by a certificate, and is the one that is given what the refusal prints.
        const who = index === 0 ? await withCertificate() : await newcomer();
        const left = required.filter((one) => !removed.includes(one));
        await grant(left, who.subject, who.user);
        // No patience: it is refused with the first answer.
        const refused = await start(who, ['--timeout=0']).exit;
        // Of two targets one may have been reached before.
        const reached = left.length === 0 ? /^$/ : /^(\S+( -l \S+)? reached: .+\n)?$/;
        expect(refused).toMatchObject({ code: 3, stdout: expect.stringMatching(reached) });
        const [first = ''] = refused.stderr.split('\n').filter((line) => line.startsWith('refused: '));
        const [, who403, asked = ''] = /^refused: "([^"]*)" cannot (.*): 403 Forbidden$/.exec(first) ?? [];
        expect(who403).toBe(who.user);
        expect(asked).toMatch(new RegExp(`^(${removed.map((one) => permission('list', one)).join('|')})$`));
        const rules = rulesPrinted(refused.stderr);
        expect(rules).toEqual(removed.map(({ namespace, rule }) => ({ namespace, rule })));
        return { who, rules };
      });
      const [mended] = await Promise.all(removals);
      if (mended === undefined) throw new Error('no rule is required');

      if (removals.length < required.length) {
        // Each is refused by itself, as a run shows that goes on in spite of it.
        const stubborn = start(await newcomer(), ['--on-refused=wait', '--timeout=3m']);
        await Promise.all(
          required.map(({ rule: { resources, apiGroups } }) => {
            const resource = apiGroups[0] === '' ? resources[0] : `${resources[0]}.${apiGroups[0]}`;
            return stubborn.line(new RegExp(`^\\S+.*: 403 Forbidden: ${resource} .*cannot list resource.*; retrying$`));
          }),
        );
        stubborn.kill('SIGTERM');
        expect(await stubborn.exit).toMatchObject({ code: 143, stdout: '' });
      }

      await Promise.all(named.map(({ row, x }) => row.finish?.(x)));
      const ended = done ?? (await run.exit);
      expect({ code: ended.code, refused: REFUSAL.test(ended.stderr) }).toEqual({ code: 0, refused: false });

      // What was printed mends it; the optional ones are lacking.
      await grant(mended.rules, mended.who.subject, mended.who.user);
      const second = await start(mended.who).exit;
      expect({ code: second.code, refused: REFUSAL.test(second.stderr) }).toEqual({
        code: 0,
        refused: false,
      });

      const polled = await polling.exit;
      expect(polled.code).toBe(0);
      const said = polled.stderr.split('\n').filter((line) => line.startsWith('cannot watch '));
      expect(said).toEqual([...new Set(said)]);
      for (const line of said) expect(line).toMatch(/ \(forbidden\); polling every 2 to 10 s instead$/);
      expect(polled.stderr).not.toContain('403 Forbidden');
    });
});
