import { execFile } from 'node:child_process';
import { access, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, inject, test } from 'vitest';
import { openStore } from '../../src/store/open.ts';
import { hasMysql, mysql } from '../support/databases.ts';
import { band, loginWrite } from '../support/login-write.ts';

const script = fileURLToPath(new URL('../../deploy/mysql-backup.sh', import.meta.url));
const hasClient = await access('/usr/bin/mariadb-dump').then(
  () => true,
  () => false,
);
if (!hasClient) console.warn('NOT TESTED: deploy/mysql-backup.sh. There is no mariadb-dump here.');

async function save(url: string) {
  const login = loginWrite({ profile: band });
  const store = await openStore({ databaseUrl: url, timeoutMs: 5000, poolSize: 1 });
  await store.migrate();
  await store.saveLogin(login);
  await store.close();
  return login.openId;
}

/** A database with a user, its backup, and another user who came after it. */
async function createRoom() {
  const url = await mysql.createUrl();
  const folder = path.join(inject('scratch'), crypto.randomUUID());
  await mkdir(folder);
  const file = path.join(folder, 'guoke.sql');
  const { hostname, port, username, password, pathname } = new URL(url);
  const name = pathname.slice(1);
  const options = [
    '--no-defaults',
    `--host=${hostname}`,
    `--port=${port || '3306'}`,
    `--user=${decodeURIComponent(username)}`,
    ...(password === '' ? [] : [`--password=${decodeURIComponent(password)}`]),
  ];
  /** Its exit and all that it said. */
  const run = async (action: string, target = file, programs = '') => {
    const env = { ...process.env, PATH: `${programs}:${process.env.PATH}` };
    try {
      const { stdout } = await promisify(execFile)(script, [action, name, target, ...options], { env });
      return { code: 0, said: stdout };
    } catch (error) {
      const { code, stderr } = error as { code: number; stderr: string };
      return { code, said: stderr };
    }
  };
  const early = await save(url);
  expect(await run('save')).toMatchObject({ code: 0 });
  const late = await save(url);
  const users = async () =>
    (await mysql.query(url, 'select open_id from gk_wx_user')).map(({ open_id }) => String(open_id)).toSorted();
  return { url, folder, file, run, early, late, users };
}

describe.skipIf(!hasMysql || !hasClient)('deploy/mysql-backup.sh', () => {
  test('a restored backup equals what was saved, to the byte, and keeps what there was', async () => {
    const { url, folder, file, run, early, late, users } = await createRoom();
    expect(await users()).toEqual([early, late].toSorted());
    const restored = await run('restore');
    expect(restored.said).toMatch(/is restored from .*guoke\.sql: 1 users\./);
    expect(await users()).toEqual([early]);
    const [row] = await mysql.query(url, 'select nick_name from gk_wx_user');
    expect(row).toEqual({ nick_name: band.nickName });

    const before = (await readdir(folder)).find((name) => name.includes('before'));
    await run('restore', path.join(folder, before ?? ''));
    expect(await users()).toEqual([early, late].toSorted());
    expect((await run('save', file)).said).toMatch(/is there already/);
  });

  test.each([
    ['was broken off', (text: string) => text.slice(0, text.length / 2), /is not a complete dump; nothing was changed/],
    [
      'has an error in it',
      (text: string) => text.replace('INSERT INTO', 'INSRT INTO'),
      /cannot be loaded; nothing was changed/,
    ],
    [
      'has no users',
      (text: string) => text.replaceAll('gk_wx_user', 'gk_other'),
      /cannot be loaded; nothing was changed/,
    ],
    ['names a database of its own', (text: string) => `USE mysql;\n${text}`, /names a database of its own/],
  ])('a file that %s is refused before anything is dropped', async (_, spoil, said) => {
    const { folder, file, run, early, late, users } = await createRoom();
    const spoilt = path.join(folder, 'spoilt.sql');
    await writeFile(spoilt, spoil(await readFile(file, 'utf8')));
    expect(await run('restore', spoilt)).toEqual({ code: 1, said: expect.stringMatching(said) as string });
    expect(await users()).toEqual([early, late].toSorted());
    expect(await run('restore')).toMatchObject({ code: 0 });
  });

  test('a database that cannot be saved first is not dropped, and neither is one that servers use', async () => {
    const { url, folder, run, early, late, users } = await createRoom();
    // As on a full disk: half a dump, and a failure.
    await writeFile(path.join(folder, 'mariadb-dump'), '#!/bin/sh\necho "-- half"\nexit 2\n', { mode: 0o755 });
    expect(await run('restore', undefined, folder)).toMatchObject({
      code: 1,
      said: expect.stringMatching(/could not be saved; nothing was changed/) as string,
    });
    expect(await users()).toEqual([early, late].toSorted());

    const server = await openStore({ databaseUrl: url, timeoutMs: 5000, poolSize: 1 });
    await server.ping();
    expect(await run('restore')).toMatchObject({
      code: 1,
      said: expect.stringMatching(/1 connections use .*: stop the servers first/) as string,
    });
    await server.close();
    expect(await users()).toEqual([early, late].toSorted());
  });
});
