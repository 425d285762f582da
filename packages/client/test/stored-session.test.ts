import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { SessionState } from '../src/api.ts';
import { createStoredSession } from '../src/stored-session.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const user: SessionState['user'] = {
  nickName: '小明',
  avatarUrl: null,
  gender: 0,
  language: null,
  city: null,
  province: null,
  country: null,
  hasProfile: true,
  hasPhone: false,
};
const state: SessionState = { user, hasProfile: true, token: 't', expiresAt: 0 };

it('a page that fails when it is told of a user fails on its own: the session and the other pages are not held up', () => {
  const kept = new Map<string, string>();
  const session = createStoredSession(
    {
      getStorageSync: (key) => kept.get(key) ?? '',
      setStorageSync: (key, value) => void kept.set(key, value),
      removeStorageSync: (key) => void kept.delete(key),
    },
    'key',
  );
  const told: (string | null)[] = [];
  session.onUpdate(() => {
    throw new Error('of the page');
  });
  session.onUpdate(({ nickName }) => told.push(nickName));
  session.accept(state);
  expect(told).toEqual(['小明']);
  expect(session.peek()).toEqual(state);
  expect(JSON.parse(kept.get('key') ?? '')).toEqual(state);
  expect(() => vi.runAllTimers()).toThrow('of the page');
});
