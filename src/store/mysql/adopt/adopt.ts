import { StoreError } from '../../store.ts';
import { migrateMysql } from '../migrate.ts';
import { openPool, type Pool } from '../pool.ts';
import type { RawRow } from '../raw.ts';
import { compareUsers, insertUsers, type Sealing } from './adopted-users.ts';
import {
  asideTable,
  columnsOf,
  countNameless,
  countRows,
  dropAside,
  otherColumns,
  ourTable,
  problemsOf,
  readLegacyRows,
  renameAside,
  toUsers,
} from './legacy-table.ts';
import { type LegacyRow, readLegacyRow } from './legacy-user.ts';

interface AdoptOptions extends Sealing {
  /** `mysql://…` */
  databaseUrl: string;
  /** Drops the old table, which has the keys in clear, once all of it was found in ours. */
  drop?: boolean;
  /** Takes rows without a session key for users too. */
  takesKeyless?: boolean;
  onProgress?: (step: 'check' | 'adopt' | 'compare', done: number, total: number) => void;
  now?: () => number;
  batchSize?: number;
}

export interface Adopted {
  users: number;
  /** Of these users, how many had a session key, which is sealed now. */
  sealed: number;
  /** What stays in the old table alone. */
  left: Left;
  /** Where the old table stands now; null when it was dropped. */
  aside: string | null;
}

export interface Left {
  /** Rows without a user: they have no openid of WeChat, or no session key. */
  rows: number;
  /** The first of them, each with the reason. */
  named: readonly string[];
  /** Columns that are not the tutorial's. */
  columns: readonly string[];
}

/** How many rows are named. */
const maxNamed = 10;

/**
 * Takes over the tutorial's own `gk_wx_user`: checks all of it, renames it aside, makes our tables, seals its keys into
 * ours, and compares row by row. A table that it does not understand is refused before anything is changed. Rows without a
 * user stay in the old table, and so do columns that are not the tutorial's. After an interruption it is called again.
 * Rejects with a StoreError.
 */
export async function adoptUsers(options: AdoptOptions): Promise<Adopted> {
  const { now = Date.now } = options;
  const pool = openPool({ databaseUrl: options.databaseUrl, timeoutMs: 60_000, poolSize: 1 });
  try {
    const columns = await setAside(pool, options);
    await migrateMysql({ databaseUrl: options.databaseUrl });
    await eachBatch(pool, asideTable, columns, 'adopt', options, (_, read) => {
      const users = toUsers(read);
      return users.length === 0 ? Promise.resolve() : pool.lend((db) => insertUsers(db, users, options, now()));
    });
    let [users, sealed] = [0, 0];
    const nameless = await pool.lend((db) => countNameless(db, asideTable));
    const left = { rows: nameless, named: [] as string[], columns: otherColumns(columns) };
    await eachBatch(pool, asideTable, columns, 'compare', options, async (rows, read) => {
      const batch = toUsers(read);
      if (batch.length > 0) await pool.lend((db) => compareUsers(db, batch, options));
      users += batch.length;
      sealed += batch.filter(({ sessionKey }) => sessionKey !== null).length;
      for (const [index, row] of read.entries()) {
        if (row.kind !== 'left') continue;
        left.rows += 1;
        if (left.named.length < maxNamed) left.named.push(`${JSON.stringify(rows[index]?.open_id)}: ${row.why}`);
      }
    });
    if (options.drop && left.rows > 0) throw refused('ROWS_LEFT', explainLeft(left.rows));
    if (options.drop) await pool.lend(dropAside);
    return { users, sealed, left, aside: options.drop ? null : asideTable };
  } finally {
    await pool.close();
  }
}

const explainLeft = (rows: number) =>
  `${asideTable} is kept, since ${rows} of its rows have no user: delete them there, or take those without a session key by --without-key`;

/** Renames the old table aside, unless an earlier run has done so, and gives its columns. */
async function setAside(pool: Pool, options: AdoptOptions): Promise<ReadonlySet<string>> {
  const [current, aside] = await pool.lend(async (db) => [
    await columnsOf(db, ourTable),
    await columnsOf(db, asideTable),
  ]);
  const isTheirs = current !== null && current !== undefined && !current.has('session_key_fingerprint');
  if (aside) {
    if (isTheirs) throw refused('TWO_TABLES', `both ${ourTable} and ${asideTable} are there, and neither is guoke's`);
    return aside;
  }
  if (!isTheirs) throw refused('NOTHING_TO_ADOPT', `there is no ${ourTable} of another application here`);
  const problems = await pool.lend((db) => problemsOf(db, ourTable, current));
  if (problems.length === 0) problems.push(...(await unfitRows(pool, current, options)));
  if (problems.length > 0) {
    throw refused(
      'NOT_UNDERSTOOD',
      `nothing was changed.\n${problems.map((each) => `  ${ourTable}: ${each}`).join('\n')}`,
    );
  }
  await pool.lend(renameAside);
  return current;
}

async function unfitRows(pool: Pool, columns: ReadonlySet<string>, options: AdoptOptions): Promise<string[]> {
  const named: string[] = [];
  let unfit = 0;
  await eachBatch(pool, ourTable, columns, 'check', options, async (rows, read) => {
    for (const [index, row] of read.entries()) {
      if (row.kind !== 'unfit') continue;
      unfit++;
      // The openid alone: it is what the operator finds the row by.
      if (named.length < maxNamed)
        named.push(`the user ${JSON.stringify(rows[index]?.open_id)}: ${row.columns.join(', ')} would not fit`);
    }
  });
  return unfit > named.length ? [...named, `and ${unfit - named.length} rows more`] : named;
}

type Step = 'check' | 'adopt' | 'compare';

/** Gives `work` the rows that have an openid, batch by batch: as stored, and as read. */
async function eachBatch(
  pool: Pool,
  table: string,
  columns: ReadonlySet<string>,
  step: Step,
  { onProgress = () => {}, batchSize = 500, takesKeyless = false }: AdoptOptions,
  work: (rows: RawRow[], read: LegacyRow[]) => Promise<void>,
): Promise<void> {
  const total = await pool.lend((db) => countRows(db, table));
  let done = 0;
  for (let after: string | null = null; ;) {
    const rows: RawRow[] = await pool.lend((db) => readLegacyRows(db, table, columns, after, batchSize));
    await work(
      rows,
      rows.map((row) => readLegacyRow(row, takesKeyless)),
    );
    done += rows.length;
    onProgress(step, done, total);
    if (rows.length < batchSize) return;
    after = String(rows.at(-1)?.open_id);
  }
}

function refused(code: string, explanation: string): StoreError {
  return new StoreError('unexpected', code, undefined, explanation);
}
