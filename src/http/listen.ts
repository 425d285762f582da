import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { getRequestListener, type HttpBindings } from '@hono/node-server';
import { createBrokenRequests } from './broken-requests.ts';
import { createConnections } from './connections.ts';
import type { Refusals } from './refusals.ts';

export interface Listening {
  /** `http://127.0.0.1:8080` */
  url: string;
  /**
   * Closes each connection after its next answer for `drainMs`, then refuses new ones, and resolves when all
   * requests are answered; a connection that still sends or reads after `graceMs` is cut off.
   */
  close(options?: { drainMs?: number; graceMs?: number }): Promise<void>;
}

/** How long a connection that was made at the last moment has for its request. */
const settleMs = 500;

interface ListenOptions {
  host: string;
  port: number;
  /** Shapes the answer to a request that never reaches the app. */
  refusals?: Pick<Refusals, 'body'>;
}

/** Serves an app over HTTP. A peer that sends slowly, sends nothing, or does not read, is cut off within 15 s. */
export async function listen(
  app: { fetch: (request: Request, env: HttpBindings) => Response | Promise<Response> },
  { host, port, refusals = { body: () => '{"status":"bad request"}' } }: ListenOptions,
): Promise<Listening> {
  const broken = createBrokenRequests(refusals);
  const connections = createConnections();
  let closing = false;
  const respond = getRequestListener((request, env) => app.fetch(request, env as HttpBindings), {
    // A probe of HTTP/1.0 names no host.
    hostname: 'localhost',
    errorHandler(error) {
      throw error;
    },
  });
  const onRequest = (request: IncomingMessage, response: ServerResponse) => {
    if (closing) response.setHeader('connection', 'close');
    connections.run(request.socket, response, () => {
      // A rejection must not end the process with all other calls.
      respond(request, response).catch((error: unknown) => broken.answerUnreadable(error, response));
    });
  };
  const server = createServer(
    {
      headersTimeout: 6_000,
      requestTimeout: 10_000,
      keepAliveTimeout: 10_000,
      // A short interval: closing a second's worth of slow requests in one go would delay all others.
      connectionsCheckingInterval: 100,
      requireHostHeader: false,
    },
    onRequest,
  );
  // An unknown expectation is ignored: Node's own answer, 417, has no body.
  server.on('checkExpectation', onRequest);
  server.on('clientError', (error, socket) => broken.answerBroken(error, socket as Socket));
  server.on('connection', (socket) => connections.opened(socket));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });

  // Node's own `close` leaves a connection alone that was busy at that moment, for as long as it is kept alive, and
  // one that never sent a request for ever: it stops its clock for them too.
  return {
    url: urlOf(server),
    async close({ drainMs = 0, graceMs = 10_000 } = {}) {
      closing = true;
      connections.closeAfterAnswers();
      if (drainMs > 0) await sleep(drainMs);
      const closed = new Promise<void>((resolve, reject) => {
        server.close((error) => (error ? reject(error) : resolve()));
      });
      const settled = setTimeout(() => connections.destroyIdle(), settleMs);
      const graceOver = setTimeout(() => server.closeAllConnections(), graceMs);
      await closed.finally(() => {
        clearTimeout(settled);
        clearTimeout(graceOver);
        connections.stop();
      });
    },
  };
}

function urlOf(server: Server): string {
  const { address, family, port } = server.address() as AddressInfo;
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}
