/**
 * A door before the API server: it hands on bytes as they are, TLS and all, counts them, and remembers when the last of
 * them went to the client. So the moment of an event is that at which its bytes were given to the client's socket.
 */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface Tap {
  readonly port: number;
  /** Both ways, since the beginning. */
  bytes(): number;
  /** When something first went to a client after this moment, as performance.now() has it. */
  firstAnswerAfter(moment: number): number | undefined;
  close(): void;
}

export async function openTap(server: string): Promise<Tap> {
  const { hostname, port } = new URL(server);
  const sockets = new Set<Socket>();
  const answers: number[] = [];
  let bytes = 0;
  const front = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.setNoDelay(true);
      from.on('error', () => to.destroy());
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
      from.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (to === client) answers.push(performance.now());
        to.write(chunk);
      });
      from.on('end', () => to.end());
    }
  });
  await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve));
  return {
    port: (front.address() as AddressInfo).port,
    bytes: () => bytes,
    firstAnswerAfter: (moment) => answers.find((at) => at > moment),
    close() {
      front.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
