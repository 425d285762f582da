import { eq, type SQL, sql } from 'drizzle-orm';
import { type MySqlColumn, mysqlTable } from 'drizzle-orm/mysql-core';
import type { User } from '../store.ts';
import type { Db } from './connection.ts';
import { gkWxSession, userColumns } from './schema.ts';

/** Drizzle names every column of a table in an insert: in this one those of the business are not there. */
export const user = mysqlTable('gk_wx_user', userColumns);
export const session = gkWxSession;

/** The value that the insert brought. MariaDB knows no row alias (`AS new`), MySQL 8 still knows VALUES(). */
const brought = (column: MySqlColumn) => sql`values(${sql.identifier(column.name)})`;
const broughtOrStored = (column: MySqlColumn) => sql`coalesce(${brought(column)}, ${column})`;

const isLater = sql`${brought(user.sessionKeyAt)} >= ${user.sessionKeyAt}`;
const isOtherKey = sql`not (${brought(user.sessionKeyFingerprint)} <=> ${user.sessionKeyFingerprint})`;
const ifLater = (column: MySqlColumn) => sql`if(${isLater}, ${brought(column)}, ${column})`;

/** Assigned in the order of the schema, whatever the order here: see there. */
export const merged: Partial<Record<keyof User, SQL>> = {
  appId: ifLater(user.appId),
  unionId: broughtOrStored(user.unionId),
  prevSessionKey: sql`if(${isLater} and ${isOtherKey}, coalesce(${user.sessionKey}, ${user.prevSessionKey}), ${user.prevSessionKey})`,
  sessionKey: ifLater(user.sessionKey),
  sessionKeyFingerprint: ifLater(user.sessionKeyFingerprint),
  sessionKeyAt: ifLater(user.sessionKeyAt),
  nickName: broughtOrStored(user.nickName),
  avatarUrl: broughtOrStored(user.avatarUrl),
  gender: sql`if(${brought(user.gender)} in (1, 2), ${brought(user.gender)}, coalesce(${user.gender}, ${brought(user.gender)}))`,
  language: broughtOrStored(user.language),
  city: broughtOrStored(user.city),
  province: broughtOrStored(user.province),
  country: broughtOrStored(user.country),
  updatedAt: sql`greatest(${brought(user.updatedAt)}, ${user.updatedAt})`,
};

export async function selectUser(db: Db, openId: string): Promise<User | null> {
  const [row] = await db.select().from(user).where(eq(user.openId, openId));
  return row ?? null;
}

export async function updateSession(db: Db, tokenHash: Buffer, lastUsedAt: number, expiresAt: number): Promise<void> {
  await db.update(session).set({ lastUsedAt, expiresAt }).where(eq(session.tokenHash, tokenHash));
}

/** How many were deleted. */
export async function deleteSessions(db: Db, by: { tokenHash: Buffer } | { openId: string }): Promise<number> {
  const which = 'tokenHash' in by ? eq(session.tokenHash, by.tokenHash) : eq(session.openId, by.openId);
  const [{ affectedRows }] = await db.delete(session).where(which);
  return affectedRows;
}
