import { type AnyTRPCProcedure, initTRPC, TRPCError } from '@trpc/server';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { procedureRunner } from '../../src/http/run-procedure.ts';

interface Context {
  seen: unknown[];
}
const t = initTRPC.context<Context>().meta<{ about: string }>().create();

const noting = (name: string) =>
  t.middleware(async ({ ctx, path, type, input, meta, signal, batchIndex, getRawInput, next, ...rest }) => {
    ctx.seen.push([name, path, type, input, meta, signal, batchIndex, Object.keys(rest)]);
    ctx.seen.push([name, await getRawInput(), Object.keys(ctx)]);
    const result = await next();
    ctx.seen.push([name, result.ok, result.ok ? result.data : result.error.message]);
    return result;
  });
const adding = t.middleware(({ next }) => next({ ctx: { added: 1 } }));
const overwriting = t.middleware(({ ctx, next }) => next({ ctx: { seen: ctx.seen, added: 2 } }));
const withRawInput = t.middleware(({ next }) => next({ getRawInput: async () => ({ text: 'another' }) }));
const refusing = t.middleware(() => {
  throw new TRPCError({ code: 'FORBIDDEN', message: 'no further' });
});
const throwing = t.middleware(() => Promise.reject(new Error('unexpected')));
const renaming = t.middleware(async ({ next }) => {
  const result = await next();
  if (!result.ok) throw new TRPCError({ code: 'CONFLICT', message: 'renamed', cause: result.error });
  return result;
});
const twice = t.middleware(async ({ next }) => {
  await next();
  return next();
});
const text = z.object({ text: z.string().default('none') });
const start = t.procedure.use(noting('first'));

const procedures: Record<string, AnyTRPCProcedure> = {
  'only a resolver': t.procedure.query(() => 1),
  'nothing as its answer': t.procedure.query(() => undefined),
  'an input and an output': start
    .input(text)
    .use(noting('second'))
    .output(z.string())
    .mutation(({ input }) => input.text),
  'two inputs': start
    .input(text)
    .input(z.object({ more: z.number().optional() }))
    .query(({ input }) => input),
  'an input that is changed on the way': start
    .use(withRawInput)
    .input(text)
    .query(({ input }) => input),
  'more in the context': start
    .use(adding)
    .use(noting('second'))
    .query(({ ctx }) => ctx.added),
  'a context that is written over': start
    .use(adding)
    .use(overwriting)
    .query(({ ctx }) => ctx.added),
  'a middleware that refuses': start.use(refusing).query(() => 1),
  'a middleware that breaks': start.use(throwing).query(() => 1),
  'a resolver that breaks': start.query(() => {
    throw new Error('unexpected');
  }),
  'a resolver that throws a string': start.query(() => {
    // oxlint-disable-next-line typescript/only-throw-error
    throw 'words';
  }),
  'an error with another name': start.use(renaming).query(() => Promise.reject(new Error('cause'))),
  'an answer that is not what was declared': start.output(z.string()).query(() => 1 as unknown as string),
  'a middleware that goes on twice': start
    .use(twice)
    .use(noting('second'))
    .query(() => 1),
  'a meta': start
    .meta({ about: 'words' })
    .use(noting('second'))
    .query(() => 1),
};
const inputs = [undefined, null, {}, { text: 'words' }, { text: 1 }, { text: 'words', more: 'x' }, 'text'];

/** How it ends, and all that its middlewares saw. */
async function told(run: (ctx: Context) => Promise<unknown>) {
  const ctx: Context = { seen: [] };
  const end = await run(ctx).then(
    (data) => ['answered', data],
    (error: unknown) =>
      error instanceof TRPCError
        ? ['refused', error.code, error.message, error.cause?.name, error.cause?.message]
        : ['broke', error],
  );
  return { end, seen: ctx.seen };
}

const { signal } = new AbortController();

describe('our loop over the middlewares of a procedure and tRPC’s', () => {
  test.each(Object.entries(procedures))(
    'both loops end in the same way, and show each middleware the same, with %s',
    async (_, procedure) => {
      const run = procedureRunner(procedure);
      const { type } = procedure._def;
      for (const input of inputs) {
        const ours = await told((ctx) =>
          run({
            path: 'a.b',
            type: type === 'mutation' ? type : 'query',
            ctx,
            getRawInput: async () => input,
            signal,
            batchIndex: 0,
          }),
        );
        const theirs = await told((ctx) =>
          procedure({
            path: 'a.b',
            type: type === 'mutation' ? type : 'query',
            ctx,
            getRawInput: async () => input,
            signal,
            batchIndex: 0,
          }),
        );
        expect(ours).toEqual(theirs);
      }
    },
  );

  test('a procedure of an unknown shape runs itself', async () => {
    const calls: unknown[] = [];
    const stranger = Object.assign(
      async (options: object) => {
        calls.push(Object.keys(options).toSorted());
        return 'answered';
      },
      { _def: { type: 'query', middlewares: 'of another kind' } },
    ) as unknown as AnyTRPCProcedure;
    expect(
      await procedureRunner(stranger)({
        path: 'a',
        type: 'query',
        ctx: {},
        getRawInput: async () => 1,
        signal,
        batchIndex: 0,
      }),
    ).toBe('answered');
    expect(calls).toEqual([['batchIndex', 'ctx', 'getRawInput', 'path', 'signal', 'type']]);
  });
});
