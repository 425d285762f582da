import { sql } from 'drizzle-orm';
import { type LoginWrite, type Session, StoreError, type User } from './store.ts';

// What both dialects need for the logins of one moment: their rows as placeholders, so that a statement is built once for
// each number of them (Drizzle takes several times longer to build one than to send it), and the answers in their order.

/** What every login and every call of somebody logged in asks of the database, for many of them at once. */
export interface Logins<Db> {
  /** Writes users and sessions, all or nothing, in one transaction, and gives the users back as stored. */
  save(db: Db, logins: readonly LoginWrite[]): Promise<User[]>;
  /** The sessions of these hashes with their users; null where there is none. */
  find(db: Db, tokenHashes: readonly Buffer[]): Promise<(SessionOfUser | null)[]>;
}

interface SessionOfUser {
  session: Session;
  user: User;
}

/** What the placeholders of one login stand for, by their names. */
const valueOf = {
  openId: ({ openId }) => openId,
  appId: ({ appId }) => appId,
  unionId: ({ unionId }) => unionId,
  sessionKey: ({ sessionKey }) => sessionKey,
  sessionKeyFingerprint: ({ sessionKeyFingerprint }) => sessionKeyFingerprint,
  sessionKeyAt: ({ sessionKeyAt }) => sessionKeyAt,
  nickName: ({ profile }) => profile.nickName,
  avatarUrl: ({ profile }) => profile.avatarUrl,
  gender: ({ profile }) => profile.gender,
  language: ({ profile }) => profile.language,
  city: ({ profile }) => profile.city,
  province: ({ profile }) => profile.province,
  country: ({ profile }) => profile.country,
  now: ({ now }) => now,
  tokenHash: ({ tokenHash }) => tokenHash,
  expiresAt: ({ expiresAt }) => expiresAt,
} as const satisfies Record<string, (login: LoginWrite) => unknown>;

type Name = keyof typeof valueOf;
const names = Object.keys(valueOf) as Name[];
const getters = Object.values(valueOf);

/**
 * The name of a placeholder of the n-th login is a number: V8 keeps numbered values as an array, where hundreds of words
 * would be a hash table for each flight.
 */
const numberOf = (name: Name, index: number) => index * names.length + names.indexOf(name);
const at = (name: Name, index: number) => sql.placeholder(String(numberOf(name, index)));
const upTo = (rows: number) => Array.from({ length: rows }, (_, index) => index);

/** What the placeholders of `userRows`, and those of `sessionRows`, stand for. */
export function valuesOf(logins: readonly LoginWrite[]): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  let number = 0;
  for (const login of logins) for (const get of getters) values[number++] = get(login);
  return values;
}

/** What the placeholders of `each` stand for. */
export function numbered(name: Name, all: readonly unknown[]): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const [index, value] of all.entries()) values[numberOf(name, index)] = value;
  return values;
}

export const each = (name: Name, rows: number) => upTo(rows).map((index) => at(name, index));

export const userRows = (rows: number) =>
  upTo(rows).map((index) => ({
    openId: at('openId', index),
    appId: at('appId', index),
    unionId: at('unionId', index),
    sessionKey: at('sessionKey', index),
    sessionKeyFingerprint: at('sessionKeyFingerprint', index),
    sessionKeyAt: at('sessionKeyAt', index),
    prevSessionKey: null,
    phoneNumber: null,
    nickName: at('nickName', index),
    avatarUrl: at('avatarUrl', index),
    gender: at('gender', index),
    language: at('language', index),
    city: at('city', index),
    province: at('province', index),
    country: at('country', index),
    createdAt: at('now', index),
    updatedAt: at('now', index),
  }));

export const sessionRows = (rows: number) =>
  upTo(rows).map((index) => ({
    tokenHash: at('tokenHash', index),
    openId: at('openId', index),
    createdAt: at('now', index),
    expiresAt: at('expiresAt', index),
    lastUsedAt: at('now', index),
  }));

/** Makes something for each connection, when it is first used; it goes with the connection. */
export function perConnection<Db extends object, Made>(make: (db: Db) => Made): (db: Db) => Made {
  const made = new WeakMap<Db, Made>();
  return (db) => {
    const known = made.get(db) ?? make(db);
    made.set(db, known);
    return known;
  };
}

/** Makes something for each number of rows, when there are so many for the first time. */
export function byRows<Made>(make: (rows: number) => Made): (rows: number) => Made {
  const made: Made[] = [];
  return (rows) => (made[rows] ??= make(rows));
}

/** The users of these logins. */
export function usersOf(logins: readonly LoginWrite[], users: readonly User[]): User[] {
  const byOpenId = new Map(users.map((user) => [user.openId, user]));
  return logins.map(({ openId }) => {
    const user = byOpenId.get(openId);
    if (!user) throw new StoreError('unexpected', 'USER_VANISHED');
    return user;
  });
}

/** The sessions of these hashes. */
export function sessionsOf(tokenHashes: readonly Buffer[], found: readonly SessionOfUser[]): (SessionOfUser | null)[] {
  const byHash = new Map(found.map((each) => [each.session.tokenHash.toString('latin1'), each]));
  return tokenHashes.map((tokenHash) => byHash.get(tokenHash.toString('latin1')) ?? null);
}
