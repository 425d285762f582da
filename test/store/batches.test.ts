import { setTimeout as sleep } from 'node:timers/promises';
import { createConnection } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createBatcher } from '../../src/store/batcher.ts';
import { openStore } from '../../src/store/open.ts';
import { type LoginWrite, type Store, StoreError } from '../../src/store/store.ts';
import { databases, hasMysql, mysql } from '../support/databases.ts';
import { band, loginWrite, newOpenId } from '../support/login-write.ts';
import { createDatabase, findMariaDb, startMariaDb } from '../support/mariadb.ts';

const tooLong = { ...band, city: 'x'.repeat(129) };

/** Each login's outcome: the user, or the code of the error. */
async function outcomes(store: Store, logins: readonly LoginWrite[]) {
  const settled = await Promise.allSettled(logins.map((login) => store.saveLogin(login)));
  return settled.map((each) => (each.status === 'fulfilled' ? each.value : (each.reason as StoreError)));
}

describe.each(databases)('logins in one batch on $name', ({ createUrl, query }) => {
  let url: string;
  let store: Store;
  beforeAll(async () => {
    url = await createUrl();
    store = await openStore({ databaseUrl: url, timeoutMs: 10_000, poolSize: 10 });
    await store.migrate();
  });
  afterAll(() => store.close());

  test('the invalid rows of 256 logins fail and leave nothing behind, and the other rows are stored', async () => {
    const users = Array.from({ length: 64 }, () => newOpenId());
    const logins = Array.from({ length: 256 }, (_, index) =>
      loginWrite({
        openId: users[index % users.length] ?? '',
        key: `${index}`,
        at: 1000 + index,
        profile: index % 32 === 7 ? tooLong : band,
      }),
    );
    const results = await outcomes(store, logins);
    for (const [index, result] of results.entries()) {
      const login = logins[index];
      if (!login) throw new Error('no login');
      const found = await store.findSession(login.tokenHash);
      if (login.profile === tooLong) {
        expect(result).toMatchObject({ name: 'StoreError', kind: 'unexpected' });
        expect(found).toBeNull();
      } else {
        expect(result).toMatchObject({ ...band, openId: login.openId });
        expect(found?.session.openId).toBe(login.openId);
      }
    }
    // Index 7, 39, 71 … are poisoned: of those users the latest login that counts is the one before.
    for (const [index, openId] of users.entries()) {
      const last = [3, 2, 1, 0].map((round) => round * 64 + index).find((each) => each % 32 !== 7);
      if (last === undefined) expect(await store.findUser(openId)).toBeNull();
      else
        expect(await store.findUser(openId)).toMatchObject({ sessionKeyAt: 1000 + last, sessionKey: `v1.k1.${last}` });
    }
    const rows = await query(url, 'select open_id from gk_wx_session');
    expect(rows).toHaveLength(256 - 8);
  });

  test('logins of one user keep the key rule in any order of arrival', async () => {
    const openId = newOpenId();
    const times = [5, 1, 4, 2, 3];
    const logins = times.map((at) => loginWrite({ openId, key: `${at}`, at }));
    const results = await outcomes(store, logins);
    expect(await store.findUser(openId)).toMatchObject({ sessionKey: 'v1.k1.5', sessionKeyAt: 5, updatedAt: 5 });
    for (const result of results) expect(result).toMatchObject({ openId });
    const later = ['x', 'y', 'z'].map((key, index) => loginWrite({ openId, key, at: 10 + index }));
    await outcomes(store, later);
    expect(await store.findUser(openId)).toMatchObject({ sessionKey: 'v1.k1.z', prevSessionKey: 'v1.k1.y' });
  });

  test('sessions that are looked up together are not mixed up, and a revoked one is not found', async () => {
    const logins = Array.from({ length: 40 }, () => loginWrite());
    await outcomes(store, logins);
    const hashes = logins.map(({ tokenHash }) => tokenHash);
    const [revoked] = hashes;
    if (!revoked) throw new Error('no session');
    await store.deleteSession(revoked);
    const found = await Promise.all([...hashes, Buffer.alloc(32), ...hashes].map((hash) => store.findSession(hash)));
    const openIds = logins.map((login) => (login.tokenHash === revoked ? undefined : login.openId));
    expect(found.map((each) => each?.user.openId)).toEqual([...openIds, undefined, ...openIds]);
  });
});

describe.skipIf(!hasMysql)('a batch with a login whose row is locked', () => {
  test('the batch fails for that login alone', async () => {
    const url = await mysql.createUrl();
    const store = await openStore({ databaseUrl: url, timeoutMs: 2000, poolSize: 10 });
    onTestFinished(() => store.close());
    await store.migrate();
    const locked = loginWrite({ at: 1 });
    await store.saveLogin(locked);
    const holder = await createConnection(url);
    onTestFinished(() => holder.end());
    await holder.query('begin');
    await holder.query('select * from gk_wx_user where open_id = ? for update', [locked.openId]);
    const others = Array.from({ length: 20 }, () => loginWrite());
    const again = loginWrite({ openId: locked.openId, at: 2 });
    const results = await outcomes(store, [...others, again]);
    expect(results.at(-1)).toMatchObject({ name: 'StoreError', kind: 'unavailable' });
    expect(results.slice(0, -1)).toMatchObject(others.map(({ openId }) => ({ openId })));
  });

  test('a locked row fails no login of others, though that user logs in five times a second', async () => {
    const url = await mysql.createUrl();
    const store = await openStore({ databaseUrl: url, timeoutMs: 4000, poolSize: 10 });
    onTestFinished(() => store.close());
    await store.migrate();
    const locked = loginWrite({ at: 1 });
    await store.saveLogin(locked);
    const holder = await createConnection(url);
    onTestFinished(() => holder.end());
    await holder.query('begin');
    await holder.query('select * from gk_wx_user where open_id = ? for update', [locked.openId]);

    const ofOthers: Promise<unknown>[] = [];
    const ofLocked: Promise<unknown>[] = [];
    for (let tenth = 0; tenth < 50; tenth++) {
      if (tenth % 2 === 0) ofLocked.push(...started(store, [loginWrite({ openId: locked.openId, at: tenth + 2 })]));
      ofOthers.push(...started(store, [loginWrite(), loginWrite()]));
      await sleep(100);
    }
    const failed = (results: unknown[]) => results.filter((result) => result instanceof StoreError).length;
    expect(failed(await Promise.all(ofOthers))).toBe(0);
    expect(failed(await Promise.all(ofLocked))).toBe(ofLocked.length);
    await holder.query('rollback');
    await sleep(100);
    expect(failed(await outcomes(store, [loginWrite({ openId: locked.openId, at: 100 })]))).toBe(0);
  });
});

/** The logins under way, which never reject. */
function started(store: Store, logins: readonly LoginWrite[]): Promise<unknown>[] {
  return logins.map((login) => store.saveLogin(login).catch((error: unknown) => error));
}

const program = findMariaDb();
describe.skipIf(!program)('256 writers on a database that is killed', () => {
  test(
    '256 writers lose nothing acknowledged, and fail only while the database is away or for an invalid row',
    { timeout: 120_000 },
    async () => {
      const server = await startMariaDb(program ?? '');
      onTestFinished(() => server.remove());
      const store = await openStore({ databaseUrl: await createDatabase(server.url), timeoutMs: 5000, poolSize: 10 });
      onTestFinished(() => store.close());
      await store.migrate();
      const users = Array.from({ length: 100 }, () => newOpenId());
      const acknowledged: LoginWrite[] = [];
      const failures = new Map<string, number>();
      let isAway = false;
      let isOver = false;
      let wrong = 0;
      let at = 0;

      async function writer(index: number): Promise<void> {
        while (!isOver) {
          at += 1;
          const isPoisoned = index === 0;
          const began = isAway;
          const login = loginWrite({
            openId: users[at % users.length] ?? '',
            key: `${at}`,
            at,
            profile: isPoisoned ? tooLong : band,
          });
          const [result] = await outcomes(store, [login]);
          if (!(result instanceof StoreError)) {
            if (isPoisoned) wrong += 1;
            acknowledged.push(login);
            continue;
          }
          failures.set(result.kind, (failures.get(result.kind) ?? 0) + 1);
          const isOutage = result.kind === 'unavailable' && (began || isAway);
          if (!isOutage && !(isPoisoned && result.kind === 'unexpected')) wrong += 1;
          await sleep(20);
        }
      }

      const writers = Array.from({ length: 256 }, (_, index) => writer(index));
      for (let kill = 0; kill < 3; kill++) {
        const before = acknowledged.length;
        await expect.poll(() => acknowledged.length, { timeout: 30_000 }).toBeGreaterThan(before + 500);
        isAway = true;
        await server.kill();
        await server.restart();
        const afterRestart = acknowledged.length;
        await expect.poll(() => acknowledged.length, { timeout: 30_000 }).toBeGreaterThan(afterRestart);
        // What waited for the dead server may fail until its deadline.
        await sleep(5100);
        isAway = false;
      }
      isOver = true;
      await Promise.all(writers);

      expect(wrong).toBe(0);
      expect(failures.get('unexpected')).toBeGreaterThan(0);
      for (const { tokenHash, openId } of acknowledged) {
        expect((await store.findSession(tokenHash))?.user.openId).toBe(openId);
      }
      for (const openId of users) {
        const newest = Math.max(
          0,
          ...acknowledged.filter((login) => login.openId === openId).map(({ sessionKeyAt }) => sessionKeyAt),
        );
        expect((await store.findUser(openId))?.sessionKeyAt ?? 0).toBeGreaterThanOrEqual(newest);
      }
    },
  );
});

describe('a batcher', () => {
  test('a batcher sends a call at once when nothing is in flight, with those of the same turn of the event loop', async () => {
    const groups: number[][] = [];
    const call = createBatcher({
      runBatch: async (items: readonly number[]) => (groups.push([...items]), items),
      maxInFlight: 1,
      timeoutMs: 1000,
    });
    expect(await Promise.all([1, 2, 3].map(call))).toEqual([1, 2, 3]);
    expect(await call(4)).toBe(4);
    expect(groups).toEqual([[1, 2, 3], [4]]);
  });

  test('a batcher has at most 64 calls in a batch and 4 batches in flight', async () => {
    let underWay = 0;
    let most = 0;
    const sizes: number[] = [];
    const call = createBatcher({
      async runBatch(items: readonly number[]) {
        most = Math.max(most, ++underWay);
        sizes.push(items.length);
        await sleep(10);
        underWay -= 1;
        return items;
      },
      maxInFlight: 4,
      timeoutMs: 5000,
    });
    await Promise.all(Array.from({ length: 600 }, (_, index) => call(index)));
    expect(most).toBe(4);
    expect(Math.max(...sizes)).toBe(64);
  });

  test('a batcher sends a call past a batch that hangs, and each call has its own deadline', async () => {
    const call = createBatcher({
      runBatch: async (items: readonly string[]) =>
        items.includes('hangs') ? await new Promise<never>(() => {}) : items,
      maxInFlight: 2,
      timeoutMs: 200,
    });
    const hanging = expect(call('hangs')).rejects.toMatchObject({ kind: 'unavailable', code: 'TIMEOUT' });
    await sleep(5);
    expect(await call('well')).toBe('well');
    await hanging;
  });

  test('a batcher does not send a call that has expired', async () => {
    const made: string[] = [];
    let release = () => {};
    const gate = new Promise<void>((resolve) => (release = resolve));
    const call = createBatcher({
      async runBatch(items: readonly string[]) {
        made.push(...items);
        if (items.includes('first')) await gate;
        return items;
      },
      maxInFlight: 1,
      timeoutMs: 50,
    });
    const results = Promise.allSettled([call('first'), sleep(5).then(() => call('waits'))]);
    await results;
    release();
    await sleep(10);
    expect(made).toEqual(['first']);
  });
});
