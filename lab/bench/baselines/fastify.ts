import { randomUUID } from 'node:crypto';
import { fastify } from 'fastify';
import { answerHeaders, readCalls, runCall, statusOf } from './calls.ts';

// Fastify around the same work by hand, with its schemas for the inputs and the answers, as its documentation advises.

const app = fastify({ bodyLimit: 64 * 1024 });
const text = { type: 'string' } as const;
const nullableText = { type: 'string', nullable: true } as const;
const user = {
  type: 'object',
  properties: {
    ...Object.fromEntries(
      ['nickName', 'avatarUrl', 'language', 'city', 'province', 'country'].map((name) => [name, nullableText]),
    ),
    gender: { type: 'integer', nullable: true },
    hasProfile: { type: 'boolean' },
    hasPhone: { type: 'boolean' },
  },
} as const;
const loggedIn = { user, token: text, expiresAt: { type: 'integer' } } as const;
const result = (data: object) => ({
  type: 'object',
  properties: { result: { type: 'object', properties: { data } } },
});
const schemas: Record<string, { input?: object; answer: object }> = {
  'auth.login': {
    input: {
      type: 'object',
      required: ['code', 'rawData', 'signature', 'encryptedData', 'iv'],
      properties: { code: text, rawData: text, signature: text, encryptedData: text, iv: text, appId: text },
    },
    answer: result({ type: 'object', properties: loggedIn }),
  },
  'auth.checkUser': {
    input: { type: 'object', required: ['code'], properties: { code: text, appId: text } },
    answer: result({ type: 'object', properties: { hasProfile: { type: 'boolean' }, ...loggedIn } }),
  },
  'user.me': { answer: result(user) },
};

app.route({
  method: ['GET', 'POST'],
  url: '/trpc/:names',
  async handler(request, reply) {
    const calls = readCalls(request.method, request.url);
    if (!calls) return reply.code(404).send({});
    const inputs = calls.isBatch ? Object(request.body) : { 0: request.body };
    for (const [index, name] of calls.names.entries()) {
      const { input } = schemas[name];
      if (input && !request.validateInput(inputs[index], input)) return reply.code(400).send({});
    }
    const requestId = randomUUID();
    const context = { requestId, authorization: request.headers.authorization };
    const results = await Promise.all(calls.names.map((name, index) => runCall(name, inputs[index], context)));
    const answers = results.map((result, index) =>
      'data' in result
        ? reply.serializeInput({ result }, schemas[calls.names[index]].answer)
        : JSON.stringify({ error: result.error }),
    );
    reply.code(statusOf(results)).headers(answerHeaders(requestId));
    return reply.send(calls.isBatch ? `[${answers.join()}]` : answers[0]);
  },
});

await app.listen({ port: Number(process.env.PORT), host: '127.0.0.1' });
console.log('listening');
