import { randomBytes } from 'node:crypto';
import { access, link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Config, ConfigError } from '../config.ts';
import type { Keyring } from '../crypto.ts';
import { explained, flush, refuseOtherFile } from '../store/sqlite/file.ts';

/** The file beside an SQLite database with the secret that seals in it, where SESSION_KEY_SECRETS has none. */
export function keyringFileOf(databaseUrl: string): string {
  return `${databaseUrl.slice('file:'.length)}.key`;
}

/**
 * The configured keyring, or the one in the file beside the SQLite database. That file is made before the database is,
 * mode 0600, and never again: throws ConfigError where the database is there and its secret is not.
 */
export async function keyringOf({
  keyring,
  databaseUrl,
}: Pick<Config['secrets'], 'keyring' | 'databaseUrl'>): Promise<Keyring> {
  if (keyring) return keyring;
  if (!databaseUrl.startsWith('file:')) throw new ConfigError(['SESSION_KEY_SECRETS is missing']);
  const file = keyringFileOf(databaseUrl);
  const database = databaseUrl.slice('file:'.length);
  await makeKeyringFile(databaseUrl);
  if (!(await exists(file))) {
    // A file that is not a database has no secret to lose.
    await refuseOtherFile(database);
    throw lost(file, database);
  }
  const key = Buffer.from((await readFile(file, 'utf8')).trim(), 'base64');
  if (key.length !== 32) throw new ConfigError([`${file} does not hold a secret: base64 of 32 bytes`]);
  return [{ id: 'file', key }];
}

/**
 * Makes the file before the database is made; does nothing when the database is there. Rejects with a StoreError where the
 * folder is of no use.
 */
export async function makeKeyringFile(databaseUrl: string): Promise<void> {
  const database = databaseUrl.slice('file:'.length);
  if (await exists(database)) return;
  await writeSecret(databaseUrl).catch((error: unknown) => {
    throw explained(error, database);
  });
}

async function writeSecret(databaseUrl: string): Promise<void> {
  const file = keyringFileOf(databaseUrl);
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  // Written whole under another name, then linked: two first starts at once read the same secret.
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
  try {
    await writeFile(draft, `${randomBytes(32).toString('base64')}\n`, { mode: 0o600, flag: 'wx' });
    await flush(draft);
    await link(draft, file).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  } finally {
    await rm(draft, { force: true });
  }
  // Windows flushes no directory.
  await flush(dirname(file)).catch(() => {});
}

function lost(file: string, database: string): ConfigError {
  return new ConfigError([
    `${file} is missing, and what is sealed in ${database} opens with it alone.`,
    'Bring it back from the backup, or set SESSION_KEY_SECRETS as it was, or to file:<the content of that file>.',
    'If it is lost, so are the session keys and the phone numbers in the database; then make a new one:',
    `  (umask 077; openssl rand -base64 32 > '${file}')`,
  ]);
}

function exists(name: string): Promise<boolean> {
  return access(name).then(
    () => true,
    () => false,
  );
}
