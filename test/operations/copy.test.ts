import { randomBytes } from 'node:crypto';
import { describe, expect, onTestFinished, test } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import { createLog } from '../../src/operations/log.ts';
import { startServer } from '../../src/server.ts';
import { copyDatabase } from '../../src/store/copy/copy.ts';
import { openStore } from '../../src/store/open.ts';
import { databases, hasMysql, mysql, sqlite } from '../support/databases.ts';
import { band, loginWrite } from '../support/login-write.ts';
import { runCommand } from '../support/process.ts';
import { secretsOf, startInhabitedBackend, useAfterMove } from '../support/restored.ts';

/** A database with users, sessions, an avatar, and what the business wrote beside them. */
async function createFilled({ createUrl, query }: typeof sqlite, users = 25): Promise<string> {
  const url = await createUrl();
  const store = await openStore({ databaseUrl: url, timeoutMs: 5000, poolSize: 1 });
  await store.migrate();
  const logins = Array.from({ length: users }, (_, i) =>
    loginWrite({ profile: { ...band, nickName: `👩🏽‍❤️‍💋‍👨🏿 ${i} '"\\` } }),
  );
  await Promise.all(logins.map((login) => store.saveLogin(login)));
  const bytes = randomBytes(400_000);
  const openId = logins[0]?.openId ?? '';
  await store.updateUser({ openId }, { avatar: { hash: randomBytes(32), bytes } }, 1);
  await query(url, `update gk_wx_user set real_name = '王小明', stu_id = length(nick_name) - 20`);
  await store.close();
  return url;
}

const rowsOf = async ({ query }: typeof sqlite, url: string) => [
  await query(url, 'select * from gk_wx_user order by open_id'),
  await query(url, 'select hex(token_hash) as h, open_id, expires_at from gk_wx_session order by token_hash'),
  await query(url, 'select hex(hash) as h, hex(bytes) as b from gk_wx_avatar order by hash'),
];

const ways = databases
  .flatMap((from) => databases.map((to) => ({ way: `${from.name} to ${to.name}`, from, to })))
  .filter(({ from, to }) => from !== to || !hasMysql);

describe.each(ways)('copies from $way', ({ from, to }) => {
  test('a copy has every row, byte for byte, with the columns of the business', async () => {
    const [source, target] = [await createFilled(from), await to.createUrl()];
    const { tables, left } = await copyDatabase({ from: source, to: target, batchSize: 10 });
    expect(tables.map(({ name, rows }) => [name, rows])).toEqual(
      expect.arrayContaining([
        ['gk_wx_user', 25],
        ['gk_wx_session', 25],
        ['gk_wx_avatar', 1],
      ]),
    );
    expect(left).toEqual([]);
    const rows = await rowsOf(to, target);
    expect(rows).toEqual(await rowsOf(from, source));
    expect(rows[0]?.[0]).toMatchObject({ real_name: '王小明' });
    expect(await to.dump(target)).not.toContain('__guoke_copy');
  });

  test('a copy that was interrupted goes on, and repairs what has changed meanwhile', async () => {
    const [source, target] = [await createFilled(from), await to.createUrl()];
    const interrupted = copyDatabase({
      from: source,
      to: target,
      batchSize: 10,
      onProgress(_, table, done) {
        if (table === 'gk_wx_user' && done >= 20) throw new Error('pulled the plug');
      },
    });
    await expect(interrupted).rejects.toThrow('pulled the plug');
    await from.query(source, 'delete from gk_wx_session');
    const first = 'select min(open_id) as id from gk_wx_user';
    const [row] = await from.query(source, first);
    await from.query(source, `update gk_wx_user set city = 'Elsewhere' where open_id = '${String(row?.id)}'`);

    const seen: number[] = [];
    const again = () =>
      copyDatabase({
        from: source,
        to: target,
        batchSize: 10,
        onProgress: (step, table, done) => step === 'copy' && table === 'gk_wx_user' && seen.push(done),
      });
    // It goes on behind the changed row, and the comparison finds it; the next run begins that table again.
    await expect(again()).rejects.toThrow(/gk_wx_user: rows differ; stop what writes to the source/);
    expect(seen).toEqual([25]);
    await again();
    expect(await rowsOf(to, target)).toEqual(await rowsOf(from, source));
  });

  test('a copy that is not finished is served by no server, neither by one that runs already nor by one that starts', async () => {
    const [source, target] = [await createFilled(from), await to.createUrl()];
    const running = await openStore({ databaseUrl: target, timeoutMs: 2000, poolSize: 1 });
    onTestFinished(() => running.close());
    await running.migrate();
    const config = loadConfig({
      WX_APPID: 'wx1',
      WX_SECRET: 'secret',
      DATABASE_URL: target,
      SESSION_KEY_SECRETS: `test:${Buffer.alloc(32, 5).toString('base64')}`,
      PORT: '0',
    });
    const interrupted = copyDatabase({
      from: source,
      to: target,
      batchSize: 10,
      onProgress(step, table, done) {
        if (step === 'copy' && table === 'gk_wx_user' && done >= 20) throw new Error('pulled the plug');
      },
    });
    await expect(interrupted).rejects.toThrow();
    await expect(running.saveLogin(loginWrite())).rejects.toMatchObject({ kind: 'unavailable' });
    const starting = await startServer(config, { log: createLog('silent') });
    onTestFinished(() => starting.close());
    const readyz = async () => {
      const answer = await fetch(`${starting.url}/readyz`);
      return [answer.status, await answer.json()];
    };
    expect(await readyz()).toEqual([503, { status: 'not serving', reason: 'COPY_UNFINISHED' }]);

    await copyDatabase({ from: source, to: target, batchSize: 10 });
    expect(await rowsOf(to, target)).toEqual(await rowsOf(from, source));
    await expect.poll(readyz).toEqual([200, { status: 'ok' }]);
    await running.saveLogin(loginWrite());
  });

  test('a copy leaves the tables as a migration makes them', async () => {
    const [source, target, fresh] = [await createFilled(from, 1), await to.createUrl(), await to.createUrl()];
    await copyDatabase({ from: source, to: target });
    const store = await openStore({ databaseUrl: fresh, timeoutMs: 5000, poolSize: 1 });
    await store.migrate();
    await store.close();
    const schema = async (url: string) =>
      to.name === 'SQLite'
        ? await to.query(url, `select name, replace(sql, '"', '\`') as text from sqlite_master order by name`)
        : await Promise.all(
            ['gk_wx_user', 'gk_wx_session', 'gk_wx_avatar', 'gk_wx_access_token'].map((name) =>
              to.query(url, `show create table ${name}`),
            ),
          );
    expect(await schema(target)).toEqual(await schema(fresh));
  });

  test('a copy into a database that has rows of its own is refused, and nothing of it changes', async () => {
    const [source, target] = [await createFilled(from, 1), await createFilled(to, 2)];
    const before = await to.dump(target);
    await expect(copyDatabase({ from: source, to: target })).rejects.toThrow(/copy into an empty database/);
    expect(await to.dump(target)).toBe(before);
  });
});

describe('guoke copy', () => {
  test.skipIf(!hasMysql)('guoke copy to MySQL keeps tokens and sealed keys working', async () => {
    const source = await sqlite.createUrl();
    const inhabited = await startInhabitedBackend(source);
    await inhabited.backend.stopServer();
    await sqlite.query(source, 'create table notes (id integer)');

    const target = await mysql.createUrl();
    const copy = runCommand('src/cli/guoke.ts', { DATABASE_URL: source }, ['copy', '--to', target]);
    expect((await copy.exit).code).toBe(0);
    const said = copy.stdout.join('\n');
    expect(said).toMatch(/gk_wx_user: 2 rows, the same on both sides/);
    expect(said).toContain("not guoke's: notes");
    expect(copy.stderr.join('\n')).toMatch(/copy gk_wx_user +100 % {2}2 of 2/);

    const secrets = await secretsOf(source);
    expect(said).toMatch(/SESSION_KEY_SECRETS="file:\$\(cat '.*\.key'\)"/);
    expect(said).not.toContain(secrets);
    const { me, proved } = await useAfterMove(inhabited, { DATABASE_URL: target, SESSION_KEY_SECRETS: secrets });
    expect(me).toEqual(inhabited.ming.user);
    expect(proved).toBe('小红');
  });

  test('guoke copy prints the secret only when asked to, and shows no password when it fails', async () => {
    const source = await sqlite.createUrl();
    await startInhabitedBackend(source);
    const shown = runCommand('src/cli/guoke.ts', { DATABASE_URL: source }, [
      'copy',
      '--to',
      await sqlite.createUrl(),
      '--show-secret',
    ]);
    const failed = runCommand(
      'src/cli/guoke.ts',
      {
        DATABASE_URL: source,
        DATABASE_URL_TO: 'mysql://root:hush@127.0.0.1:1/x',
      },
      ['copy'],
    );
    expect((await shown.exit).code).toBe(0);
    expect(shown.stdout.join('\n')).toContain(`SESSION_KEY_SECRETS="${await secretsOf(source)}"`);
    expect((await failed.exit).code).toBe(1);
    expect(failed.stderr).toEqual(['It failed: database unavailable: ECONNREFUSED']);
  });
});
