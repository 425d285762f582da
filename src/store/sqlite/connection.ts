import { mkdir, open } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import type { Client } from '@libsql/client';
import type { LibSQLDatabase } from 'drizzle-orm/libsql';
import { StoreError } from '../store.ts';
import { codeOf } from './errors.ts';
import { createEventLoopTurn } from './event-loop-turn.ts';
import { explained, refuseDirectory } from './file.ts';

export type Db = LibSQLDatabase & { $client: Client };
export type Lend = Connection['lend'];

export interface Connection {
  /**
   * Lends the connection for one statement or batch, in the order of the calls, and waits for the locks of other
   * processes by running the work again; lets the event loop turn after some 5 ms of work. Opens the file at the first
   * call, and again after a call that could not open it or was refused a lock.
   */
  lend<T>(work: (db: Db) => Promise<T>): Promise<T>;
  /** Once the calls before it are through. */
  close(): Promise<void>;
}

/** The one connection to a database file, which is created, for its owner alone, when it is not there. */
export function createConnection({ databaseUrl, timeoutMs }: { databaseUrl: string; timeoutMs: number }): Connection {
  const file = path.resolve(databaseUrl.slice('file:'.length));
  let opened: { client: Client; db: Db } | undefined;
  let last: Promise<unknown> = Promise.resolve();
  const eventLoopTurn = createEventLoopTurn();
  let closed = false;

  function closeFile(): void {
    opened?.client.close();
    opened = undefined;
  }

  async function run<T>(work: (db: Db) => Promise<T>, deadline: number): Promise<T> {
    await eventLoopTurn.next();
    if (performance.now() > deadline) throw new StoreError('unavailable', 'TIMEOUT');
    try {
      opened ??= await openFile(file).catch((error: unknown) => {
        throw explained(error, file);
      });
      return await work(opened.db);
    } catch (error) {
      if (codeOf(error) !== 'SQLITE_BUSY') throw error;
      // libsql leaves a statement that was refused the lock in progress, and from then on no COMMIT of its connection
      // passes (tursodatabase/libsql-client-ts#352): such a connection is given up.
      closeFile();
      if (performance.now() > deadline) throw error;
    }
    await sleep(5 + Math.random() * 20);
    return await run(work, deadline);
  }

  return {
    async lend(work) {
      if (closed) throw new StoreError('unavailable', 'CLIENT_CLOSED');
      const deadline = performance.now() + timeoutMs;
      const result = last.then(() => run(work, deadline));
      last = result.catch(() => {});
      return await result;
    },
    async close() {
      closed = true;
      await last;
      closeFile();
    },
  };
}

async function openFile(file: string): Promise<{ client: Client; db: Db }> {
  // Loaded here: a server on MySQL has no need of SQLite in its memory.
  const [{ createClient }, { drizzle }] = await Promise.all([import('@libsql/client'), import('drizzle-orm/libsql')]);
  await refuseDirectory(file);
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  await create(file);
  // Pragmas hold for one connection of the client's pool: so it has one. `timeout` is SQLite's own wait for a lock,
  // which blocks the event loop: kept short, the rest of the wait is `lend`'s.
  const client = createClient({ url: pathToFileURL(file).href, concurrency: 1, timeout: 50 });
  try {
    await client.execute('pragma journal_mode = wal');
    await client.execute('pragma synchronous = full');
    // What is deleted is overwritten with zeros, and not only unlinked: a person's values must not stay in the file.
    await client.execute('pragma secure_delete = on');
    // 16 MB of log and not 4 before it is carried over: what many logins changed is then written once.
    await client.execute('pragma wal_autocheckpoint = 4000');
    // 8 MB of pages and not 2: the upper levels of every index of a million users and sessions.
    await client.execute('pragma cache_size = -8000');
  } catch (error) {
    client.close();
    throw error;
  }
  return { client, db: drizzle({ client: beginningAsWriter(client) }) };
}

/**
 * Creates the file, for its owner alone; SQLite gives its -wal and -shm files the same mode. A file that is there is not
 * even opened: closing it would end every lock that SQLite has on it in this process (POSIX), and corrupt the database.
 */
async function create(file: string): Promise<void> {
  try {
    await (await open(file, 'ax', 0o600)).close();
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  }
}

/** The same client, whose batches take the write lock at once: one that asks for it later may be refused for good. */
function beginningAsWriter(client: Client): Client {
  return new Proxy(client, {
    get(target, name) {
      if (name === 'batch') return (statements: Parameters<Client['batch']>[0]) => target.batch(statements, 'write');
      const member: unknown = Reflect.get(target, name);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
}
