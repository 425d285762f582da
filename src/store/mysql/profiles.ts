import { asc, eq, sql } from 'drizzle-orm';
import { avatarUrlOf } from '../avatar-url.ts';
import { type Store, StoreError } from '../store.ts';
import type { Db } from './session.ts';
import type { Pool } from './pool.ts';
import { gkWxAvatar as avatar } from './schema.ts';
import { user } from './user-table.ts';

/** Writes what users enter themselves, and finds a person's users in several apps. */
export function profiles(lend: Pool['lend']): Pick<Store, 'saveProfile' | 'savePhoneNumber' | 'findUsersByUnionId'> {
  return {
    saveProfile: ({ openId, nickName, avatar: chosenAvatar, now }) =>
      lend(async (db) => {
        // No transaction: an avatar whose user is not changed is swept an hour later.
        if (chosenAvatar) {
          await db
            .insert(avatar)
            .values({ ...chosenAvatar, createdAt: now })
            .onDuplicateKeyUpdate({ set: { createdAt: sql`greatest(values(created_at), ${avatar.createdAt})` } });
        }
        return await update(db, openId, now, {
          ...(nickName !== null && { nickName }),
          ...(chosenAvatar && { avatarUrl: avatarUrlOf(chosenAvatar.hash) }),
        });
      }),
    savePhoneNumber: (openId, phoneNumber, now) => lend((db) => update(db, openId, now, { phoneNumber })),
    findUsersByUnionId: (unionId) =>
      lend((db) => db.select().from(user).where(eq(user.unionId, unionId)).orderBy(asc(user.openId))),
  };
}

async function update(
  db: Db,
  openId: string,
  now: number,
  changes: { nickName?: string; avatarUrl?: string; phoneNumber?: string },
) {
  const updatedAt = sql`greatest(${now}, ${user.updatedAt})`;
  await db
    .update(user)
    .set({ ...changes, updatedAt })
    .where(eq(user.openId, openId));
  const [row] = await db.select().from(user).where(eq(user.openId, openId));
  if (!row) throw new StoreError('unexpected', 'USER_VANISHED');
  return row;
}
