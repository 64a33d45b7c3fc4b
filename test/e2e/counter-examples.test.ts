/** What docs/helm.md advises against, so that the reasons it gives stay true. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, onTestFinished } from 'vitest';
import {
  allow,
  api,
  containerOf,
  hasCondition,
  helm,
  images,
  pod,
  podOf,
  podsWith,
  shell,
  test,
  untilLine,
  waitsWith,
} from './harness.ts';
import { templateOf } from './pods.ts';

describe.concurrent('a native sidecar that waits', () => {
  test('is started again when it fails, and its pod succeeds without it', async ({ ns, expect }) => {
    const sidecar = waitsWith(images().own, ['job/never', '--timeout=1s'], { restartPolicy: 'Always' });
    await allow(ns, 'sidecar', ['job/never']);
    const containers = [shell(images().busybox, 'sleep 15')];
    const made = { namespace: ns, name: 'hook', serviceAccount: 'sidecar', initContainers: [sidecar], containers };
    await api.create(podOf(made));
    const ended = await api.until(pod(ns, 'hook'), ({ status }) => /Succeeded|Failed/.test(status.phase), 'the end');
    expect(ended.status.phase).toBe('Succeeded');
    const { restartCount, lastState } = containerOf(ended, 'await');
    expect(restartCount).toBeGreaterThan(0);
    expect(lastState.terminated.exitCode).toBe(124);
  });
});

describe.concurrent('pods that wait for a post-install hook', () => {
  const labels = { app: 'late' };

  /** A chart in whose Deployment each pod waits for the Job of its post-install hook. */
  function chartOf(ns: string): string {
    const folder = mkdtempSync(path.join(tmpdir(), 'kube-await-chart-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const template = templateOf({
      labels,
      restartPolicy: 'Always',
      serviceAccount: 'late',
      initContainers: [waitsWith(images().own, ['job/late', '--heartbeat=1s'])],
      containers: [shell(images().busybox, 'sleep 1000')],
    });
    const deployment = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'late', namespace: ns },
      spec: { selector: { matchLabels: labels }, template },
    };
    const hook = {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: 'late', namespace: ns, annotations: { 'helm.sh/hook': 'post-install' } },
      spec: { template: templateOf({ containers: [shell(images().busybox, 'sleep 1')] }) },
    };
    writeFileSync(path.join(folder, 'Chart.yaml'), 'apiVersion: v2\nname: late\nversion: 1.0.0\n');
    mkdirSync(path.join(folder, 'templates'));
    const objects = [deployment, hook].map((object) => JSON.stringify(object));
    writeFileSync(path.join(folder, 'templates', 'all.yaml'), objects.join('\n---\n'));
    return folder;
  }

  test('never start with helm --wait, and say so in a hint', async ({ ns, expect }) => {
    await allow(ns, 'late', ['job/late']);
    const installing = helm(['install', 'late', chartOf(ns), '-n', ns, '--wait', '--timeout=25s']);
    const [waiting] = await api.untilAll(
      podsWith(ns, 'app=late'),
      (pods) => containerOf(pods[0], 'await')?.state.running,
      'the pod that waits',
    );
    const hint = await untilLine(ns, waiting.metadata.name, 'await', /^hint: /);
    expect(hint).toContain('with helm --wait a post-install hook waits for this very pod');
    const { code } = await installing;
    expect(code).not.toBe(0);
    // Helm has given up before it came to the hook.
    expect((await api.get(`/apis/batch/v1/namespaces/${ns}/jobs`)).items).toEqual([]);
  });

  test('start without it', async ({ ns, expect }) => {
    await allow(ns, 'late', ['job/late']);
    expect(await helm(['install', 'late', chartOf(ns), '-n', ns])).toMatchObject({ code: 0 });
    await api.untilAll(podsWith(ns, 'app=late'), (pods) => hasCondition(pods[0], 'Ready'), 'the pod');
  });
});
