/** A SOCKS5 proxy on loopback. https://www.rfc-editor.org/rfc/rfc1928, and rfc1929 for user and password. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface SocksProxy {
  readonly port: number;
  /** The hosts that it was asked to connect to, as they were sent: a name, or an IPv4 address. */
  readonly asked: readonly string[];
  close(): void;
}

/** Every connection leads to this port of loopback, whatever was asked for. */
export async function startSocksProxy(to: number, login?: `${string}:${string}`): Promise<SocksProxy> {
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    serve(socket).catch(() => socket.destroy());
  });

  async function serve(socket: Socket): Promise<void> {
    await next(socket);
    if (login !== undefined) {
      socket.write(Buffer.from([5, 2]));
      const said = await next(socket);
      const length = said[1] ?? 0;
      const given = `${said.subarray(2, 2 + length)}:${said.subarray(3 + length)}`;
      socket.write(Buffer.from([1, given === login ? 0 : 1]));
      if (given !== login) return void socket.end();
    } else {
      socket.write(Buffer.from([5, 0]));
    }
    const request = await next(socket);
    asked.push(
      request[3] === 3 ? request.subarray(5, 5 + (request[4] ?? 0)).toString() : request.subarray(4, 8).join('.'),
    );
    const onward = connect(to, '127.0.0.1', () => {
      socket.write(Buffer.from([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]));
      onward.pipe(socket).pipe(onward);
    });
    sockets.add(onward);
    onward.on('error', () => socket.destroy());
    socket.on('close', () => onward.destroy());
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    asked,
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

async function next(socket: Socket): Promise<Buffer> {
  const [chunk] = await once(socket, 'data');
  return chunk as Buffer;
}
