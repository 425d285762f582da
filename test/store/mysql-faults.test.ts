import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import { sql } from 'drizzle-orm';
import { createConnection } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { sever, socketOf } from '../../src/store/mysql/connection.ts';
import { openPool } from '../../src/store/mysql/pool.ts';
import { openStore } from '../../src/store/open.ts';
import { type Store, StoreError } from '../../src/store/store.ts';
import { hasMysql, isTidb, mysql } from '../support/databases.ts';
import { band, loginWrite } from '../support/login-write.ts';
import { createDatabase, findMariaDb, startMariaDb } from '../support/mariadb.ts';
import { startTcpProxy } from '../../lab/faults/tcp-proxy.ts';

/** In milliseconds: what waits for ever without a deadline, or for MySQL's own of a minute, is in time by that. */
const soon = 3000;

/** How a call failed, and after how many milliseconds. */
async function failureOf(call: Promise<unknown>) {
  const start = performance.now();
  const error = await call.then(
    () => null,
    (reason: unknown) => reason,
  );
  return { error, afterMs: performance.now() - start };
}

describe.skipIf(!hasMysql)('MySQL in trouble', () => {
  let url: string;
  let store: Store;
  beforeAll(async () => {
    url = await mysql.createUrl();
    store = await openStore({ databaseUrl: url, timeoutMs: 2000, poolSize: 3 });
    await store.migrate();
  });
  afterAll(() => store.close());

  async function behindProxy(timeoutMs: number, poolSize = 3) {
    const proxy = await startTcpProxy(Number(new URL(url).port || 3306));
    const proxied = new URL(url);
    proxied.hostname = '127.0.0.1';
    proxied.port = String(proxy.port);
    const reached = await openStore({ databaseUrl: proxied.href, timeoutMs, poolSize });
    onTestFinished(async () => {
      await reached.close();
      await proxy.close();
    });
    return { proxy, reached };
  }

  test('a server that is not there makes a call unavailable at once', async () => {
    const nowhere = await openStore({
      databaseUrl: 'mysql://root:hush@127.0.0.1:1/guoke',
      timeoutMs: 1000,
      poolSize: 2,
    });
    const { error, afterMs } = await failureOf(nowhere.ping());
    expect(error).toMatchObject({ name: 'StoreError', kind: 'unavailable', code: 'ECONNREFUSED' });
    expect(afterMs).toBeLessThan(soon);
    await nowhere.close();
  });

  test('a server that accepts and never answers makes a call unavailable within the deadline, and queued calls too', async () => {
    const { proxy, reached } = await behindProxy(400);
    await proxy.turn({ kind: 'blackHole' });
    const failures = await Promise.all(Array.from({ length: 12 }, () => failureOf(reached.saveLogin(loginWrite()))));
    for (const { error, afterMs } of failures) {
      expect(error).toMatchObject({ name: 'StoreError', kind: 'unavailable' });
      expect(afterMs).toBeLessThan(soon);
    }
  });

  test('a server that falls silent and comes back, ten times, delays no call past its deadline, and leaves the pool whole', async () => {
    const { proxy, reached } = await behindProxy(500);
    for (let cycle = 0; cycle < 10; cycle++) {
      await Promise.all(Array.from({ length: 6 }, () => reached.ping()));
      await proxy.turn({ kind: 'blackHole' });
      const failures = await Promise.all(Array.from({ length: 6 }, () => failureOf(reached.saveLogin(loginWrite()))));
      for (const { error, afterMs } of failures) {
        expect(error).toMatchObject({ kind: 'unavailable' });
        expect(afterMs).toBeLessThan(soon);
      }
      await proxy.turn({ kind: 'pass' });
      await expect.poll(() => reached.ping().then(() => 'well', String)).toBe('well');
    }
    await Promise.all(Array.from({ length: 6 }, () => reached.saveLogin(loginWrite())));
    expect(proxy.connections()).toBeLessThanOrEqual(3);
  });

  test('connections cut by the server are replaced', async () => {
    const { reached } = await behindProxy(2000);
    await Promise.all(Array.from({ length: 3 }, () => reached.ping()));
    const database = new URL(url).pathname.slice(1);
    const connections = await mysql.query(
      url,
      `select id from information_schema.processlist where db = '${database}' and id <> connection_id()`,
    );
    expect(connections.length).toBeGreaterThanOrEqual(3);
    for (const { id } of connections) await mysql.query(url, `kill ${String(id)}`);
    await expect.poll(() => reached.ping().then(() => 'well', String)).toBe('well');
    await Promise.all(Array.from({ length: 6 }, () => reached.saveLogin(loginWrite())));
  });

  test('a call for a row that another transaction locks is unavailable within the deadline, and nothing stays locked or written', async () => {
    const { reached } = await behindProxy(300);
    const login = loginWrite({ at: 1 });
    await store.saveLogin(login);
    const holder = await createConnection(url);
    await holder.query('begin');
    await holder.query('select * from gk_wx_user where open_id = ? for update', [login.openId]);
    const late = loginWrite({ openId: login.openId, at: 2, key: 'late' });
    const { error, afterMs } = await failureOf(reached.saveLogin(late));
    expect(error).toMatchObject({ kind: 'unavailable' });
    expect(afterMs).toBeLessThan(soon);
    await holder.query('rollback');
    await holder.end();
    expect(await reached.saveLogin(loginWrite({ openId: login.openId, at: 3, key: 'next' }))).toMatchObject({
      sessionKey: 'v1.k1.next',
    });
    expect(await store.findSession(late.tokenHash)).toBeNull();
  });

  test('a login that changes nothing of a user whom another transaction has just made gets that user', async () => {
    const login = loginWrite();
    const rival = await createConnection(url);
    onTestFinished(() => rival.end());
    await rival.query('begin');
    await rival.query('insert into gk_wx_user (open_id, app_id, session_key_at, created_at, updated_at) values ?', [
      [[login.openId, login.appId, login.now + 1, login.now, login.now + 1]],
    ]);
    const saving = store.saveLogin(login);
    await sleep(300);
    await rival.query('commit');
    expect(await saving).toMatchObject({ openId: login.openId, sessionKey: null, updatedAt: login.now + 1 });
  });

  test.skipIf(isTidb)('a write that meets TiDB’s error without a number is repeated once', async () => {
    const database = await mysql.createUrl();
    const own = await openStore({ databaseUrl: database, timeoutMs: 2000, poolSize: 1 });
    onTestFinished(() => own.close());
    await own.migrate();
    // A table of MyISAM keeps its row when the transaction is rolled back.
    await mysql.query(database, 'create table tries (n int) engine = MyISAM');
    await mysql.query(
      database,
      `create trigger fails_once before insert on gk_wx_session for each row begin
        insert into tries values (1);
        if (select count(*) from tries) = 1 then signal sqlstate 'HY000' set mysql_errno = 1105; end if;
      end`,
    );
    const login = loginWrite();
    expect(await own.saveLogin(login)).toMatchObject({ openId: login.openId });
    expect(await mysql.query(database, 'select * from tries')).toHaveLength(2);
  });

  test.skipIf(isTidb)('a write that meets a deadlock is repeated, and its caller sees no error', async () => {
    const login = loginWrite();
    const patient = await openStore({ databaseUrl: url, timeoutMs: 10_000, poolSize: 1 });
    onTestFinished(() => patient.close());
    const rival = await createConnection(url);
    onTestFinished(() => rival.end());
    const deadlocks = async () =>
      Number(
        (await mysql.query(url, `select count from information_schema.innodb_metrics where name = 'lock_deadlocks'`))[0]
          ?.count,
      );
    const before = await deadlocks();
    await rival.query('begin');
    // Many rows make the rival the heavier one: InnoDB gives up the lighter.
    const rows = Array.from({ length: 50 }, () => [loginWrite().tokenHash, 'o', 1, 1, 1]);
    await rival.query('insert into gk_wx_session values ?', [[...rows, [login.tokenHash, 'o', 1, 1, 1]]]);
    const saving = patient.saveLogin(login);
    // InnoDB refreshes this table only after it has not been read for 0.1 s.
    await expect
      .poll(() => mysql.query(url, `select 1 from information_schema.innodb_trx where trx_state = 'LOCK WAIT'`), {
        interval: 150,
      })
      .not.toEqual([]);
    await rival.query('update gk_wx_user set stu_id = 1 where open_id = ?', [login.openId]);
    await rival.query('rollback');
    expect(await saving).toMatchObject({ openId: login.openId });
    expect(await store.findSession(login.tokenHash)).toMatchObject({ session: { openId: login.openId } });
    expect((await deadlocks()) - before).toBeGreaterThan(0);
  });

  test('a connection that is ready after its callers gave up goes back to the pool', async () => {
    const pool = openPool({ databaseUrl: url, timeoutMs: 150, poolSize: 1 });
    onTestFinished(() => pool.close());
    // Both give up at once: what the first one held is destroyed, and its place goes to the second.
    const never = () => pool.lend(() => new Promise<void>(() => {}));
    for (const { error } of await Promise.all([failureOf(never()), failureOf(never())])) {
      expect(error).toMatchObject({ kind: 'unavailable', code: 'TIMEOUT' });
    }
    await expect.poll(() => pool.lend(async () => 'well').catch(String)).toBe('well');
  });

  test('a connection that is given up leaves no socket behind', async () => {
    const connection = await createConnection(url);
    sever(connection);
    expect(socketOf(connection)?.destroyed).toBe(true);
  });

  test('a queue for connections holds no more callers than its bound', async () => {
    const pool = openPool({ databaseUrl: url, timeoutMs: 2000, poolSize: 1, queueLimit: 2 });
    let open = () => {};
    const gate = new Promise<void>((resolve) => (open = resolve));
    const held = [1, 2, 3].map(() => pool.lend(() => gate));
    await expect(pool.lend(() => gate)).rejects.toMatchObject({ kind: 'unavailable', code: 'POOL_FULL' });
    open();
    await Promise.all(held);
    await pool.close();
  });

  test('an error holds no value of the statement, nor the statement', async () => {
    const login = loginWrite({ profile: { ...band, nickName: 'hush'.repeat(300) } });
    const taken = loginWrite({ key: 'hush' });
    await store.saveLogin(taken);
    for (const [write, code] of [
      [login, 'ER_DATA_TOO_LONG'],
      [taken, 'ER_DUP_ENTRY'],
    ] as const) {
      const { error } = await failureOf(store.saveLogin(write));
      expect(error).toBeInstanceOf(StoreError);
      expect(error).toMatchObject({ kind: 'unexpected', code });
      const { stack: _, ...shown } = Object.getOwnPropertyDescriptors(error);
      expect(Object.keys(shown).toSorted()).toEqual(['code', 'errno', 'explanation', 'kind', 'message', 'name']);
      const text = inspect(error, { depth: null, showHidden: true });
      for (const value of ['hush', write.openId, 'insert', 'gk_wx']) expect(text).not.toContain(value);
    }
  });

  test.each([
    'mysql://',
    'mysql://root:hush@',
    'mysql://root:hush@[broken/x',
    'mysql://root:hush@host/db?multipleStatements=true',
  ])('an invalid URL is refused and not shown: %s', async (databaseUrl) => {
    const open = () => openStore({ databaseUrl, timeoutMs: 1000, poolSize: 1 });
    const refusal = await open().catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(StoreError);
    expect(String(refusal)).not.toMatch(/hush|broken|multiple/);
  });

  test('a closed store is unavailable, and closing it twice is harmless', async () => {
    const closing = await openStore({ databaseUrl: url, timeoutMs: 1000, poolSize: 2 });
    await closing.ping();
    await Promise.all([closing.close(), closing.close()]);
    await closing.close();
    await expect(closing.ping()).rejects.toMatchObject({ kind: 'unavailable', code: 'POOL_CLOSED' });
  });

  test('closing does not wait for ever for a server that is silent', async () => {
    const { proxy, reached } = await behindProxy(200);
    await reached.ping();
    await proxy.turn({ kind: 'blackHole' });
    expect((await failureOf(reached.close())).afterMs).toBeLessThan(soon);
  });

  test('a closed store leaves no socket, not even to a server that hears the goodbye and never hangs up', async () => {
    let isSilent = false;
    const silent = createServer({ allowHalfOpen: true }, (client) => {
      const target = connect(Number(new URL(url).port), '127.0.0.1').on('error', () => {});
      client.on('error', () => {}).on('data', (bytes) => isSilent || target.write(bytes));
      target.on('data', (bytes) => isSilent || client.write(bytes));
      onTestFinished(() => void [client, target].map((socket) => socket.destroy()));
    }).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    onTestFinished(() => void silent.close());
    const { port } = silent.address() as { port: number };
    const database = new URL(url).pathname;
    const pool = openPool({ databaseUrl: `mysql://root@127.0.0.1:${port}${database}`, timeoutMs: 300, poolSize: 2 });
    const sockets: Socket[] = [];
    const note = (message: unknown) => void sockets.push((message as { socket: Socket }).socket);
    subscribe('net.client.socket', note);
    onTestFinished(() => void unsubscribe('net.client.socket', note));
    await Promise.all([1, 2].map(() => pool.lend((db) => db.execute(sql`select sleep(0.1)`))));
    const ours = sockets.filter(({ remotePort }) => remotePort === port);
    expect(ours.map(({ destroyed }) => destroyed)).toEqual([false, false]);
    isSilent = true;
    await pool.close();
    expect(ours.map(({ destroyed }) => destroyed)).toEqual([true, true]);
  });

  test.skipIf(isTidb).each([1105, 8022, 8028, 9001, 9002, 9003, 9004, 9005, 9007])(
    'TiDB’s transient error %i makes a call unavailable',
    async (errno) => {
      const pool = openPool({ databaseUrl: url, timeoutMs: 2000, poolSize: 1 });
      onTestFinished(() => pool.close());
      const signal = sql.raw(`signal sqlstate 'HY000' set mysql_errno = ${errno}`);
      await expect(pool.lend((db) => db.execute(signal))).rejects.toMatchObject({ kind: 'unavailable', errno });
      await expect(pool.lend((db) => db.execute(sql`select 1`))).resolves.toBeDefined();
    },
  );

  test('a mistake of ours in calling Node is unexpected, and not told as a database that is away', async () => {
    const pool = openPool({ databaseUrl: url, timeoutMs: 2000, poolSize: 1 });
    onTestFinished(() => pool.close());
    const mistake = async () => Buffer.alloc('1' as unknown as number);
    const refused = { kind: 'unexpected', code: 'ERR_INVALID_ARG_TYPE' };
    await expect(pool.lend(mistake)).rejects.toMatchObject(refused);
  });

  test('a connection is strict, in UTC and of utf8mb4, whatever the server’s settings', async () => {
    const pool = openPool({ databaseUrl: url, timeoutMs: 2000, poolSize: 1 });
    const settings = 'select @@time_zone as zone, @@sql_mode as mode, @@character_set_connection as charset';
    const [[row]] = await pool.lend(async (db) => (await db.execute(settings)) as unknown as [[object]]);
    expect(row).toEqual({ zone: '+00:00', mode: 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', charset: 'utf8mb4' });
    await pool.close();
  });

  const program = findMariaDb();
  test.skipIf(!program)(
    'a server that is killed and started again makes calls unavailable meanwhile, then serves, and has every login',
    async () => {
      const server = await startMariaDb(program ?? '');
      onTestFinished(() => server.remove());
      const reached = await openStore({ databaseUrl: await createDatabase(server.url), timeoutMs: 1000, poolSize: 4 });
      onTestFinished(() => reached.close());
      await reached.migrate();
      const saved: Buffer[] = [];
      let over = false;
      const failures: unknown[] = [];
      const workers = Array.from({ length: 8 }, async () => {
        while (!over) {
          const login = loginWrite();
          const { error } = await failureOf(reached.saveLogin(login));
          if (error) failures.push(error);
          else saved.push(login.tokenHash);
          if (error) await new Promise((resolve) => setTimeout(resolve, 5));
        }
      });
      await expect.poll(() => saved.length).toBeGreaterThan(50);
      await server.kill();
      expect(await failureOf(reached.ping())).toMatchObject({ error: { kind: 'unavailable' } });
      await server.restart();
      const before = saved.length;
      await expect.poll(() => saved.length, { timeout: 2000 }).toBeGreaterThan(before);
      over = true;
      await Promise.all(workers);
      expect(new Set(failures.map((error) => (error instanceof StoreError ? error.kind : error)))).toEqual(
        new Set(['unavailable']),
      );
      for (const tokenHash of saved) expect(await reached.findSession(tokenHash)).not.toBeNull();
    },
  );
});
