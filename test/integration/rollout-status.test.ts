/** kubectl rollout status and kube-await side by side, on statuses that no controller changes. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe } from 'vitest';
import { freeze } from '../harness/frozen.ts';
import { api, cluster, type Json, test } from '../harness/index.ts';
import { type Run, startRun } from '../harness/run.ts';

type Outcome = 'reached' | 'waits' | 'fails' | 'refuses';

interface Row {
  readonly is: string;
  readonly kind: 'Deployment' | 'StatefulSet';
  readonly spec?: object;
  readonly status: object;
  readonly both: Outcome | readonly [kubectl: Outcome, ours: Outcome, why: string];
}

const now = `${new Date().toISOString().slice(0, 19)}Z`;
const condition = (type: string, status: string, reason: string): object => ({
  type,
  status,
  reason,
  message: `because of ${reason}`,
  lastUpdateTime: now,
  lastTransitionTime: now,
});
const exceeded = { conditions: [condition('Progressing', 'False', 'ProgressDeadlineExceeded')] };
const deployed = { observedGeneration: 1, replicas: 2, updatedReplicas: 2, readyReplicas: 2, availableReplicas: 2 };
const set = { ...deployed, currentRevision: 'web-1', updateRevision: 'web-1' };
const lags = { ...set, updateRevision: 'web-2' };
const partition = (at: number): object => ({
  updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: at } },
});

const ROWS: readonly Row[] = [
  { is: 'complete', kind: 'Deployment', status: deployed, both: 'reached' },
  { is: 'unobserved', kind: 'Deployment', status: { ...deployed, observedGeneration: 0 }, both: 'waits' },
  { is: 'half updated', kind: 'Deployment', status: { ...deployed, updatedReplicas: 1 }, both: 'waits' },
  { is: 'with an old replica', kind: 'Deployment', status: { ...deployed, replicas: 3 }, both: 'waits' },
  {
    is: 'with an unavailable replica',
    kind: 'Deployment',
    status: { ...deployed, availableReplicas: 1 },
    both: 'waits',
  },
  {
    is: 'past its deadline',
    kind: 'Deployment',
    status: { ...deployed, ...exceeded, updatedReplicas: 1 },
    both: 'fails',
  },
  {
    is: 'complete, with a deadline that a rollback left behind',
    kind: 'Deployment',
    status: { ...deployed, ...exceeded },
    both: ['fails', 'reached', 'complete counters win'],
  },
  {
    is: 'unable to create pods',
    kind: 'Deployment',
    status: { observedGeneration: 1, conditions: [condition('ReplicaFailure', 'True', 'FailedCreate')] },
    both: 'waits',
  },
  { is: 'complete', kind: 'StatefulSet', status: set, both: 'reached' },
  { is: 'half ready', kind: 'StatefulSet', status: { ...set, readyReplicas: 1, availableReplicas: 1 }, both: 'waits' },
  { is: 'half updated', kind: 'StatefulSet', status: { ...lags, updatedReplicas: 1 }, both: 'waits' },
  {
    is: 'all updated, with partition 0 and a currentRevision that lags',
    kind: 'StatefulSet',
    spec: partition(0),
    status: lags,
    both: 'reached',
  },
  {
    is: 'all updated, without rollingUpdate and with a currentRevision that lags',
    kind: 'StatefulSet',
    spec: { updateStrategy: { type: 'RollingUpdate', rollingUpdate: null } },
    status: lags,
    both: ['waits', 'reached', 'without rollingUpdate kubectl compares the revisions alone'],
  },
  {
    is: 'updated down to its partition',
    kind: 'StatefulSet',
    spec: partition(1),
    status: { ...lags, updatedReplicas: 1 },
    both: 'reached',
  },
  {
    is: 'not updated down to its partition',
    kind: 'StatefulSet',
    spec: partition(1),
    status: { ...lags, updatedReplicas: 0 },
    both: 'waits',
  },
  {
    is: 'ready under OnDelete',
    kind: 'StatefulSet',
    spec: { updateStrategy: { type: 'OnDelete' } },
    status: { ...lags, updatedReplicas: 0 },
    both: ['refuses', 'reached', 'kubectl supports no other strategy than RollingUpdate'],
  },
];

const ns = `rollout-status-${randomBytes(4).toString('hex')}`;
const cache = mkdtempSync(join(tmpdir(), 'kubectl-cache-'));
const targetOf = (at: number): string => `${ROWS[at]?.kind.toLowerCase()}/x-${at}`;
const ours = new Map<string, Json>();

beforeAll(async () => {
  await api.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: ns } });
  await freeze(ns);
  await Promise.all(
    ROWS.map(async ({ kind, spec, status }, at) => {
      const labels = { app: `x-${at}` };
      const target = {
        apiVersion: 'apps/v1',
        kind,
        metadata: { name: `x-${at}`, namespace: ns },
        spec: {
          replicas: 2,
          selector: { matchLabels: labels },
          template: { metadata: { labels }, spec: { containers: [{ name: 'main', image: 'pretended' }] } },
          ...spec,
        },
      };
      await api.create(target);
      await api.patchStatus(target, status);
    }),
  );
  const { kubeconfig } = cluster();
  await Promise.all(
    ROWS.map(async (_, at) => {
      const args = [targetOf(at), '--timeout=0', '-o', 'json'];
      const { stdout } = await startRun(args, { kubeconfig, namespace: ns }).exit;
      for (const line of stdout.split('\n').filter(Boolean)) {
        const event = JSON.parse(line);
        if (['reached', 'failed', 'timeout'].includes(event.event)) ours.set(event.target, event);
      }
    }),
  );
});

afterAll(async () => {
  rmSync(cache, { recursive: true, force: true });
  await api.delete({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: ns } });
});

async function outcomeOf(run: Run): Promise<Outcome> {
  const ended = await Promise.race([run.exit, run.line(/^waiting for /i).catch(() => undefined)]);
  if (ended !== undefined && 'text' in ended) {
    run.kill();
    return 'waits';
  }
  const { code, stderr } = await run.exit;
  if (code === 0) return 'reached';
  return /rollout status is only available/.test(stderr) ? 'refuses' : 'fails';
}

const OURS: Readonly<Record<string, Outcome>> = { reached: 'reached', failed: 'fails', timeout: 'waits' };

describe.concurrent('kubectl rollout status', () => {
  for (const [at, { is, kind, both }] of ROWS.entries()) {
    const [kubectl, own, why] = typeof both === 'string' ? [both, both] : both;
    test(`${kind} ${is}: ${kubectl}${why === undefined ? '' : `, ours ${own}: ${why}`}`, async ({ bare, expect }) => {
      const theirs = bare([targetOf(at), '--timeout=60s', `--cache-dir=${cache}`], {
        namespace: ns,
        command: [cluster().bin('kubectl'), 'rollout', 'status'],
      });
      expect([await outcomeOf(theirs), OURS[ours.get(targetOf(at))?.event]]).toEqual([kubectl, own]);
    });
  }

  test('the line of a Deployment that cannot create pods has the message of ReplicaFailure', ({ expect }) => {
    const at = ROWS.findIndex(({ is }) => is === 'unable to create pods');
    expect(ours.get(targetOf(at))?.message).toBe('FailedCreate: because of FailedCreate, 0/2 updated, 0/2 available');
  });
});
