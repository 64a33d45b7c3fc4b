/** The manifests of k8s/, as tests apply them: in a namespace of their own, with the image under test. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { api, cluster } from './index.ts';

const K8S = path.resolve(import.meta.dirname, '..', '..', 'k8s');

export interface Overlay {
  readonly namespace: string;
  readonly image: string;
}

/** A folder for `kubectl apply -k` that takes k8s/ as it is and overrides the namespace and the image. */
export function overlay({ namespace, image }: Overlay): string {
  const folder = path.join(mkdtempSync(path.join(tmpdir(), 'kube-await-overlay-')), 'overlay');
  mkdirSync(folder);
  const [, newName, newTag] = /^(.+):([^:/]+)$/.exec(image) ?? [];
  const content = {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    namespace,
    resources: [path.relative(folder, K8S)],
    images: [{ name: 'kube-await', newName, newTag }],
  };
  writeFileSync(path.join(folder, 'kustomization.yaml'), JSON.stringify(content));
  return folder;
}

export const examples: readonly string[] = readdirSync(path.join(K8S, 'examples')).filter((name) =>
  name.endsWith('.yaml'),
);

export function manifest(name: string): string {
  return readFileSync(path.join(K8S, name), 'utf8');
}

/** An example's text with the namespace and the image in place, as its README tells readers to do it. */
export function example(name: string, { namespace, image }: Overlay): string {
  return manifest(`examples/${name}`)
    .replaceAll('namespace: default', `namespace: ${namespace}`)
    .replaceAll('image: kube-await', `image: ${image}`);
}

/** What a file says that `kube-await rbac` printed, with the arguments that it names. */
export function rbacOf(text: string): { readonly args: readonly string[]; readonly printed: string } {
  const [, args = '', printed = ''] = /# Made by: kube-await rbac (.+)\n([\s\S]*)$/.exec(text) ?? [];
  return { args: args.split(' '), printed };
}

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
