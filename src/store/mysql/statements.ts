import { and, eq, gt, lte, or, sql } from 'drizzle-orm';
import type { MySqlColumn } from 'drizzle-orm/mysql-core';
import { maxAheadMs } from '../clock.ts';
import type { UpsertSet } from '../logins.ts';
import type { SessionExtension, User } from '../store.ts';
import type { Db } from './session.ts';
import { gkWxSession as session } from './schema.ts';
import { user } from './user-table.ts';

/** The value of the row that is to be inserted. MariaDB knows no row alias (`AS new`), MySQL 8 still knows VALUES(). */
const incoming = (column: MySqlColumn) => sql`values(${sql.identifier(column.name)})`;
const incomingOrStored = (column: MySqlColumn) => sql`coalesce(${incoming(column)}, ${column})`;

/** Whether the stored time is a wrong clock's: see ../clock.ts. */
const isAhead = (stored: MySqlColumn) => sql`${stored} > ${incoming(user.updatedAt)} + ${sql.raw(String(maxAheadMs))}`;
const isLater = sql`(${incoming(user.sessionKeyAt)} >= ${user.sessionKeyAt} or ${isAhead(user.sessionKeyAt)})`;
const isOtherKey = sql`not (${incoming(user.sessionKeyFingerprint)} <=> ${user.sessionKeyFingerprint})`;
const ifLater = (column: MySqlColumn) => sql`if(${isLater}, ${incoming(column)}, ${column})`;

/** MySQL assigns in the order of the schema, whatever the order here: see schema.ts. */
export const upsertSet: UpsertSet = {
  appId: ifLater(user.appId),
  unionId: incomingOrStored(user.unionId),
  // TiDB writes the next session_key over the bytes of the stored one: concat makes a copy of them first.
  prevSessionKey: sql`if(${isLater} and ${isOtherKey}, concat(coalesce(${user.sessionKey}, ${user.prevSessionKey}), ''), ${user.prevSessionKey})`,
  sessionKey: ifLater(user.sessionKey),
  sessionKeyFingerprint: ifLater(user.sessionKeyFingerprint),
  sessionKeyAt: ifLater(user.sessionKeyAt),
  phoneNumber: null,
  nickName: incomingOrStored(user.nickName),
  avatarUrl: incomingOrStored(user.avatarUrl),
  gender: sql`if(${incoming(user.gender)} in (1, 2), ${incoming(user.gender)}, coalesce(${user.gender}, ${incoming(user.gender)}))`,
  language: incomingOrStored(user.language),
  city: incomingOrStored(user.city),
  province: incomingOrStored(user.province),
  country: incomingOrStored(user.country),
  createdAt: null,
  updatedAt: sql`if(${isAhead(user.updatedAt)}, ${incoming(user.updatedAt)}, greatest(${incoming(user.updatedAt)}, ${user.updatedAt}))`,
};

export async function selectUser(db: Db, openId: string): Promise<User | null> {
  const [row] = await db.select().from(user).where(eq(user.openId, openId));
  return row ?? null;
}

/** Of several at once, one changes the row: the others wait for its lock and then find `last_used_at` changed. */
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
  const [{ affectedRows }] = await db.delete(session).where(eq(session.tokenHash, tokenHash));
  return affectedRows > 0;
}

/** The number of deleted sessions that had not expired at `now`: expired ones go first, so that the rest can be counted. */
export async function deleteSessionsOf(db: Db, openId: string, now: number): Promise<number> {
  await db.delete(session).where(and(eq(session.openId, openId), lte(session.expiresAt, now)));
  const [{ affectedRows }] = await db.delete(session).where(eq(session.openId, openId));
  return affectedRows;
}
