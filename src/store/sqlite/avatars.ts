import { and, asc, eq, gt, lt, lte, notExists, sql } from 'drizzle-orm';
import { avatarUrlEnd, avatarUrlStart } from '../avatar-url.ts';
import type { Store } from '../store.ts';
import type { Lend } from './connection.ts';
import { gkWxAvatar as avatar, gkWxUser as user } from './schema.ts';

export function avatars(lend: Lend): Pick<Store, 'findAvatar' | 'sweepAvatars'> {
  return {
    findAvatar: (hash) =>
      lend(async (db) => {
        const [row] = await db.select({ bytes: avatar.bytes }).from(avatar).where(eq(avatar.hash, hash));
        return row?.bytes ?? null;
      }),
    sweepAvatars: ({ after, limit, createdBefore }) =>
      lend(async (db) => {
        const [last] = await db
          .select({ hash: avatar.hash })
          .from(avatar)
          .where(gt(avatar.hash, after))
          .orderBy(asc(avatar.hash))
          .limit(1)
          .offset(limit - 1);
        const url = sql`${avatarUrlStart} || lower(hex(${avatar.hash})) || ${avatarUrlEnd}`;
        const users = db
          .select({ one: sql`1` })
          .from(user)
          .where(eq(user.avatarUrl, url));
        // The statement that deletes checks age and use itself: no other write comes between.
        const { rowsAffected } = await db
          .delete(avatar)
          .where(
            and(
              gt(avatar.hash, after),
              last && lte(avatar.hash, last.hash),
              lt(avatar.createdAt, createdBefore),
              notExists(users),
            ),
          );
        return { deleted: rowsAffected, next: last?.hash ?? null };
      }),
  };
}
