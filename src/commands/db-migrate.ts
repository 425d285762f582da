import { openStore } from '../store/open.ts';
import { StoreError } from '../store/store.ts';

/** `npm run db:migrate`: brings the tables of DATABASE_URL up to date, and says so in a line. */
async function main(databaseUrl: string): Promise<void> {
  try {
    const store = openStore({ databaseUrl, timeoutMs: 10_000, poolSize: 1 });
    await store.migrate();
    await store.close();
    process.stdout.write('The tables are up to date.\n');
  } catch (error) {
    // Not the URL, which may hold a password.
    process.stderr.write(
      `The tables are not up to date: ${error instanceof StoreError ? error.message : 'unforeseen'}\n`,
    );
    process.exitCode = 1;
  }
}

await main(process.env.DATABASE_URL || 'file:.data/guoke.db');
