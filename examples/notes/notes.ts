import { createClient } from '@libsql/client';
import { StoreError } from 'guoke';
import { z } from 'zod';

const noteRows = z.array(z.object({ id: z.number(), text: z.string(), created_at: z.number() }));

export interface Note {
  id: number;
  text: string;
  createdAt: number;
}

/** What the procedures need of a database. */
export interface Notes {
  add(openId: string, text: string, createdAt: number): Promise<Note>;
  /** The latest first. */
  of(openId: string, limit: number): Promise<Note[]>;
  close(): void;
}

/** Notes in a table of their own, in a file of their own. */
export async function openNotes(file: string): Promise<Notes> {
  const client = createClient({ url: `file:${file}`, concurrency: 1 });
  await client.execute('pragma journal_mode = wal');
  await client.execute(`create table if not exists notes (
    id integer primary key, open_id text not null, text text not null, created_at integer not null)`);
  await client.execute('create index if not exists notes_open_id on notes (open_id, id)');

  /** A StoreError that is `unavailable` reaches the phone as DATABASE_UNAVAILABLE, try later; all else as INTERNAL. */
  async function query(sql: string, args: (string | number)[]): Promise<Note[]> {
    try {
      const { rows } = await client.execute({ sql, args });
      return noteRows.parse(rows).map(({ created_at, ...note }) => ({ ...note, createdAt: created_at }));
    } catch {
      throw new StoreError('unavailable', 'NOTES');
    }
  }

  return {
    async add(openId, text, createdAt) {
      const insert = 'insert into notes (open_id, text, created_at) values (?, ?, ?) returning *';
      const [note] = await query(insert, [openId, text, createdAt]);
      if (!note) throw new StoreError('unexpected', 'NOTE_VANISHED');
      return note;
    },
    of: (openId, limit) => query('select * from notes where open_id = ? order by id desc limit ?', [openId, limit]),
    close: () => client.close(),
  };
}
