import { afterEach, describe, expect, test } from 'vitest';
import { defaultProfile } from '../src/profile.ts';
import { type Standin, type StandinOptions, devApp, startStandin } from '../src/server.ts';

const other = { appId: 'wxfedcba9876543210', secret: 'fedcba9876543210fedcba9876543210' };
const minuteMs = 60_000;
const running: Standin[] = [];
afterEach(() => Promise.all(running.splice(0).map((standin) => standin.close())));

async function start(options: StandinOptions = {}) {
  // Noon in China, so that a few minutes pass on one day.
  const clock = { now: Date.UTC(2026, 0, 1, 4) };
  const standin = await startStandin({ now: () => clock.now, ...options });
  running.push(standin);
  const post = async (path: string, body: unknown): Promise<Record<string, unknown>> => {
    const response = await fetch(standin.url + path, {
      method: 'POST',
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/plain']);
    return JSON.parse(await response.text());
  };
  const askToken = (changes: Record<string, unknown> = {}) =>
    post('/cgi-bin/stable_token', {
      grant_type: 'client_credential',
      appid: devApp.appId,
      secret: devApp.secret,
      ...changes,
    });
  const token = async (changes: Record<string, unknown> = {}) => String((await askToken(changes))['access_token']);
  const number = (accessToken: string, body: unknown) =>
    post(`/wxa/business/getuserphonenumber?access_token=${accessToken}`, body);
  return { standin, clock, post, askToken, token, number };
}

describe('the access token', () => {
  test('an access token is the same until five minutes before its end, and then both are good for five minutes', async () => {
    const { standin, clock, askToken, token, number } = await start();
    const works = async (accessToken: string) =>
      (await number(accessToken, { code: standin.phone.phoneNumber({ user: 'ming' }).code }))['errcode'];
    const first = await askToken();
    expect(first).toEqual({ access_token: expect.stringMatching(/^[\w-]{130,512}$/), expires_in: 7200 });
    clock.now += 115 * minuteMs - 1;
    expect(await askToken()).toEqual({ ...first, expires_in: 300 });
    clock.now += 1;
    const second = await token();
    const old = String(first['access_token']);
    expect(second).not.toBe(old);
    expect([await works(old), await works(second)]).toEqual([0, 0]);
    clock.now += 5 * minuteMs;
    expect([await works(old), await works(second)]).toEqual([42001, 0]);
    expect(await works('made-up')).toBe(40001);
  });

  test('an access token that is renewed by force ends the one before at once: 30 s apart, 20 times a day', async () => {
    const { standin, clock, askToken, token, number } = await start();
    const first = await token();
    const forced = await token({ force_refresh: true });
    expect(forced).not.toBe(first);
    const { code } = standin.phone.phoneNumber({ user: 'ming' });
    expect(await number(first, { code })).toMatchObject({ errcode: 40001 });
    clock.now += 29_999;
    expect(await token({ force_refresh: true })).toBe(forced);
    for (let times = 2; times <= 20; times++) {
      clock.now += 30_000;
      expect(await askToken({ force_refresh: true })).toMatchObject({ expires_in: 7200 });
    }
    clock.now += 30_000;
    expect(await askToken({ force_refresh: true })).toMatchObject({ errcode: 45009 });
    expect(await askToken()).toHaveProperty('access_token');
    clock.now += 24 * 60 * minuteMs;
    expect(await askToken({ force_refresh: true })).toHaveProperty('access_token');
  });

  test.each([
    ['no app', { appid: undefined }, 41002],
    ['an unknown app', { appid: 'wx0' }, 40013],
    ['no secret', { secret: '' }, 41004],
    ['a wrong secret', { secret: other.secret }, 40125],
    ['another grant type', { grant_type: 'authorization_code' }, 40002],
    ['an invalid force_refresh', { force_refresh: 'yes' }, 47001],
  ])('an access token is refused for %s', async (_, changes, errcode) => {
    const { askToken } = await start();
    expect(await askToken(changes)).toEqual({ errcode, errmsg: expect.stringMatching(/, rid: [0-9a-f-]{26}$/) });
  });

  test('an access token is refused for a body that is not a JSON object', async () => {
    const { post } = await start();
    for (const body of ['', '{', '[]', 'null', '1']) {
      expect(await post('/cgi-bin/stable_token', body)).toMatchObject({ errcode: 47001 });
    }
  });
});

describe('a phone number', () => {
  test('a phone number is given for the code of its button, once, for five minutes, and charged', async () => {
    const { standin, clock, token, number } = await start();
    const accessToken = await token();
    const press = () => standin.phone.phoneNumber({ user: 'ming', phoneNumber: '13580006666' }).code;
    const code = press();
    const { openid } = standin.person('ming');
    expect(await number(accessToken, { code, openid })).toEqual({
      errcode: 0,
      errmsg: 'ok',
      phone_info: {
        phoneNumber: '13580006666',
        purePhoneNumber: '13580006666',
        countryCode: '86',
        watermark: {
          timestamp: Math.floor(clock.now / 1e3),
          appid: devApp.appId,
        },
      },
    });
    expect(await number(accessToken, { code, openid })).toMatchObject({ errcode: 40029 });
    const old = press();
    clock.now += 5 * minuteMs;
    expect(await number(accessToken, { code: old })).toMatchObject({ errcode: 40029 });
    expect(standin.phone.stats()).toMatchObject({ charged: 1, codes: { [code]: { requests: 2, succeeded: 1 } } });
  });

  test('a phone number is refused for the code of another user, another app or a login, and the code stays good', async () => {
    const { standin, token, number } = await start({ apps: [devApp, other] });
    const accessToken = await token();
    const { code } = standin.phone.phoneNumber({ user: 'ming' });
    const { openid } = standin.person('hong');
    const otherToken = await token({ appid: other.appId, secret: other.secret });
    expect(await number(accessToken, { code, openid })).toMatchObject({ errcode: 40029 });
    expect(await number(otherToken, { code })).toMatchObject({ errcode: 40029 });
    const login = standin.phone.login({ user: 'ming' }).code;
    expect(await number(accessToken, { code: login })).toMatchObject({ errcode: 40029 });
    expect(await number(accessToken, {})).toMatchObject({ errcode: 40029 });
    expect(await number(accessToken, 'no json')).toMatchObject({ errcode: 47001 });
    expect(await number('', { code })).toMatchObject({ errcode: 41001 });
    expect(standin.phone.stats().charged).toBe(0);
    expect(await number(accessToken, { code })).toMatchObject({ errcode: 0 });
  });

  test('a phone number abroad has its country in front; each person has one number, always the same', async () => {
    const { standin, token, number } = await start();
    const accessToken = await token();
    const abroad = standin.phone.phoneNumber({ user: 'hong', phoneNumber: '51234567', countryCode: '852' });
    expect(await number(accessToken, abroad)).toMatchObject({
      phone_info: { phoneNumber: '+85251234567', purePhoneNumber: '51234567', countryCode: '852' },
    });
    const ofMing = async () => (await number(accessToken, standin.phone.phoneNumber({ user: 'ming' })))['phone_info'];
    expect(await ofMing()).toMatchObject({ purePhoneNumber: expect.stringMatching(/^135\d{8}$/) });
    expect(await ofMing()).toEqual(await ofMing());
  });

  test('a phone number is charged though the answer is lost on the way, and not where it was never made', async () => {
    const { standin, token, number } = await start();
    const accessToken = await token();
    const press = () => standin.phone.phoneNumber({ user: 'ming' }).code;
    const [half, nothing] = [press(), press()];
    standin.phone.fault({ code: half, fault: { kind: 'reset', after: 'half' } });
    standin.phone.fault({ code: nothing, fault: { kind: 'reset' } });
    await expect(number(accessToken, { code: half })).rejects.toThrow();
    await expect(number(accessToken, { code: nothing })).rejects.toThrow();
    expect(standin.phone.stats().charged).toBe(1);
  });

  test('a phone number is asked for over HTTP as by the functions', async () => {
    const { standin } = await start();
    const press = (body: object) =>
      fetch(`${standin.url}/phone/phone-number`, { method: 'POST', body: JSON.stringify(body) });
    expect(await (await press({ user: 'ming' })).json()).toEqual({
      code: expect.stringMatching(/^[\w-]{32}$/),
      errMsg: 'getPhoneNumber:ok',
    });
    expect((await press({ user: 'ming', phoneNumber: 'x' })).status).toBe(400);
  });
});

describe('the stand-in for a person', () => {
  test('the stand-in’s page says what it is and how to use it, in lines that work when pasted', async () => {
    const { standin } = await start();
    const answer = await fetch(standin.url);
    const text = await answer.text();
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toMatch(/^text\/plain; ?charset=UTF-8$/i);
    expect(text).toContain(`curl -s ${standin.url}/phone/login -d '{"user":"xiaoming"}'`);
    expect(text).toContain('GET  /sns/jscode2session');
    expect(text).not.toContain(devApp.secret);
    expect(text).not.toMatch(/\p{Script=Han}/u);
  });

  test('the stand-in’s page is in Chinese where that is its language', async () => {
    const { standin } = await start({ language: 'zh' });
    const text = await (await fetch(standin.url)).text();
    expect(text).toMatch(/^模拟微信服务/);
    expect(text).toContain(`curl -s ${standin.url}/phone/login -d '{"user":"xiaoming"}'`);
    expect(text).toContain('GET  /sns/jscode2session');
  });

  test('a person of the documents has their own name', () => {
    expect(defaultProfile('xiaoming')).toMatchObject({ nickName: '小明', gender: 1 });
    expect(defaultProfile('xiaoming-2')).toEqual(defaultProfile('xiaoming'));
    expect(defaultProfile('lingling')).toMatchObject({ nickName: '玲玲', gender: 2 });
  });

  test('a place is named in the language that is asked for, and in English otherwise', async () => {
    const { standin } = await start();
    const placesOf = (lang?: 'zh_CN') => {
      const { country, province, city } = standin.phone.profile({ user: 'lingling', ...(lang && { lang }) }).userInfo;
      return [country, province, city].join(' ');
    };
    expect(placesOf()).toMatch(/^China [A-Z][A-Za-z]+ [A-Z][A-Za-z ]+$/);
    expect(placesOf('zh_CN')).toMatch(/^中国 \p{Script=Han}+ \p{Script=Han}+$/u);
  });
});
