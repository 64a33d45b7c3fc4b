/** The sample chart as a release in a namespace, and what tests ask about it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CHART } from '../harness/chart.ts';
import { api, helm, images, type Json, kubectl, type Output, podsWith } from './harness.ts';

/** What a task does: ends when `tell` says so. Its root is read-only, but not its shared memory. */
export const whenTold = (script: string): string[] => [
  'sh',
  '-c',
  `until [ -e /dev/shm/told ]; do sleep 0.2; done; ${script}`,
];

/** Lets a pod whose container runs `whenTold` go on. */
export async function tell(ns: string, pod: string): Promise<void> {
  await kubectl(['-n', ns, 'exec', pod, '--', 'sh', '-c', ': > /dev/shm/told']);
}

/** As the chart's own, but by Node: where busybox is linked statically it cannot look names up. */
const SMOKE_TEST = `(async () => {
  for (;;) {
    const answer = await fetch('http://' + process.env.API_SERVICE).catch(() => undefined);
    if (answer?.ok) return console.log('it serves');
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
})()`;

const [, repository = '', tag = ''] = /^(.+):([^:/]+)$/.exec(images().own) ?? [];

/** `values` is merged over the chart's own, as with -f. */
export function release(ns: string, name = 'shop') {
  const run = async (command: readonly string[], values?: object): Promise<Output> => {
    if (values === undefined) return await helm([...command, '-n', ns]);
    const folder = mkdtempSync(path.join(tmpdir(), 'kube-await-values-'));
    const [base, own] = [path.join(folder, 'base.json'), path.join(folder, 'own.json')];
    const image = images().busybox;
    const smokeTest = { image: images().own, command: ['/nodejs/bin/node', '-e', SMOKE_TEST] };
    const shared = { image: { repository, tag }, api: { image }, worker: { image }, migrations: { image } };
    writeFileSync(base, JSON.stringify({ ...shared, index: { image }, smokeTest }));
    writeFileSync(own, JSON.stringify(values));
    try {
      return await helm([...command, '-n', ns, '-f', base, '-f', own]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  };
  const selector = (component: string): string =>
    `app.kubernetes.io/instance=${name},app.kubernetes.io/component=${component}`;
  const listOf = async (path: string, component: string): Promise<Json[]> =>
    (await api.get(`${path}?labelSelector=${encodeURIComponent(selector(component))}`)).items;
  return {
    install: (values: object, ...args: string[]) => run(['install', name, CHART, ...args], values),
    upgrade: (values: object, ...args: string[]) => run(['upgrade', name, CHART, ...args], values),
    rollback: (revision: number) => run(['rollback', name, String(revision)]),
    uninstall: (...args: string[]) => run(['uninstall', name, ...args]),
    /** The path of a component's pods: api, worker, migration, index, smoke-test. */
    pods: (component: string): string => podsWith(ns, selector(component)),
    jobs: (component: string) => listOf(`/apis/batch/v1/namespaces/${ns}/jobs`, component),
    /** Until all replicas of a component are of its newest revision and ready, and no other pod of it is left. */
    async rolledOut(component: string): Promise<Json[]> {
      const deployment = {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: `${name}-${component}`, namespace: ns },
      };
      await api.until(
        deployment,
        (found) => {
          const { observedGeneration, replicas, updatedReplicas, readyReplicas } = found?.status ?? {};
          const counts = [replicas, updatedReplicas, readyReplicas];
          return (
            observedGeneration === found?.metadata.generation && counts.every((count) => count === found?.spec.replicas)
          );
        },
        `the roll-out of ${component}`,
      );
      return (await api.get(podsWith(ns, selector(component)))).items;
    },
  };
}
