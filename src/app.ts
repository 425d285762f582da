import type { HttpBindings } from '@hono/node-server';
import { trpcServer } from '@hono/trpc-server';
import type { AnyTRPCRouter } from '@trpc/server';
import { Hono, type Context as HonoContext, type MiddlewareHandler } from 'hono';
import { callsOnly, limitBody, refusal, retryAfter, tablesFirst } from './http/calls.ts';
import { type ContextsOptions, createContexts } from './http/contexts.ts';
import { createPictureBodies } from './http/picture-bodies.ts';
import { describeError } from './operations/log.ts';
import { appRouter } from './router.ts';
import { StoreError } from './store/store.ts';
import type { Context } from './trpc.ts';
import { answerAvatar, avatarHashOf } from './user/avatars.ts';

export interface AppDeps extends ContextsOptions {
  /** False until the tables are there; by default they are. */
  hasTables?: () => boolean;
  /** True from the moment that the process begins to stop: calls are served, and a balancer is told to send none. */
  isStopping?: () => boolean;
  /** The procedures, where there are more of them than ours. */
  router?: AnyTRPCRouter;
}

/** The bindings are missing where the app is called without a socket. */
interface AppEnv {
  Variables: { requestId: string; context: Context };
  Bindings: Partial<HttpBindings>;
}

const maxBatchSize = 10;

/** The HTTP surface: health, avatars, and the procedures under /trpc. Save the avatars all is JSON that may not be stored. */
export function createApp({ hasTables = () => true, isStopping = () => false, router = appRouter, ...deps }: AppDeps) {
  const app = new Hono<AppEnv>();
  const contexts = createContexts(deps);

  app.use((c, next) => {
    const requestId = contexts.requestIdOf((name) => c.req.header(name));
    c.set('requestId', requestId);
    return next();
  });
  app.use(answerHeaders);

  app.get('/healthz', (c) => c.json({ status: 'ok' }));
  app.get('/readyz', async (c) => {
    if (!hasTables() || isStopping()) return c.json({ status: 'not serving' }, 503);
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
    tablesFirst(hasTables),
    (c, next) => {
      // One for all that the request asks of the database, its token before a large body included.
      const context = contexts.contextOf({
        requestId: c.get('requestId'),
        remoteAddress: c.env?.incoming?.socket.remoteAddress,
        header: (name) => c.req.header(name),
      });
      c.set('context', context);
      return next();
    },
    limitBody(createPictureBodies()),
    trpcServer({
      endpoint: '/trpc',
      router,
      maxBatchSize,
      allowMethodOverride: true,
      createContext: (_, c: HonoContext<AppEnv>) => ({ ...c.get('context') }),
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
