import { execFile } from 'node:child_process';
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { expect, inject, onTestFinished, test } from 'vitest';
import { ConfigError } from '../../src/config.ts';
import { keyringOf } from '../../src/operations/keyring-file.ts';
import { openStore } from '../../src/store/open.ts';
import { failureOf } from '../support/backend.ts';
import { runCommand } from '../support/process.ts';
import { startInhabitedBackend, useAfterMove } from '../support/restored.ts';

const newDatabase = () => {
  const database = `${inject('scratch')}/${crypto.randomUUID()}/guoke.db`;
  return { database, file: `${database}.key`, databaseUrl: `file:${database}` };
};
const load = (databaseUrl: string) => keyringOf({ keyring: null, databaseUrl });

test('the secret of a new database is made once, for its owner alone, and nothing is left beside it', async () => {
  const { file, databaseUrl } = newDatabase();
  const keyrings = await Promise.all(Array.from({ length: 8 }, () => load(databaseUrl)));
  expect(keyrings[0]?.[0]).toMatchObject({ id: 'file', key: { length: 32 } });
  for (const keyring of keyrings) expect(keyring).toEqual(keyrings[0]);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(await readdir(dirname(file))).toEqual(['guoke.db.key']);
});

test('a database whose secret is lost is not given another one: the start says what to do, and the same secret repairs it', async () => {
  const { file, databaseUrl } = newDatabase();
  const inhabited = await startInhabitedBackend(databaseUrl);
  const kept = await readFile(file, 'utf8');
  await rm(file);
  const command = runCommand('src/main.ts', { ...inhabited.backend.environment, SESSION_KEY_SECRETS: '' });
  onTestFinished(() => command.kill());
  expect((await command.exit).code).toBe(1);
  const said = command.stderr.join('\n');
  expect(said).toContain(`${file} is missing`);
  expect(said).toContain('SESSION_KEY_SECRETS');
  expect(await readdir(dirname(file))).not.toContain('guoke.db.key');
  await expect(load(databaseUrl)).rejects.toThrow(ConfigError);

  const asVariable = await useAfterMove(inhabited, { SESSION_KEY_SECRETS: `file:${kept.trim()}` });
  expect(asVariable).toEqual({ me: inhabited.ming.user, proved: '小红' });
  await writeFile(file, kept);
  expect((await load(databaseUrl))[0].key.toString('base64')).toBe(kept.trim());
});

test('the command that the refusal names makes a new secret, on purpose, and tokens stay good', async () => {
  const { file, databaseUrl } = newDatabase();
  const inhabited = await startInhabitedBackend(databaseUrl);
  const kept = await readFile(file, 'utf8');
  await rm(file);
  const refusal: unknown = await load(databaseUrl).catch((error: unknown) => error);
  const command = /\(umask.*\)/.exec(String(refusal))?.[0] ?? '';
  await promisify(execFile)('sh', ['-c', command]);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(await readFile(file, 'utf8')).not.toBe(kept);
  expect(await load(databaseUrl)).toHaveLength(1);
  expect(await failureOf(inhabited.backend.client(inhabited.ming.token).user.me.query())).toBeNull();
});

test('guoke migrate makes the secret with the database, so that the server then starts', async () => {
  const { file, databaseUrl } = newDatabase();
  const command = runCommand('src/cli/guoke.ts', { DATABASE_URL: databaseUrl }, ['migrate']);
  expect([(await command.exit).code, command.stdout]).toEqual([0, ['The tables are up to date.']]);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(await load(databaseUrl)).toHaveLength(1);

  // Of a database that is there it needs to know nothing, and makes it none.
  await rm(file);
  const again = runCommand('src/cli/guoke.ts', { DATABASE_URL: databaseUrl }, ['migrate']);
  expect([(await again.exit).code, again.stdout]).toEqual([0, ['The tables are up to date.']]);
  await expect(stat(file)).rejects.toThrow('ENOENT');
});

test('a database without its file of secrets is served where SESSION_KEY_SECRETS has the secret', async () => {
  const { databaseUrl } = newDatabase();
  const store = await openStore({ databaseUrl, timeoutMs: 2000, poolSize: 1 });
  await store.migrate();
  await store.close();
  const keyring = [{ id: 'k1', key: Buffer.alloc(32, 1) }] as const;
  expect(await keyringOf({ keyring, databaseUrl })).toBe(keyring);
  await expect(load(databaseUrl)).rejects.toThrow(/is missing/);
});
