import { parseArgs } from 'node:util';
import { defaultDatabaseUrl } from '../config.ts';
import { keyringFileOf } from '../operations/keyring-file.ts';
import { UsageError } from './command.ts';
import { backupSqlite } from '../store/sqlite/backup.ts';

/** `guoke backup <file>`: the SQLite database of DATABASE_URL as it is now, while the server goes on. */
export async function run(args: string[]): Promise<void> {
  const { positionals } = parseArgs({ args, allowPositionals: true });
  const [file, ...rest] = positionals;
  if (file === undefined || rest.length > 0) throw new UsageError('Say where to: guoke backup <file>');
  const databaseUrl = process.env.DATABASE_URL || defaultDatabaseUrl;
  if (!databaseUrl.startsWith('file:')) {
    throw new UsageError('DATABASE_URL names no SQLite database: of MySQL, deploy/mysql-backup.sh makes a backup');
  }
  const { users, sessions, bytes } = await backupSqlite({ databaseUrl, file });
  const size = `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
  process.stdout.write(`${file}: ${users} users, ${sessions} sessions, ${size}, checked.\n`);
  process.stdout.write(
    process.env.SESSION_KEY_SECRETS
      ? 'It opens with SESSION_KEY_SECRETS alone: keep a copy of that too, in another place.\n'
      : `It opens with ${keyringFileOf(databaseUrl)} alone: keep a copy of that too, in another place.\n`,
  );
}
