import { sql } from 'drizzle-orm';
import { earlierJournalTable, foreignTable, journalTable, type Migration, readMigrations } from '../migrations.ts';
import { createConnection, type Db } from './connection.ts';
import { codeOf, toStoreError } from './errors.ts';
import { refuseAtStart } from './file.ts';
import { refuseUnfinishedCopy, verifyTables } from './tables.ts';

const journal = sql.identifier(journalTable);

interface MigrateOptions {
  databaseUrl: string;
  /** How long to wait for other processes. */
  timeoutMs?: number;
  migrations?: readonly Migration[];
}

/**
 * Brings the tables up to date, a transaction for each migration. Any number of processes may do so at once: the
 * journal's row comes first in each transaction: the second process is refused it, and looks again.
 */
export async function migrateSqlite({
  databaseUrl,
  timeoutMs = 30_000,
  migrations = readMigrations('sqlite'),
}: MigrateOptions): Promise<void> {
  const connection = createConnection({ databaseUrl, timeoutMs });
  try {
    await connection.lend(refuseUnfinishedCopy);
    await connection.lend((db) => migrateOn(db, migrations));
    await connection.lend(verifyTables);
  } catch (error) {
    throw refuseAtStart(toStoreError(error));
  } finally {
    await connection.close();
  }
}

async function migrateOn(db: Db, migrations: readonly Migration[]): Promise<void> {
  await db.run(
    sql`create table if not exists ${journal} (id serial primary key, hash text not null, created_at numeric)`,
  );
  const hasEarlierJournal = await exists(db, earlierJournalTable);
  for (const [position, migration] of migrations.entries()) {
    if (await isIn(db, journalTable, migration)) continue;
    const isDone = hasEarlierJournal && (await isIn(db, earlierJournalTable, migration));
    try {
      await db.batch([
        db.run(sql`insert into ${journal} (id, hash, created_at)
          values (${position + 1}, ${migration.hash}, ${migration.createdAt})`),
        ...(isDone ? [] : migration.statements).map((statement) => db.run(sql.raw(statement))),
      ]);
    } catch (error) {
      // A connection that was refused the lock is of no use any more; `lend` comes again with a new one.
      if (codeOf(error) === 'SQLITE_BUSY') throw error;
      if (await isIn(db, journalTable, migration)) continue;
      for (const table of migration.tables) {
        if (await exists(db, table)) throw foreignTable(table);
      }
      throw error;
    }
  }
}

async function isIn(db: Db, table: string, { hash }: Migration): Promise<boolean> {
  const rows = await db.all(sql`select 1 from ${sql.identifier(table)} where hash = ${hash} limit 1`);
  return rows.length > 0;
}

async function exists(db: Db, table: string): Promise<boolean> {
  const rows = await db.all(sql`select 1 from sqlite_master where type = 'table' and name = ${table}`);
  return rows.length > 0;
}
