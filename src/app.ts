import type { HttpBindings } from '@hono/node-server';
import { trpcServer } from '@hono/trpc-server';
import type { AnyTRPCRouter } from '@trpc/server';
import { Hono, type Context as HonoContext, type MiddlewareHandler } from 'hono';
import { createTokens } from './auth/tokens.ts';
import { callsOnly, limitBody, refusal, retryAfter } from './http/calls.ts';
import { type ContextsOptions, createContexts } from './http/contexts.ts';
import { createPictureBodies } from './http/picture-bodies.ts';
import { describeError } from './operations/log.ts';
import { appRouter } from './router.ts';
import { StoreError } from './store/store.ts';
import type { Context } from './trpc.ts';
import { answerAvatar, avatarHashOf } from './user/avatars.ts';

export interface AppDeps extends ContextsOptions {
  /** False before the tables are there, and from the moment that the process begins to stop. */
  isServing: () => boolean;
  /** The procedures, where there are more of them than ours. */
  router?: AnyTRPCRouter;
}

/** The bindings are missing where the app is called without a socket. */
interface AppEnv {
  Variables: { requestId: string };
  Bindings: Partial<HttpBindings>;
}

const maxBatchSize = 10;

/** The HTTP surface: health, and the procedures under /trpc. Every answer is JSON, and none may be stored. */
export function createApp({ isServing, router = appRouter, ...deps }: AppDeps) {
  const app = new Hono<AppEnv>();
  const { requestIdOf, contextOf } = createContexts(deps);
  const createContext = (c: HonoContext<AppEnv>): Context =>
    contextOf({
      requestId: c.get('requestId'),
      remoteAddress: c.env?.incoming?.socket.remoteAddress,
      header: (name) => c.req.header(name),
    });

  app.use((c, next) => {
    c.set(
      'requestId',
      requestIdOf((name) => c.req.header(name)),
    );
    return next();
  });
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

  app.get('/avatars/:file', async (c) => {
    const hash = avatarHashOf(c.req.param('file'));
    try {
      return (hash && (await answerAvatar(deps.store, hash, c.req.header('if-none-match')))) ?? c.notFound();
    } catch (error) {
      if (!(error instanceof StoreError && error.kind === 'unavailable')) throw error;
      return c.json({ status: 'database unavailable' }, 503);
    }
  });

  app.use(
    '/trpc/*',
    callsOnly,
    limitBody(createPictureBodies({ ...deps, tokens: createTokens(deps.store) })),
    trpcServer({
      endpoint: '/trpc',
      router,
      maxBatchSize,
      allowMethodOverride: true,
      createContext: (_, c: HonoContext<AppEnv>) => ({ ...createContext(c) }),
      responseMeta: ({ errors }) => ({ headers: retryAfter(errors) }),
    }),
  );

  app.notFound((c) => (c.req.path.startsWith('/trpc/') ? refusal('NOT_FOUND') : c.json({ status: 'not found' }, 404)));
  app.onError((error, c) => {
    // Whoever hangs up, or is cut off, in the midst of a body gets no answer: a flood of them is not to fill the log.
    if (c.env?.incoming?.destroyed && !c.env.incoming.complete) {
      deps.log.debug({ requestId: c.get('requestId') }, 'request broken off');
      return c.body(null, 400);
    }
    deps.log.error({ requestId: c.get('requestId'), ...describeError(error) }, 'request failed');
    return refusal('INTERNAL_SERVER_ERROR');
  });
  return app;
}

// Set on the answer that came back: the tRPC mount answers with a response of its own.
const answerHeaders: MiddlewareHandler<AppEnv> = async (c, next) => {
  await next();
  const { headers } = c.res;
  headers.set('x-request-id', c.get('requestId'));
  headers.set('x-content-type-options', 'nosniff');
  if (!headers.has('cache-control')) headers.set('cache-control', 'no-store');
  // tRPC sends the error of a whole request as text/plain.
  if (c.req.path.startsWith('/trpc')) headers.set('content-type', 'application/json');
};
