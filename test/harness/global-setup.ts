import type { TestProject } from 'vitest/node';
import { SetupError } from '../cluster/binaries.ts';
import { type Coordinates, type RunningCluster, startCluster } from '../cluster/index.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    cluster: Coordinates;
  }
}

/** Several projects of one run share one cluster. Vitest may load this file once for each of them. */
interface Shared {
  cluster?: Promise<RunningCluster>;
  users: number;
}

const key = Symbol.for('kube-await.test-cluster');
const holder = globalThis as { [key]?: Shared };

/** Starts the cluster that all files of the run use, side by side. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  holder[key] ??= { users: 0 };
  const shared = holder[key];
  shared.users += 1;
  shared.cluster ??= startCluster({
    programs: ['kubectl', 'helm', 'actionlint'],
    progress: (line) => console.error(line),
  });
  try {
    project.provide('cluster', (await shared.cluster).coordinates);
  } catch (error) {
    if (error instanceof SetupError) {
      // Vitest prints the stack where there is one, and this message is complete.
      error.stack = `${error.message}`;
    }
    throw error;
  }
  return async () => {
    shared.users -= 1;
    if (shared.users === 0) {
      await (await shared.cluster)?.stop();
    }
  };
}
