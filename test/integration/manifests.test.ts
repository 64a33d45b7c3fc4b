/** The sample manifests: the API server takes them, under the strictest Pod Security Standard, without a warning. */
import { rmSync } from 'node:fs';
import path from 'node:path';
import { describe } from 'vitest';
import { dryRun } from '../harness/dry-run.ts';
import { test } from '../harness/index.ts';
import { example, examples, manifest, overlay, rbacOf } from '../harness/manifests.ts';

const image = 'kube-await:0.1.0';

const privileged = {
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name: 'x' },
  spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'x', image: 'x' }] } } },
};

describe.concurrent('k8s/', () => {
  test('a manifest that is not restricted is warned of, so that silence means something', async ({ ns, expect }) => {
    expect(await dryRun(ns, ['-f', '-'], JSON.stringify(privileged))).toContain('would violate PodSecurity');
  });

  test('the API server takes what kustomize makes', async ({ ns, expect }) => {
    const folder = overlay({ namespace: ns, image });
    expect(await dryRun(ns, ['-k', folder])).toBe('');
    rmSync(path.dirname(folder), { recursive: true });
  });

  for (const name of examples) {
    test(`the API server takes ${name}`, async ({ ns, expect }) => {
      expect(await dryRun(ns, ['-f', '-'], example(name, { namespace: ns, image }))).toBe('');
    });
  }
});

describe.concurrent('what `kube-await rbac` prints', () => {
  for (const name of ['rbac.yaml', ...examples.map((each) => `examples/${each}`)]) {
    test(`is in ${name}`, async ({ kubeAwait, expect }) => {
      const { args, printed } = rbacOf(manifest(name));
      const ended = await kubeAwait(['rbac', ...args], { namespace: undefined }).exit;
      expect(ended.stdout).toBe(printed);
    });
  }
});
