import { readFile } from 'node:fs/promises';
import type { AnyTRPCProcedure, AnyTRPCRouter } from '@trpc/server';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { User } from '../../src/store/store.ts';
import { devApp, type StandinOptions } from '../../packages/standin/src/server.ts';
import { appRouter } from '../../src/router.ts';
import { type Backend, failureOf, loginInputOf, startBackend } from '../support/backend.ts';
import { databases } from '../support/databases.ts';

const shop = { appId: 'wxaaaaaaaaaaaaaaaa', secret: 'a'.repeat(32), union: true };

async function newPicture(): Promise<string> {
  const [r = 0, g = 0, b = 0] = crypto.getRandomValues(new Uint8Array(3));
  const picture = sharp({ create: { width: 64, height: 64, channels: 3, background: { r, g, b } } });
  return (await picture.png().toBuffer()).toString('base64');
}

describe.each(databases)('accounts on $name', ({ name, createUrl, dump, query }) => {
  let backend: Backend;
  /** A second instance on the same database and the same stand-in. */
  let sibling: Backend;
  let databaseUrl: string;
  let users = 0;
  const hooked: User[] = [];
  let hook: (user: User) => Promise<void> = async () => {};

  beforeAll(async () => {
    databaseUrl = await createUrl();
    const env = { WX_APPS: `${shop.appId}:${shop.secret}`, DATABASE_TIMEOUT_MS: '10000', WX_TIMEOUT_MS: '10000' };
    const onUserDeleted = async (user: User) => {
      hooked.push(user);
      await hook(user);
    };
    const standin: StandinOptions = { apps: [{ ...devApp, union: true }, shop] };
    backend = await startBackend({ databaseUrl, env, standin, onUserDeleted });
    sibling = await startBackend({ databaseUrl, env: { ...env, WX_API_BASE_URL: backend.standin.url }, onUserDeleted });
  });
  afterAll(async () => {
    await sibling.close();
    await backend.close();
  });

  const codeOf = (user: string, appId?: string) =>
    backend.standin.phone.login({ user, ...(appId !== undefined && { appId }) }).code;
  const openIdOf = (user: string) => backend.standin.person(user).openid;

  /** A user with a value in every column. */
  async function signIn() {
    const user = `account${++users}`;
    const profile = { nickName: `昵称${users}`, city: `城${users}`, province: `省${users}`, country: `国${users}` };
    const { token } = await backend.client().auth.login.mutate(loginInputOf(backend, user, profile));
    const client = backend.client(token);
    const phoneNumber = String(13_580_000_000 + users);
    await client.user.updateProfile.mutate({ avatar: await newPicture() });
    await client.user.bindPhone.mutate({
      code: backend.standin.phone.phoneNumber({ user, phoneNumber }).code,
    });
    const openId = openIdOf(user);
    await query(
      databaseUrl,
      `update gk_wx_user set real_name = '真名${users}', stu_id = ${2_020_202_000 + users} where open_id = '${openId}'`,
    );
    return { user, token, client, openId, phoneNumber, sibling: sibling.client(token) };
  }
  const row = (openId: string) => backend.store.findRecord(openId);

  describe('data that its user takes back', () => {
    test('the nickname, the avatar and the phone number are each cleared alone', async () => {
      const { client, sibling, openId } = await signIn();
      const before = await client.user.me.query();
      const picture = (url: string | null) => fetch(`${backend.url}${url}`).then(({ status }) => status);
      expect(await picture(before.avatarUrl)).toBe(200);
      expect(await client.user.updateProfile.mutate({ avatar: null })).toEqual({ ...before, avatarUrl: null });
      expect(await picture(before.avatarUrl)).toBe(404);
      expect(await client.user.updateProfile.mutate({ nickName: null })).toMatchObject({
        nickName: null,
        hasProfile: false,
        hasPhone: true,
      });
      expect(await client.user.unbindPhone.mutate()).toMatchObject({ hasPhone: false, city: before.city });
      expect(await client.user.unbindPhone.mutate()).toEqual(await sibling.user.me.query());
      expect(await row(openId)).toMatchObject({ phoneNumber: null, phoneFingerprint: null, avatarUrl: null });
    });

    test('an input that names nothing, or is neither text nor null, clears nothing', async () => {
      const { client, openId } = await signIn();
      const before = await row(openId);
      for (const input of [{}, { nickName: undefined }, { avatar: '' }, { avatar: 0 }, { nickName: false }, null]) {
        const call = client.user.updateProfile.mutate(input as { nickName: null });
        expect([input, await failureOf(call)]).toMatchObject([input, { reason: 'INPUT_INVALID' }]);
      }
      expect(await row(openId)).toEqual(before);
    });
  });

  describe('an account that is exported', () => {
    test('an export holds all that is stored, the number in full, and neither key nor token', async () => {
      const { user, token, client, openId, phoneNumber } = await signIn();
      const stored = (await row(openId)) ?? expect.unreachable();
      const data = await client.user.exportData.mutate({ code: codeOf(user) });
      expect(data.user).toMatchObject({
        openId,
        unionId: stored.unionId,
        nickName: stored.nickName,
        phoneNumber: `+86${phoneNumber}`,
        realName: stored.realName,
        stuId: stored.stuId,
        createdAt: stored.createdAt,
      });
      expect(data.sessions).toHaveLength(1);
      const text = JSON.stringify(data);
      const { sessionKey } = backend.standin.person(user);
      const sealed = [stored.sessionKey, stored.phoneNumber, stored.phoneFingerprint, stored.sessionKeyFingerprint];
      for (const secret of [token, sessionKey, ...sealed]) expect(text).not.toContain(secret);
    });

    test('an export’s code may rotate the session key: the next profile is proved with the new one', async () => {
      const { user, client } = await signIn();
      const { code } = backend.standin.phone.login({ user, rotate: true });
      await client.user.exportData.mutate({ code });
      const sealed = backend.standin.phone.profile({ user, profile: { nickName: '新名' } });
      const { rawData, signature, encryptedData, iv } = sealed;
      const login = { code: backend.standin.phone.login({ user, rotate: true }).code, rawData, signature };
      const answer = await backend.client().auth.login.mutate({ ...login, encryptedData, iv });
      expect(answer.user.nickName).toBe('新名');
    });
  });

  test.each(['exportData', 'deleteAccount'] as const)(
    '%s takes a fresh code of its own user and app only',
    async (call) => {
      const { user, client, openId } = await signIn();
      const before = await row(openId);
      const spent = codeOf(user);
      await backend.client().auth.checkUser.mutate({ code: spent });
      const codes = {
        'made up': 'made-up',
        spent,
        'of another user': codeOf('another'),
        'of another app': codeOf(user, shop.appId),
      };
      for (const [what, code] of Object.entries(codes)) {
        const failure = await failureOf(client.user[call].mutate({ code }));
        expect([what, failure]).toMatchObject([what, { reason: 'CODE_INVALID', retry: 'login' }]);
      }
      for (const code of ['', ' ', 'x'.repeat(129), 7, null, {}]) {
        const failure = await failureOf(client.user[call].mutate({ code: code as string }));
        expect([code, failure]).toMatchObject([code, { reason: 'INPUT_INVALID' }]);
      }
      expect(await failureOf(backend.client().user[call].mutate({ code: codeOf(user) }))).toMatchObject({
        reason: 'SESSION_INVALID',
      });
      expect(await row(openId)).toMatchObject({ createdAt: before?.createdAt, phoneNumber: before?.phoneNumber });
    },
  );

  describe('an account that is deleted', () => {
    test('a deleted account is gone from every instance at once, and a later login makes a new user who inherits nothing', async () => {
      const { user, client, openId, sibling } = await signIn();
      const { token: tablet } = await backend.client().auth.checkUser.mutate({ code: codeOf(user) });
      const code = codeOf(user);
      expect(await client.user.deleteAccount.mutate({ code })).toEqual({ deleted: true });
      for (const instance of [client, sibling, backend.client(tablet)]) {
        expect(await failureOf(instance.user.me.query())).toMatchObject({ reason: 'SESSION_INVALID' });
        expect(await failureOf(instance.user.deleteAccount.mutate({ code }))).toMatchObject({
          reason: 'SESSION_INVALID',
        });
      }
      expect(await row(openId)).toBeNull();
      const again = await backend.client().auth.checkUser.mutate({ code: codeOf(user) });
      expect(again.user).toMatchObject({ nickName: null, avatarUrl: null, city: null, hasPhone: false });
      expect(await row(openId)).toMatchObject({ realName: null, stuId: null, prevSessionKey: null });
    });

    test('a deleted account leaves nothing of the person in the database, nor in the database file', async () => {
      const { user, client, openId } = await signIn();
      const { code } = backend.standin.phone.login({ user, rotate: true });
      await backend.client().auth.checkUser.mutate({ code });
      const stored = (await row(openId)) ?? expect.unreachable();
      // Numbers that others have too, and the app that all have.
      const { sessionKeyAt: _, gender: __, createdAt: ___, updatedAt: ____, blockedAt: _____, ...texts } = stored;
      const { appId: ______, language: _______, stuId, ...personal } = texts;
      const avatar = Buffer.from(stored.avatarUrl?.slice('/avatars/'.length, -'.webp'.length) ?? '', 'hex');
      const bytes = (await backend.store.findAvatar(avatar)) ?? expect.unreachable();
      const hashes = await query(databaseUrl, `select token_hash from gk_wx_session where open_id = '${openId}'`);
      const tokenHashes = hashes.map(({ token_hash }) => Buffer.from(token_hash as Uint8Array));
      const binary = [avatar, bytes, ...tokenHashes];
      const values = [...Object.values(personal), String(stuId), ...binary.map((each) => each.toString('hex'))];
      expect(values).not.toContain(null);
      const before = await dump(databaseUrl);
      expect(values.filter((value) => !before.includes(String(value)))).toEqual([]);
      await client.user.deleteAccount.mutate({ code: codeOf(user) });
      const after = await dump(databaseUrl);
      expect(values.filter((value) => after.includes(String(value)))).toEqual([]);
      if (name !== 'SQLite') return;
      const file = databaseUrl.slice('file:'.length);
      for (const path of [file, `${file}-wal`]) {
        const content = await readFile(path);
        for (const value of [...Object.values(personal), ...binary]) {
          expect([path, value, content.includes(value ?? '')]).toEqual([path, value, false]);
        }
      }
    });

    test('an account is kept whole when the owner’s hook fails, and is deleted by the next try', async () => {
      const { user, client, openId } = await signIn();
      const before = await row(openId);
      const secret = 'a secret of the owner’s';
      hook = async () => {
        throw new Error(secret);
      };
      onTestFinished(() => void (hook = async () => {}));
      const failure = await failureOf(client.user.deleteAccount.mutate({ code: codeOf(user) }));
      expect(failure).toMatchObject({ reason: 'INTERNAL', retry: 'later' });
      expect(JSON.stringify(failure) + backend.logged.join()).not.toContain(secret);
      expect({ ...(await row(openId)), sessionKeyAt: 0, updatedAt: 0 }).toMatchObject({
        nickName: before?.nickName,
        phoneNumber: before?.phoneNumber,
      });
      expect(await client.user.me.query()).toMatchObject({ hasPhone: true });
      hook = async ({ openId: asked }) => {
        // The user is there still, so that the owner's rows can be found by them.
        expect(await backend.store.findUser(asked)).not.toBeNull();
      };
      hooked.length = 0;
      expect(await client.user.deleteAccount.mutate({ code: codeOf(user) })).toEqual({ deleted: true });
      expect(hooked.map((each) => each.openId)).toEqual([openId]);
    });

    test('a user who came back while the hook ran is a new user, who stays', async () => {
      const { user, client, openId } = await signIn();
      hook = async () => {
        hook = async () => {};
        await sibling.store.deleteUser({ openId });
        backend.clock.now += 1000;
        await backend.client().auth.checkUser.mutate({ code: codeOf(user) });
      };
      await client.user.deleteAccount.mutate({ code: codeOf(user) });
      expect(await row(openId)).toMatchObject({ nickName: null, createdAt: backend.clock.now });
    });

    test('an account after 20 deletions at once with 20 logins between them is a new user who inherits nothing, or none', async () => {
      const { user, token, openId } = await signIn();
      const old = (await row(openId)) ?? expect.unreachable();
      const instances = [backend, sibling];
      const failures = await Promise.all(
        Array.from({ length: 20 }, (_, i) => [
          failureOf((i % 2 ? backend : sibling).client(token).user.deleteAccount.mutate({ code: codeOf(user) })),
          failureOf((i % 2 ? sibling : backend).client().auth.checkUser.mutate({ code: codeOf(user) })),
        ]).flat(),
      );
      for (const failure of failures) if (failure) expect(failure).toMatchObject({ reason: 'SESSION_INVALID' });
      for (const instance of instances) {
        expect(await failureOf(instance.client(token).user.me.query())).toMatchObject({ reason: 'SESSION_INVALID' });
      }
      const now = await row(openId);
      if (now) expect(now).toMatchObject({ nickName: null, avatarUrl: null, phoneNumber: null, realName: null });
      expect(await dump(databaseUrl)).not.toContain(old.phoneNumber ?? '');
    });

    test('a deleted account, while one of its calls is under way, is not written by that call', async () => {
      const { user, client, sibling, openId } = await signIn();
      const late = client.user.updateProfile.mutate({ nickName: '晚到', avatar: await newPicture() });
      await Promise.all([failureOf(late), sibling.user.deleteAccount.mutate({ code: codeOf(user) })]);
      backend.clock.now += 1;
      await backend.client().auth.checkUser.mutate({ code: codeOf(user) });
      expect(await row(openId)).toMatchObject({ nickName: null, avatarUrl: null });
      expect(await dump(databaseUrl)).not.toContain('晚到');
    });

    test('and came back while WeChat was asked for the number, is a new user without it', async () => {
      const { user, client, openId } = await signIn();
      const { code } = backend.standin.phone.phoneNumber({ user, phoneNumber: '13511112222' });
      const path = '/wxa/business/getuserphonenumber';
      const asked = () => backend.standin.phone.stats().paths[path]?.requests ?? 0;
      const before = asked();
      backend.standin.phone.fault({ code, fault: { kind: 'delay', ms: 1500 } });
      const late = failureOf(client.user.bindPhone.mutate({ code }));
      await expect.poll(asked, { interval: 10 }).toBe(before + 1);
      await sibling.store.deleteUser({ openId });
      backend.clock.now += 1;
      await backend.client().auth.checkUser.mutate({ code: codeOf(user) });
      expect(await late).toMatchObject({ reason: 'SESSION_INVALID', retry: 'login' });
      expect(await row(openId)).toMatchObject({ phoneNumber: null, createdAt: backend.clock.now });
    });
  });

  describe('an account that is logged in on several phones', () => {
    test('an account lists them, and revokes one on every instance, but none of another user', async () => {
      const { user, token, client } = await signIn();
      backend.clock.now += 5000;
      const tablet = await backend.client().auth.checkUser.mutate({ code: codeOf(user) });
      const sessions = await client.auth.sessions.query();
      expect(sessions.map(({ isCurrent }) => isCurrent)).toEqual([false, true]);
      expect(sessions[0]).toMatchObject({ createdAt: backend.clock.now, lastUsedAt: backend.clock.now });
      const [id = ''] = sessions.map((each) => each.id);
      const stranger = await signIn();
      expect(await stranger.client.auth.revokeSession.mutate({ id })).toEqual({ revoked: false });
      // The name of a session is neither the token nor its hash.
      expect(await failureOf(backend.client(id).user.me.query())).toMatchObject({ reason: 'SESSION_INVALID' });
      expect(await dump(databaseUrl)).not.toContain(Buffer.from(id, 'base64url').toString('hex'));
      expect(await client.auth.revokeSession.mutate({ id })).toEqual({ revoked: true });
      expect(await client.auth.revokeSession.mutate({ id })).toEqual({ revoked: false });
      for (const instance of [backend, sibling]) {
        const failure = await failureOf(instance.client(tablet.token).user.me.query());
        expect(failure).toMatchObject({ reason: 'SESSION_INVALID' });
      }
      expect(await sibling.client(token).auth.sessions.query()).toHaveLength(1);
      for (const wrong of ['', token.slice(1), `${id}=`, 7, null]) {
        const failure = await failureOf(client.auth.revokeSession.mutate({ id: wrong as string }));
        expect(failure).toMatchObject({ reason: 'INPUT_INVALID' });
      }
    });
  });

  describe('an account that the operator blocks', () => {
    test('an account that is blocked while a call of its own is under way is neither written nor deleted by it', async () => {
      const { user, client, openId } = await signIn();
      const before = await row(openId);
      const block = async () => {
        await sibling.store.updateUser({ openId }, { blockedAt: backend.clock.now }, backend.clock.now);
      };
      hook = block;
      onTestFinished(() => void (hook = async () => {}));
      const refused = { reason: 'USER_BLOCKED' };
      expect(await failureOf(client.user.deleteAccount.mutate({ code: codeOf(user) }))).toMatchObject(refused);
      expect(await row(openId)).toMatchObject({ blockedAt: backend.clock.now, nickName: before?.nickName });

      await backend.store.updateUser({ openId }, { blockedAt: null }, backend.clock.now);
      const path = '/wxa/business/getuserphonenumber';
      backend.standin.phone.fault({ path, fault: { kind: 'delay', ms: 500 } });
      const { code } = backend.standin.phone.phoneNumber({ user, phoneNumber: '13511112222' });
      const bound = failureOf(client.user.bindPhone.mutate({ code }));
      await expect.poll(() => backend.standin.phone.stats().paths[path]?.inFlight).toBe(1);
      await block();
      expect(await bound).toMatchObject({ reason: 'SESSION_INVALID' });
      expect((await row(openId))?.phoneNumber).toBe(before?.phoneNumber);
    });

    test('a blocked account is refused with every token and at every login, on every instance, until it is unblocked', async () => {
      const { user, client, openId, sibling: other } = await signIn();
      await sibling.store.updateUser({ openId }, { blockedAt: backend.clock.now }, backend.clock.now);
      const { nickName, avatarUrl, city } = (await row(openId)) ?? expect.unreachable();
      const refused = { reason: 'USER_BLOCKED', retry: 'never', httpStatus: 403 };
      const sessions = `select count(*) as n from gk_wx_session where open_id = '${openId}'`;
      for (const instance of [client, other]) {
        expect(await failureOf(instance.user.me.query())).toMatchObject(refused);
        expect(await failureOf(instance.user.deleteAccount.mutate({ code: codeOf(user) }))).toMatchObject(refused);
        expect(await failureOf(instance.auth.logoutAll.mutate())).toMatchObject(refused);
      }
      expect(await failureOf(backend.client().auth.checkUser.mutate({ code: codeOf(user) }))).toMatchObject(refused);
      expect(await failureOf(backend.client().auth.login.mutate(loginInputOf(backend, user)))).toMatchObject(refused);
      expect(Number((await query(databaseUrl, sessions))[0]?.n)).toBe(1);
      expect(await row(openId)).toMatchObject({ nickName, avatarUrl, city });
      await backend.store.updateUser({ openId }, { blockedAt: null }, backend.clock.now);
      expect(await other.user.me.query()).toMatchObject({ hasProfile: true });
    });
  });
});

describe('calls of a signed-in user that write, at most USER_WRITES_PER_MINUTE', () => {
  const router: AnyTRPCRouter = appRouter;
  const mutations = Object.entries<AnyTRPCProcedure>(router._def.procedures)
    .filter(([, { _def }]) => _def.type === 'mutation')
    .map(([path]) => path)
    .filter((path) => !['auth.checkUser', 'auth.login', 'auth.logout'].includes(path));

  test.each(mutations)('%s counts, whatever its input, and says when to come back', async (path) => {
    const backend = await startBackend({ env: { USER_WRITES_PER_MINUTE: '2' } });
    onTestFinished(() => backend.close());
    const login = async (user: string) =>
      (await backend.client().auth.checkUser.mutate({ code: backend.standin.phone.login({ user }).code })).token;
    const call = async (token: string, procedure: string) =>
      await fetch(`${backend.url}/trpc/${procedure}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
        body: '{}',
      });
    await call(await login('busy'), path);
    await call(await login('busy'), 'user.updateProfile');
    const third = await call(await login('busy'), path);
    expect([third.status, third.headers.get('retry-after')]).toEqual([429, '60']);
    expect(await third.json()).toMatchObject({ error: { data: { reason: 'RATE_LIMITED', retry: 'later' } } });
    // Others are not counted with them, and user.me or a logout is never refused.
    expect((await call(await login('other'), 'user.unbindPhone')).status).toBe(200);
    const last = await login('busy');
    expect(await backend.client(last).user.me.query()).toMatchObject({ hasProfile: false });
    expect((await call(last, 'auth.logout')).status).toBe(200);
    backend.clock.now += 60_000;
    expect((await call(await login('busy'), 'user.unbindPhone')).status).toBe(200);
  });

  test('auth.sessions is limited likewise, apart from the writes, and lists the newest hundred', async () => {
    const backend = await startBackend({ env: { USER_WRITES_PER_MINUTE: '2' } });
    onTestFinished(() => backend.close());
    const login = async (user: string) =>
      (await backend.client().auth.checkUser.mutate({ code: backend.standin.phone.login({ user }).code })).token;
    const caller = backend.client(await login('busy'));
    for (let count = 0; count < 101; count++) {
      backend.clock.now += 1;
      await login('busy');
    }
    const listed = await caller.auth.sessions.query();
    expect(listed).toHaveLength(100);
    // Older than the hundred newest, and there all the same.
    expect(listed.map(({ isCurrent }) => isCurrent).lastIndexOf(true)).toBe(99);
    expect(listed[0]?.createdAt).toBe(backend.clock.now);
    await caller.auth.sessions.query();
    expect(await failureOf(caller.auth.sessions.query())).toMatchObject({ reason: 'RATE_LIMITED', retry: 'later' });
    expect(await caller.user.unbindPhone.mutate()).toMatchObject({ hasPhone: false });
    expect(await backend.client(await login('other')).auth.sessions.query()).toHaveLength(1);
    backend.clock.now += 60_000;
    expect(await caller.auth.sessions.query()).toHaveLength(100);
    const code = backend.standin.phone.login({ user: 'busy' }).code;
    expect((await caller.user.exportData.mutate({ code })).sessions).toHaveLength(102);
  });
});
