import { createServer, type RequestListener } from 'node:http';
import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { bundle } from '../bundle.mts';
import { type Backend, startBackend } from '../../../test/support/backend.ts';
import { clientCode } from './code.ts';
import { createPhone } from './phone.ts';

let code: string;
let backend: Backend;
let phone: ReturnType<typeof createPhone>;
const closing: (() => void)[] = [];

beforeAll(async () => {
  [code, backend] = await Promise.all([clientCode(), startBackend()]);
});
afterAll(() => backend.close());
beforeEach(() => {
  backend.standin.phone.reset();
  // The backend spares WeChat for a while after a 45011.
  backend.clock.now += 10 * 60 * 1000;
  phone = createPhone({ backend, code });
});
afterEach(() => {
  phone.close();
  for (const close of closing.splice(0)) close();
});

/** Something that is not the backend and answers in its place. */
async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' ? (address?.port ?? 0) : 0}`;
}

const answering = (status: number, body: string, headers: Record<string, string> = {}) =>
  serve((_, response) => response.writeHead(status, headers).end(body));

type Launched = ReturnType<(typeof phone)['launch']>;

/** A function of the platform's that fails with this. */
const failing = (refusal: unknown) => (options: { fail: (told: unknown) => void }) =>
  void setTimeout(() => options.fail(refusal));

function throwing(): never {
  throw new Error('not supported here');
}

const failureAtOnce = (baseUrl: string) => {
  const client = phone.launch({ baseUrl });
  return failureIn(client, client.session.ensure());
};

/** How a launch, and then a call, at this address fail: the page can tell from either. */
async function failureAt(baseUrl: string, timeoutMs = 5000) {
  const client = phone.launch({ baseUrl, timeoutMs });
  const [launch, call] = [
    await failureIn(client, client.session.ensure()),
    await failureIn(client, client.api.user.me.query()),
  ];
  expect(call).toEqual(launch);
  return launch;
}

async function failureIn({ failureOf }: Pick<Launched, 'failureOf'>, call: Promise<unknown>) {
  return call.then(
    () => undefined,
    (error: unknown) => failureOf(error),
  );
}

describe('a typed failure', () => {
  it('a server that is not there is told as network', async () => {
    expect(await failureAt('http://127.0.0.1:1')).toEqual({
      kind: 'network',
      retry: 'later',
      errMsg: expect.stringMatching(/^request:fail .*ECONNREFUSED/) as string,
    });
  });

  it('a connection that breaks off is told as network', async () => {
    const url = await serve(({ socket }) => void socket.destroy());
    expect(await failureAt(url)).toMatchObject({ kind: 'network', retry: 'later' });
  });

  it('a server that does not answer is told as timeout, and its task is aborted', async () => {
    const url = await serve(() => undefined);
    const errMsg = 'No answer within 30 ms';
    expect(await failureAt(url, 30)).toEqual({ kind: 'timeout', retry: 'later', errMsg });
    expect(phone.sent.map(({ aborted }) => aborted)).toEqual([true, true]);
  });

  it('a wx.login that does not answer is told as timeout', async () => {
    phone.loginHangs = true;
    const client = phone.launch({ timeoutMs: 30 });
    expect(await failureIn(client, client.session.ensure())).toMatchObject({ kind: 'timeout', retry: 'later' });
  });

  it('an HTML 502 of a gateway is told as bad-response', async () => {
    const url = await answering(502, '<html><h1>502 Bad Gateway</h1></html>', {
      'content-type': 'text/html',
      'x-request-id': 'r1',
    });
    expect(await failureAt(url)).toEqual({ kind: 'bad-response', status: 502, retry: 'later', requestId: 'r1' });
  });

  it.each([
    ['HTML that claims to be fine', 200, '<html></html>'],
    ['an empty body', 204, ''],
    ['half a body', 200, '[{"result":{"data":{"to'],
    ['a gateway’s JSON', 503, '{"message":"no upstream"}'],
    ['a gateway’s error', 403, '{"error":"forbidden"}'],
    ['an error without a reason', 500, '{"error":{"code":-32603,"message":"m","data":{}}}'],
    ['null', 200, 'null'],
    ['a batch of nothing', 200, '[null]'],
    ['an empty batch', 200, '[]'],
    ['a batch of two for one call', 200, '[{"result":{"data":{}}},{"result":{"data":{}}}]'],
    ['a login without a session', 200, '[{"result":{"data":{"token":"t"}}}]'],
    ['a login without a user', 200, '[{"result":{"data":{"token":"t","expiresAt":9e15}}}]'],
  ])('a response of %s is told as bad-response', async (_, status, body) => {
    expect(await failureAt(await answering(status, body))).toMatchObject({ kind: 'bad-response', retry: 'later' });
    expect(phone.storage.size).toBe(0);
  });

  it('a batch with fewer results than calls is told as bad-response, for each call', async () => {
    await phone.launch().session.ensure();
    const baseUrl = await answering(200, '[{"result":{"data":{}}}]', { 'x-request-id': 'r1' });
    const client = phone.launch({ baseUrl });
    const calls = [client.api.auth.checkUser.mutate({ code: 'a' }), client.api.auth.checkUser.mutate({ code: 'b' })];
    const failures = await Promise.all(calls.map((call) => failureIn(client, call)));
    const failure = { kind: 'bad-response', status: 200, retry: 'later', requestId: 'r1' };
    expect(failures).toEqual([failure, failure]);
  });

  it('a refusal of wx.login by WeChat is told as wx-login', async () => {
    phone.loginFails = 'login:fail system error';
    const errMsg = 'login:fail system error';
    expect(await failureAt(backend.url)).toEqual({ kind: 'wx-login', retry: 'later', errMsg });
    expect(phone.sent).toEqual([]);
  });

  it.each([
    ['USER_BLOCKED', 'never', () => backend.standin.phone.block({ user: 'xiaoming' })],
    [
      'WECHAT_RATE_LIMITED',
      'later',
      () => backend.standin.phone.fault({ times: 9, fault: { kind: 'errcode', errcode: 45011 } }),
    ],
    ['WECHAT_BAD_RESPONSE', 'later', () => backend.standin.phone.fault({ times: 9, fault: { kind: 'html' } })],
    [
      'CODE_INVALID',
      'login',
      () => backend.standin.phone.fault({ times: 9, fault: { kind: 'errcode', errcode: 40029 } }),
    ],
  ] as const)('a login refused with %s is told with its advice: %s', async (reason, retry, arrange) => {
    arrange();
    const client = phone.launch();
    const failure = await failureIn(client, client.session.ensure());
    expect(failure).toEqual({
      kind: 'refused',
      reason,
      retry,
      requestId: expect.stringMatching(/^[\w-]{8,}$/) as string,
      fields: [],
      retryAfterMs: reason === 'WECHAT_RATE_LIMITED' ? (expect.any(Number) as number) : undefined,
    });
    expect(phone.callsOf('auth.checkUser')).toBe(1);
  });

  it.each([
    ['7', 7000],
    ['0', 0],
    [' 7 ', 7000],
    ['99999999999999999999', 24 * 60 * 60 * 1000],
    ['Wed, 21 Oct 2015 07:28:00 GMT', undefined],
    ['soon', undefined],
    ['', undefined],
    ['-7', undefined],
  ])('a Retry-After of "%s", a gateway’s too, is told as %s ms', async (retryAfter, retryAfterMs) => {
    const url = await answering(429, 'slow down', { 'retry-after': retryAfter });
    expect(await failureAt(url)).toEqual({ kind: 'bad-response', status: 429, retry: 'later', retryAfterMs });
  });

  it('a Retry-After with a date is told as the time until it', async () => {
    const url = await answering(503, '', { 'retry-after': new Date(Date.now() + 3_600_000).toUTCString() });
    const { retryAfterMs } = (await failureAtOnce(url)) as { retryAfterMs: number };
    expect(retryAfterMs).toBeGreaterThan(3_500_000);
    expect(retryAfterMs).toBeLessThanOrEqual(3_600_000);
  });

  it('a body that a gateway refuses as too large is told as the backend tells it: TOO_LARGE, never', async () => {
    const url = await answering(413, '<h1>413 Request Entity Too Large</h1>');
    expect(await failureAt(url)).toMatchObject({ kind: 'refused', reason: 'TOO_LARGE', retry: 'never' });
    const client = phone.launch();
    const call = client.api.auth.checkUser.mutate({ code: 'a'.repeat(100_000) });
    expect(await failureIn(client, call)).toMatchObject({ kind: 'refused', reason: 'TOO_LARGE', retry: 'never' });
  });

  it.each([
    ['request:fail url not in domain list', undefined],
    ['request:fail:url not in domain list', undefined],
    ['request:fail invalid url "login.example.com/trpc/auth.checkUser?batch=1"', 600009],
    ['request:fail -2:net::ERR_FAILED', 600002],
  ])('a fault of the set-up, which no later attempt repairs, is told as such: %s', async (errMsg, errno) => {
    phone.platform = (wx) => ({ ...wx, request: failing({ errMsg, errno }) });
    expect(await failureAt(backend.url)).toEqual({ kind: 'set-up', retry: 'never', errMsg, errno });
  });

  it.each([
    ['a wx.request that is missing', { request: undefined }, 'network'],
    ['a wx.request that throws at once', { request: throwing }, 'network'],
    ['a wx.request that fails without a word', { request: failing(undefined) }, 'network'],
    ['a wx.login that is missing, as in 单页模式', { login: undefined }, 'wx-login'],
    ['a wx.login that throws at once', { login: throwing }, 'wx-login'],
    ['a wx.login that fails without a word', { login: failing(undefined) }, 'wx-login'],
  ])('the failure of %s is told with its kind', async (_, own, kind) => {
    phone.platform = (wx) => ({ ...wx, ...own });
    expect(await failureAt(backend.url)).toMatchObject({ kind, retry: 'later', errMsg: expect.any(String) as string });
  });

  it('the platform’s errno is told with its words', async () => {
    phone.platform = (wx) => ({ ...wx, login: failing({ errMsg: 'login:fail', errno: 600001 }) });
    expect(await failureAt(backend.url)).toMatchObject({ kind: 'wx-login', errno: 600001 });
    phone.platform = (wx) => ({ ...wx, request: failing({ errMsg: 'cloud.callContainer:fail', errCode: -606001 }) });
    expect(await failureAt(backend.url)).toMatchObject({ kind: 'network', errno: -606001 });
  });

  it('an error of another copy of the client, as each 独立分包 has one, is told the same', async () => {
    const client = phone.launch({ baseUrl: 'http://127.0.0.1:1' });
    const { failureOf } = phone.launch();
    const errors = await Promise.all(
      [client.session.ensure(), client.api.user.me.query()].map((call) => call.catch((error: unknown) => error)),
    );
    expect(errors.map((error) => failureOf(error).kind)).toEqual(['network', 'network']);
    const refused = await phone
      .launch()
      .api.auth.checkUser.mutate({ code: '?' })
      .catch((error: unknown) => error);
    expect(failureOf(refused)).toMatchObject({ kind: 'refused', reason: 'INPUT_INVALID' });
  });

  it('a wrong input is told as refused, with the wrong fields', async () => {
    const client = phone.launch();
    const wrong = await failureIn(client, client.api.auth.checkUser.mutate({ code: '?' }));
    expect(wrong).toMatchObject({ kind: 'refused', reason: 'INPUT_INVALID', retry: 'never', fields: ['code'] });
    const both = client.api.user.updateProfile.mutate({ nickName: '', avatar: '?' });
    expect(await failureIn(client, both)).toMatchObject({ fields: ['nickName', 'avatar'] });
    const noPicture = client.api.user.updateProfile.mutate({ avatar: 'AAAA' });
    expect(await failureIn(client, noPicture)).toMatchObject({ fields: ['avatar'] });
  });

  it('a mistake in the page is told as unexpected', () => {
    const { failureOf } = phone.launch();
    const alike = Object.assign(new Error('x'), { name: 'ClientError', kind: 'of-another-library' });
    const plain = { data: { reason: 'CODE_INVALID' } };
    for (const thrown of [new TypeError('x is undefined'), undefined, 'text', plain, alike]) {
      expect(failureOf(thrown)).toEqual({ kind: 'unexpected', retry: 'never' });
    }
  });

  it('a failed call leaves the session as it is, and is repeated only if the session was the reason', async () => {
    const state = await phone.launch().session.ensure();
    const client = phone.launch({ timeoutMs: 100 });
    phone.beforeDelivery = ({ paths }) => (paths.includes('user.me') ? new Promise(() => undefined) : undefined);
    expect(await failureIn(client, client.api.user.me.query())).toMatchObject({ kind: 'timeout', retry: 'later' });
    expect(client.session.peek()).toEqual(state);
    expect(phone.sent.map(({ paths }) => paths)).toEqual([['auth.checkUser'], ['user.me']]);
  });
});

describe('an abort', () => {
  const never = () => new Promise<void>(() => undefined);

  it('an abort ends its own request and no other', async () => {
    const client = phone.launch();
    await client.session.ensure();
    const controller = new client.AbortController();
    phone.beforeDelivery = ({ paths }) => (paths.includes('user.me') ? never() : undefined);
    const aborted = failureIn(client, client.api.user.me.query(undefined, { signal: controller.signal }));
    const other = client.api.auth.logoutAll.mutate();
    await until(() => phone.sent.length === 3);
    controller.abort();
    expect(await aborted).toEqual({ kind: 'aborted', retry: 'never' });
    await other;
    const ended = phone.sent.filter((request) => request.aborted);
    expect(ended.map(({ paths }) => paths)).toEqual([['user.me']]);
  });

  it('an abort in a batch fails its own call at once, and leaves the request to the other ones', async () => {
    const client = phone.launch();
    await client.session.ensure();
    const controller = new client.AbortController();
    let deliver = () => {};
    const delivered = new Promise<void>((resolve) => {
      deliver = resolve;
    });
    phone.beforeDelivery = () => delivered;
    const aborted = failureIn(client, client.api.user.me.query(undefined, { signal: controller.signal }));
    const other = client.api.user.me.query();
    await until(() => phone.sent.length === 2);
    controller.abort();
    expect(await aborted).toEqual({ kind: 'aborted', retry: 'never' });
    deliver();
    expect(await other).toMatchObject({ hasProfile: false });
    expect(phone.sent.at(-1)).toMatchObject({ paths: ['user.me', 'user.me'], aborted: false });
  });

  it('an abort after the answer changes nothing', async () => {
    const client = phone.launch();
    const controller = new client.AbortController();
    await client.api.user.me.query(undefined, { signal: controller.signal });
    controller.abort();
    expect(phone.sent.every(({ aborted }) => !aborted)).toBe(true);
    expect(await client.api.user.me.query()).toMatchObject({ hasProfile: false });
  });

  it('an abort made beforehand sends nothing, not even beside other calls', async () => {
    const client = phone.launch();
    await client.session.ensure();
    const controller = new client.AbortController();
    controller.abort();
    const failure = await failureIn(client, client.api.user.me.query(undefined, { signal: controller.signal }));
    expect(failure).toEqual({ kind: 'aborted', retry: 'never' });
    expect(phone.sent).toHaveLength(1);
    const beside = client.api.user.me.query(undefined, { signal: controller.signal });
    await Promise.all([client.api.user.me.query(), failureIn(client, beside)]);
    expect(phone.sent.slice(1).map(({ paths }) => paths)).toEqual([['user.me']]);
  });

  it('an abort during the login that others wait for lets the login go on, and sends no call of its own', async () => {
    const client = phone.launch();
    const controller = new client.AbortController();
    const aborted = failureIn(client, client.api.user.me.query(undefined, { signal: controller.signal }));
    const other = client.api.user.me.query();
    controller.abort();
    expect(await aborted).toEqual({ kind: 'aborted', retry: 'never' });
    expect(await other).toMatchObject({ hasProfile: false });
    expect(phone.sent.map(({ paths }) => paths)).toEqual([['auth.checkUser'], ['user.me']]);
  });
});

it('a client built without the AbortController of ours cannot make a single call', async () => {
  const bare = createPhone({ backend, code: await bundle({ inject: [] }) });
  await expect(bare.launch().session.ensure()).rejects.toThrow('AbortController is not defined');
  bare.close();
});

async function until(happened: () => boolean): Promise<void> {
  while (!happened()) await new Promise((resolve) => setTimeout(resolve, 1));
}
