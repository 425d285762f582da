import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { type Connection, createPool, type PoolConnection } from 'mysql2/promise';
import { withDeadline } from '../deadline.ts';
import type { PoolStats } from '../store.ts';
import { connectionOptions, sever, socketOf } from './connection.ts';
import { toStoreError } from './errors.ts';
import { createSessionOpener, type Db } from './session.ts';

export interface Pool {
  /**
   * Lends a connection for one piece of work. Rejects with a StoreError, at the deadline at the latest; a connection
   * whose work did not end by then is destroyed.
   */
  lend<T>(work: (db: Db) => Promise<T>): Promise<T>;
  stats(): PoolStats;
  close(): Promise<void>;
}

interface PoolOptions {
  databaseUrl: string;
  timeoutMs: number;
  poolSize: number;
  /** How many may wait for a connection; one more is refused at once. */
  queueLimit?: number;
}

/** A pool of mysql2's with the deadline that it lacks: its `timeout` rejects the caller and keeps the connection. */
export function openPool({ databaseUrl, timeoutMs, poolSize, queueLimit = poolSize * 100 }: PoolOptions): Pool {
  const pool = createPool({ ...connectionOptions(databaseUrl, timeoutMs), connectionLimit: poolSize, queueLimit });
  const openSession = createSessionOpener(timeoutMs);
  /** By mysql2's own connection: its promise wrapper is a new one each time. */
  const sessions = new Map<Connection, Db>();
  const sockets = new Set<Duplex>();
  let closing: Promise<void> | undefined;
  let waiting = 0;
  let inUse = 0;

  async function sessionOf(connection: PoolConnection): Promise<Db> {
    const known = sessions.get(connection.connection);
    if (known) return known;
    const socket = socketOf(connection);
    if (socket) {
      sockets.add(socket);
      socket.once('close', () => {
        sockets.delete(socket);
        sessions.delete(connection.connection);
      });
    }
    const db = await openSession(connection);
    sessions.set(connection.connection, db);
    return db;
  }

  async function lend<T>(work: (db: Db) => Promise<T>): Promise<T> {
    let expired = false;
    let held: PoolConnection | undefined;

    async function run(): Promise<T> {
      waiting += 1;
      const connection = await pool.getConnection().finally(() => (waiting -= 1));
      if (expired) {
        connection.release();
        throw new Error('the call has expired');
      }
      held = connection;
      inUse += 1;
      const result = await work(await sessionOf(connection));
      if (!expired) connection.release();
      return result;
    }

    try {
      return await withDeadline(timeoutMs, run(), () => {
        expired = true;
        if (held) sever(held);
      });
    } catch (error) {
      const failure = toStoreError(error);
      if (held && !expired) {
        // After a refusal the connection is whole; after anything else it may not be.
        if (failure.kind === 'unexpected' && sessions.has(held.connection)) held.release();
        else sever(held);
      }
      throw failure;
    } finally {
      if (held) inUse -= 1;
    }
  }

  return {
    lend,
    stats: () => ({ size: poolSize, inUse, waiting }),
    close: () => (closing ??= close()),
  };

  /** mysql2 says goodbye and does not wait: the sockets to a server that is gone would be there for ever. */
  async function close(): Promise<void> {
    const closed = pool.end().then(() => Promise.all([...sockets].map((socket) => once(socket, 'close'))));
    await withDeadline(timeoutMs, closed).catch(() => {});
    for (const socket of sockets) socket.destroy();
  }
}
