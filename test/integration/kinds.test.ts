/** Kinds with a phase or one condition, kinds that merely exist, and custom resources. */
import { randomBytes } from 'node:crypto';
import { describe } from 'vitest';
import type { Reference } from '../cluster/rest.ts';
import { FROZEN, freeze } from '../harness/frozen.ts';
import { api, auditOf, hasCondition, type Json, test } from '../harness/index.ts';
import { looksAt, slug } from '../harness/looks.ts';
import { proxied } from '../harness/proxy.ts';

const unique = (): string => `x${randomBytes(4).toString('hex')}`;
const now = (): string => `${new Date().toISOString().slice(0, 19)}Z`;

function claim(namespace: string, name = 'data'): Reference {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name, namespace },
    spec: { accessModes: ['ReadWriteOnce'], storageClassName: 'none', resources: { requests: { storage: '1Gi' } } },
  } as Reference;
}

function volume(name: string, labels: object = {}): Reference {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name, labels },
    spec: {
      accessModes: ['ReadWriteOnce'],
      storageClassName: name,
      capacity: { storage: '1Gi' },
      hostPath: { path: '/nowhere' },
    },
  } as Reference;
}

/** A kind of the test's own. Its objects have a status subresource, of any shape. */
function definition(
  group: string,
  kind: string,
  more: { readonly scope?: string; readonly shortNames?: string[] } = {},
) {
  const plural = `${kind.toLowerCase()}s`;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: more.scope ?? 'Namespaced',
      names: { plural, kind, singular: kind.toLowerCase(), ...(more.shortNames && { shortNames: more.shortNames }) },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          subresources: { status: {} },
          schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
        },
      ],
    },
  };
}

async function define(group: string, kind: string, more: Parameters<typeof definition>[2] = {}): Promise<Json> {
  const crd = definition(group, kind, more);
  await api.create(crd);
  await api.until(crd, (found) => hasCondition(found, 'Established'));
  // Established comes a moment before the kind is served.
  for (;;) {
    const served = await api.get(`/apis/${group}/v1`).catch(() => undefined);
    if (served?.resources.length > 0) return crd;
  }
}

describe.concurrent('a phase', () => {
  test('each of a PersistentVolumeClaim and of a PersistentVolume', async ({ ns, kubeAwait, expect }) => {
    await freeze(ns);
    const phases = [
      ['PersistentVolumeClaim', 'Pending', 'pending'],
      ['PersistentVolumeClaim', 'Bound', 'reached'],
      ['PersistentVolumeClaim', 'Lost', 'failed'],
      ['PersistentVolume', 'Pending', 'pending'],
      ['PersistentVolume', 'Available', 'reached'],
      ['PersistentVolume', 'Bound', 'reached'],
      ['PersistentVolume', 'Released', 'pending'],
      ['PersistentVolume', 'Failed', 'failed'],
    ] as const;
    const made = phases.map(([kind, phase, ends]) => {
      const name = `${phase.toLowerCase()}-${unique()}`;
      const object = kind === 'PersistentVolume' ? volume(name, FROZEN) : claim(ns, name);
      const message = kind === 'PersistentVolume' && phase === 'Failed' ? 'cannot be recycled' : undefined;
      const says = message === undefined ? phase : `${phase}, ${message}`;
      return {
        object,
        status: { phase, ...(message && { message }) },
        target: `${kind.toLowerCase()}/${name}`,
        ends,
        says,
      };
    });
    await Promise.all(
      made.map(async ({ object, status }) => {
        await api.create(object);
        await api.patchStatus(object, status);
      }),
    );
    for (const { args, ...ended } of looksAt(made)) {
      const { code, stdout } = await kubeAwait(args).exit;
      expect({ code, stdout }).toEqual(ended);
    }
    await Promise.all(
      made.filter(({ object }) => object.kind === 'PersistentVolume').map(({ object }) => api.delete(object)),
    );
  });

  test('PersistentVolumeClaim: reached when the controller has bound it to a volume that comes later', async ({
    ns,
    kubeAwait,
    expect,
  }) => {
    const name = unique();
    const spec = { ...(claim(ns) as Json).spec, storageClassName: name };
    await api.create({ ...claim(ns), spec } as Reference);
    const run = kubeAwait(['pvc/data', `pv/${name}`]);
    await run.line(/^persistentvolumeclaim\/data: Pending$/);
    await run.line(new RegExp(`^persistentvolume/${name}: does not exist yet$`));
    await api.create(volume(name));
    const { code, stdout } = await run.exit;
    expect(code).toBe(0);
    expect(stdout).toContain('persistentvolumeclaim/data reached: Bound\n');
  });

  test('Namespace: reached when it is Active', async ({ kubeAwait, expect }) => {
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: unique() } };
    const run = kubeAwait([`ns/${namespace.metadata.name}`]);
    await run.line(/does not exist yet$/);
    await api.create(namespace);
    const { code, stdout } = await run.exit;
    expect({ code, stdout }).toEqual({ code: 0, stdout: `namespace/${namespace.metadata.name} reached: Active\n` });
    await api.delete(namespace);
  });

  test('Namespace that is on its way out: a missing one', async ({ namespace, kubeAwait, expect }) => {
    const name = await namespace();
    const keeper = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'keeper', namespace: name, finalizers: ['kube-await.test/keep'] },
    };
    await api.create(keeper);
    await api.delete({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    const { code, stdout } = await kubeAwait([`ns/${name}`, '--timeout=0']).exit;
    expect({ code, stdout }).toEqual({ code: 124, stdout: `namespace/${name} not reached: does not exist yet\n` });
    await api.patch(keeper, { metadata: { finalizers: null } });
  });
});

describe.concurrent('a condition', () => {
  test('CustomResourceDefinition: reached when it is Established', async ({ kubeAwait, expect }) => {
    const crd = definition(`${unique()}.test`, 'Widget');
    const run = kubeAwait([`crd/${crd.metadata.name}`]);
    await run.line(/does not exist yet$/);
    await api.create(crd);
    const { code, stdout } = await run.exit;
    expect(code).toBe(0);
    expect(stdout).toMatch(/^customresourcedefinition\/widgets\..+ reached: Established=True, InitialNamesAccepted: /);
    await api.delete(crd);
  });

  test('CustomResourceDefinition: fails when its names are not accepted', async ({ kubeAwait, expect }) => {
    const group = `${unique()}.test`;
    const first = await define(group, 'Widget');
    const rival = definition(group, 'Rival');
    rival.spec.names.kind = 'Widget';
    await api.create(rival);
    const { code, stdout } = await kubeAwait([`crd/${rival.metadata.name}`]).exit;
    expect(code).toBe(1);
    expect(stdout).toMatch(/ failed: NamesAccepted=False, (List)?KindConflict: "Widget(List)?" is already in use\n$/);
    await api.delete(rival);
    await api.delete(first);
  });

  test('APIService and Node: reached when they are Available and Ready', async ({ bare, expect }) => {
    const { code, stdout } = await bare(['apiservice/v1.batch', 'node/node-1']).exit;
    expect(code).toBe(0);
    const [first, second, ...more] = stdout.trimEnd().split('\n');
    expect(first).toBe('apiservice/v1.batch reached: Available=True, Local: Local APIServices are always available');
    expect(second).toMatch(/^node\/node-1 reached: Ready=True, KubeletReady: /);
    expect(more).toEqual([]);
  });

  test('APIService: pending while the service behind it is not there', async ({ ns, kubeAwait, expect }) => {
    const group = `${unique()}.test`;
    const target = {
      apiVersion: 'apiregistration.k8s.io/v1',
      kind: 'APIService',
      metadata: { name: `v1.${group}` },
      spec: {
        group,
        version: 'v1',
        groupPriorityMinimum: 100,
        versionPriority: 100,
        insecureSkipTLSVerify: true,
        service: { name: 'absent', namespace: ns },
      },
    };
    await api.create(target);
    const run = kubeAwait([`apiservice/v1.${group}`]);
    const { text } = await run.line(/Available=False, /);
    expect(text).toMatch(/: Available=False, ServiceNotFound: service\/absent in ".+" is not present$/);
    await api.delete(target);
    await run.line(/does not exist yet|deleted before it was done/);
  });

  test('Node: pending while it is not Ready', async ({ kubeAwait, expect }) => {
    const target = {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: unique(), annotations: { 'kube-await.test/hold': 'true' } },
      spec: { unschedulable: true },
    };
    await api.create(target);
    const run = kubeAwait([`node/${target.metadata.name}`]);
    await run.line(/: no condition Ready yet$/);
    const condition = { type: 'Ready', lastHeartbeatTime: now(), lastTransitionTime: now() };
    const status = (value: string, reason: string) => ({ conditions: [{ ...condition, status: value, reason }] });
    await api.patchStatus(target, status('False', 'KubeletNotReady'));
    await run.line(/: Ready=False, KubeletNotReady$/);
    await api.patchStatus(target, status('True', 'KubeletReady'));
    const { code } = await run.exit;
    expect(code).toBe(0);
    await api.delete(target);
  });
});

describe.concurrent('a kind whose objects merely exist', () => {
  const objects = (namespace: string): readonly (readonly [string, Reference])[] => {
    const at = (apiVersion: string, kind: string, more: object): Reference =>
      ({ apiVersion, kind, metadata: { name: 'x', namespace }, ...more }) as Reference;
    return [
      ['configmap', at('v1', 'ConfigMap', { data: { key: 'value' } })],
      ['secret', at('v1', 'Secret', { stringData: { key: 'value' } })],
      ['serviceaccount', at('v1', 'ServiceAccount', {})],
      ['role', at('rbac.authorization.k8s.io/v1', 'Role', { rules: [] })],
      [
        'ingress',
        at('networking.k8s.io/v1', 'Ingress', {
          spec: { defaultBackend: { service: { name: 'x', port: { number: 1 } } } },
        }),
      ],
      ['lease', at('coordination.k8s.io/v1', 'Lease', { spec: {} })],
      [
        'horizontalpodautoscaler',
        at('autoscaling/v2', 'HorizontalPodAutoscaler', {
          spec: { maxReplicas: 1, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'x' } },
        }),
      ],
    ];
  };

  test('each kind: pending, then reached', async ({ ns, kubeAwait, expect }) => {
    const all = objects(ns);
    const run = kubeAwait(all.map(([kind]) => `${kind}/x`));
    for (const [kind, object] of all) {
      await run.line(new RegExp(`^${kind}/x: does not exist yet$`));
      await api.create(object);
    }
    const { code, stdout } = await run.exit;
    expect({ code, stdout }).toEqual({ code: 0, stdout: all.map(([kind]) => `${kind}/x reached: exists\n`).join('') });
  });

  proxied(
    'Secret and ConfigMap are asked for as metadata only: no data is sent',
    async ({ ns, kubeAwait, identity, proxy, expect }) => {
      const config = proxy.kubeconfig(await identity({ by: 'token' }));
      for (const [, object] of objects(ns).slice(0, 1)) await api.create(object);
      const run = kubeAwait(['configmap/x', 'secret/x'], { kubeconfig: config });
      await run.line(/^secret\/x: does not exist yet$/);
      const secret = objects(ns)[1]?.[1];
      if (secret !== undefined) await api.create(secret);
      const { code } = await run.exit;
      const asked = proxy.seen.filter(({ path }) => /configmaps|secrets/.test(path));
      expect(code).toBe(0);
      expect(asked.length).toBeGreaterThanOrEqual(3);
      for (const { accept, body } of asked) {
        expect(accept).toContain('as=PartialObjectMetadata');
        expect(body).not.toContain('"data"');
      }
      expect(asked.some(({ body }) => body.includes('"PartialObjectMetadata"'))).toBe(true);
    },
  );
});

describe.concurrent('a custom resource', () => {
  const widget = (group: string, namespace: string, name = 'x'): Reference =>
    ({ apiVersion: `${group}/v1`, kind: 'Widget', metadata: { name, namespace }, spec: {} }) as Reference;
  let widgets: Promise<string> | undefined;
  /** The group of a kind Widget that several tests use. */
  const shared = (): Promise<string> => {
    const group = `${unique()}.test`;
    widgets ??= define(group, 'Widget').then(() => group);
    return widgets;
  };
  const ready = (status: string, more: object = {}): object => ({
    conditions: [{ type: 'Ready', status, reason: 'Because', message: 'of this', ...more }],
  });

  test('each state of the condition Ready', async ({ ns, kubeAwait, expect }) => {
    const group = await shared();
    const states = [
      { is: 'Ready=True', status: ready('True'), ends: 'reached', says: 'Ready=True, Because: of this' },
      { is: 'Ready=False', status: ready('False'), ends: 'pending', says: 'Ready=False, Because: of this' },
      { is: 'Ready=Unknown', status: ready('Unknown'), ends: 'pending', says: 'Ready=Unknown, Because: of this' },
      { is: 'no condition at all', status: { phase: 'Running' }, ends: 'pending', says: 'no condition Ready yet' },
      {
        is: 'Ready=True at the present generation',
        status: ready('True', { observedGeneration: 1 }),
        ends: 'reached',
        says: 'Ready=True, Because: of this',
      },
      {
        is: 'Ready=True of an earlier generation, by the condition',
        status: ready('True', { observedGeneration: 0 }),
        ends: 'pending',
        says: 'Ready=True, Because: of this (of an earlier generation)',
      },
      {
        is: 'Ready=True of an earlier generation, by the status',
        status: { ...ready('True'), observedGeneration: 0 },
        ends: 'pending',
        says: 'Ready=True, Because: of this (of an earlier generation)',
      },
    ] as const;
    const made = states.map(({ is, status, ...expected }) => {
      const name = slug(is);
      return { object: widget(group, ns, name), status, target: `widget.${group}/${name}`, ...expected };
    });
    await Promise.all(
      made.map(async ({ object, status }) => {
        await api.create(object);
        await api.patchStatus(object, status);
      }),
    );
    for (const { args, ...ended } of looksAt(made)) {
      const { code, stdout } = await kubeAwait(args).exit;
      expect({ code, stdout }).toEqual(ended);
    }
  });

  test('without the condition Ready: a hint to --for with the first heartbeat', async ({ ns, kubeAwait, expect }) => {
    const group = await shared();
    await api.create(widget(group, ns));
    const run = kubeAwait([`widget.${group}/x`, '--heartbeat=200ms']);
    const { text } = await run.line(/^hint: /);
    expect(text).toContain('it has neither a Ready nor a Succeeded condition: use --for=condition=TYPE');
    await api.patchStatus(widget(group, ns), ready('True'));
    const { code } = await run.exit;
    expect(code).toBe(0);
  });

  test('short, singular, plural and kind names mean the same kind', async ({ ns, kubeAwait, expect }) => {
    const group = `${unique()}.test`;
    const short = unique();
    const kind = `Kind${short}`;
    const crd = await define(group, kind, { shortNames: [short] });
    await api.create({ ...widget(group, ns), kind } as Reference);
    await api.patchStatus({ ...widget(group, ns), kind } as Reference, ready('True'));
    const plural = `${kind.toLowerCase()}s`;
    const words = [short, kind.toLowerCase(), plural, kind, `${plural}.${group}`, `${plural}.v1.${group}`];
    const { code, stdout } = await kubeAwait([...words.map((word) => `${word}/x`), '--timeout=0']).exit;
    // The same target counts once.
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/^\S+ reached: Ready=True, .+\n$/) });
    await api.delete(crd);
  });

  test('cluster-scoped ones need no namespace', async ({ kubeAwait, expect }) => {
    const group = `${unique()}.test`;
    const crd = await define(group, 'Widget', { scope: 'Cluster' });
    const target = { apiVersion: `${group}/v1`, kind: 'Widget', metadata: { name: 'x' } };
    await api.create(target);
    await api.patchStatus(target, ready('True'));
    const { code } = await kubeAwait([`widgets.${group}/x`, '--timeout=0']).exit;
    expect(code).toBe(0);
    await api.delete(crd);
  });

  test('a group-qualified kind that comes later is awaited like a missing object', async ({
    ns,
    kubeAwait,
    expect,
  }) => {
    const group = `${unique()}.test`;
    const run = kubeAwait([`widgets.${group}/x`]);
    await run.line(/: does not exist yet$/);
    const crd = await define(group, 'Widget');
    await api.create(widget(group, ns));
    await api.patchStatus(widget(group, ns), ready('True'));
    const { code, stdout } = await run.exit;
    expect(code).toBe(0);
    expect(stdout).toMatch(/ reached: Ready=True, Because: of this\n$/);
    await api.delete(crd);
  });

  test('a kind that comes later is missing for --on-missing=fail', async ({ kubeAwait, expect }) => {
    const args = [`widgets.${unique()}.test/x`, '--on-missing=fail', '--missing-grace=0s'];
    const { code, stdout } = await kubeAwait(args).exit;
    expect(code).toBe(1);
    expect(stdout).toMatch(/ failed: does not exist\n$/);
  });

  test('a word that discovery does not know is a usage error', async ({ kubeAwait, expect }) => {
    const { code, stdout, stderr } = await kubeAwait([`${unique()}/x`]).exit;
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^kube-await: expected a kind such as job, pod or deployment, got /);
  });

  test('a kind that is taken away is awaited like a missing object', async ({ ns, kubeAwait, expect }) => {
    const group = `${unique()}.test`;
    const crd = await define(group, 'Widget');
    const gate = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'gate', namespace: ns } };
    const run = kubeAwait([`widgets.${group}/x`, 'configmap/gate', '--on-missing=fail', '--missing-grace=1h']);
    await run.line(/^widget\..+: does not exist yet$/);
    await api.delete(crd);
    await api.create(gate);
    await run.line(/^configmap\/gate: exists$/);
    await api.until(crd, (found) => found === undefined);
    await define(group, 'Widget');
    await api.create(widget(group, ns));
    await api.patchStatus(widget(group, ns), ready('True'));
    const { code } = await run.exit;
    expect(code).toBe(0);
    await api.delete(crd);
  });
});

describe.concurrent('discovery', () => {
  const discovery = (user: string): string[] =>
    auditOf(user)
      .filter(({ verb, resource }) => verb === 'get' && resource === '')
      .map(({ path }) => path);

  test('is not asked for built-in kinds', async ({ kubeAwait, identity, expect }) => {
    const as = await identity();
    const kinds = ['job', 'po', 'svc', 'deploy', 'cronjobs.batch', 'hpa', 'pvc', 'node', 'crd', 'apiservice', 'role'];
    await kubeAwait([...kinds.map((kind) => `${kind}/x`), '--timeout=0'], { as }).exit;
    expect(discovery(as.user)).toEqual([]);
    expect(auditOf(as.user).filter(({ verb }) => verb === 'list')).toHaveLength(kinds.length);
  });

  test('is asked for any other kind', async ({ kubeAwait, identity, expect }) => {
    const as = await identity();
    const group = `${unique()}.test`;
    await kubeAwait([`widgets.${group}/x`, '--timeout=0'], { as }).exit;
    expect(discovery(as.user)).not.toEqual([]);
  });
});
