import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'drizzle-orm';
import { joined } from '../joined.ts';
import type { LoginWrite, Store, StoreOptions } from '../store.ts';
import { accessTokens } from './access-tokens.ts';
import { avatars } from './avatars.ts';
import type { Db } from './connection.ts';
import { serverErrno } from './errors.ts';
import { createLogins } from './logins.ts';
import { countUsers, deleteExpiredSessions, selectUsersAfter, updateSealed } from './maintenance.ts';
import { migrateMysql } from './migrate.ts';
import { openPool } from './pool.ts';
import { profiles } from './profiles.ts';
import { deleteSession, deleteSessionsOf, selectUser, updateSession } from './statements.ts';

/** A store on MySQL, MariaDB or what speaks their protocol. */
export function openMysqlStore({ databaseUrl, timeoutMs, poolSize }: StoreOptions): Store {
  const pool = openPool({ databaseUrl, timeoutMs, poolSize });
  const write = <T>(work: (db: Db) => Promise<T>) => pool.lend((db) => retryLocked(() => work(db)));
  const logins = createLogins();
  return {
    saveLogin: joined({
      work: (items: readonly LoginWrite[]) =>
        // A wait for a lock is worth another try for one login only: the others of its group need not have it.
        pool.lend((db) =>
          retryLocked(() => logins.save(db, items), items.length === 1 ? [deadlock, lockWait] : [deadlock]),
        ),
      isOfOne: (error) => error.kind === 'unexpected' || error.errno === lockWait,
      maxInFlight: 4,
      timeoutMs,
    }),
    findUser: (openId) => pool.lend((db) => selectUser(db, openId)),
    findSession: joined({
      work: (items: readonly Buffer[]) => pool.lend((db) => logins.find(db, items)),
      maxInFlight: 4,
      timeoutMs,
    }),
    extendSession: (extension) => write((db) => updateSession(db, extension)),
    deleteSession: (tokenHash) => write((db) => deleteSession(db, tokenHash)),
    deleteSessionsOf: (openId, now) => write((db) => deleteSessionsOf(db, openId, now)),
    deleteExpiredSessions: (now, limit) => pool.lend((db) => deleteExpiredSessions(db, now, limit)),
    countUsers: () => pool.lend(countUsers),
    listUsers: (afterOpenId, limit) => pool.lend((db) => selectUsersAfter(db, afterOpenId, limit)),
    reseal: (changes) =>
      pool.lend((db) =>
        retryLocked(() =>
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

/** ER_LOCK_DEADLOCK and ER_LOCK_WAIT_TIMEOUT. */
const [deadlock, lockWait] = [1213, 1205];

/** Runs again, a few times, what InnoDB gave up in favour of another: it has left nothing behind. */
async function retryLocked<T>(work: () => Promise<T>, errnos = [deadlock, lockWait], retries = 5): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (retries === 0 || !errnos.includes(serverErrno(error) ?? 0)) throw error;
    await sleep(5 + Math.random() * 20);
    return await retryLocked(work, errnos, retries - 1);
  }
}
