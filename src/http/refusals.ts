import { type AnyTRPCRouter, TRPCError, transformTRPCResponse } from '@trpc/server';
import { getHTTPStatusCodeFromError } from '@trpc/server/http';
import { getErrorShape } from '@trpc/server/shared';
import type { MiddlewareHandler } from 'hono';
import { AppError } from '../errors.ts';

type TrpcCode = TRPCError['code'];

/** Answers a request as a whole, before any call of it is looked at. */
export interface Refusals {
  /** An answer in tRPC's own shape, as the router's error formatter and transformer have it. */
  refuse(error: TRPCError | TrpcCode, headers?: Record<string, string>): Response;
  /** The body of such an answer. tRPC has no code for some of HTTP's statuses: then `httpStatus` differs from the code's. */
  body(error: TRPCError, httpStatus: number): string;
}

export function createRefusals(router: AnyTRPCRouter): Refusals {
  const config = router._def._config;

  function body(error: TRPCError, httpStatus: number): string {
    const shape = getErrorShape({ config, error, type: 'unknown', path: undefined, input: undefined, ctx: undefined });
    return JSON.stringify(transformTRPCResponse(config, { error: { ...shape, data: { ...shape.data, httpStatus } } }));
  }

  return {
    body,
    refuse(what, headers = {}) {
      const error = typeof what === 'string' ? new TRPCError({ code: what }) : what;
      const status = getHTTPStatusCodeFromError(error);
      return new Response(body(error, status), {
        status,
        headers: { 'content-type': 'application/json', ...retryAfter([error]), ...headers },
      });
    },
  };
}

/** Refuses calls until the tables are there: a call made before would spend its code, and then fail. */
export function requireMigrated(hasTables: () => boolean, refusals: Refusals): MiddlewareHandler {
  return async (_, next) =>
    hasTables() ? next() : refusals.refuse(new AppError('DATABASE_UNAVAILABLE', { retryAfterSeconds: 1 }));
}

/** The header that says when to come back, where one of the errors knows. */
export function retryAfter(errors: readonly (TRPCError | undefined)[]): Record<string, string> {
  const seconds = errors.map((error) => (error instanceof AppError ? (error.retryAfterSeconds ?? 0) : 0));
  const longest = Math.max(0, ...seconds);
  return longest > 0 ? { 'retry-after': String(Math.ceil(longest)) } : {};
}
