import type { IncomingMessage, ServerResponse } from 'node:http';
import { type AnyTRPCRouter, getTRPCErrorFromUnknown, transformTRPCResponse, type TRPCError } from '@trpc/server';
import { getErrorShape } from '@trpc/server/shared';
import type { Log } from '../operations/log.ts';
import { maxBodyBytes, notACall, retryAfter } from './calls.ts';
import type { Contexts } from './contexts.ts';

/** Answers a request, or resolves to false and leaves it to who comes after. Never rejects. */
export type Shortcut = (incoming: IncomingMessage, outgoing: ServerResponse) => Promise<boolean>;

interface SingleCallsOptions {
  router: AnyTRPCRouter;
  contexts: Contexts;
  log: Log;
}

const utf8 = new TextDecoder();

/**
 * Answers one call of one procedure, with a small JSON body or none: what a phone sends, nearly always. Everything else is
 * Hono's and tRPC's own adapter's, which cost more than the rest of a login: they make a Request, a Response and several
 * AbortControllers for what may be a batch or a stream. The answers are the same bytes.
 */
export function createSingleCalls({ router, contexts, log }: SingleCallsOptions): Shortcut {
  const { procedures, _config: config } = router._def;

  /** The one procedure that a request calls, seen from its head. */
  function procedureOf({ method, url = '', headers }: IncomingMessage) {
    // A query, a batch, a name that is encoded or unknown: none of these is a procedure's name.
    const path = url.startsWith('/trpc/') ? url.slice('/trpc/'.length) : '';
    const procedure = Object.hasOwn(procedures, path) ? procedures[path] : undefined;
    if (!procedure || headers['transfer-encoding'] !== undefined) return null;
    const { type } = procedure._def;
    const bytes = Number(headers['content-length'] ?? 0);
    const fits = method === 'POST' ? bytes <= maxBodyBytes : method === 'GET' && type === 'query' && bytes === 0;
    return fits && type !== 'subscription' ? { path, procedure, type } : null;
  }

  return async (incoming, outgoing) => {
    const called = procedureOf(incoming);
    const header = (name: string) => incoming.headers[name]?.toString();
    if (!called || notACall(incoming.method, header)) return false;
    const { path, procedure, type } = called;
    const requestId = contexts.requestIdOf(header);
    let input: unknown;
    if (incoming.method === 'POST') {
      const body = await bodyOf(incoming);
      if (!body) {
        log.debug({ requestId }, 'request broken off');
        return true;
      }
      const read = parsed(utf8.decode(body));
      if (!read) {
        // Only tRPC's own adapter knows what it says to that. The Node adapter takes the body from here.
        Object.assign(incoming, { rawBody: body });
        return false;
      }
      input = read.input;
    }

    const ctx = contexts.contextOf({ requestId, remoteAddress: incoming.socket.remoteAddress, header });
    try {
      const data: unknown = await procedure({
        path,
        ctx,
        type,
        getRawInput: async () => input,
        signal: undefined,
        batchIndex: 0,
      });
      respond(200, JSON.stringify(transformTRPCResponse(config, { result: { data } })));
    } catch (cause) {
      const error = getTRPCErrorFromUnknown(cause);
      const shape = getErrorShape({ config, ctx, error, input, path, type });
      respond(shape.data.httpStatus, JSON.stringify(transformTRPCResponse(config, { error: shape })), error);
    }
    return true;

    function respond(status: number, body: string, error?: TRPCError): void {
      // In the order in which they come from a Headers object.
      const headers = {
        'cache-control': 'no-store',
        'content-type': 'application/json',
        ...(error && retryAfter([error])),
        vary: 'trpc-accept, accept',
        'x-content-type-options': 'nosniff',
        'x-request-id': requestId,
        'Content-Length': Buffer.byteLength(body),
      };
      outgoing.writeHead(status, headers).end(body);
    }
  };
}

/** null for one that is broken off. */
function bodyOf(incoming: IncomingMessage): Promise<Buffer | null> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => resolve(chunks[0] && chunks.length === 1 ? chunks[0] : Buffer.concat(chunks)));
    incoming.on('error', () => resolve(null));
  });
}

/** null for what is no JSON. */
function parsed(text: string): { input: unknown } | null {
  if (text === '') return { input: undefined };
  try {
    return { input: JSON.parse(text) };
  } catch {
    return null;
  }
}
