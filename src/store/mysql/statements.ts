import { and, eq, gt, lte, or, type SQL, sql } from 'drizzle-orm';
import type { MySqlColumn } from 'drizzle-orm/mysql-core';
import type { SessionKeyWrite } from '../accounts.ts';
import { maxAheadMs } from '../clock.ts';
import type { UpsertSet } from '../logins.ts';
import type { SessionExtension, User } from '../store.ts';
import type { Db } from './session.ts';
import { gkWxSession as session } from './schema.ts';
import { user } from './user-table.ts';

/** The value of the row that is to be inserted. MariaDB knows no row alias (`AS new`), MySQL 8 still knows VALUES(). */
const incoming = (column: MySqlColumn) => sql`values(${sql.identifier(column.name)})`;
const incomingOrStored = (column: MySqlColumn, value = incoming(column)) => sql`coalesce(${value}, ${column})`;

/** Of a user who is blocked nothing of a profile is taken: the login that brings it is refused. */
const incomingProfile = (column: MySqlColumn) => sql`if(${user.blockedAt} is null, ${incoming(column)}, null)`;
const profileColumn = (column: MySqlColumn) => incomingOrStored(column, incomingProfile(column));

/** Whether the stored time is a wrong clock's: see ../clock.ts. */
const isAhead = (stored: MySqlColumn, now: SQL | number) => sql`${stored} > ${now} + ${sql.raw(String(maxAheadMs))}`;

/** The user's `updated_at` once something is written or seen at this time. */
export const laterUpdatedAt = (now: SQL | number) =>
  sql`if(${isAhead(user.updatedAt, now)}, ${now}, greatest(${now}, ${user.updatedAt}))`;

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
  const isOtherKey = sql`not (${key.sessionKeyFingerprint} <=> ${user.sessionKeyFingerprint})`;
  return {
    // TiDB writes the next session_key over the bytes of the stored one: concat makes a copy of them first.
    prevSessionKey: sql`if(${later} and ${isOtherKey}, concat(coalesce(${user.sessionKey}, ${user.prevSessionKey}), ''), ${user.prevSessionKey})`,
    sessionKey: sql`if(${later}, ${key.sessionKey}, ${user.sessionKey})`,
    sessionKeyFingerprint: sql`if(${later}, ${key.sessionKeyFingerprint}, ${user.sessionKeyFingerprint})`,
    sessionKeyAt: sql`if(${later}, ${key.sessionKeyAt}, ${user.sessionKeyAt})`,
  };
}

/** MySQL assigns in the order of the schema, whatever the order here: see schema.ts. */
export const upsertSet: UpsertSet = {
  appId: sql`if(${isLater(incomingKey)}, ${incoming(user.appId)}, ${user.appId})`,
  unionId: incomingOrStored(user.unionId),
  ...keyColumns(incomingKey),
  phoneNumber: null,
  phoneFingerprint: null,
  nickName: profileColumn(user.nickName),
  avatarUrl: profileColumn(user.avatarUrl),
  gender: sql`if(${incomingProfile(user.gender)} in (1, 2), ${incoming(user.gender)}, coalesce(${user.gender}, ${incomingProfile(user.gender)}))`,
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

/** Of several at once, one changes the rows: the others wait for its lock and then find `last_used_at` changed. */
export async function updateSession(
  db: Db,
  { tokenHash, openId, unusedSince, lastUsedAt, expiresAt }: SessionExtension,
): Promise<void> {
  const [{ affectedRows }] = await db
    .update(session)
    .set({ lastUsedAt, expiresAt })
    .where(
      and(
        eq(session.tokenHash, tokenHash),
        or(lte(session.lastUsedAt, unusedSince), gt(session.lastUsedAt, lastUsedAt + maxAheadMs)),
      ),
    );
  if (affectedRows === 0) return;
  await db
    .update(user)
    .set({ updatedAt: laterUpdatedAt(lastUsedAt) })
    .where(eq(user.openId, openId));
}

/** Whether there was such a session. */
export async function deleteSession(db: Db, tokenHash: Buffer): Promise<boolean> {
  const [{ affectedRows }] = await db.delete(session).where(eq(session.tokenHash, tokenHash));
  return affectedRows > 0;
}

/** The number of deleted sessions that had not expired at `now`: expired ones go first, so that the rest can be counted. */
export async function deleteSessionsOf(db: Db, openId: string, now: number): Promise<number> {
  await db.delete(session).where(and(eq(session.openId, openId), lte(session.expiresAt, now)));
  const [{ affectedRows }] = await db.delete(session).where(eq(session.openId, openId));
  return affectedRows;
}
