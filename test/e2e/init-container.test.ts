/** What a wait costs as an init container: thirty of them at once, and the memory of one. */
import { describe } from 'vitest';
import {
  allow,
  api,
  containerOf,
  hasCondition,
  images,
  type Json,
  job,
  jobOf,
  kubectl,
  podsWith,
  shell,
  test,
  waiter,
  waitsWith,
} from './harness.ts';
import { templateOf } from './pods.ts';
import { tell, whenTold } from './release.ts';

const PODS = 30;
const LIMIT_KIB = 64 * 1024;

describe('an init container', () => {
  test('thirty at once: all are released, within 64Mi each', async ({ ns, expect }) => {
    const gate = { ...shell(images().busybox, ''), command: whenTold('true') };
    await api.create(jobOf({ namespace: ns, name: 'gate', containers: [gate] }));
    await allow(ns, 'many', ['job/gate']);
    const labels = { app: 'many' };
    await api.create({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'many', namespace: ns },
      spec: {
        replicas: PODS,
        selector: { matchLabels: labels },
        template: templateOf({
          labels,
          restartPolicy: 'Always',
          serviceAccount: 'many',
          initContainers: [waitsWith(images().own, ['job/gate'], { limit: '64Mi' })],
          containers: [shell(images().busybox, 'sleep 1000')],
        }),
      },
    });
    const path = podsWith(ns, 'app=many');
    const all = (accept: (pod: Json) => boolean) => (pods: Json[]) => pods.filter(accept).length === PODS;
    await api.untilAll(
      path,
      all((pod) => containerOf(pod, 'await')?.state.running),
      'thirty that wait',
    );
    const [gatePod] = (await api.get(podsWith(ns, 'job-name=gate'))).items;
    await tell(ns, gatePod.metadata.name);
    const pods = await api.untilAll(
      path,
      all((pod) => hasCondition(pod, 'Ready')),
      'thirty that are ready',
    );
    const { completionTime } = (await api.get(job(ns, 'gate'))).status;
    for (const { state, lastState, restartCount } of pods.map((pod) => containerOf(pod, 'await'))) {
      expect({ lastState, restartCount }).toEqual({ lastState: {}, restartCount: 0 });
      expect(state.terminated).toMatchObject({ exitCode: 0, reason: 'Completed' });
      expect(Date.parse(state.terminated.finishedAt)).toBeGreaterThanOrEqual(Date.parse(completionTime));
    }
  });

  test('the memory of one that cannot be dropped is below half of the limit', async ({ ns, expect }) => {
    // Room for a second Node, which reads what the first has used.
    const waiting = await waiter(ns, ['job/never'], { limit: '256Mi', rbac: ['--explain-failures'] });
    await waiting.line(/does not exist yet/);
    const script = "process.stdout.write(require('node:fs').readFileSync('/proc/1/status', 'utf8'))";
    const status = await kubectl([
      '-n',
      ns,
      'exec',
      waiting.name,
      '-c',
      'await',
      '--',
      '/nodejs/bin/node',
      '-e',
      script,
    ]);
    const kib = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]);
    console.log(`peak resident ${kib('VmHWM')} KiB, of which anonymous now ${kib('RssAnon')} KiB`);
    // The rest is the program of Node itself, which the kernel drops and reads again, and shares among pods.
    expect(kib('RssAnon')).toBeLessThan(LIMIT_KIB / 2);
  });
});
