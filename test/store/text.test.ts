import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import { databases } from '../support/databases.ts';
import { loginWrite, newOpenId, noProfile } from '../support/login-write.ts';

describe.each(databases)('text on $name', ({ createUrl }) => {
  let store: Store;
  beforeAll(async () => {
    store = await openStore({ databaseUrl: await createUrl(), timeoutMs: 5000, poolSize: 4 });
    await store.migrate();
  });
  afterAll(() => store.close());

  async function nickNameAfterSaving(nickName: string) {
    const login = loginWrite({ profile: { ...noProfile, nickName } });
    await store.saveLogin(login);
    return (await store.findUser(login.openId))?.nickName;
  }

  test('two openids that differ in case only are two users', async () => {
    const openId = `${newOpenId()}abc`;
    const upper = openId.replace('abc', 'ABC');
    await store.saveLogin(loginWrite({ openId, key: 'lower' }));
    await store.saveLogin(loginWrite({ openId: upper, key: 'upper' }));
    expect(await store.findUser(openId)).toMatchObject({ openId, sessionKey: 'v1.k1.lower' });
    expect(await store.findUser(upper)).toMatchObject({ openId: upper, sessionKey: 'v1.k1.upper' });
    expect(await store.deleteSessionsOf(upper, 0)).toBe(1);
    expect(await store.deleteSessionsOf(openId, 0)).toBe(1);
  });

  test.each(['é', ' ', '\0', '\n', "'", 'Ａ', '👤', 'x'.repeat(64)])(
    'an openid that differs by %j at its end is refused, not taken for another',
    async (end) => {
      const login = loginWrite();
      await store.saveLogin(login);
      const odd = login.openId + end;
      const refused = { name: 'StoreError', kind: 'unexpected', code: 'OPENID_INVALID' };
      await expect(store.saveLogin(loginWrite({ openId: odd }))).rejects.toMatchObject(refused);
      await expect(store.findUser(odd)).rejects.toMatchObject(refused);
      await expect(store.deleteSessionsOf(odd, 0)).rejects.toMatchObject(refused);
      expect(await store.findSession(login.tokenHash)).not.toBeNull();
    },
  );

  test.each([
    ['Chinese', '果壳爱好者'],
    ['characters of four bytes', '𠮷野家𝒳'],
    ['an emoji sequence', '👨‍👩‍👧‍👦🏳️‍🌈👍🏽'],
    ['composed and decomposed', 'é é'],
    ['quotes and backslashes', `'"\\\`%_;--\\'`],
    ['spaces at both ends', '  a  '],
    ['64 emoji of ten code points', '👩🏽‍❤️‍💋‍👨🏿'.repeat(64)],
    ['1024 characters of four bytes', '𠮷'.repeat(1024)],
  ])('text such as %s comes back exactly', async (_, nickName) => {
    expect(await nickNameAfterSaving(nickName)).toBe(nickName);
  });

  test('any text without control characters comes back exactly', async () => {
    const text = fc.string({ unit: 'binary', maxLength: 60 }).map((any) => any.replace(/\p{Cc}/gu, ''));
    await fc.assert(
      fc.asyncProperty(text, async (nickName) => {
        expect(await nickNameAfterSaving(nickName)).toBe(nickName);
      }),
      { numRuns: 60 },
    );
  });

  test('sealed values come back exactly, at their full width', async () => {
    const sealed = `v1.k1.${'aZ09-_'.repeat(50)}`.slice(0, 255);
    const login = { ...loginWrite({ at: 1 }), sessionKey: sealed };
    expect((await store.saveLogin(login)).sessionKey).toBe(sealed);
    expect((await store.saveLogin(loginWrite({ openId: login.openId, key: 'next', at: 2 }))).prevSessionKey).toBe(
      sealed,
    );
  });
});
