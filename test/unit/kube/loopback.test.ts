import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Connection } from '../../../src/kube/connection.ts';
import { refuseOwnLoopback } from '../../../src/kube/loopback.ts';

const connectionTo = (server: string, more: Partial<Connection> = {}): Connection => ({
  server: new URL(server),
  source: 'kubeconfig',
  namespace: 'default',
  authorize: async () => ({ headers: {}, tls: {} }),
  ...more,
});

/** A port of this machine that somebody listens on, or did until just now. */
async function port(listens: 'yes' | 'no'): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  if (listens === 'yes') onTestFinished(() => void server.close());
  else await new Promise((resolve) => server.close(resolve));
  return port;
}

describe('an API server at the loopback of a container', () => {
  test('is refused, with what to do, where nobody listens', async () => {
    const server = `https://127.0.0.1:${await port('no')}`;
    await expect(refuseOwnLoopback(connectionTo(server))).rejects.toThrow(
      `nothing listens at ${server}: inside of a container this is the container itself; start it with --network host`,
    );
  });

  test('is taken where somebody listens', async () => {
    await refuseOwnLoopback(connectionTo(`https://127.0.0.1:${await port('yes')}`));
  });

  test.each([
    ['another address', async () => connectionTo('https://api.example.invalid:6443')],
    ['a pod', async () => connectionTo(`https://127.0.0.1:${await port('no')}`, { source: 'in-cluster' })],
    ['a proxy', async () => connectionTo(`https://127.0.0.1:${await port('no')}`, { proxied: true })],
  ])('is none of ours: %s', async (_, connection) => {
    await refuseOwnLoopback(await connection());
  });
});
