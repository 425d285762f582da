import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { RequestError } from '@hono/node-server';
import { TRPCError } from '@trpc/server';
import { answerHeaders } from './answer-headers.ts';
import type { Refusals } from './refusals.ts';

/** Answers requests that never reach the app, in the shape in which a call is refused: the path may not be known. */
export function createBrokenRequests({ body }: Pick<Refusals, 'body'>) {
  function answerOf(code: TRPCError['code'], status: number) {
    const text = body(new TRPCError({ code }), status);
    const headers = { ...answerHeaders(randomUUID()), connection: 'close', 'content-type': 'application/json' };
    return { text, headers: { ...headers, 'content-length': String(Buffer.byteLength(text)) } };
  }

  return {
    /** A host or a path of which no URL can be made. */
    answerUnreadable(error: unknown, response: ServerResponse): void {
      if (response.headersSent) return void response.destroy();
      const [status, code] =
        error instanceof RequestError ? ([400, 'BAD_REQUEST'] as const) : ([500, 'INTERNAL_SERVER_ERROR'] as const);
      const { text, headers } = answerOf(code, status);
      response.writeHead(status, headers).end(text);
    },

    /** Bytes that are not HTTP, or that arrive too slowly: Node's own answer has no body. */
    answerBroken(error: NodeJS.ErrnoException, socket: Socket): void {
      if (!socket.writable || error.code === 'ECONNRESET') return void socket.destroy();
      const [status, reason, code] =
        error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
          ? ([408, 'Request Timeout', 'TIMEOUT'] as const)
          : error.code === 'HPE_HEADER_OVERFLOW'
            ? ([431, 'Request Header Fields Too Large', 'BAD_REQUEST'] as const)
            : ([400, 'Bad Request', 'BAD_REQUEST'] as const);
      const { text, headers } = answerOf(code, status);
      const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
      socket.end([`HTTP/1.1 ${status} ${reason}`, ...lines, '', text].join('\r\n'));
      // A peer that never hangs up would keep its half open. Not at once: a reset would overtake the answer.
      const hangUp = setTimeout(() => socket.destroy(), 500);
      socket.once('close', () => clearTimeout(hangUp));
    },
  };
}
