import { sql } from 'drizzle-orm';
import type { StoreOptions } from '../open.ts';
import { type Store, StoreError } from '../store.ts';
import { createConnection, type Db } from './connection.ts';
import { toStoreError } from './errors.ts';
import { migrateSqlite } from './migrate.ts';
import { deleteSessions, insertSessions, selectSession, selectUser, updateSession, upsertUsers } from './statements.ts';

/** A store in one SQLite file. Each call blocks the event loop while SQLite works. */
export function openSqliteStore({ databaseUrl, timeoutMs }: Omit<StoreOptions, 'poolSize'>): Store {
  const connection = createConnection({ databaseUrl, timeoutMs });

  async function run<T>(work: (db: Db) => Promise<T>): Promise<T> {
    try {
      return await work(await connection.db());
    } catch (error) {
      throw toStoreError(error);
    }
  }

  return {
    saveLogin: (login) =>
      run(async (db) => {
        const [, , [user]] = await db.batch([
          upsertUsers(db, [login]),
          insertSessions(db, [login]),
          selectUser(db, login.openId),
        ]);
        if (!user) throw new StoreError('unexpected', 'USER_VANISHED');
        return user;
      }),
    findUser: (openId) => run(async (db) => (await selectUser(db, openId))[0] ?? null),
    findSession: (tokenHash) => run((db) => selectSession(db, tokenHash)),
    extendSession: (tokenHash, lastUsedAt, expiresAt) => run((db) => updateSession(db, tokenHash, lastUsedAt, expiresAt)),
    deleteSession: (tokenHash) => run(async (db) => (await deleteSessions(db, { tokenHash })) > 0),
    deleteSessionsOf: (openId) => run((db) => deleteSessions(db, { openId })),
    migrate: () => run((db) => migrateSqlite(db)),
    ping: () =>
      run(async (db) => {
        await db.run(sql`select 1`);
      }),
    close: async () => connection.close(),
  };
}
