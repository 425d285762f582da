import { inArray, type SQL, sql } from 'drizzle-orm';
import type { MySqlColumn } from 'drizzle-orm/mysql-core';
import { StoreError } from '../../store.ts';
import type { Db } from '../session.ts';
import { gkWxUser } from '../schema.ts';
import { asideTable, ourTable } from './legacy-table.ts';
import type { LegacyUser } from './legacy-user.ts';

/** What turns the users of the old table into ours. */
export interface Sealing {
  /** The mini program whose users these are. */
  appId: string;
  /** Seals a session key for the row of a user. */
  seal: (openId: string, sessionKey: string) => { sessionKey: string; sessionKeyFingerprint: string };
  /** Opens it again; null when it does not open. */
  open: (openId: string, sealed: string) => string | null;
}

const incoming = (column: MySqlColumn) => sql`values(${sql.identifier(column.name)})`;
const storedOrIncoming = (column: MySqlColumn) => sql`coalesce(${column}, ${incoming(column)})`;

/** A user who has logged in meanwhile keeps what that login stored; the old key becomes the previous one. */
const upsertSet: Partial<Record<keyof typeof gkWxUser.$inferInsert, SQL>> = {
  prevSessionKey: sql`if(${gkWxUser.sessionKeyAt} > 0, coalesce(${gkWxUser.prevSessionKey}, ${incoming(gkWxUser.sessionKey)}), ${gkWxUser.prevSessionKey})`,
  sessionKey: storedOrIncoming(gkWxUser.sessionKey),
  sessionKeyFingerprint: storedOrIncoming(gkWxUser.sessionKeyFingerprint),
  nickName: storedOrIncoming(gkWxUser.nickName),
  avatarUrl: storedOrIncoming(gkWxUser.avatarUrl),
  gender: sql`if(${gkWxUser.gender} in (1, 2), ${gkWxUser.gender}, coalesce(${incoming(gkWxUser.gender)}, ${gkWxUser.gender}))`,
  language: storedOrIncoming(gkWxUser.language),
  city: storedOrIncoming(gkWxUser.city),
  province: storedOrIncoming(gkWxUser.province),
  country: storedOrIncoming(gkWxUser.country),
  realName: storedOrIncoming(gkWxUser.realName),
  stuId: storedOrIncoming(gkWxUser.stuId),
};

export async function insertUsers(
  db: Db,
  users: readonly LegacyUser[],
  { appId, seal }: Sealing,
  now: number,
): Promise<void> {
  const rows = users.map(({ sessionKey, ...user }) => ({
    ...user,
    sessionKey: null,
    sessionKeyFingerprint: null,
    ...(sessionKey !== null && seal(user.openId, sessionKey)),
    appId,
    // Older than the key of any login: the first one moves it to the previous, where it still proves a profile.
    sessionKeyAt: 0,
    createdAt: now,
    updatedAt: now,
  }));
  await db.insert(gkWxUser).values(rows).onDuplicateKeyUpdate({ set: upsertSet });
}

/** Every value of the old rows stands in ours, or a later login's in its place. */
export async function compareUsers(db: Db, users: readonly LegacyUser[], { open }: Sealing): Promise<void> {
  const ids = users.map(({ openId }) => openId);
  const rows = await db.select().from(gkWxUser).where(inArray(gkWxUser.openId, ids));
  const stored = new Map(rows.map((row) => [row.openId, row]));
  for (const { sessionKey, openId, ...values } of users) {
    const row = stored.get(openId);
    const hasLoggedIn = row !== undefined && row.sessionKeyAt > 0;
    const names = Object.keys(values) as (keyof typeof values)[];
    const isKept = (name: keyof typeof values) =>
      row !== undefined && (row[name] === values[name] || (hasLoggedIn && values[name] !== null && row[name] !== null));
    const keyIsKept = row !== undefined && (hasLoggedIn || openOf(open, openId, row.sessionKey) === sessionKey);
    if (row && keyIsKept && names.every((name) => isKept(name) || values[name] === null)) continue;
    const where = `the user ${JSON.stringify(openId)} is not the same in ${asideTable} and ${ourTable}`;
    throw new StoreError('unexpected', 'ADOPTION_DIFFERS', undefined, where);
  }
}

function openOf(open: Sealing['open'], openId: string, sealed: string | null): string | null {
  return sealed === null ? null : open(openId, sealed);
}
