import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import { createRateLimiter } from '../../src/limits/rate-limiter.ts';
import { failureOf, loginInputOf, startBackend, type Backend } from '../support/backend.ts';
import { databases } from '../support/databases.ts';

const limited = { reason: 'RATE_LIMITED', retry: 'later', httpStatus: 429, code: 'TOO_MANY_REQUESTS' };

describe('calls that spend a code, at most 5 a minute', () => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await startBackend({ env: { RATE_LIMIT_PER_MINUTE: '5', TRUST_PROXY_HOPS: '1' } });
  });
  afterAll(() => backend.close());

  let addresses = 0;
  const newAddress = () => `198.51.100.${++addresses}`;
  const codeOf = (user: string) => backend.standin.phone.login({ user }).code;
  const exchanges = () => backend.standin.phone.stats().paths['/sns/jscode2session']?.requests ?? 0;
  const send = (path: string, body: object, forwardedFor: string) =>
    fetch(`${backend.url}/trpc/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-forwarded-for': forwardedFor },
      body: JSON.stringify(body),
    });
  const checkUser = (address: string) => send('auth.checkUser', { code: codeOf('limited') }, address);
  const statuses = async (address: string, count: number) => {
    const seen: number[] = [];
    for (let i = 0; i < count; i++) seen.push((await checkUser(address)).status);
    return seen;
  };

  test('the sixth call is refused, says when to come back, and WeChat is not asked', async () => {
    const address = newAddress();
    expect(await statuses(address, 5)).toEqual([200, 200, 200, 200, 200]);
    const before = exchanges();
    backend.clock.now += 10_500;
    const refused = await checkUser(address);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '50']);
    expect(await refused.json()).toMatchObject({ error: { data: limited } });
    expect(exchanges()).toBe(before);
    backend.clock.now += 49_499;
    expect(await statuses(address, 1)).toEqual([429]);
    backend.clock.now += 1;
    expect(await statuses(address, 6)).toEqual([200, 200, 200, 200, 200, 429]);
  });

  test('calls of auth.login count with those of auth.checkUser, and a refused one writes nothing', async () => {
    const address = newAddress();
    await statuses(address, 5);
    const response = await send('auth.login', loginInputOf(backend, 'never-stored'), address);
    expect(response.status).toBe(429);
    expect(await backend.store.findUser(backend.standin.person('never-stored').openid)).toBeNull();
  });

  test.each(['user.bindPhone', 'user.exportData', 'user.deleteAccount'])('calls of %s count too', async (path) => {
    const { token } = await backend.client().auth.checkUser.mutate({ code: codeOf('signed-in') });
    const address = newAddress();
    await statuses(address, 5);
    const response = await fetch(`${backend.url}/trpc/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-forwarded-for': address, authorization: `Bearer ${token}` },
      body: JSON.stringify({ code: codeOf('signed-in') }),
    });
    expect(response.status).toBe(429);
    expect(await response.json()).toMatchObject({ error: { data: limited } });
  });

  test('calls of a batch are counted one by one: a batch of 10 has 5 answers and 5 refusals', async () => {
    const before = exchanges();
    const path = Array.from({ length: 10 }, () => 'auth.checkUser').join(',');
    const body = Object.fromEntries(Array.from({ length: 10 }, (_, i) => [i, { code: codeOf(`batch${i}`) }]));
    const response = await send(`${path}?batch=1`, body, newAddress());
    expect([response.status, response.headers.get('retry-after')]).toEqual([207, '60']);
    const answers: { error?: { data: object } }[] = JSON.parse(await response.text());
    expect(answers.filter(({ error }) => !error)).toHaveLength(5);
    for (const { error } of answers) if (error) expect(error.data).toMatchObject(limited);
    expect(exchanges()).toBe(before + 5);
  });

  test('calls are counted for each address, and for each /64 of IPv6', async () => {
    expect(await statuses(newAddress(), 6)).toEqual([200, 200, 200, 200, 200, 429]);
    expect(await statuses(newAddress(), 1)).toEqual([200]);
    const inOne64: number[] = [];
    for (let i = 0; i < 6; i++) inOne64.push((await checkUser(`2001:db8:0:1::${i}`)).status);
    expect(inOne64).toEqual([200, 200, 200, 200, 200, 429]);
    expect(await statuses('2001:db8:0:2::1', 1)).toEqual([200]);
  });

  test('calls with made-up entries to the left of what the proxy wrote are counted together', async () => {
    const address = newAddress();
    const seen: number[] = [];
    for (let i = 0; i < 6; i++) seen.push((await checkUser(`203.0.113.${i}, ${address}`)).status);
    expect(seen).toEqual([200, 200, 200, 200, 200, 429]);
  });

  test('calls of a wrong shape spend no code and are not counted, nor are a signed-in user’s calls without a code', async () => {
    const address = newAddress();
    for (let i = 0; i < 10; i++) expect((await send('auth.checkUser', { code: '!' }, address)).status).toBe(400);
    const { result } = JSON.parse(await (await checkUser(address)).text());
    await statuses(address, 5);
    const me = await fetch(`${backend.url}/trpc/user.me`, {
      headers: { authorization: `Bearer ${result.data.token}`, 'x-forwarded-for': address },
    });
    expect(me.status).toBe(200);
  });
});

describe.each(databases)('pictures of one user, at most 5 a minute, on $name', ({ createUrl, query }) => {
  /** Each of another content. */
  const pictures = (count: number) =>
    Promise.all(
      Array.from({ length: count }, async (_, i) => {
        const background = { r: i * 6, g: 255 - i * 6, b: i };
        const picture = sharp({ create: { width: 16, height: 16, channels: 3, background } });
        return (await picture.png().toBuffer()).toString('base64');
      }),
    );
  async function start(env: Record<string, string>) {
    const databaseUrl = await createUrl();
    const backend = await startBackend({ databaseUrl, env });
    onTestFinished(() => backend.close());
    const tokenOf = async (user: string) =>
      (await backend.client().auth.checkUser.mutate({ code: backend.standin.phone.login({ user }).code })).token;
    const rows = () => query(databaseUrl, 'select created_at from gk_wx_avatar');
    return { backend, tokenOf, rows };
  }

  test('the sixth picture is refused and not stored, whatever became of the first ones; names, and other users, are not limited', async () => {
    const { backend, tokenOf, rows } = await start({ RATE_LIMIT_PER_MINUTE: '300' });
    const ming = backend.client(await tokenOf('ming'));
    const [none = '', ...good] = await pictures(8);
    expect(await failureOf(ming.user.updateProfile.mutate({ avatar: none.slice(0, 40) }))).toMatchObject({
      reason: 'INPUT_INVALID',
    });
    for (const avatar of good.slice(0, 4)) await ming.user.updateProfile.mutate({ avatar });
    backend.clock.now += 10_000;
    const sixth = () => ming.user.updateProfile.mutate({ avatar: good[4] });
    expect(await failureOf(sixth())).toMatchObject({ ...limited, path: 'user.updateProfile' });
    expect(await rows()).toHaveLength(4);
    await ming.user.updateProfile.mutate({ nickName: '小明' });
    await backend.client(await tokenOf('hong')).user.updateProfile.mutate({ avatar: good[5] });
    backend.clock.now += 50_000;
    expect(await failureOf(sixth())).toBeNull();
    expect(await rows()).toHaveLength(6);
  });

  test('pictures stay limited where the limits of codes and of writes are off', async () => {
    const { backend, tokenOf } = await start({ RATE_LIMIT_PER_MINUTE: '0', USER_WRITES_PER_MINUTE: '0' });
    const ming = backend.client(await tokenOf('ming'));
    const [sixth, ...five] = await pictures(6);
    for (const avatar of five) await ming.user.updateProfile.mutate({ avatar });
    expect(await failureOf(ming.user.updateProfile.mutate({ avatar: sixth }))).toMatchObject(limited);
  });
});

test('X-Forwarded-For changes no address without trusted proxies, and a limit of 0 switches the limit off', async () => {
  const strict = await startBackend({ env: { RATE_LIMIT_PER_MINUTE: '2' } });
  const open = await startBackend({ env: { RATE_LIMIT_PER_MINUTE: '0' } });
  const call = (backend: Backend, i: number) =>
    fetch(`${backend.url}/trpc/auth.checkUser`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-forwarded-for': `203.0.113.${i}` },
      body: JSON.stringify({ code: 'made-up' }),
    }).then(({ status }) => status);
  expect([await call(strict, 1), await call(strict, 2), await call(strict, 3)]).toEqual([401, 401, 429]);
  for (let i = 0; i < 20; i++) expect(await call(open, i)).toBe(401);
  const limit = await failureOf(strict.client().auth.checkUser.mutate({ code: 'x' }));
  expect(limit).toMatchObject({ ...limited, path: 'auth.checkUser' });
  await strict.close();
  await open.close();
});

test('the default limit is 1200 a minute', async () => {
  const { settings } = loadConfig({ WX_APPID: 'wx0123456789abcdef', WX_SECRET: 'secret' });
  const limiter = createRateLimiter({ perMinute: settings.rateLimitPerMinute });
  for (let call = 0; call < 1200; call++) expect(limiter.take('an address', 0)).toBe(0);
  expect(limiter.take('an address', 0)).toBe(60);
});

describe('the memory of callers', () => {
  test('the memory is bounded: the earliest callers are forgotten, and never the latest', () => {
    const limiter = createRateLimiter({ perMinute: 1, maxCallers: 3 });
    const callers = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
    for (const caller of callers) expect(limiter.take(caller, 0)).toBe(0);
    expect(callers.slice(-4).map((caller) => limiter.take(caller, 1000))).toEqual([59, 59, 59, 59]);
    expect(limiter.take('a', 1000)).toBe(0);
  });

  test('a minute is whole, whenever it began', () => {
    const limiter = createRateLimiter({ perMinute: 1 });
    expect(limiter.take('first', 0)).toBe(0);
    expect(limiter.take('late', 59_000)).toBe(0);
    expect(limiter.take('turning', 61_000)).toBe(0);
    expect(limiter.take('late', 118_999)).toBe(1);
    expect(limiter.take('late', 119_000)).toBe(0);
  });

  test('a count ends with its minute, and a clock that is set back makes no minute longer', () => {
    const limiter = createRateLimiter({ perMinute: 1 });
    expect(limiter.take('a', 100_000)).toBe(0);
    expect(limiter.take('a', 159_999)).toBe(1);
    expect(limiter.take('a', 160_000)).toBe(0);
    expect(limiter.take('a', 50_000)).toBe(0);
    expect(limiter.take('a', 50_001)).toBe(60);
  });

  test('a look-up is as quick at the two hundred thousandth address as at the first', () => {
    const limiter = createRateLimiter({ perMinute: 1 });
    const startedAt = performance.now();
    for (let i = 0; i < 200_000; i++) limiter.take(`2001:db8:${i >> 8}:${i & 255}::/64`, i);
    expect(performance.now() - startedAt).toBeLessThan(10_000);
  });
});
