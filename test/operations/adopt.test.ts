import { randomBytes } from 'node:crypto';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openStore } from '../../src/store/open.ts';
import { adoptUsers } from '../../src/store/mysql/adopt/adopt.ts';
import { devApp } from '../../packages/standin/src/server.ts';
import { loginInputOf, startBackend } from '../support/backend.ts';
import { hasMysql, isTidb, mysql, sqlite } from '../support/databases.ts';
import { loginWrite, newOpenId } from '../support/login-write.ts';
import { runCommand } from '../support/process.ts';

/** As the tutorial's Spring Boot project makes it, on a server with a collation that ignores case. */
const tutorialTable = `create table gk_wx_user (
  open_id varchar(255) not null primary key, session_key varchar(255), avatar_url varchar(255), city varchar(255),
  country varchar(255), gender int, language varchar(255), nick_name varchar(255), real_name varchar(255),
  province varchar(255), stu_id int
) default charset utf8mb4 collate utf8mb4_general_ci`;

type Values = Record<string, string | number | null>;

async function createTutorialDatabase(rows: readonly Values[], table = tutorialTable): Promise<string> {
  const url = await mysql.createUrl();
  await mysql.query(url, table);
  const literal = (value: string | number | null) =>
    typeof value === 'string' ? `'${value.replaceAll(/['\\]/g, String.raw`\$&`)}'` : String(value);
  for (const row of rows) {
    const values = Object.values(row).map(literal).join();
    await mysql.query(url, `insert into gk_wx_user (${Object.keys(row).join()}) values (${values})`);
  }
  return url;
}

const sessionKey = () => randomBytes(16).toString('base64');
const person = (openId = newOpenId()) => ({
  open_id: openId,
  session_key: sessionKey(),
  avatar_url: 'https://thirdwx.qlogo.cn/x/132',
  city: '广州',
  country: '中国',
  gender: 1,
  language: 'zh_CN',
  nick_name: `O'Hara \\ 小明 👩🏽‍❤️‍💋‍👨🏿`,
  real_name: '王小明',
  province: '广东',
  stu_id: 20210001,
});

const plain = { appId: 'wx1', open: (_: string, sealed: string) => sealed.slice(7) };
const seal = (_: string, key: string) => ({ sessionKey: `sealed:${key}`, sessionKeyFingerprint: 'f' });
const adopt = (databaseUrl: string, more: Partial<Parameters<typeof adoptUsers>[0]> = {}) =>
  adoptUsers({ databaseUrl, ...plain, seal, batchSize: 2, ...more });

describe.skipIf(!hasMysql)('guoke adopt', () => {
  test('the server that finds the tutorial’s table names the command; afterwards its users go on, their keys sealed', async () => {
    const old = person('og4Y3lrwfGmv88h_TUTORIAL');
    const url = await createTutorialDatabase([
      old,
      { open_id: 'og4Y3lrwfGmv88h_tutoriaL2', session_key: sessionKey() },
    ]);
    const store = await openStore({ databaseUrl: url, timeoutMs: 2000, poolSize: 1 });
    onTestFinished(() => store.close());
    await expect(store.migrate()).rejects.toThrow(/guoke adopt/);

    const key = randomBytes(32).toString('base64');
    const env = {
      DATABASE_URL: url,
      SESSION_KEY_SECRETS: `k1:${key}`,
      WX_APPID: devApp.appId,
      WX_SECRET: devApp.secret,
    };
    const command = runCommand('src/cli/guoke.ts', env, ['adopt']);
    expect([...(await command.exit.then(() => command.stderr.filter((line) => !line.includes('%'))))]).toEqual([]);
    const said = command.stdout.join('\n');
    expect(said).toMatch(/2 users of wx0123456789abcdef, 2 session keys sealed, each row compared/);
    expect(said).toContain('guoke adopt --drop-old');

    await store.migrate();
    expect(await store.findUser(old.open_id)).toMatchObject({ nickName: old.nick_name, city: '广州', sessionKeyAt: 0 });
    const kept = 'select real_name, stu_id, session_key from gk_wx_user order by open_id';
    expect(await mysql.query(url, kept)).toEqual([
      { real_name: '王小明', stu_id: 20210001, session_key: expect.stringMatching(/^v1\.k1\./) as string },
      { real_name: null, stu_id: null, session_key: expect.stringMatching(/^v1\.k1\./) as string },
    ]);
    for (const spoken of [said, command.stderr.join('\n')]) {
      expect(spoken).not.toContain(old.session_key);
      expect(spoken).not.toContain(key);
    }

    const dropping = runCommand('src/cli/guoke.ts', env, ['adopt', '--drop-old']);
    expect((await dropping.exit).code).toBe(0);
    expect(await mysql.dump(url)).not.toContain(old.session_key);
  });

  test('an avatar address that is not http or https counts as unknown', async () => {
    const rows = ['javascript:alert(1)', 'data:text/html,x', '/local.png', 'HTTP://thirdwx.qlogo.cn/x'].map(
      (avatar_url) => ({ ...person(), avatar_url }),
    );
    const url = await createTutorialDatabase(rows);
    await adopt(url);
    const [first, second, third, last] = rows.map(({ open_id }) => open_id);
    const store = await openStore({ databaseUrl: url, timeoutMs: 2000, poolSize: 1 });
    onTestFinished(() => store.close());
    await store.migrate();
    for (const openId of [first, second, third]) {
      expect(await store.findUser(openId ?? '')).toMatchObject({ avatarUrl: null, city: '广州' });
    }
    expect(await store.findUser(last ?? '')).toMatchObject({ avatarUrl: 'HTTP://thirdwx.qlogo.cn/x' });
  });

  test('a profile sealed with an adopted key is proved at the first login after it', async () => {
    const backendOf = (databaseUrl: string) => startBackend({ databaseUrl });
    const first = await backendOf(await sqlite.createUrl());
    onTestFinished(() => first.close());
    const { openid, sessionKey: current } = first.standin.person('ming');
    const sealed = loginInputOf(first, 'ming', { nickName: '小明' });
    const url = await createTutorialDatabase([{ open_id: openid, session_key: current, real_name: '王小明' }]);
    const env = { ...first.environment, DATABASE_URL: url };
    expect((await runCommand('src/cli/guoke.ts', env, ['adopt']).exit).code).toBe(0);

    const second = await startBackend({ databaseUrl: url, env: { WX_API_BASE_URL: first.standin.url } });
    onTestFinished(() => second.close());
    const { code } = first.standin.phone.login({ user: 'ming', rotate: true });
    const { user } = await second.client().auth.login.mutate({ ...sealed, code });
    expect(user.nickName).toBe('小明');
    expect(await mysql.query(url, 'select real_name from gk_wx_user')).toEqual([{ real_name: '王小明' }]);
  });

  test('an adoption that is interrupted anywhere goes on, and a user who has logged in meanwhile keeps their newer data', async () => {
    const people = Array.from({ length: 5 }, () => person());
    const url = await createTutorialDatabase(people);
    for (const step of ['check', 'adopt', 'compare'] as const) {
      const onProgress = (at: string) => {
        if (at === step) throw new Error(`stopped at ${step}`);
      };
      await expect(adopt(url, { onProgress })).rejects.toThrow(`stopped at ${step}`);
    }
    const store = await openStore({ databaseUrl: url, timeoutMs: 2000, poolSize: 1 });
    onTestFinished(() => store.close());
    const [active] = people;
    await mysql.query(url, 'delete from gk_wx_user');
    await store.saveLogin(
      loginWrite({ openId: active?.open_id ?? '', key: 'fresh', profile: { ...noNames, city: '深圳' } }),
    );

    expect(await adopt(url)).toMatchObject({ users: 5, sealed: 5, aside: 'gk_wx_user_before_guoke' });
    const rows = await mysql.query(url, 'select * from gk_wx_user');
    for (const old of people) {
      const row = rows.find(({ open_id }) => open_id === old.open_id);
      const { session_key, city, ...same } = old;
      expect(row).toMatchObject(same);
      const isActive = old === active;
      expect(row).toMatchObject({
        city: isActive ? '深圳' : city,
        session_key: isActive ? 'v1.k1.fresh' : `sealed:${session_key}`,
        prev_session_key: isActive ? `sealed:${session_key}` : null,
      });
    }
    await expect(adopt(url, { drop: true })).resolves.toMatchObject({ users: 5, aside: null });
    await expect(adopt(url)).rejects.toThrow(/there is no gk_wx_user of another application here/);
  });

  test('an adoption finds a row of ours that differs, and does not drop the old table', async () => {
    const url = await createTutorialDatabase([person(), person()]);
    await adopt(url);
    for (const change of [`real_name = 'other'`, `session_key = 'sealed:other'`, `nick_name = 'other'`]) {
      await mysql.query(url, `update gk_wx_user set ${change} limit 1`);
      await expect(adopt(url, { drop: true })).rejects.toThrow(
        /is not the same in gk_wx_user_before_guoke and gk_wx_user/,
      );
      await mysql.query(url, 'delete from gk_wx_user');
      await adopt(url);
    }
  });

  const odd: [string, Values, RegExp][] = [
    ['a malformed session key', { session_key: 'hush-hush' }, /session_key would not fit/],
    ['an unknown gender', { gender: 3 }, /gender would not fit/],
    ['a name that is too long', { real_name: '王'.repeat(65) }, /real_name would not fit/],
  ];
  test.each(odd)('a row with %s is refused before anything is changed', async (_, value, said) => {
    const url = await createTutorialDatabase([person(), { ...person(), ...value }]);
    const before = await mysql.dump(url);
    const failure = await adopt(url).catch(String);
    expect(failure).toMatch(said);
    expect(failure).not.toContain('hush');
    expect(await mysql.dump(url)).toBe(before);
  });

  test('columns that are not the tutorial’s, and rows without a user, stay in the old table and are reported', async () => {
    const table = tutorialTable
      .replace(
        'open_id varchar(255) not null primary key',
        'id bigint auto_increment primary key, open_id varchar(255)',
      )
      .replace('stu_id int', 'stu_id int, create_time datetime default now()');
    const people = Array.from({ length: 3 }, () => person());
    const keyless = [
      { ...person(), session_key: null },
      { ...person(), session_key: '' },
    ];
    const odd = [
      { ...person(), open_id: 'o abc' },
      { ...person(), open_id: 'test' },
      { ...person(), open_id: null },
    ];
    const url = await createTutorialDatabase([...odd, ...people, ...keyless], table);
    const before = await mysql.query(url, 'select * from gk_wx_user order by id');

    const { users, left } = await adopt(url);
    expect([users, left.rows, left.columns.toSorted()]).toEqual([3, 5, ['create_time', 'id']]);
    expect(left.named.toSorted()).toEqual([
      '"o abc": it has no openid of WeChat',
      ...keyless.map(({ open_id }) => `"${open_id}": it has no session key`).toSorted(),
      '"test": it has no openid of WeChat',
    ]);
    const openIds = async () =>
      (await mysql.query(url, 'select open_id from gk_wx_user')).map(({ open_id }) => String(open_id));
    expect((await openIds()).toSorted()).toEqual(people.map(({ open_id }) => open_id).toSorted());
    await expect(adopt(url, { drop: true })).rejects.toThrow(/5 of its rows have no user: .*--without-key/);
    expect(await mysql.query(url, 'select * from gk_wx_user_before_guoke order by id')).toEqual(before);

    expect(await adopt(url, { takesKeyless: true })).toMatchObject({ users: 5, sealed: 3, left: { rows: 3 } });
    expect(await openIds()).toHaveLength(5);
    const command = runCommand(
      'src/cli/guoke.ts',
      {
        DATABASE_URL: await createTutorialDatabase(odd, table),
        SESSION_KEY_SECRETS: `k1:${randomBytes(32).toString('base64')}`,
        WX_APPID: devApp.appId,
        WX_SECRET: devApp.secret,
      },
      ['adopt'],
    );
    expect((await command.exit).code).toBe(0);
    const said = command.stdout.join('\n');
    expect(said).toMatch(/the columns (id, create_time|create_time, id)\./);
    expect(said).toMatch(/3 rows without a user, such as\n {2}"o abc": it has no openid/);
  });

  const strange: [string, string, string[], RegExp][] = [
    [
      'no key, and a user in two rows',
      tutorialTable.replace(' not null primary key', ''),
      [`insert into gk_wx_user (open_id) values ('oTWICE4567890abcdef'), ('oTWICE4567890abcdef')`],
      /open_id "oTWICE4567890abcdef" stands in more than one row/,
    ],
    [
      'a foreign key to it',
      tutorialTable,
      [
        'create table orders (open_id varchar(255), foreign key (open_id) references gk_wx_user (open_id)) charset utf8mb4 collate utf8mb4_general_ci',
      ],
      /a foreign key of orders would follow it/,
    ],
    [
      'a trigger',
      tutorialTable,
      ['create trigger t1 before insert on gk_wx_user for each row set new.city = 1'],
      /the trigger t1/,
    ],
  ];
  test.each(strange.filter(([what]) => !isTidb || what !== 'a trigger'))(
    'a table with %s is refused before anything is changed',
    async (_, table, more, said) => {
      const url = await createTutorialDatabase([], table);
      for (const statement of more) await mysql.query(url, statement);
      await expect(adopt(url)).rejects.toThrow(said);
      expect(await mysql.query(url, `show tables like 'gk_wx_user%'`)).toHaveLength(1);
    },
  );

  test('guoke adopt refuses SQLite, and an incomplete configuration', async () => {
    const command = runCommand(
      'src/cli/guoke.ts',
      {
        WX_APPID: 'wx1',
        WX_SECRET: 's',
        DATABASE_URL: 'file:/nowhere/x.db',
      },
      ['adopt'],
    );
    expect((await command.exit).code).toBe(2);
    expect(command.stderr.join()).toMatch(/DATABASE_URL must be mysql/);
  });
});

const noNames = {
  nickName: null,
  avatarUrl: null,
  gender: null,
  language: null,
  city: null,
  province: null,
  country: null,
};
