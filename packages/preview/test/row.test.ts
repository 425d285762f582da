import { expect, test } from 'vitest';
import { shownRow } from '../row.ts';

test('the row shows first what a reader looks for, and a column that it does not know last', () => {
  const row = { appId: 'wx1', updatedAt: 0, somethingNew: 'x', nickName: '小明', openId: 'o12345', sessionKey: 'v1.k' };
  expect(shownRow(row).map(({ column }) => column)).toEqual([
    'open_id',
    'session_key',
    'nick_name',
    'app_id',
    'updated_at',
    'something_new',
  ]);
});

test('the row opens no seal, quotes no fingerprint and cuts ids short', () => {
  const row = { sessionKey: 'v1.key', phoneFingerprint: 'abcdef', openId: 'o12345', anything: 'v1.other' };
  expect(shownRow(row).map(({ value }) => value)).toEqual(['o123…', 'sealed', 'HMAC-SHA-256', 'sealed']);
});
