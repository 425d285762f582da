import { and, asc, desc, eq, gt, gte, inArray, lt, lte, notExists, type SQL, sql } from 'drizzle-orm';
import type { AccountStore } from '../store.ts';
import { changedColumns, type UserChanges, type UserSelector } from '../accounts.ts';
import { hashInAvatarUrl } from '../avatar-url.ts';
import type { Db } from './session.ts';
import type { Pool } from './pool.ts';
import { gkWxAvatar as avatar, gkWxSession as session, gkWxUser } from './schema.ts';
import { keyColumns, laterUpdatedAt } from './statements.ts';
import { user } from './user-table.ts';

/**
 * Each write locks the user's row first, as a login does: two of them come one after the other, and the locks of a
 * transaction are taken in one order, user, session, avatar.
 */
export function accounts(lend: Pool['lend']): AccountStore {
  return {
    deleteUser: (selector) =>
      lend((db) =>
        db.transaction(async (tx) => {
          const locked = await lock(tx, selector);
          if (!locked) return false;
          await tx.delete(session).where(eq(session.openId, selector.openId));
          await tx.delete(user).where(eq(user.openId, selector.openId));
          await deleteUnshared(tx, locked.avatarUrl);
          return true;
        }),
      ),
    updateUser: (selector, changes, now) =>
      lend((db) =>
        db.transaction(async (tx) => {
          const locked = await lock(tx, selector);
          if (!locked) return null;
          await insertAvatar(tx, changes.avatar, now);
          const updatedAt = laterUpdatedAt(now);
          await tx
            .update(user)
            .set({ ...changedColumns(changes), updatedAt })
            .where(eq(user.openId, selector.openId));
          if (changes.avatar === null) await deleteUnshared(tx, locked.avatarUrl);
          const [row] = await tx.select().from(user).where(eq(user.openId, selector.openId));
          return row ?? null;
        }),
      ),
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

async function lock(db: Db, selector: UserSelector) {
  const [row] = await db.select({ avatarUrl: user.avatarUrl }).from(user).where(matching(db, selector)).for('update');
  return row;
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

async function insertAvatar(db: Db, chosen: UserChanges['avatar'], now: number): Promise<void> {
  if (!chosen) return;
  await db
    .insert(avatar)
    .values({ ...chosen, createdAt: now })
    .onDuplicateKeyUpdate({ set: { createdAt: sql`greatest(values(created_at), ${avatar.createdAt})` } });
}

/**
 * The user who had it has it no more. TiDB looks for owners before it locks what it deletes, so the lock comes first; and a
 * subquery that does not name the avatar's row sees what was there when the transaction began.
 */
async function deleteUnshared(db: Db, avatarUrl: string | null): Promise<void> {
  const hash = hashInAvatarUrl(avatarUrl);
  if (!hash || avatarUrl === null) return;
  await db
    .select({ one: sql`1` })
    .from(avatar)
    .where(eq(avatar.hash, hash))
    .for('update');
  const owners = db
    .select({ one: sql`1` })
    .from(user)
    .where(and(eq(user.avatarUrl, avatarUrl), sql`${avatar.hash} = ${hash}`));
  await db.delete(avatar).where(and(eq(avatar.hash, hash), notExists(owners)));
}
