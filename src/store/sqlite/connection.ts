import { mkdir, open } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { type Client, createClient, type ResultSet, type TransactionMode } from '@libsql/client';
import { drizzle } from 'drizzle-orm/libsql';
import type { LibSQLDatabase } from 'drizzle-orm/libsql';
import { StoreError } from '../store.ts';
import { codeOf } from './errors.ts';

/** Drizzle on the one connection. Its `batch` is a transaction that takes the write lock at once. */
export type Db = LibSQLDatabase<Record<string, never>>;

export interface Connection {
  /** Opens the file at the first call, and at the next one after a failure. */
  db(): Promise<Db>;
  close(): void;
}

/** The one connection to a database file, which is created, for its owner alone, when it is not there. */
export function createConnection({ databaseUrl, timeoutMs }: { databaseUrl: string; timeoutMs: number }): Connection {
  const file = path.resolve(databaseUrl.slice('file:'.length));
  let opening: Promise<Client> | undefined;
  let closed = false;

  async function openFile(): Promise<Client> {
    await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
    // SQLite gives its -wal and -shm files the mode of the database.
    await (await open(file, 'a', 0o600)).close();
    // Pragmas hold for one connection of the client's pool: so it has one. `timeout` is SQLite's busy timeout, which
    // blocks the event loop: kept short, the wait goes on in `retryBusy`.
    const client = createClient({ url: pathToFileURL(file).href, concurrency: 1, timeout: 20 });
    try {
      await retryBusy(timeoutMs, () => client.execute('pragma journal_mode = wal'));
      await client.execute('pragma synchronous = full');
    } catch (error) {
      client.close();
      throw error;
    }
    return patient(client, timeoutMs);
  }

  return {
    async db() {
      if (closed) throw new StoreError('unavailable', 'CLIENT_CLOSED');
      opening ??= openFile().catch((error: unknown) => {
        opening = undefined;
        throw error;
      });
      return drizzle({ client: await opening });
    },
    close() {
      closed = true;
      opening?.then((client) => client.close()).catch(() => {});
    },
  };
}

/** The same client, waiting for other processes' locks without blocking ours, and with batches that begin as writes. */
function patient(client: Client, timeoutMs: number): Client {
  return {
    execute: (statement: Parameters<Client['execute']>[0]): Promise<ResultSet> =>
      retryBusy(timeoutMs, () => client.execute(statement)),
    batch: (statements) => retryBusy(timeoutMs, () => client.batch(statements, 'write')),
    migrate: (statements) => client.migrate(statements),
    transaction: (mode?: TransactionMode) => client.transaction(mode ?? 'write'),
    executeMultiple: (statements) => client.executeMultiple(statements),
    sync: () => client.sync(),
    reconnect: () => client.reconnect(),
    close: () => client.close(),
    closed: false,
    protocol: client.protocol,
  };
}

/** SQLITE_BUSY comes before anything was done: a batch takes the write lock first, and a statement is its own. */
async function retryBusy<T>(timeoutMs: number, work: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (codeOf(error) !== 'SQLITE_BUSY' || performance.now() > deadline) throw error;
      await sleep(5 + Math.random() * 20);
    }
  }
}
