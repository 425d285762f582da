import { sql } from 'drizzle-orm';
import { StoreError } from '../../store.ts';
import { selectRaw } from '../raw.ts';
import type { Db } from '../session.ts';
import { legacyColumns, type LegacyRow, type LegacyUser } from './legacy-user.ts';

export const ourTable = 'gk_wx_user';
/** Where the tutorial's table goes. */
export const asideTable = 'gk_wx_user_before_guoke';

/** null when there is no such table. */
export async function columnsOf(db: Db, table: string): Promise<ReadonlySet<string> | null> {
  const rows = await selectRaw(
    db,
    sql`select lower(column_name) as name from information_schema.columns
      where table_schema = database() and table_name = ${table}`,
  );
  return rows.length === 0 ? null : new Set(rows.map(({ name }) => String(name)));
}

/** What stands in the way of taking the table over, in words for the operator; none when it is understood. */
export async function problemsOf(db: Db, table: string, columns: ReadonlySet<string>): Promise<string[]> {
  const problems: string[] = [];
  if (!columns.has('open_id')) return ['it has no column open_id'];

  const [kind] = await selectRaw(
    db,
    sql`select table_type as type from information_schema.tables
      where table_schema = database() and table_name = ${table}`,
  );
  if (kind?.type !== 'BASE TABLE') problems.push('it is a view, not a table');
  // In the table's own collation, by which its rows are read in order; the column need not be its key.
  const twice = await selectRaw(
    db,
    sql`select min(open_id) as name from ${sql.identifier(table)} where open_id is not null group by open_id
      having count(*) > 1 limit 10`,
  );
  for (const { name } of twice) problems.push(`open_id ${JSON.stringify(name)} stands in more than one row`);
  const references = await selectRaw(
    db,
    sql`select distinct table_name as name from information_schema.key_column_usage
      where table_schema = database() and referenced_table_name is not null
      and (referenced_table_name = ${table} or table_name = ${table})`,
  );
  for (const { name } of references) {
    problems.push(
      `a foreign key of ${String(name)} would follow it when it is renamed: drop it, and add it afterwards`,
    );
  }
  const triggers = await selectRaw(
    db,
    sql`select trigger_name as name from information_schema.triggers
      where event_object_schema = database() and event_object_table = ${table}`,
  );
  for (const { name } of triggers)
    problems.push(`the trigger ${String(name)} would follow it when it is renamed: drop it`);
  return problems;
}

/** In the order of the table's own collation, in which its key is unique. */
export async function readLegacyRows(
  db: Db,
  table: string,
  columns: ReadonlySet<string>,
  after: string | null,
  limit: number,
) {
  const names = legacyColumns.filter((column) => columns.has(column)).map((column) => sql.identifier(column));
  const from = after === null ? sql`where open_id is not null` : sql`where open_id > ${after}`;
  return await selectRaw(
    db,
    sql`select ${sql.join(names, sql`, `)} from ${sql.identifier(table)} ${from}
      order by open_id limit ${sql.raw(String(limit))}`,
  );
}

export async function countRows(db: Db, table: string): Promise<number> {
  const [row] = await selectRaw(db, sql`select count(*) as n from ${sql.identifier(table)}`);
  return Number(row?.n ?? 0);
}

export async function countNameless(db: Db, table: string): Promise<number> {
  const [row] = await selectRaw(db, sql`select count(*) as n from ${sql.identifier(table)} where open_id is null`);
  return Number(row?.n ?? 0);
}

export function renameAside(db: Db): Promise<unknown> {
  return db.execute(sql`rename table ${sql.identifier(ourTable)} to ${sql.identifier(asideTable)}`);
}

export function dropAside(db: Db): Promise<unknown> {
  return db.execute(sql`drop table ${sql.identifier(asideTable)}`);
}

/** The columns that are not the tutorial's. */
export function otherColumns(columns: ReadonlySet<string>): string[] {
  const known: ReadonlySet<string> = new Set(legacyColumns);
  return [...columns].filter((column) => !known.has(column));
}

/** Of the rows those that become users. Rejects at the first that does not fit. */
export function toUsers(rows: readonly LegacyRow[]): LegacyUser[] {
  return rows.flatMap((row) => {
    if (row.kind === 'user') return [row.user];
    if (row.kind === 'left') return [];
    throw new StoreError('unexpected', 'ROW_DOES_NOT_FIT', undefined, `${asideTable}: ${row.columns.join(', ')}`);
  });
}
