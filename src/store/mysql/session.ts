import { type SQL, sql } from 'drizzle-orm';
import type { MySqlDatabase } from 'drizzle-orm/mysql-core';
import { drizzle, type MySql2PreparedQueryHKT, type MySql2QueryResultHKT } from 'drizzle-orm/mysql2';
import type { Connection } from 'mysql2/promise';
import { serverErrno } from './errors.ts';

/** Drizzle on one connection, or on a transaction of it. */
export type Db = MySqlDatabase<MySql2QueryResultHKT, MySql2PreparedQueryHKT>;

/**
 * Gives new connections the settings that correctness needs, whatever the server's defaults, its init_connect or its
 * answer to the handshake are: in one statement, save that the first one finds out whether the server has Galera's.
 */
export function createSessionOpener(timeoutMs: number): (connection: Connection) => Promise<Db> {
  let hasSyncWait = true;
  return async (connection) => {
    const db = drizzle({ client: connection });
    if (hasSyncWait) {
      try {
        await db.execute(settings(timeoutMs, syncWait));
        return db;
      } catch (error) {
        // Without a number the server has not answered. What else it refuses, it refuses again.
        if (serverErrno(error) === undefined) throw error;
        hasSyncWait = false;
      }
    }
    await db.execute(settings(timeoutMs));
    return db;
  };
}

/**
 * A statement that reads or writes waits until this node has what the other nodes of a Galera cluster had committed: 1
 * for reads and BEGIN, 2 for UPDATE and DELETE, 4 for INSERT. Servers of one node have the variable too, or refuse it.
 */
const syncWait = sql`, wsrep_sync_wait = 7`;

/**
 * Servers refuse a variable that they do not know: so the isolation has the name of MySQL 8 in a comment that MariaDB
 * skips, and that of MariaDB in one that MySQL skips. READ COMMITTED would fail where the binary log holds statements.
 */
const isolation = sql`/*!80000 , transaction_isolation = 'REPEATABLE-READ' */ /*M! , tx_isolation = 'REPEATABLE-READ' */`;

function settings(timeoutMs: number, more: SQL = sql``): SQL {
  // Half of the deadline: logins that were joined with one whose row is locked have the other half, without it.
  const lockWaitSeconds = Math.max(1, Math.floor(timeoutMs / 2000));
  // mysql2 escapes on this side: a sql_mode with NO_BACKSLASH_ESCAPES would open it to injection.
  // A statement that waits for a lock outlives its destroyed connection: the server notices only when the wait ends.
  return sql`set names utf8mb4 collate utf8mb4_bin, time_zone = '+00:00',
    sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', autocommit = 1, default_storage_engine = InnoDB,
    sql_safe_updates = 0, sql_select_limit = 18446744073709551615,
    innodb_lock_wait_timeout = ${lockWaitSeconds}, lock_wait_timeout = ${lockWaitSeconds} ${isolation} ${more}`;
}
