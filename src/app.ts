import { trpcServer } from '@hono/trpc-server';
import { TRPCError } from '@trpc/server';
import { getHTTPStatusCodeFromError } from '@trpc/server/http';
import { getErrorShape } from '@trpc/server/shared';
import { Hono, type MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { requestId } from 'hono/request-id';
import { LoginError } from './errors.ts';
import { describeError } from './log.ts';
import { appRouter } from './router.ts';
import type { Context } from './trpc.ts';

export interface AppDeps extends Omit<Context, 'requestId' | 'authorization'> {
  /** False before the tables are there, and from the moment that the process begins to stop. */
  isServing: () => boolean;
  /** Whether a proxy in front may name the request. */
  trustsProxy: boolean;
}

const maxBatchSize = 10;
const maxBodyBytes = 64 * 1024;

/** The HTTP surface: health, and the procedures under /trpc. Every answer is JSON, and none may be stored. */
export function createApp({ isServing, trustsProxy, ...deps }: AppDeps) {
  const app = new Hono<{ Variables: { requestId: string } }>();

  // With no name for the header, whatever the caller sends is ignored and an id is made.
  app.use(requestId({ headerName: trustsProxy ? 'x-request-id' : '', limitLength: 64 }));
  app.use(answerHeaders);

  app.get('/healthz', (c) => c.json({ status: 'ok' }));
  app.get('/readyz', async (c) => {
    if (!isServing()) return c.json({ status: 'not serving' }, 503);
    try {
      await deps.store.ping();
    } catch {
      return c.json({ status: 'database unavailable' }, 503);
    }
    return c.json({ status: 'ok' });
  });

  app.use(
    '/trpc/*',
    callsOnly,
    bodyLimit({ maxSize: maxBodyBytes, onError: () => refusal('PAYLOAD_TOO_LARGE') }),
    trpcServer({
      endpoint: '/trpc',
      router: appRouter,
      maxBatchSize,
      allowMethodOverride: true,
      createContext: (_, c) => ({
        ...deps,
        requestId: c.get('requestId'),
        authorization: c.req.header('authorization'),
      }),
      responseMeta: ({ errors }) => ({ headers: retryAfter(errors) }),
    }),
  );

  app.notFound((c) => (c.req.path.startsWith('/trpc/') ? refusal('NOT_FOUND') : c.json({ status: 'not found' }, 404)));
  app.onError((error, c) => {
    deps.log.error({ requestId: c.get('requestId'), ...describeError(error) }, 'request failed');
    return refusal('INTERNAL_SERVER_ERROR');
  });
  return app;
}

// Set on the answer that came back: the tRPC mount answers with a response of its own.
const answerHeaders: MiddlewareHandler<{ Variables: { requestId: string } }> = async (c, next) => {
  await next();
  const { headers } = c.res;
  headers.set('x-request-id', c.get('requestId'));
  headers.set('x-content-type-options', 'nosniff');
  if (!headers.has('cache-control')) headers.set('cache-control', 'no-store');
  // tRPC sends the error of a whole request as text/plain.
  if (c.req.path.startsWith('/trpc')) headers.set('content-type', 'application/json');
};

/** Lets through what the contract calls a call; tRPC by itself takes forms, byte streams and streamed answers too. */
const callsOnly: MiddlewareHandler = async (c, next) => {
  const { method } = c.req;
  if (method !== 'GET' && method !== 'POST') return refusal('METHOD_NOT_SUPPORTED', { allow: 'GET, POST' });
  const mediaType = c.req.header('content-type');
  if (mediaType === undefined ? method === 'POST' : !isJson(mediaType)) return refusal('UNSUPPORTED_MEDIA_TYPE');
  if ((c.req.header('content-encoding') ?? 'identity') !== 'identity') return refusal('UNSUPPORTED_MEDIA_TYPE');
  const accepted = `${c.req.header('trpc-accept') ?? ''},${c.req.header('accept') ?? ''}`;
  if (accepted.includes('application/jsonl')) return refusal('UNSUPPORTED_MEDIA_TYPE');
  return next();
};

function isJson(mediaType: string): boolean {
  return /^application\/json *(; *charset="?utf-8"? *)?$/i.test(mediaType.trim());
}

function retryAfter(errors: readonly TRPCError[]): Record<string, string> {
  const seconds = errors.map((error) => (error instanceof LoginError ? (error.retryAfterSeconds ?? 0) : 0));
  const longest = Math.max(0, ...seconds);
  return longest > 0 ? { 'retry-after': String(longest) } : {};
}

/** A refusal of the whole request, in tRPC's own shape. */
function refusal(code: TRPCError['code'], headers: Record<string, string> = {}): Response {
  const error = new TRPCError({ code });
  const shape = getErrorShape({
    config: appRouter._def._config,
    error,
    type: 'unknown',
    path: undefined,
    input: undefined,
    ctx: undefined,
  });
  return Response.json({ error: shape }, { status: getHTTPStatusCodeFromError(error), headers });
}
