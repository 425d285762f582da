import type { Sweep } from '../operations/sweeper.ts';
import type { Store, User } from '../store/store.ts';
import { eraseUser, type OnUserDeleted } from './erasure.ts';

const dayMs = 24 * 60 * 60 * 1000;
/** Users of one step: each that is deleted is a transaction of its own. */
const maxStep = 50;

interface RetentionOptions {
  store: Pick<Store, 'listUsers' | 'listSessions' | 'findUser' | 'deleteUser'>;
  onUserDeleted: OnUserDeleted;
  /** 0 keeps users for ever. */
  retentionDays: number;
}

/**
 * Deletes users who were not seen for so many days. It walks all users in the order of openids, once a day, step by step:
 * an index on the time would cost each login a write. A failure does not stop the walk, and is told at the end of its step.
 */
export function createRetentionSweep({ store, onUserDeleted, retentionDays }: RetentionOptions): Sweep {
  let after = '';
  let walkedAt = Number.NEGATIVE_INFINITY;

  return async (now, limit) => {
    if (retentionDays === 0 || now - walkedAt < dayMs) return { deleted: 0, hasMore: false };
    const unseenSince = now - retentionDays * dayMs;
    const step = Math.min(limit, maxStep);
    const users = await store.listUsers(after, step);
    const failures: unknown[] = [];
    let deleted = 0;
    for (const user of users) {
      try {
        if (await eraseUnseen(user, unseenSince)) deleted += 1;
      } catch (error) {
        failures.push(error);
      }
    }
    const isEnd = users.length < step;
    after = isEnd ? '' : (users.at(-1)?.openId ?? '');
    if (isEnd) walkedAt = now;
    if (failures.length > 0) throw failures[0];
    return { deleted, hasMore: !isEnd };
  };

  async function eraseUnseen({ openId, createdAt, updatedAt }: User, unseenSince: number): Promise<boolean> {
    if (updatedAt >= unseenSince) return false;
    // Before the owner's hook, too: of a session of an older version the use stands in the session alone.
    const sessions = await store.listSessions(openId, 0, 1000);
    if (sessions.some(({ lastUsedAt }) => lastUsedAt >= unseenSince)) return false;
    return await eraseUser({ store, onUserDeleted }, { openId, createdUpTo: createdAt, unseenSince });
  }
}
