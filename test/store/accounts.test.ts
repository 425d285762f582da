import { hash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { avatarUrlOf } from '../../src/store/avatar-url.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import { databases } from '../support/databases.ts';
import { band, loginWrite, newOpenId } from '../support/login-write.ts';

const pictureOf = (text: string) => ({ hash: hash('sha256', text, 'buffer'), bytes: Buffer.from(text) });
const newPicture = () => pictureOf(randomBytes(20).toString('hex'));

describe.each(databases)('accounts on $name', ({ createUrl, query }) => {
  let url: string;
  let store: Store;
  /** Another instance on the same database. */
  let other: Store;
  beforeAll(async () => {
    url = await createUrl();
    const open = () => openStore({ databaseUrl: url, timeoutMs: 10_000, poolSize: 10 });
    [store, other] = [await open(), await open()];
    await store.migrate();
  });
  afterAll(() => Promise.all([store.close(), other.close()]));

  const count = async (table: string, where: string) =>
    Number((await query(url, `select count(*) as n from ${table} where ${where}`))[0]?.n);
  /** A user with everything that a user may have. */
  async function createUser({ avatar = newPicture(), at = 1000 } = {}) {
    const login = loginWrite({ unionId: `u${newOpenId()}`, profile: band, at });
    const { openId } = login;
    await store.saveLogin(login);
    await store.saveLogin(loginWrite({ openId, at: at + 1, key: 'key-2' }));
    const phone = { sealed: 'v1.k1.phone', fingerprint: `k1.${openId}` };
    const user = (await store.updateUser({ openId }, { avatar, phone }, at + 2)) ?? expect.unreachable();
    return { openId, user, login, avatar };
  }

  test('a deleted account leaves no row of the user, and no other user misses anything', async () => {
    const { openId, login, avatar } = await createUser();
    const neighbour = await createUser();
    expect(await store.deleteUser({ openId })).toBe(true);
    expect(await other.findUser(openId)).toBeNull();
    expect(await other.findSession(login.tokenHash)).toBeNull();
    expect(await count('gk_wx_session', `open_id = '${openId}'`)).toBe(0);
    expect(await other.findAvatar(avatar.hash)).toBeNull();
    expect(await store.deleteUser({ openId })).toBe(false);
    expect(await store.findUser(neighbour.openId)).toEqual(neighbour.user);
    expect(await store.findSession(neighbour.login.tokenHash)).not.toBeNull();
    expect(await store.findAvatar(neighbour.avatar.hash)).toEqual(neighbour.avatar.bytes);
  });

  test('a deleted account leaves an avatar that another user has too, and the last one takes it away', async () => {
    const avatar = newPicture();
    const [one, two] = [await createUser({ avatar }), await createUser({ avatar })];
    await store.deleteUser(one);
    expect(await store.findAvatar(avatar.hash)).toEqual(avatar.bytes);
    await store.deleteUser(two);
    expect(await store.findAvatar(avatar.hash)).toBeNull();
  });

  test('an account keeps the avatar that its user chooses while another user of it is deleted', async () => {
    for (let round = 0; round < 10; round++) {
      const avatar = newPicture();
      const [leaving, staying] = [await createUser({ avatar }), await createUser()];
      await Promise.all([store.deleteUser(leaving), other.updateUser(staying, { avatar }, 2000 + round)]);
      expect((await store.findUser(staying.openId))?.avatarUrl).toBe(avatarUrlOf(avatar.hash));
      expect(await store.findAvatar(avatar.hash)).toEqual(avatar.bytes);
    }
  });

  test('an account whose avatar is a picture of WeChat takes away no picture of another user when it is deleted', async () => {
    const { avatar } = await createUser();
    const login = loginWrite({ profile: { ...band, avatarUrl: `https://x.cn/${avatar.hash.toString('hex')}.webp` } });
    await store.saveLogin(login);
    expect(await store.deleteUser(login)).toBe(true);
    expect(await store.findAvatar(avatar.hash)).toEqual(avatar.bytes);
  });

  test('an account after 20 logins and 20 deletions at once on two instances is a new user who inherits nothing, or none', async () => {
    for (let round = 0; round < 5; round++) {
      const { openId, avatar, login } = await createUser();
      const logins = Array.from({ length: 20 }, (_, i) => loginWrite({ openId, key: `new-${i}`, at: 5000 + i }));
      await Promise.all(
        logins.flatMap((each, i) => {
          const [one, two] = i % 2 === 0 ? [store, other] : [other, store];
          return [one.saveLogin(each), two.deleteUser({ openId, createdUpTo: 5000 + i })];
        }),
      );
      // One that began before all logins, and ends after them.
      await store.deleteUser({ openId, createdUpTo: 4999 });
      expect(await store.findSession(login.tokenHash)).toBeNull();
      expect(await store.findAvatar(avatar.hash)).toBeNull();
      const user = await store.findUser(openId);
      const sessions = await count('gk_wx_session', `open_id = '${openId}'`);
      if (user) {
        const inherited = [user.nickName, user.avatarUrl, user.unionId, user.phoneNumber, user.phoneFingerprint];
        expect(inherited).toEqual([null, null, null, null, null]);
        expect(user.createdAt).toBeGreaterThanOrEqual(5000);
        expect(sessions).toBeGreaterThan(0);
      } else {
        expect(sessions).toBe(0);
      }
    }
  });

  test('an account that was deleted and made again is not deleted or written by what meant the one before', async () => {
    const { openId, user } = await createUser();
    await store.deleteUser({ openId });
    const again = await store.saveLogin(loginWrite({ openId, at: 9000 }));
    const before = { openId, createdUpTo: user.createdAt };
    const avatar = newPicture();
    expect(await store.deleteUser(before)).toBe(false);
    expect(await store.updateUser(before, { nickName: '晚到', avatar }, 9001)).toBeNull();
    expect(await store.findAvatar(avatar.hash)).toBeNull();
    expect(await store.updateUser(before, { avatar: null }, 9001)).toBeNull();
    await store.saveSessionKey(before, {
      sessionKey: 'v1.k1.x',
      sessionKeyFingerprint: 'x',
      sessionKeyAt: 9999,
      now: 9999,
    });
    expect(await store.findUser(openId)).toEqual(again);
  });

  test('an account loses each field by itself, and an avatar that is cleared is deleted', async () => {
    const { openId, user, avatar } = await createUser();
    expect(await store.updateUser({ openId }, { nickName: null }, 1500)).toEqual({
      ...user,
      nickName: null,
      updatedAt: 1500,
    });
    const bare = { ...user, nickName: null, avatarUrl: null, phoneNumber: null, phoneFingerprint: null };
    expect(await store.updateUser({ openId }, { avatar: null, phone: null }, 1400)).toEqual({
      ...bare,
      updatedAt: 1500,
    });
    expect(await store.findAvatar(avatar.hash)).toBeNull();
    expect(await store.updateUser({ openId: newOpenId() }, { nickName: null }, 1)).toBeNull();
  });

  test('an unseen account is told from one that logged in, was used or was changed', async () => {
    const { openId } = await createUser({ at: 1000 });
    const used = await createUser({ at: 1000 });
    const { tokenHash } = used.login;
    await other.extendSession({ tokenHash, openId: used.openId, unusedSince: 1000, lastUsedAt: 7000, expiresAt: 9000 });
    expect((await store.findUser(used.openId))?.updatedAt).toBe(7000);
    // A deleted session moves nothing.
    await store.deleteSession(tokenHash);
    await store.extendSession({ tokenHash, openId: used.openId, unusedSince: 7000, lastUsedAt: 8000, expiresAt: 9000 });
    expect((await store.findUser(used.openId))?.updatedAt).toBe(7000);
    expect(await store.deleteUser({ openId: used.openId, unseenSince: 7000 })).toBe(false);
    expect(await store.deleteUser({ openId, unseenSince: 1002 })).toBe(false);
    expect(await store.deleteUser({ openId, unseenSince: 1003 })).toBe(true);
    expect(await store.deleteUser({ openId: used.openId, unseenSince: 7001 })).toBe(true);
  });

  test('an account lists its own sessions that have not expired, the newest first', async () => {
    const openId = newOpenId();
    const logins = [3, 1, 2].map((at) => loginWrite({ openId, at, expiresAt: 100 + at }));
    for (const login of logins) await store.saveLogin(login);
    await store.saveLogin(loginWrite({ at: 4, expiresAt: 200 }));
    const times = async (now: number, limit = 10) =>
      (await store.listSessions(openId, now, limit)).map(({ createdAt }) => createdAt);
    expect(await times(50)).toEqual([3, 2, 1]);
    expect(await times(102)).toEqual([3]);
    expect(await times(50, 2)).toEqual([3, 2]);
  });

  test('an account is found by its union id and its phone number, with the columns of the business', async () => {
    const { openId, user } = await createUser();
    await query(url, `update gk_wx_user set real_name = '张三', stu_id = 7 where open_id = '${openId}'`);
    expect(await store.findRecord(openId)).toEqual({ ...user, realName: '张三', stuId: 7 });
    expect(await store.findRecord(newOpenId())).toBeNull();
    expect(await store.findUsersByUnionId(user.unionId ?? '')).toEqual([user]);
    expect(await store.findUsersByPhone(['k0.other', `k1.${openId}`])).toEqual([user]);
    expect(await store.findUsersByPhone(['k0.other'])).toEqual([]);
    await expect(store.deleteUser({ openId: `${openId} ` })).rejects.toMatchObject({ code: 'OPENID_INVALID' });
  });

  test('an account takes a session key that WeChat gave outside of a login by the rule of a login', async () => {
    const { openId } = await createUser({ at: 1000 });
    const save = (key: string, sessionKeyAt: number) =>
      store.saveSessionKey(
        { openId },
        { sessionKey: `v1.k1.${key}`, sessionKeyFingerprint: key, sessionKeyAt, now: sessionKeyAt },
      );
    const keys = async () => {
      const user = await store.findUser(openId);
      return [user?.sessionKey, user?.prevSessionKey, user?.sessionKeyFingerprint, user?.sessionKeyAt];
    };
    await save('a', 2000);
    expect(await keys()).toEqual(['v1.k1.a', 'v1.k1.key-2', 'a', 2000]);
    await save('late', 1999);
    await save('a', 2001);
    expect(await keys()).toEqual(['v1.k1.a', 'v1.k1.key-2', 'a', 2001]);
  });
});
