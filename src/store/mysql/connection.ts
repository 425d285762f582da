import { Duplex } from 'node:stream';
import type { Connection, ConnectionOptions } from 'mysql2/promise';
import { StoreError } from '../store.ts';
import { mysqlUrl } from './url.ts';

/** Reads `mysql://user:password@host:port/database?ssl=true`; throws a StoreError that shows nothing of it. */
export function connectionOptions(databaseUrl: string, timeoutMs: number): ConnectionOptions {
  const url = mysqlUrl(databaseUrl);
  if (!url) {
    const shape = 'it must be mysql://user:password@host:3306/database, percent-encoded, and may end in ?ssl=true';
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
    // Covers the handshake too: a connection must not outlive the call that waits for it for long.
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
