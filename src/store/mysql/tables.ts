import { getTableColumns, getTableName, is, sql } from 'drizzle-orm';
import { MySqlTable } from 'drizzle-orm/mysql-core';
import { copyProgressTable, listed, missingTables, unfinishedCopy } from '../migrations.ts';
import { StoreError } from '../store.ts';
import { selectRaw } from './raw.ts';
import * as schema from './schema.ts';
import type { Db } from './session.ts';

/** Our tables, as this version's schema has them. */
export const tables = Object.values(schema).filter((table) => is(table, MySqlTable));

/**
 * Rejects where one of our tables or columns is missing, as unavailable: another instance may be making it; and as unexpected
 * where one would lose writes (no InnoDB) or text (another character set), with the statement that repairs it.
 */
export async function verifyTables(db: Db): Promise<void> {
  const found = await columnsOf(db);
  if (found.has(copyProgressTable)) throw unfinishedCopy();
  const missing: string[] = [];
  const unfit: string[] = [];
  for (const table of tables) {
    const name = getTableName(table);
    const engine = found.get(name)?.engine;
    if (engine !== undefined && engine !== 'InnoDB') {
      unfit.push(`${name} is a table of ${engine}: alter table ${name} engine = InnoDB`);
    }
    for (const column of Object.values(getTableColumns(table))) {
      const collation = found.get(name)?.collations.get(column.name);
      if (collation === undefined) missing.push(engine === undefined ? name : `${name}.${column.name}`);
      const type = column.getSQLType();
      const wanted = /COLLATE (\w+)/.exec(type)?.[1];
      if (collation === undefined || wanted === undefined || collation === wanted) continue;
      const change = `alter table ${name} modify ${column.name} ${type}${column.notNull ? ' not null' : ''}`;
      unfit.push(`${name}.${column.name} is of ${collation}: ${change}`);
    }
  }
  if (missing.length > 0) throw missingTables([...new Set(missing)]);
  if (unfit.length > 0) throw new StoreError('unexpected', 'TABLES_UNFIT', undefined, listed(unfit, '; '));
}

export async function refuseUnfinishedCopy(db: Db): Promise<void> {
  const rows = await selectRaw(
    db,
    sql`select 1 from information_schema.tables where table_schema = database() and table_name = ${copyProgressTable}`,
  );
  if (rows.length > 0) throw unfinishedCopy();
}

interface FoundTable {
  engine: string;
  /** Of each column; null where it is not text. */
  collations: Map<string, string | null>;
}

async function columnsOf(db: Db): Promise<Map<string, FoundTable>> {
  const rows = await selectRaw(
    db,
    sql`select t.table_name as name, t.engine as engine, c.column_name as col,
    c.collation_name as collation from information_schema.tables t join information_schema.columns c
    on c.table_schema = t.table_schema and c.table_name = t.table_name
    where t.table_schema = database() and t.table_name in ${[copyProgressTable, ...tables.map(getTableName)]}`,
  );
  const found = new Map<string, FoundTable>();
  for (const row of rows) {
    const name = String(row.name);
    const table = found.get(name) ?? { engine: String(row.engine), collations: new Map() };
    table.collations.set(String(row.col), typeof row.collation === 'string' ? row.collation : null);
    found.set(name, table);
  }
  return found;
}
