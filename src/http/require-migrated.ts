import type { MiddlewareHandler } from 'hono';
import { AppError } from '../errors.ts';
import type { Refusals } from './refusals.ts';

/** Refuses calls until the tables are there: a call made before would spend its code, and then fail. */
export function requireMigrated(hasTables: () => boolean, refusals: Refusals): MiddlewareHandler {
  return async (_, next) =>
    hasTables() ? next() : refusals.refuse(new AppError('DATABASE_UNAVAILABLE', { retryAfterSeconds: 1 }));
}
