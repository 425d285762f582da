import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** A client without pipelining waits for one; one that pipelines more than this does so to fill our memory. */
const maxWaitingRequests = 16;
/** How long a written answer may wait for its peer to read it. */
const maxUnreadMs = 12_000;
const checkEveryMs = 1000;

/** The open connections of a server, and the answers that each of them waits for. */
export function createConnections({ now = () => performance.now() } = {}) {
  const waiting = new Map<Socket, Set<ServerResponse>>();
  /** Answers that are written and not yet taken, by when they were seen first. */
  const unread = new Map<ServerResponse, number>();
  const checking = setInterval(closeUnread, checkEveryMs).unref();

  function closeUnread(): void {
    for (const [socket, responses] of waiting) {
      for (const response of responses) {
        if (!response.writableEnded) continue;
        const since = unread.get(response) ?? now();
        unread.set(response, since);
        if (now() - since >= maxUnreadMs) socket.destroy();
      }
    }
  }

  return {
    opened(socket: Socket): void {
      waiting.set(socket, new Set());
      socket.once('close', () => {
        for (const response of waiting.get(socket) ?? []) unread.delete(response);
        waiting.delete(socket);
      });
    },
    /** Whether the request may be answered; where too many wait on its connection, that is closed. */
    admit(socket: Socket, response: ServerResponse): boolean {
      const responses = waiting.get(socket);
      if (!responses || responses.size >= maxWaitingRequests) {
        socket.destroy();
        return false;
      }
      responses.add(response);
      response.once('close', () => {
        responses.delete(response);
        unread.delete(response);
      });
      return true;
    },
    /** Asks the peers to hang up after the answers that they wait for. */
    closeAfterAnswers(): void {
      for (const responses of waiting.values()) {
        for (const response of responses) if (!response.headersSent) response.setHeader('connection', 'close');
      }
    },
    destroyIdle(): void {
      for (const [socket, responses] of waiting) if (responses.size === 0) socket.destroy();
    },
    stop: () => clearInterval(checking),
  };
}
