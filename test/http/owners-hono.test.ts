import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { Hono } from 'hono';
import { compress } from 'hono/compress';
import { cors } from 'hono/cors';
import { logger } from 'hono/logger';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createApp } from '../../src/app.ts';
import { loadConfig } from '../../src/config.ts';
import { createLog } from '../../src/operations/log.ts';
import { createParts, type Parts } from '../../src/parts.ts';
import { type Backend, startBackend } from '../support/backend.ts';

const origin = 'https://owner.example';
const json = { 'content-type': 'application/json', origin };
const codeOf = (backend: Backend, user: string) => backend.standin.phone.login({ user }).code;

/** Some 150 KiB of base64: noise is not made smaller. */
async function largePicture(): Promise<string> {
  const raw = { width: 200, height: 200, channels: 3 } as const;
  const bytes = await sharp(randomBytes(200 * 200 * 3), { raw })
    .png()
    .toBuffer();
  return bytes.toString('base64');
}

describe('middleware that an owner adds', () => {
  const lines: string[] = [];
  let backend: Backend;
  beforeAll(async () => {
    backend = await startBackend({
      app(app) {
        app.use(logger((line) => lines.push(line)));
        app.use(cors({ origin }));
        app.use(compress({ threshold: 1 }));
        app.get('/hello', (c) => c.text('hello'));
        app.use('/trpc/*', async (c, next) => {
          c.header('x-owner', 'before');
          await next();
          c.res.headers.set('x-owner-after', c.req.path);
        });
      },
    });
  });
  afterAll(() => backend.close());

  const call = (path: string, init: RequestInit = {}) => fetch(`${backend.url}${path}`, { headers: json, ...init });
  const post = (path: string, body: unknown, headers: Record<string, string> = json) =>
    call(path, { method: 'POST', headers, body: JSON.stringify(body) });

  const requests: [string, number, () => Promise<Response>][] = [
    ['a call alone', 200, () => post('/trpc/auth.checkUser', { code: codeOf(backend, 'a') })],
    [
      'a call as a phone sends it',
      200,
      () => post('/trpc/auth.checkUser?batch=1', { 0: { code: codeOf(backend, 'b') } }),
    ],
    ['a query by GET', 401, () => call('/trpc/user.me')],
    [
      'a batch of two',
      207,
      () => post('/trpc/auth.checkUser,auth.logout?batch=1', { 0: { code: codeOf(backend, 'c') } }),
    ],
    ['an unknown procedure', 404, () => post('/trpc/auth.nothing', {})],
    ['a refused media type', 415, () => post('/trpc/auth.checkUser', {}, { origin, 'content-type': 'text/plain' })],
    ['a body that is too large', 413, () => post('/trpc/auth.checkUser', { code: ' '.repeat(65_536) })],
    ['a probe', 200, () => call('/healthz')],
    ['an avatar that is not there', 404, () => call('/avatars/none.webp')],
  ];

  test.each(requests)('CORS, a request logger and a compressor see %s', async (_, status, send) => {
    lines.length = 0;
    const response = await send();
    expect([response.status, await response.text()]).toEqual([status, expect.stringMatching(/^[{[]/)]);
    expect(response.headers.get('access-control-allow-origin')).toBe(origin);
    expect(response.headers.get('content-encoding')).toBe('gzip');
    expect(response.headers.get('x-request-id')).toMatch(/^[\w-]{8,64}$/);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    expect(lines).toHaveLength(2);
    const path = new URL(response.url).pathname;
    expect(response.headers.get('x-owner-after')).toBe(path.startsWith('/trpc') ? path : null);
  });

  test('an owner’s CORS answers a preflight, and an owner’s routes are served', async () => {
    const headers = { origin, 'access-control-request-method': 'POST' };
    const preflight = await call('/trpc/auth.login', { method: 'OPTIONS', headers });
    expect([preflight.status, preflight.headers.get('access-control-allow-origin')]).toEqual([204, origin]);
    expect(await (await call('/hello')).text()).toBe('hello');
  });
});

describe('the app under a prefix of a larger one', () => {
  let backend: Backend;
  let parts: Parts;
  beforeAll(async () => {
    backend = await startBackend();
    parts = await createParts(loadConfig(backend.environment), {
      log: createLog('silent'),
      now: () => backend.clock.now,
    });
  });
  afterAll(async () => {
    await parts.close();
    await backend.close();
  });

  const hosts: Record<string, () => Hono> = {
    'route()': () => new Hono().route('/api', createApp(parts) as unknown as Hono),
    'basePath()': () => new Hono().basePath('/api').route('/', createApp(parts) as unknown as Hono),
    'mount()': () => new Hono().mount('/api', createApp(parts).fetch),
    'route() with a parameter': () => new Hono().route('/:tenant', createApp(parts) as unknown as Hono),
  };

  test.each(Object.entries(hosts))(
    'calls, limits, refusals and health mounted by %s are as at the root',
    async (_, hostOf) => {
      const host = hostOf();
      const server = createServer((incoming, outgoing) => void getRequestListener(host.fetch)(incoming, outgoing));
      await once(server.listen(0, '127.0.0.1'), 'listening');
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const post = async (path: string, body: unknown, headers: Record<string, string> = {}) => {
        const init = { method: 'POST', headers: { ...json, ...headers }, body: JSON.stringify(body) };
        const response = await fetch(`${url}/api${path}`, init);
        return { status: response.status, answer: JSON.parse(await response.text()) };
      };
      try {
        const alone = await post('/trpc/auth.checkUser', { code: codeOf(backend, 'alone') });
        expect(alone.status).toBe(200);
        const { token } = alone.answer.result.data;
        const batch = await post('/trpc/auth.checkUser,user.me?batch=1', {});
        expect([batch.status, batch.answer.error.data.reason]).toEqual([400, 'INPUT_INVALID']);
        const phone = await post('/trpc/user.me?batch=1', {}, { authorization: `Bearer ${token}` });
        expect([phone.status, phone.answer[0].result.data.hasProfile]).toEqual([200, false]);

        const avatar = await largePicture();
        const uploaded = await post('/trpc/user.updateProfile', { avatar }, { authorization: `Bearer ${token}` });
        expect([uploaded.status, uploaded.answer.result.data.avatarUrl]).toEqual([
          200,
          expect.stringMatching(/^\/avatars\//),
        ]);
        expect(await post('/trpc/auth.checkUser', { code: avatar })).toMatchObject({
          status: 413,
          answer: { error: { data: { reason: 'TOO_LARGE' } } },
        });
        expect((await post('/trpc/auth.checkUser', {}, { 'content-type': 'text/plain' })).status).toBe(415);
        expect((await post('/trpc/auth.nothing', {})).answer.error.data.reason).toBe('INPUT_INVALID');

        const statusOf = async (path: string) => (await fetch(`${url}${path}`)).status;
        expect(await statusOf('/api/healthz')).toBe(200);
        expect(await statusOf('/api/readyz')).toBe(200);
        expect(await statusOf(`/api${uploaded.answer.result.data.avatarUrl}`)).toBe(200);
      } finally {
        server.close();
      }
    },
  );
});
