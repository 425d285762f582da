import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import { createAccessTokens } from '../../src/wechat/access-token.ts';
import { withinDeadline } from '../../src/wechat/deadline.ts';
import { databases } from '../support/databases.ts';

const appId = 'wx0123456789abcdef';

describe.each(databases)('the lease of an access token on $name', ({ createUrl }) => {
  let stores: [Store, Store];
  beforeAll(async () => {
    const databaseUrl = await createUrl();
    const open = () => openStore({ databaseUrl, timeoutMs: 5000, poolSize: 10 });
    stores = [await open(), await open()];
    await stores[0].migrate();
  });
  afterAll(() => Promise.all(stores.map((store) => store.close())));

  test('a lease is given to one of 20 owners who ask at once, until it ends or is given back', async () => {
    const [store] = stores;
    const lease = (owner: string, now: number, on = store) =>
      on.leaseAccessToken({ appId, owner, now, until: now + 1000 });
    for (const now of [1000, 2000]) {
      const rows = await Promise.all(
        Array.from({ length: 20 }, (_, index) => lease(`${now}-${index}`, now, stores[index % 2 ? 1 : 0])),
      );
      expect(rows.filter(({ leaseOwner }, index) => leaseOwner === `${now}-${index}`)).toHaveLength(1);
      expect(new Set(rows.map(({ leaseOwner, leaseUntil }) => `${leaseOwner} ${leaseUntil}`)).size).toBe(1);
    }
    const { leaseOwner } = await lease('late', 2999);
    expect(leaseOwner).toMatch(/^2000-/);
    await store.updateAccessToken(appId, 'late', { token: 'v1.x', leaseUntil: 0 });
    expect(await store.findAccessToken(appId)).toMatchObject({ token: null, leaseUntil: 3000 });
    await store.updateAccessToken(appId, leaseOwner, { token: 'v1.x', leaseUntil: 0 });
    expect(await lease('late', 2999)).toMatchObject({ token: 'v1.x', leaseOwner: 'late', leaseUntil: 3999 });
  });

  test('a lease is taken once for 100 calls that wait in one process', async () => {
    const [store] = stores;
    let looks = 0;
    let fetches = 0;
    const tokens = createAccessTokens({
      api: {
        requestWithRetry: async () => {
          fetches += 1;
          return { access_token: 'token', expires_in: 7200 };
        },
        inFlight: () => 0,
        close: async () => {},
      },
      appSecrets: new Map([['wxother', 'secret']]),
      store: { ...store, findAccessToken: (id) => ((looks += 1), store.findAccessToken(id)) },
      keyring: [{ id: 'k', key: Buffer.alloc(32) }],
      timeoutMs: 3000,
      now: Date.now,
    });
    const got = await withinDeadline(3000, (deadline) =>
      Promise.all(Array.from({ length: 100 }, () => tokens.get('wxother', deadline))),
    );
    expect([new Set(got), fetches, looks]).toEqual([new Set(['token']), 1, 1]);
  });
});
