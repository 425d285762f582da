import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { devApp } from '../../packages/standin/src/server.ts';
import { encrypt, sign } from '../../packages/standin/src/seal.ts';
import { type Backend, failureOf, startBackend } from '../support/backend.ts';
import { databases } from '../support/databases.ts';

const shop = { appId: 'wxaaaaaaaaaaaaaaaa', secret: 'a'.repeat(32), union: true };
const club = { appId: 'wxbbbbbbbbbbbbbbbb', secret: 'b'.repeat(32), union: true };
const lone = { appId: 'wxcccccccccccccccc', secret: 'c'.repeat(32) };

describe.each(databases)('several mini programs on $name', ({ createUrl }) => {
  let backend: Backend;
  let users = 0;
  const newUser = () => `user${++users}`;
  beforeAll(async () => {
    backend = await startBackend({
      databaseUrl: await createUrl(),
      env: { WX_APPS: [shop, club, lone].map(({ appId, secret }) => `${appId}:${secret}`).join(',') },
      standin: { apps: [{ ...devApp, union: true }, shop, club, lone] },
    });
  });
  afterAll(() => backend.close());

  const codeOf = (user: string, appId?: string) =>
    backend.standin.phone.login({ user, ...(appId !== undefined && { appId }) }).code;
  const check = (user: string, appId?: string) =>
    backend.client().auth.checkUser.mutate({ code: codeOf(user, appId), ...(appId !== undefined && { appId }) });
  const rowOf = (user: string, appId: string) => backend.store.findUser(backend.standin.person(user, appId).openid);
  const profileOf = (user: string, appId: string, nickName = 'Ming') => {
    const { rawData, signature, encryptedData, iv } = backend.standin.phone.profile({
      user,
      appId,
      profile: { nickName },
    });
    return { rawData, signature, encryptedData, iv };
  };

  test('each app has its own users, and a call without an app id means the first app', async () => {
    const user = newUser();
    await check(user);
    await check(user, shop.appId);
    expect(await rowOf(user, devApp.appId)).toMatchObject({ appId: devApp.appId });
    expect(await rowOf(user, shop.appId)).toMatchObject({ appId: shop.appId });
    expect(await rowOf(user, club.appId)).toBeNull();
  });

  test('an app id that is not configured is refused before WeChat is asked', async () => {
    const user = newUser();
    const asked = () => backend.standin.phone.stats().paths['/sns/jscode2session']?.requests ?? 0;
    const before = asked();
    for (const appId of ['wxdddddddddddddddd', shop.appId.toUpperCase(), '__proto__', 'constructor']) {
      const code = codeOf(user);
      const calls = [
        backend.client().auth.checkUser.mutate({ code, appId }),
        backend.client().auth.login.mutate({ code, appId, ...profileOf(user, devApp.appId) }),
      ];
      for (const call of calls)
        expect(await failureOf(call)).toMatchObject({ reason: 'INPUT_INVALID', retry: 'never' });
    }
    expect(asked()).toBe(before);
    expect(await rowOf(user, devApp.appId)).toBeNull();
  });

  test('an app does not accept a code of another app', async () => {
    const user = newUser();
    const call = backend.client().auth.checkUser.mutate({ code: codeOf(user, shop.appId), appId: club.appId });
    expect(await failureOf(call)).toMatchObject({ reason: 'CODE_INVALID' });
    expect([await rowOf(user, shop.appId), await rowOf(user, club.appId)]).toEqual([null, null]);
  });

  test('an app does not accept a profile sealed for another app, even with the right key', async () => {
    const user = newUser();
    await check(user, shop.appId);
    await check(user, club.appId);
    const before = await rowOf(user, club.appId);
    const { sessionKey } = backend.standin.person(user, club.appId);
    const rawData = JSON.stringify({ nickName: 'Forged' });
    const watermark = { appid: shop.appId, timestamp: Math.floor(backend.clock.now / 1000) };
    const forged = {
      rawData,
      signature: sign(rawData, sessionKey),
      ...encrypt(JSON.stringify({ nickName: 'Forged', watermark }), sessionKey),
    };
    for (const sealed of [profileOf(user, shop.appId), forged]) {
      const input = { code: codeOf(user, club.appId), appId: club.appId, ...sealed };
      expect(await failureOf(backend.client().auth.login.mutate(input))).toMatchObject({ reason: 'PROFILE_REJECTED' });
    }
    expect(await rowOf(user, club.appId)).toEqual(before);
    const good = { code: codeOf(user, club.appId), appId: club.appId, ...profileOf(user, club.appId) };
    expect((await backend.client().auth.login.mutate(good)).user.nickName).toBe('Ming');
  });

  test('the rows of one person are found by the unionid, compared byte for byte', async () => {
    const [user, friend] = [newUser(), newUser()];
    for (const each of [user, friend]) {
      await check(each, shop.appId);
      await check(each, club.appId);
    }
    await check(user, lone.appId);
    const unionId = String(backend.standin.person(user, shop.appId).unionid);
    const openIds = [shop, club].map(({ appId }) => backend.standin.person(user, appId).openid);
    const found = await backend.store.findUsersByUnionId(unionId);
    expect(found.map(({ openId }) => openId)).toEqual(openIds.toSorted());
    expect(found).toContainEqual(await rowOf(user, shop.appId));
    expect((await rowOf(user, lone.appId))?.unionId).toBeNull();
    const swapped = unionId.replace(/[a-zA-Z]/, (letter) =>
      letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase(),
    );
    expect(await backend.store.findUsersByUnionId(swapped)).toEqual([]);
    await expect(backend.store.findUsersByUnionId(`${unionId} `)).rejects.toMatchObject({ code: 'OPENID_INVALID' });
  });

  test('each app confirms by codes of its own, whichever app is the first', async () => {
    const user = newUser();
    for (const { appId } of [devApp, shop]) {
      const { token } = await check(user, appId);
      const confirm = (code: string) => backend.client(token).user.exportData.mutate({ code });
      expect((await confirm(codeOf(user, appId))).user).toMatchObject({ appId });
      expect(await failureOf(confirm(codeOf(user, club.appId)))).toMatchObject({ reason: 'CODE_INVALID' });
    }
  });

  test('each app asks for phone numbers with its own access token', async () => {
    const user = newUser();
    for (const { appId } of [shop, club]) {
      const { token } = await check(user, appId);
      const press = (id: string) => backend.standin.phone.phoneNumber({ user, appId: id, phoneNumber: '13580006666' });
      const bind = (code: string) => backend.client(token).user.bindPhone.mutate({ code });
      const another = appId === shop.appId ? club.appId : shop.appId;
      expect(await failureOf(bind(press(another).code))).toMatchObject({ reason: 'CODE_INVALID' });
      expect(await bind(press(appId).code)).toEqual({ phoneNumber: '135****6666' });
      expect((await rowOf(user, appId))?.phoneNumber).toMatch(/^v1\./);
    }
    const { paths, charged } = backend.standin.phone.stats();
    expect([paths['/cgi-bin/stable_token']?.requests, charged]).toEqual([2, 2]);
    expect(await backend.store.findAccessToken(devApp.appId)).toBeNull();
  });
});
