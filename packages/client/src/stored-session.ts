import type { SessionState, User } from './api.ts';
import { notify } from './notify.ts';
import type { Wx } from './wx.ts';

export type Storage = Pick<Wx, 'getStorageSync' | 'setStorageSync' | 'removeStorageSync'>;

/** The session of this phone, in WeChat's storage. */
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

function parse(text: string): SessionState | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isSessionState(value) ? { ...value, hasProfile: value.user.hasProfile } : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Keeps the session under one key. The storage is asked each time: another client on it (独立分包) may have logged in or out.
 * A storage that fails costs a login at the next launch and nothing else. Whether the token is still good is for the server
 * to say: it extends those that are used, and the phone is not told.
 */
export function createStoredSession(storage: Storage, key: string): StoredSession {
  const listeners = new Set<(user: User) => void>();
  let current: SessionState | undefined;
  /** What the storage holds for `current`. */
  let text = '';
  /** The storage is full or denied: the copy in memory serves until the app is closed. */
  let inMemoryOnly = false;

  function replace(state: SessionState | undefined): void {
    current = state;
    text = state ? JSON.stringify(state) : '';
    try {
      if (state) storage.setStorageSync(key, text);
      else storage.removeStorageSync(key);
      inMemoryOnly = false;
    } catch {
      inMemoryOnly = true;
    }
  }

  function peek(): SessionState | undefined {
    if (inMemoryOnly) return current;
    try {
      const stored = String(storage.getStorageSync(key));
      if (stored !== text) current = parse(stored);
      text = stored;
    } catch {
      // Unreadable for now: the copy in memory serves.
    }
    return current;
  }

  function accept(state: SessionState): void {
    replace(state);
    for (const listener of listeners) notify(listener, state.user);
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
