import { request } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startBackend, type Backend } from '../support/backend.ts';

let backend: Backend;
beforeAll(async () => {
  backend = await startBackend();
});
afterAll(() => backend.close());

const json = { 'content-type': 'application/json' };
const call = (path: string, init: RequestInit = {}) => fetch(`${backend.url}${path}`, { redirect: 'manual', ...init });
const post = (path: string, body: unknown, headers: Record<string, string> = json) =>
  call(path, { method: 'POST', headers, body: typeof body === 'string' ? body : JSON.stringify(body) });

interface ErrorBody {
  error: { message: string; code: number; data: Record<string, unknown> };
}

/** Every answer under /trpc: JSON in tRPC's shape, not to be stored, with an id. */
async function expectRefusal(response: Response, status: number, reason = 'INPUT_INVALID'): Promise<ErrorBody> {
  const text = await response.text();
  expect([response.status, text]).toEqual([status, expect.stringContaining(reason)]);
  expect(response.headers.get('content-type')).toBe('application/json');
  expect(response.headers.get('cache-control')).toBe('no-store');
  expect(response.headers.get('x-request-id')).toMatch(/^[\w-]{8,64}$/);
  const body: ErrorBody = JSON.parse(text);
  expect(Object.keys(body)).toEqual(['error']);
  expect(Object.keys(body.error.data).toSorted()).toEqual(['code', 'httpStatus', 'path', 'reason', 'retry']);
  expect(body.error.data).toMatchObject({ httpStatus: status, reason });
  return body;
}

describe('health', () => {
  test('/healthz says that the process lives, /readyz that the database answers', async () => {
    for (const path of ['/healthz', '/readyz']) {
      const response = await call(path);
      expect([response.status, await response.json()]).toEqual([200, { status: 'ok' }]);
      expect(response.headers.get('cache-control')).toBe('no-store');
    }
  });

  test('any other path is answered with 404 in JSON', async () => {
    for (const path of ['/', '/trpcx', '/metrics', '/avatars/../etc/passwd', '/favicon.ico']) {
      const response = await call(path);
      expect([response.status, await response.json()]).toEqual([404, { status: 'not found' }]);
    }
  });
});

describe('answers', () => {
  test('a successful call is answered in JSON, with no-store and an id of its own', async () => {
    const answers = await Promise.all(
      ['a', 'b'].map((user) => post('/trpc/auth.checkUser', { code: backend.standin.phone.login({ user }).code })),
    );
    for (const response of answers) {
      expect(response.status).toBe(200);
      expect(response.headers.get('content-type')).toBe('application/json');
      expect(response.headers.get('cache-control')).toBe('no-store');
      expect(await response.json()).toMatchObject({ result: { data: { hasProfile: false } } });
    }
    expect(answers[0]?.headers.get('x-request-id')).not.toBe(answers[1]?.headers.get('x-request-id'));
  });

  test('the request id is chosen by the caller only behind a trusted proxy', async () => {
    const response = await call('/healthz', { headers: { 'x-request-id': 'chosen-by-me' } });
    expect(response.headers.get('x-request-id')).not.toBe('chosen-by-me');
    const behindProxy = await startBackend({ env: { TRUST_PROXY_HOPS: '1' } });
    const kept = await fetch(`${behindProxy.url}/healthz`, { headers: { 'x-request-id': 'chosen-by-proxy' } });
    expect(kept.headers.get('x-request-id')).toBe('chosen-by-proxy');
    await behindProxy.close();
  });

  test('a query may be a GET or a POST, a mutation is a POST', async () => {
    await expectRefusal(await call('/trpc/user.me'), 401, 'SESSION_INVALID');
    await expectRefusal(await post('/trpc/user.me', ''), 401, 'SESSION_INVALID');
    const response = await call('/trpc/auth.checkUser?input=%7B%22code%22%3A%22abc%22%7D');
    expect(response.headers.get('allow')).toBe('POST');
    await expectRefusal(response, 405);
  });
});

describe('a request that cannot be a call is refused before WeChat or the database is asked', () => {
  test('a method other than GET and POST is refused', async () => {
    for (const method of ['PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND']) {
      await expectRefusal(await call('/trpc/auth.checkUser', { method }), 405);
    }
  });

  test('a body of another media type or character set, or encoded, is refused', async () => {
    const body = JSON.stringify({ code: 'abc' });
    const types = [
      'text/plain',
      'multipart/form-data; boundary=x',
      'application/octet-stream',
      'application/x-www-form-urlencoded',
      'application/jsonl',
      'application/json; charset=gbk',
      'application/json, text/plain',
      'text/plain; application/json',
      '',
    ];
    for (const type of types)
      await expectRefusal(await post('/trpc/auth.checkUser', body, { 'content-type': type }), 415);
    await expectRefusal(await post('/trpc/auth.checkUser', body, { ...json, 'content-encoding': 'gzip' }), 415);
    await expectRefusal(
      await post('/trpc/auth.checkUser?batch=1', body, { ...json, 'trpc-accept': 'application/jsonl' }),
      415,
    );
    const spellings = [
      '; charset=UTF-8',
      '; charset=utf8',
      ';charset="utf-8"',
      '; charset=utf-8;',
      ';',
      ' ; Charset=UTF8 ',
    ];
    for (const spelling of spellings) {
      await expectRefusal(
        await post('/trpc/auth.checkUser', '{}', { 'content-type': `Application/JSON${spelling}` }),
        400,
      );
    }
  });

  test('a body over 64 KiB is refused, with or without a declared length', async () => {
    const spaces = ' '.repeat(64 * 1024);
    await expectRefusal(await post('/trpc/auth.checkUser', `${spaces}{}`), 413, 'TOO_LARGE');
    const chunked = await new Promise<number>((resolve, reject) => {
      const { hostname, port } = new URL(backend.url);
      const outgoing = request(
        { hostname, port, path: '/trpc/auth.checkUser', method: 'POST', headers: json },
        (answer) => {
          answer.resume();
          resolve(answer.statusCode ?? 0);
        },
      );
      outgoing.on('error', reject);
      outgoing.write(spaces);
      outgoing.end('{}');
    });
    expect(chunked).toBe(413);
    await expectRefusal(await post('/trpc/auth.checkUser', `${spaces.slice(2)}{}`), 400);
  });

  test('a body of broken JSON, and an input that is not an object, are refused', async () => {
    for (const body of ['{', 'undefined', '{"code":', '\u0000', '[', 'secret-looking-text']) {
      const { error } = await expectRefusal(await post('/trpc/auth.checkUser', body), 400);
      expect(error.message).not.toContain('secret');
    }
    for (const body of [
      '',
      'null',
      '1',
      '"code"',
      '[]',
      '{}',
      '{"code":null}',
      '{"code":{}}',
      '{"__proto__":{"code":"abc"}}',
    ]) {
      await expectRefusal(await post('/trpc/auth.checkUser', body), 400);
    }
    expect((await post('/trpc/auth.checkUser?batch=1', '[]')).status).toBe(400);
  });

  test('an unknown procedure is refused without its name', async () => {
    for (const path of ['auth.nothing', 'auth', 'constructor', '__proto__', 'auth.login.x', 'user.me,user.me', '%00']) {
      const { error } = await expectRefusal(await post(`/trpc/${path}`, {}), 404);
      expect(error.data.path).toBeNull();
    }
    await expectRefusal(await post('/trpc/', {}), 404);
    await expectRefusal(await post('/trpc/%zz', {}), 400);
  });

  test('a batch of more than 10 calls is refused, and none of them runs', async () => {
    const codes = Array.from({ length: 11 }, (_, index) => backend.standin.phone.login({ user: `batch${index}` }).code);
    const path = (count: number) => `/trpc/${Array.from({ length: count }, () => 'auth.checkUser').join(',')}?batch=1`;
    const body = Object.fromEntries(codes.map((code, index) => [index, { code }]));
    await expectRefusal(await post(path(11), body), 400);
    const response = await post(path(10), body);
    expect(response.status).toBe(200);
    expect(await response.json()).toHaveLength(10);
  });

  test('WeChat saw the calls that were calls, and no other request', () => {
    expect(backend.standin.phone.stats().paths['/sns/jscode2session']?.requests).toBe(12);
  });
});

describe('batches', () => {
  test('each call of a batch has its own answer: 207 when they differ', async () => {
    const { code } = backend.standin.phone.login({ user: 'mixed' });
    const response = await post('/trpc/auth.checkUser,auth.checkUser,auth.logout?batch=1', {
      0: { code },
      1: { code: '!' },
    });
    expect(response.status).toBe(207);
    expect(await response.json()).toMatchObject([
      { result: { data: { hasProfile: false } } },
      { error: { data: { reason: 'INPUT_INVALID', path: 'auth.checkUser' } } },
      { error: { data: { reason: 'SESSION_INVALID', path: 'auth.logout' } } },
    ]);
  });

  test('a batch refused as a whole is answered by one error in JSON', async () => {
    await expectRefusal(await post('/trpc/auth.checkUser,user.me?batch=1', {}), 400);
  });
});

/** What comes back for these bytes until the server hangs up, or for 2 s. */
async function raw(text: string): Promise<Response> {
  const { hostname, port } = new URL(backend.url);
  const answer = await new Promise<string>((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.write(text));
    let received = '';
    const late = setTimeout(() => socket.destroy(), 2000);
    socket.on('data', (chunk) => (received += chunk.toString()));
    socket.on('close', () => {
      clearTimeout(late);
      resolve(received);
    });
    socket.on('error', reject);
  });
  const [head = '', body = ''] = answer.split('\r\n\r\n');
  const [first = '', ...lines] = head.split('\r\n');
  const headers = lines.map((line): [string, string] => [line.split(': ')[0] ?? '', line.split(': ')[1] ?? '']);
  if (!text.startsWith('HEAD'))
    expect(Number(new Headers(headers).get('content-length'))).toBe(Buffer.byteLength(body));
  return new Response(body, { status: Number(first.split(' ')[1]), headers });
}

describe('a request that breaks HTTP is answered in the shape of every refusal', () => {
  const head = (path: string, ...lines: string[]) =>
    ['POST', path, 'HTTP/1.1'].join(' ') +
    ['', 'connection: close', 'content-type: application/json', 'content-length: 2', ...lines, '', '{}'].join('\r\n');
  const call = (...lines: string[]) => head('/trpc/auth.checkUser', ...lines);

  test.each([
    ['an invalid host', call('host: a b')],
    ['a host with a path', call('host: a/b')],
    ['a host with a user', call('host: a@b')],
    ['a path with a backslash', head('/trpc/auth\\checkUser', 'host: x')],
    ['bytes other than HTTP', 'NONSENSE\r\n\r\n'],
    ['an unknown version', 'POST /trpc/auth.checkUser HTTP/9.9\r\nhost: x\r\n\r\n'],
    ['a malformed header', call('host: x', 'no colon')],
    ['two lengths', call('host: x', 'content-length: 3')],
  ])('a request with %s is answered with 400', async (_, text) => {
    await expectRefusal(await raw(text), 400);
  });

  test('a request whose headers are too long is answered with 431', async () => {
    await expectRefusal(await raw(call('host: x', `x: ${'a'.repeat(20_000)}`)), 431);
  });

  test('a broken request outside of /trpc is answered in JSON too, with an id', async () => {
    await expectRefusal(await raw(head('/healthz', 'host: a b')), 400);
  });

  test('a GET that declares a body over 64 KiB is answered with 413, and a small body is not read', async () => {
    const get = (path: string, length: number) =>
      raw(`GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: ${length}\r\n\r\n{}`);
    await expectRefusal(await get('/trpc/user.me', 65_537), 413, 'TOO_LARGE');
    await expectRefusal(await get('/trpc/user.updateProfile', 65_537), 413, 'TOO_LARGE');
    await expectRefusal(await get('/trpc/user.me', 2), 401, 'SESSION_INVALID');
  });

  test.each(['GET', 'HEAD'])(
    'an HTTP/1.0 %s probe without a host, or with an empty one, is answered',
    async (method) => {
      for (const path of ['/healthz', '/readyz', '/avatars/x.webp']) {
        for (const lines of ['HTTP/1.0\r\n', 'HTTP/1.0\r\nhost: \r\n', 'HTTP/1.1\r\nconnection: close\r\n']) {
          const { status } = await raw(`${method} ${path} ${lines}\r\n`);
          expect([path, lines, status]).toEqual([path, lines, path.startsWith('/avatars') ? 404 : 200]);
        }
      }
    },
  );

  test('a host may be a name, an address or a port', async () => {
    for (const host of ['localhost', 'LOGIN.example.com:8080', '[::1]:8080', '127.0.0.1:80', 'under_score']) {
      const { code } = backend.standin.phone.login({ user: 'hosts' });
      const body = JSON.stringify({ code });
      const lines = ['connection: close', 'content-type: application/json', `content-length: ${body.length}`];
      const text = `POST /trpc/auth.checkUser HTTP/1.1\r\nhost: ${host}\r\n${lines.join('\r\n')}\r\n\r\n${body}`;
      expect([host, (await raw(text)).status]).toEqual([host, 200]);
    }
  });
});
