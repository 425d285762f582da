import { fastify } from 'fastify';
import { logCall, login, me, Refused } from './by-hand.ts';

// Fastify around the same work by hand, with its schemas for the input and the answer, as its documentation advises.

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
const body = {
  type: 'object',
  required: ['code', 'rawData', 'signature', 'encryptedData', 'iv'],
  properties: { code: text, rawData: text, signature: text, encryptedData: text, iv: text },
} as const;
const loggedIn = { type: 'object', properties: { user, token: text, expiresAt: { type: 'integer' } } } as const;

app.setErrorHandler((error, _, reply) => void reply.code(error instanceof Refused ? 401 : 500).send({}));
app.addHook('onResponse', async (request, reply) => logCall(request.url, performance.now() - reply.elapsedTime));
app.post('/login', { schema: { body, response: { 200: loggedIn } } }, async ({ body }, reply) => {
  void reply.header('cache-control', 'no-store');
  return await login(body);
});
app.get('/me', { schema: { response: { 200: user } } }, async ({ headers }, reply) => {
  void reply.header('cache-control', 'no-store');
  return await me(headers.authorization);
});

await app.listen({ port: Number(process.env.PORT), host: '127.0.0.1' });
console.log('listening');
