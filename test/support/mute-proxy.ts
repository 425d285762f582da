import { once } from 'node:events';
import { connect, createServer } from 'node:net';

/**
 * A TCP proxy before a MySQL server, whose first connection falls silent both ways at its n-th statement, as a network
 * does that has lost its way. Every other connection is well.
 */
export async function startMuteProxy(databaseUrl: string, statement: number) {
  let isFirst = true;
  const server = createServer((client) => {
    const target = connect(Number(new URL(databaseUrl).port), '127.0.0.1');
    let left = isFirst ? statement : Number.POSITIVE_INFINITY;
    isFirst = false;
    client.on('data', (bytes) => {
      // A packet with the number 0 begins a command, and 3 is COM_QUERY.
      if (bytes[3] === 0 && bytes[4] === 3) left -= 1;
      if (left > 0) target.write(bytes);
    });
    target.on('data', (bytes) => left > 0 && client.write(bytes));
    client.on('error', () => {}).on('close', () => target.destroy());
    target.on('error', () => {}).on('close', () => left > 0 && client.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const url = new URL(databaseUrl);
  url.hostname = '127.0.0.1';
  url.port = String(typeof address === 'object' && address ? address.port : 0);
  return { url: url.href, close: () => void server.close() };
}
