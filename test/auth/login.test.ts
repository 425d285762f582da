import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { databases } from '../support/databases.ts';
import { encrypt, sign } from '../../packages/standin/src/seal.ts';
import { failureOf, loginInputOf, startBackend, type Backend } from '../support/backend.ts';

const emptyUser = {
  nickName: null,
  avatarUrl: null,
  gender: null,
  language: null,
  city: null,
  province: null,
  country: null,
  hasProfile: false,
  hasPhone: false,
};
const band = {
  nickName: 'Band',
  avatarUrl: 'https://thirdwx.qlogo.cn/mmopen/vi_32/synthetic/132',
  gender: 1,
  language: 'zh_CN',
  city: 'Guangzhou',
  province: 'Guangdong',
  country: 'China',
};

describe.each(databases)('on $name', ({ createUrl }) => {
  let backend: Backend;
  let users = 0;
  const newUser = () => `user${++users}`;
  beforeAll(async () => {
    backend = await startBackend({ databaseUrl: await createUrl() });
  });
  afterAll(() => backend.close());

  const codeOf = (user: string, rotate = false) => backend.standin.phone.login({ user, rotate }).code;
  const checkUser = (user: string, rotate = false) =>
    backend.client().auth.checkUser.mutate({ code: codeOf(user, rotate) });
  const login = (user: string, profile: Record<string, unknown> = band) =>
    backend.client().auth.login.mutate(loginInputOf(backend, user, profile));
  const stored = (user: string) => backend.store.findUser(backend.standin.person(user).openid);

  describe('a login', () => {
    test('a new user has no profile at checkUser, gets one by login, and is known from then on', async () => {
      const user = newUser();
      expect(await checkUser(user)).toMatchObject({ hasProfile: false, user: emptyUser });
      expect(await login(user)).toMatchObject({ user: { ...band, hasProfile: true, hasPhone: false } });
      const known = await checkUser(user);
      expect(known).toMatchObject({ hasProfile: true, user: { ...band, hasProfile: true } });
      expect(await backend.client(known.token).user.me.query()).toEqual(known.user);
    });

    test('a login needs no checkUser before it', async () => {
      expect(await login(newUser())).toMatchObject({ user: band });
    });

    test('a login answers with a token of 43 characters that lives 7 days', async () => {
      const { token, expiresAt } = await checkUser(newUser());
      expect(token).toMatch(/^[A-Za-z0-9_-]{43}$/);
      expect(expiresAt).toBe(backend.clock.now + 7 * 24 * 60 * 60 * 1000);
    });

    test('a login answers only what the contract names', async () => {
      const user = newUser();
      const first = await checkUser(user);
      expect(Object.keys(first).toSorted()).toEqual(['expiresAt', 'hasProfile', 'token', 'user']);
      const second = await login(user);
      expect(Object.keys(second).toSorted()).toEqual(['expiresAt', 'token', 'user']);
      expect(Object.keys(second.user).toSorted()).toEqual(Object.keys(emptyUser).toSorted());
    });

    test('a login with the data of wx.getUserInfo, which holds the openid, is accepted too', async () => {
      const user = newUser();
      const { rawData, signature, encryptedData, iv } = backend.standin.phone.profile({
        user,
        api: 'getUserInfo',
        profile: band,
      });
      const input = { code: codeOf(user), rawData, signature, encryptedData, iv };
      expect(await backend.client().auth.login.mutate(input)).toMatchObject({ user: band });
    });

    test('a login gives back Chinese, emoji and 64 of the longest emoji exactly', async () => {
      const names = [
        '果壳科技的小明',
        '👨‍👩‍👧‍👦🏳️‍🌈',
        '𠮷野家',
        '果'.repeat(64),
        '👩🏽‍❤️‍💋‍👨🏿'.repeat(64),
        ' spaced ',
        'Ａé́',
        '"\\</script>',
      ];
      for (const nickName of names) {
        const user = newUser();
        expect((await login(user, { nickName })).user.nickName).toBe(nickName);
        expect((await checkUser(user)).user.nickName).toBe(nickName);
      }
    });

    test('an unknown value is null, and a login that does not know it keeps the stored one', async () => {
      const user = newUser();
      await login(user, band);
      const { user: after } = await login(user, {
        nickName: 'Band2',
        gender: 0,
        city: '',
        province: '',
        language: '',
        country: '',
        avatarUrl: '',
      });
      expect(after).toMatchObject({ ...band, nickName: 'Band2' });
      const { user: bare } = await login(newUser(), {
        nickName: 'Bare',
        gender: 0,
        city: '',
        province: '',
        language: '',
        country: '',
        avatarUrl: '',
      });
      expect(bare).toEqual({ ...emptyUser, nickName: 'Bare', gender: 0, hasProfile: true });
    });
  });

  describe('the anonymous profile', () => {
    const anonymousLogin = (user: string) => {
      const { rawData, signature, encryptedData, iv } = backend.standin.phone.profile({ user, anonymous: true });
      return backend.client().auth.login.mutate({ code: codeOf(user), rawData, signature, encryptedData, iv });
    };

    test('a login with the anonymous profile succeeds, and the user has no profile', async () => {
      const user = newUser();
      expect((await anonymousLogin(user)).user).toEqual(emptyUser);
      expect((await checkUser(user)).hasProfile).toBe(false);
    });

    test('an anonymous profile never overwrites a better one', async () => {
      const user = newUser();
      await login(user);
      expect((await anonymousLogin(user)).user).toMatchObject({ ...band, hasProfile: true });
    });

    test('an empty or blank name counts as an anonymous profile', async () => {
      for (const nickName of ['', '   ', '　']) {
        const user = newUser();
        expect((await login(user, { ...band, nickName })).user).toEqual(emptyUser);
      }
    });
  });

  describe('a session key that WeChat rotates', () => {
    test("a rotation between the profile and wx.login, in the tutorial's own order, is harmless: the key that checkUser stored proves the profile", async () => {
      const user = newUser();
      await checkUser(user);
      const { rawData, signature, encryptedData, iv } = backend.standin.phone.profile({ user, profile: band });
      const code = codeOf(user, true);
      const { user: after } = await backend.client().auth.login.mutate({ code, rawData, signature, encryptedData, iv });
      expect(after).toMatchObject(band);
    });

    test('a previous key is accepted one key back and not two, of this user alone', async () => {
      const user = newUser();
      const sealedWith = () => backend.standin.phone.profile({ user, profile: band });
      const loginWith = ({ rawData, signature, encryptedData, iv }: ReturnType<typeof sealedWith>, rotate: boolean) =>
        failureOf(
          backend.client().auth.login.mutate({ code: codeOf(user, rotate), rawData, signature, encryptedData, iv }),
        );
      await checkUser(user);
      const first = sealedWith();
      await checkUser(user, true);
      const second = sealedWith();
      expect(await loginWith(first, false)).toBeNull();
      expect(await loginWith(second, false)).toBeNull();
      expect(await loginWith(first, true)).toMatchObject({ reason: 'PROFILE_REJECTED' });
      expect(await loginWith(second, false)).toBeNull();
      expect(await loginWith(first, false)).toMatchObject({ reason: 'PROFILE_REJECTED' });
    });

    test('a later login that is faster does not hide the key before both: it still proves the profile', async () => {
      const user = newUser();
      await checkUser(user);
      const { rawData, signature, encryptedData, iv } = backend.standin.phone.profile({ user, profile: band });
      const code = codeOf(user, true);
      backend.standin.phone.fault({ code, fault: { kind: 'delay', ms: 400 } });
      const before = backend.standin.phone.stats().paths['/sns/jscode2session']?.requests ?? 0;
      const slow = backend.client().auth.login.mutate({ code, rawData, signature, encryptedData, iv });
      await expect.poll(() => backend.standin.phone.stats().paths['/sns/jscode2session']?.requests).toBe(before + 1);
      backend.clock.now += 1000;
      await checkUser(user, true);
      const latest = await stored(user);
      expect(await slow).toMatchObject({ user: band });
      const { sessionKey, prevSessionKey } = latest ?? expect.unreachable();
      expect(await stored(user)).toMatchObject({ sessionKey, prevSessionKey, nickName: 'Band' });
    });

    test('a damaged stored key counts as missing', async () => {
      const user = newUser();
      await checkUser(user);
      const sealed = backend.standin.phone.profile({ user, profile: band });
      const row = await stored(user);
      if (!row) throw new Error('not stored');
      await backend.store.saveLogin({
        ...row,
        profile: row,
        sessionKey: 'v1.test.damaged.value',
        sessionKeyFingerprint: 'other',
        sessionKeyAt: row.sessionKeyAt,
        tokenHash: Buffer.alloc(32, users),
        now: backend.clock.now,
        expiresAt: backend.clock.now,
      });
      const { rawData, signature, encryptedData, iv } = sealed;
      const input = { code: codeOf(user, true), rawData, signature, encryptedData, iv };
      expect(await failureOf(backend.client().auth.login.mutate(input))).toMatchObject({ reason: 'PROFILE_REJECTED' });
      expect(await login(user)).toMatchObject({ user: band });
    });
  });

  describe('a refusal', () => {
    /** The bytes of the answer: they must be the same whatever was wrong. */
    const bytesOf = async (input: object) => {
      const response = await fetch(`${backend.url}/trpc/auth.login`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(input),
      });
      return `${response.status} ${await response.text()}`;
    };

    test('a refusal of a profile is the same bytes for every cause, and nothing is written', async () => {
      const user = newUser();
      const other = newUser();
      await checkUser(user);
      await login(other);
      const before = await stored(user);
      const good = () => loginInputOf(backend, user, band);
      const ofOther = loginInputOf(backend, other, band);
      const old = backend.standin.phone.profile({ user, timestamp: backend.clock.now / 1000 - 601 });
      const otherOpenId = backend.standin.phone.profile({ user: other, api: 'getUserInfo' });
      const inputs = [
        { ...good(), signature: '0'.repeat(40) },
        { ...good(), rawData: good().rawData.replace('Band', 'Hand') },
        { ...good(), rawData: 'no json' },
        { ...good(), iv: Buffer.alloc(16).toString('base64') },
        { ...good(), encryptedData: Buffer.alloc(16).toString('base64') },
        { ...good(), encryptedData: Buffer.alloc(15).toString('base64') },
        { ...good(), encryptedData: ofOther.encryptedData, iv: ofOther.iv },
        { ...ofOther, code: codeOf(user) },
        { ...good(), rawData: old.rawData, signature: old.signature, encryptedData: old.encryptedData, iv: old.iv },
        { ...otherOpenId, code: codeOf(user) },
      ];
      const answers = new Set<string>();
      for (const input of inputs) answers.add(await bytesOf(input));
      expect([...answers]).toEqual([expect.stringMatching(/^401 .*"PROFILE_REJECTED","retry":"login"/)]);
      expect(await stored(user)).toEqual(before);
    });

    test('a code that is made up, used or too old is CODE_INVALID, and nothing is written', async () => {
      const user = newUser();
      const used = codeOf(user);
      const input = loginInputOf(backend, user, band);
      await backend.client().auth.checkUser.mutate({ code: used });
      const before = await stored(user);
      const old = codeOf(user);
      backend.clock.now += 5 * 60 * 1000 + 1;
      for (const code of [used, old, 'made-up']) {
        const expected = { reason: 'CODE_INVALID', retry: 'login', httpStatus: 401 };
        expect(await failureOf(backend.client().auth.checkUser.mutate({ code }))).toMatchObject(expected);
        expect(await failureOf(backend.client().auth.login.mutate({ ...input, code }))).toMatchObject(expected);
      }
      expect(await stored(user)).toEqual(before);
    });

    test('a blocked user’s refused login leaves no trace of them', async () => {
      const user = newUser();
      backend.standin.phone.block({ user });
      const expected = { reason: 'USER_BLOCKED', retry: 'never', httpStatus: 403 };
      expect(await failureOf(checkUser(user))).toMatchObject(expected);
      expect(await stored(user)).toBeNull();
    });

    test('a refusal of input names the fields and not their values, and the code is not spent', async () => {
      const user = newUser();
      const good = loginInputOf(backend, user, band);
      const nickName = (name: unknown) => JSON.stringify({ nickName: name });
      const odd: [string, object][] = [
        ['code', { code: 'sp ace' }],
        ['code', { code: 'x'.repeat(129) }],
        ['code', { code: '' }],
        ['code', { code: ['a'] }],
        ['signature', { signature: good.signature.toUpperCase() }],
        ['signature', { signature: `${good.signature}0` }],
        ['iv', { iv: Buffer.alloc(15).toString('base64') }],
        ['iv', { iv: Buffer.alloc(17).toString('base64') }],
        ['iv', { iv: good.iv.replace('==', '') }],
        ['iv', { iv: `${good.iv}\n` }],
        ['encryptedData', { encryptedData: '' }],
        ['encryptedData', { encryptedData: `${good.encryptedData}=` }],
        ['encryptedData', { encryptedData: 'A'.repeat(16 * 1024 + 4) }],
        ['encryptedData', { encryptedData: 'QR==' }],
        ['rawData', { rawData: '' }],
        ['rawData', { rawData: 'x'.repeat(8 * 1024 + 1) }],
        ['rawData', { rawData: '果'.repeat(2731) }],
        ['rawData', { rawData: '\ud83d' }],
        ['rawData.nickName', { rawData: nickName({}) }],
        ['rawData.gender', { rawData: '{"gender":"1"}' }],
        ['appId', { appId: 'wxnotours' }],
        ['appId', { appId: '' }],
        ['appId', { appId: null }],
      ];
      for (const [field, change] of odd) {
        const answer = await bytesOf({ ...good, ...change });
        expect([field, answer]).toEqual([
          field,
          expect.stringMatching(/^400 .*"reason":"INPUT_INVALID","retry":"never"/),
        ]);
        expect(answer).toContain(`The input is not valid: ${field}"`);
      }
      expect(await stored(user)).toBeNull();
      expect(await backend.client().auth.login.mutate(good)).toMatchObject({ user: band });
    });

    test('a login succeeds where a field of WeChat’s profile cannot be stored: the field counts as unknown', async () => {
      const unusable: [keyof typeof band, string][] = [
        ['city', 'Guang\bzhou'],
        ['province', '\ud83d'],
        ['country', 'x'.repeat(129)],
        ['language', 'zh\u0085'],
        ...[
          'javascript:alert(1)',
          'data:image/png;base64,AAAA',
          'x',
          '//cdn/x',
          'https://',
          'ftp://a/b',
          `https://a/${'x'.repeat(2048)}`,
        ].map((avatarUrl): ['avatarUrl', string] => ['avatarUrl', avatarUrl]),
      ];
      for (const [field, value] of unusable) {
        const { user } = await login(newUser(), { ...band, [field]: value });
        expect([field, user]).toEqual([field, { ...band, [field]: null, hasProfile: true, hasPhone: false }]);
      }
      for (const nickName of ['\u0007', 'Ba\u0007nd', '\ud83d', '果'.repeat(1025)]) {
        const user = newUser();
        expect((await login(user, { ...band, nickName })).user).toEqual(emptyUser);
        expect((await login(user, band)).user).toMatchObject(band);
        expect((await login(user, { ...band, nickName })).user).toMatchObject(band);
      }
    });

    test('control characters that WeChat wrote into the signed text are read as they are', async () => {
      const user = newUser();
      const { appId, sessionKey } = backend.standin.person(user);
      const rawData = JSON.stringify({ ...band, city: 'Guang\bzhou' }).replace('\\b', '\b');
      const watermark = JSON.stringify({ timestamp: Math.floor(backend.clock.now / 1000), appid: appId });
      const sealed = encrypt(`${rawData.slice(0, -1)},"watermark":${watermark}}`, sessionKey);
      const input = { code: codeOf(user), rawData, signature: sign(rawData, sessionKey), ...sealed };
      expect((await backend.client().auth.login.mutate(input)).user).toMatchObject({ ...band, city: null });
    });

    test('a signed profile nested thousands deep is refused with the same answer as any other wrong profile', async () => {
      for (const deep of ['['.repeat(2000) + ']'.repeat(2000), '{"a":'.repeat(1000) + '1' + '}'.repeat(1000)]) {
        const user = newUser();
        const { appId, sessionKey } = backend.standin.person(user);
        const rawData = `{"nickName":"Band","other":${deep}}`;
        const watermark = JSON.stringify({ timestamp: Math.floor(backend.clock.now / 1000), appid: appId });
        const sealed = encrypt(`${rawData.slice(0, -1)},"watermark":${watermark}}`, sessionKey);
        const input = { code: codeOf(user), rawData, signature: sign(rawData, sessionKey), ...sealed };
        expect(await failureOf(backend.client().auth.login.mutate(input))).toMatchObject({
          reason: 'PROFILE_REJECTED',
        });
      }
    });

    test('a refusal names all wrong fields at once', async () => {
      const answer = await bytesOf({ code: '!', iv: '', rawData: 1 });
      expect(answer).toContain('The input is not valid: code, rawData, signature, encryptedData, iv"');
    });

    test('a failure of WeChat has its own words, and nothing is written', async () => {
      const troubles = [
        ['WECHAT_BUSY', 503, 'later', { kind: 'errcode', errcode: -1 }],
        ['WECHAT_RATE_LIMITED', 429, 'later', { kind: 'errcode', errcode: 45011 }],
        ['WECHAT_BAD_RESPONSE', 502, 'later', { kind: 'html' }],
        ['WECHAT_REJECTED', 502, 'never', { kind: 'errcode', errcode: 40125 }],
        ['WECHAT_TIMEOUT', 504, 'later', { kind: 'hang' }],
      ] as const;
      for (const [reason, httpStatus, retry, fault] of troubles) {
        const user = newUser();
        const code = codeOf(user);
        backend.standin.phone.fault({ code, times: 3, fault });
        const failure = await failureOf(backend.client().auth.checkUser.mutate({ code }));
        expect(failure).toMatchObject({ reason, httpStatus, retry, path: 'auth.checkUser' });
        // WeChat is left alone until the next minute.
        if (reason === 'WECHAT_RATE_LIMITED') backend.clock.now += 60_000;
        expect(await stored(user)).toBeNull();
      }
    });

    test('a refusal by WeChat for too many calls says when to come back', async () => {
      const code = codeOf(newUser());
      backend.standin.phone.fault({ code, fault: { kind: 'errcode', errcode: 45011 } });
      const response = await fetch(`${backend.url}/trpc/auth.checkUser`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ code }),
      });
      expect(response.status).toBe(429);
      expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(Number(response.headers.get('retry-after'))).toBeLessThanOrEqual(60);
      backend.clock.now += 60_000;
    });
  });

  describe('calls at the same moment', () => {
    test('20 uses of one code give one login', async () => {
      const user = newUser();
      const code = codeOf(user);
      const failures = await Promise.all(
        Array.from({ length: 20 }, () => failureOf(backend.client().auth.checkUser.mutate({ code }))),
      );
      expect(failures.filter((failure) => failure === null)).toHaveLength(1);
    });

    test('50 first logins of one user all succeed, each with a token that works', async () => {
      const user = newUser();
      const logins = await Promise.all(Array.from({ length: 50 }, () => login(user)));
      const users = await Promise.all(logins.map(({ token }) => backend.client(token).user.me.query()));
      for (const me of users) expect(me).toMatchObject(band);
    });
  });
});
