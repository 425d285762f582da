import { and, eq, lte, type SQL, sql } from 'drizzle-orm';
import type { MySqlColumn } from 'drizzle-orm/mysql-core';
import type { SessionExtension, User } from '../store.ts';
import type { Db } from './session.ts';
import { gkWxSession as session } from './schema.ts';
import { user } from './user-table.ts';

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

/** Of several at once, one changes the row: those that waited for its lock find it used. */
export async function updateSession(
  db: Db,
  { tokenHash, unusedSince, lastUsedAt, expiresAt }: SessionExtension,
): Promise<void> {
  await db
    .update(session)
    .set({ lastUsedAt, expiresAt })
    .where(and(eq(session.tokenHash, tokenHash), lte(session.lastUsedAt, unusedSince)));
}

/** Whether it was there. */
export async function deleteSession(db: Db, tokenHash: Buffer): Promise<boolean> {
  const [{ affectedRows }] = await db.delete(session).where(eq(session.tokenHash, tokenHash));
  return affectedRows > 0;
}

/** How many were deleted, less those that had expired by then: these go first, so that the rest can be counted. */
export async function deleteSessionsOf(db: Db, openId: string, now: number): Promise<number> {
  await db.delete(session).where(and(eq(session.openId, openId), lte(session.expiresAt, now)));
  const [{ affectedRows }] = await db.delete(session).where(eq(session.openId, openId));
  return affectedRows;
}
