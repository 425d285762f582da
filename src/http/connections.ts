import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** A client waits for one answer at a time; one that pipelines more requests than this does so to fill our memory. */
const maxWaitingRequests = 16;
/** How long a written answer may wait for its peer to read it. */
const maxUnreadMs = 10_000;
const checkEveryMs = 1000;

interface Waiting {
  response: ServerResponse;
  run: () => void;
  /** When its answer, written whole, was first seen to be unread. */
  unreadSince?: number;
}

/** The open connections of a server, and the requests that wait on each, the one at work first. */
export function createConnections() {
  const connections = new Map<Socket, Waiting[]>();
  const checking = setInterval(closeUnread, checkEveryMs).unref();

  function closeUnread(): void {
    for (const [socket, [first]] of connections) {
      if (!first?.response.writableEnded) continue;
      first.unreadSince ??= performance.now();
      if (performance.now() - first.unreadSince >= maxUnreadMs) socket.destroy();
    }
  }

  return {
    opened(socket: Socket): void {
      connections.set(socket, []);
      socket.once('close', () => connections.delete(socket));
    },
    /**
     * Runs the request once those before it on its connection are answered, so that one connection takes no more of the
     * server than one request does. Too many that wait close the connection, and are not run.
     */
    run(socket: Socket, response: ServerResponse, run: () => void): void {
      const waiting = connections.get(socket);
      if (!waiting || waiting.length >= maxWaitingRequests) return void socket.destroy();
      waiting.push({ response, run });
      response.once('close', () => {
        waiting.shift();
        if (!socket.destroyed) waiting[0]?.run();
      });
      if (waiting.length === 1) run();
    },
    /** Asks the peers to hang up after the answers that they wait for. */
    closeAfterAnswers(): void {
      for (const { response } of [...connections.values()].flat()) {
        if (!response.headersSent) response.setHeader('connection', 'close');
      }
    },
    destroyIdle(): void {
      for (const [socket, waiting] of connections) if (waiting.length === 0) socket.destroy();
    },
    stop: () => clearInterval(checking),
  };
}
