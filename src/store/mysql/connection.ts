import { Duplex } from 'node:stream';
import { sql } from 'drizzle-orm';
import type { MySqlDatabase } from 'drizzle-orm/mysql-core';
import { drizzle, type MySql2PreparedQueryHKT, type MySql2QueryResultHKT } from 'drizzle-orm/mysql2';
import type { Connection, ConnectionOptions } from 'mysql2/promise';
import { StoreError } from '../store.ts';
import { mysqlUrl } from './url.ts';

/** Drizzle on one connection, or on a transaction of it. */
export type Db = MySqlDatabase<MySql2QueryResultHKT, MySql2PreparedQueryHKT>;

/** Reads `mysql://user:password@host:port/database?ssl=true`; throws a StoreError that shows nothing of it. */
export function connectionOptions(databaseUrl: string, timeoutMs: number): ConnectionOptions {
  const url = mysqlUrl(databaseUrl);
  if (!url) {
    const shape = 'it must be mysql://user:password@host:3306/database, and may end in ?ssl=true';
    throw new StoreError('unexpected', 'DATABASE_URL_INVALID', undefined, shape);
  }
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? 3306 : Number(url.port),
    user: decoded(url.username),
    password: decoded(url.password),
    database: decoded(url.pathname.slice(1)),
    ...(url.search !== '' && { ssl: { verifyIdentity: true } }),
    charset: 'utf8mb4',
    // Covers the handshake too: a connection that nobody waits for any more must not outlive its waiter for long.
    connectTimeout: Math.ceil(timeoutMs / 2),
    trace: false,
  };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** Makes the new connection one of ours, whatever the server's defaults are. */
export async function openSession(connection: Connection, timeoutMs: number): Promise<Db> {
  const db = drizzle({ client: connection });
  // Half of the deadline: logins that were joined with one whose row is locked have the other half, without it.
  const lockWaitSeconds = Math.max(1, Math.floor(timeoutMs / 2000));
  // mysql2 escapes on this side: a sql_mode with NO_BACKSLASH_ESCAPES would open it to injection.
  // A statement that waits for a lock outlives its destroyed connection: the server notices only when the wait ends.
  await db.execute(sql`set time_zone = '+00:00', sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION',
    innodb_lock_wait_timeout = ${lockWaitSeconds}, lock_wait_timeout = ${lockWaitSeconds}`);
  return db;
}

/** mysql2's own `destroy` says goodbye and waits for the answer: a peer that is gone keeps the socket open for ever. */
export function sever(connection: Connection): void {
  connection.destroy();
  socketOf(connection)?.destroy();
}

/** mysql2's types leave the socket out, and its promise wrapper hides the connection itself. */
export function socketOf(connection: Connection): Duplex | undefined {
  const stream: unknown = Reflect.get(Reflect.get(connection, 'connection') as object, 'stream');
  return stream instanceof Duplex ? stream : undefined;
}
