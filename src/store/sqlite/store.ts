import { sql } from 'drizzle-orm';
import { createBatcher } from '../batcher.ts';
import type { LoginWrite, Store, StoreOptions } from '../store.ts';
import { accessTokens } from './access-tokens.ts';
import { accounts } from './accounts.ts';
import { avatars } from './avatars.ts';
import { createConnection, type Db } from './connection.ts';
import { toStoreError } from './errors.ts';
import { createLogins } from './logins.ts';
import { countUsers, deleteExpiredSessions, selectUsersAfter, updateSealed } from './maintenance.ts';
import { migrateSqlite } from './migrate.ts';
import { deleteSession, deleteSessionsOf, selectUser, updateSession } from './statements.ts';
import { verifyTables } from './tables.ts';

/** A store in one SQLite file. Each call blocks the event loop while SQLite works. */
export function openSqliteStore({ databaseUrl, timeoutMs }: Omit<StoreOptions, 'poolSize'>): Store {
  const connection = createConnection({ databaseUrl, timeoutMs });
  const logins = createLogins();
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
    saveLogin: createBatcher({
      runBatch: (items: readonly LoginWrite[]) => run((db) => logins.save(db, items)),
      maxInFlight: 1,
      timeoutMs,
    }),
    findUser: (openId) => run((db) => selectUser(db, openId)),
    findSession: createBatcher({
      runBatch: (items: readonly Buffer[]) => run((db) => logins.find(db, items)),
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
    ...accounts(run),
    ...avatars(run),
    ...accessTokens(run),
    migrate: () => migrateSqlite({ databaseUrl }),
    verifyTables: () => run(verifyTables),
    ping: () =>
      run(async (db) => {
        await db.run(sql`select 1`);
      }),
    poolStats: () => ({ size: 1, inUse: Math.min(pending, 1), waiting: Math.max(pending - 1, 0) }),
    close: () => connection.close(),
  };
}
