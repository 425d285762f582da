import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { getRequestListener, type HttpBindings } from '@hono/node-server';
import type { Shortcut } from './single-calls.ts';
import { answerBroken, answerUnreadable } from './unreadable.ts';

export interface Listening {
  /** `http://127.0.0.1:8080` */
  url: string;
  /**
   * Lets go of the connections one answer after another for `drainMs`, then refuses new ones, and resolves when all
   * that was asked is answered; whoever is still sending or reading after `graceMs` is cut off.
   */
  close(options?: { drainMs?: number; graceMs?: number }): Promise<void>;
}

/** How long a connection that was made at the last moment has for its request. */
const settleMs = 500;

/** A name or an address, and perhaps a port. */
const plainHost = /^(?:[\w.-]+|\[[\da-f:]+\])(?::\d{1,5})?$/i;

interface ListenOptions {
  host: string;
  port: number;
  /** Asked before the app. */
  shortcut?: Shortcut;
}

/** Serves an app over HTTP. Whoever sends slowly, or nothing at all, is cut off within 15 s. */
export async function listen(
  app: { fetch: (request: Request, env: HttpBindings) => Response | Promise<Response> },
  { host, port, shortcut }: ListenOptions,
): Promise<Listening> {
  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // The adapter looks at the host, and refuses a strange one; the shortcut does not.
    const isPlain = plainHost.test(request.headers.host ?? '');
    if (isPlain && (await shortcut?.(request, response))) return;
    const errorHandler = (error: unknown) => answerUnreadable(error, request);
    await getRequestListener((asked, env) => app.fetch(asked, env as HttpBindings), { errorHandler })(
      request,
      response,
    );
  }
  // The latest answer that each connection waits for. A Set of answers would keep the finished ones in memory: what V8
  // leaves behind of a table with much coming and going holds on to them until the next full collection.
  const sockets = new Map<Socket, ServerResponse | null>();
  let closing = false;
  const onRequest = (request: IncomingMessage, response: ServerResponse) => {
    const { socket } = request;
    sockets.set(socket, response);
    response.once('close', () => sockets.get(socket) === response && sockets.set(socket, null));
    if (closing) response.setHeader('connection', 'close');
    // Nothing foreseen rejects; what does must not end the process with everybody else's calls.
    respond(request, response).catch(() => response.destroy());
  };
  // Looked for often: a second's worth of them, cut off at once, holds everybody else up.
  const server = createServer(
    {
      headersTimeout: 8_000,
      requestTimeout: 12_000,
      keepAliveTimeout: 10_000,
      connectionsCheckingInterval: 100,
      // Node's own answer to a request without a host has no body; the adapter refuses it too.
      requireHostHeader: false,
    },
    onRequest,
  );
  // An expectation that nobody knows is ignored: Node's own answer, 417, has no body.
  server.on('checkExpectation', onRequest);
  server.on('clientError', answerBroken);
  server.on('connection', (socket) => {
    sockets.set(socket, null);
    socket.once('close', () => sockets.delete(socket));
  });
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
      for (const response of sockets.values()) {
        if (response?.headersSent === false) response.setHeader('connection', 'close');
      }
      if (drainMs > 0) await sleep(drainMs);
      const closed = new Promise<void>((resolve, reject) => {
        server.close((error) => (error ? reject(error) : resolve()));
      });
      const settled = setTimeout(() => destroyIdle(), settleMs);
      const graceOver = setTimeout(() => server.closeAllConnections(), graceMs);
      await closed.finally(() => {
        clearTimeout(settled);
        clearTimeout(graceOver);
      });
    },
  };

  function destroyIdle(): void {
    for (const [socket, response] of sockets) {
      if (!response) socket.destroy();
    }
  }
}

function urlOf(server: Server): string {
  const { address, family, port } = server.address() as AddressInfo;
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}
