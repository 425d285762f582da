import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** A TCP proxy on loopback before another port, whose network can be made to swallow everything. */
export async function startTcpProxy(targetPort: number) {
  const clients = new Set<Socket>();
  let swallowing = false;
  const server = createServer((client) => {
    clients.add(client);
    client.on('close', () => clients.delete(client)).on('error', () => {});
    if (swallowing) {
      client.resume();
      return;
    }
    const target = connect(targetPort, '127.0.0.1').on('error', () => client.destroy());
    client.on('close', () => target.destroy());
    client.on('data', (bytes) => swallowing || target.write(bytes));
    target.on('data', (bytes) => swallowing || client.write(bytes));
    target.on('close', () => client.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    connections: () => clients.size,
    /** From now on connections are accepted, bytes are taken, and nothing is answered. */
    swallow: () => void (swallowing = true),
    /** Bytes flow again; those that were swallowed are lost. */
    heal: () => void (swallowing = false),
    async close(): Promise<void> {
      server.close();
      for (const client of clients) client.destroy();
      await once(server, 'close');
    },
  };
}
