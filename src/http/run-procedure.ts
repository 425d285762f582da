import { type AnyTRPCProcedure, getTRPCErrorFromUnknown, type TRPCError } from '@trpc/server';

interface Call {
  path: string;
  type: 'query' | 'mutation';
  ctx: object;
  getRawInput: () => Promise<unknown>;
  signal: AbortSignal;
  batchIndex: number;
}

/** What a middleware may change for the next one. */
interface Changes {
  ctx?: object;
  input?: unknown;
  getRawInput?: () => Promise<unknown>;
}

type Result = { ok: true; data: unknown } | { ok: false; error: TRPCError };
type Middleware = (options: object) => Promise<Result | undefined>;

/**
 * Makes a function that runs the middlewares and the resolver of a procedure, as the procedure itself does. tRPC's own loop
 * is compiled for old runtimes and copies its options and the context key by key at each step, a tenth of a signed-in
 * call. It reads `_def.middlewares`, which is not public: where that is not a list, the procedure runs itself.
 * test/http/run-procedure.test.ts holds both together.
 */
export function procedureRunner(procedure: AnyTRPCProcedure): (call: Call) => Promise<unknown> {
  const definition = procedure._def as {
    middlewares?: readonly Middleware[];
    meta?: unknown;
    experimental_caller?: boolean;
  };
  const { middlewares, meta } = definition;
  if (!Array.isArray(middlewares) || middlewares.length === 0 || definition.experimental_caller) return procedure;
  const steps: readonly Middleware[] = middlewares;

  return async (call) => {
    const { path, type, signal, batchIndex } = call;
    const result = await step(0, call.ctx, undefined, call.getRawInput);
    if (!result) throw new Error('a middleware returned nothing: it does not return next()');
    if (!result.ok) throw result.error;
    return result.data;

    async function step(index: number, ctx: object, input: unknown, getRawInput: Call['getRawInput']) {
      const next = (changes: Changes = {}) =>
        step(
          index + 1,
          changes.ctx ? { ...ctx, ...changes.ctx } : ctx,
          'input' in changes ? changes.input : input,
          changes.getRawInput ?? getRawInput,
        );
      try {
        // After the resolver there is no step: a `next()` there fails here as in tRPC's own loop.
        const middleware = steps[index] as Middleware;
        return await middleware({ path, type, meta, ctx, input, getRawInput, signal, batchIndex, next });
      } catch (cause) {
        return { ok: false as const, error: getTRPCErrorFromUnknown(cause) };
      }
    }
  };
}
