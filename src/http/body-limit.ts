import type { AnyTRPCProcedure, AnyTRPCRouter } from '@trpc/server';
import type { Context as HonoContext, MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { AppError } from '../errors.ts';
import type { ProcedureMeta } from '../trpc.ts';
import type { CallEnv } from './context.ts';
import { procedurePath } from './json-calls.ts';
import type { Refusals } from './refusals.ts';
import type { UploadLimiter } from './upload-limiter.ts';

/** For a request whose procedures set no `maxBodyBytes`. */
const defaultMaxBytes = 64 * 1024;

interface LimitBodyOptions {
  router: AnyTRPCRouter;
  refusals: Refusals;
  uploads: UploadLimiter;
}

/**
 * Refuses bodies larger than the procedures of the request take: 64 KiB, or the largest `maxBodyBytes` of their `.meta()`.
 * A body between the two is an upload, and passes the limiter of these. The calls begin when the body is there.
 */
export function limitBody({ router, refusals, uploads }: LimitBodyOptions): MiddlewareHandler<CallEnv> {
  const procedures = new Map(Object.entries<AnyTRPCProcedure>(router._def.procedures));

  return async (c, next) => {
    const declared = c.req.header('transfer-encoding') === undefined ? c.req.header('content-length') : undefined;
    const length = Number(declared ?? Infinity);
    // The body of a GET is not read, and its end need not be known.
    if (c.req.method === 'GET' && declared === undefined) return next();
    if (length <= defaultMaxBytes) {
      // Before the token is looked up: one that is revoked while the body is on the way is refused.
      if (c.req.method === 'POST' && length > 0) await c.req.text();
      return next();
    }
    const maxBytes = maxBytesOf(c);
    if (declared !== undefined && length > maxBytes) return refusals.refuse(new AppError('TOO_LARGE'));
    // The end of an undeclared body is not known: the rest of one that is too large is not read.
    const onError = () => refusals.refuse(new AppError('TOO_LARGE'), { connection: 'close' });
    const limitUndeclared = bodyLimit({ maxSize: maxBytes, onError });
    if (maxBytes <= defaultMaxBytes) return limitUndeclared(c, next);
    const readUndeclared = () => limitUndeclared(c, async () => {});
    const readDeclared = () => c.req.text().then(() => undefined);
    return await uploads.run(c, { readBody: declared === undefined ? readUndeclared : readDeclared, answer: next });
  };

  function maxBytesOf(c: HonoContext<CallEnv>): number {
    if (c.req.method !== 'POST') return defaultMaxBytes;
    const paths = procedurePath(c).split(',');
    const metas = paths.map((path) => procedures.get(path)?._def.meta as ProcedureMeta | undefined);
    return Math.max(...metas.map((meta) => meta?.maxBodyBytes ?? defaultMaxBytes));
  }
}
