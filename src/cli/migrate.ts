import { parseArgs } from 'node:util';
import { defaultDatabaseUrl } from '../config.ts';
import { makeKeyringFile } from '../operations/keyring-file.ts';
import { openStore } from '../store/open.ts';

/** `guoke migrate`: brings the tables of DATABASE_URL up to date, and says so in a line. */
export async function run(args: string[]): Promise<void> {
  parseArgs({ args, options: {} });
  const databaseUrl = process.env.DATABASE_URL || defaultDatabaseUrl;
  // For the server a database without its file of secrets has lost its secret: so the file is made first.
  if (databaseUrl.startsWith('file:') && !process.env.SESSION_KEY_SECRETS) await makeKeyringFile(databaseUrl);
  const store = await openStore({ databaseUrl, timeoutMs: 10_000, poolSize: 1 });
  try {
    await store.migrate();
  } finally {
    await store.close();
  }
  process.stdout.write('The tables are up to date.\n');
}
