import { getTableColumns, getTableName, sql } from 'drizzle-orm';
import { migrateMysql } from '../mysql/migrate.ts';
import { openPool } from '../mysql/pool.ts';
import { selectRaw } from '../mysql/raw.ts';
import { tables as schema } from '../mysql/tables.ts';
import { tableOf, type Tables } from './tables.ts';

export function openMysqlTables(databaseUrl: string): Tables {
  const pool = openPool({ databaseUrl, timeoutMs: 30_000, poolSize: 1 });
  const tables = schema.map((table) => tableOf(getTableName(table), Object.values(getTableColumns(table))));
  const all: Tables['all'] = (statement) => pool.lend((db) => selectRaw(db, statement));
  return {
    tables,
    all,
    async names() {
      const rows = await all(sql`select table_name as name from information_schema.tables
        where table_schema = database() and table_type = 'BASE TABLE'`);
      return rows.map(({ name }) => String(name));
    },
    async rename(names) {
      const each = names.map(([from, to]) => sql`${sql.identifier(from)} to ${sql.identifier(to)}`);
      // One statement, which is all or nothing; what writes to these tables is waited for.
      await all(sql`rename table ${sql.join(each, sql`, `)}`);
    },
    migrate: () => migrateMysql({ databaseUrl }),
    transaction: (statements) =>
      pool.lend((db) =>
        db.transaction(async (tx) => {
          for (const statement of statements) await tx.execute(statement);
        }),
      ),
    close: () => pool.close(),
  };
}
