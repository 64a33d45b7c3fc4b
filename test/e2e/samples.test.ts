/** The sample manifests, applied as they are but for the namespace and the image. */
import { rmSync } from 'node:fs';
import path from 'node:path';
import { loadAll } from 'js-yaml';
import { describe } from 'vitest';
import { example, examples, overlay } from '../harness/manifests.ts';
import { api, containerOf, hasCondition, images, type Json, job, kubectl, logOf, podsWith, test } from './harness.ts';

describe.concurrent('k8s/', () => {
  test('the Deployment starts when its Job is complete, and serves', async ({ ns, expect }) => {
    const folder = overlay({ namespace: ns, image: images().own });
    await kubectl(['apply', '-k', folder]);
    rmSync(path.dirname(folder), { recursive: true });
    const pods = await api.untilAll(
      podsWith(ns, 'app.kubernetes.io/component=web'),
      (found) => found.filter((pod) => hasCondition(pod, 'Ready')).length === 2,
      'two ready pods',
    );
    const { completionTime } = (await api.get(job(ns, 'migrate-v1'))).status;
    for (const pod of pods) {
      const { finishedAt } = containerOf(pod, 'await-migration').state.terminated;
      expect(Date.parse(finishedAt)).toBeGreaterThanOrEqual(Date.parse(completionTime));
      expect(await logOf(ns, pod.metadata.name, 'await-migration')).toContain('job/migrate-v1 reached: Complete');
    }
  });

  for (const name of examples) {
    test(`examples/${name} runs to its end, and goes by its label`, async ({ ns, expect }) => {
      const text = example(name, { namespace: ns, image: images().own });
      await kubectl(['apply', '-n', ns, '-f', '-'], text);
      // Whoever waits stands last.
      const waiter: Json = loadAll(text).findLast((object) => (object as Json).kind === 'Job');
      await api.until(job(ns, waiter.metadata.name), (found) => hasCondition(found, 'Complete'), `the end of ${name}`);
      const [pod] = (await api.get(podsWith(ns, `job-name=${waiter.metadata.name}`))).items;
      const waits = [...(pod.spec.initContainers ?? []), ...pod.spec.containers][0].name;
      expect(await logOf(ns, pod.metadata.name, waits)).toMatch(/ reached: /);
      const partOf = waiter.metadata.labels['app.kubernetes.io/part-of'];
      const kinds = 'job,cronjob,pod,service,configmap';
      await kubectl(['-n', ns, 'delete', kinds, '-l', `app.kubernetes.io/part-of=${partOf}`, '--wait=false']);
      for (const kind of ['batch/v1/namespaces/NS/jobs', 'batch/v1/namespaces/NS/cronjobs']) {
        await api.untilAll(`/apis/${kind.replace('NS', ns)}`, (left) => left.length === 0, `the end of ${kind}`);
      }
    });
  }
});
