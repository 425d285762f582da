import type { IncomingMessage, ServerResponse } from 'node:http';
import { type AnyTRPCProcedure, type AnyTRPCRouter, getTRPCErrorFromUnknown, type TRPCError } from '@trpc/server';
import { getErrorShape } from '@trpc/server/shared';
import type { Log } from '../operations/log.ts';
import { maxBodyBytes, notACall, retryAfter } from './calls.ts';
import type { Contexts } from './contexts.ts';
import { runnerOf } from './run-procedure.ts';

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
  const { output } = config.transformer;
  /** By the whole URL: one with a query, a batch, an encoded or an unknown name is not among them. */
  const calls = new Map(
    Object.entries<AnyTRPCProcedure>(procedures).map(([path, procedure]) => {
      const { type } = procedure._def;
      return [`/trpc/${path}`, { path, type, run: runnerOf(procedure) }];
    }),
  );

  return async (incoming, outgoing) => {
    const { method, url = '', headers } = incoming;
    const header = (name: string) => headers[name]?.toString();
    const call = calls.get(url);
    if (!call || !isShort(incoming, call.type) || notACall(method, header)) return false;
    const { path, type, run } = call;
    const requestId = contexts.requestIdOf(header);
    let input: unknown;
    if (method === 'POST') {
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
      const data: unknown = await run({ path, type, ctx, input });
      respond(200, JSON.stringify({ result: { data: output.serialize(data) } }));
    } catch (cause) {
      const error = getTRPCErrorFromUnknown(cause);
      const shape = getErrorShape({ config, ctx, error, input, path, type });
      respond(shape.data.httpStatus, JSON.stringify({ error: output.serialize(shape) }), error);
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

function isShort({ method, headers }: IncomingMessage, type: string): boolean {
  if (headers['transfer-encoding'] !== undefined || type === 'subscription') return false;
  const bytes = Number(headers['content-length'] ?? 0);
  return method === 'POST' ? bytes <= maxBodyBytes : method === 'GET' && type === 'query' && bytes === 0;
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
