import type { SessionState, User } from './api.js';
import type { Wx } from './wx.js';
/** The session of this phone, in memory and in WeChat's storage. */
export interface StoredSession {
  peek: () => SessionState | undefined;
  accept: (state: SessionState) => void;
  update: (user: User) => void;
  invalidate: (token: string) => void;
  onUpdate: (listener: (user: User) => void) => () => void;
}
/** A session from outside: the storage's text can be of another version, the backend's answer of another backend. */
export declare function isSessionState(value: unknown): value is Omit<SessionState, 'hasProfile'>;
/**
 * Keeps the session under one key. A storage that fails costs a login at the next launch and nothing else. Whether the
 * token is still good is for the server to say: it extends those that are used, and the phone is not told.
 */
export declare function createStoredSession(
  wx: Pick<Wx, 'getStorageSync' | 'setStorageSync' | 'removeStorageSync'>,
  key: string,
): StoredSession;
