import { execFile } from 'node:child_process';
import { cp, readdir } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { getTableColumns, type InferInsertModel, type InferSelectModel } from 'drizzle-orm';
import { getTableConfig } from 'drizzle-orm/sqlite-core';
import { describe, expect, expectTypeOf, inject, test } from 'vitest';
import type { userRows } from '../../src/store/logins.ts';
import * as mysqlSchema from '../../src/store/mysql/schema.ts';
import type { upsertSet as mysqlUpsertSet } from '../../src/store/mysql/statements.ts';
import { openStore } from '../../src/store/open.ts';
import * as sqliteSchema from '../../src/store/sqlite/schema.ts';
import type { upsertSet as sqliteUpsertSet } from '../../src/store/sqlite/statements.ts';
import type { Session, User } from '../../src/store/store.ts';
import { widths } from '../../src/store/widths.ts';
import { databases } from '../support/databases.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

describe('the schemas of both dialects', () => {
  test('both schemas have the same rows, which are those of the port', () => {
    type Row = InferSelectModel<typeof mysqlSchema.gkWxUser>;
    expectTypeOf<Row>().toEqualTypeOf<InferSelectModel<typeof sqliteSchema.gkWxUser>>();
    expectTypeOf<Omit<Row, 'realName' | 'stuId'>>().toEqualTypeOf<User>();
    expectTypeOf<Pick<Row, 'realName' | 'stuId'>>().toEqualTypeOf<{ realName: string | null; stuId: number | null }>();
    expectTypeOf<InferSelectModel<typeof mysqlSchema.gkWxSession>>().toEqualTypeOf<Session>();
    expectTypeOf<InferSelectModel<typeof sqliteSchema.gkWxSession>>().toEqualTypeOf<Session>();
    type NewUser = InferInsertModel<typeof mysqlSchema.gkWxUser>;
    expectTypeOf<NewUser>().toEqualTypeOf<InferInsertModel<typeof sqliteSchema.gkWxUser>>();
  });

  test('both schemas are written by a login column by column: a map that leaves one out does not compile', () => {
    // A mapped type keeps what is optional optional: a partial map is another type.
    type ColumnsOf<Map> = { [Column in keyof Map]: true };
    type Columns = { [Column in keyof User]: true };
    expectTypeOf<ColumnsOf<ReturnType<typeof userRows>[number]>>().toEqualTypeOf<Columns>();
    expectTypeOf<ColumnsOf<typeof mysqlSchema.userColumns>>().toEqualTypeOf<Columns>();
    expectTypeOf<ColumnsOf<typeof sqliteSchema.userColumns>>().toEqualTypeOf<Columns>();
    expectTypeOf<ColumnsOf<typeof mysqlUpsertSet>>().toEqualTypeOf<Readonly<Omit<Columns, 'openId'>>>();
    expectTypeOf<ColumnsOf<typeof sqliteUpsertSet>>().toEqualTypeOf<Readonly<Omit<Columns, 'openId'>>>();
  });

  test.each([
    ['gk_wx_user', mysqlSchema.gkWxUser, sqliteSchema.gkWxUser],
    ['gk_wx_access_token', mysqlSchema.gkWxAccessToken, sqliteSchema.gkWxAccessToken],
  ] as const)('a text column of %s that MySQL bounds has its check in SQLite', (_, mysqlTable, sqliteTable) => {
    const columns = Object.values(getTableColumns(mysqlTable));
    const bounded = columns.filter((column) => column.getSQLType().startsWith('varchar'));
    const checks = getTableConfig(sqliteTable).checks.map(({ name }) => name);
    expect(checks.toSorted()).toEqual(bounded.map(({ name }) => `${name}_width`).toSorted());
  });

  test.each(['gkWxUser', 'gkWxSession', 'gkWxAvatar', 'gkWxAccessToken'] as const)(
    'both schemas have the same columns in the same order: %s',
    (table) => {
      const columnsOf = (schema: typeof mysqlSchema | typeof sqliteSchema) =>
        Object.entries(getTableColumns(schema[table])).map(([key, { name, notNull, primary }]) => [
          key,
          name,
          notNull,
          primary,
        ]);
      expect(columnsOf(mysqlSchema)).toEqual(columnsOf(sqliteSchema));
    },
  );

  test('both schemas assign the keys of a user in the order in which MySQL may evaluate them', () => {
    const names = Object.keys(mysqlSchema.userColumns);
    const keys = ['appId', 'prevSessionKey', 'sessionKey', 'sessionKeyFingerprint', 'sessionKeyAt'];
    expect(names.filter((name) => keys.includes(name))).toEqual(keys);
  });

  test.each(['mysql', 'sqlite'])('a schema needs no other migration than those under drizzle/%s', async (dialect) => {
    // drizzle-kit takes every path for one below its own directory.
    const out = path.relative(root, `${inject('scratch')}/drizzle-${dialect}`);
    await cp(`${root}/drizzle/${dialect}`, path.join(root, out), { recursive: true });
    const schema = `./src/store/${dialect}/schema.ts`;
    const args = [
      `${root}/node_modules/drizzle-kit/bin.cjs`,
      'generate',
      '--dialect',
      dialect,
      '--schema',
      schema,
      '--out',
      out,
    ];
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root });
    expect(stdout).toContain('No schema changes');
    expect(await readdir(path.join(root, out))).toEqual(await readdir(`${root}/drizzle/${dialect}`));
  });
});

test('the migrated databases hold the same tables and columns', async () => {
  const found = [];
  for (const { name, createUrl, query } of databases) {
    const url = await createUrl();
    const store = await openStore({ databaseUrl: url, timeoutMs: 2000, poolSize: 1 });
    await store.migrate();
    await store.close();
    const columns =
      name === 'SQLite'
        ? `select m.name as t, c.name as c from sqlite_master m join pragma_table_info(m.name) c where m.name like 'gk_%' and m.type = 'table'`
        : `select table_name as t, column_name as c from information_schema.columns where table_schema = database() and table_name like 'gk_%'`;
    found.push((await query(url, columns)).map(({ t, c }) => `${String(t)}.${String(c)}`).toSorted());
  }
  for (const columns of found) expect(columns).toEqual(found[0]);
  expect(found[0]).toContain('gk_wx_user.stu_id');
});

test('a nickname may have 64 emoji of ten code points', () => {
  expect(widths.nickName).toBeGreaterThanOrEqual(Array.from('👩🏽‍❤️‍💋‍👨🏿'.repeat(64)).length);
});
