/** The manifests of k8s/, as tests apply them: in a namespace of their own, with the image under test. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

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
