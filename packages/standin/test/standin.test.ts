import { createDecipheriv, createHash } from 'node:crypto';
import { request } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import { createCodes } from '../src/codes.ts';
import { createPeople } from '../src/people.ts';
import { encrypt, sealProfile, sign } from '../src/seal.ts';
import { type Standin, type StandinOptions, devApp, startStandin } from '../src/server.ts';
import vectors from '../../../test/vectors.json' with { type: 'json' };

const other = { appId: 'wxfedcba9876543210', secret: 'fedcba9876543210fedcba9876543210', union: true };
const running: Standin[] = [];
afterEach(() => Promise.all(running.splice(0).map((standin) => standin.close())));

async function start(options: StandinOptions = {}): Promise<Standin> {
  const standin = await startStandin(options);
  running.push(standin);
  return standin;
}

function exchangeUrl(standin: Standin, code: string, changes: Record<string, string | undefined> = {}): string {
  const query = {
    appid: devApp.appId,
    secret: devApp.secret,
    js_code: code,
    grant_type: 'authorization_code',
    ...changes,
  };
  const given = Object.entries(query).filter((pair): pair is [string, string] => pair[1] !== undefined);
  return `${standin.url}/sns/jscode2session?${new URLSearchParams(given).toString()}`;
}

async function get(url: string): Promise<Record<string, unknown>> {
  return JSON.parse(await (await fetch(url)).text());
}

function exchange(standin: Standin, code: string, changes: Record<string, string | undefined> = {}) {
  return get(exchangeUrl(standin, code, changes));
}

async function post(
  standin: Standin,
  path: string,
  body: unknown,
): Promise<{ status: number; json: Record<string, unknown> }> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const response = await fetch(standin.url + path, { method: 'POST', body: text });
  return { status: response.status, json: JSON.parse(await response.text()) };
}

/** The status of a request with any headers, which `fetch` does not allow. */
function statusOf(url: string, headers: Record<string, string>, method = 'POST'): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method, headers }, (answer) => resolve(answer.resume().statusCode));
    outgoing.on('error', reject).end();
  });
}

function open(
  { encryptedData, iv }: { encryptedData: string; iv: string },
  sessionKey: string,
): Record<string, unknown> {
  const decipher = createDecipheriv('aes-128-cbc', Buffer.from(sessionKey, 'base64'), Buffer.from(iv, 'base64'));
  return JSON.parse(Buffer.concat([decipher.update(encryptedData, 'base64'), decipher.final()]).toString('utf8'));
}

describe('an exchange', () => {
  test('an exchange gives openid and session key, without errcode, as text/plain', async () => {
    const standin = await start();
    const { code } = standin.phone.login({ user: 'ming' });
    const response = await fetch(exchangeUrl(standin, code));
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/plain');
    const answer = JSON.parse(await response.text());
    expect(Object.keys(answer)).toEqual(['session_key', 'openid']);
    expect(Buffer.from(answer.session_key, 'base64')).toHaveLength(16);
    expect(answer.openid).toMatch(/^o[A-Za-z0-9_-]{27}$/);
    expect(code).toMatch(/^[A-Za-z0-9_-]{32}$/);
  });

  test('a person has one openid in an app, another in another app, and one unionid in all', async () => {
    const apps = [{ ...devApp, union: true }, other] as const;
    const here = await start({ apps });
    const there = await start({ apps });
    const inOther = { appid: other.appId, secret: other.secret };
    const first = await exchange(here, here.phone.login({ user: 'ming' }).code);
    const again = await exchange(there, there.phone.login({ user: 'ming' }).code);
    const abroad = await exchange(here, here.phone.login({ user: 'ming', appId: other.appId }).code, inOther);
    const friend = await exchange(here, here.phone.login({ user: 'Ming' }).code);
    expect(again['openid']).toBe(first['openid']);
    expect(abroad['openid']).not.toBe(first['openid']);
    expect(friend['openid']).not.toBe(first['openid']);
    expect(first['unionid']).toMatch(/^u[A-Za-z0-9_-]{27}$/);
    expect(abroad['unionid']).toBe(first['unionid']);
    expect(friend['unionid']).not.toBe(first['unionid']);
    expect(abroad['session_key']).not.toBe(first['session_key']);
  });

  test('a code is exchanged once: of 20 uses at once one succeeds, the others are told it was used', async () => {
    const standin = await start();
    const { code } = standin.phone.login({ user: 'ming' });
    const answers = await Promise.all(Array.from({ length: 20 }, () => exchange(standin, code)));
    expect(answers.filter((answer) => 'session_key' in answer)).toHaveLength(1);
    expect(answers.filter((answer) => answer['errcode'] === 40163)).toHaveLength(19);
    expect(standin.phone.stats().codes[code]).toMatchObject({ requests: 20, succeeded: 1, inFlight: 0 });
  });

  test('a code is good for five minutes and not a moment longer', async () => {
    let time = 1_700_000_000_000;
    const standin = await start({ now: () => time });
    const early = standin.phone.login({ user: 'ming' }).code;
    const late = standin.phone.login({ user: 'ming' }).code;
    time += 5 * 60_000 - 1;
    expect(await exchange(standin, early)).toHaveProperty('session_key');
    expect(await exchange(standin, early)).toMatchObject({ errcode: 40163 });
    time += 1;
    expect(await exchange(standin, late)).toMatchObject({ errcode: 40029 });
    standin.phone.login({ user: 'ming' });
    expect(await exchange(standin, early)).toMatchObject({ errcode: 40029 });
  });

  test('the stand-in remembers a bounded number of codes, the latest', () => {
    const person = createPeople({ apps: [devApp] }).find('ming', devApp);
    const codes = createCodes({ now: () => 0, max: 2 });
    const minted = [codes.mint(person), codes.mint(person), codes.mint(person)];
    expect(minted.map((code) => codes.find(code, devApp.appId).state)).toEqual(['unknown', 'good', 'good']);
  });

  test.each([
    ['an unknown app', { appid: 'wx0000000000000000' }, 40013],
    ['no app', { appid: undefined }, 41002],
    ['an empty app', { appid: '' }, 41002],
    ['a wrong secret', { secret: 'wrong' }, 40125],
    ['no secret', { secret: undefined }, 41004],
    ['no code', { js_code: undefined }, 41008],
    ['an unknown code', { js_code: '0unknown' }, 40029],
    ['a malformed code', { js_code: '果壳 &?' }, 40029],
    ['another grant type', { grant_type: 'client_credential' }, 40002],
    ['no grant type', { grant_type: undefined }, 40002],
    ["another app's code", { appid: other.appId, secret: other.secret }, 40029],
  ])(
    'an exchange with %s is refused with its errcode and a request id, HTTP 200, and leaves the code good',
    async (_, changes, errcode) => {
      const standin = await start({ apps: [devApp, other] });
      const { code } = standin.phone.login({ user: 'ming' });
      const answer = await exchange(standin, code, changes);
      expect(answer).toEqual({
        errcode,
        errmsg: expect.stringMatching(/^.+, rid: [0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}$/),
      });
      expect(await exchange(standin, code)).toHaveProperty('session_key');
    },
  );

  test.each([
    ['appid', devApp.appId, 40013],
    ['secret', devApp.secret, 40125],
    ['grant_type', 'authorization_code', 40002],
    ['js_code', undefined, 40029],
  ])('an exchange with a repeated %s is refused like a wrong one', async (name, value, errcode) => {
    const standin = await start();
    const { code } = standin.phone.login({ user: 'ming' });
    expect(await get(`${exchangeUrl(standin, code)}&${name}=${value ?? code}`)).toMatchObject({ errcode });
  });

  test('no two refusals have the same request id', async () => {
    const standin = await start();
    expect(await exchange(standin, 'x')).not.toEqual(await exchange(standin, 'x'));
  });

  test('a blocked user is refused until unblocked', async () => {
    const standin = await start();
    const { code } = standin.phone.login({ user: 'ming' });
    await post(standin, '/phone/block', { user: 'ming' });
    expect(await exchange(standin, code)).toMatchObject({ errcode: 40226 });
    await post(standin, '/phone/block', { user: 'ming', blocked: false });
    expect(await exchange(standin, code)).toHaveProperty('session_key');
  });

  test('the parameters are shown to tests as they came, and none of them is logged', async () => {
    const lines: string[] = [];
    const app = { appId: 'wx&=+ ', secret: 'a+b/c=&d e%20' };
    const standin = await start({ apps: [app], log: (line) => lines.push(line) });
    const { code } = standin.phone.login({ user: 'ming' });
    expect(await exchange(standin, code, { appid: app.appId, secret: app.secret })).toHaveProperty('session_key');
    expect(standin.lastExchange()).toEqual([
      ['appid', app.appId],
      ['secret', app.secret],
      ['js_code', code],
      ['grant_type', 'authorization_code'],
    ]);
    expect(lines).toEqual(['GET /sns/jscode2session ok']);
  });
});

describe('the session key', () => {
  test('a session key stays over logins, and an exchange gives the one of its own moment', async () => {
    const standin = await start();
    const key = async (code: string) => (await exchange(standin, code))['session_key'];
    const first = await key(standin.phone.login({ user: 'ming' }).code);
    expect(await key(standin.phone.login({ user: 'ming' }).code)).toBe(first);
    const { code } = standin.phone.login({ user: 'ming' });
    standin.phone.rotate({ user: 'ming' });
    const rotated = await key(code);
    expect(rotated).not.toBe(first);
    expect(rotated).toBe(standin.person('ming').sessionKey);
  });

  test('a session key is renewed by a login that asks for it, or by every login, or never, as the stand-in was told', async () => {
    const keys = (standin: Standin, rotate?: boolean) => {
      const before = standin.person('ming').sessionKey;
      standin.phone.login({ user: 'ming', ...(rotate !== undefined && { rotate }) });
      return before === standin.person('ming').sessionKey ? 'kept' : 'renewed';
    };
    const onRequest = await start();
    expect([keys(onRequest), keys(onRequest, true)]).toEqual(['kept', 'renewed']);
    const always = await start({ rotate: 'always' });
    expect([keys(always), keys(always, false)]).toEqual(['renewed', 'kept']);
    const never = await start({ rotate: 'never' });
    expect(keys(never)).toBe('kept');
    expect(() => keys(never, true)).toThrow('rotate: never');
  });

  test('checkSession fails before a login and after a rotation, and passes again after the next login', async () => {
    const standin = await start();
    const check = async () => (await post(standin, '/phone/check-session', { user: 'ming' })).json['errMsg'];
    expect(await check()).toMatch(/^checkSession:fail /);
    standin.phone.login({ user: 'ming' });
    expect(await check()).toBe('checkSession:ok');
    await post(standin, '/phone/rotate', { user: 'ming' });
    expect(await check()).toMatch(/^checkSession:fail /);
    standin.phone.login({ user: 'ming', rotate: true });
    expect(await check()).toBe('checkSession:ok');
  });
});

describe('a sealed profile', () => {
  test('a profile is signed and sealed with the current key, watermarked, and holds no ids', async () => {
    const standin = await start({ now: () => 1_700_000_000_999 });
    standin.phone.rotate({ user: 'ming' });
    const { json } = await post(standin, '/phone/profile', { user: 'ming' });
    const { rawData, signature, encryptedData, iv, userInfo, errMsg } = json as Record<string, string>;
    const { sessionKey } = standin.person('ming');
    expect(errMsg).toBe('getUserProfile:ok');
    expect(JSON.parse(rawData ?? '')).toEqual(userInfo);
    expect(signature).toBe(
      createHash('sha1')
        .update(rawData + sessionKey)
        .digest('hex'),
    );
    const watermark = { timestamp: 1_700_000_000, appid: devApp.appId };
    expect(open({ encryptedData: encryptedData ?? '', iv: iv ?? '' }, sessionKey)).toEqual({
      ...JSON.parse(rawData ?? ''),
      watermark,
    });
  });

  test('a profile of getUserInfo holds openid and unionid', async () => {
    const standin = await start({ apps: [other] });
    const sealed = standin.phone.profile({ user: 'ming', api: 'getUserInfo' });
    const { sessionKey, openid, unionid } = standin.person('ming');
    expect(sealed.errMsg).toBe('getUserInfo:ok');
    expect(open(sealed, sessionKey)).toMatchObject({ ...sealed.userInfo, openId: openid, unionId: unionid });
    expect(sealed.rawData).not.toContain('Id');
  });

  test('a profile shows what was asked for, unknown keys and stale dates included, in the name of any app', async () => {
    const standin = await start({ apps: [devApp, other] });
    const profile = { nickName: '👨‍👩‍👧 果壳', gender: 2, is_demote: true };
    const sealed = standin.phone.profile({ user: 'ming', appId: other.appId, profile, timestamp: 1_600_000_000 });
    const plain = open(sealed, standin.person('ming', other.appId).sessionKey);
    expect(plain).toMatchObject({
      ...profile,
      country: 'China',
      watermark: { timestamp: 1_600_000_000, appid: other.appId },
    });
  });

  test('a profile has a plausible avatar for each person, or none', async () => {
    const standin = await start();
    const { userInfo } = standin.phone.profile({ user: 'ming' });
    expect(userInfo).toEqual(standin.phone.profile({ user: 'ming' }).userInfo);
    expect(userInfo).toMatchObject({ gender: expect.any(Number), language: 'zh_CN', country: 'China' });
    expect(userInfo.nickName).not.toBe('');
    const faces = ['a', 'b', 'c', 'd', 'e', 'f'].map((user) => standin.phone.profile({ user }).userInfo.nickName);
    expect(new Set(faces).size).toBeGreaterThan(1);
    const anonymous = standin.phone.profile({ user: 'ming', anonymous: true }).userInfo;
    expect(anonymous).toMatchObject({
      nickName: '微信用户',
      gender: 0,
      language: '',
      city: '',
      province: '',
      country: '',
    });
    expect(anonymous.avatarUrl).toContain(
      '/POgEwh4mIHO4nibH0KlMECNjjGxQUq24ZEaGT4poC6icRiccVGKSyXwibcPq4BWmiaIGuG1icwxaQX6grC9VemZoJ8rg/132',
    );
  });

  test('a profile agrees with WeChat’s published signature and with every good vector, byte for byte', () => {
    const { rawData, sessionKey, signature } = vectors.officialSignature;
    expect(sign(rawData, sessionKey)).toBe(signature);
    for (const vector of vectors.good) {
      const plain = JSON.parse(vector.plaintext);
      const sealed = sealProfile({
        userInfo: JSON.parse(vector.rawData),
        appId: vector.appId,
        sessionKey: vector.sessionKey,
        timestampSeconds: plain.watermark.timestamp,
        iv: Buffer.from(vector.iv, 'base64'),
        ...('openId' in plain && { ids: { openid: plain.openId, unionid: plain.unionId } }),
      });
      const { signature: signed, encryptedData, iv } = vector;
      expect(sealed).toEqual({ rawData: vector.rawData, signature: signed, encryptedData, iv });
    }
  });
});

describe('a forgery for tests', () => {
  test('a forgery can be made of any plaintext and key', () => {
    const forged = vectors.bad.filter(({ name }) => /watermark|openid/.test(name));
    expect(forged).toHaveLength(3);
    for (const { plaintext, sessionKey, iv, encryptedData } of forged) {
      expect(encrypt(String(plaintext), sessionKey, Buffer.from(iv, 'base64'))).toEqual({ encryptedData, iv });
    }
  });
});

describe("the phone's side", () => {
  test.each([
    ['/phone/login', {}, 'user: '],
    ['/phone/login', { user: '' }, 'user: '],
    ['/phone/login', { user: 'ming', appId: 'wx1' }, 'without the app wx1'],
    ['/phone/login', { user: 'ming', rotat: true }, 'rotat'],
    ['/phone/login', '{"user":', 'not JSON'],
    ['/phone/profile', { user: 'ming', profile: { gender: 'f' } }, 'profile.gender: '],
    ['/phone/profile', { user: 'ming', api: 'getUser' }, 'api: '],
    ['/phone/fault', { fault: { kind: 'explode' } }, 'fault.kind: '],
    ['/phone/fault', { fault: { kind: 'redirect', location: 'a\r\nb' } }, 'fault.location: '],
  ])('%s refuses %j with 400 and a sentence', async (path, body, sentence) => {
    const { status, json } = await post(await start(), path, body);
    expect(status).toBe(400);
    expect(json['error']).toContain(sentence);
  });

  test('the stand-in does over HTTP what it does as functions', async () => {
    const standin = await start();
    const { json } = await post(standin, '/phone/login', { user: 'ming' });
    expect(json).toEqual({ code: expect.any(String), errMsg: 'login:ok' });
    expect(await exchange(standin, String(json['code']))).toMatchObject({ openid: standin.person('ming').openid });
    expect(await get(`${standin.url}/phone/stats`)).toEqual(standin.phone.stats());
  });

  test('the stand-in answers a caller that names this machine, through a proxy too, and its own pages', async () => {
    const standin = await start();
    const { host, port } = new URL(standin.url);
    for (const name of [host, `localhost:${port}`, 'localhost', '127.0.0.1:1', '[::1]:8081']) {
      expect(await statusOf(`${standin.url}/phone/reset`, { host: name }), name).toBe(200);
    }
    expect(await statusOf(`${standin.url}/phone/reset`, { origin: standin.url })).toBe(200);
  });

  test('the stand-in answers no web page of elsewhere: not by its origin, and not by a name that was made to lead here', async () => {
    const standin = await start();
    const { code } = standin.phone.login({ user: 'ming' });
    const { port } = new URL(standin.url);
    for (const origin of ['https://evil.example', 'null', 'http://127.0.0.1:1', `https://127.0.0.1:${port}`]) {
      expect(await statusOf(`${standin.url}/phone/reset`, { origin }), origin).toBe(403);
    }
    for (const host of [`evil.example:${port}`, '127.0.0.1.evil.example', 'localhost.evil.example']) {
      const origin = `http://${host}`;
      expect(await statusOf(`${standin.url}/phone/reset`, { host }), host).toBe(403);
      expect(await statusOf(`${standin.url}/phone/reset`, { host, origin }), host).toBe(403);
      expect(await statusOf(exchangeUrl(standin, code), { host }, 'GET'), host).toBe(403);
    }
    expect(await exchange(standin, code)).toHaveProperty('session_key');
  });

  test('the stand-in is called by any name where it listens for other machines, which have their own', async () => {
    const standin = await start({ host: '0.0.0.0' });
    const url = standin.url.replace('0.0.0.0', '127.0.0.1');
    expect(await statusOf(`${url}/phone/reset`, { host: 'standin:8081' })).toBe(200);
    expect(await statusOf(`${url}/phone/reset`, { host: 'standin:8081', origin: 'http://evil.example' })).toBe(403);
  });

  test('the stand-in counts each path and each code, also the paths that do not exist, until it is reset', async () => {
    const standin = await start();
    const { code } = standin.phone.login({ user: 'ming' });
    const unused = standin.phone.login({ user: 'ming' }).code;
    await exchange(standin, code);
    await exchange(standin, code);
    await fetch(`${standin.url}/cgi-bin/nothing`);
    const { paths, codes } = standin.phone.stats();
    expect(paths['/sns/jscode2session']).toEqual({ requests: 2, succeeded: 1, inFlight: 0, highestInFlight: 1 });
    expect(paths['/cgi-bin/nothing']?.requests).toBe(1);
    expect(codes[code]).toMatchObject({ requests: 2, succeeded: 1 });
    expect(codes[unused]).toBeUndefined();
    await post(standin, '/phone/reset', { what: 'stats' });
    expect(standin.phone.stats()).toEqual({ paths: {}, codes: {}, charged: 0 });
    expect(await exchange(standin, unused)).toHaveProperty('session_key');
  });

  test('the stand-in sees how many requests were there at the same time', async () => {
    const standin = await start();
    standin.phone.fault({ times: 5, fault: { kind: 'delay', ms: 100 } });
    const codes = Array.from({ length: 5 }, () => standin.phone.login({ user: 'ming' }).code);
    await Promise.all(codes.map((code) => exchange(standin, code)));
    expect(standin.phone.stats().paths['/sns/jscode2session']).toMatchObject({
      highestInFlight: 5,
      inFlight: 0,
      succeeded: 5,
    });
  });

  test('a reset forgets people, codes and faults', async () => {
    const standin = await start();
    const { code } = standin.phone.login({ user: 'ming' });
    const before = standin.person('ming');
    standin.phone.fault({ fault: { kind: 'empty' } });
    await post(standin, '/phone/reset', '');
    expect(await exchange(standin, code)).toMatchObject({ errcode: 40029 });
    expect(standin.person('ming').openid).toBe(before.openid);
    expect(standin.person('ming').sessionKey).not.toBe(before.sessionKey);
  });
});
