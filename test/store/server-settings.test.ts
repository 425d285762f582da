import { createConnection } from 'mysql2/promise';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openStore } from '../../src/store/open.ts';
import { isTidb, mysql } from '../support/databases.ts';
import { loginWrite, noProfile } from '../support/login-write.ts';
import { findMariaDb, startMariaDb } from '../support/mariadb.ts';

const program = findMariaDb();

const withoutHandshake = ['--skip-character-set-client-handshake'];

/** What servers are found with, by their administrators' or their distributions' choice. */
const servers: [string, string[]][] = [
  [
    'utf8 whatever the client says, no autocommit, READ UNCOMMITTED',
    [
      ...withoutHandshake,
      '--character-set-server=utf8mb3',
      '--autocommit=0',
      '--transaction-isolation=READ-UNCOMMITTED',
    ],
  ],
  [
    'latin1 whatever the client says, MyISAM, SERIALIZABLE, table names in lower case',
    [
      ...withoutHandshake,
      '--character-set-server=latin1',
      '--default-storage-engine=MyISAM',
      '--transaction-isolation=SERIALIZABLE',
      '--lower-case-table-names=1',
    ],
  ],
  [
    'gbk, no autocommit, safe updates and few rows at each connection, a time zone of its own',
    [
      '--init-connect=SET NAMES gbk, autocommit=0, sql_safe_updates=1, sql_select_limit=1',
      '--default-time-zone=+08:00',
    ],
  ],
  [
    'utf8 at each connection, ANSI quotes and no backslash escapes, READ COMMITTED',
    [
      '--init-connect=SET NAMES utf8mb3',
      '--sql-mode=ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT',
      '--transaction-isolation=READ-COMMITTED',
    ],
  ],
  ['no strict mode, a binary log of statements', ['--sql-mode=', '--log-bin', '--binlog-format=STATEMENT']],
];

/** A server with these settings, and an account without administrator rights: init_connect is not run for administrators. */
async function startServer(settings: readonly string[]) {
  const server = await startMariaDb(program ?? '', { settings, hasAccounts: true });
  onTestFinished(() => server.remove());
  const administrator = await createConnection(`${server.url}/`);
  onTestFinished(() => administrator.end());
  await administrator.query('create database guoke');
  await administrator.query(`create user guoke@'%' identified by 'hush'`);
  await administrator.query('grant all on guoke.* to guoke');
  await administrator.query('use guoke');
  const url = new URL(`${server.url}/guoke`);
  [url.username, url.password] = ['guoke', 'hush'];
  const open = async () => {
    const store = await openStore({ databaseUrl: url.href, timeoutMs: 5000, poolSize: 2 });
    onTestFinished(() => store.close());
    return store;
  };
  return { open, administrator };
}

async function rowsOf(query: Promise<unknown>): Promise<Record<string, unknown>[]> {
  const [rows] = (await query) as [Record<string, unknown>[]];
  return rows;
}

describe.skipIf(!program)('a server with settings of its own', () => {
  test.each(servers)('text, tokens and tables are right on a server with %s', async (_, settings) => {
    const { open, administrator } = await startServer(settings);
    const [here, there] = [await open(), await open()];
    await here.migrate();
    // Known to both connections before the login, as in a server that has run for a while.
    await Promise.all([here.ping(), there.ping(), there.findUser('unknown')]);
    const nickName = `小明 👩🏽‍❤️‍💋‍👨🏿 '"\\`;
    const login = loginWrite({ profile: { ...noProfile, nickName } });
    expect(await here.saveLogin(login)).toMatchObject({ nickName });
    expect(await there.findSession(login.tokenHash)).toMatchObject({ user: { nickName } });
    const stored = await rowsOf(administrator.query('select hex(nick_name) as bytes from gk_wx_user'));
    expect(stored).toEqual([{ bytes: Buffer.from(nickName).toString('hex').toUpperCase() }]);

    const another = loginWrite();
    await there.saveLogin(another);
    // Of one statement.
    expect(await Promise.all([login, another].map(({ tokenHash }) => here.findSession(tokenHash)))).not.toContain(null);
    expect(await here.deleteSession(login.tokenHash)).toBe(true);
    expect(await there.findSession(login.tokenHash)).toBeNull();
    const tooLong = loginWrite({ profile: { ...noProfile, nickName: 'x'.repeat(1025) } });
    await expect(here.saveLogin(tooLong)).rejects.toMatchObject({ kind: 'unexpected', code: 'ER_DATA_TOO_LONG' });

    const engines = await rowsOf(
      administrator.query('select distinct engine from information_schema.tables where table_schema = database()'),
    );
    expect(engines).toEqual([{ engine: 'InnoDB' }]);
  });

  // TiDB has one engine, and refuses these changes itself.
  test.skipIf(isTidb).each([
    ['engine = MyISAM', /gk_wx_session is a table of MyISAM: alter table gk_wx_session engine = InnoDB/],
    ['convert to character set utf8mb3', /gk_wx_session.open_id is of utf8mb3_general_ci: alter table/],
    ['convert to character set utf8mb4', /modify open_id varchar\(64\) CHARACTER SET ascii COLLATE ascii_bin not null/],
  ])('a table that was altered to %s is named at the start, with the command that repairs it', async (change, said) => {
    const url = await mysql.createUrl();
    const store = await openStore({ databaseUrl: url, timeoutMs: 5000, poolSize: 1 });
    onTestFinished(() => store.close());
    await store.migrate();
    await mysql.query(url, `alter table gk_wx_session ${change}`);
    const failure: unknown = await store.migrate().catch((error: unknown) => error);
    expect(failure).toMatchObject({ kind: 'unexpected', code: 'TABLES_UNFIT' });
    expect(String(failure)).toMatch(said);
    const remedy = /alter table gk_wx_session [^;]+/.exec(String(failure))?.[0] ?? '';
    await mysql.query(url, remedy);
    await store.migrate();
  });
});
