import { execFile } from 'node:child_process';
import { stat, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { inspect, promisify } from 'node:util';
import { createClient } from '@libsql/client';
import { sql } from 'drizzle-orm';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { openStore } from '../../src/store/open.ts';
import { createConnection } from '../../src/store/sqlite/connection.ts';
import { StoreError } from '../../src/store/store.ts';
import { nodeArguments } from '../support/compiled.ts';
import { sqlite } from '../support/databases.ts';
import { band, loginWrite } from '../support/login-write.ts';

async function openMigrated(timeoutMs = 2000) {
  const url = await sqlite.createUrl();
  const store = await openStore({ databaseUrl: url, timeoutMs, poolSize: 1 });
  onTestFinished(() => store.close());
  await store.migrate();
  return { url, store };
}

describe('SQLite in trouble', () => {
  test('a new database has its directory and its files for their owner alone', async () => {
    const { url, store } = await openMigrated();
    await store.saveLogin(loginWrite());
    const file = url.slice('file:'.length);
    for (const suffix of ['', '-wal', '-shm']) expect((await stat(file + suffix)).mode & 0o777).toBe(0o600);
    expect((await stat(file.replace(/\/[^/]*$/, ''))).mode & 0o777).toBe(0o700);
  });

  test('a path may have spaces, percents and Chinese characters', async () => {
    const url = `file:${inject('scratch')}/${crypto.randomUUID()} 果壳%20?#/a b.db`;
    const store = await openStore({ databaseUrl: url, timeoutMs: 1000, poolSize: 1 });
    await store.ping();
    await store.close();
    expect((await stat(url.slice('file:'.length))).isFile()).toBe(true);
  });

  test('a connection keeps its settings after a batch, and after a failed one too', async () => {
    const connection = createConnection({ databaseUrl: await sqlite.createUrl(), timeoutMs: 1000 });
    onTestFinished(() => connection.close());
    const db = await connection.lend(async (lent) => lent);
    const settings = async () => {
      const values = [];
      for (const name of ['journal_mode', 'synchronous', 'busy_timeout']) {
        values.push(Object.values((await db.get<object>(sql.raw(`pragma ${name}`))) ?? {})[0]);
      }
      return values;
    };
    const kept = ['wal', 2, 50];
    expect(await settings()).toEqual(kept);
    await db.batch([db.run(sql`create table t (a)`), db.run(sql`insert into t values (1)`)]);
    expect(await settings()).toEqual(kept);
    await expect(db.batch([db.run(sql`insert into t values (2)`), db.run(sql`nonsense`)])).rejects.toThrow();
    expect(await settings()).toEqual(kept);
    expect(await db.all(sql`select a from t`)).toEqual([{ a: 1 }]);
  });

  test('the event loop turns between long pieces of queued work', async () => {
    const connection = createConnection({ databaseUrl: await sqlite.createUrl(), timeoutMs: 10_000 });
    onTestFinished(() => connection.close());
    // Opened, so that what follows waits for nothing but its turn.
    await connection.lend(async () => {});
    const seen: string[] = [];
    const work = () =>
      connection.lend(async () => {
        const startedAt = performance.now();
        while (performance.now() - startedAt < 10);
        seen.push('work');
      });
    const all = Promise.all([work(), work(), work()]);
    const countTurns = () => {
      seen.push('turn');
      if (seen.length < 5) setImmediate(countTurns);
    };
    setImmediate(countTurns);
    await all;
    expect(seen.slice(0, 5)).toEqual(['work', 'turn', 'work', 'turn', 'work']);
  });

  test('a batch takes the write lock at its beginning, even if it reads first, and as soon as the lock is free', async () => {
    const { url } = await openMigrated();
    const connection = createConnection({ databaseUrl: url, timeoutMs: 10 });
    onTestFinished(() => connection.close());
    const rival = createClient({ url });
    const lock = await rival.transaction('write');
    const read = () => connection.lend((db) => db.batch([db.run(sql`select 1`)]));
    await expect(read()).rejects.toMatchObject({ code: 'SQLITE_BUSY' });
    await lock.rollback();
    rival.close();
    await read();
  });

  test('a call waits for the lock of another process without blocking ours, and gives up at the deadline', async () => {
    const { url, store } = await openMigrated(400);
    const rival = createClient({ url });
    const lock = await rival.transaction('write');
    let turns = 0;
    const ticking = setInterval(() => turns++, 5);
    const start = performance.now();
    const login = loginWrite();
    const busy = { kind: 'unavailable', code: expect.stringMatching(/SQLITE_BUSY|TIMEOUT/) as string };
    await expect(store.saveLogin(login)).rejects.toMatchObject(busy);
    await expect(store.deleteSession(login.tokenHash)).rejects.toMatchObject(busy);
    expect(performance.now() - start).toBeLessThan(5000);
    clearInterval(ticking);
    expect(turns).toBeGreaterThan(10);

    const waiting = store.saveLogin(login);
    await sleep(100);
    await lock.rollback();
    expect(await waiting).toMatchObject({ openId: login.openId });
    rival.close();
  });

  test('a file that several processes use from its creation on loses nothing and stays whole', async () => {
    const url = await sqlite.createUrl();
    const save = () =>
      promisify(execFile)(process.execPath, [...nodeArguments('test/support/save-logins.ts'), url, '100']);
    const runs = await Promise.all([save(), save(), save()]);
    expect(runs.map(({ stdout }) => stdout)).toEqual(['100', '100', '100']);
    expect(await sqlite.query(url, 'pragma integrity_check')).toEqual([{ integrity_check: 'ok' }]);
    expect(await sqlite.query(url, 'select count(*) as n from gk_wx_session')).toEqual([{ n: 300 }]);
  });

  test('a path that cannot be opened makes each call unavailable, and calls succeed once it can', async () => {
    const blocked = `${inject('scratch')}/${crypto.randomUUID()}`;
    await writeFile(blocked, '');
    const store = await openStore({ databaseUrl: `file:${blocked}/guoke.db`, timeoutMs: 500, poolSize: 1 });
    for (let i = 0; i < 2; i++) await expect(store.ping()).rejects.toMatchObject({ kind: 'unavailable' });
    await store.close();
    const missing = await openStore({ databaseUrl: await sqlite.createUrl(), timeoutMs: 500, poolSize: 1 });
    await expect(missing.saveLogin(loginWrite())).rejects.toMatchObject({ kind: 'unavailable', code: 'NO_SUCH_TABLE' });
    await missing.migrate();
    await missing.saveLogin(loginWrite());
    await missing.close();
  });

  test('an error holds no value of the statement, nor the statement', async () => {
    const { store } = await openMigrated();
    const taken = loginWrite({ key: 'hush' });
    await store.saveLogin(taken);
    for (const login of [taken, loginWrite({ profile: { ...band, nickName: 'hush'.repeat(300) } })]) {
      const error: unknown = await store.saveLogin(login).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(StoreError);
      expect(error).toMatchObject({ kind: 'unexpected', code: 'SQLITE_CONSTRAINT' });
      expect(error).not.toHaveProperty('cause');
      const text = inspect(error, { depth: null, showHidden: true });
      for (const value of ['hush', login.openId, 'insert', 'gk_wx']) expect(text).not.toContain(value);
    }
  });

  test('a closed store is unavailable, and closing it twice is harmless', async () => {
    const { store } = await openMigrated();
    await Promise.all([store.close(), store.close()]);
    await expect(store.ping()).rejects.toMatchObject({ kind: 'unavailable', code: 'CLIENT_CLOSED' });
  });

  test('a URL of another kind is refused and not shown', async () => {
    const open = () => openStore({ databaseUrl: 'postgres://root:hush@host/db', timeoutMs: 1000, poolSize: 1 });
    const refusal = await open().catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(StoreError);
    expect(String(refusal)).not.toMatch(/hush/);
  });
});
