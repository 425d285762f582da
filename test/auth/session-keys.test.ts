import { expect, test } from 'vitest';
import { createSessionKeys } from '../../src/auth/session-keys.ts';
import type { User } from '../../src/store/store.ts';
import type { Exchange } from '../../src/wechat/exchange.ts';
import { noProfile } from '../support/login-write.ts';

const keys = createSessionKeys([{ id: 'k1', key: Buffer.alloc(32, 1) }]);
const exchangeOf = (sessionKey: string, appId = 'wx1', openId = 'oTEST0000000000000000000000A'): Exchange => ({
  appId,
  openId,
  unionId: null,
  sessionKey,
  startedAt: 0,
});
const [first, second, third] = [1, 2, 3].map((fill) => Buffer.alloc(16, fill).toString('base64')) as [
  string,
  string,
  string,
];

/** A user whose current key is of this exchange, and the one before of that. */
function userOf(current: Exchange, previous: Exchange | null = null): User {
  return {
    ...noProfile,
    openId: current.openId,
    appId: current.appId,
    unionId: null,
    phoneNumber: null,
    phoneFingerprint: null,
    ...keys.seal(current),
    prevSessionKey: previous && keys.seal(previous).sessionKey,
    sessionKeyAt: 0,
    blockedAt: null,
    createdAt: 0,
    updatedAt: 0,
  };
}

test('the previous key is the stored one, or the one before that when the exchange gave the same key again', () => {
  const user = userOf(exchangeOf(second), exchangeOf(first));
  expect(keys.openPrevious(user, exchangeOf(third))).toBe(second);
  expect(keys.openPrevious(user, exchangeOf(second))).toBe(first);
  expect(keys.openPrevious(userOf(exchangeOf(first)), exchangeOf(first))).toBeNull();
  expect(keys.openPrevious(null, exchangeOf(first))).toBeNull();
});

test('a key stored by a later exchange is not the previous one: the key that it replaced is', () => {
  const user = { ...userOf(exchangeOf(third), exchangeOf(first)), sessionKeyAt: 1 };
  expect(keys.openPrevious(user, exchangeOf(second))).toBe(first);
  expect(keys.openPrevious({ ...user, prevSessionKey: null }, exchangeOf(second))).toBeNull();
  // The later exchange gave the same key.
  expect(
    keys.openPrevious({ ...userOf(exchangeOf(second), exchangeOf(first)), sessionKeyAt: 1 }, exchangeOf(second)),
  ).toBe(first);
});

test('a key that a clock six minutes ahead stored is the one before this exchange, for such a clock is wrong', () => {
  const minuteMs = 60_000;
  const user = { ...userOf(exchangeOf(second), exchangeOf(first)), sessionKeyAt: 6 * minuteMs };
  expect(keys.openPrevious(user, exchangeOf(third))).toBe(second);
  expect(keys.openPrevious({ ...user, sessionKeyAt: 4 * minuteMs }, exchangeOf(third))).toBe(first);
});

test('a key of another app or another user counts as missing, and so does one that was moved between rows', () => {
  const user = userOf(exchangeOf(first));
  expect(keys.openPrevious(user, exchangeOf(second, 'wx2'))).toBeNull();
  const moved = { ...user, openId: 'oTEST0000000000000000000000B' };
  expect(keys.openPrevious(moved, exchangeOf(second, 'wx1', 'oTEST0000000000000000000000B'))).toBeNull();
  expect(keys.openPrevious({ ...user, appId: 'wx2' }, exchangeOf(second, 'wx2'))).toBeNull();
  for (const elsewhere of [moved, { ...user, appId: 'wx2' }]) expect(keys.openAll(elsewhere)).toEqual([]);
});

test('a user last seen in another app has no previous key, even one that would open', () => {
  const here = exchangeOf(first, 'wx2');
  const user = { ...userOf(here), appId: 'wx1' };
  expect(keys.openPrevious(user, exchangeOf(second, 'wx2'))).toBeNull();
});

test('a key that is damaged, empty or of a lost secret counts as missing', () => {
  const { sessionKey, ...user } = userOf(exchangeOf(first));
  const lost = createSessionKeys([{ id: 'k1', key: Buffer.alloc(32, 9) }]);
  for (const damaged of ['', 'x', sessionKey?.slice(0, -1) ?? '', `${sessionKey}A`, `v2${sessionKey?.slice(2)}`]) {
    expect(keys.openPrevious({ ...user, sessionKey: damaged }, exchangeOf(second))).toBeNull();
  }
  expect(lost.openPrevious({ ...user, sessionKey }, exchangeOf(second))).toBeNull();
});
