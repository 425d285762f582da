import { request } from 'node:http';
import { initTRPC, TRPCError } from '@trpc/server';
import superjson from 'superjson';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { AppError } from '../../src/errors.ts';
import { type Context, publicProcedure, router, signedInProcedure } from '../../src/trpc.ts';
import { loginInputOf, startBackend, type Backend } from '../support/backend.ts';

interface Call {
  method?: string;
  path: string;
  /** Behind the path: `batch=1`. */
  query?: string;
  headers?: Record<string, string | string[]>;
  /** Made anew for each of the two ways: a code and a token are spent by one call. */
  body?: () => string | Buffer | Promise<string>;
  token?: () => Promise<string>;
  chunked?: boolean;
}

let backend: Backend;
let users = 0;
// Behind a proxy the request's id is the caller's to choose: it is in the answer.
// The deadlines are far off: a busy machine must not make two different answers of one.
const env = { TRUST_PROXY_HOPS: '1', METRICS_PORT: '0', WX_TIMEOUT_MS: '30000', DATABASE_TIMEOUT_MS: '30000' };
beforeAll(async () => {
  backend = await startBackend({ env });
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

/** Our handler leaves requests with connection parameters to tRPC's own adapter; `null` stands for none. */
const officially = 'connectionParams=null';

/** The answer as it stood on the wire and the log lines that it left, but for what is random or the time of day. */
async function answerTo(
  { url, logged }: Pick<Backend, 'url' | 'logged'>,
  { method = 'POST', path, query, headers = {}, body, token, chunked }: Call,
  way?: typeof officially,
) {
  const bytes = Buffer.from((await body?.()) ?? '');
  const given = {
    ...(method === 'POST' && { 'content-type': 'application/json' }),
    ...(!chunked && bytes.length > 0 && { 'content-length': String(bytes.length) }),
    ...(token && { authorization: `Bearer ${await token()}` }),
    'x-request-id': 'the-same-for-both',
    ...headers,
  };
  const search = [query, way].filter(Boolean).join('&');
  const from = logged.length;
  const answer = await new Promise<string[]>((resolve, reject) => {
    const target = `${url}/trpc/${path}${search && '?'}${search}`;
    const outgoing = request(target, { method, headers: given }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      answer.on('end', () => {
        const lines = answer.rawHeaders.flatMap((name, index) =>
          index % 2 === 0 && name !== 'Date' ? [`${name}: ${answer.rawHeaders[index + 1]}`] : [],
        );
        const body = text.replaceAll(/"token":"[\w-]{43}"/g, '"token":"…"');
        resolve([`${answer.statusCode} ${answer.statusMessage}`, ...lines.toSorted(), body]);
      });
    });
    outgoing.on('error', reject);
    outgoing.end(bytes);
  });
  const log = logged
    .slice(from)
    .map((line) => line.replace(/"time":"[^"]*",?|"durationMs":[\d.]+,?|"rid":"[^"]*",?/g, ''));
  return [
    ...answer,
    ...log.map((line) => line.replaceAll(/json-calls|fetch-adapter|"frames":\[[^\]]*\]/g, '')).toSorted(),
  ];
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
  'checkUser with unknown keys': {
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
  'updateProfile with an invalid picture': {
    path: 'user.updateProfile',
    token: newToken,
    body: json({ avatar: 'AAAA' }),
  },
  'updateProfile without a token': { path: 'user.updateProfile', body: json({ nickName: '小明' }) },
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
  'WeChat has had too many calls': { path: 'auth.checkUser', body: faulty({ kind: 'errcode', errcode: 45011 }) },
};

/** The same call as a batch of one, as a phone sends it. */
function batchOfOne(call: Call): Call {
  const { body } = call;
  const wrapped = body && (async () => `{"0":${(await body()).toString() || 'null'}}`);
  return { ...call, query: [call.query, 'batch=1'].filter(Boolean).join('&'), ...(wrapped && { body: wrapped }) };
}

/** A router of an owner's with everything that a procedure may do. */
function zooOf(procedure: typeof publicProcedure) {
  const circular: Record<string, unknown> = {};
  circular.self = circular;
  return {
    echo: procedure.input(z.unknown()).query(({ input }) => ({ input: input ?? null })),
    change: procedure.input(z.object({ a: z.number() })).mutation(({ input }) => input),
    noInput: procedure.mutation(() => 'done'),
    nothing: procedure.query(() => undefined),
    nil: procedure.query(() => null),
    date: procedure.query(() => ({ at: new Date(0), list: [new Date(1)], map: new Map([['a', 1]]) })),
    bigint: procedure.query(() => ({ big: 10n })),
    circular: procedure.query(() => circular),
    throwsInJson: procedure.query(() => ({ toJSON: () => JSON.parse('{') as unknown })),
    generator: procedure.query(async function* () {
      yield 1;
    }),
    generatorInside: procedure.mutation(() => ({
      pieces: (async function* () {
        yield 1;
      })(),
    })),
    promiseInside: procedure.query(() => ({ later: Promise.resolve(1) })),
    stream: procedure.query(() => new ReadableStream()),
    throwsText: procedure.query(() => {
      throw 'text'; // oxlint-disable-line no-throw-literal
    }),
    throwsError: procedure.mutation(() => {
      throw new Error('secret');
    }),
    throwsTrpc: procedure.query(() => {
      throw new TRPCError({ code: 'CONFLICT', message: 'taken' });
    }),
    limited: procedure.query(() => {
      throw new AppError('RATE_LIMITED', { retryAfterSeconds: 7 });
    }),
    subscribe: procedure.subscription(async function* () {
      yield 1;
    }),
    // The adapter of Hono adds this to the context: it tells which of the two answers.
    byAdapter: procedure.query(({ ctx }) => Object.hasOwn(ctx, 'env')),
    signal: procedure.query(({ signal }) => ({ aborted: signal?.aborted ?? null })),
    large: procedure
      .meta({ maxBodyBytes: 100_000 })
      .input(z.string())
      .mutation(({ input }) => input.length),
  };
}

function formsOf(path: string): Record<string, Call> {
  const inputs = { 0: 1, a: 1 };
  const names = (count: number) => Array.from({ length: count }, () => path).join(',');
  const input = encodeURIComponent(JSON.stringify({ a: 1 }));
  return {
    [`${path}, POST`]: { path, body: json({ a: 1 }) },
    [`${path}, POST without a body`]: { path },
    [`${path}, POST of broken JSON`]: { path, body: () => '{"a":' },
    [`${path}, GET`]: { method: 'GET', path },
    [`${path}, GET with an input`]: { method: 'GET', path, query: `input=${input}` },
    [`${path}, GET with two inputs`]: { method: 'GET', path, query: `input=${input}&input=1&batch=0` },
    [`${path}, GET with a broken input`]: { method: 'GET', path, query: 'input=%7B' },
    [`${path}, batch of one`]: { path, query: 'batch=1', body: json({ 0: { a: 1 } }) },
    [`${path}, batch of one by GET`]: {
      method: 'GET',
      path,
      query: `batch=1&input=${encodeURIComponent('{"0":{"a":2}}')}`,
    },
    [`${path}, batch of one without an input`]: { path, query: 'batch=1' },
    [`${path}, batch of one of a list`]: { path, query: 'batch=1', body: json([{ a: 1 }]) },
    [`${path}, batch of two`]: { path: names(2), query: 'batch=1', body: json({ 0: { a: 1 }, 1: { a: 'x' } }) },
    [`${path}, batch of ten`]: { path: names(10), query: 'batch=1', body: json({ 3: { a: 1 }, ...inputs }) },
    [`${path}, batch of eleven`]: { path: names(11), query: 'batch=1', body: json(inputs) },
    [`${path} and another kind`]: { path: `${path},change,echo`, query: 'batch=1', body: json({ 1: { a: 1 } }) },
    [`${path} and none`]: { path: `${path},none`, query: 'batch=1', body: json({}) },
    [`${path} with __proto__`]: {
      path,
      query: 'batch=1',
      body: () => '{"0":{"a":1,"__proto__":{"b":1}},"__proto__":{"1":1}}',
    },
  };
}

const oddHeaders: Record<string, Call> = Object.fromEntries(
  (
    [
      { 'content-type': ['application/json', 'text/plain'] },
      { 'content-type': 'APPLICATION/JSON' },
      { 'content-type': 'application/json; charset="utf-8";' },
      { accept: ['*/*', 'application/json'] },
      { authorization: ['Bearer x', 'Bearer y'] },
      { 'x-forwarded-for': ['1.1.1.1', '2.2.2.2'] },
      { 'trpc-accept': 'text/plain' },
      { 'last-event-id': '1' },
      { 'x-http-method-override': 'GET' },
      { cookie: ['a=b', 'c=d'] },
      { expect: '100-continue' },
      { 'content-encoding': 'identity' },
    ] as Record<string, string | string[]>[]
  ).map((headers, index) => [
    `odd headers (${index})`,
    { path: 'auth.checkUser', query: 'batch=1', body: async () => `{"0":${check()()}}`, headers },
  ]),
);

async function countsOf({ metricsUrl }: Pick<Backend, 'metricsUrl'>): Promise<string[]> {
  const text = await (await fetch(`${metricsUrl}/metrics`)).text();
  return text.split('\n').filter((line) => /^guoke_calls_total\{|^guoke_call_duration_seconds_count/.test(line));
}

describe('a JSON call is answered by our handler as by tRPC’s own adapter alone', () => {
  const ofOurs = { ...calls, ...oddHeaders };
  const alone = Object.entries(ofOurs);
  const batched = Object.entries(ofOurs).map(
    ([name, call]) => [`${name}, as a phone sends it`, batchOfOne(call)] as const,
  );

  test(`${alone.length + batched.length} calls of our procedures leave the same bytes, headers, log lines and counts`, async () => {
    expect(alone.length + batched.length).toBeGreaterThan(200);
    const counts: [string[], string[]] = [[], []];
    for (const [name, call] of [...alone, ...batched]) {
      const before = await countsOf(backend);
      const ours = await answerTo(backend, call);
      const between = await countsOf(backend);
      const official = await answerTo(backend, call, officially);
      const after = await countsOf(backend);
      expect([name, ...ours]).toEqual([name, ...official]);
      counts[0].push(...changeOf(before, between));
      counts[1].push(...changeOf(between, after));
    }
    expect(counts[0]).toEqual(counts[1]);
    expect(counts[0].length).toBeGreaterThan(100);
  });

  const formatted = publicProcedure.errors(({ shape }) => ({ ...shape, data: { ...shape.data, own: true } }));
  const json5 = initTRPC.context<Context>().create({ transformer: superjson, isDev: false });
  const plain = initTRPC.context<Context>().create({ isDev: false });
  const zoos = {
    'our own base procedures': router({ ...zooOf(publicProcedure), signedIn: signedInProcedure.query(() => 1) }),
    'an error formatter of a procedure’s own': router(zooOf(formatted as unknown as typeof publicProcedure)),
    superjson: json5.router(zooOf(json5.procedure as unknown as typeof publicProcedure)),
    'tRPC’s defaults': plain.router(zooOf(plain.procedure as unknown as typeof publicProcedure)),
  };

  test.each(Object.entries(zoos))(
    'a call to a router with %s is answered the same',
    async (_, zoo) => {
      const server = await startBackend({ env, router: zoo });
      const { byAdapter, ...others } = zoo._def.procedures;
      expect(byAdapter).toBeDefined();
      const forms = Object.assign({}, ...Object.keys(others).map(formsOf)) as Record<string, Call>;
      try {
        expect(Object.keys(forms).length).toBeGreaterThan(300);
        for (const query of ['', 'batch=1', 'input=1']) {
          const call = { method: 'GET', path: 'byAdapter', query };
          expect((await answerTo(server, call)).join()).toContain('false');
          expect((await answerTo(server, call, officially)).join()).toContain('true');
        }
        for (const [name, call] of Object.entries(forms)) {
          const before = await countsOf(server);
          const ours = await answerTo(server, call);
          const between = await countsOf(server);
          const official = await answerTo(server, call, officially);
          expect([name, ...ours]).toEqual([name, ...official]);
          expect([name, ...changeOf(before, between)]).toEqual([name, ...changeOf(between, await countsOf(server))]);
        }
      } finally {
        await server.close();
      }
    },
    240_000,
  );
});

/** How much each count grew. */
function changeOf(before: readonly string[], after: readonly string[]): string[] {
  const valueOf = (line: string) => Number(line.slice(line.lastIndexOf(' ')));
  const nameOf = (line: string) => line.slice(0, line.lastIndexOf(' '));
  const old = new Map(before.map((line) => [nameOf(line), valueOf(line)]));
  return after
    .map((line) => `${nameOf(line)} +${valueOf(line) - (old.get(nameOf(line)) ?? 0)}`)
    .filter((line) => !line.endsWith('+0'));
}
