import { and, eq, lte, type SQL, sql } from 'drizzle-orm';
import type { SQLiteColumn } from 'drizzle-orm/sqlite-core';
import type { SessionExtension, User } from '../store.ts';
import type { Db } from './connection.ts';
import { gkWxSession as session } from './schema.ts';
import { user } from './user-table.ts';

/** The value that the insert brought. */
const brought = (column: SQLiteColumn) => sql`excluded.${sql.identifier(column.name)}`;
const broughtOrStored = (column: SQLiteColumn) => sql`coalesce(${brought(column)}, ${column})`;

const isLater = sql`${brought(user.sessionKeyAt)} >= ${user.sessionKeyAt}`;
const isOtherKey = sql`${brought(user.sessionKeyFingerprint)} is not ${user.sessionKeyFingerprint}`;
const ifLater = (column: SQLiteColumn) => sql`iif(${isLater}, ${brought(column)}, ${column})`;

export const merged: Partial<Record<keyof User, SQL>> = {
  appId: ifLater(user.appId),
  unionId: broughtOrStored(user.unionId),
  prevSessionKey: sql`iif(${isLater} and ${isOtherKey}, coalesce(${user.sessionKey}, ${user.prevSessionKey}), ${user.prevSessionKey})`,
  sessionKey: ifLater(user.sessionKey),
  sessionKeyFingerprint: ifLater(user.sessionKeyFingerprint),
  sessionKeyAt: ifLater(user.sessionKeyAt),
  nickName: broughtOrStored(user.nickName),
  avatarUrl: broughtOrStored(user.avatarUrl),
  gender: sql`iif(${brought(user.gender)} in (1, 2), ${brought(user.gender)}, coalesce(${user.gender}, ${brought(user.gender)}))`,
  language: broughtOrStored(user.language),
  city: broughtOrStored(user.city),
  province: broughtOrStored(user.province),
  country: broughtOrStored(user.country),
  updatedAt: sql`max(${brought(user.updatedAt)}, ${user.updatedAt})`,
};

export async function selectUser(db: Db, openId: string): Promise<User | null> {
  const [row] = await db.select().from(user).where(eq(user.openId, openId));
  return row ?? null;
}

/** Of several at once, one changes the row: the others find it used. */
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
  const { rowsAffected } = await db.delete(session).where(eq(session.tokenHash, tokenHash));
  return rowsAffected > 0;
}

/** How many were deleted, less those that had expired by then: these go first, so that the rest can be counted. */
export async function deleteSessionsOf(db: Db, openId: string, now: number): Promise<number> {
  const [, { rowsAffected }] = await db.batch([
    db.delete(session).where(and(eq(session.openId, openId), lte(session.expiresAt, now))),
    db.delete(session).where(eq(session.openId, openId)),
  ]);
  return rowsAffected;
}
