import { hash, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createLog } from '../../src/operations/log.ts';
import { openStore } from '../../src/store/open.ts';
import { StoreError, type Store } from '../../src/store/store.ts';
import { startSweeper } from '../../src/operations/sweeper.ts';
import { createAvatarSweep } from '../../src/user/avatars.ts';
import { databases } from '../support/databases.ts';
import { loginWrite } from '../support/login-write.ts';

const logged: string[] = [];
const log = createLog('trace', { write: (line) => logged.push(line) });
const at = 1_763_830_000_000;

describe.each(databases)('sweeping expired sessions on $name', ({ name, createUrl, query }) => {
  let databaseUrl: string;
  const stores: Store[] = [];
  beforeAll(async () => {
    databaseUrl = await createUrl();
    for (let i = 0; i < 2; i++) stores.push(await openStore({ databaseUrl, timeoutMs: 5000, poolSize: 4 }));
    await stores[0]?.migrate();
  });
  afterAll(() => Promise.all(stores.map((store) => store.close())));

  const storeOf = (index: number) => stores[index] ?? expect.unreachable();
  const count = async (where = '1 = 1') =>
    Number((await query(databaseUrl, `select count(*) as n from gk_wx_session where ${where}`))[0]?.n);
  const insert = async (rows: number, expiresAt: number) => {
    const literal = name === 'SQLite' ? (hex: string) => `x'${hex}'` : (hex: string) => `0x${hex}`;
    const values = Array.from(
      { length: rows },
      () => `(${literal(randomBytes(32).toString('hex'))}, 'oSWEPT', 1, ${expiresAt}, 1)`,
    );
    await query(
      databaseUrl,
      `insert into gk_wx_session (token_hash, open_id, created_at, expires_at, last_used_at) values ${values.join(',')}`,
    );
  };

  test('a sweep takes at most the given number of rows, only expired ones, and none that is valid', async () => {
    await insert(3, at - 1);
    await insert(3, at);
    await insert(3, at + 1);
    expect(await storeOf(0).deleteExpiredSessions(at, 2)).toBe(2);
    expect(await count(`expires_at < ${at}`)).toBe(1);
    expect(await storeOf(0).deleteExpiredSessions(at, 100)).toBe(4);
    expect(await storeOf(0).deleteExpiredSessions(at, 100)).toBe(0);
    expect(await count()).toBe(3);
  });

  test('a sweep uses the index on expires_at', async () => {
    const statement =
      name === 'SQLite'
        ? `explain query plan select token_hash from gk_wx_session where expires_at <= ${at} order by expires_at limit 500`
        : `explain delete from gk_wx_session where expires_at <= ${at} order by expires_at limit 500`;
    expect(JSON.stringify(await query(databaseUrl, statement))).toContain('gk_wx_session_expires_at');
  });

  test('a sweep of 5,000 rows proceeds in batches from two instances at once while logins go on, and none fails', async () => {
    await insert(5000, at - 5);
    const kept = loginWrite({ expiresAt: at + 1000 });
    await storeOf(0).saveLogin(kept);
    const batches: number[] = [];
    const sweepers = [0, 1].map((index) =>
      startSweeper({
        sweeps: [
          async (now, limit) => {
            const deleted = await storeOf(index).deleteExpiredSessions(now, limit);
            batches.push(deleted);
            return { deleted, hasMore: deleted === limit };
          },
        ],
        log,
        now: () => at,
        intervalMs: 20,
        restMs: 10,
      }),
    );
    const waits: number[] = [];
    const deadline = performance.now() + 10_000;
    while ((await count(`expires_at <= ${at}`)) > 0 && performance.now() < deadline) {
      const startedAt = performance.now();
      await storeOf(waits.length % 2).saveLogin(loginWrite({ expiresAt: at + 1000 }));
      waits.push(performance.now() - startedAt);
    }
    await Promise.all(sweepers.map((sweeper) => sweeper.close()));
    expect(await count(`expires_at <= ${at}`)).toBe(0);
    expect(Math.max(...batches)).toBeLessThanOrEqual(500);
    expect(batches.reduce((sum, each) => sum + each, 0)).toBe(5000);
    expect(await storeOf(0).findSession(kept.tokenHash)).not.toBeNull();
    expect(await count(`expires_at = ${at + 1000}`)).toBe(waits.length + 1);
    expect(logged.filter((line) => line.includes('sweeping stopped'))).toEqual([]);
    console.log(`${name}: ${waits.length} logins meanwhile, the slowest ${Math.max(...waits).toFixed(0)} ms`);
    expect(Math.max(...waits)).toBeLessThan(4000);
  });
});

describe.each(databases)('sweeping avatars on $name', ({ name, createUrl, query }) => {
  test('a sweep goes on past an avatar in use: all unused avatars are gone within two rounds', async () => {
    const databaseUrl = await createUrl();
    const store = await openStore({ databaseUrl, timeoutMs: 5000, poolSize: 2 });
    onTestFinished(() => store.close());
    await store.migrate();
    for (let i = 0; i < 10; i++) {
      const { openId } = await store.saveLogin(loginWrite());
      const bytes = randomBytes(40);
      await store.updateUser({ openId }, { avatar: { hash: hash('sha256', bytes, 'buffer'), bytes } }, 1);
    }
    const literal = (hex: string) => (name === 'SQLite' ? `x'${hex}'` : `0x${hex}`);
    const values = Array.from(
      { length: 3000 },
      () => `(${literal(randomBytes(32).toString('hex'))}, ${literal('00')}, 1)`,
    );
    await query(databaseUrl, `insert into gk_wx_avatar (hash, bytes, created_at) values ${values.join(',')}`);
    const count = async () => Number((await query(databaseUrl, 'select count(*) as n from gk_wx_avatar'))[0]?.n);

    const rounds: string[] = [];
    const sweeper = startSweeper({
      sweeps: [createAvatarSweep(store, { graceMs: 1 })],
      log: createLog('info', { write: (line) => rounds.push(line) }),
      now: () => at,
      intervalMs: 200,
      restMs: 1,
    });
    await expect.poll(count).toBe(10);
    await sweeper.close();
    // A sweeper begins at a random place: its first round may take only the rows behind that place.
    expect(rounds.length).toBeLessThanOrEqual(2);
  });
});

describe('a sweeper', () => {
  test('a sweeper outlives a database that is away, and goes on when it is back', async () => {
    let calls = 0;
    const sweeper = startSweeper({
      sweeps: [
        async () => {
          if (++calls < 3) throw new StoreError('unavailable', 'ECONNREFUSED');
          return { deleted: 0, hasMore: false };
        },
      ],
      log,
      intervalMs: 5,
      restMs: 0,
    });
    for (let i = 0; i < 100 && calls < 4; i++) await sleep(10);
    await sweeper.close();
    expect(calls).toBeGreaterThan(3);
    expect(logged.join()).toContain('ECONNREFUSED');
  });

  test('a sweeper does not move in step with others, and stops when told to, between two batches', async () => {
    const startedAt = performance.now();
    const firsts = await Promise.all(
      [0, 1].map(
        (random) =>
          new Promise<number>((resolve) => {
            const sweeper = startSweeper({
              sweeps: [
                async () => {
                  resolve(performance.now() - startedAt);
                  void sweeper.close();
                  return { deleted: 500, hasMore: true };
                },
              ],
              log,
              intervalMs: 100,
              restMs: 0,
              random: () => random,
            });
          }),
      ),
    );
    expect(firsts[0]).toBeLessThan(firsts[1] ?? 0);
    const idle = startSweeper({ sweeps: [() => expect.unreachable()], log, intervalMs: 60_000 });
    await idle.close();
  });
});
