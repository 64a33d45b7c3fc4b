/**
 * The life of a release in the chart's mode `job`: one test after the other, each on what the one before has left.
 */
import { afterAll, beforeAll, describe, expect } from 'vitest';
import {
  api,
  containerOf,
  deleteNamespace,
  hasCondition,
  images,
  type Json,
  job,
  kubectl,
  makeNamespace,
  pod,
  podOf,
  test,
  untilLine,
  waitsWith,
} from './harness.ts';
import { release, tell, whenTold } from './release.ts';
import { FINALIZER } from './setup.ts';

let ns = '';
let shop: ReturnType<typeof release>;

beforeAll(async () => {
  ns = await makeNamespace();
  shop = release(ns);
});

afterAll(() => deleteNamespace(ns));

const COMPONENTS = ['api', 'worker'] as const;

const isReady = (found: Json): boolean =>
  hasCondition(found, 'Ready') && found.metadata.deletionTimestamp === undefined;

/** The one pod of the migration that is running now. */
async function migrating(): Promise<Json> {
  const pods = await api.untilAll(
    shop.pods('migration'),
    (found) => found.some((each) => containerOf(each, 'migrate')?.state.running),
    'the migration',
  );
  return pods.find((each) => containerOf(each, 'migrate')?.state.running);
}

/** Pods whose init container waits. */
function waiting(component: string, count: number): Promise<Json[]> {
  return api.untilAll(
    shop.pods(component),
    (found) => found.filter((each) => containerOf(each, 'await-job')?.state.running).length === count,
    `${count} waiting pods of ${component}`,
  );
}

/** Pods of the release have started their application only after this Job was complete. */
async function expectStartedAfter(name: string): Promise<void> {
  const started = await Promise.all(
    COMPONENTS.map(async (component) => ({ component, pods: await shop.rolledOut(component) })),
  );
  const { completionTime } = (await api.get(job(ns, name))).status;
  for (const { component, pods } of started) {
    for (const each of pods) {
      const waited = containerOf(each, 'await-job').state.terminated;
      expect(waited).toMatchObject({ exitCode: 0 });
      expect(Date.parse(waited.finishedAt)).toBeGreaterThanOrEqual(Date.parse(completionTime));
      expect(containerOf(each, component).state.running).toBeDefined();
    }
  }
}

async function nameOfNewestJob(): Promise<string> {
  const jobs = await shop.jobs('migration');
  return jobs.sort((a, b) => a.metadata.creationTimestamp.localeCompare(b.metadata.creationTimestamp)).at(-1).metadata
    .name;
}

/**
 * Asks the Service twenty times a second, each time over a new connection, until it is ended. The name is looked up
 * once, and no time limit cuts an answer short: what is lost is lost by the pods.
 */
const CLIENT = `
  const { lookup } = await import('node:dns/promises');
  const { writeFileSync } = await import('node:fs');
  const { get } = await import('node:http');
  const { address } = await lookup('shop-api');
  const ask = () => new Promise((resolve, reject) => {
    get('http://' + address, { agent: false }, (response) => {
      response.resume();
      response.on('end', () => (response.statusCode === 200 ? resolve() : reject(new Error(response.statusCode))));
    }).on('error', reject);
  });
  let asked = 0, ending = false;
  const lost = [];
  process.on('SIGTERM', () => { ending = true; });
  while (!ending) {
    asked += 1;
    try {
      await ask();
      if (asked === 1) console.log('first answer');
    } catch (error) {
      lost.push(asked + ': ' + error);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  writeFileSync('/dev/termination-log', JSON.stringify({ asked, lost: lost.slice(0, 10) }));
  process.exit(0);
`;

describe('a release with its migration as a plain Job', () => {
  let first = '';

  test('install: api and workers stay in Init until the migration is complete', async () => {
    const { code, stderr, stdout } = await shop.install({ migrations: { command: ['sh', '-c', 'sleep 10'] } });
    expect(stderr).toBe('');
    expect(code).toBe(0);
    first = await nameOfNewestJob();
    expect(stdout).toContain(`stay in Init until job/${first} is complete`);
    await Promise.all([waiting('api', 2), waiting('worker', 1)]);
    expect((await api.get(job(ns, first))).status.active).toBe(1);
    // What the notes tell to look at.
    expect(await untilLine(ns, 'deployment/shop-worker', 'await-job', /active/)).toBe(
      `job/${first}: 0/1 succeeded, 1 active`,
    );
    await expectStartedAfter(first);
  });

  let failing = '';

  test('upgrade with a migration that fails: old pods serve on, and can be replaced meanwhile', async () => {
    const old = await shop.rolledOut('api');
    const client = {
      ...waitsWith(images().own, []),
      command: ['/nodejs/bin/node', '--input-type=module', '-e', CLIENT],
    };
    const spec = { terminationGracePeriodSeconds: 30 };
    const metadata = { finalizers: [FINALIZER] };
    await api.create(podOf({ namespace: ns, name: 'client', containers: [client], spec, metadata }));
    await api.until(pod(ns, 'client'), (found) => containerOf(found, 'await')?.state.running, 'the client');
    await untilLine(ns, 'client', 'await', /^first answer$/);

    const command = whenTold('echo "no such column: price" >&2; exit 1');
    const { code } = await shop.upgrade({ migrations: { command, backoffLimit: 0 } });
    expect(code).toBe(0);
    const migration = await migrating();
    failing = migration.metadata.labels['job-name'];
    expect(failing).toMatch(/^shop-migrate-2-/);
    await Promise.all([waiting('api', 1), waiting('worker', 1)]);

    const [gone] = old;
    await api.delete(pod(ns, gone.metadata.name));
    const hash = gone.metadata.labels['pod-template-hash'];
    await api.untilAll(
      `${shop.pods('api')}%2Cpod-template-hash%3D${hash}`,
      (pods) => pods.filter(isReady).length === 2 && !pods.some((each) => each.metadata.name === gone.metadata.name),
      'a new pod of the old revision',
    );
    expect((await api.get(job(ns, failing))).status.active).toBe(1);

    await tell(ns, migration.metadata.name);
    const failed = await api.untilAll(
      shop.pods('api'),
      (pods) => pods.some((each) => (containerOf(each, 'await-job')?.restartCount ?? 0) > 0),
      'a new pod whose wait has failed',
    );
    const fresh = failed.find((each) => containerOf(each, 'await-job').restartCount > 0);
    const described = await kubectl(['-n', ns, 'describe', 'pod', fresh.metadata.name]);
    expect(described).toContain(
      `job/${failing} failed: BackoffLimitExceeded: Job has reached the specified backoff limit`,
    );
    for (const each of failed.filter(({ metadata }) => metadata.labels['pod-template-hash'] !== hash)) {
      expect(containerOf(each, 'api').state.waiting?.reason).toBe('PodInitializing');
      expect(containerOf(each, 'api').started).toBe(false);
    }
    expect(failed.filter(isReady)).toHaveLength(2);
  });

  test('rollback: recovers, runs no migration again, and no request was lost on the way', async () => {
    const before = await api.get(job(ns, first));
    const { code, stderr } = await shop.rollback(1);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    for (const component of COMPONENTS) await shop.rolledOut(component);
    const after = await api.get(job(ns, first));
    expect(after.metadata.uid).toBe(before.metadata.uid);
    expect(after.status).toEqual(before.status);
    expect(await shop.jobs('migration')).toHaveLength(2);

    await api.delete(pod(ns, 'client'));
    const ended = await api.until(
      pod(ns, 'client'),
      (found) => containerOf(found, 'await')?.state.terminated,
      'the end of the client',
    );
    await api.patch(pod(ns, 'client'), { metadata: { finalizers: null } });
    // Not from its log: kubelet removes the containers of a deleted pod as soon as they have ended.
    const { asked, lost } = JSON.parse(containerOf(ended, 'await').state.terminated.message);
    expect(lost).toEqual([]);
    expect(asked).toBeGreaterThan(50);
  });

  test('uninstall and install under the same name: pods wait for the new Job, not for a kept one', async () => {
    expect(await shop.uninstall()).toMatchObject({ code: 0 });
    expect(hasCondition(await api.get(job(ns, first)), 'Complete')).toBe(true);
    for (const component of COMPONENTS) {
      await api.untilAll(shop.pods(component), (pods) => pods.length === 0, `the end of ${component}`);
    }
    const { code } = await shop.install({ migrations: { command: whenTold('true') } });
    expect(code).toBe(0);
    const again = await nameOfNewestJob();
    expect(again).toMatch(/^shop-migrate-1-/);
    expect(again).not.toBe(first);
    await Promise.all([waiting('api', 2), waiting('worker', 1)]);
    await tell(ns, (await migrating()).metadata.name);
    await expectStartedAfter(again);
  });

  test('what is kept goes with the command of the notes', async () => {
    expect(await shop.uninstall('--wait')).toMatchObject({ code: 0 });
    expect(await shop.jobs('migration')).toHaveLength(3);
    const kinds = 'job,role,rolebinding';
    await kubectl(['-n', ns, 'delete', kinds, '-l', 'app.kubernetes.io/instance=shop']);
    const left = 'deployment,service,serviceaccount,secret,job,role,rolebinding';
    expect(await kubectl(['-n', ns, 'get', left, '-l', 'app.kubernetes.io/instance=shop', '-o', 'name'])).toBe('');
  });
});
