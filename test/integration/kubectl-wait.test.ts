/** kubectl wait and kube-await side by side: both run on the same objects, and what comes out is compared. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe } from 'vitest';
import type { Reference } from '../cluster/rest.ts';
import { api, cluster, hasCondition, job, type Run, test } from '../harness/index.ts';

const group = `x${randomBytes(4).toString('hex')}.test`;
const space = `side-by-side-${randomBytes(4).toString('hex')}`;
const cache = mkdtempSync(join(tmpdir(), 'kubectl-cache-'));
const definition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `reports.${group}` },
  spec: {
    group,
    scope: 'Namespaced',
    names: { plural: 'reports', singular: 'report', kind: 'Report' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
};

beforeAll(async () => {
  await api.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: space } });
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: space } };
  await api.until(account, Boolean, { what: 'the default service account' });
  await api.create(definition);
  await api.until(definition, (found) => hasCondition(found, 'Established'));
  // Established comes a moment before the kind is served.
  for (;;) {
    const served = await api.get(`/apis/${group}/v1`).catch(() => undefined);
    if (served?.resources.length > 0) break;
  }
  const good = job({ namespace: space, name: 'good' });
  const bad = job({ namespace: space, name: 'bad', exitCode: 1 });
  await Promise.all([api.create(good), api.create(bad)]);
  await api.until(good, (found) => hasCondition(found, 'Complete'));
  await api.until(bad, (found) => hasCondition(found, 'Failed'));
});

afterAll(async () => {
  rmSync(cache, { recursive: true, force: true });
  await api.delete(definition);
  await api.delete({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: space } });
});

/** `waits`: until its timeout. `fails`: it ends, and not because the target was reached. `refuses`: it asks nothing. */
type Outcome = 'reached' | 'waits' | 'fails' | 'refuses';

interface Row {
  readonly is: string;
  /** Of the object that is there from the start; left out: none is. */
  readonly status?: unknown;
  readonly metadata?: object;
  readonly deleting?: true;
  /** In the place of that object. */
  readonly target?: readonly string[];
  readonly for: string | readonly string[];
  /** Done when both look on. */
  readonly meanwhile?: (x: Reference) => Promise<unknown>;
  /** Several outcomes of kubectl if a race inside kubectl decides. */
  readonly both: Outcome | readonly [kubectl: Outcome | readonly Outcome[], ours: Outcome, why: string];
}

const ready = (status: string, more: object = {}): object => ({ conditions: [{ type: 'Ready', status, ...more }] });
const held = { finalizers: ['kube-await.test/held'] };
const report = (name: string, status: unknown, metadata: object = {}): Reference =>
  ({
    apiVersion: `${group}/v1`,
    kind: 'Report',
    metadata: { name, namespace: space, ...metadata },
    status,
  }) as Reference;
const patience = 'an init container starts before what it waits for is there';
// Up to 100 ms after the first list has arrived. An object that is deleted by then is not found; after that, kubectl waits
// until the object has the condition. No request and no line of the log shows which of the two kubectl does.
const once = 'kubectl checks once whether its cache has the object';

const conditions: readonly Row[] = [
  { is: 'True', status: ready('True'), for: 'condition=Ready', both: 'reached' },
  { is: 'False', status: ready('False'), for: 'condition=Ready', both: 'waits' },
  { is: 'in other case', status: ready('true'), for: 'condition=rEADY=TRUE', both: 'reached' },
  { is: 'False, and False wanted', status: ready('False'), for: 'condition=Ready=false', both: 'reached' },
  { is: 'not there, and False wanted', status: {}, for: 'condition=Ready=false', both: 'waits' },
  {
    is: 'of an earlier generation by itself',
    status: ready('True', { observedGeneration: 0 }),
    for: 'condition=Ready',
    both: 'waits',
  },
  {
    is: 'of an earlier generation by the status',
    status: { observedGeneration: 0, ...ready('True') },
    for: 'condition=Ready',
    both: 'waits',
  },
  {
    is: 'of the present generation',
    status: { observedGeneration: 1, ...ready('True') },
    for: 'condition=Ready',
    both: 'reached',
  },
  {
    is: 'in conditions that are no list',
    status: { conditions: { Ready: 'True' } },
    for: 'condition=Ready',
    both: 'fails',
  },
  {
    is: 'in conditions that are null',
    status: { conditions: null },
    for: 'condition=Ready',
    both: ['fails', 'waits', 'a controller in Go sends null before it has any'],
  },
  {
    is: 'True later',
    status: ready('False'),
    for: 'condition=Ready',
    meanwhile: (x) => api.patch(x, { status: ready('True') }),
    both: 'reached',
  },
  {
    is: 'True, of an object that is being deleted',
    status: ready('True'),
    metadata: held,
    deleting: true,
    for: 'condition=Ready',
    both: 'reached',
  },
  {
    is: 'of an object that is deleted',
    status: ready('False'),
    for: 'condition=Ready',
    meanwhile: (x) => api.delete(x),
    both: [['waits', 'fails'], 'waits', once],
  },
  { is: 'Complete of a Job', target: ['job/good'], for: 'condition=complete', both: 'reached' },
  {
    is: 'Complete of a Job that has failed',
    target: ['job/bad'],
    for: 'condition=Complete',
    both: ['waits', 'fails', 'it never will be'],
  },
  {
    is: 'Failed of a Job that is Complete',
    target: ['job/good'],
    for: 'condition=Failed',
    both: ['waits', 'fails', 'it never will be'],
  },
  { is: 'Failed of a Job that has failed', target: ['job/bad'], for: 'condition=Failed', both: 'reached' },
  { is: 'of an object that is not there', for: 'condition=Ready', both: ['fails', 'waits', patience] },
  {
    is: 'of nothing that a selector finds',
    target: ['job', '-l', 'no=such'],
    for: 'condition=Complete',
    both: ['fails', 'waits', patience],
  },
  {
    is: 'with an exclamation mark',
    status: ready('False'),
    for: 'condition=!Ready',
    both: ['waits', 'refuses', 'it is meant as a negation, and kubectl takes it for a name'],
  },
  { is: 'without a type', status: {}, for: 'condition=', both: ['waits', 'refuses', 'no condition has an empty name'] },
  {
    is: 'two, of which one is True',
    status: ready('True'),
    for: ['condition=Ready', 'condition=Other'],
    both: 'waits',
  },
];

const phase = { phase: 'Running', count: 3, nothing: null, list: ['a', 'b'], empty: '' };
const jsonpaths: readonly Row[] = [
  {
    // All of them must hold.
    is: 'with and without braces, quotes and a value, a number, null, a list, a filter',
    status: { ...phase, ...ready('True') },
    for: [
      'jsonpath={.status.phase}=Running',
      'jsonpath=.status.phase=Running',
      "jsonpath={.status.phase}='Running'",
      'jsonpath={.status.count}=3',
      'jsonpath={.status.nothing}=<nil>',
      'jsonpath={.status.empty}',
      'jsonpath={.status.list}',
      'jsonpath={.status.conditions[?(@.type=="Ready")].status}=True',
    ],
    both: 'reached',
  },
  { is: 'with another value', status: phase, for: 'jsonpath={.status.phase}=Done', both: 'waits' },
  { is: 'without a value, not there', status: phase, for: 'jsonpath={.status.other}', both: 'waits' },
  { is: 'several values', status: phase, for: 'jsonpath={.status.list[*]}=a', both: 'fails' },
  { is: 'a list against a value', status: phase, for: 'jsonpath={.status.list}=a', both: 'fails' },
  { is: 'an index out of bounds', status: phase, for: 'jsonpath={.status.list[7]}=a', both: 'fails' },
  {
    is: 'with a filter that finds nothing',
    status: ready('True'),
    for: 'jsonpath={.status.conditions[?(@.type=="Other")].status}=True',
    both: 'waits',
  },
  {
    is: 'with its value later',
    status: { phase: 'Pending' },
    for: 'jsonpath={.status.phase}=Running',
    meanwhile: (x) => api.patch(x, { status: phase }),
    both: 'reached',
  },
  {
    is: 'several values later',
    status: { list: [] },
    for: 'jsonpath={.status.list[*]}=a',
    meanwhile: (x) => api.patch(x, { status: phase }),
    both: 'fails',
  },
  { is: 'malformed', status: phase, for: 'jsonpath={.status.phase', both: 'refuses' },
  { is: 'with a second equals sign', status: phase, for: 'jsonpath={.status.phase}=a=b', both: 'refuses' },
  { is: 'empty', status: phase, for: 'jsonpath=', both: 'refuses' },
  { is: 'of an object that is not there', for: 'jsonpath={.status.phase}', both: ['fails', 'waits', patience] },
];

const creations: readonly Row[] = [
  { is: 'there', status: {}, for: 'create', both: 'reached' },
  { is: 'never', for: 'create', both: 'waits' },
  { is: 'later', for: 'create', meanwhile: (x) => api.create(x), both: 'reached' },
  {
    is: 'there, and being deleted',
    status: {},
    metadata: held,
    deleting: true,
    for: 'create',
    both: 'reached',
  },
  {
    is: 'later, with a condition that comes later still',
    for: ['create', 'condition=Ready'],
    meanwhile: async (x) => {
      await api.create(x);
      await api.patch(x, { status: ready('True') });
    },
    both: 'reached',
  },
  { is: 'there, with a condition that is not', status: {}, for: ['create', 'condition=Ready'], both: 'waits' },
];

const deletions: readonly Row[] = [
  { is: 'not there', for: 'delete', both: 'reached' },
  { is: 'there', status: {}, for: 'delete', both: 'waits' },
  { is: 'later', status: {}, for: 'delete', meanwhile: (x) => api.delete(x), both: 'reached' },
  {
    is: 'begun, and held up by a finalizer',
    status: {},
    metadata: held,
    for: 'delete',
    meanwhile: (x) => api.delete(x),
    both: 'waits',
  },
  {
    is: 'and made anew: another object of the same name',
    status: {},
    for: 'delete',
    meanwhile: async (x) => {
      await api.delete(x);
      await api.create(x);
    },
    both: 'reached',
  },
  {
    is: 'later, after a condition that it had',
    status: ready('True'),
    for: ['condition=Ready', 'delete'],
    meanwhile: (x) => api.delete(x),
    both: 'reached',
  },
  {
    is: 'later, after a condition that it never had',
    status: ready('False'),
    for: ['condition=Ready', 'delete'],
    meanwhile: (x) => api.delete(x),
    // Not found is no error when delete is among the goals.
    both: [['waits', 'reached'], 'waits', once],
  },
  { is: 'nothing that a selector finds', target: ['job', '-l', 'no=such'], for: 'delete', both: 'reached' },
];

let next = 0;

/** Once the line is there it waits; if nothing happens to it in a moment, it goes on waiting. */
async function outcomeOf(run: Run, looksOn: RegExp, expected: readonly Outcome[]): Promise<Outcome> {
  if (expected.includes('waits')) {
    await Promise.race([run.exit, run.line(looksOn).catch(() => undefined)]);
    if ((await Promise.race([run.exit, setTimeout(300)])) === undefined) return 'waits';
  }
  const { code, stderr } = await run.exit;
  if (code === 0) return 'reached';
  if (code === 124 || stderr.includes('error: timed out waiting')) return 'waits';
  // kubectl has one code for all, and tells of each request.
  return code === 2 || (looksOn === KUBECTL && !stderr.includes('url=')) ? 'refuses' : 'fails';
}

/** It watches, but for what is not there yet: that it asks for again and again. */
const KUBECTL = /watch=true|status="404/;
const OURS = /^still waiting after (?!.*no answer yet)/;

for (const [what, rows] of Object.entries({ conditions, jsonpaths, creations, deletions })) {
  describe.concurrent(what, () => {
    for (const { is, status, metadata, deleting, target, meanwhile, both, ...row } of rows) {
      const goals = typeof row.for === 'string' ? [row.for] : row.for;
      const [expected, ours, why] = typeof both === 'string' ? [both, both] : both;
      const kubectl = [expected].flat();
      test(`--for=${goals.join(' --for=')}: ${is}: ${kubectl.join(' or ')}${why === undefined ? '' : `, ours ${ours}: ${why}`}`, async ({
        bare,
        expect,
      }) => {
        next += 1;
        const name = `x-${next}`;
        const x = report(name, status, metadata);
        if (status !== undefined) await api.create(x);
        if (deleting) await api.delete(x);
        const args = [...(target ?? [`report.${group}/${name}`]), ...goals.map((goal) => `--for=${goal}`)];
        const options = { namespace: space };
        const theirs = bare([...args, '--timeout=60s', `--cache-dir=${cache}`, '-v=6'], {
          ...options,
          command: [cluster().bin('kubectl'), 'wait'],
        });
        const own = bare([...args, '--timeout=60s', '--heartbeat=200ms'], options);
        if (meanwhile !== undefined) {
          await Promise.all([theirs.line(KUBECTL), own.line(OURS)]);
          await meanwhile(report(name, {}));
        }
        expect(await Promise.all([outcomeOf(theirs, KUBECTL, kubectl), outcomeOf(own, OURS, [ours])])).toEqual([
          expect.toBeOneOf(kubectl),
          ours,
        ]);
      });
    }
  });
}
