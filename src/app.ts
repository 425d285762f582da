import type { AnyTRPCRouter } from '@trpc/server';
import { type Context, Hono } from 'hono';
import { AppError } from './errors.ts';
import { setAnswerHeaders } from './http/answer-headers.ts';
import { limitBody } from './http/body-limit.ts';
import { type CallEnv, type ContextParts, createContext, getRequestId } from './http/context.ts';
import { fetchAdapter } from './http/fetch-adapter.ts';
import { jsonCalls } from './http/json-calls.ts';
import { createRefusals, requireMigrated } from './http/refusals.ts';
import { createUploadLimiter } from './http/upload-limiter.ts';
import { validateRequest } from './http/validate-request.ts';
import { type OnPush, wechatPush } from './http/wechat-push.ts';
import { describeError } from './operations/log.ts';
import { appRouter } from './router.ts';
import { StoreError } from './store/store.ts';
import { answerAvatar, avatarHashOf } from './user/avatars.ts';
import type { PushSecrets } from './wechat/push-crypto.ts';

export interface AppDeps extends ContextParts {
  /** False until the tables are there; by default they are. */
  hasTables?: () => boolean;
  /** For /readyz: the code of the last failure while the tables are not there. */
  whyNotReady?: () => string | undefined;
  /** True from the moment that the process begins to stop: calls are served, and a balancer is told to send none. */
  isStopping?: () => boolean;
  /** The procedures; guoke's own by default. */
  router?: AnyTRPCRouter;
  /** The apps whose message push is taken: app id → its secrets. None by default. */
  pushApps?: ReadonlyMap<string, PushSecrets>;
  /** Called with each push of WeChat that guoke does not handle itself. */
  onPush?: OnPush;
  /** Adds middleware and routes of an owner's, before ours: CORS or a request logger that is put here sees every call. */
  extend?: (app: Hono<CallEnv>) => void;
}

const maxBatchSize = 10;

/** The HTTP surface: health, avatars, WeChat's push, and the procedures under /trpc, in the order in which a request passes it. */
export function createApp(deps: AppDeps): Hono<CallEnv> {
  const {
    hasTables = () => true,
    whyNotReady = () => undefined,
    isStopping = () => false,
    router = appRouter,
    extend = () => {},
    pushApps = new Map(),
    onPush = () => {},
    store,
    log,
  } = deps;
  const app = new Hono<CallEnv>();
  const refusals = createRefusals(router);

  app.use((c, next) => {
    c.set('requestId', getRequestId(c, deps));
    return next();
  });
  app.use(setAnswerHeaders);

  extend(app);

  app.get('/healthz', (c) => c.json({ status: 'ok' }));
  app.get('/readyz', async (c) => {
    if (!hasTables() || isStopping()) return c.json({ status: 'not serving', reason: whyNotReady() }, 503);
    try {
      await store.ping();
    } catch {
      return c.json({ status: 'database unavailable' }, 503);
    }
    return c.json({ status: 'ok' });
  });

  app.get('/avatars/:file', async (c) => {
    const hash = avatarHashOf(c.req.param('file'));
    try {
      return (hash && (await answerAvatar(store, hash, c.req.header('if-none-match')))) ?? c.notFound();
    } catch (error) {
      if (!(error instanceof StoreError && error.kind === 'unavailable')) throw error;
      return c.json({ status: 'database unavailable' }, 503);
    }
  });

  if (pushApps.size > 0) {
    app.use('/wechat/push/*', async (c, next) => {
      if (!hasTables()) return c.json({ status: 'database unavailable' }, 503);
      return await next();
    });
    app.route('/', wechatPush({ ...deps, apps: pushApps, onPush }));
  }

  app.use(
    '/trpc/*',
    validateRequest(refusals),
    requireMigrated(hasTables, refusals),
    async (c, next) => {
      const { context, record } = createContext(c, deps);
      c.set('context', context);
      c.set('record', record);
      await next().finally(() => {
        if (!isBrokenOff(c)) return record.end();
        log.debug({ requestId: c.get('requestId') }, 'request broken off');
      });
    },
    limitBody({ router, refusals, uploads: createUploadLimiter() }),
    jsonCalls({ router, maxBatchSize }),
    fetchAdapter({ router, maxBatchSize }),
  );

  app.notFound((c) => c.json({ status: 'not found' }, 404));
  app.onError((error, c) => {
    if (error instanceof AppError) return refusals.refuse(error);
    if (isBrokenOff(c)) return c.body(null, 400);
    log.unexpected?.(error);
    log.error({ requestId: c.get('requestId'), ...describeError(error) }, 'request failed');
    return refusals.refuse('INTERNAL_SERVER_ERROR');
  });
  return app;
}

/** A peer that hangs up in the midst of its body gets no answer, and a flood of such peers does not fill the log. */
function isBrokenOff(c: Context<CallEnv>): boolean {
  return c.env?.incoming?.destroyed === true && !c.env.incoming.complete;
}
