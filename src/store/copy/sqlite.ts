import { getTableColumns, getTableName, sql } from 'drizzle-orm';
import { refuseMissing } from '../sqlite/backup.ts';
import { createConnection } from '../sqlite/connection.ts';
import { toStoreError } from '../sqlite/errors.ts';
import { migrateSqlite } from '../sqlite/migrate.ts';
import { tables as schema } from '../sqlite/tables.ts';
import { tableOf, type Tables } from './tables.ts';

/** Rejects where there is no file, unless it may be made. */
export async function openSqliteTables(databaseUrl: string, { create }: { create: boolean }): Promise<Tables> {
  if (!create) await refuseMissing(databaseUrl);
  const connection = createConnection({ databaseUrl, timeoutMs: 30_000 });
  const lend: typeof connection.lend = (work) =>
    connection.lend(work).catch((error: unknown) => {
      throw toStoreError(error);
    });
  const tables = schema.map((table) => tableOf(getTableName(table), Object.values(getTableColumns(table))));
  const transaction: Tables['transaction'] = async ([first, ...rest]) => {
    if (first) await lend((db) => db.batch([db.run(first), ...rest.map((statement) => db.run(statement))]));
  };
  const all: Tables['all'] = (statement) => lend((db) => db.all(statement));
  return {
    tables,
    all,
    async names() {
      const rows = await all(
        sql`select name from sqlite_master where type = 'table' and name not like 'sqlite!_%' escape '!'`,
      );
      return rows.map(({ name }) => String(name));
    },
    migrate: () => migrateSqlite({ databaseUrl }),
    transaction,
    rename: (names) =>
      transaction(names.map(([from, to]) => sql`alter table ${sql.identifier(from)} rename to ${sql.identifier(to)}`)),
    close: () => connection.close(),
  };
}
