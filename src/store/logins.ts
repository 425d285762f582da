import { type Placeholder, type SQL, sql } from 'drizzle-orm';
import { type LoginWrite, type Profile, type Session, StoreError, type User } from './store.ts';

// Both dialects write many logins in one statement. It is built once for each number of rows, with placeholders: Drizzle
// takes several times longer to build a statement than to send it. The maps here and in the dialects name every column.

/** What every login and every signed-in call asks of the database, for many of them at once. */
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

type LoginValues = Omit<LoginWrite, 'profile'> & Profile;
type ValueName = keyof LoginValues;

/** The value of each placeholder of a login. */
const readers: Readonly<{ [Name in ValueName]: (login: LoginWrite) => LoginValues[Name] }> = {
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
};
const names = Object.keys(readers);
const readersInOrder = Object.values(readers);

/**
 * The placeholder of a value of the n-th login is named by a number: V8 keeps numbered values as an array, where hundreds
 * of words would be a hash table for each batch.
 */
const placeholderNumber = (name: ValueName, row: number) => row * names.length + names.indexOf(name);
const placeholder = (name: ValueName, row: number) => sql.placeholder(String(placeholderNumber(name, row)));
const rowNumbers = (rows: number) => Array.from({ length: rows }, (_, row) => row);

/** The values for the placeholders of `userRows` and `sessionRows`. */
export function loginValues(logins: readonly LoginWrite[]): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  let number = 0;
  for (const login of logins) for (const read of readersInOrder) values[number++] = read(login);
  return values;
}

/** One placeholder of this name for each row. */
export const placeholders = (name: ValueName, rows: number) => rowNumbers(rows).map((row) => placeholder(name, row));

/** The values for `placeholders`. */
export function placeholderValues(name: ValueName, values: readonly unknown[]): Record<string, unknown> {
  const byNumber: Record<string, unknown> = {};
  for (const [row, value] of values.entries()) byNumber[placeholderNumber(name, row)] = value;
  return byNumber;
}

/** Each column of a table: null stands for a column that a login leaves empty in a new row. */
type Row<Stored> = { [Column in keyof Stored]: Placeholder | (null extends Stored[Column] ? null : never) };

export const userRows = (rows: number): Row<User>[] =>
  rowNumbers(rows).map((row) => ({
    openId: placeholder('openId', row),
    appId: placeholder('appId', row),
    unionId: placeholder('unionId', row),
    sessionKey: placeholder('sessionKey', row),
    sessionKeyFingerprint: placeholder('sessionKeyFingerprint', row),
    sessionKeyAt: placeholder('sessionKeyAt', row),
    prevSessionKey: null,
    phoneNumber: null,
    phoneFingerprint: null,
    nickName: placeholder('nickName', row),
    avatarUrl: placeholder('avatarUrl', row),
    gender: placeholder('gender', row),
    language: placeholder('language', row),
    city: placeholder('city', row),
    province: placeholder('province', row),
    country: placeholder('country', row),
    blockedAt: null,
    createdAt: placeholder('now', row),
    updatedAt: placeholder('now', row),
  }));

export const sessionRows = (rows: number): Row<Session>[] =>
  rowNumbers(rows).map((row) => ({
    tokenHash: placeholder('tokenHash', row),
    openId: placeholder('openId', row),
    createdAt: placeholder('now', row),
    expiresAt: placeholder('expiresAt', row),
    lastUsedAt: placeholder('now', row),
  }));

/** What a login assigns to each column of a user who is there already; null leaves the column as it is. */
export type UpsertSet = Readonly<Record<Exclude<keyof User, 'openId'>, SQL | null>>;

/** The columns that are assigned, as Drizzle takes them. */
export function assignedColumns(upsertSet: UpsertSet): Record<string, SQL> {
  return Object.fromEntries(
    Object.entries(upsertSet).flatMap(([column, value]) => (value === null ? [] : [[column, value]])),
  );
}

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
export function perRowCount<Made>(make: (rows: number) => Made): (rows: number) => Made {
  const made: Made[] = [];
  return (rows) => (made[rows] ??= make(rows));
}

/** The users of these logins, in their order. */
export function usersOf(logins: readonly LoginWrite[], users: readonly User[]): User[] {
  const byOpenId = new Map(users.map((user) => [user.openId, user]));
  return logins.map(({ openId }) => {
    const user = byOpenId.get(openId);
    if (!user) throw new StoreError('unexpected', 'USER_VANISHED');
    return user;
  });
}

/** The sessions of these hashes, in their order. */
export function sessionsOf(tokenHashes: readonly Buffer[], found: readonly SessionOfUser[]): (SessionOfUser | null)[] {
  const byHash = new Map(found.map((row) => [row.session.tokenHash.toString('latin1'), row]));
  return tokenHashes.map((tokenHash) => byHash.get(tokenHash.toString('latin1')) ?? null);
}
