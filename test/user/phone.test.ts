import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createPhoneNumbers, maskPhoneNumber } from '../../src/user/phone.ts';
import type { FaultInput } from '../../packages/standin/src/faults.ts';
import { devApp } from '../../packages/standin/src/server.ts';
import { type Backend, failureOf, startBackend } from '../support/backend.ts';
import { databases } from '../support/databases.ts';

const tokenPath = '/cgi-bin/stable_token';
const phonePath = '/wxa/business/getuserphonenumber';
const number = '13580006666';
const keyring = [{ id: 'test', key: Buffer.alloc(32, 5) }] as const;

describe.each(databases)('phone numbers on $name', ({ createUrl, dump }) => {
  let backend: Backend;
  /** A second instance on the same database and the same stand-in. */
  let sibling: Backend;
  let databaseUrl: string;
  let users = 0;

  async function start(env: Readonly<Record<string, string>> = {}) {
    databaseUrl = await createUrl();
    backend = await startBackend({ databaseUrl, env });
    sibling = await startBackend({ databaseUrl, env: { ...env, WX_API_BASE_URL: backend.standin.url } });
  }
  const stop = () => Promise.all([sibling.close(), backend.close()]);
  const stats = () => backend.standin.phone.stats();
  const requests = (path: string) => stats().paths[path]?.requests ?? 0;
  const tick = (ms: number) => [backend, sibling].forEach(({ clock }) => (clock.now += ms));

  async function signIn(user = `phone${++users}`) {
    const { code } = backend.standin.phone.login({ user });
    const { token } = await backend.client().auth.checkUser.mutate({ code });
    return {
      user,
      token,
      buttonCode: (phoneNumber = number) => backend.standin.phone.phoneNumber({ user, phoneNumber }).code,
      bind: (phoneCode: string, instance = backend) =>
        instance.client(token).user.bindPhone.mutate({ code: phoneCode }),
      row: () => backend.store.findUser(backend.standin.person(user).openid),
    };
  }

  describe('an access token', () => {
    beforeEach(() => start());
    afterEach(stop);

    test('an access token is fetched once by 100 first calls at once on two instances', async () => {
      await stop();
      // 200 logins and calls at once on a busy machine take longer than a phone would wait.
      await start({ WX_TIMEOUT_MS: '30000', DATABASE_TIMEOUT_MS: '30000' });
      const phones = await Promise.all(Array.from({ length: 100 }, () => signIn()));
      const answers = await Promise.all(
        phones.map((phone, index) => phone.bind(phone.buttonCode(), index % 2 ? sibling : backend)),
      );
      expect(new Set(answers.map(({ phoneNumber }) => phoneNumber))).toEqual(new Set(['135****6666']));
      expect(requests(tokenPath)).toBe(1);
      expect(stats().charged).toBe(100);
    });

    test('an access token serves for most of its two hours, and is renewed before its end by one instance', async () => {
      const phone = await signIn();
      await phone.bind(phone.buttonCode());
      tick((7200 - 241) * 1000);
      await phone.bind(phone.buttonCode(), sibling);
      expect(requests(tokenPath)).toBe(1);
      tick(182 * 1000);
      for (const instance of [backend, sibling]) {
        await phone.bind(phone.buttonCode(), instance);
        expect(requests(tokenPath)).toBe(2);
      }
      expect(stats().charged).toBe(4);
    });

    test('an access token is good to its end where its renewal fails', async () => {
      const phone = await signIn();
      await phone.bind(phone.buttonCode());
      tick((7200 - 50) * 1000);
      backend.standin.phone.fault({ path: tokenPath, times: 3, fault: { kind: 'errcode', errcode: -1 } });
      expect(await failureOf(phone.bind(phone.buttonCode()))).toBeNull();
      expect(requests(tokenPath)).toBe(4);
    });

    test('an access token that has expired is renewed before the call', async () => {
      const phone = await signIn();
      await phone.bind(phone.buttonCode());
      tick(7200 * 1000);
      await phone.bind(phone.buttonCode());
      expect([requests(tokenPath), requests(phonePath)]).toEqual([2, 2]);
    });

    test('an access token that WeChat calls invalid is renewed by force, once, by one instance', async () => {
      const phones = await Promise.all(Array.from({ length: 10 }, () => signIn()));
      const bindAll = () =>
        Promise.all(phones.map((phone, index) => phone.bind(phone.buttonCode(), index % 2 ? sibling : backend)));
      await bindAll();
      await forceElsewhere(backend);
      tick(31_000);
      const before = requests(tokenPath);
      await bindAll();
      expect(requests(tokenPath) - before).toBe(1);
      expect(stats().charged).toBe(20);
      const row = await backend.store.findAccessToken(devApp.appId);
      expect(row).toMatchObject({ forcedOnDay: 1, forcedAt: backend.clock.now });
    });

    test.each([40001, 42001])('an access token refused with %d is renewed once, not twice', async (errcode) => {
      const phone = await signIn();
      const code = phone.buttonCode();
      backend.standin.phone.fault({ code, times: 5, fault: { kind: 'errcode', errcode } });
      expect(await failureOf(phone.bind(code))).toMatchObject({ reason: 'WECHAT_REJECTED', retry: 'never' });
      expect([requests(tokenPath), requests(phonePath)]).toEqual([2, 2]);
      expect((await phone.row())?.phoneNumber).toBeNull();
    });

    test('an access token is renewed by force within WeChat’s limits: 30 s apart, 20 times a day', async () => {
      const phone = await signIn();
      const refuse = async () => {
        const code = phone.buttonCode();
        backend.standin.phone.fault({ code, fault: { kind: 'errcode', errcode: 40001 } });
        return await failureOf(phone.bind(code));
      };
      expect(await refuse()).toBeNull();
      // WeChat's own token has not changed: asked without force it gives the same, and that has just been refused.
      expect(await refuse()).toMatchObject({ reason: 'WECHAT_REJECTED' });
      for (let times = 2; times <= 20; times++) {
        tick(31_000);
        expect(await refuse()).toBeNull();
      }
      tick(31_000);
      expect(await refuse()).toMatchObject({ reason: 'WECHAT_REJECTED' });
      expect(await backend.store.findAccessToken(devApp.appId)).toMatchObject({ forcedOnDay: 20 });
      tick(24 * 3_600_000);
      expect(await refuse()).toBeNull();
      expect(stats().charged).toBe(21);
    });

    test('an access token is asked for again where nothing came back, and nothing is charged for that', async () => {
      const phone = await signIn();
      backend.standin.phone.fault({ path: tokenPath, times: 2, fault: { kind: 'reset' } });
      expect(await failureOf(phone.bind(phone.buttonCode()))).toBeNull();
      expect([requests(tokenPath), requests(phonePath), stats().charged]).toEqual([3, 1, 1]);
    });

    test('an access token that cannot be had fails the call with its reason, in time, and the next call has it', async () => {
      const troubles = [
        ['WECHAT_REJECTED', { kind: 'errcode', errcode: 40125 }],
        ['WECHAT_REJECTED', { kind: 'errcode', errcode: 40013 }],
        ['WECHAT_RATE_LIMITED', { kind: 'errcode', errcode: 45009 }],
        ['WECHAT_BAD_RESPONSE', { kind: 'fields', set: { access_token: 1 } }],
        ['WECHAT_BAD_RESPONSE', { kind: 'html' }],
        ['WECHAT_TIMEOUT', { kind: 'hang' }],
      ] as const;
      for (const [reason, fault] of troubles) {
        const phone = await signIn();
        backend.standin.phone.fault({ path: tokenPath, fault });
        const startedAt = performance.now();
        expect(await failureOf(phone.bind(phone.buttonCode()))).toMatchObject({ reason });
        expect(performance.now() - startedAt).toBeLessThan(6000);
        expect(await phone.row()).toMatchObject({ phoneNumber: null });
        tick(60_000);
      }
      expect([requests(phonePath), stats().charged]).toEqual([0, 0]);
      const phone = await signIn();
      expect(await failureOf(phone.bind(phone.buttonCode()))).toBeNull();
    });

    test('an access token whose fetcher died is fetched by another instance once the lease has ended', async () => {
      const phone = await signIn();
      const { now } = backend.clock;
      await backend.store.leaseAccessToken({ appId: devApp.appId, owner: 'dead', now, until: now + 4000 });
      setTimeout(() => tick(4001), 300);
      expect(await failureOf(phone.bind(phone.buttonCode()))).toBeNull();
      expect(requests(tokenPath)).toBe(1);
    });

    test('an access token that is damaged in the database counts as missing', async () => {
      const phone = await signIn();
      const { appId } = devApp;
      const { now } = backend.clock;
      await backend.store.leaseAccessToken({ appId, owner: 'x', now, until: now });
      await backend.store.updateAccessToken(appId, 'x', { token: 'v1.test.damaged.value', expiresAt: now + 7_200_000 });
      expect(await failureOf(phone.bind(phone.buttonCode()))).toBeNull();
    });
  });

  describe('a number that is bound', () => {
    beforeAll(() => start());
    afterAll(stop);

    test('a number is answered masked, kept sealed, and known from then on', async () => {
      const phone = await signIn();
      expect(await phone.bind(phone.buttonCode())).toEqual({ phoneNumber: '135****6666' });
      expect(await backend.client(phone.token).user.me.query()).toMatchObject({ hasPhone: true });
      const row = await phone.row();
      if (!row) throw new Error('not stored');
      expect(createPhoneNumbers([...keyring]).open(row)).toBe(`+86${number}`);
      expect(createPhoneNumbers([...keyring]).open({ ...row, appId: 'wxother' })).toBeNull();
      expect(createPhoneNumbers([...keyring]).open({ ...row, openId: 'oOther' })).toBeNull();
      const { code } = backend.standin.phone.login({ user: phone.user });
      expect((await backend.client().auth.checkUser.mutate({ code })).user.hasPhone).toBe(true);
      expect((await phone.row())?.phoneNumber).toBe(row.phoneNumber);
    });

    test('a number abroad is taken too, its country as a number or not', async () => {
      const phone = await signIn();
      const code = () =>
        backend.standin.phone.phoneNumber({ user: phone.user, phoneNumber: '51234567', countryCode: '852' }).code;
      const odd = code();
      backend.standin.phone.fault({
        code: odd,
        fault: { kind: 'fields', set: { phone_info: { purePhoneNumber: '5123 4567', countryCode: 852 } } },
      });
      for (const each of [code(), odd]) {
        expect(await phone.bind(each)).toEqual({ phoneNumber: '51****67' });
        const row = await phone.row();
        expect(row && createPhoneNumbers([...keyring]).open(row)).toBe('+85251234567');
      }
    });

    test('a number that is bound later replaces the one before', async () => {
      const phone = await signIn();
      await phone.bind(phone.buttonCode());
      expect(await phone.bind(phone.buttonCode('18912345678'))).toEqual({ phoneNumber: '189****5678' });
    });

    test('a number of another user’s code, a used one, one too old or a login code is refused, and nothing is written', async () => {
      const phone = await signIn();
      const other = await signIn();
      const used = phone.buttonCode();
      await other.bind(other.buttonCode());
      await phone.bind(used);
      const before = await phone.row();
      const old = phone.buttonCode();
      tick(5 * 60_000 + 1);
      const { charged } = stats();
      const login = backend.standin.phone.login({ user: phone.user }).code;
      for (const code of [other.buttonCode(), used, old, login, 'made-up']) {
        const expected = { reason: 'CODE_INVALID', retry: 'login', httpStatus: 401, path: 'user.bindPhone' };
        expect(await failureOf(phone.bind(code))).toMatchObject(expected);
      }
      expect(await phone.row()).toEqual(before);
      expect(stats().charged).toBe(charged);
    });

    test('a number is bound with a login and a code of the right shape only, before WeChat is asked', async () => {
      const phone = await signIn();
      const before = [requests(phonePath), requests(tokenPath)];
      const call = (code: string, token = phone.token) => backend.client(token).user.bindPhone.mutate({ code });
      expect(await failureOf(call(phone.buttonCode(), 'x'.repeat(43)))).toMatchObject({ reason: 'SESSION_INVALID' });
      for (const code of ['', 'sp ace', 'x'.repeat(129)]) {
        expect(await failureOf(call(code))).toMatchObject({ reason: 'INPUT_INVALID' });
      }
      expect([requests(phonePath), requests(tokenPath)]).toEqual(before);
      expect((await phone.row())?.phoneNumber).toBeNull();
    });

    test('a refusal of WeChat has its reason, and nothing is written', async () => {
      const troubles = [
        [-1, 'WECHAT_BUSY', 503, 3],
        [40003, 'CODE_INVALID', 401, 1],
        [40029, 'CODE_INVALID', 401, 1],
        [40013, 'WECHAT_REJECTED', 502, 1],
        [48001, 'WECHAT_REJECTED', 502, 1],
        [99999, 'WECHAT_REJECTED', 502, 1],
        [45009, 'WECHAT_RATE_LIMITED', 429, 1],
        [45011, 'WECHAT_RATE_LIMITED', 429, 1],
      ] as const;
      for (const [errcode, reason, httpStatus, times] of troubles) {
        tick(60_000);
        const phone = await signIn();
        const code = phone.buttonCode();
        backend.standin.phone.fault({ code, times: 5, fault: { kind: 'errcode', errcode } });
        expect(await failureOf(phone.bind(code))).toMatchObject({ reason, httpStatus });
        expect(stats().codes[code]).toMatchObject({ requests: times, succeeded: 0 });
        expect((await phone.row())?.phoneNumber).toBeNull();
      }
      tick(60_000);
    });

    test('a number is never asked for twice where it may have been charged, whatever becomes of the answer', async () => {
      const troubles: [string, FaultInput['fault'], boolean?][] = [
        ['WECHAT_TIMEOUT', { kind: 'reset' }],
        ['WECHAT_TIMEOUT', { kind: 'reset' }, true],
        ['WECHAT_BAD_RESPONSE', { kind: 'reset', after: 'half' }],
        ['WECHAT_TIMEOUT', { kind: 'hang' }],
        ['WECHAT_BAD_RESPONSE', { kind: 'html' }],
        ['WECHAT_BAD_RESPONSE', { kind: 'empty' }],
        ['WECHAT_BAD_RESPONSE', { kind: 'huge' }],
        ['WECHAT_BAD_RESPONSE', { kind: 'fields', set: { phone_info: { purePhoneNumber: 'x', countryCode: '86' } } }],
        ['WECHAT_BAD_RESPONSE', { kind: 'fields', without: ['phone_info'] }],
        [
          'WECHAT_BAD_RESPONSE',
          {
            kind: 'fields',
            set: { phone_info: { purePhoneNumber: number, countryCode: '86', watermark: { appid: 'wxother' } } },
          },
        ],
      ];
      for (const [reason, fault, spend] of troubles) {
        const phone = await signIn();
        const code = phone.buttonCode();
        backend.standin.phone.fault({ code, times: 3, fault, ...(spend !== undefined && { spend }) });
        const startedAt = performance.now();
        expect([fault, await failureOf(phone.bind(code))]).toMatchObject([fault, { reason }]);
        expect(performance.now() - startedAt).toBeLessThan(6000);
        expect(stats().codes[code]?.requests).toBe(1);
        expect((await phone.row())?.phoneNumber).toBeNull();
      }
    });

    test('a number stands in clear in no answer, no log line and no dump; nor does the access token', async () => {
      const answers: string[] = [];
      const secrets = [number, number.slice(2), `86${number}`, backend.environment.WX_SECRET];
      const { access_token: accessToken } = await tokenOf(backend);
      secrets.push(accessToken);
      for (const fault of [null, { kind: 'reset' }, { kind: 'errcode', errcode: 40029 }, { kind: 'empty' }] as const) {
        const phone = await signIn();
        const code = phone.buttonCode();
        if (fault) backend.standin.phone.fault({ code, fault });
        secrets.push(code);
        const response = await fetch(`${backend.url}/trpc/user.bindPhone`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', authorization: `Bearer ${phone.token}` },
          body: JSON.stringify({ code }),
        });
        answers.push(await response.text(), JSON.stringify([...response.headers]));
      }
      const dumped = await dump(databaseUrl);
      expect(dumped).toContain('gk_wx_access_token');
      expect(answers.join()).toContain('135****6666');
      expect(backend.logged.join()).toContain('user.bindPhone');
      for (const secret of secrets) {
        for (const text of [answers.join('\n'), backend.logged.join('\n'), sibling.logged.join('\n'), dumped]) {
          expect(text.includes(secret), secret).toBe(false);
        }
      }
    });
  });
});

test('a masked number shows at most its first 3 and last 4 digits, and hides 4 or more', () => {
  const masked = ['13580006666', '51234567', '123456', '12345', '1234', '123456789012345'].map(maskPhoneNumber);
  expect(masked).toEqual(['135****6666', '51****67', '1****6', '****5', '****', '123********2345']);
});

/** Asks for the token as another system of the same owner would. */
async function tokenOf({ standin }: Backend, force = false): Promise<{ access_token: string }> {
  const body = { grant_type: 'client_credential', appid: devApp.appId, secret: devApp.secret, force_refresh: force };
  const response = await fetch(`${standin.url}${tokenPath}`, { method: 'POST', body: JSON.stringify(body) });
  return JSON.parse(await response.text());
}

/** Another system renews the token by force: ours is invalid from now on. */
async function forceElsewhere(backend: Backend): Promise<void> {
  await tokenOf(backend, true);
}
