import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'drizzle-orm';
import type { StoreOptions } from '../open.ts';
import { type Store, StoreError } from '../store.ts';
import { serverErrno } from './errors.ts';
import { migrateMysql } from './migrate.ts';
import { openPool } from './pool.ts';
import { deleteSessions, insertSessions, selectSession, selectUser, updateSession, upsertUsers } from './statements.ts';

/** A store on MySQL, MariaDB or what speaks their protocol. */
export function openMysqlStore({ databaseUrl, timeoutMs, poolSize }: StoreOptions): Store {
  const pool = openPool({ databaseUrl, timeoutMs, poolSize });
  return {
    saveLogin: (login) =>
      pool.lend((db) =>
        retryDeadlocks(() =>
          db.transaction(async (tx) => {
            await upsertUsers(tx, [login]);
            await insertSessions(tx, [login]);
            const user = await selectUser(tx, login.openId);
            if (!user) throw new StoreError('unexpected', 'USER_VANISHED');
            return user;
          }),
        ),
      ),
    findUser: (openId) => pool.lend((db) => selectUser(db, openId)),
    findSession: (tokenHash) => pool.lend((db) => selectSession(db, tokenHash)),
    extendSession: (tokenHash, lastUsedAt, expiresAt) =>
      pool.lend((db) => updateSession(db, tokenHash, lastUsedAt, expiresAt)),
    deleteSession: (tokenHash) => pool.lend(async (db) => (await deleteSessions(db, { tokenHash })) > 0),
    deleteSessionsOf: (openId) => pool.lend((db) => deleteSessions(db, { openId })),
    migrate: () => migrateMysql({ databaseUrl }),
    ping: () =>
      pool.lend(async (db) => {
        await db.execute(sql`select 1`);
      }),
    close: pool.close,
  };
}

/** Runs a transaction again, up to 3 times, that InnoDB gave up for another one: it has left nothing behind. */
async function retryDeadlocks<T>(transaction: () => Promise<T>, retries = 3): Promise<T> {
  try {
    return await transaction();
  } catch (error) {
    const errno = serverErrno(error);
    if (retries === 0 || (errno !== 1213 && errno !== 1205)) throw error;
    await sleep(5 + Math.random() * 20);
    return await retryDeadlocks(transaction, retries - 1);
  }
}
