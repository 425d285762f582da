import { eq, inArray, sql } from 'drizzle-orm';
import { type LoginWrite, type Session, StoreError, type User } from '../store.ts';
import type { Db } from './connection.ts';
import { gkWxSession as session } from './schema.ts';
import { merged } from './statements.ts';
import { user } from './user-table.ts';

/** What every login and every call of somebody logged in asks of the database, for many of them at once. */
export interface Logins {
  /** Writes users and sessions, all or nothing, in one transaction, and gives the users back as stored. */
  save(db: Db, logins: readonly LoginWrite[]): Promise<User[]>;
  /** The sessions of these hashes with their users; null where there is none. */
  find(db: Db, tokenHashes: readonly Buffer[]): Promise<({ session: Session; user: User } | null)[]>;
}

/** Keeps the prepared statements of each connection: Drizzle takes several times longer to build one than to send it. */
export function createLogins(): Logins {
  const prepared = new WeakMap<Db, ReturnType<typeof prepare>>();

  function statementsOf(db: Db) {
    const known = prepared.get(db) ?? prepare(db);
    prepared.set(db, known);
    return known;
  }

  return {
    async save(db, logins) {
      const { usersUpsert, sessionsInsert, usersSelect } = statementsOf(db);
      // Every instance locks the rows in one order: unsorted, many die in deadlocks. The sort is stable, so that of
      // one user's logins the one that came last is written last.
      const sorted = logins.toSorted((a, b) => (a.openId < b.openId ? -1 : a.openId > b.openId ? 1 : 0));
      const openIds = [...new Set(sorted.map(({ openId }) => openId))];
      const users = await db.transaction(async () => {
        await usersUpsert(sorted.length).execute(valuesOf(sorted));
        await sessionsInsert(sorted.length).execute(valuesOf(sorted));
        return await usersSelect(openIds.length).execute(numbered('openId', openIds));
      });
      const byOpenId = new Map(users.map((each) => [each.openId, each]));
      return logins.map(({ openId }) => byOpenId.get(openId) ?? vanished());
    },
    async find(db, tokenHashes) {
      const { sessionsSelect } = statementsOf(db);
      const rows = await sessionsSelect(tokenHashes.length).execute(numbered('tokenHash', tokenHashes));
      const byHash = new Map(rows.map((row) => [row.session.tokenHash.toString('latin1'), row]));
      return tokenHashes.map((tokenHash) => byHash.get(tokenHash.toString('latin1')) ?? null);
    },
  };
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

function valuesOf(logins: readonly LoginWrite[]): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  let number = 0;
  for (const login of logins) for (const get of getters) values[number++] = get(login);
  return values;
}

function numbered(name: Name, all: readonly unknown[]): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const [index, value] of all.entries()) values[numberOf(name, index)] = value;
  return values;
}

const upTo = (rows: number) => Array.from({ length: rows }, (_, index) => index);

function prepare(db: Db) {
  const rowOf = (index: number) => ({
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
  });
  const sessionOf = (index: number) => ({
    tokenHash: at('tokenHash', index),
    openId: at('openId', index),
    createdAt: at('now', index),
    expiresAt: at('expiresAt', index),
    lastUsedAt: at('now', index),
  });
  const each = (name: Name, rows: number) => upTo(rows).map((index) => at(name, index));
  return {
    usersUpsert: memoized((rows) =>
      db.insert(user).values(upTo(rows).map(rowOf)).onDuplicateKeyUpdate({ set: merged }).prepare(),
    ),
    sessionsInsert: memoized((rows) => db.insert(session).values(upTo(rows).map(sessionOf)).prepare()),
    usersSelect: memoized((rows) =>
      db
        .select()
        .from(user)
        .where(inArray(user.openId, each('openId', rows)))
        .prepare(),
    ),
    sessionsSelect: memoized((rows) =>
      db
        .select({ session, user })
        .from(session)
        .innerJoin(user, eq(user.openId, session.openId))
        .where(inArray(session.tokenHash, each('tokenHash', rows)))
        .prepare(),
    ),
  };
}

function memoized<Made>(make: (count: number) => Made): (count: number) => Made {
  const made: Made[] = [];
  return (count) => (made[count] ??= make(count));
}

function vanished(): never {
  throw new StoreError('unexpected', 'USER_VANISHED');
}
