import { connect } from 'node:net';
import { ConfigurationError } from './configuration-error.ts';
import type { Connection } from './connection.ts';
import { isLoopback } from './no-proxy.ts';

/** A loopback answers at once, or not at all. */
const PROBE_TIMEOUT_MS = 1_000;

/**
 * For a process that is all of its container: there 127.0.0.1, the address in the kubeconfig of most clusters on a
 * laptop, is the container itself, and nobody will ever listen. That is a fault of how the container was started, so it
 * is said at once rather than after a timeout. Where somebody listens (the host's network, a sidecar) all is well.
 * @throws ConfigurationError
 */
export async function refuseOwnLoopback({ server, source, proxied }: Connection): Promise<void> {
  if (source === 'in-cluster' || proxied === true || !isLoopback(server)) return;
  const host = server.hostname.replace(/^\[(.*)\]$/, '$1');
  const port = Number(server.port || (server.protocol === 'https:' ? 443 : 80));
  if (!(await isRefused(host, port))) return;
  throw new ConfigurationError(
    `nothing listens at ${server.origin}: inside of a container this is the container itself; ` +
      'start it with --network host, or name an address that the container can reach',
  );
}

function isRefused(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: PROBE_TIMEOUT_MS });
    const end = (refused: boolean): void => {
      socket.destroy();
      resolve(refused);
    };
    socket.on('connect', () => end(false));
    socket.on('timeout', () => end(false));
    socket.on('error', (error: NodeJS.ErrnoException) => end(error.code === 'ECONNREFUSED'));
  });
}
