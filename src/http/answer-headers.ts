import type { MiddlewareHandler } from 'hono';
import type { CallEnv } from './context.ts';

/** The headers of every answer. */
export function answerHeaders(requestId: string): Record<string, string> {
  return { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff', 'x-request-id': requestId };
}

/**
 * Sets these headers on the answer that comes back, since a handler may answer with a Response of its own. An answer that
 * has them already, and was not replaced since, is left alone: its plain headers need not become a Headers object.
 */
export const setAnswerHeaders: MiddlewareHandler<CallEnv> = async (c, next) => {
  await next();
  if (c.res === c.get('complete')) return;
  const { headers } = c.res;
  for (const [name, value] of Object.entries(answerHeaders(c.get('requestId')))) {
    if (name !== 'cache-control' || !headers.has(name)) headers.set(name, value);
  }
};
