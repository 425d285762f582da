import { and, eq, gt, lte, or, sql } from 'drizzle-orm';
import type { SQLiteColumn } from 'drizzle-orm/sqlite-core';
import { maxAheadMs } from '../clock.ts';
import type { UpsertSet } from '../logins.ts';
import type { SessionExtension, User } from '../store.ts';
import type { Db } from './connection.ts';
import { gkWxSession as session } from './schema.ts';
import { user } from './user-table.ts';

/** The value of the row that is to be inserted. */
const incoming = (column: SQLiteColumn) => sql`excluded.${sql.identifier(column.name)}`;
const incomingOrStored = (column: SQLiteColumn) => sql`coalesce(${incoming(column)}, ${column})`;

/** Whether the stored time is a wrong clock's: see ../clock.ts. */
const isAhead = (stored: SQLiteColumn) => sql`${stored} > ${incoming(user.updatedAt)} + ${sql.raw(String(maxAheadMs))}`;
const isLater = sql`(${incoming(user.sessionKeyAt)} >= ${user.sessionKeyAt} or ${isAhead(user.sessionKeyAt)})`;
const isOtherKey = sql`${incoming(user.sessionKeyFingerprint)} is not ${user.sessionKeyFingerprint}`;
const ifLater = (column: SQLiteColumn) => sql`iif(${isLater}, ${incoming(column)}, ${column})`;

export const upsertSet: UpsertSet = {
  appId: ifLater(user.appId),
  unionId: incomingOrStored(user.unionId),
  prevSessionKey: sql`iif(${isLater} and ${isOtherKey}, coalesce(${user.sessionKey}, ${user.prevSessionKey}), ${user.prevSessionKey})`,
  sessionKey: ifLater(user.sessionKey),
  sessionKeyFingerprint: ifLater(user.sessionKeyFingerprint),
  sessionKeyAt: ifLater(user.sessionKeyAt),
  phoneNumber: null,
  nickName: incomingOrStored(user.nickName),
  avatarUrl: incomingOrStored(user.avatarUrl),
  gender: sql`iif(${incoming(user.gender)} in (1, 2), ${incoming(user.gender)}, coalesce(${user.gender}, ${incoming(user.gender)}))`,
  language: incomingOrStored(user.language),
  city: incomingOrStored(user.city),
  province: incomingOrStored(user.province),
  country: incomingOrStored(user.country),
  createdAt: null,
  updatedAt: sql`iif(${isAhead(user.updatedAt)}, ${incoming(user.updatedAt)}, max(${incoming(user.updatedAt)}, ${user.updatedAt}))`,
};

export async function selectUser(db: Db, openId: string): Promise<User | null> {
  const [row] = await db.select().from(user).where(eq(user.openId, openId));
  return row ?? null;
}

/** Of several at once, one changes the row: the others find `last_used_at` changed. */
export async function updateSession(
  db: Db,
  { tokenHash, unusedSince, lastUsedAt, expiresAt }: SessionExtension,
): Promise<void> {
  await db
    .update(session)
    .set({ lastUsedAt, expiresAt })
    .where(
      and(
        eq(session.tokenHash, tokenHash),
        or(lte(session.lastUsedAt, unusedSince), gt(session.lastUsedAt, lastUsedAt + maxAheadMs)),
      ),
    );
}

/** Whether there was such a session. */
export async function deleteSession(db: Db, tokenHash: Buffer): Promise<boolean> {
  const { rowsAffected } = await db.delete(session).where(eq(session.tokenHash, tokenHash));
  return rowsAffected > 0;
}

/** The number of deleted sessions that had not expired at `now`: expired ones go first, so that the rest can be counted. */
export async function deleteSessionsOf(db: Db, openId: string, now: number): Promise<number> {
  const [, { rowsAffected }] = await db.batch([
    db.delete(session).where(and(eq(session.openId, openId), lte(session.expiresAt, now))),
    db.delete(session).where(eq(session.openId, openId)),
  ]);
  return rowsAffected;
}
