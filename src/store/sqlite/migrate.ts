import { sql } from 'drizzle-orm';
import { foreignTable, journalTable, type Migration, readMigrations } from '../migrations.ts';
import type { Db } from './connection.ts';

const journal = sql.identifier(journalTable);

/**
 * Brings the tables up to date, a transaction for each migration. Any number of processes may do so at once: the
 * journal's row comes first in each transaction, and who comes second is refused it and looks again.
 */
export async function migrateSqlite(db: Db, migrations: readonly Migration[] = readMigrations('sqlite')): Promise<void> {
  await db.run(sql`create table if not exists ${journal} (id serial primary key, hash text not null, created_at numeric)`);
  for (const [position, migration] of migrations.entries()) {
    if (await isApplied(db, migration)) continue;
    try {
      await db.batch([
        db.run(sql`insert into ${journal} (id, hash, created_at)
          values (${position + 1}, ${migration.hash}, ${migration.createdAt})`),
        ...migration.statements.map((statement) => db.run(sql.raw(statement))),
      ]);
    } catch (error) {
      if (await isApplied(db, migration)) continue;
      for (const table of migration.tables) {
        if (await exists(db, table)) throw foreignTable(table);
      }
      throw error;
    }
  }
}

/** As Drizzle's own migrator has it: what is older than the journal's latest has been applied. */
async function isApplied(db: Db, { createdAt }: Migration): Promise<boolean> {
  const rows = await db.all(sql`select 1 from ${journal} where created_at >= ${createdAt} limit 1`);
  return rows.length > 0;
}

async function exists(db: Db, table: string): Promise<boolean> {
  const rows = await db.all(sql`select 1 from sqlite_master where type = 'table' and name = ${table}`);
  return rows.length > 0;
}
