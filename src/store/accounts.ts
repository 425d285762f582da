import type { Session, User } from './store.ts';

/** Names a user, and refuses another one of the same openid. Times are Unix milliseconds. */
export interface UserSelector {
  openId: string;
  /** Made at this time or before: a user who was deleted and came back is another one. */
  createdUpTo?: number | undefined;
  /** Neither seen nor changed from this time on. */
  unseenSince?: number | undefined;
}

/** What is written into a user's row. A field that is left out stays as it is; null clears it. */
export interface UserChanges {
  nickName?: string | null | undefined;
  /** `hash` is the SHA-256 of `bytes`, by which the avatar is stored once and found. */
  avatar?: { hash: Buffer; bytes: Buffer } | null | undefined;
  /** The number sealed, and its fingerprint. */
  phone?: { sealed: string; fingerprint: string } | null | undefined;
  /** Since when the operator refuses this user. */
  blockedAt?: number | null | undefined;
}

/** A session key that WeChat gave outside of a login. */
export interface SessionKeyWrite {
  sessionKey: string;
  sessionKeyFingerprint: string;
  sessionKeyAt: number;
}

/** The whole row of a user, with what belongs to the business. */
export interface UserRecord extends User {
  realName: string | null;
  stuId: number | null;
}

/** What a person, or an operator for them, asks of the database about one user. */
export interface Accounts {
  /**
   * Deletes the user's row, sessions, and the avatar unless other users have it, in one transaction. Resolves to whether
   * there was such a user. A login at the same moment is before it, and deleted with it, or makes a new user after it.
   */
  deleteUser(user: UserSelector): Promise<boolean>;
  /** Resolves to the user as stored afterwards, null when there is no such user. An avatar that is cleared is deleted unless other users have it. */
  updateUser(user: UserSelector, changes: UserChanges, now: number): Promise<User | null>;
  /** Stores a key by the key rule of `Store.saveLogin`; does nothing when there is no such user. */
  saveSessionKey(user: UserSelector, key: SessionKeyWrite): Promise<void>;
  /** The sessions that have not expired at `now`, the newest first. */
  listSessions(openId: string, now: number, limit: number): Promise<Session[]>;
  findRecord(openId: string): Promise<UserRecord | null>;
  /** The users of one person in all apps of one open-platform account. */
  findUsersByUnionId(unionId: string): Promise<User[]>;
  /** The users whose phone number has one of these fingerprints, in all apps. */
  findUsersByPhone(fingerprints: readonly string[]): Promise<User[]>;
}
