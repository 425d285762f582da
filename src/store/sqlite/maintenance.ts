import { and, asc, eq, gt, inArray, lte, type SQL, sql } from 'drizzle-orm';
import type { SQLiteColumn } from 'drizzle-orm/sqlite-core';
import { type Reseal, sealedColumns, type User } from '../store.ts';
import type { Db } from './connection.ts';
import { gkWxSession as session } from './schema.ts';
import { user } from './user-table.ts';

/** Resolves to the number of deleted sessions. SQLite's DELETE has no LIMIT, as it is built by default. */
export async function deleteExpiredSessions(db: Db, now: number, limit: number): Promise<number> {
  const expired = db
    .select({ tokenHash: session.tokenHash })
    .from(session)
    .where(lte(session.expiresAt, now))
    .orderBy(asc(session.expiresAt))
    .limit(limit);
  const { rowsAffected } = await db.delete(session).where(inArray(session.tokenHash, expired));
  return rowsAffected;
}

export async function selectUsersAfter(db: Db, openId: string, limit: number): Promise<User[]> {
  return await db.select().from(user).where(gt(user.openId, openId)).orderBy(asc(user.openId)).limit(limit);
}

export async function countUsers(db: Db): Promise<number> {
  return await db.$count(user);
}

const isSame = (column: SQLiteColumn, value: string | null): SQL => sql`${column} is ${value}`;

/** Changes the row if it is still as it was read. */
export function updateSealed(db: Db, { openId, from, to }: Reseal) {
  return db
    .update(user)
    .set(to)
    .where(and(eq(user.openId, openId), ...sealedColumns.map((column) => isSame(user[column], from[column]))));
}
