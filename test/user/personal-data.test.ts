import { getTableColumns, getTableName, is } from 'drizzle-orm';
import { SQLiteTable } from 'drizzle-orm/sqlite-core';
import { expect, test } from 'vitest';
import * as schema from '../../src/store/sqlite/schema.ts';
import { exportedData } from '../../src/user/export.ts';

const tables = Object.values(schema).filter((table) => is(table, SQLiteTable));

/** Tables whose rows go with the user: that each value is gone is asked of a dump, in account.test.ts. */
const deleted = ['gk_wx_user', 'gk_wx_session', 'gk_wx_avatar'];

/** Columns that a person's export leaves out, and why. */
const withheld: Readonly<Record<string, string>> = {
  'gk_wx_user.prev_session_key': 'WeChat’s key, which may not leave the server',
  'gk_wx_user.session_key': 'WeChat’s key, which may not leave the server',
  'gk_wx_user.session_key_fingerprint': 'made of that key',
  'gk_wx_user.session_key_at': 'of that key',
  'gk_wx_user.phone_fingerprint': 'made of the number, which is exported itself',
  'gk_wx_session.token_hash': 'made of the token',
  'gk_wx_session.open_id': 'the user’s own, which is exported with the user',
  'gk_wx_avatar.hash': 'part of avatarUrl',
  'gk_wx_avatar.bytes': 'the picture, which is found at avatarUrl',
  'gk_wx_avatar.created_at': 'shared by all who chose the same picture',
};

/** Tables that hold nothing of a person. */
const impersonal = ['gk_wx_access_token'];

test('each table is deleted with its user, or holds nothing of a person', () => {
  expect(tables.map((table) => getTableName(table)).toSorted()).toEqual([...deleted, ...impersonal].toSorted());
});

test('each column of a person is exported, or withheld for a reason', () => {
  const exported: Readonly<Record<string, object>> = {
    gk_wx_user: exportedData.shape.user.shape,
    gk_wx_session: exportedData.shape.sessions.element.shape,
  };
  const missing: string[] = [];
  for (const table of tables.filter((each) => deleted.includes(getTableName(each)))) {
    for (const [key, { name }] of Object.entries(getTableColumns(table))) {
      const column = `${getTableName(table)}.${name}`;
      const isExported = Object.hasOwn(exported[getTableName(table)] ?? {}, key);
      if (isExported === Object.hasOwn(withheld, column)) missing.push(column);
    }
  }
  expect(missing).toEqual([]);
});
