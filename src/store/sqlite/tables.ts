import { getTableColumns, getTableName, is, sql } from 'drizzle-orm';
import { SQLiteTable } from 'drizzle-orm/sqlite-core';
import { copyProgressTable, missingTables, unfinishedCopy } from '../migrations.ts';
import type { Db } from './connection.ts';
import * as schema from './schema.ts';

/** Our tables, as this version's schema has them. */
export const tables = Object.values(schema).filter((table) => is(table, SQLiteTable));

/** Rejects where one of our tables or columns is missing, as unavailable: another instance may be making it. */
export async function verifyTables(db: Db): Promise<void> {
  await refuseUnfinishedCopy(db);
  const missing: string[] = [];
  for (const table of tables) {
    const name = getTableName(table);
    const found = await db.all<{ name: string }>(sql`select name from pragma_table_info(${name})`);
    if (found.length === 0) missing.push(name);
    const names = new Set(found.map((column) => column.name));
    for (const column of found.length === 0 ? [] : Object.values(getTableColumns(table))) {
      if (!names.has(column.name)) missing.push(`${name}.${column.name}`);
    }
  }
  if (missing.length > 0) throw missingTables(missing);
}

export async function refuseUnfinishedCopy(db: Db): Promise<void> {
  const rows = await db.all(sql`select 1 from sqlite_master where type = 'table' and name = ${copyProgressTable}`);
  if (rows.length > 0) throw unfinishedCopy();
}
