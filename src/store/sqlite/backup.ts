import { randomBytes } from 'node:crypto';
import { link, open, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { sql } from 'drizzle-orm';
import { StoreError } from '../store.ts';
import { createConnection } from './connection.ts';
import { codeOf, toStoreError } from './errors.ts';
import { flush } from './file.ts';

export interface Backup {
  bytes: number;
  users: number;
  sessions: number;
}

/**
 * Copies the database as it is at one moment into a new file, mode 0600, while others read and write it. The file
 * appears under its name once it is whole, checked and on the disk. Rejects with a StoreError.
 */
export async function backupSqlite({ databaseUrl, file }: { databaseUrl: string; file: string }): Promise<Backup> {
  const draft = `${path.resolve(file)}.${randomBytes(6).toString('hex')}`;
  const source = createConnection({ databaseUrl, timeoutMs: 30_000 });
  try {
    await refuseMissing(databaseUrl);
    // SQLite fills an empty file that is there, with the mode that it has.
    await (await open(draft, 'wx', 0o600)).close();
    await source.lend((db) => db.run(sql`vacuum into ${draft}`));
    const counts = await checked(draft);
    // SQLite does not wait for the disk here (www.sqlite.org/lang_vacuum.html).
    await flush(draft);
    await link(draft, file).catch((error: unknown) => {
      if (codeOf(error) !== 'EEXIST') throw error;
      throw new StoreError('unexpected', 'EEXIST', undefined, 'there is a file of that name already');
    });
    await flush(path.dirname(path.resolve(file)));
    return { ...counts, bytes: (await stat(file)).size };
  } catch (error) {
    throw toStoreError(error);
  } finally {
    await source.close();
    for (const suffix of ['', '-wal', '-shm', '-journal']) await rm(`${draft}${suffix}`, { force: true });
  }
}

/** Opening a missing database creates it, and its empty backup would be noticed too late. */
export async function refuseMissing(databaseUrl: string): Promise<void> {
  await stat(databaseUrl.slice('file:'.length)).catch((error: unknown) => {
    if (codeOf(error) !== 'ENOENT') throw error;
    throw new StoreError('unexpected', 'ENOENT', undefined, 'DATABASE_URL names no database that is there');
  });
}

async function checked(file: string): Promise<{ users: number; sessions: number }> {
  const copy = createConnection({ databaseUrl: `file:${file}`, timeoutMs: 30_000 });
  try {
    const [verdict] = await copy.lend((db) => db.all<Record<string, unknown>>(sql`pragma integrity_check`));
    if (verdict?.integrity_check !== 'ok') throw new StoreError('unexpected', 'SQLITE_CORRUPT');
    const counts = await copy.lend((db) =>
      db.get<{ users: number; sessions: number }>(
        sql`select (select count(*) from gk_wx_user) as users, (select count(*) from gk_wx_session) as sessions`,
      ),
    );
    // One file again, without a log beside it.
    await copy.lend((db) => db.run(sql`pragma journal_mode = delete`));
    return counts;
  } finally {
    await copy.close();
  }
}
