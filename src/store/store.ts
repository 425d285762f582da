import type { SessionKeyWrite, UserChanges, UserSelector } from './accounts.ts';

/** What WeChat lets a user say about themselves. A value that is not known is null. */
export interface Profile {
  nickName: string | null;
  avatarUrl: string | null;
  /** 0 unknown, 1 male, 2 female: WeChat's own numbers. */
  gender: 0 | 1 | 2 | null;
  language: string | null;
  city: string | null;
  province: string | null;
  country: string | null;
}

/** A row of `gk_wx_user`, less what belongs to the business alone (`real_name`, `stu_id`). */
export interface User extends Profile {
  openId: string;
  appId: string;
  unionId: string | null;
  /** Sealed, like the two session keys: the store never sees any of them in clear. */
  phoneNumber: string | null;
  /** Keyed: equal for equal numbers, and of no use without the secret. */
  phoneFingerprint: string | null;
  sessionKey: string | null;
  prevSessionKey: string | null;
  sessionKeyFingerprint: string | null;
  /** When the exchange that gave `sessionKey` began, in Unix milliseconds. */
  sessionKeyAt: number;
  /** Since when the operator refuses this user, in Unix milliseconds; null for all others. */
  blockedAt: number | null;
  createdAt: number;
  /** Of the last login, use (by the hour) or change. */
  updatedAt: number;
}

/** The whole row of a user, with what belongs to the business. */
export interface UserRecord extends User {
  realName: string | null;
  stuId: number | null;
}

/** A row of `gk_wx_session`. Times are Unix milliseconds. */
export interface Session {
  /** SHA-256 of the token, 32 bytes. */
  tokenHash: Buffer;
  openId: string;
  createdAt: number;
  expiresAt: number;
  lastUsedAt: number;
}

/** A use of a session, which moves its expiry if it was last used at `unusedSince` or before. */
export interface SessionExtension {
  tokenHash: Buffer;
  openId: string;
  unusedSince: number;
  lastUsedAt: number;
  expiresAt: number;
}

/** Everything that one login writes: the user and a session of theirs, both or neither. */
export interface LoginWrite {
  openId: string;
  appId: string;
  /** null leaves the stored one as it is. */
  unionId: string | null;
  sessionKey: string;
  sessionKeyFingerprint: string;
  sessionKeyAt: number;
  /** A null field leaves the stored one as it is, and so does gender 0 (unknown) where 1 or 2 is stored. */
  profile: Profile;
  tokenHash: Buffer;
  /** The time of the write and of the session's creation. */
  now: number;
  expiresAt: number;
}

/** The sealed values of a user's row, and their fingerprints. */
export type SealedValues = Pick<
  User,
  'sessionKey' | 'prevSessionKey' | 'sessionKeyFingerprint' | 'phoneNumber' | 'phoneFingerprint'
>;

/** Their names: one that is missing does not compile. */
export const sealedColumns = Object.keys({
  sessionKey: true,
  prevSessionKey: true,
  sessionKeyFingerprint: true,
  phoneNumber: true,
  phoneFingerprint: true,
} satisfies Record<keyof SealedValues, true>) as (keyof SealedValues)[];

/** A change of a row's sealed values, made only while they are still `from`. */
export interface Reseal {
  openId: string;
  from: SealedValues;
  to: SealedValues;
}

/** The state of the connections to the database. */
export interface PoolStats {
  size: number;
  inUse: number;
  /** Calls that wait for a connection. */
  waiting: number;
}

/** A row of `gk_wx_access_token`: WeChat's token for the calls of one app. Times are Unix milliseconds. */
export interface AccessToken {
  appId: string;
  /** Sealed; null before the first. */
  token: string | null;
  expiresAt: number;
  /** When a renewal was forced last, and how many times on that day. */
  forcedAt: number;
  forcedOnDay: number;
  /** The instance that may fetch a token from WeChat, and until when. */
  leaseOwner: string;
  leaseUntil: number;
}

/**
 * What the login needs of a database. Every method rejects with a `StoreError` and nothing else, within the
 * deadline that the store was opened with; `migrate` has one of its own, of a minute, for it may wait for others.
 */
export interface Store {
  /**
   * Creates or updates the user, adds the session, and resolves to the user as stored afterwards. The key rule:
   * a key of a later exchange moves the stored one to `prevSessionKey`; the same key again (by fingerprint) moves
   * nothing; a key of an earlier exchange (`sessionKeyAt` smaller than the stored one) is dropped.
   */
  saveLogin(login: LoginWrite): Promise<User>;
  findUser(openId: string): Promise<User | null>;
  /** The session with its user, expired or not; null when there is none. */
  findSession(tokenHash: Buffer): Promise<{ session: Session; user: User } | null>;
  /** Moves the user's `updatedAt` too. Of several extensions at the same moment one is written. A deleted session stays deleted. */
  extendSession(extension: SessionExtension): Promise<void>;
  /** Whether there was such a session. */
  deleteSession(tokenHash: Buffer): Promise<boolean>;
  /** Deletes all of the user's sessions. Resolves to how many of them had not expired at `now`. */
  deleteSessionsOf(openId: string, now: number): Promise<number>;
  /** Deletes at most `limit` sessions that have expired at `now`, the oldest first. Resolves to their number. */
  deleteExpiredSessions(now: number, limit: number): Promise<number>;
  countUsers(): Promise<number>;
  /** The users that come after this openid, in the order of openids; '' comes before all. */
  listUsers(afterOpenId: string, limit: number): Promise<User[]>;
  /** Changes the rows in one transaction, save those changed by others meanwhile. Resolves to the number of changed rows. */
  reseal(changes: readonly Reseal[]): Promise<number>;
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
  /** The picture, WebP, whose SHA-256 this is. */
  findAvatar(hash: Buffer): Promise<Buffer | null>;
  /**
   * Looks at `limit` avatars after the hash `after`, and deletes those that no user has and that were created (or chosen
   * again) before `createdBefore`. `next` is where to continue, null at the end.
   */
  sweepAvatars(sweep: {
    after: Buffer;
    limit: number;
    createdBefore: number;
  }): Promise<{ deleted: number; next: Buffer | null }>;
  findAccessToken(appId: string): Promise<AccessToken | null>;
  /** Gives the lease to `owner` unless another owner's lasts. Resolves to the row, which names the owner. */
  leaseAccessToken(lease: { appId: string; owner: string; now: number; until: number }): Promise<AccessToken>;
  /** Changes the row while `owner` has the lease. */
  updateAccessToken(
    appId: string,
    owner: string,
    changes: Partial<Omit<AccessToken, 'appId' | 'leaseOwner'>>,
  ): Promise<void>;
  /** Brings the tables up to date. Many instances may call it at once: one at a time migrates. */
  migrate(): Promise<void>;
  /** Rejects as unavailable where a table of ours is missing, and as unexpected where one would lose what is written. */
  verifyTables(): Promise<void>;
  /** Resolves when the database answers. */
  ping(): Promise<void>;
  /** The stats of this moment. */
  poolStats(): PoolStats;
  close(): Promise<void>;
}

/** The part of a store that concerns one user's account. */
export type AccountStore = Pick<
  Store,
  | 'deleteUser'
  | 'updateUser'
  | 'saveSessionKey'
  | 'listSessions'
  | 'findRecord'
  | 'findUsersByUnionId'
  | 'findUsersByPhone'
>;

export interface StoreOptions {
  /** `file:<path>` or `mysql://user:password@host:3306/database`, the latter with `?ssl=true` for TLS. */
  databaseUrl: string;
  /** For each call of the store, waiting for a connection included. */
  timeoutMs: number;
  /** Connections, with MySQL; SQLite has one. */
  poolSize: number;
}

/**
 * A failure of the database, with nothing of the statement or its values: drivers put both into their errors.
 * `unavailable`: away, too slow, full or busy; trying later may help. `unexpected`: it answered, and refused.
 */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly kind: 'unavailable' | 'unexpected';
  /** The driver's own code, such as ECONNREFUSED, ER_DATA_TOO_LONG or SQLITE_BUSY. */
  readonly code: string;
  /** The server's error number where there is one. */
  readonly errno: number | undefined;
  /** In words of ours, for the operator. */
  readonly explanation: string | undefined;

  constructor(kind: 'unavailable' | 'unexpected', code: string, errno?: number, explanation?: string) {
    super(`database ${kind}: ${code}${explanation ? `: ${explanation}` : ''}`);
    this.kind = kind;
    this.code = code;
    this.errno = errno;
    this.explanation = explanation;
  }
}
