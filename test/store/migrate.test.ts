import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { createClient } from '@libsql/client';
import { drizzle as drizzleSqlite } from 'drizzle-orm/libsql';
import { migrate as migrateAsDrizzleKitSqlite } from 'drizzle-orm/libsql/migrator';
import { drizzle as drizzleMysql } from 'drizzle-orm/mysql2';
import { migrate as migrateAsDrizzleKitMysql } from 'drizzle-orm/mysql2/migrator';
import { createPool } from 'mysql2/promise';
import { describe, expect, onTestFinished, test } from 'vitest';
import drizzleConfig from '../../drizzle.config.ts';
import { readMigrations } from '../../src/store/migrations.ts';
import { migrateMysql } from '../../src/store/mysql/migrate.ts';
import { openStore } from '../../src/store/open.ts';
import { migrateSqlite } from '../../src/store/sqlite/migrate.ts';
import { nodeArguments } from '../support/compiled.ts';
import { databases, hasMysql, mysql, type TestDatabase } from '../support/databases.ts';
import { loginWrite } from '../support/login-write.ts';
import { holdMigrationLease } from '../support/migration-lease.ts';
import { startMuteProxy } from '../support/mute-proxy.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** As drizzle-kit reads it from our drizzle.config.ts. */
const journaled = { migrationsTable: drizzleConfig.migrations?.table ?? '' };

async function open(databaseUrl: string) {
  const store = await openStore({ databaseUrl, timeoutMs: 2000, poolSize: 2 });
  onTestFinished(() => store.close());
  return store;
}

/** `guoke migrate` as a process of its own. */
const command = (databaseUrl: string) =>
  promisify(execFile)(process.execPath, [...nodeArguments('src/cli/guoke.ts'), 'migrate'], {
    cwd: root,
    env: { ...process.env, DATABASE_URL: databaseUrl },
  });

const tablesOf = ({ name, query }: TestDatabase, url: string) =>
  query(
    url,
    name === 'SQLite'
      ? `select name from sqlite_master where type = 'table' order by name`
      : 'select table_name as name from information_schema.tables where table_schema = database() order by table_name',
  ).then((rows) => rows.map((row) => row.name));

describe.each(databases)('migrations on $name', (database) => {
  const { name, createUrl, query } = database;
  const dialect = name === 'SQLite' ? 'sqlite' : 'mysql';
  const migrate = name === 'SQLite' ? migrateSqlite : migrateMysql;
  const journal = (url: string) => query(url, 'select hash, created_at from __guoke_migrations');

  test('eight migrations of an empty database at once all succeed, and one of them does the work', async () => {
    const url = await createUrl();
    await Promise.all(Array.from({ length: 8 }, async () => (await open(url)).migrate()));
    expect(await journal(url)).toHaveLength(readMigrations(dialect).length);
    await (await open(url)).saveLogin(loginWrite());
  });

  test('migrations by three processes at once say so in one line each and end well', async () => {
    const url = await createUrl();
    const runs = await Promise.all(Array.from({ length: 3 }, () => command(url)));
    for (const { stdout, stderr } of runs) expect([stdout, stderr]).toEqual(['The tables are up to date.\n', '']);
    await (await open(url)).saveLogin(loginWrite());
  });

  test('a migration of an up-to-date database changes nothing', async () => {
    const url = await createUrl();
    const login = loginWrite();
    await (await open(url)).migrate();
    await (await open(url)).saveLogin(login);
    const before = await database.dump(url);
    await (await open(url)).migrate();
    expect(await database.dump(url)).toBe(before);
  });

  test('a migration refuses a table of the same name that is not ours, each time, and leaves all as it was', async () => {
    const url = await createUrl();
    await (await open(url)).ping();
    await query(url, 'create table gk_wx_user (open_id varchar(64), nick_name varchar(20))');
    await query(url, `insert into gk_wx_user values ('o1', 'Band')`);
    for (let i = 0; i < 2; i++) {
      const refused = { name: 'StoreError', kind: 'unexpected', code: 'TABLE_IN_THE_WAY' };
      await expect((await open(url)).migrate()).rejects.toMatchObject(refused);
      await expect((await open(url)).migrate()).rejects.toThrow(/gk_wx_user/);
    }
    expect(await query(url, 'select * from gk_wx_user')).toEqual([{ open_id: 'o1', nick_name: 'Band' }]);
    expect(await tablesOf(database, url)).not.toContain('gk_wx_session');
    expect(await journal(url)).toEqual([]);
  });

  test('a migration that is interrupted half-way says where, and the next start continues', async () => {
    const [first, ...later] = readMigrations(dialect);
    if (!first) throw new Error('no migration');
    for (let done = 0; done <= first.statements.length; done++) {
      const url = await createUrl();
      const statements = [...first.statements.slice(0, done), 'hush nonsense'];
      const failure = await migrate({ databaseUrl: url, migrations: [{ ...first, statements }] }).catch(String);
      // SQLite leaves nothing half-way: there is no place to name.
      expect(failure).toMatch(name === 'SQLite' ? /unexpected/ : new RegExp(`statement ${done + 1} of ${done + 1}`));
      expect(failure).not.toContain('hush');
      await (await open(url)).migrate();
      await (await open(url)).saveLogin(loginWrite());
      expect(await journal(url)).toHaveLength(1 + later.length);
    }
  });

  test('our migrations and those of drizzle-kit take each other’s work for done', async () => {
    const [ours, theirs] = [await createUrl(), await createUrl()];
    await (await open(ours)).migrate();
    await (await open(theirs)).ping();
    for (const url of [ours, theirs]) {
      if (name === 'SQLite') {
        const client = createClient({ url });
        await migrateAsDrizzleKitSqlite(drizzleSqlite({ client }), {
          ...journaled,
          migrationsFolder: `${root}/drizzle/sqlite`,
        });
        client.close();
      } else {
        const client = createPool(url);
        // drizzle-kit makes tables of the server's default engine, and ours refuses those of MyISAM.
        client.pool.on('connection', (connection) => connection.query('set default_storage_engine = InnoDB'));
        await migrateAsDrizzleKitMysql(drizzleMysql({ client }), {
          ...journaled,
          migrationsFolder: `${root}/drizzle/mysql`,
        });
        await client.end();
      }
    }
    await (await open(theirs)).migrate();
    await (await open(theirs)).saveLogin(loginWrite());
    expect(await journal(theirs)).toEqual(await journal(ours));
  });

  const foreignJournal = 'create table __drizzle_migrations (id integer, hash varchar(64), created_at bigint)';

  test('a migration of a database that another Drizzle application has migrated makes our tables, and leaves its journal', async () => {
    const url = await createUrl();
    await (await open(url)).ping();
    await query(url, foreignJournal);
    await query(url, `insert into __drizzle_migrations values (1, 'theirs', ${Date.now() + 1e12})`);
    await (await open(url)).migrate();
    await (await open(url)).saveLogin(loginWrite());
    expect(await query(url, 'select hash from __drizzle_migrations')).toEqual([{ hash: 'theirs' }]);
    expect(await journal(url)).toHaveLength(readMigrations(dialect).length);
  });

  test('a migration carries over what version 0.1 wrote into the journal of all Drizzle applications, by hash and once', async () => {
    const url = await createUrl();
    await (await open(url)).migrate();
    const login = loginWrite();
    await (await open(url)).saveLogin(login);
    const rows = await journal(url);
    await query(url, 'drop table __guoke_migrations');
    await query(url, foreignJournal);
    await query(url, `insert into __drizzle_migrations values (1, 'theirs', 1)`);
    for (const { hash, created_at } of rows) {
      await query(url, `insert into __drizzle_migrations values (2, '${String(hash)}', ${String(created_at)})`);
    }
    const before = await query(url, 'select * from __drizzle_migrations');
    for (let i = 0; i < 2; i++) await (await open(url)).migrate();
    expect(await journal(url)).toEqual(rows);
    expect(await query(url, 'select * from __drizzle_migrations')).toEqual(before);
    expect(await (await open(url)).findSession(login.tokenHash)).not.toBeNull();
  });

  test('a migration whose journal is full and whose tables are gone fails as unavailable, and names them', async () => {
    const url = await createUrl();
    const store = await open(url);
    await expect(store.verifyTables()).rejects.toMatchObject({ kind: 'unavailable', code: 'TABLES_MISSING' });
    await store.migrate();
    await store.verifyTables();
    await query(url, 'drop table gk_wx_avatar');
    await expect(store.migrate()).rejects.toThrow(/TABLES_MISSING: there is no gk_wx_avatar: run guoke migrate/);
    await query(url, 'drop table gk_wx_session');
    await expect(store.verifyTables()).rejects.toThrow(/there is no gk_wx_session, gk_wx_avatar/);
  });

  test('a migration does nothing to a database that a newer version has migrated', async () => {
    const url = await createUrl();
    await (await open(url)).migrate();
    await query(url, `insert into __guoke_migrations (hash, created_at) values ('newer', ${Date.now() + 1e10})`);
    await (await open(url)).migrate();
    expect(await journal(url)).toHaveLength(readMigrations(dialect).length + 1);
  });
});

describe.skipIf(!hasMysql)('statements and leases of a migration on MySQL', () => {
  const [migration] = readMigrations('mysql');
  if (!migration) throw new Error('no migration');
  const cut = (statements: readonly string[]) => [{ ...migration, statements }];

  test('a statement that was carried out, and not recorded when the process was killed, counts as done', async () => {
    const untouched = await mysql.createUrl();
    await (await open(untouched)).migrate();
    const whole = await tablesOf(mysql, untouched);
    for (let at = 0; at < migration.statements.length; at++) {
      const url = await mysql.createUrl();
      const broken = cut([...migration.statements.slice(0, at), 'nonsense']);
      await migrateMysql({ databaseUrl: url, migrations: broken }).catch(() => {});
      await mysql.query(url, migration.statements[at] ?? '');
      await (await open(url)).migrate();
      await (await open(url)).saveLogin(loginWrite());
      expect(await tablesOf(mysql, url)).toEqual(whole);
    }
  });

  test('a later statement that finds its table there is refused all the same', async () => {
    const url = await mysql.createUrl();
    await migrateMysql({ databaseUrl: url, migrations: cut(['nonsense']) }).catch(() => {});
    await mysql.query(url, 'create table gk_wx_user (open_id int)');
    await expect((await open(url)).migrate()).rejects.toThrow(/statement 2 of 5; the next start continues there/);
  });

  test('a migration waits for another instance no longer than its deadline', async () => {
    const url = await mysql.createUrl();
    onTestFinished(await holdMigrationLease(url));
    await expect(migrateMysql({ databaseUrl: url, timeoutMs: 2000 })).rejects.toMatchObject({
      kind: 'unavailable',
      code: 'MIGRATION_LOCKED',
    });
  });

  test('a migration of an instance that died is taken over once its lease has run out', async () => {
    const url = await mysql.createUrl();
    onTestFinished(await holdMigrationLease(url));
    await mysql.query(url, 'update __guoke_lease set expires_at = utc_timestamp(3) + interval 1 second');
    await migrateMysql({ databaseUrl: url });
    await (await open(url)).saveLogin(loginWrite());
    expect(await mysql.query(url, 'select * from __guoke_lease')).toEqual([]);
  });

  test('a migration that takes longer than the lease keeps it all the same', async () => {
    const url = await mysql.createUrl();
    const migrating = migrateMysql({
      databaseUrl: url,
      migrations: [...cut(['do sleep(13)', ...migration.statements]), ...readMigrations('mysql').slice(1)],
    });
    await sleep(1000);
    // It waits for half of its time, a little longer than the lease.
    await expect(migrateMysql({ databaseUrl: url, timeoutMs: 22_000 })).rejects.toMatchObject({
      code: 'MIGRATION_LOCKED',
    });
    await migrating;
  });

  test.each([
    // Long enough for the renewal that is due every 2.5 s.
    ['first', ['do sleep(3.2)', ...migration.statements]],
    ['last', [...migration.statements, 'do sleep(3.2)']],
  ])(
    'a migration that lost its lease in its %s statement records nothing, and the next one continues',
    async (_, statements) => {
      const url = await mysql.createUrl();
      const migrating = migrateMysql({ databaseUrl: url, migrations: cut(statements) });
      await sleep(700);
      await mysql.query(url, `update __guoke_lease set owner = 'another', expires_at = utc_timestamp(3)`);
      await expect(migrating).rejects.toMatchObject({ kind: 'unavailable', code: 'MIGRATION_LOCKED' });
      // The lease of the other one ends when it ended: it is not renewed for it.
      const [lease] = await mysql.query(
        url,
        'select owner, expires_at <= utc_timestamp(3) as is_over from __guoke_lease',
      );
      expect(lease).toMatchObject({ owner: 'another', is_over: 1 });
      await migrateMysql({ databaseUrl: url });
      await (await open(url)).saveLogin(loginWrite());
    },
  );
});

describe.skipIf(!hasMysql)('a migration whose network falls silent after the handshake', () => {
  // The session's settings, the journal, the lease, the two tables of its own, and what it asks of them.
  test.each([1, 2, 3, 4, 5, 6, 7, 8])(
    'a migration silent from statement %i on fails as unavailable soon, and the next one succeeds',
    async (statement) => {
      const proxy = await startMuteProxy(await mysql.createUrl(), statement);
      onTestFinished(proxy.close);
      const begun = performance.now();
      const migrating = migrateMysql({ databaseUrl: proxy.url, statementMs: 300 });
      await expect(migrating).rejects.toMatchObject({ kind: 'unavailable', code: 'TIMEOUT' });
      expect(performance.now() - begun).toBeLessThan(5000);
      await migrateMysql({ databaseUrl: proxy.url });
      await (await open(proxy.url)).saveLogin(loginWrite());
    },
  );

  test('a migration silent in the midst of its work fails as unavailable when its deadline is over', async () => {
    const proxy = await startMuteProxy(await mysql.createUrl(), 15);
    onTestFinished(proxy.close);
    const migrating = migrateMysql({ databaseUrl: proxy.url, timeoutMs: 1000 });
    await expect(migrating).rejects.toMatchObject({ kind: 'unavailable', code: 'TIMEOUT' });
  });
});

test('guoke migrate that fails says why, shows no password and exits 1', async () => {
  const url = 'mysql://root:hush@127.0.0.1:1/guoke';
  const failure: unknown = await command(url).catch((error: unknown) => error);
  expect(failure).toMatchObject({
    code: 1,
    stderr: 'It failed: database unavailable: ECONNREFUSED\n',
  });
  expect(failure).not.toMatchObject({ stdout: expect.stringContaining('hush') as string });
  await expect(command('hush')).rejects.toMatchObject({
    code: 1,
    stderr: expect.not.stringContaining('hush') as string,
  });
});
