import { randomBytes } from 'node:crypto';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ConfigError } from '../config.ts';
import type { Keyring } from '../crypto.ts';

/** The secret that seals session keys in an SQLite database that was given none: made once, in a file of mode 0600. */
export async function loadOrCreateKeyring(path: string): Promise<Keyring> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    // Written whole under another name, then linked: of two first starts at once, both read the same secret.
    await writeFile(draft, `${randomBytes(32).toString('base64')}\n`, { mode: 0o600, flag: 'wx' });
    await link(draft, path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  } finally {
    await rm(draft, { force: true });
  }
  const key = Buffer.from((await readFile(path, 'utf8')).trim(), 'base64');
  if (key.length !== 32) throw new ConfigError([`${path} does not hold a secret: base64 of 32 bytes`]);
  return [{ id: 'file', key }];
}
