import { sql } from 'drizzle-orm';
import { joined } from '../joined.ts';
import type { StoreOptions } from '../open.ts';
import { type LoginWrite, type Store, StoreError } from '../store.ts';
import { accessTokens } from './access-tokens.ts';
import { avatars } from './avatars.ts';
import { createConnection, type Db } from './connection.ts';
import { toStoreError } from './errors.ts';
import { countUsers, deleteExpiredSessions, selectUsersAfter, updateSealed } from './maintenance.ts';
import { migrateSqlite } from './migrate.ts';
import { profiles } from './profiles.ts';
import {
  deleteSession,
  deleteSessionsOf,
  insertSessions,
  selectSessions,
  selectUsers,
  updateSession,
  upsertUsers,
} from './statements.ts';

/** A store in one SQLite file. Each call blocks the event loop while SQLite works. */
export function openSqliteStore({ databaseUrl, timeoutMs }: Omit<StoreOptions, 'poolSize'>): Store {
  const connection = createConnection({ databaseUrl, timeoutMs });

  let pending = 0;

  async function run<T>(work: (db: Db) => Promise<T>): Promise<T> {
    pending += 1;
    try {
      return await connection.lend(work);
    } catch (error) {
      throw toStoreError(error);
    } finally {
      pending -= 1;
    }
  }

  return {
    saveLogin: joined({
      work: (logins: readonly LoginWrite[]) =>
        run(async (db) => {
          const openIds = [...new Set(logins.map(({ openId }) => openId))];
          const [, , users] = await db.batch([
            upsertUsers(db, logins),
            insertSessions(db, logins),
            selectUsers(db, openIds),
          ]);
          const byOpenId = new Map(users.map((user) => [user.openId, user]));
          return logins.map(({ openId }) => byOpenId.get(openId) ?? vanished());
        }),
      maxInFlight: 1,
      timeoutMs,
    }),
    findUser: (openId) => run(async (db) => (await selectUsers(db, [openId]))[0] ?? null),
    findSession: joined({
      work: (tokenHashes: readonly Buffer[]) => run((db) => selectSessions(db, tokenHashes)),
      maxInFlight: 1,
      timeoutMs,
    }),
    extendSession: (extension) => run((db) => updateSession(db, extension)),
    deleteSession: (tokenHash) => run((db) => deleteSession(db, tokenHash)),
    deleteSessionsOf: (openId, now) => run((db) => deleteSessionsOf(db, openId, now)),
    deleteExpiredSessions: (now, limit) => run((db) => deleteExpiredSessions(db, now, limit)),
    countUsers: () => run(countUsers),
    listUsers: (afterOpenId, limit) => run((db) => selectUsersAfter(db, afterOpenId, limit)),
    reseal: ([first, ...rest]) =>
      run(async (db) => {
        if (!first) return 0;
        const results = await db.batch([updateSealed(db, first), ...rest.map((change) => updateSealed(db, change))]);
        return results.reduce((changed, { rowsAffected }) => changed + rowsAffected, 0);
      }),
    ...profiles(run),
    ...avatars(run),
    ...accessTokens(run),
    migrate: () => migrateSqlite({ databaseUrl }),
    ping: () =>
      run(async (db) => {
        await db.run(sql`select 1`);
      }),
    poolStats: () => ({ size: 1, inUse: Math.min(pending, 1), waiting: Math.max(pending - 1, 0) }),
    close: () => connection.close(),
  };
}

function vanished(): never {
  throw new StoreError('unexpected', 'USER_VANISHED');
}
