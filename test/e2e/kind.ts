/** `npm run test:e2e:kind`: the suite on a cluster of its own, which needs Docker and is deleted afterwards. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ensureBinaries } from '../cluster/binaries.ts';
import { runProgram } from '../harness/program.ts';
import { checkDocker } from './machine.ts';
import { runSuite } from './run.ts';

async function main(): Promise<number> {
  checkDocker();
  const { kind = '' } = await ensureBinaries(['kind'], { progress: (line) => console.error(line) });
  const folder = mkdtempSync(path.join(tmpdir(), 'kube-await-kind-'));
  const kubeconfig = path.join(folder, 'kubeconfig');
  const name = path.basename(folder).toLowerCase();
  const run = (args: readonly string[]): number => spawnSync(kind, args, { stdio: 'inherit' }).status ?? 1;

  // Ctrl-C ends what runs now, by way of the terminal; the cluster is deleted all the same.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {});

  try {
    const node = process.env.KIND_NODE_IMAGE ? ['--image', process.env.KIND_NODE_IMAGE] : [];
    const code = run(['create', 'cluster', '--name', name, '--kubeconfig', kubeconfig, '--wait', '120s', ...node]);
    if (code !== 0) return code;
    const load = `${kind} load docker-image {image} --name ${name}`;
    return await runSuite({ kubeconfig, load, engine: 'docker' }, process.argv.slice(2));
  } finally {
    run(['delete', 'cluster', '--name', name, '--kubeconfig', kubeconfig]);
    rmSync(folder, { recursive: true, force: true });
  }
}

await runProgram(main);
