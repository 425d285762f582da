import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { confirmCode } from '../../src/auth/confirm-code.ts';
import { createSessionKeys } from '../../src/auth/session-keys.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import { eraseUser } from '../../src/user/erasure.ts';
import { createRetentionSweep } from '../../src/user/retention.ts';
import { databases } from '../support/databases.ts';
import { loginWrite, newOpenId } from '../support/login-write.ts';

const dayMs = 24 * 60 * 60 * 1000;
const now = 1000 * dayMs;

describe.each(databases)('the deletion of a user on $name', ({ createUrl, query }) => {
  let url: string;
  let store: Store;
  beforeAll(async () => {
    url = await createUrl();
    store = await openStore({ databaseUrl: url, timeoutMs: 10_000, poolSize: 2 });
    await store.migrate();
  });
  afterAll(() => store.close());

  test('waits for the owner’s hook, and is not begun before it has ended', async () => {
    const { openId } = await store.saveLogin(loginWrite());
    const found: boolean[] = [];
    const onUserDeleted = async () => {
      for (let turn = 0; turn < 3; turn++) found.push((await store.findUser(openId)) !== null);
    };
    expect(await eraseUser({ store, onUserDeleted }, { openId })).toBe(true);
    expect([found, await store.findUser(openId)]).toEqual([[true, true, true], null]);
  });

  test('leaves a user who was made again before it, and does not tell the owner’s hook of them', async () => {
    const openId = newOpenId();
    const { createdAt } = await store.saveLogin(loginWrite({ openId, at: 1000 }));
    await store.deleteUser({ openId });
    const again = await store.saveLogin(loginWrite({ openId, at: 9000 }));
    const told: string[] = [];
    const onUserDeleted = (user: { openId: string }) => void told.push(user.openId);
    expect(await eraseUser({ store, onUserDeleted }, { openId, createdUpTo: createdAt })).toBe(false);
    expect([told, await store.findUser(openId)]).toEqual([[], again]);
  });

  test('leaves a user who was made again while the owner’s hook ran', async () => {
    const openId = newOpenId();
    await store.saveLogin(loginWrite({ openId, at: 1000 }));
    const onUserDeleted = async () => {
      await store.deleteUser({ openId });
      await store.saveLogin(loginWrite({ openId, at: 9000 }));
    };
    expect(await eraseUser({ store, onUserDeleted }, { openId })).toBe(false);
    expect(await store.findUser(openId)).toMatchObject({ createdAt: 9000 });
  });

  test('leaves the key of a user who was made again while a code of the one before was confirmed', async () => {
    const openId = newOpenId();
    const user = await store.saveLogin(loginWrite({ openId, at: 1000 }));
    const { appId } = user;
    let again = user;
    const exchangeCode = async () => {
      await store.deleteUser({ openId });
      again = await store.saveLogin(loginWrite({ openId, at: 9000 }));
      return { appId, openId, unionId: null, sessionKey: Buffer.alloc(16, 7).toString('base64'), startedAt: 9001 };
    };
    const pluginOpenPid = () => Promise.reject(new Error('not asked for'));
    const sessionKeys = createSessionKeys([{ id: 'k1', key: Buffer.alloc(32, 1) }]);
    const wechat = { exchangeCode, pluginOpenPid };
    await confirmCode({ wechat, store, sessionKeys, now: () => 9001, user }, 'code');
    expect(await store.findUser(openId)).toEqual(again);
  });

  test('by RETENTION_DAYS leaves a user who logs in while the owner’s hook runs', async () => {
    const { openId } = await store.saveLogin(loginWrite({ at: now - 40 * dayMs }));
    const onUserDeleted = async (user: { openId: string }) => {
      if (user.openId === openId) await store.saveLogin(loginWrite({ openId, at: now }));
    };
    const sweep = createRetentionSweep({ store, onUserDeleted, retentionDays: 30 });
    await sweep(now, 500);
    expect(await store.findUser(openId)).toMatchObject({ updatedAt: now });
  });

  test('by RETENTION_DAYS leaves a user who has logged out lately, and does not tell the hook', async () => {
    const { openId } = await store.saveLogin(loginWrite({ at: now - dayMs }));
    await store.deleteSessionsOf(openId, now);
    const told: string[] = [];
    const onUserDeleted = (user: { openId: string }) => void told.push(user.openId);
    await createRetentionSweep({ store, onUserDeleted, retentionDays: 30 })(now, 500);
    expect(told).not.toContain(openId);
    expect(await store.findUser(openId)).not.toBeNull();
  });

  test('by RETENTION_DAYS leaves a user whose session alone knows of its use, and does not tell the hook', async () => {
    const login = loginWrite({ at: now - 40 * dayMs });
    const { openId } = await store.saveLogin(login);
    await query(url, `update gk_wx_session set last_used_at = ${now - dayMs} where open_id = '${openId}'`);
    const told: string[] = [];
    const onUserDeleted = (user: { openId: string }) => void told.push(user.openId);
    const sweep = createRetentionSweep({ store, onUserDeleted, retentionDays: 30 });
    await sweep(now, 500);
    expect(told).not.toContain(openId);
    expect(await store.findUser(openId)).not.toBeNull();
  });
});
