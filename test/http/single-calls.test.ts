import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { initTRPC } from '@trpc/server';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createSingleCalls } from '../../src/http/single-calls.ts';
import { createLog } from '../../src/operations/log.ts';
import type { Context } from '../../src/trpc.ts';
import { loginInputOf, startBackend, type Backend } from '../support/backend.ts';

interface Call {
  method?: string;
  path: string;
  headers?: Record<string, string>;
  /** Made anew for each of the two ways: a code and a token are spent by one call. */
  body?: () => string | Buffer | Promise<string>;
  token?: () => Promise<string>;
  chunked?: boolean;
}

let backend: Backend;
let users = 0;
beforeAll(async () => {
  // Behind a proxy the request's id is the caller's to choose: it is in the answer.
  backend = await startBackend({ env: { TRUST_PROXY_HOPS: '1' } });
});
afterAll(() => backend.close());

const newUser = () => `user${++users}`;
const codeOf = (user = newUser()) => backend.standin.phone.login({ user }).code;
const newToken = async () => (await backend.client().auth.checkUser.mutate({ code: codeOf() })).token;
const json = (value: unknown) => () => JSON.stringify(value);
const band = {
  nickName: 'Band 🎸',
  avatarUrl: 'https://thirdwx.qlogo.cn/mmopen/vi_32/synthetic/132',
  gender: 1,
  language: 'zh_CN',
  city: '深圳',
  province: '广东',
  country: '中国',
};
const login =
  (change: object = {}) =>
  () =>
    JSON.stringify({ ...loginInputOf(backend, newUser(), band), ...change });
const check =
  (change: object = {}) =>
  () =>
    JSON.stringify({ code: codeOf(), ...change });
const usedCode = async () => {
  const code = codeOf();
  await backend.client().auth.checkUser.mutate({ code });
  return JSON.stringify({ code });
};
const faulty = (fault: object) => () => {
  const code = codeOf();
  backend.standin.phone.fault({ code, times: 3, fault: fault as { kind: 'empty' } });
  return JSON.stringify({ code });
};

/** The whole answer as it stood on the wire, but for what is random or the time of day. */
async function answerTo({ method = 'POST', path, headers = {}, body, token, chunked }: Call, way: string) {
  const bytes = Buffer.from((await body?.()) ?? '');
  const given = {
    ...(method === 'POST' && { 'content-type': 'application/json' }),
    ...(!chunked && bytes.length > 0 && { 'content-length': String(bytes.length) }),
    ...(token && { authorization: `Bearer ${await token()}` }),
    'x-request-id': 'the-same-for-both',
    ...headers,
  };
  return await new Promise<string[]>((resolve, reject) => {
    const outgoing = request(`${backend.url}/trpc/${path}${way}`, { method, headers: given }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      answer.on('end', () => {
        const lines = answer.rawHeaders.flatMap((name, index) =>
          index % 2 === 0 && name !== 'Date' ? [`${name}: ${answer.rawHeaders[index + 1]}`] : [],
        );
        const body = text.replace(/"token":"[\w-]{43}"/, '"token":"…"');
        resolve([`${answer.statusCode} ${answer.statusMessage}`, ...lines, body]);
      });
    });
    outgoing.on('error', reject);
    outgoing.end(bytes);
  });
}

const odd = (field: string, ...values: unknown[]): Record<string, Call> =>
  Object.fromEntries(
    values.map((value, index) => [
      `login with a wrong ${field} (${index})`,
      { path: 'auth.login', body: login({ [field]: value }) },
    ]),
  );
const bodies = (...texts: (string | Buffer)[]): Record<string, Call> =>
  Object.fromEntries(
    texts.flatMap((text) =>
      ['auth.checkUser', 'auth.logout', 'user.me'].map((path) => [
        `${path} with the body ${JSON.stringify(text.toString().slice(0, 20))}`,
        { path, body: () => text },
      ]),
    ),
  );
const tokens = (...all: string[]): Record<string, Call> =>
  Object.fromEntries(
    all.map((authorization) => [
      `user.me with ${authorization.slice(0, 30)}`,
      { method: 'GET', path: 'user.me', headers: { authorization } },
    ]),
  );
const paths = (...all: string[]): Record<string, Call> =>
  Object.fromEntries(all.map((path) => [`the path ${path}`, { path, body: json({}) }]));

const calls: Record<string, Call> = {
  checkUser: { path: 'auth.checkUser', body: check() },
  'checkUser of a named app': { path: 'auth.checkUser', body: check({ appId: 'wx0123456789abcdef' }) },
  'checkUser of an unknown app': { path: 'auth.checkUser', body: check({ appId: 'wxnotours' }) },
  'checkUser with keys that nobody asked for': {
    path: 'auth.checkUser',
    body: check({ more: 1, __proto__: { code: '1' } }),
  },
  'checkUser in chunks': { path: 'auth.checkUser', body: check(), chunked: true },
  'checkUser with a charset': {
    path: 'auth.checkUser',
    body: check(),
    headers: { 'content-type': 'application/json; charset=UTF-8' },
  },
  'checkUser with cookies and an origin': {
    path: 'auth.checkUser',
    body: check(),
    headers: { cookie: 'a=b', origin: 'https://x' },
  },
  'checkUser of a used code': { path: 'auth.checkUser', body: usedCode },
  'checkUser of a code made up': { path: 'auth.checkUser', body: json({ code: 'made-up' }) },
  'checkUser as a GET': { method: 'GET', path: 'auth.checkUser' },
  'checkUser as a PUT': { method: 'PUT', path: 'auth.checkUser', body: check() },
  'checkUser as text': { path: 'auth.checkUser', body: check(), headers: { 'content-type': 'text/plain' } },
  'checkUser that wants a stream': {
    path: 'auth.checkUser',
    body: check(),
    headers: { 'trpc-accept': 'application/jsonl' },
  },
  'checkUser that wants events': { path: 'auth.checkUser', body: check(), headers: { accept: 'text/event-stream' } },
  'checkUser over 64 KiB': { path: 'auth.checkUser', body: () => `${' '.repeat(65_536)}{}` },
  'checkUser of 64 KiB': { path: 'auth.checkUser', body: () => `${' '.repeat(65_534)}{}` },
  'checkUser of a blocked user': {
    path: 'auth.checkUser',
    body: () => {
      const user = newUser();
      backend.standin.phone.block({ user });
      return JSON.stringify({ code: codeOf(user) });
    },
  },
  login: { path: 'auth.login', body: login() },
  'login of an anonymous user': {
    path: 'auth.login',
    body: () => {
      const { rawData, signature, encryptedData, iv } = backend.standin.phone.profile({ user: 'a', anonymous: true });
      return JSON.stringify({ code: codeOf('a'), rawData, signature, encryptedData, iv });
    },
  },
  ...odd('signature', '0'.repeat(40), 'A'.repeat(40), '', 1, null),
  ...odd('iv', Buffer.alloc(16).toString('base64'), Buffer.alloc(17).toString('base64'), {}, undefined),
  ...odd('encryptedData', Buffer.alloc(16).toString('base64'), 'QR==', '', 'A'.repeat(16_388)),
  ...odd('rawData', '{}', 'no json', '{"nickName":1}', '\u0000', '\ud83d', 'x'.repeat(8193), []),
  ...odd('code', '', 'sp ace', 'x'.repeat(129), ['a'], 1),
  'user.me': { method: 'GET', path: 'user.me', token: newToken },
  'user.me as a POST': { path: 'user.me', token: newToken },
  'user.me as a POST with a body': { path: 'user.me', token: newToken, body: json({ a: 1 }) },
  'user.me as a HEAD': { method: 'HEAD', path: 'user.me', token: newToken },
  'user.me with a media type': {
    method: 'GET',
    path: 'user.me',
    token: newToken,
    headers: { 'content-type': 'application/json' },
  },
  ...tokens(
    '',
    'Bearer',
    'Basic YTpi',
    `Bearer ${'A'.repeat(43)}`,
    `Bearer ${'B'.repeat(43)}`,
    `Bearer ${'A'.repeat(5000)}`,
  ),
  logout: { path: 'auth.logout', token: newToken },
  'logout with null': { path: 'auth.logout', token: newToken, body: json(null) },
  logoutAll: { path: 'auth.logoutAll', token: newToken },
  updateProfile: { path: 'user.updateProfile', token: newToken, body: json({ nickName: '小明' }) },
  'updateProfile with nothing': { path: 'user.updateProfile', token: newToken, body: json({}) },
  'updateProfile with a picture that is none': {
    path: 'user.updateProfile',
    token: newToken,
    body: json({ avatar: 'AAAA' }),
  },
  'updateProfile by nobody': { path: 'user.updateProfile', body: json({ nickName: '小明' }) },
  'bindPhone with a code made up': { path: 'user.bindPhone', token: newToken, body: json({ code: 'made-up' }) },
  ...bodies(
    '',
    ' ',
    '{',
    '{}x',
    'null',
    '1',
    '"x"',
    '[]',
    'true',
    '\ufeff{}',
    '{"code":"a","code":"b"}',
    '{"code":"\\ud83d"}',
  ),
  ...bodies(Buffer.from([0x22, 0xff, 0xfe, 0x22]), '{"__proto__":{"code":"a"}}', '['.repeat(20_000)),
  ...paths('', 'auth', 'auth.', 'auth.nothing', 'constructor', '__proto__', 'toString', 'auth.login.x', 'auth.login/'),
  ...paths('/auth.login', 'auth%2Elogin', 'auth.login,auth.login', '%zz', '%00', 'AUTH.LOGIN', 'auth/login'),
  'WeChat answers HTML': { path: 'auth.checkUser', body: faulty({ kind: 'html' }) },
  'WeChat answers nothing': { path: 'auth.checkUser', body: faulty({ kind: 'empty' }) },
  'WeChat rejects our set-up': { path: 'auth.checkUser', body: faulty({ kind: 'errcode', errcode: 40125 }) },
  'WeChat resets': { path: 'auth.checkUser', body: faulty({ kind: 'reset', after: 'half' }) },
  // Last: WeChat is left alone after it, with a Retry-After.
  'WeChat has had too many calls': { path: 'auth.checkUser', body: faulty({ kind: 'errcode', errcode: 45011 }) },
};

describe('the fast way and tRPC’s own adapter', () => {
  test(`answer the same bytes, headers included, to ${Object.keys(calls).length} calls of every kind`, async () => {
    expect(Object.keys(calls).length).toBeGreaterThanOrEqual(60);
    for (const [name, call] of Object.entries(calls)) {
      // A query, even one that says nothing, is none of the fast way's business.
      const [fast, official] = [await answerTo(call, ''), await answerTo(call, '?official=1')];
      expect([name, ...fast]).toEqual([name, ...official]);
    }
  });

  test('are what they are taken for: a single call goes the fast way, everything else does not', async () => {
    const t = initTRPC.create();
    const login = t.procedure.mutation(() => true);
    const shortcut = createSingleCalls({
      router: t.router({ auth: t.router({ login }), user: t.router({ me: t.procedure.query(() => true) }) }),
      contexts: { requestIdOf: () => 'id', contextOf: () => ({}) as Context },
      log: createLog('silent'),
    });
    const server = createServer((incoming, outgoing) => {
      void shortcut(incoming, outgoing).then((answered) => answered || outgoing.writeHead(501).end());
    });
    onTestFinished(() => void server.close());
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    const isFast = async (method: string, path: string, init: RequestInit = {}) => {
      const headers = { 'content-type': 'application/json' };
      const { status } = await fetch(`http://127.0.0.1:${port}${path}`, { method, headers, ...init });
      return status === 200;
    };

    expect(await isFast('POST', '/trpc/auth.login', { body: '{}' })).toBe(true);
    expect(await isFast('POST', '/trpc/auth.login')).toBe(true);
    expect(await isFast('POST', '/trpc/user.me')).toBe(true);
    expect(await isFast('GET', '/trpc/user.me')).toBe(true);
    expect(await isFast('GET', '/trpc/auth.login')).toBe(false);
    expect(await isFast('PUT', '/trpc/auth.login', { body: '{}' })).toBe(false);
    expect(await isFast('POST', '/trpc/auth.login', { body: '{' })).toBe(false);
    expect(await isFast('POST', '/trpc/auth.login', { body: ' '.repeat(64 * 1024 + 1) })).toBe(false);
    expect(await isFast('POST', '/trpc/auth.login', { body: '{}', headers: { 'content-type': 'text/plain' } })).toBe(
      false,
    );
    for (const path of ['', '/trpc', '/trpc/', '/trpc/auth', '/trpc/constructor', '/trpc/__proto__', '/auth.login'])
      expect(await isFast('POST', path)).toBe(false);
    for (const name of ['auth.login,user.me', 'auth.login/', 'auth%2Elogin', 'auth.login?batch=1'])
      expect(await isFast('POST', `/trpc/${name}`)).toBe(false);
  });
});
