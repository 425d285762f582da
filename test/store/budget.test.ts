import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { withBudget } from '../../src/store/budget.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import { sqlite } from '../support/databases.ts';

const timeoutMs = 1000;

/** A store whose every answer is late. */
async function slow(ms: number): Promise<Store> {
  const store = await openStore({ databaseUrl: await sqlite.createUrl(), timeoutMs, poolSize: 1 });
  const late = async () => {
    await sleep(ms);
    return null;
  };
  return { ...store, findUser: late, findSession: late };
}

test('of one request, statements one after the other share a budget, and the one that is over it is refused', async () => {
  const store = withBudget(await slow(750), timeoutMs);
  expect(await store.findSession(Buffer.alloc(32))).toBeNull();
  await expect(store.findUser('oTEST')).rejects.toMatchObject({ kind: 'unavailable', code: 'TIMEOUT' });
  await expect(store.findUser('oTEST')).rejects.toMatchObject({ code: 'TIMEOUT' });
});

test('it is a store in all else: what is answered at once is no promise', async () => {
  const store = await slow(0);
  expect(withBudget(store, timeoutMs).poolStats()).toEqual(store.poolStats());
});

test('of one batch, statements side by side are counted once', async () => {
  const store = withBudget(await slow(100), timeoutMs);
  await Promise.all(Array.from({ length: 10 }, () => store.findUser('oTEST')));
  expect(await store.findUser('oTEST')).toBeNull();
});
