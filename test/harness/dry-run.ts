import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { api, cluster } from './index.ts';

/**
 * kubectl apply --dry-run=server in a namespace that the `restricted` Pod Security Standard holds for; gives what
 * kubectl says on standard error, which is its warnings. Pods are only taken where their ServiceAccount exists: these.
 */
export async function dryRun(
  namespace: string,
  args: readonly string[],
  input = '',
  serviceAccounts: readonly string[] = [],
): Promise<string> {
  const labels = {
    'pod-security.kubernetes.io/enforce': 'restricted',
    // Only pods are refused; for Jobs and Deployments the standard warns.
    'pod-security.kubernetes.io/warn': 'restricted',
  };
  await api.patch({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }, { metadata: { labels } });
  for (const name of serviceAccounts) {
    // By kubectl, so that applying it once more brings no warning.
    await kubectl(
      namespace,
      ['apply', '-f', '-'],
      JSON.stringify({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name } }),
    );
  }
  return await kubectl(namespace, ['apply', '--dry-run=server', ...args], input);
}

async function kubectl(namespace: string, args: readonly string[], input: string): Promise<string> {
  const running = promisify(execFile)(cluster().bin('kubectl'), [
    '--kubeconfig',
    cluster().kubeconfig,
    '-n',
    namespace,
    ...args,
  ]);
  running.child.stdin?.end(input);
  return (await running).stderr;
}
