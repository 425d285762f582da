import type { SessionState, User } from './api.ts';
import type { Wx } from './wx.ts';

/** The session of this phone, in memory and in WeChat's storage. */
export interface StoredSession {
  peek: () => SessionState | undefined;
  accept: (state: SessionState) => void;
  update: (user: User) => void;
  invalidate: (token: string) => void;
}

/** A session from outside: the storage's text can be of another version, the backend's answer of another backend. */
export function isSessionState(value: unknown): value is Omit<SessionState, 'hasProfile'> {
  const { token, expiresAt, user } = Object(value) as Partial<Record<keyof SessionState, unknown>>;
  return typeof token === 'string' && typeof expiresAt === 'number' && typeof user === 'object' && user !== null;
}

/** Keeps the session under one key. A storage that fails costs a login at the next launch and nothing else. */
export function createStoredSession(wx: Wx, key: string, now: () => number = Date.now): StoredSession {
  let current: SessionState | undefined;
  let loaded = false;

  function load(): SessionState | undefined {
    try {
      const value: unknown = JSON.parse(String(wx.getStorageSync(key)));
      return isSessionState(value) && value.expiresAt > now()
        ? { ...value, hasProfile: value.user.hasProfile }
        : undefined;
    } catch {
      return undefined;
    }
  }

  function replace(state: SessionState | undefined): void {
    current = state;
    loaded = true;
    try {
      if (state) wx.setStorageSync(key, JSON.stringify(state));
      else wx.removeStorageSync(key);
    } catch {
      // Full or denied: the copy in memory serves until the app is closed.
    }
  }

  // Expiry is looked at only here: from then on the server is the judge, for it extends tokens and its clock is right.
  function peek(): SessionState | undefined {
    if (!loaded) current = load();
    loaded = true;
    return current;
  }

  return {
    peek,
    accept: replace,
    update(user) {
      const state = peek();
      if (state) replace({ ...state, user, hasProfile: user.hasProfile });
    },
    invalidate(token) {
      if (peek()?.token === token) replace(undefined);
    },
  };
}
