import { type SQL, sql } from 'drizzle-orm';
import { withDeadline } from '../deadline.ts';
import { earlierJournalTable, foreignTable, journalTable, type Migration } from '../migrations.ts';
import { StoreError } from '../store.ts';
import { serverErrno, toStoreError } from './errors.ts';
import { createLease, leaseMs, lockedError } from './lease.ts';
import type { Pool } from './pool.ts';
import { changeRaw, selectRaw } from './raw.ts';
import { deadlock, nodeNotReady, retryConflicts } from './retry.ts';
import type { Db } from './session.ts';

interface MigratorOptions {
  db: Db;
  /** Renews the lease while a statement keeps `db` busy. */
  beside: Pool;
  timeoutMs: number;
  statementMs: number;
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

export function createMigrator({ db, beside, timeoutMs, statementMs }: MigratorOptions) {
  const within = <T>(work: () => Promise<T>) =>
    withDeadline(statementMs, retryConflicts(work, { withinMs: statementMs }));
  const ask = (statement: SQL) => within(() => selectRaw(db, statement));
  const change = (statement: SQL) => within(() => changeRaw(db, statement));
  const lease = createLease({ db, within });

  return { run };

  async function run(migrations: readonly Migration[]): Promise<void> {
    const applied = await hashesOf(journalTable);
    if (migrations.every(({ hash }) => applied.has(hash))) return;
    // Half of the time to wait for the others, half for the work.
    await lease.take(timeoutMs / 2);
    const renewing = setInterval(() => void beside.lend((other) => lease.renew(other)).catch(() => {}), leaseMs / 4);
    try {
      await applyAll(migrations);
    } finally {
      clearInterval(renewing);
      await lease.release().catch(() => {});
    }
  }

  async function applyAll(migrations: readonly Migration[]): Promise<void> {
    await change(sql`create table if not exists ${journal}
      (id serial primary key, hash text not null, created_at bigint)`);
    await change(sql`create table if not exists ${progress}
      (hash char(64) character set ascii collate ascii_bin primary key, statement int not null)`);
    const applied = await hashesOf(journalTable);
    const appliedEarlier = await hashesOf(earlierJournalTable);
    for (const migration of migrations) {
      if (applied.has(migration.hash)) continue;
      if (!appliedEarlier.has(migration.hash)) await apply(migration);
      await record(migration);
    }
  }

  /** The rows of a journal; empty where there is no journal. */
  async function hashesOf(table: string): Promise<ReadonlySet<string>> {
    try {
      const rows = await ask(sql`select hash from ${sql.identifier(table)}`);
      return new Set(rows.map(({ hash }) => String(hash)));
    } catch (error) {
      if (serverErrno(error) !== noSuchTable) throw error;
      return new Set();
    }
  }

  async function apply({ hash, statements, tables, createdAt }: Migration): Promise<void> {
    const [begun] = await ask(sql`select statement from ${progress} where hash = ${hash}`);
    if (!begun) await refuseForeignTables(tables);
    const first = Number(begun?.statement ?? 0);
    for (const [position, statement] of statements.entries()) {
      if (position < first) continue;
      const begin = sql`insert into ${progress} (hash, statement) select ${hash}, ${position} ${lease.fence}
        on duplicate key update statement = values(statement)`;
      if ((await change(begin)) === 0) throw lockedError();
      try {
        // Only the statement at which an earlier run ended may have been carried out, and not been recorded.
        await execute(statement, begun !== undefined && position === first);
      } catch (error) {
        const { kind, code, errno } = toStoreError(error);
        const where = `migration ${new Date(createdAt).toISOString()} stopped at statement ${position + 1} of ${statements.length}`;
        throw new StoreError(kind, code, errno, `${where}; the next start continues there`);
      }
    }
  }

  /** It may take what is left of all the time: a table with users in it is not altered at once. */
  async function execute(statement: string, mayBeDone: boolean): Promise<void> {
    let mayHaveBeenDone = mayBeDone;
    await retryConflicts(
      async () => {
        try {
          await db.execute(sql.raw(statement));
        } catch (error) {
          if (!alreadyDone.has(serverErrno(error))) {
            // A cluster may have carried it out all the same.
            mayHaveBeenDone = true;
            throw error;
          }
          if (mayHaveBeenDone) return;
          // An instance that was halted for longer than the lease finds what the next holder has done meanwhile.
          if (!(await within(() => lease.renew(db)))) throw lockedError();
          throw error;
        }
      },
      { withinMs: timeoutMs, errnos: [deadlock, nodeNotReady] },
    );
  }

  async function record({ hash, createdAt }: Migration): Promise<void> {
    await within(() =>
      db.transaction(async (tx) => {
        const row = sql`insert into ${journal} (hash, created_at) select ${hash}, ${createdAt} ${lease.fence}`;
        if ((await changeRaw(tx, row)) === 0) throw lockedError();
        await tx.execute(sql`delete from ${progress} where hash = ${hash}`);
      }),
    );
  }

  async function refuseForeignTables(tables: readonly string[]): Promise<void> {
    for (const table of tables) {
      const found = await ask(
        sql`select 1 from information_schema.tables where table_schema = database() and table_name = ${table}`,
      );
      if (found.length === 0) continue;
      throw table === 'gk_wx_user' ? foreignTable(table, adoption) : foreignTable(table);
    }
  }
}

const adoption = 'guoke adopt takes over that of the well-known tutorial; any other, rename, or use another database';
