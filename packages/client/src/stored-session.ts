import type { SessionState, User } from './api.ts';
import type { Wx } from './wx.ts';

/** The session of this phone, in memory and in WeChat's storage. */
export interface StoredSession {
  peek: () => SessionState | undefined;
  accept: (state: SessionState) => void;
  update: (user: User) => void;
  invalidate: (token: string) => void;
  onUpdate: (listener: (user: User) => void) => () => void;
}

/** A session from outside: the storage's text can be of another version, the backend's answer of another backend. */
export function isSessionState(value: unknown): value is Omit<SessionState, 'hasProfile'> {
  const { token, expiresAt, user } = Object(value) as Partial<Record<keyof SessionState, unknown>>;
  return typeof token === 'string' && typeof expiresAt === 'number' && typeof user === 'object' && user !== null;
}

/**
 * Keeps the session under one key. A storage that fails costs a login at the next launch and nothing else. Whether the
 * token is still good is for the server to say: it extends those that are used, and the phone is not told.
 */
export function createStoredSession(
  wx: Pick<Wx, 'getStorageSync' | 'setStorageSync' | 'removeStorageSync'>,
  key: string,
): StoredSession {
  const listeners = new Set<(user: User) => void>();
  let current: SessionState | undefined;
  let loaded = false;

  function load(): SessionState | undefined {
    try {
      const value: unknown = JSON.parse(String(wx.getStorageSync(key)));
      return isSessionState(value) ? { ...value, hasProfile: value.user.hasProfile } : undefined;
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

  function accept(state: SessionState): void {
    replace(state);
    for (const listener of listeners) {
      try {
        listener(state.user);
      } catch (error) {
        // A page's mistake is its own: the login that brings the news must not fail of it.
        setTimeout(() => {
          throw error;
        }, 0);
      }
    }
  }

  function peek(): SessionState | undefined {
    if (!loaded) current = load();
    loaded = true;
    return current;
  }

  return {
    peek,
    accept,
    update(user) {
      const state = peek();
      if (state) accept({ ...state, user, hasProfile: user.hasProfile });
    },
    invalidate(token) {
      if (peek()?.token === token) replace(undefined);
    },
    onUpdate(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
