/** `npm run cluster`: a cluster to play with, until Ctrl-C. */
import { SetupError } from './binaries.ts';
import { type RunningCluster, startCluster } from './index.ts';

async function untilInterrupted(cluster: RunningCluster): Promise<void> {
  console.log(`export KUBECONFIG=${cluster.kubeconfig}`);
  console.log(`export PATH=${cluster.bin('kubectl').replace(/\/kubectl$/, '')}:$PATH`);
  console.error(`Logs and the audit log are in ${cluster.coordinates.dir}. Ctrl-C ends it.`);
  await new Promise<void>((resolve) => {
    // A pending promise alone does not keep a process alive.
    const alive = setInterval(() => {}, 1 << 30);
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.once(signal, () => {
        clearInterval(alive);
        resolve();
      });
    }
  });
}

try {
  const cluster = await startCluster({ programs: ['kubectl'], progress: (line) => console.error(line) });
  await untilInterrupted(cluster);
  await cluster.stop();
} catch (error) {
  if (!(error instanceof SetupError)) {
    throw error;
  }
  console.error(error.message);
  process.exitCode = 1;
}
