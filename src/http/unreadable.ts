import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { RequestError } from '@hono/node-server';
import { TRPCError } from '@trpc/server';
import { refusal, refusalBody } from './calls.ts';

/** What the app gives to each answer; these never get so far. */
const headers = () => ({
  'cache-control': 'no-store',
  connection: 'close',
  'x-content-type-options': 'nosniff',
  'x-request-id': randomUUID(),
});

/** The answer to a request whose host or path makes no URL: the app never sees it. */
export function answerUnreadable(error: unknown, { url = '' }: IncomingMessage): Response {
  const isTheirs = error instanceof RequestError;
  if (url.startsWith('/trpc')) return refusal(isTheirs ? 'BAD_REQUEST' : 'INTERNAL_SERVER_ERROR', headers());
  const [httpStatus, status] = isTheirs ? [400, 'bad request'] : [500, 'internal server error'];
  return Response.json({ status }, { status: httpStatus, headers: headers() });
}

/**
 * Answers what is no HTTP, or took too long: Node's own answer has no body. Nobody knows which path it was meant for, so
 * that it is refused as a call is.
 */
export function answerBroken(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const [status, code] =
    error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
      ? (['408 Request Timeout', 'TIMEOUT'] as const)
      : error.code === 'HPE_HEADER_OVERFLOW'
        ? (['431 Request Header Fields Too Large', 'PAYLOAD_TOO_LARGE'] as const)
        : (['400 Bad Request', 'BAD_REQUEST'] as const);
  const body = JSON.stringify(refusalBody(new TRPCError({ code }), Number(status.slice(0, 3))));
  const all = { ...headers(), 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  socket.end([`HTTP/1.1 ${status}`, ...lines, '', body].join('\r\n'));
  // A peer that never hangs up would keep its half open. Not at once: a reset would overtake the answer.
  const hangUp = setTimeout(() => socket.destroy(), 500);
  socket.once('close', () => clearTimeout(hangUp));
}
