// The server as a library: `import { startServer } from 'guoke'`. What stands here is kept; the rest may move.

export { ConfigError, loadConfig, type Config } from './config.ts';
export { createApp, type AppDeps } from './app.ts';
export { createParts, type Parts } from './parts.ts';
export type { OnPush, Push } from './http/wechat-push.ts';
export { startServer, type Server, type ServerOptions } from './server.ts';

export { authRouter } from './auth/router.ts';
export { userRouter } from './user/router.ts';
export { appRouter, type AppRouter } from './router.ts';
export { publicProcedure, router, signedInProcedure, type Context, type ErrorData, type WithReasons } from './trpc.ts';
export type { OpenData } from './auth/open-data.ts';
export { AppError, type OwnReason, type Reason, type Retry } from './errors.ts';
export { defineReasons } from './own-reasons.ts';

export { openStore } from './store/open.ts';
export { StoreError, type Session, type Store, type StoreOptions, type User } from './store/store.ts';

export { createLog, type Log } from './operations/log.ts';
export { openApiDocument } from './openapi.ts';
