import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Cluster } from '../cluster/index.ts';
import { type Reference, RestError } from '../cluster/rest.ts';

export interface LogOptions {
  readonly container?: string;
  /** Lines of the previous instance of the container. */
  readonly previous?: readonly string[];
}

/**
 * Writes the log of a container and waits until the API server serves it. A second call for the same pod fails.
 */
export async function writeLog(
  { coordinates, rest }: Cluster,
  target: Reference,
  lines: readonly string[],
  { container = 'main', previous }: LogOptions = {},
): Promise<void> {
  const { name, namespace } = target.metadata;
  const write = (instance: string, text: readonly string[]): string => {
    const file = join(coordinates.dir, 'logs', `${namespace}_${name}_${container}${instance}.log`);
    const now = new Date().toISOString();
    // The format in which container runtimes write logs and kubelet reads them; F: the line is complete.
    writeFileSync(file, text.map((line) => `${now} stdout F ${line}\n`).join(''));
    return file;
  };
  const logs = {
    containers: [container],
    logsFile: write('', lines),
    ...(previous && { previousLogsFile: write('_previous', previous) }),
  };
  await rest.create({
    apiVersion: 'kwok.x-k8s.io/v1alpha1',
    kind: 'Logs',
    metadata: { name, namespace },
    spec: { logs: [logs] },
  } as Reference);
  // kwok sees the object through a watch of its own, whose progress is not visible from outside: poll.
  for (;;) {
    try {
      await rest.get(`/api/v1/namespaces/${namespace}/pods/${name}/log?container=${container}`);
      return;
    } catch (error) {
      if (!(error instanceof RestError && error.status === 400)) {
        throw error;
      }
    }
  }
}
