import { createConnection } from 'mysql2/promise';
import { withDeadline } from '../deadline.ts';
import { type Migration, readMigrations } from '../migrations.ts';
import { connectionOptions, sever } from './connection.ts';
import { toStoreError } from './errors.ts';
import { createMigrator } from './migrator.ts';
import { openPool } from './pool.ts';
import { createSessionOpener } from './session.ts';
import { refuseUnfinishedCopy, verifyTables } from './tables.ts';

interface MigrateOptions {
  databaseUrl: string;
  /** For the whole of it, the wait for the other instances included. */
  timeoutMs?: number;
  /** For a statement that has its answer at once: a network that has fallen silent must not take all of the time. */
  statementMs?: number;
  migrations?: readonly Migration[];
}

/** Brings the tables up to date. Of several instances one does it, under a lease; the others wait, and find it done. */
export async function migrateMysql({
  databaseUrl,
  timeoutMs = 60_000,
  statementMs = 3_000,
  migrations = readMigrations('mysql'),
}: MigrateOptions): Promise<void> {
  // Two seconds to connect: a database that comes back behind a silent network is found soon after.
  const options = connectionOptions(databaseUrl, 4_000);
  // Opened when a statement takes so long that the lease has to be renewed beside it.
  const beside = openPool({ databaseUrl, timeoutMs: statementMs, poolSize: 1 });
  try {
    const connection = await createConnection(options);
    // Without a listener, an error between two statements would end the process.
    connection.on('error', () => {});
    try {
      const db = await withDeadline(statementMs, createSessionOpener(timeoutMs)(connection));
      await withDeadline(statementMs, refuseUnfinishedCopy(db));
      const migrator = createMigrator({ db, beside, timeoutMs, statementMs });
      await withDeadline(timeoutMs, migrator.run(migrations));
      await withDeadline(statementMs, verifyTables(db));
    } finally {
      sever(connection);
    }
  } catch (error) {
    throw toStoreError(error);
  } finally {
    await beside.close();
  }
}
