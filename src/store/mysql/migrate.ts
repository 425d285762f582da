import { type SQL, sql } from 'drizzle-orm';
import { createConnection } from 'mysql2/promise';
import { withDeadline } from '../deadline.ts';
import { earlierJournalTable, foreignTable, journalTable, type Migration, readMigrations } from '../migrations.ts';
import { StoreError } from '../store.ts';
import { connectionOptions, sever } from './connection.ts';
import { serverErrno, toStoreError } from './errors.ts';
import { createSessionOpener, type Db } from './session.ts';
import { verifyTables } from './tables.ts';

interface MigrateOptions {
  databaseUrl: string;
  /** For the whole of it, the wait for the other instances included. */
  timeoutMs?: number;
  /** For a statement that has its answer at once: a network that has fallen silent must not take all of the time. */
  statementMs?: number;
  migrations?: readonly Migration[];
}

/**
 * "It is there already" and "it is gone already", in the errors of DDL: ER_TABLE_EXISTS, ER_BAD_TABLE, ER_DUP_FIELDNAME,
 * ER_DUP_KEYNAME, ER_CANT_DROP_FIELD_OR_KEY.
 */
const alreadyDone: ReadonlySet<number | undefined> = new Set([1050, 1051, 1060, 1061, 1091]);

const noSuchTable = 1146;

const journal = sql.identifier(journalTable);
/** Which statement of a migration was begun last: MySQL commits each DDL statement by itself. */
const progress = sql.identifier('__guoke_migration_progress');

/** Brings the tables up to date under a lock of the server's; whoever comes second finds nothing to do. */
export async function migrateMysql({
  databaseUrl,
  timeoutMs = 60_000,
  statementMs = 3_000,
  migrations = readMigrations('mysql'),
}: MigrateOptions): Promise<void> {
  // Two seconds to connect: a database that comes back behind a silent network is found soon after.
  const options = connectionOptions(databaseUrl, 4_000);
  try {
    const connection = await createConnection(options);
    // Without a listener, an error between two statements would end the process.
    connection.on('error', () => {});
    try {
      const db = await withDeadline(statementMs, createSessionOpener(timeoutMs)(connection));
      await withDeadline(timeoutMs, createMigrator({ db, timeoutMs, statementMs }).run(migrations));
      await withDeadline(statementMs, verifyTables(db));
    } finally {
      // The lock ends with its connection.
      sever(connection);
    }
  } catch (error) {
    throw toStoreError(error);
  }
}

interface MigratorOptions {
  db: Db;
  timeoutMs: number;
  statementMs: number;
}

function createMigrator({ db, timeoutMs, statementMs }: MigratorOptions) {
  const within = <T>(work: Promise<T>) => withDeadline(statementMs, work);
  const ask = async (statement: SQL) => (await rowsOf(within(db.execute(statement))))[0];

  return { run };

  async function run(migrations: readonly Migration[]): Promise<void> {
    const isApplied = await hashesOf(journalTable);
    if (migrations.every(({ hash }) => isApplied.has(hash))) return;
    await lock();
    await ask(sql`create table if not exists ${journal}
      (id serial primary key, hash text not null, created_at bigint)`);
    await ask(sql`create table if not exists ${progress}
      (hash char(64) character set ascii collate ascii_bin primary key, statement int not null)`);
    const applied = await hashesOf(journalTable);
    const appliedEarlier = await hashesOf(earlierJournalTable);
    for (const migration of migrations) {
      if (applied.has(migration.hash)) continue;
      if (!appliedEarlier.has(migration.hash)) await apply(migration);
      await record(migration);
    }
  }

  /** What stands in a journal; nothing where there is none. */
  async function hashesOf(table: string): Promise<ReadonlySet<string>> {
    try {
      const rows = await rowsOf(within(db.execute(sql`select hash from ${sql.identifier(table)}`)));
      return new Set(rows.map(({ hash }) => String(hash)));
    } catch (error) {
      if (serverErrno(error) !== noSuchTable) throw error;
      return new Set();
    }
  }

  /** Half of the time to wait for the others, half for the work. Names of locks are the server's, not the database's. */
  async function lock(): Promise<void> {
    const deadline = performance.now() + timeoutMs / 2;
    // Second by second: a wait of half a minute looks like a network that has fallen silent.
    do {
      const got = await ask(sql`select get_lock(concat('guoke.', md5(database())), 1) as got`);
      if (got?.got === 1) return;
    } while (performance.now() < deadline);
    throw new StoreError('unavailable', 'MIGRATION_LOCKED', undefined, 'another instance is at it');
  }

  async function apply({ hash, statements, tables, createdAt }: Migration): Promise<void> {
    const begun = await ask(sql`select statement from ${progress} where hash = ${hash}`);
    if (!begun) await refuseForeignTables(tables);
    const first = Number(begun?.statement ?? 0);
    for (const [position, statement] of statements.entries()) {
      if (position < first) continue;
      await ask(sql`replace into ${progress} (hash, statement) values (${hash}, ${position})`);
      try {
        // It may take what is left of all the time: a table with users in it is not altered at once.
        await db.execute(sql.raw(statement));
      } catch (error) {
        // Only the statement at which an earlier run ended may have been carried out, and not been recorded.
        if (begun && position === first && alreadyDone.has(serverErrno(error))) continue;
        const { kind, code, errno } = toStoreError(error);
        const where = `migration ${new Date(createdAt).toISOString()} stopped at statement ${position + 1} of ${statements.length}`;
        throw new StoreError(kind, code, errno, `${where}; the next start continues there`);
      }
    }
  }

  async function record({ hash, createdAt }: Migration): Promise<void> {
    await within(
      db.transaction(async (tx) => {
        await tx.execute(sql`insert into ${journal} (hash, created_at) values (${hash}, ${createdAt})`);
        await tx.execute(sql`delete from ${progress} where hash = ${hash}`);
      }),
    );
  }

  async function refuseForeignTables(tables: readonly string[]): Promise<void> {
    for (const table of tables) {
      const found = await ask(
        sql`select 1 from information_schema.tables where table_schema = database() and table_name = ${table}`,
      );
      if (!found) continue;
      throw table === 'gk_wx_user' ? foreignTable(table, adoption) : foreignTable(table);
    }
  }
}

const adoption =
  'npm run db:adopt takes over that of the well-known tutorial; any other, rename, or use another database';

/** Drizzle types the rows of a raw statement as the driver's header. */
async function rowsOf(result: Promise<unknown>): Promise<Record<string, unknown>[]> {
  const [rows] = (await result) as [Record<string, unknown>[]];
  return rows;
}
