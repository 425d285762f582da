import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { guardedStore } from '../../src/store/guarded-store.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import { sqlite } from '../support/databases.ts';

const statementTimeoutMs = 1000;

/** A store whose every answer is late. */
async function slow(ms: number): Promise<Store> {
  const store = await openStore({ databaseUrl: await sqlite.createUrl(), timeoutMs: statementTimeoutMs, poolSize: 1 });
  const late = async () => {
    await sleep(ms);
    return null;
  };
  return { ...store, findUser: late, findSession: late };
}

test('the statements of one request, one after the other, share a budget, and the one beyond it is refused', async () => {
  const store = guardedStore(await slow(750), { statementTimeoutMs });
  expect(await store.findSession(Buffer.alloc(32))).toBeNull();
  await expect(store.findUser('oTEST')).rejects.toMatchObject({ kind: 'unavailable', code: 'TIMEOUT' });
  await expect(store.findUser('oTEST')).rejects.toMatchObject({ code: 'TIMEOUT' });
});

test('a guarded store reads the pool at once', async () => {
  const store = await slow(0);
  expect(guardedStore(store, { statementTimeoutMs }).poolStats()).toEqual(store.poolStats());
});

test.each([{}, { statementTimeoutMs }])(
  'an openid outside the alphabet is refused before the store is called: %o',
  async (guards) => {
    const called: string[] = [];
    const inner = await slow(0);
    const store = guardedStore({ ...inner, findUser: async (openId) => (called.push(openId), null) }, guards);
    for (const openId of ['', 'oabc ', ' oabc', 'oabc\n', 'öabc', 'o'.repeat(65)]) {
      await expect(store.findUser(openId)).rejects.toMatchObject({ kind: 'unexpected', code: 'OPENID_INVALID' });
    }
    expect(await store.findUser('o'.repeat(64))).toBeNull();
    expect(called).toEqual(['o'.repeat(64)]);
  },
);

test('the statements of one batch, side by side, are counted once', async () => {
  const store = guardedStore(await slow(100), { statementTimeoutMs });
  await Promise.all(Array.from({ length: 10 }, () => store.findUser('oTEST')));
  expect(await store.findUser('oTEST')).toBeNull();
});
