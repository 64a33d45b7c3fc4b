/** The sample chart: Helm and the API server take it in each mode, and it asks for no more than it needs. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { load, loadAll } from 'js-yaml';
import { describe } from 'vitest';
import { CHART, MODES, podSpecOf, rulesOf, waitersOf } from '../harness/chart.ts';
import { dryRun } from '../harness/dry-run.ts';
import { cluster, type Json, test } from '../harness/index.ts';
import { manifest } from '../harness/manifests.ts';

const run = promisify(execFile);
/** Helm's own --timeout, where none is given. */
const HELM_TIMEOUT_SECONDS = 300;
/** So that each mode has all that it can have. */
const FULL = ['--set', 'migrations.after={db-setup}'];

async function helm(args: readonly string[]): Promise<string> {
  return (await run(cluster().bin('helm'), args)).stdout;
}

async function refusalOf(args: readonly string[]): Promise<string> {
  return await helm(args).then(
    () => '',
    ({ stderr }) => stderr,
  );
}

const template = (mode: string, ...args: string[]): string[] => [
  'template',
  'shop',
  CHART,
  '--set',
  `migrations.mode=${mode}`,
  ...args,
];

async function render(mode: string, ...args: string[]): Promise<Json[]> {
  return loadAll(await helm(template(mode, ...args))).filter((object) => object != null);
}

const values: Json = load(manifest('chart/values.yaml'));
const image = `${values.image.repository}:${values.image.tag}`;

describe.concurrent('k8s/chart', () => {
  for (const mode of MODES) {
    test(`mode ${mode}: helm lint has nothing to say`, async ({ expect }) => {
      const said = await helm(['lint', CHART, '--strict', '--quiet', '--set', `migrations.mode=${mode}`, ...FULL]);
      expect(said.trim()).toBe('');
    });

    test(`mode ${mode}: the API server takes it under the restricted standard without a warning`, async ({
      ns,
      expect,
    }) => {
      const text = await helm(template(mode, ...FULL, '--set', 'await.explainFailures=true', '-n', ns));
      expect(await dryRun(ns, ['-f', '-'], text, ['shop'])).toBe('');
    });

    test(`mode ${mode}: its Roles are what \`kube-await rbac\` prints for those who wait`, async ({
      kubeAwait,
      expect,
    }) => {
      for (const explain of [[], ['--explain-failures']]) {
        const objects = await render(mode, ...FULL, '--set', `await.explainFailures=${explain.length > 0}`);
        const waiters = waitersOf(objects, image);
        expect(waiters.length).toBeGreaterThan(0);
        for (const account of new Set(waiters.map((waiter) => waiter.account))) {
          const needed: Json[] = [];
          for (const { container } of waiters.filter((waiter) => waiter.account === account)) {
            const env = Object.fromEntries((container.env ?? []).map(({ name, value }: Json) => [name, value]));
            const { stdout } = await kubeAwait(['rbac', ...container.args, ...explain], { env }).exit;
            needed.push(...rulesOf(loadAll(stdout), 'kube-await'));
          }
          expect(permissionsOf(rulesOf(objects, account))).toEqual(permissionsOf(needed));
        }
      }
    });

    test(`mode ${mode}: nobody waits longer than those who wait for him`, async ({ expect }) => {
      const objects = await render(mode, ...FULL);
      for (const { container } of waitersOf(objects, image)) {
        const seconds = Number(/--timeout=(\d+)s/.exec(container.args.join(' '))?.[1]);
        expect(seconds).toBeLessThan(HELM_TIMEOUT_SECONDS);
        expect(seconds).toBeLessThan(values.progressDeadlineSeconds);
      }
      for (const object of objects) {
        const { kind, metadata, spec } = object;
        if (kind === 'Deployment') expect(spec.progressDeadlineSeconds).toBeGreaterThan(HELM_TIMEOUT_SECONDS);
        if (kind === 'Job' || kind === 'Pod') expect(spec.activeDeadlineSeconds).toBeLessThan(HELM_TIMEOUT_SECONDS);
        if (kind === 'Job' && waitersOf([object], image).length === 0) {
          expect(spec.activeDeadlineSeconds, metadata.name).toBeLessThan(values.await.timeoutSeconds);
        }
      }
    });

    test(`mode ${mode}: only containers that wait have a token`, async ({ expect }) => {
      for (const object of await render(mode, ...FULL)) {
        const pod = podSpecOf(object);
        if (pod === undefined) continue;
        expect(pod.automountServiceAccountToken).toBe(false);
        for (const container of [...(pod.initContainers ?? []), ...pod.containers]) {
          const mounts = (container.volumeMounts ?? []).map(({ name }: Json) => name);
          expect(mounts.includes('kube-api-access'), container.name).toBe(container.image === image);
        }
      }
    });
  }

  test('the Job has one name in all that speaks of it, and another one in the next rendering', async ({ expect }) => {
    const names = async () => {
      const objects = await render('job');
      const job = objects.find(({ kind }) => kind === 'Job').metadata.name;
      const awaited = waitersOf(objects, image).map(({ container }) => container.args[0]);
      expect(awaited).toEqual([`job/${job}`, `job/${job}`]);
      expect(rulesOf(objects, 'shop')[0].resourceNames).toEqual([job]);
      return job;
    };
    const [first, second] = [await names(), await names()];
    expect(first).toMatch(/^shop-migrate-1-[a-z0-9]{5}$/);
    expect(second).not.toBe(first);
  });

  test('migrations.id names the Job where the chart is rendered again and again', async ({ expect }) => {
    const objects = await render('job', '--set', 'migrations.id=v1.4.2');
    expect(objects.find(({ kind }) => kind === 'Job').metadata.name).toBe('shop-migrate-v1.4.2');
  });

  test('a name as long as Helm takes it still fits', async ({ ns, expect }) => {
    const name = 'a'.repeat(53);
    const text = await helm(['template', name, CHART, '--set', 'migrations.id=a23456789012345', '-n', ns]);
    expect(await dryRun(ns, ['-f', '-'], text)).toBe('');
  });

  test('time limits that do not fit are refused', async ({ expect }) => {
    const shorter = await refusalOf(template('job', '--set', 'await.timeoutSeconds=210'));
    expect(shorter).toContain('migrations.activeDeadlineSeconds must be less than await.timeoutSeconds');
    const longer = await refusalOf(template('job', '--set', 'await.timeoutSeconds=600'));
    expect(longer).toContain('await.timeoutSeconds must be less than progressDeadlineSeconds');
  });

  test('the schema refuses a mode and a value that there are not', async ({ expect }) => {
    expect(await refusalOf(template('jobs'))).toContain("must be one of 'job', 'hook', 'chain'");
    expect(await refusalOf(template('job', '--set', 'migration.mode=hook'))).toContain("'migration' not allowed");
  });
});

/** One line for each thing that is allowed, however the rules are cut. */
function permissionsOf(rules: readonly Json[]): string[] {
  const lines = rules.flatMap(({ apiGroups, resources, resourceNames = ['*'], verbs }) =>
    resources.flatMap((resource: string) =>
      resourceNames.flatMap((name: string) =>
        verbs.map((verb: string) => `${verb} ${apiGroups[0]}/${resource} ${name}`),
      ),
    ),
  );
  return [...new Set<string>(lines)].sort();
}
