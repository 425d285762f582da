import { type AnyTRPCRouter, getTRPCErrorFromUnknown, type TRPCError, transformTRPCResponse } from '@trpc/server';
import { getErrorShape } from '@trpc/server/shared';

/** What the fast way needs to know of a request; `text` may be called again by whoever comes after. */
interface SingleRequest {
  method: string;
  /** Behind the mount, with its query: `auth.login`. */
  path: string;
  text: () => Promise<string>;
}

interface SingleCallsOptions<Context extends object> {
  router: AnyTRPCRouter;
  createContext: () => Context;
  /** Beside those that every answer has. */
  headersFor: (errors: readonly TRPCError[]) => Record<string, string>;
}

/**
 * Answers one call of one procedure, with JSON or nothing as its body: what a phone sends, nearly always. null for
 * everything else, which tRPC's own adapter then answers. That one costs more than the rest of a login: it makes a
 * whole Request, five AbortControllers and two URLs for what may be a batch or a stream. The answers are the same bytes.
 */
export async function answerSingleCall<Context extends object>(
  { method, path, text }: SingleRequest,
  { router, createContext, headersFor }: SingleCallsOptions<Context>,
): Promise<Response | null> {
  const { procedures, _config: config } = router._def;
  // A query, a batch, a name that is encoded or unknown: none of these is a procedure's name.
  const procedure = Object.hasOwn(procedures, path) ? procedures[path] : undefined;
  if (!procedure) return null;
  const { type } = procedure._def;
  if (type === 'subscription' || (method !== 'POST' && (method !== 'GET' || type !== 'query'))) return null;
  const body = method === 'POST' ? parsed(await text()) : { input: undefined };
  if (!body) return null;

  const ctx = createContext();
  try {
    const data: unknown = await procedure({
      path,
      ctx,
      type,
      getRawInput: async () => body.input,
      signal: undefined,
      batchIndex: 0,
    });
    return respond(200, transformTRPCResponse(config, { result: { data } }), headersFor([]));
  } catch (cause) {
    const error = getTRPCErrorFromUnknown(cause);
    const shape = getErrorShape({ config, ctx, error, input: body.input, path, type });
    return respond(shape.data.httpStatus, transformTRPCResponse(config, { error: shape }), headersFor([error]));
  }
}

function respond(status: number, body: object, headers: Record<string, string>): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { vary: 'trpc-accept, accept', 'content-type': 'application/json', ...headers },
  });
}

/** null for what is no JSON: only tRPC's own adapter knows what it says to that. */
function parsed(text: string): { input: unknown } | null {
  if (text === '') return { input: undefined };
  try {
    return { input: JSON.parse(text) };
  } catch {
    return null;
  }
}
