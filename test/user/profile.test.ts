import { createHash } from 'node:crypto';
import { request } from 'node:http';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Backend, failureOf, loginInputOf, startBackend } from '../support/backend.ts';
import { databases } from '../support/databases.ts';

const red = await sharp({ create: { width: 300, height: 200, channels: 3, background: '#f00' } })
  .jpeg()
  .toBuffer();
const base64 = (bytes: Buffer) => bytes.toString('base64');

describe.each(databases)('a user’s own profile on $name', ({ createUrl, query }) => {
  let backend: Backend;
  let databaseUrl: string;
  let users = 0;
  beforeAll(async () => {
    databaseUrl = await createUrl();
    backend = await startBackend({ databaseUrl });
  });
  afterAll(() => backend.close());

  async function signIn(user = `profile${++users}`) {
    const { code } = backend.standin.phone.login({ user });
    const { token } = await backend.client().auth.checkUser.mutate({ code });
    return {
      user,
      token,
      update: (input: { nickName?: string; avatar?: string }) => backend.client(token).user.updateProfile.mutate(input),
      row: () => backend.store.findUser(backend.standin.person(user).openid),
    };
  }
  const loginWith = (user: string, profile: Record<string, unknown>) =>
    backend.client().auth.login.mutate(loginInputOf(backend, user, profile));
  const anonymousLogin = (user: string) => {
    const { rawData, signature, encryptedData, iv } = backend.standin.phone.profile({ user, anonymous: true });
    const { code } = backend.standin.phone.login({ user });
    return backend.client().auth.login.mutate({ code, rawData, signature, encryptedData, iv });
  };
  const avatarCount = async () => Number((await query(databaseUrl, 'select count(*) as n from gk_wx_avatar'))[0]?.n);

  test('a profile is answered, stored, and still there after an anonymous login, a restart and one more', async () => {
    const { user, token, update } = await signIn();
    const updated = await update({ nickName: '果壳', avatar: base64(red) });
    expect(updated).toMatchObject({ nickName: '果壳', hasProfile: true, hasPhone: false });
    expect(updated.avatarUrl).toMatch(/^\/avatars\/[0-9a-f]{64}\.webp$/);
    expect((await anonymousLogin(user)).user).toEqual(updated);

    await backend.stopServer();
    const { standin, clock } = backend;
    backend = { ...(await startBackend({ databaseUrl, env: { WX_API_BASE_URL: standin.url } })), standin, clock };
    expect(await backend.client(token).user.me.query()).toEqual(updated);
    const again = await anonymousLogin(user);
    expect(again.user).toEqual(updated);
    expect((await fetch(`${backend.url}${updated.avatarUrl}`)).status).toBe(200);
    await standin.close();
    await backend.close();
    backend = await startBackend({ databaseUrl });
  });

  test('a profile may be a name alone or a picture alone, and a picture does not count as a name', async () => {
    const { update } = await signIn();
    expect(await update({ avatar: base64(red) })).toMatchObject({ nickName: null, hasProfile: false });
    expect(await update({ nickName: 'Ming' })).toMatchObject({ nickName: 'Ming', hasProfile: true });
    expect((await update({ nickName: 'Ming2' })).avatarUrl).toMatch(/^\/avatars\//);
  });

  test('a profile gives way to a real profile of WeChat’s, and its avatar to a real avatar', async () => {
    const { user, update } = await signIn();
    await update({ nickName: 'Mine', avatar: base64(red) });
    const avatarUrl = 'https://thirdwx.qlogo.cn/mmopen/vi_32/real/132';
    expect((await loginWith(user, { nickName: 'Real', avatarUrl })).user).toMatchObject({
      nickName: 'Real',
      avatarUrl,
    });
  });

  test('a profile keeps its avatar where WeChat knows a name and the grey avatar only', async () => {
    const { user, update } = await signIn();
    const { avatarUrl } = await update({ nickName: 'Mine', avatar: base64(red) });
    const { userInfo } = backend.standin.phone.profile({ user, anonymous: true });
    const { user: after } = await loginWith(user, { nickName: 'Real', avatarUrl: userInfo.avatarUrl });
    expect(after).toMatchObject({ nickName: 'Real', avatarUrl });
    // A name that is everybody's brings nothing with it, whatever stands around it.
    for (const nickName of ['微信用户', ' 微信用户 ', '微信用户\u200B', '', '\u3164']) {
      const { user: same } = await loginWith(user, {
        nickName,
        avatarUrl: 'https://thirdwx.qlogo.cn/x/132',
        city: 'X',
      });
      expect(same).toEqual(after);
    }
  });

  test('a profile has any visible name, composed, to the last character', async () => {
    const { update } = await signIn();
    const names = [
      '果'.repeat(64),
      '👨‍👩‍👧‍👦🏳️‍🌈🏴󠁧󠁢󠁳󠁣󠁴󠁿',
      '👩🏽‍❤️‍💋‍👨🏿'.repeat(64),
      'می‌خواهم',
      ' as typed ',
      '<b>&\'"\\',
      '𠮷野家',
      'x'.repeat(1024),
    ];
    for (const nickName of names) expect((await update({ nickName })).nickName).toBe(nickName);
    expect((await update({ nickName: 'Cafe\u0301' })).nickName).toBe('Caf\u00e9');
  });

  test('a name that deceives, hides or is the anonymous one is refused by its field, and nothing is written', async () => {
    const { row, update } = await signIn();
    await update({ nickName: 'Before' });
    const before = await row();
    const odd = [
      '',
      ' ',
      '\u3000',
      '\u200D',
      '\u3164',
      '\u2800',
      '\uFE0F\u200C',
      '微信用户',
      ' 微信用户',
      '微信\u200D用户',
      'a\u0000',
      'a\n',
      'a\u007f',
      'a\u0085',
      '\ud83d',
      'a\u2028b',
      'a\ufffdb',
      'a\u2029b',
      ...Array.from(
        '\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c\u200b\u2060\ufeff\u00ad\ufff9',
      ),
      'x'.repeat(1025),
      '\u0958'.repeat(513),
      'x'.repeat(5000),
    ].map((each) => (each.length === 1 && each > '\u0080' && each !== '\u3000' ? `a${each}b` : each));
    const seen: string[] = [];
    for (const nickName of odd) {
      const failure = await failureOf(update({ nickName }));
      if (failure === null) seen.push(JSON.stringify(nickName));
      else expect(failure).toMatchObject({ reason: 'INPUT_INVALID', retry: 'never', httpStatus: 400 });
    }
    // Between letters these are as good as any other.
    expect(seen).toEqual(['a\u200Db', 'a\u3164b', 'a\u2800b'].map((each) => JSON.stringify(each)));
    await update({ nickName: 'Before' });
    expect(await row()).toEqual(before);
  });

  test('a profile is taken only from a signed-in user, and only if it is valid', async () => {
    const { row, update, token } = await signIn();
    const before = await row();
    expect(await failureOf(update({}))).toMatchObject({ reason: 'INPUT_INVALID' });
    const anybody = backend.client('x'.repeat(43)).user.updateProfile.mutate({ nickName: 'x' });
    expect(await failureOf(anybody)).toMatchObject({ reason: 'SESSION_INVALID' });
    for (const avatar of [
      '',
      'A',
      '====',
      `${base64(red)}\n`,
      base64(red).replace(/.$/, ''),
      'data:image/png;base64,AAAA',
    ]) {
      const response = await fetch(`${backend.url}/trpc/user.updateProfile`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
        body: JSON.stringify({ nickName: 'x', avatar }),
      });
      expect([response.status, await response.text()]).toEqual([400, expect.stringContaining('not valid: avatar"')]);
    }
    expect(await row()).toEqual(before);
  });

  test('a profile may stand in a batch, beside calls of every kind', async () => {
    const { token, row } = await signIn();
    const response = await fetch(`${backend.url}/trpc/user.updateProfile,auth.checkUser,user.updateProfile?batch=1`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({ 0: { avatar: base64(red) }, 1: { code: '!' }, 2: { avatar: 'AAAA' } }),
    });
    expect(response.status).toBe(207);
    expect(await response.json()).toMatchObject([
      { result: { data: { avatarUrl: (await row())?.avatarUrl } } },
      { error: { data: { reason: 'INPUT_INVALID' } } },
      { error: { data: { reason: 'INPUT_INVALID', path: 'user.updateProfile' } } },
    ]);
  });

  test('updateProfile alone of all procedures takes 512 KiB, whether a request declares its length or not', async () => {
    const { token, row } = await signIn();
    const before = await row();
    const statusOf = (path: string, bytes: number, chunked = false, bearer = token) =>
      new Promise<number>((resolve, reject) => {
        const body = JSON.stringify({ nickName: 'x'.repeat(bytes) }).slice(0, bytes);
        const headers = { 'content-type': 'application/json', authorization: `Bearer ${bearer}` };
        const outgoing = request(
          `${backend.url}/trpc/${path}`,
          { agent: false, method: 'POST', headers: chunked ? headers : { ...headers, 'content-length': body.length } },
          (answer) => {
            answer.resume();
            resolve(answer.statusCode ?? 0);
          },
        );
        outgoing.on('error', reject);
        if (chunked) outgoing.write(body.slice(0, 100));
        outgoing.end(chunked ? body.slice(100) : body);
      });
    const limit = 512 * 1024;
    for (const chunked of [false, true]) {
      expect(await statusOf('user.updateProfile', limit, chunked)).toBe(400);
      expect(await statusOf('user.updateProfile', limit, chunked, 'x'.repeat(43))).toBe(401);
      expect(await statusOf('user.updateProfile', limit + 1, chunked)).toBe(413);
      expect(await statusOf('user.me,user.updateProfile?batch=1', limit + 1, chunked)).toBe(413);
      expect(await statusOf('user.me,user.updateProfile?batch=1', limit, chunked)).toBe(400);
      for (const path of ['auth.checkUser', 'user.updateProfileX', 'user.me?x=user.updateProfile', 'user.bindPhone']) {
        expect([path, await statusOf(path, 64 * 1024 + 1, chunked)]).toEqual([path, 413]);
      }
    }
    const beforeItsBody = await new Promise<number>((resolve) => {
      const headers = { 'content-type': 'application/json', 'content-length': limit };
      const outgoing = request(
        `${backend.url}/trpc/user.updateProfile`,
        { agent: false, method: 'POST', headers },
        (answer) => {
          resolve(answer.statusCode ?? 0);
          outgoing.destroy();
        },
      );
      outgoing.on('error', () => {});
      outgoing.flushHeaders();
    });
    expect(beforeItsBody).toBe(401);
    expect(await row()).toEqual(before);
  });

  describe('with an avatar', () => {
    const get = (path: string, headers: Record<string, string> = {}) => fetch(`${backend.url}${path}`, { headers });

    test('an avatar has an address made from the hash of its bytes, and is stored once per content', async () => {
      const [first, second] = [await signIn(), await signIn()];
      const { avatarUrl } = await first.update({ avatar: base64(red) });
      const count = await avatarCount();
      expect((await second.update({ avatar: base64(red) })).avatarUrl).toBe(avatarUrl);
      expect(await avatarCount()).toBe(count);
      const response = await get(String(avatarUrl));
      const bytes = Buffer.from(await response.arrayBuffer());
      expect(avatarUrl).toBe(`/avatars/${createHash('sha256').update(bytes).digest('hex')}.webp`);
      expect(await sharp(bytes).metadata()).toMatchObject({ format: 'webp', width: 256, height: 256 });
    });

    test('an avatar is served as cacheable for ever, as a picture and nothing else', async () => {
      const { update } = await signIn();
      const path = String((await update({ avatar: base64(red) })).avatarUrl);
      const response = await get(path);
      expect(Object.fromEntries(response.headers)).toMatchObject({
        'cache-control': 'public, max-age=31536000, immutable',
        'content-type': 'image/webp',
        'x-content-type-options': 'nosniff',
        'content-security-policy': "default-src 'none'; sandbox",
        etag: `"${path.slice(9, -5)}"`,
      });
      const head = await fetch(`${backend.url}${path}`, { method: 'HEAD' });
      expect([head.status, head.headers.get('content-length')]).toEqual([200, response.headers.get('content-length')]);
      const etag = String(response.headers.get('etag'));
      for (const known of [etag, `W/${etag}`, `"x", ${etag}`]) {
        const same = await get(path, { 'if-none-match': known });
        expect([same.status, await same.text(), same.headers.get('etag')]).toEqual([304, '', etag]);
        expect(same.headers.get('cache-control')).toContain('immutable');
      }
      expect((await get(path, { 'if-none-match': '"x"' })).status).toBe(200);
    });

    test('a path of no avatar is answered with JSON that no cache keeps', async () => {
      const hash = '0'.repeat(64);
      for (const path of [
        `/avatars/${hash}.webp`,
        `/avatars/${hash}.png`,
        `/avatars/${hash}`,
        `/avatars/${'F'.repeat(64)}.webp`,
        `/avatars/${hash}.webp/`,
        `/avatars/${hash}0.webp`,
        `/avatars/`,
        '/avatars',
        '/avatars/x%00.webp',
        '/avatars/../package.json',
        '/avatars/..%2f..%2fpackage.json',
        '/avatars/%2e%2e/x',
        `/avatars//${hash}.webp`,
        `/avatars/${hash}.webp%0d%0ax: y`,
        `/avatars/%zz.webp`,
      ]) {
        const response = await get(path);
        expect([path, response.status, response.headers.get('cache-control')]).toEqual([path, 404, 'no-store']);
        expect(await response.json()).toEqual({ status: 'not found' });
      }
      expect((await fetch(`${backend.url}/avatars/${hash}.webp`, { method: 'POST' })).status).toBe(404);
    });
  });
});
