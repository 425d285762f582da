import { and, asc, desc, eq, gt, gte, inArray, lt, lte, ne, notExists, type SQL, sql } from 'drizzle-orm';
import type { AccountStore } from '../store.ts';
import { changedColumns, type UserChanges, type UserSelector } from '../accounts.ts';
import { avatarUrlEnd, avatarUrlStart } from '../avatar-url.ts';
import type { Db, Lend } from './connection.ts';
import { gkWxAvatar as avatar, gkWxSession as session, gkWxUser } from './schema.ts';
import { keyColumns, laterUpdatedAt } from './statements.ts';
import { user } from './user-table.ts';

/** Each write is one batch, which is a transaction, and each of its statements asks whether the user is the one that is meant. */
export function accounts(lend: Lend): AccountStore {
  return {
    deleteUser: (selector) =>
      lend(async (db) => {
        const isUser = matching(db, selector);
        const users = db.select({ openId: user.openId }).from(user).where(isUser);
        const [, , { rowsAffected }] = await db.batch([
          deleteUnshared(db, selector, isUser),
          db.delete(session).where(inArray(session.openId, users)),
          db.delete(user).where(isUser),
        ]);
        if (rowsAffected > 0) await emptyLog(db);
        return rowsAffected > 0;
      }),
    updateUser: (selector, changes, now) =>
      lend(async (db) => {
        const isUser = matching(db, selector);
        const updatedAt = laterUpdatedAt(now);
        const update = db
          .update(user)
          .set({ ...changedColumns(changes), updatedAt })
          .where(isUser);
        // A change of `updated_at` leaves the user the one that is meant, save for `unseenSince`.
        const select = db
          .select()
          .from(user)
          .where(matching(db, { ...selector, unseenSince: undefined }));
        const { avatar: chosen } = changes;
        if (chosen === undefined) return (await db.batch([update, select]))[1][0] ?? null;
        const avatars = chosen ? insertAvatar(db, chosen, isUser, now) : deleteUnshared(db, selector, isUser);
        return (await db.batch([avatars, update, select]))[2][0] ?? null;
      }),
    saveSessionKey: (selector, key) =>
      lend(async (db) => {
        await db.update(user).set(keyColumns(key)).where(matching(db, selector));
      }),
    listSessions: (openId, now, limit) =>
      lend((db) =>
        db
          .select()
          .from(session)
          .where(and(eq(session.openId, openId), gt(session.expiresAt, now)))
          .orderBy(desc(session.createdAt), asc(session.tokenHash))
          .limit(limit),
      ),
    findRecord: (openId) =>
      lend(async (db) => {
        const [row] = await db.select().from(gkWxUser).where(eq(gkWxUser.openId, openId));
        return row ?? null;
      }),
    findUsersByUnionId: (unionId) =>
      lend((db) => db.select().from(user).where(eq(user.unionId, unionId)).orderBy(asc(user.openId))),
    findUsersByPhone: (fingerprints) =>
      lend((db) =>
        db
          .select()
          .from(user)
          .where(inArray(user.phoneFingerprint, [...fingerprints]))
          .orderBy(asc(user.openId)),
      ),
  };
}

/** The log keeps pages as they were. Others who read it may prevent this; then a later deletion or the last close does it. */
async function emptyLog(db: Db): Promise<void> {
  await db.run(sql`pragma wal_checkpoint(truncate)`).catch(() => {});
}

function matching(db: Db, { openId, createdUpTo, unseenSince }: UserSelector): SQL | undefined {
  const used = (since: number) =>
    db
      .select({ one: sql`1` })
      .from(session)
      .where(and(eq(session.openId, openId), gte(session.lastUsedAt, since)));
  return and(
    eq(user.openId, openId),
    createdUpTo === undefined ? undefined : lte(user.createdAt, createdUpTo),
    unseenSince === undefined ? undefined : and(lt(user.updatedAt, unseenSince), notExists(used(unseenSince))),
  );
}

function insertAvatar(
  db: Db,
  { hash, bytes }: NonNullable<UserChanges['avatar']>,
  isUser: SQL | undefined,
  now: number,
) {
  const row = {
    hash: sql`${hash}`.as('hash'),
    bytes: sql`${bytes}`.as('bytes'),
    createdAt: sql`${now}`.as('created_at'),
  };
  return db
    .insert(avatar)
    .select(db.select(row).from(user).where(isUser))
    .onConflictDoUpdate({
      target: avatar.hash,
      set: { createdAt: sql`max(excluded.created_at, ${avatar.createdAt})` },
    });
}

/** Deletes the avatar of this user unless others have it. A path of ours is its start, 64 hex digits and its end. */
function deleteUnshared(db: Db, { openId }: UserSelector, isUser: SQL | undefined) {
  const hex = sql`substr(${user.avatarUrl}, ${avatarUrlStart.length + 1}, 64)`;
  const own = db
    .select({ hash: sql`unhex(${hex})` })
    .from(user)
    .where(and(isUser, eq(user.avatarUrl, sql`${avatarUrlStart} || ${hex} || ${avatarUrlEnd}`)));
  const url = sql`${avatarUrlStart} || lower(hex(${avatar.hash})) || ${avatarUrlEnd}`;
  const others = db
    .select({ one: sql`1` })
    .from(user)
    .where(and(eq(user.avatarUrl, url), ne(user.openId, openId)));
  return db.delete(avatar).where(and(inArray(avatar.hash, own), notExists(others)));
}
