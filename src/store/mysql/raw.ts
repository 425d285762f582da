import type { SQL } from 'drizzle-orm';
import type { ResultSetHeader } from 'mysql2/promise';
import type { Db } from './session.ts';

// Drizzle types the result of a raw statement as the driver's header, whatever the statement is.

export type RawRow = Record<string, unknown>;

/** The rows of a SELECT. */
export async function selectRaw(db: Db, statement: SQL): Promise<RawRow[]> {
  const [rows] = (await db.execute(statement)) as unknown as [RawRow[]];
  return rows;
}

/** How many rows a statement has inserted, deleted or found to update. */
export async function changeRaw(db: Db, statement: SQL): Promise<number> {
  const [{ affectedRows }] = (await db.execute(statement)) as unknown as [ResultSetHeader];
  return affectedRows;
}
