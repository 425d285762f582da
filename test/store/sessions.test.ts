import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import { databases } from '../support/databases.ts';
import { loginWrite, newOpenId } from '../support/login-write.ts';

describe.each(databases)('sessions on $name', ({ createUrl }) => {
  let url: string;
  let store: Store;
  beforeAll(async () => {
    url = await createUrl();
    store = await openStore({ databaseUrl: url, timeoutMs: 5000, poolSize: 4 });
    await store.migrate();
  });
  afterAll(() => store.close());

  test('a session is found by its token only, and an expired one too', async () => {
    const login = loginWrite({ expiresAt: 1 });
    const user = await store.saveLogin(login);
    expect(await store.findSession(login.tokenHash)).toMatchObject({ session: { expiresAt: 1 }, user });
    const almost = Buffer.from(login.tokenHash);
    almost.writeUInt8(almost.readUInt8(31) ^ 1, 31);
    expect(await store.findSession(almost)).toBeNull();
    expect(await store.findSession(login.tokenHash.subarray(0, 31))).toBeNull();
    expect(await store.findSession(randomBytes(32))).toBeNull();
  });

  test('a session is found by every byte of a hash, zeros and spaces at its end included', async () => {
    const hashes = [0, 0x20, 0x27, 0x5c, 0xff].map((byte) => Buffer.alloc(32, byte));
    for (const tokenHash of hashes) await store.saveLogin(loginWrite({ tokenHash }));
    for (const tokenHash of hashes) expect((await store.findSession(tokenHash))?.session.tokenHash).toEqual(tokenHash);
  });

  test('a session of each device lives beside the others', async () => {
    const openId = newOpenId();
    const [phone, tablet] = [loginWrite({ openId }), loginWrite({ openId })];
    await store.saveLogin(phone);
    await store.saveLogin(tablet);
    expect(await store.deleteSession(phone.tokenHash)).toBe(true);
    expect(await store.findSession(phone.tokenHash)).toBeNull();
    expect(await store.findSession(tablet.tokenHash)).not.toBeNull();
  });

  test('a session is extended without others, and stays deleted once deleted', async () => {
    const openId = newOpenId();
    const [used, other] = [loginWrite({ openId, at: 1000 }), loginWrite({ openId, at: 1000 })];
    await store.saveLogin(used);
    await store.saveLogin(other);
    const extend = (lastUsedAt: number, expiresAt: number, unusedSince: number) =>
      store.extendSession({ tokenHash: used.tokenHash, openId, unusedSince, lastUsedAt, expiresAt });
    await extend(5000, 9000, 999);
    expect((await store.findSession(used.tokenHash))?.session).toMatchObject({ lastUsedAt: 1000 });
    await extend(5000, 9000, 1000);
    const times = async (tokenHash: Buffer) => (await store.findSession(tokenHash))?.session;
    expect(await times(used.tokenHash)).toMatchObject({ createdAt: 1000, lastUsedAt: 5000, expiresAt: 9000 });
    expect(await times(other.tokenHash)).toMatchObject({ lastUsedAt: 1000, expiresAt: other.expiresAt });
    await store.deleteSession(used.tokenHash);
    await extend(6000, 10_000, 6000);
    expect(await store.findSession(used.tokenHash)).toBeNull();
  });

  test('a session is deleted once', async () => {
    const login = loginWrite();
    await store.saveLogin(login);
    const deleted = await Promise.all(Array.from({ length: 10 }, () => store.deleteSession(login.tokenHash)));
    expect(deleted.filter(Boolean)).toHaveLength(1);
  });

  test('the sessions of every device of a user are deleted and counted, and none of another user', async () => {
    const openId = newOpenId();
    const stranger = loginWrite();
    await store.saveLogin(stranger);
    for (let i = 0; i < 5; i++) await store.saveLogin(loginWrite({ openId }));
    expect(await store.deleteSessionsOf(openId, 0)).toBe(5);
    expect(await store.deleteSessionsOf(openId, 0)).toBe(0);
    expect(await store.findSession(stranger.tokenHash)).not.toBeNull();
  });

  test('a session that has expired is deleted with the others, and not counted', async () => {
    const openId = newOpenId();
    const logins = [1000, 1001, 1002].map((expiresAt) => loginWrite({ openId, expiresAt }));
    for (const login of logins) await store.saveLogin(login);
    expect(await store.deleteSessionsOf(openId, 1000)).toBe(2);
    for (const { tokenHash } of logins) expect(await store.findSession(tokenHash)).toBeNull();
  });

  test('logins and logouts of the same few users at once all succeed', async () => {
    const openIds = Array.from({ length: 4 }, newOpenId);
    const busy = await openStore({ databaseUrl: url, timeoutMs: 10_000, poolSize: 32 });
    const calls = Array.from({ length: 240 }, (_, i) => {
      const openId = openIds[i % 4] ?? '';
      return i % 3 === 0 ? busy.deleteSessionsOf(openId, 0) : busy.saveLogin(loginWrite({ openId }));
    });
    await Promise.all(calls);
    await busy.close();
  });
});
