import { copyFile, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, inject, test } from 'vitest';
import { openStore } from '../../src/store/open.ts';
import { backupSqlite } from '../../src/store/sqlite/backup.ts';
import { sqlite } from '../support/databases.ts';
import { loginWrite } from '../support/login-write.ts';
import { runCommand } from '../support/process.ts';
import { startInhabitedBackend, useAfterMove } from '../support/restored.ts';

const newFile = () => path.join(inject('scratch'), `${crypto.randomUUID()}.db`);

describe('guoke backup', () => {
  test('a backup made while a server runs and logins go on holds all that was there before, and serves when restored', async () => {
    const databaseUrl = await sqlite.createUrl();
    const inhabited = await startInhabitedBackend(databaseUrl);
    const { store } = inhabited.backend;
    const before = Array.from({ length: 200 }, () => loginWrite());
    for (const login of before) await store.saveLogin(login);

    const file = newFile();
    const command = runCommand('src/cli/guoke.ts', { DATABASE_URL: databaseUrl }, ['backup', file]);
    let running = true;
    const ended = command.exit.finally(() => (running = false));
    let during = 0;
    while (running) {
      await store.saveLogin(loginWrite());
      during++;
    }
    expect(await ended).toEqual({ code: 0, signal: null });
    expect(during).toBeGreaterThan(5);
    expect(command.stdout.join('\n')).toMatch(/\d+ users, \d+ sessions, .* checked\.\nIt opens with .*\.key alone/);
    expect((await stat(file)).mode & 0o777).toBe(0o600);

    const restored = newFile();
    await copyFile(file, restored);
    await copyFile(`${databaseUrl.slice('file:'.length)}.key`, `${restored}.key`);
    const { me, proved } = await useAfterMove(inhabited, { DATABASE_URL: `file:${restored}` });
    expect(me).toEqual(inhabited.ming.user);
    expect(proved).toBe('小红');
    const ids = (await sqlite.query(`file:${restored}`, 'select open_id from gk_wx_user')).map((row) => row.open_id);
    for (const { openId } of before) expect(ids).toContain(openId);
  });

  test('a backup leaves nothing beside its file, overwrites nothing, and is not made of a missing database', async () => {
    const databaseUrl = await sqlite.createUrl();
    const store = await openStore({ databaseUrl, timeoutMs: 2000, poolSize: 1 });
    await store.migrate();
    const directory = path.dirname(databaseUrl.slice('file:'.length));
    const file = path.join(directory, 'backup.db');
    await backupSqlite({ databaseUrl, file });
    const files = (await readdir(directory)).filter((name) => name.startsWith('backup'));
    expect(files).toEqual(['backup.db']);

    await writeFile(file, 'precious');
    await expect(backupSqlite({ databaseUrl, file })).rejects.toThrow(/there is a file of that name already/);
    expect(await readFile(file, 'utf8')).toBe('precious');
    const missing = `file:${directory}/typo.db`;
    await expect(backupSqlite({ databaseUrl: missing, file: newFile() })).rejects.toThrow(/no database that is there/);
    expect(await readdir(directory)).not.toContain('typo.db');
    await store.close();
  });

  test('guoke backup refuses MySQL and a missing file name in plain words, without the URL', async () => {
    const url = 'mysql://root:hush@127.0.0.1:1/guoke';
    const [mysql, nameless] = [
      runCommand('src/cli/guoke.ts', { DATABASE_URL: url }, ['backup', 'x.db']),
      runCommand('src/cli/guoke.ts', { DATABASE_URL: url }, ['backup', '--file=hush']),
    ];
    expect((await mysql.exit).code).toBe(2);
    expect(mysql.stderr.join('\n')).toMatch(/mysql-backup\.sh/);
    expect((await nameless.exit).code).toBe(2);
    expect([...mysql.stderr, ...nameless.stderr].join('\n')).not.toContain('hush');
  });
});
