import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** What the network between two servers does. */
export type Network =
  | { kind: 'pass' }
  /** Accepts connections and bytes, and nothing arrives: those bytes are lost, and their connections with them. */
  | { kind: 'blackHole' }
  /** The port is closed, and open connections are cut off. */
  | { kind: 'refuse' }
  /** Every connection ends in a TCP reset, the open ones at once. */
  | { kind: 'reset' }
  /** Each piece arrives late. */
  | { kind: 'delay'; ms: number }
  | { kind: 'trickle'; msPerByte: number };

/** A TCP proxy on loopback before another port, whose network can be changed while it runs. */
export async function startTcpProxy(targetPort: number, network: Network = { kind: 'pass' }) {
  const clients = new Set<Socket>();
  const server = createServer((client) => {
    clients.add(client);
    client.on('close', () => clients.delete(client)).on('error', () => {});
    if (network.kind === 'reset') client.resetAndDestroy();
    else if (network.kind === 'blackHole') client.resume();
    else {
      const target = connect(targetPort, '127.0.0.1').setNoDelay();
      client.setNoDelay();
      void carry(client, target);
      void carry(target, client);
    }
  });

  async function carry(from: Socket, to: Socket): Promise<void> {
    try {
      for await (const bytes of from as AsyncIterable<Buffer>) await send(bytes, to);
      to.end();
    } catch {
      // Whichever side broke, the other has to know.
    }
    to.destroy();
  }

  async function send(bytes: Buffer, to: Socket): Promise<void> {
    if (network.kind === 'delay') await sleep(network.ms);
    if (network.kind === 'trickle') {
      for (const [at] of bytes.entries()) {
        if (network.kind !== 'trickle') return void to.write(bytes.subarray(at));
        await sleep(network.msPerByte);
        to.write(bytes.subarray(at, at + 1));
      }
      return;
    }
    if (network.kind !== 'blackHole') to.write(bytes);
  }

  async function listen(on: number): Promise<number> {
    server.listen(on, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    return typeof address === 'object' && address ? address.port : on;
  }

  const port = await listen(0);
  if (network.kind === 'refuse') await stop();

  function cut(): void {
    for (const client of clients) client.resetAndDestroy();
  }

  async function stop(): Promise<void> {
    if (!server.listening) return;
    const stopped = once(server, 'close');
    server.close();
    cut();
    await stopped;
  }

  return {
    port,
    connections: () => clients.size,
    /** Holds for open connections and new ones, from this moment on. */
    async turn(next: Network): Promise<void> {
      network = next;
      if (next.kind === 'reset') cut();
      if (next.kind === 'refuse') await stop();
      else if (!server.listening) await listen(port);
    },
    close: stop,
  };
}

/** The same database, reached by the proxy. */
export function throughProxy(databaseUrl: string, { port }: { port: number }): string {
  const url = new URL(databaseUrl);
  url.hostname = '127.0.0.1';
  url.port = String(port);
  return url.href;
}
