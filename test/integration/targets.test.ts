/** Each way to write a target finds what it names, and nothing else. */
import { randomBytes } from 'node:crypto';
import { beforeAll, describe } from 'vitest';
import { api, hasCondition, job, pod, test } from '../harness/index.ts';

/** A namespace that all rows look at: two Jobs that are Complete, pods that are ready. Nothing in it changes. */
const shop = `shop-${randomBytes(4).toString('hex')}`;
const infra = `infra-${randomBytes(4).toString('hex')}`;
const empty = `empty-${randomBytes(4).toString('hex')}`;

beforeAll(async () => {
  for (const name of [shop, infra, empty]) {
    await api.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: name } };
    await api.until(account, Boolean, { what: 'the default service account' });
  }
  const jobs = [
    job({ namespace: shop, name: 'migrate', labels: { app: 'db' } }),
    job({ namespace: shop, name: 'seed' }),
    job({ namespace: shop, name: 'job' }),
    job({ namespace: infra, name: 'migrate' }),
  ];
  const pods = [
    pod({ namespace: shop, name: 'db-0', labels: { role: 'db', tier: 'store', release: 'a' } }),
    pod({ namespace: shop, name: 'db-1', labels: { role: 'db', tier: 'cache', release: 'b' } }),
    pod({ namespace: infra, name: 'db-2', labels: { role: 'db' } }),
    // Never ready: a selector that finds it is never reached.
    pod({ namespace: shop, name: 'stuck', labels: { role: 'web', only: shop }, ready: 'never' }),
    pod({ namespace: shop, name: 'pod' }),
  ];
  await Promise.all([...jobs, ...pods].map((one) => api.create(one)));
  await Promise.all(jobs.map((one) => api.until(one, (found) => hasCondition(found, 'Complete'))));
  const ready = pods.filter(({ metadata }) => metadata.name !== 'stuck');
  await Promise.all(ready.map((one) => api.until(one, (found) => hasCondition(found, 'Ready'))));

  return async () => {
    for (const name of [shop, infra, empty]) {
      await api.delete({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    }
  };
});

/** The arguments, split at spaces (or as they are), and the targets that are reached. */
type Row = readonly [args: string | readonly string[], labels: readonly string[]];

const names: readonly Row[] = [
  ['job/migrate', ['job/migrate']],
  ['jobs/migrate', ['job/migrate']],
  ['Job/migrate', ['job/migrate']],
  ['job.batch/migrate', ['job/migrate']],
  ['jobs.v1.batch/migrate', ['job/migrate']],
  ['po/db-0', ['pod/db-0']],
  ['job migrate seed', ['job/migrate', 'job/seed']],
  ['job/migrate job/seed', ['job/migrate', 'job/seed']],
  ['job/migrate jobs.batch/migrate', ['job/migrate']],
  // Directly behind a kind every word is a name.
  ['job job', ['job/job']],
  ['pod pod', ['pod/pod']],
  [`${infra}/job/migrate`, [`${infra}/job/migrate`]],
  [`job/migrate ${infra}/job/migrate`, ['job/migrate', `${infra}/job/migrate`]],
];

const selectors: readonly Row[] = [
  ['pod -l role=db', ['pod -l role=db']],
  ['pod -lrole=db', ['pod -l role=db']],
  [['pod', '-l role=db'], ['pod -l role=db']],
  ['pod -l=role=db', ['pod -l role=db']],
  ['pod --selector role=db', ['pod -l role=db']],
  ['pod --selector=role=db', ['pod -l role=db']],
  ['-l role=db pod', ['pod -l role=db']],
  ['pod -l role=db,tier!=cache', ['pod -l role=db,tier!=cache']],
  [['pod', '-l', 'release in (a, b), role notin (web)'], ['pod -l release in (a, b), role notin (web)']],
  [['pod', '-lrelease in (a), tier'], ['pod -l release in (a), tier']],
  [['pod', '-l', '!role,!job-name'], ['pod -l !role,!job-name']],
  ['pod --field-selector metadata.name=db-1', ['pod --field-selector metadata.name=db-1']],
  ['pod -l role --field-selector metadata.name!=stuck', ['pod -l role --field-selector metadata.name!=stuck']],
  ['job --all', ['job --all']],
  [`${infra}/pod -l role=db`, [`${infra}/pod -l role=db`]],
  ['job/migrate pod -l role=db', ['job/migrate', 'pod -l role=db']],
  ['job -l app=db pod -l role=db', ['job -l app=db', 'pod -l role=db']],
  ['pod,job -l app=db', ['job -l app=db', 'pod -l app=db']],
];

/** The labels in front of `reached`, as the results on standard output have them. */
function reachedIn(stdout: string): string[] {
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.replace(/ reached: .*/, ''))
    .sort();
}

const split = (args: Row[0]): readonly string[] => (typeof args === 'string' ? args.split(' ') : args);

describe.concurrent('names', () => {
  for (const [args, labels] of names) {
    test(`kube-await ${args}`, async ({ bare, expect }) => {
      const { code, stdout } = await bare([...split(args), '--timeout=0'], { namespace: shop }).exit;
      expect({ code, reached: reachedIn(stdout) }).toEqual({ code: 0, reached: labels.toSorted() });
    });
  }
});

describe.concurrent('selectors', () => {
  for (const [args, labels] of selectors) {
    const shown = split(args).map((word) => (word.includes(' ') ? `"${word}"` : word));
    test(`kube-await ${shown.join(' ')}`, async ({ bare, expect }) => {
      const { code, stdout } = await bare([...split(args), '--timeout=0'], { namespace: shop }).exit;
      expect({ code, reached: reachedIn(stdout) }).toEqual({ code: 0, reached: labels.toSorted() });
    });
  }

  test('all objects that it finds are awaited', async ({ bare, expect }) => {
    const { code, stdout } = await bare(['pod', '-l', 'role', '--timeout=0'], { namespace: shop }).exit;
    expect({ code, stdout }).toEqual({
      code: 124,
      stdout: 'pod -l role not reached: 2/3 done, pod/stuck Running, ContainersNotReady\n',
    });
  });
});

describe.concurrent('namespaces', () => {
  for (const args of ['-n NS', '-nNS', '-n=NS', '--namespace NS', '--namespace=NS']) {
    test(`${args} says where targets are that name no namespace`, async ({ bare, expect }) => {
      const given = args.replace('NS', shop).split(' ');
      const { code } = await bare([...given, 'job/seed', '--timeout=0']).exit;
      expect(code).toBe(0);
    });
  }

  test('KUBE_AWAIT_NAMESPACE does too, and -n wins', async ({ bare, expect }) => {
    const env = { KUBE_AWAIT_NAMESPACE: shop };
    const set = await bare(['job/seed', '--timeout=0'], { env }).exit;
    const overruled = await bare(['job/seed', '--timeout=0', '-n', empty], { env }).exit;
    expect([set.code, overruled.code]).toEqual([0, 124]);
  });

  test('-A looks in all of them, and says where what it finds is', async ({ bare, expect }) => {
    const one = await bare(['pod', '-l', 'role=db', '-A', '--expect=3', '--timeout=0'], { namespace: shop }).exit;
    const stuck = await bare(['pod', '-l', `only=${shop}`, '--all-namespaces', '--timeout=0']).exit;
    expect(one.code).toBe(0);
    expect(stuck.stdout).toContain(`${shop}/pod/stuck Running`);
  });

  test('-A and a name do not go together', async ({ bare, expect }) => {
    const { code, stdout, stderr } = await bare(['job/migrate', '-A']).exit;
    expect({ code, stdout, stderr }).toEqual({
      code: 2,
      stdout: '',
      stderr: 'kube-await: -A: expected a selector, got "job/migrate"\n',
    });
  });

  test('a namespace that is not there is like one in which nothing is', async ({ bare, expect }) => {
    const { code, stdout } = await bare(['nowhere/job/migrate', '--timeout=0']).exit;
    expect({ code, stdout }).toEqual({ code: 124, stdout: 'nowhere/job/migrate not reached: does not exist yet\n' });
  });
});

describe.concurrent('several targets', () => {
  test('all must be reached', async ({ bare, expect }) => {
    const args = ['job/migrate', 'pod/stuck', 'pod', '-l', 'role=db', '--timeout=0'];
    const { code, stdout } = await bare(args, { namespace: shop }).exit;
    expect(code).toBe(124);
    expect(stdout.split('\n').sort()).toEqual([
      '',
      'job/migrate reached: Complete, 1/1 succeeded',
      'pod -l role=db reached: 2/2 done',
      'pod/stuck not reached: Running, ContainersNotReady',
    ]);
  });

  test('one that fails ends the run, while others are pending', async ({ kubeAwait, ns, expect }) => {
    await api.create(job({ namespace: ns, name: 'slow', exitCode: 'ask' }));
    await api.create(job({ namespace: ns, name: 'bad', exitCode: 1 }));
    const { code, stdout } = await kubeAwait(['job/slow', 'job/bad', 'job/late']).exit;
    expect(code).toBe(1);
    expect(stdout).toMatch(/^job\/bad failed: BackoffLimitExceeded: .+\n$/);
  });

  test('have one timeout for the whole run', async ({ bare, expect }) => {
    const args = ['pod/a', 'pod/b', 'job/c', '--timeout=4s'];
    const { code, stdout } = await bare(args, { namespace: empty }).exit;
    expect({ code, stdout }).toEqual({
      code: 124,
      stdout: ['pod/a', 'pod/b', 'job/c'].map((one) => `${one} not reached after 4s: does not exist yet\n`).join(''),
    });
  });
});
