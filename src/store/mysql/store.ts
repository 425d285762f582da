import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'drizzle-orm';
import { joined } from '../joined.ts';
import type { StoreOptions } from '../open.ts';
import type { LoginWrite, Store } from '../store.ts';
import { accessTokens } from './access-tokens.ts';
import { avatars } from './avatars.ts';
import type { Db } from './connection.ts';
import { serverErrno } from './errors.ts';
import { createLogins } from './logins.ts';
import { countUsers, deleteExpiredSessions, selectUsersAfter, updateSealed } from './maintenance.ts';
import { migrateMysql } from './migrate.ts';
import { openPool } from './pool.ts';
import { profiles } from './profiles.ts';
import { deleteSessions, selectUser, updateSession } from './statements.ts';

/** A store on MySQL, MariaDB or what speaks their protocol. */
export function openMysqlStore({ databaseUrl, timeoutMs, poolSize }: StoreOptions): Store {
  const pool = openPool({ databaseUrl, timeoutMs, poolSize });
  const write = <T>(work: (db: Db) => Promise<T>) => pool.lend((db) => retryDeadlocks(() => work(db)));
  const logins = createLogins();
  return {
    saveLogin: joined({
      work: (items: readonly LoginWrite[]) => write((db) => logins.save(db, items)),
      maxInFlight: 4,
      timeoutMs,
    }),
    findUser: (openId) => pool.lend((db) => selectUser(db, openId)),
    findSession: joined({
      work: (items: readonly Buffer[]) => pool.lend((db) => logins.find(db, items)),
      maxInFlight: 4,
      timeoutMs,
    }),
    extendSession: (tokenHash, lastUsedAt, expiresAt) =>
      write((db) => updateSession(db, tokenHash, lastUsedAt, expiresAt)),
    deleteSession: (tokenHash) => write(async (db) => (await deleteSessions(db, { tokenHash })) > 0),
    deleteSessionsOf: (openId) => write((db) => deleteSessions(db, { openId })),
    deleteExpiredSessions: (now, limit) => pool.lend((db) => deleteExpiredSessions(db, now, limit)),
    countUsers: () => pool.lend(countUsers),
    listUsers: (afterOpenId, limit) => pool.lend((db) => selectUsersAfter(db, afterOpenId, limit)),
    reseal: (changes) =>
      pool.lend((db) =>
        retryDeadlocks(() =>
          db.transaction(async (tx) => {
            let changed = 0;
            for (const change of changes) changed += (await updateSealed(tx, change)) ? 1 : 0;
            return changed;
          }),
        ),
      ),
    ...profiles(write),
    ...avatars(write),
    ...accessTokens(write),
    migrate: () => migrateMysql({ databaseUrl }),
    ping: () =>
      pool.lend(async (db) => {
        await db.execute(sql`select 1`);
      }),
    poolStats: () => pool.stats(),
    close: () => pool.close(),
  };
}

/** Runs again, a few times, what InnoDB gave up in favour of another: it has left nothing behind. */
async function retryDeadlocks<T>(work: () => Promise<T>, retries = 5): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const errno = serverErrno(error);
    if (retries === 0 || (errno !== 1213 && errno !== 1205)) throw error;
    await sleep(5 + Math.random() * 20);
    return await retryDeadlocks(work, retries - 1);
  }
}
