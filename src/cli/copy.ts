import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { defaultDatabaseUrl } from '../config.ts';
import { keyringFileOf } from '../operations/keyring-file.ts';
import { UsageError } from './command.ts';
import { createProgress } from './progress.ts';
import { copyDatabase } from '../store/copy/copy.ts';

/** `guoke copy --to mysql://…`: every row of DATABASE_URL into an empty database, from SQLite to MySQL or back. */
export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({ args, options: { to: { type: 'string' }, 'show-secret': { type: 'boolean' } } });
  const to = values.to ?? process.env.DATABASE_URL_TO;
  if (!to) throw new UsageError('Say where to: guoke copy --to mysql://user:password@host:3306/database');
  const from = process.env.DATABASE_URL || defaultDatabaseUrl;

  const progress = createProgress({ noun: 'rows' });
  const { tables, left } = await copyDatabase({
    from,
    to,
    onProgress: (step, table, done, total) => progress.show(done, total, `${step} ${table}`),
  }).finally(() => progress.end());
  for (const { name, rows, sha256 } of tables) {
    process.stdout.write(`${name}: ${rows} rows, the same on both sides (SHA-256 ${sha256.slice(0, 16)}…)\n`);
  }
  if (left.length > 0) process.stdout.write(`Not copied, since they are not guoke's: ${left.join(', ')}\n`);
  process.stdout.write(await aboutSecrets(from, values['show-secret'] ?? false));
}

/** What opens the sealed values on the other side. */
async function aboutSecrets(from: string, show: boolean): Promise<string> {
  if (process.env.SESSION_KEY_SECRETS) return 'Start the servers with the same SESSION_KEY_SECRETS as before.\n';
  const file = keyringFileOf(from);
  if (!from.startsWith('file:')) return 'Start the servers with the SESSION_KEY_SECRETS that they have now.\n';
  // The id that stands in every value sealed with that file's secret.
  const value = show ? `file:${(await readFile(file, 'utf8')).trim()}` : `file:$(cat '${file}')`;
  return `Start the servers with the secret of the old database, or what it sealed is lost:\n  SESSION_KEY_SECRETS="${value}"\n`;
}
