import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openStore } from '../../src/store/open.ts';
import type { LoginWrite, Store } from '../../src/store/store.ts';
import { databases } from '../support/databases.ts';
import { band, loginWrite, newOpenId, noProfile } from '../support/login-write.ts';

describe.each(databases)('a login saved on $name', ({ createUrl, query }) => {
  let url: string;
  let store: Store;
  beforeAll(async () => {
    url = await createUrl();
    store = await openStore({ databaseUrl: url, timeoutMs: 5000, poolSize: 10 });
    await store.migrate();
  });
  afterAll(() => store.close());

  /** Saves logins of one user one after the other; the keys of the user as stored at the end. */
  async function keysAfter(...logins: { key: string; at: number; sessionKey?: string }[]) {
    const openId = newOpenId();
    for (const { sessionKey, ...login } of logins) {
      await store.saveLogin({ ...loginWrite({ openId, ...login }), ...(sessionKey && { sessionKey }) });
    }
    const user = await store.findUser(openId);
    return [user?.sessionKey, user?.prevSessionKey, user?.sessionKeyAt, user?.sessionKeyFingerprint];
  }
  const [a, b, c] = ['v1.k1.a', 'v1.k1.b', 'v1.k1.c'];

  test('a login gives back the user as stored, with the session beside it', async () => {
    const login = loginWrite({ unionId: 'uTEST', profile: band, at: 1000 });
    const saved = await store.saveLogin(login);
    const { openId, appId, unionId, sessionKey, sessionKeyFingerprint, tokenHash, expiresAt } = login;
    expect(saved).toEqual({
      ...band,
      openId,
      appId,
      unionId,
      phoneNumber: null,
      phoneFingerprint: null,
      sessionKey,
      prevSessionKey: null,
      sessionKeyFingerprint,
      sessionKeyAt: 1000,
      blockedAt: null,
      createdAt: 1000,
      updatedAt: 1000,
    });
    expect(await store.findUser(openId)).toEqual(saved);
    const session = { tokenHash, openId, createdAt: 1000, expiresAt, lastUsedAt: 1000 };
    expect(await store.findSession(tokenHash)).toEqual({ session, user: saved });
    expect(await store.findUser(newOpenId())).toBeNull();
  });

  describe('the session key', () => {
    test('a key of a later exchange moves the stored one to the previous', async () => {
      expect(await keysAfter({ key: 'a', at: 1 }, { key: 'b', at: 2 })).toEqual([b, a, 2, 'fingerprint-of-b']);
    });
    test('a key that is given again moves nothing, and counts as seen at the later time', async () => {
      expect(await keysAfter({ key: 'a', at: 1 }, { key: 'b', at: 2 }, { key: 'b', at: 3 })).toEqual([
        b,
        a,
        3,
        'fingerprint-of-b',
      ]);
      expect(await keysAfter({ key: 'a', at: 1 }, { key: 'a', at: 3 }, { key: 'b', at: 2 })).toEqual([
        a,
        null,
        3,
        'fingerprint-of-a',
      ]);
    });
    test('a key that is given again is known by its fingerprint, and its newer seal is kept', async () => {
      const resealed = { key: 'a', at: 2, sessionKey: 'v1.k2.a' };
      expect(await keysAfter({ key: 'a', at: 1 }, resealed)).toEqual(['v1.k2.a', null, 2, 'fingerprint-of-a']);
    });
    test('a key of an earlier exchange, written late, is dropped', async () => {
      expect(await keysAfter({ key: 'b', at: 2 }, { key: 'a', at: 1 })).toEqual([b, null, 2, 'fingerprint-of-b']);
      expect(await keysAfter({ key: 'a', at: 1 }, { key: 'c', at: 3 }, { key: 'b', at: 2 })).toEqual([
        c,
        a,
        3,
        'fingerprint-of-c',
      ]);
    });
    test('a key of an exchange of the same millisecond counts as later', async () => {
      expect(await keysAfter({ key: 'a', at: 1 }, { key: 'b', at: 1 })).toEqual([b, a, 1, 'fingerprint-of-b']);
    });
    test('a previous key that is given again is current again', async () => {
      expect(await keysAfter({ key: 'a', at: 1 }, { key: 'b', at: 2 }, { key: 'a', at: 3 })).toEqual([
        a,
        b,
        3,
        'fingerprint-of-a',
      ]);
    });
    test('a key that was removed by hand does not cost the user the previous one', async () => {
      const openId = newOpenId();
      await store.saveLogin(loginWrite({ openId, key: 'a', at: 1 }));
      await store.saveLogin(loginWrite({ openId, key: 'b', at: 2 }));
      await query(
        url,
        `update gk_wx_user set session_key = null, session_key_fingerprint = null where open_id = '${openId}'`,
      );
      expect(await store.saveLogin(loginWrite({ openId, key: 'c', at: 3 }))).toMatchObject({
        sessionKey: c,
        prevSessionKey: a,
      });
    });
  });

  test('a stored value stays as it is where the login has none', async () => {
    const openId = newOpenId();
    await store.saveLogin(loginWrite({ openId, profile: band, unionId: 'uTEST' }));
    expect(await store.saveLogin(loginWrite({ openId, profile: noProfile }))).toMatchObject({
      ...band,
      unionId: 'uTEST',
    });
    const profile = { ...noProfile, city: '深圳', language: '' };
    expect(await store.saveLogin(loginWrite({ openId, profile }))).toMatchObject({
      ...band,
      city: '深圳',
      language: '',
    });
  });

  test.each([
    [[null, 0], 0],
    [[0, null], 0],
    [[0, 2], 2],
    [[1, 0], 1],
    [[2, null], 2],
    [[2, 1], 1],
    [[null, null], null],
  ] as const)('the genders %j of successive logins are stored as %s', async (genders, kept) => {
    const openId = newOpenId();
    for (const gender of genders) await store.saveLogin(loginWrite({ openId, profile: { ...noProfile, gender } }));
    expect((await store.findUser(openId))?.gender).toBe(kept);
  });

  test('a login keeps the time of creation, and never moves the time of change back', async () => {
    const openId = newOpenId();
    for (const at of [2000, 3000, 1000]) await store.saveLogin(loginWrite({ openId, at }));
    expect(await store.findUser(openId)).toMatchObject({ createdAt: 2000, updatedAt: 3000 });
  });

  test('a login does not touch the columns of the business, nor the phone number', async () => {
    const openId = newOpenId();
    await store.saveLogin(loginWrite({ openId }));
    const set = `update gk_wx_user set real_name = '王小明', stu_id = 42, phone_number = 'v1.phone'`;
    await query(url, `${set} where open_id = '${openId}'`);
    for (const at of [1, Number.MAX_SAFE_INTEGER]) await store.saveLogin(loginWrite({ openId, at, profile: band }));
    const columns = 'real_name, stu_id, phone_number, nick_name';
    expect(await query(url, `select ${columns} from gk_wx_user where open_id = '${openId}'`)).toEqual([
      { real_name: '王小明', stu_id: 42, phone_number: 'v1.phone', nick_name: 'Band' },
    ]);
  });

  test('a login does not name the columns of the business in a statement', async () => {
    const bare = await createUrl();
    const storeOfBare = await openStore({ databaseUrl: bare, timeoutMs: 5000, poolSize: 1 });
    await storeOfBare.migrate();
    // SQLite drops no column that a check reads: renamed, it is as good as gone.
    for (const column of ['real_name', 'stu_id'])
      await query(bare, `alter table gk_wx_user rename column ${column} to x${column}`);
    const login = loginWrite({ profile: band });
    await storeOfBare.saveLogin(login);
    await storeOfBare.saveLogin({ ...login, tokenHash: Buffer.alloc(32) });
    expect(await storeOfBare.findSession(login.tokenHash)).toMatchObject({ user: band });
    await storeOfBare.close();
  });

  test('a hundred first logins of one user at once give one row, a hundred sessions and no error', async () => {
    const openId = newOpenId();
    const logins = Array.from({ length: 100 }, (_, i) => loginWrite({ openId, key: `${i}`, at: 1000 + i }));
    const saved = await Promise.all(logins.map((login) => store.saveLogin(login)));
    expect(saved.every((user) => user.openId === openId)).toBe(true);
    expect(await store.findUser(openId)).toMatchObject({ sessionKey: 'v1.k1.99', sessionKeyAt: 1099, updatedAt: 1099 });
    expect(await query(url, `select 1 from gk_wx_user where open_id = '${openId}'`)).toHaveLength(1);
    expect(await store.deleteSessionsOf(openId, 0)).toBe(100);
  });

  test('a hundred users who log in at once are all stored', async () => {
    const logins = Array.from({ length: 100 }, () => loginWrite({ unionId: 'uSHARED' }));
    const saved = await Promise.all(logins.map((login) => store.saveLogin(login)));
    expect(saved.map((user) => user.openId)).toEqual(logins.map(({ openId }) => openId));
  });

  describe('a login is written whole or not at all', () => {
    const tooLong: Record<string, (login: LoginWrite) => LoginWrite> = {
      nickName: (login) => ({ ...login, profile: { ...band, nickName: '好'.repeat(1025) } }),
      avatarUrl: (login) => ({ ...login, profile: { ...band, avatarUrl: 'x'.repeat(2049) } }),
      city: (login) => ({ ...login, profile: { ...band, city: 'x'.repeat(129) } }),
      language: (login) => ({ ...login, profile: { ...band, language: 'x'.repeat(65) } }),
      sessionKey: (login) => ({ ...login, sessionKey: 'x'.repeat(256) }),
    };
    test.each(Object.keys(tooLong))('a login with too long a %s is refused, and nothing is stored', async (field) => {
      const login = tooLong[field]?.(loginWrite({ at: 5000 })) ?? loginWrite();
      await expect(store.saveLogin(login)).rejects.toMatchObject({ name: 'StoreError', kind: 'unexpected' });
      expect(await store.findUser(login.openId)).toBeNull();
      expect(await store.findSession(login.tokenHash)).toBeNull();
    });
    test('a refused session leaves no new user, and a known user unchanged', async () => {
      const taken = loginWrite({ at: 1000 });
      const before = await store.saveLogin(taken);
      const newcomer = loginWrite({ tokenHash: taken.tokenHash });
      await expect(store.saveLogin(newcomer)).rejects.toMatchObject({ kind: 'unexpected' });
      expect(await store.findUser(newcomer.openId)).toBeNull();
      const again = { ...taken, sessionKey: 'other', sessionKeyFingerprint: 'other', profile: band, now: 9000 };
      await expect(store.saveLogin(again)).rejects.toMatchObject({ kind: 'unexpected' });
      expect(await store.findUser(taken.openId)).toEqual(before);
    });
    test('a reader that finds the user finds the session', async () => {
      const logins = Array.from({ length: 30 }, () => loginWrite());
      let saving = true;
      const saved = Promise.all(logins.map((login) => store.saveLogin(login))).finally(() => (saving = false));
      const sides = 'count(s.token_hash) as sessions, count(*) as users';
      const halves = `select ${sides} from gk_wx_user u left join gk_wx_session s on s.open_id = u.open_id where u.open_id in (${logins.map(({ openId }) => `'${openId}'`).join()})`;
      while (saving) {
        const [row] = await query(url, halves);
        expect(row?.sessions).toBe(row?.users);
        await sleep(5);
      }
      await saved;
    });
  });
});
