/**
 * `npm run test:e2e`: builds the image, loads it into a cluster and runs the suite there. Any cluster with a kubelet
 * will do; the suite makes namespaces of its own and deletes them.
 */
import { spawn, spawnSync } from 'node:child_process';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { ensureBinaries, SetupError } from '../cluster/binaries.ts';
import { connectRest } from '../cluster/rest.ts';
import { runProgram } from '../harness/program.ts';
import { type EngineName, findEngine } from './engine.ts';
import { accessOf, type Order, VARIABLE } from './setup.ts';

const USAGE = `Usage: npm run test:e2e -- --kubeconfig FILE --load COMMAND [--engine NAME] [-- VITEST-ARGUMENT...]

  --kubeconfig FILE  of an administrator of the cluster
  --load COMMAND     how an image of Docker or buildah gets onto the nodes; {image} stands for its name
  --engine NAME      docker or buildah; by default Docker where its daemon answers`;

const VITEST = path.resolve(import.meta.dirname, '..', '..', 'node_modules', 'vitest', 'vitest.mjs');

/** Not \`latest\`, with which kubelet would pull. */
const TAG = 'e2e';

export interface SuiteOptions {
  readonly kubeconfig: string;
  readonly load: string;
  readonly engine?: EngineName | undefined;
}

/** Throws a SetupError unless the API server of this kubeconfig answers. */
async function checkCluster(kubeconfig: string): Promise<void> {
  const rest = connectRest(await accessOf(kubeconfig), 'kube-await-e2e');
  try {
    await rest.get('/version');
  } catch (error) {
    throw new SetupError(`--kubeconfig ${kubeconfig}: the cluster does not answer: ${(error as Error).message}`);
  } finally {
    rest.close();
  }
}

/** Runs the suite on a cluster and returns vitest's exit code. @throws SetupError if the suite cannot start. */
export async function runSuite(
  { kubeconfig, load, engine: name }: SuiteOptions,
  vitestArgs: readonly string[],
): Promise<number> {
  const engine = findEngine(name);
  await checkCluster(kubeconfig);
  const { kubectl = '', helm = '' } = await ensureBinaries(['kubectl', 'helm'], {
    progress: (line) => console.error(line),
  });
  console.log(`building the image with ${engine.name} ...`);
  const images = engine.build(TAG);
  for (const image of Object.values(images)) {
    console.log(`loading ${image} ...`);
    const command = load.replaceAll('{image}', image);
    const { status } = spawnSync('sh', ['-c', command], { stdio: ['ignore', 2, 2] });
    if (status !== 0) throw new SetupError(`--load: exit ${status} from: ${command}`);
  }
  const order: Order = { kubeconfig: path.resolve(kubeconfig), engine: engine.name, images, kubectl, helm };
  const config = path.join(import.meta.dirname, 'vitest.config.ts');
  const child = spawn(process.execPath, [VITEST, 'run', '--config', config, ...vitestArgs], {
    stdio: 'inherit',
    env: { ...process.env, [VARIABLE]: JSON.stringify(order) },
  });
  // Ctrl-C reaches it too, and it cleans up.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
  return await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => resolve(code ?? 1));
  });
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    options: { kubeconfig: { type: 'string' }, load: { type: 'string' }, engine: { type: 'string' } },
    allowPositionals: true,
  });
  const { kubeconfig, load, engine } = values;
  const known = engine === undefined || engine === 'docker' || engine === 'buildah';
  if (kubeconfig === undefined || load === undefined || !known) throw new SetupError(USAGE);
  return await runSuite({ kubeconfig, load, engine }, positionals);
}

if (import.meta.main) await runProgram(main);
