import { createClient } from '@libsql/client';
import { createConnection } from 'mysql2/promise';
import { inject } from 'vitest';
import { createDatabase } from './mariadb.ts';

type Row = Record<string, unknown>;

/** A database that tests run on, reached behind the store's back. */
export interface TestDatabase {
  name: 'SQLite' | 'MySQL';
  /** A new, empty database; its DATABASE_URL. */
  createUrl: () => Promise<string>;
  query: (url: string, statement: string) => Promise<Row[]>;
  /** Every row of every table as text; bytes in hexadecimal. */
  dump: (url: string) => Promise<string>;
}

export const sqlite: TestDatabase = {
  name: 'SQLite',
  createUrl: async () => `file:${inject('scratch')}/${crypto.randomUUID()}/guoke.db`,
  async query(url, statement) {
    const client = createClient({ url });
    try {
      const { columns, rows } = await client.execute(statement);
      return rows.map((row) => Object.fromEntries(columns.map((column) => [column, row[column]])));
    } finally {
      client.close();
    }
  },
  dump: (url) => dumpOf(sqlite, url, `select name from sqlite_master where type = 'table'`),
};

const serverUrl = inject('mysqlServerUrl');

export const mysql: TestDatabase = {
  name: 'MySQL',
  createUrl: () => createDatabase(serverUrl ?? ''),
  async query(url, statement) {
    const connection = await createConnection(url);
    try {
      // A given server may have other defaults; the tests' own statements are written for these.
      await connection.query(
        `set names utf8mb4, autocommit = 1, sql_mode = 'STRICT_ALL_TABLES', default_storage_engine = InnoDB`,
      );
      const [rows] = await connection.query(statement);
      return Array.isArray(rows) ? (rows as Row[]) : [];
    } finally {
      await connection.end();
    }
  },
  dump: (url) =>
    dumpOf(mysql, url, 'select table_name as name from information_schema.tables where table_schema = database()'),
};

/** Whether there is a MySQL or MariaDB to test on: see global-setup.ts. */
export const hasMysql = serverUrl !== null;

/** Whether the server is TiDB: it has no triggers, no SIGNAL, no MyISAM, and none of InnoDB's own tables. */
export const isTidb = serverUrl !== null && (await versionOf(serverUrl)).includes('TiDB');

/** What to run a suite on: `describe.each(databases)('… on $name', …)`. */
export const databases: readonly TestDatabase[] = hasMysql ? [sqlite, mysql] : [sqlite];

async function dumpOf(database: TestDatabase, url: string, tables: string): Promise<string> {
  const text: string[] = [];
  for (const { name } of await database.query(url, tables)) {
    for (const row of await database.query(url, `select * from ${String(name)}`)) {
      text.push(`${String(name)} ${JSON.stringify(Object.fromEntries(Object.entries(row).map(readable)))}`);
    }
  }
  return text.join('\n');
}

async function versionOf(url: string): Promise<string> {
  const [row] = await mysql.query(url, 'select version() as version');
  return String(row?.version);
}

/** A secret in a blob would hide from a search for its text: so both are there. */
function readable([column, value]: [string, unknown]): [string, unknown] {
  const bytes = value instanceof ArrayBuffer ? Buffer.from(value) : value;
  return [column, Buffer.isBuffer(bytes) ? `${bytes.toString('hex')} ${bytes.toString('latin1')}` : bytes];
}
