import { and, asc, eq, gt, lte, type SQL, sql } from 'drizzle-orm';
import type { MySqlColumn } from 'drizzle-orm/mysql-core';
import { type Reseal, sealedColumns, type User } from '../store.ts';
import type { Db } from './session.ts';
import { gkWxSession as session } from './schema.ts';
import { user } from './user-table.ts';

/**
 * By the database's clock too: a host whose clock is ahead does not sweep good sessions. The longest expired ones go first,
 * so that instances that sweep at once lock in one order.
 */
export async function deleteExpiredSessions(db: Db, now: number, limit: number): Promise<number> {
  const [{ affectedRows }] = await db
    .delete(session)
    .where(lte(session.expiresAt, sql`least(${now}, floor(unix_timestamp(now(3)) * 1000))`))
    .orderBy(asc(session.expiresAt))
    .limit(limit);
  return affectedRows;
}

export async function selectUsersAfter(db: Db, openId: string, limit: number): Promise<User[]> {
  return await db.select().from(user).where(gt(user.openId, openId)).orderBy(asc(user.openId)).limit(limit);
}

export async function countUsers(db: Db): Promise<number> {
  return await db.$count(user);
}

const isSame = (column: MySqlColumn, value: string | null): SQL => sql`${column} <=> ${value}`;

/** Changes the row if it is still as it was read; whether it was. */
export async function updateSealed(db: Db, { openId, from, to }: Reseal): Promise<boolean> {
  const [{ affectedRows }] = await db
    .update(user)
    .set(to)
    .where(and(eq(user.openId, openId), ...sealedColumns.map((column) => isSame(user[column], from[column]))));
  return affectedRows > 0;
}
