import { trpcServer } from '@hono/trpc-server';
import type { AnyTRPCRouter } from '@trpc/server';
import type { MiddlewareHandler } from 'hono';
import type { CallEnv } from './context.ts';
import { procedurePath } from './json-calls.ts';
import { retryAfter } from './refusals.ts';

interface FetchAdapterOptions {
  router: AnyTRPCRouter;
  maxBatchSize: number;
}

/** tRPC's own adapter, for the requests that json-calls.ts does not answer. */
export function fetchAdapter(options: FetchAdapterOptions): MiddlewareHandler<CallEnv> {
  return async (c, next) => {
    const record = c.get('record');
    const adapter = trpcServer({
      ...options,
      // The adapter cuts the length of this off the path; by itself it does not know a prefix with a parameter.
      endpoint: c.req.path.slice(0, -procedurePath(c).length || undefined),
      allowMethodOverride: true,
      createContext: () => ({ ...c.get('context') }),
      responseMeta({ data, errors }) {
        const left = [...errors];
        record.settle({ errors: data.map((answer) => ('error' in answer ? left.shift() : undefined)) });
        return { headers: retryAfter(errors) };
      },
      onError({ path, error }) {
        if (path === undefined) record.settle({ failure: error });
      },
    });
    const response = await adapter(c, next);
    const isStream = response?.headers.get('content-type')?.startsWith('text/event-stream');
    // tRPC sends the error of a whole request as text/plain.
    if (!isStream) response?.headers.set('content-type', 'application/json');
    return response;
  };
}
