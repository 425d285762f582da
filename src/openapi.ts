import type { AnyTRPCRouter } from '@trpc/server';
import { z } from 'zod';
import { outcomes, type OwnReason } from './errors.ts';
import { accountProcedure, signedInProcedure } from './trpc.ts';

interface Definition {
  type: 'query' | 'mutation' | 'subscription';
  inputs: readonly z.ZodType[];
  output?: z.ZodType;
  middlewares: readonly unknown[];
}

/** tRPC keeps these on every procedure and leaves them out of its types. The one place that reads them. */
const definitionOf = (procedure: unknown) => (procedure as { _def: Definition })._def;

const failureWith = (reasons: readonly string[]) =>
  z.object({
    error: z.object({
      message: z.string(),
      code: z.number().describe('A JSON-RPC number; branch on data.reason'),
      data: z.object({
        code: z.string(),
        httpStatus: z.number(),
        path: z.string().nullable(),
        reason: z.enum(reasons),
        retry: z.enum(['login', 'later', 'never']).describe('login: call wx.login again'),
      }),
    }),
  });

/**
 * An OpenAPI 3.1 document of a router's procedures as they cross the wire, each call alone: batches are for tRPC's own
 * clients. The inputs and outputs are those that the procedures declare, with zod 4; what a refinement asks for beyond is
 * not said. `reasons` are an owner's own, of `defineReasons`.
 */
export function openApiDocument(
  router: AnyTRPCRouter,
  info: { title: string; version: string },
  reasons: Readonly<Record<string, OwnReason>> = {},
) {
  const failure = failureWith([...Object.keys(outcomes), ...Object.keys(reasons)]);
  const procedures: Record<string, unknown> = router._def.procedures;
  return {
    openapi: '3.1.0',
    info,
    paths: Object.fromEntries(
      Object.entries(procedures).map(([name, procedure]) => {
        const definition = definitionOf(procedure);
        const isBare = definition.type === 'query' && definition.inputs.length === 0;
        return [`/trpc/${name}`, { [isBare ? 'get' : 'post']: operation(name, definition) }];
      }),
    ),
    components: {
      schemas: { Failure: schemaOf(failure, 'output') },
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
    },
  };
}

function operation(name: string, { inputs, output, middlewares }: Definition) {
  const signedIn = [signedInProcedure, accountProcedure].map((each) => definitionOf(each).middlewares.at(-1));
  const [input] = inputs;
  const answer = z.object({ result: z.object({ data: output ?? z.unknown() }) });
  return {
    operationId: name,
    ...(signedIn.some((each) => middlewares.includes(each)) && { security: [{ token: [] }] }),
    ...(input && { requestBody: { required: true, content: jsonOf(schemaOf(input, 'input')) } }),
    responses: {
      200: { description: 'It is done', content: jsonOf(schemaOf(answer, 'output')) },
      default: { description: 'It failed', content: jsonOf({ $ref: '#/components/schemas/Failure' }) },
    },
  };
}

const jsonOf = (schema: object) => ({ 'application/json': { schema } });

function schemaOf(type: z.ZodType, io: 'input' | 'output') {
  const { $schema: _, ...schema } = z.toJSONSchema(type, { io });
  return schema;
}
