import {
  type AnyTRPCProcedure,
  type AnyTRPCRouter,
  getTRPCErrorFromUnknown,
  transformTRPCResponse,
  TRPCError,
} from '@trpc/server';
import { getHTTPStatusCode } from '@trpc/server/http';
import { getErrorShape } from '@trpc/server/shared';
import type { Context as HonoContext, MiddlewareHandler } from 'hono';
import { routePath } from 'hono/route';
import { answerHeaders } from './answer-headers.ts';
import { createCallInputs } from './call-inputs.ts';
import type { CallEnv } from './context.ts';
import { retryAfter } from './refusals.ts';
import { procedureRunner } from './run-procedure.ts';

interface JsonCallsOptions {
  router: AnyTRPCRouter;
  maxBatchSize: number;
}

type Answers = Parameters<typeof transformTRPCResponse>[1];

/**
 * Answers JSON calls of known procedures, alone or in a batch, as tRPC's fetch adapter does and with its public functions.
 * That adapter makes a URL, two sets of headers and several AbortControllers for each request, which cost more than the
 * rest of a signed-in call; what is not such a call goes on to it. test/http/parity.test.ts holds the two together.
 */
export function jsonCalls({ router, maxBatchSize }: JsonCallsOptions): MiddlewareHandler<CallEnv> {
  const { _config: config } = router._def;
  const procedures = new Map(
    Object.entries<AnyTRPCProcedure>(router._def.procedures).map(([path, procedure]) => [
      path,
      { type: procedure._def.type, run: procedureRunner(procedure) },
    ]),
  );

  return async (c, next) => {
    const calls = readCalls(c);
    return calls ? await answer(c, calls) : await next();
  };

  /** null where the adapter is to answer: refusals, subscriptions, lazy routers, connection params, other separators. */
  function readCalls(c: HonoContext<CallEnv>) {
    const { method, url } = c.req;
    const queryAt = url.indexOf('?');
    const query = queryAt < 0 ? '' : url.slice(queryAt + 1);
    // What a phone sends is one of two queries; the others are read as tRPC reads them.
    const isPlain = query === '' || query === 'batch=1';
    const parameters = isPlain ? null : new URLSearchParams(query);
    const isBatch = parameters ? parameters.get('batch') === '1' : query !== '';
    const below = procedurePath(c);
    const paths = isBatch ? below.split(',') : [below];
    const types = new Set(paths.map((path) => procedures.get(path)?.type));
    const [type] = types;
    if (paths.length > maxBatchSize || types.size > 1 || (type !== 'query' && type !== 'mutation')) return null;
    if (method !== 'POST' && !(method === 'GET' && type === 'query')) return null;
    if (url.includes('#') || parameters?.has('connectionParams') || config.pathSeparator !== '.') return null;
    return { paths, type, isBatch, queryInput: parameters?.get('input') ?? null } as const;
  }

  type Calls = NonNullable<ReturnType<typeof readCalls>>;

  async function answer(c: HonoContext<CallEnv>, { paths, type, isBatch, queryInput }: Calls): Promise<Response> {
    const ctx = c.get('context');
    const record = c.get('record');
    const readText = async () => (c.req.method === 'GET' ? queryInput : await c.req.text());
    const inputs = createCallInputs({ readText, isBatch, count: paths.length, transformer: config.transformer.input });
    const headers = answerHeaders(c.get('requestId'));
    headers['content-type'] = 'application/json';
    headers.vary = 'trpc-accept, accept';

    try {
      const results = await Promise.all(paths.map(run));
      const answers = results.map((result, index) =>
        result instanceof TRPCError ? { error: shapeOf(result, paths[index], index) } : { result },
      );
      const errors = results.map((result) => (result instanceof TRPCError ? result : undefined));
      record.settle({ errors });
      return respond(isBatch ? answers : (answers[0] as (typeof answers)[number]), errors);
    } catch (cause) {
      const failure = getTRPCErrorFromUnknown(cause);
      record.settle({ failure });
      return respond({ error: shapeOf(failure) }, [failure]);
    }

    async function run(path: string, batchIndex: number): Promise<{ data: unknown } | TRPCError> {
      let data: unknown;
      try {
        const getRawInput = () => inputs.read(batchIndex);
        data = await procedures.get(path)?.run({ path, type, ctx, getRawInput, signal: c.req.raw.signal, batchIndex });
      } catch (cause) {
        return getTRPCErrorFromUnknown(cause);
      }
      if (!holdsStream(data)) return { data };
      const message = 'Cannot use stream-like response in non-streaming request - use httpBatchStreamLink';
      const refusal = new TRPCError({ code: 'UNSUPPORTED_MEDIA_TYPE', message });
      if (isBatch) return refusal;
      throw refusal;
    }

    function shapeOf(error: TRPCError, path?: string, index = -1) {
      return getErrorShape({ config, ctx, error, input: inputs.known(index), path, type });
    }

    function respond(answers: Answers, errors: readonly (TRPCError | undefined)[]): Response {
      const status = getHTTPStatusCode(answers as Parameters<typeof getHTTPStatusCode>[0], errors);
      Object.assign(headers, retryAfter(errors));
      const response = new Response(JSON.stringify(transformTRPCResponse(config, answers)), { status, headers });
      c.set('complete', response);
      return response;
    }
  }
}

/** What stands behind `/trpc/`, wherever the app is mounted: the route's own path ends in `/*`. */
export function procedurePath(c: HonoContext): string {
  const depth = routePath(c).split('/').length - 1;
  return c.req.path.split('/').slice(depth).join('/');
}

/** Whether a result comes in pieces, or has a part that does: tRPC sends it to clients that ask for streams. */
function holdsStream(data: unknown): boolean {
  if (!isObject(data)) return false;
  return isAsyncIterable(data) || Object.values(data).some((part) => isPromise(part) || isAsyncIterable(part));
}

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isAsyncIterable = (value: unknown) => isObject(value) && Symbol.asyncIterator in value;

const hasMethod = (value: object, name: string) => typeof Reflect.get(value, name) === 'function';
const isPromise = (value: unknown) =>
  (isObject(value) || typeof value === 'function') && hasMethod(value, 'then') && hasMethod(value, 'catch');
