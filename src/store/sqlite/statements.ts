import { and, eq, gt, inArray, lte, or, type SQL, sql } from 'drizzle-orm';
import type { SQLiteColumn } from 'drizzle-orm/sqlite-core';
import type { SessionKeyWrite } from '../accounts.ts';
import { maxAheadMs } from '../clock.ts';
import type { UpsertSet } from '../logins.ts';
import type { SessionExtension, User } from '../store.ts';
import type { Db } from './connection.ts';
import { gkWxSession as session } from './schema.ts';
import { user } from './user-table.ts';

/** The value of the row that is to be inserted. */
const incoming = (column: SQLiteColumn) => sql`excluded.${sql.identifier(column.name)}`;
const incomingOrStored = (column: SQLiteColumn, value = incoming(column)) => sql`coalesce(${value}, ${column})`;

/** Of a user who is blocked nothing of a profile is taken: the login that brings it is refused. */
const incomingProfile = (column: SQLiteColumn) => sql`iif(${user.blockedAt} is null, ${incoming(column)}, null)`;
const profileColumn = (column: SQLiteColumn) => incomingOrStored(column, incomingProfile(column));

/** Whether the stored time is a wrong clock's: see ../clock.ts. */
const isAhead = (stored: SQLiteColumn, now: SQL | number) => sql`${stored} > ${now} + ${sql.raw(String(maxAheadMs))}`;

/** The user's `updated_at` once something is written or seen at this time. */
export const laterUpdatedAt = (now: SQL | number) =>
  sql`iif(${isAhead(user.updatedAt, now)}, ${now}, max(${now}, ${user.updatedAt}))`;

const incomingKey = {
  sessionKey: incoming(user.sessionKey),
  sessionKeyFingerprint: incoming(user.sessionKeyFingerprint),
  sessionKeyAt: incoming(user.sessionKeyAt),
  now: incoming(user.updatedAt),
};

const isLater = ({ sessionKeyAt, now }: typeof incomingKey | SessionKeyWrite) =>
  sql`(${sessionKeyAt} >= ${user.sessionKeyAt} or ${isAhead(user.sessionKeyAt, now)})`;

/** The key rule of `Store.saveLogin`. */
export function keyColumns(key: typeof incomingKey | SessionKeyWrite) {
  const later = isLater(key);
  const isOtherKey = sql`${key.sessionKeyFingerprint} is not ${user.sessionKeyFingerprint}`;
  return {
    prevSessionKey: sql`iif(${later} and ${isOtherKey}, coalesce(${user.sessionKey}, ${user.prevSessionKey}), ${user.prevSessionKey})`,
    sessionKey: sql`iif(${later}, ${key.sessionKey}, ${user.sessionKey})`,
    sessionKeyFingerprint: sql`iif(${later}, ${key.sessionKeyFingerprint}, ${user.sessionKeyFingerprint})`,
    sessionKeyAt: sql`iif(${later}, ${key.sessionKeyAt}, ${user.sessionKeyAt})`,
  };
}

export const upsertSet: UpsertSet = {
  appId: sql`iif(${isLater(incomingKey)}, ${incoming(user.appId)}, ${user.appId})`,
  unionId: incomingOrStored(user.unionId),
  ...keyColumns(incomingKey),
  phoneNumber: null,
  phoneFingerprint: null,
  nickName: profileColumn(user.nickName),
  avatarUrl: profileColumn(user.avatarUrl),
  gender: sql`iif(${incomingProfile(user.gender)} in (1, 2), ${incoming(user.gender)}, coalesce(${user.gender}, ${incomingProfile(user.gender)}))`,
  language: profileColumn(user.language),
  city: profileColumn(user.city),
  province: profileColumn(user.province),
  country: profileColumn(user.country),
  blockedAt: null,
  createdAt: null,
  updatedAt: laterUpdatedAt(incoming(user.updatedAt)),
};

export async function selectUser(db: Db, openId: string): Promise<User | null> {
  const [row] = await db.select().from(user).where(eq(user.openId, openId));
  return row ?? null;
}

/** Of several at once, one changes the rows: the others find `last_used_at` changed. */
export async function updateSession(
  db: Db,
  { tokenHash, openId, unusedSince, lastUsedAt, expiresAt }: SessionExtension,
): Promise<void> {
  const isUnused = and(
    eq(session.tokenHash, tokenHash),
    or(lte(session.lastUsedAt, unusedSince), gt(session.lastUsedAt, lastUsedAt + maxAheadMs)),
  );
  const owner = db.select({ openId: session.openId }).from(session).where(isUnused);
  await db.batch([
    db
      .update(user)
      .set({ updatedAt: laterUpdatedAt(lastUsedAt) })
      .where(and(eq(user.openId, openId), inArray(user.openId, owner))),
    db.update(session).set({ lastUsedAt, expiresAt }).where(isUnused),
  ]);
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
