import { sql } from 'drizzle-orm';
import {
  type AnySQLiteColumn,
  blob,
  check,
  index,
  integer,
  type SQLiteColumnBuilderBase,
  sqliteTable,
  text,
} from 'drizzle-orm/sqlite-core';
import type { User } from '../store.ts';
import { widths } from '../widths.ts';

/** SQLite holds text of any length, whatever the type says: a check refuses what MySQL's varchar refuses. */
const atMost = (column: AnySQLiteColumn, width: number) =>
  check(`${column.name}_width`, sql`length(${column}) <= ${sql.raw(String(width))}`);

/** The columns that a login writes. Text is compared byte for byte, SQLite's default. */
export const userColumns = {
  openId: text('open_id').primaryKey().notNull(),
  appId: text('app_id').notNull(),
  unionId: text('union_id'),
  prevSessionKey: text('prev_session_key'),
  sessionKey: text('session_key'),
  sessionKeyFingerprint: text('session_key_fingerprint'),
  sessionKeyAt: integer('session_key_at').notNull(),
  phoneNumber: text('phone_number'),
  phoneFingerprint: text('phone_fingerprint'),
  nickName: text('nick_name'),
  avatarUrl: text('avatar_url'),
  gender: integer('gender').$type<0 | 1 | 2>(),
  language: text('language'),
  city: text('city'),
  province: text('province'),
  country: text('country'),
  blockedAt: integer('blocked_at'),
  createdAt: integer('created_at').notNull(),
  updatedAt: integer('updated_at').notNull(),
} satisfies Record<keyof User, SQLiteColumnBuilderBase>;

/** The whole table. `real_name` and `stu_id` belong to the business: our statements use a table without them. */
export const gkWxUser = sqliteTable(
  'gk_wx_user',
  {
    ...userColumns,
    realName: text('real_name'),
    stuId: integer('stu_id'),
  },
  (table) => [
    index('gk_wx_user_union_id').on(table.unionId),
    index('gk_wx_user_phone_fingerprint').on(table.phoneFingerprint),
    index('gk_wx_user_avatar_url').on(table.avatarUrl),
    atMost(table.openId, widths.openId),
    atMost(table.appId, widths.appId),
    atMost(table.unionId, widths.unionId),
    atMost(table.prevSessionKey, widths.sealed),
    atMost(table.sessionKey, widths.sealed),
    atMost(table.sessionKeyFingerprint, widths.fingerprint),
    atMost(table.phoneNumber, widths.sealed),
    atMost(table.phoneFingerprint, widths.fingerprint),
    atMost(table.nickName, widths.nickName),
    atMost(table.avatarUrl, widths.avatarUrl),
    atMost(table.language, widths.language),
    atMost(table.city, widths.place),
    atMost(table.province, widths.place),
    atMost(table.country, widths.place),
    atMost(table.realName, widths.realName),
  ],
);

export const gkWxSession = sqliteTable(
  'gk_wx_session',
  {
    tokenHash: blob('token_hash', { mode: 'buffer' }).primaryKey().notNull(),
    openId: text('open_id').notNull(),
    createdAt: integer('created_at').notNull(),
    expiresAt: integer('expires_at').notNull(),
    lastUsedAt: integer('last_used_at').notNull(),
  },
  (table) => [
    index('gk_wx_session_open_id').on(table.openId),
    index('gk_wx_session_expires_at').on(table.expiresAt),
    check('token_hash_width', sql`length(${table.tokenHash}) = 32`),
  ],
);

/** Avatars, one row for each content. */
export const gkWxAvatar = sqliteTable(
  'gk_wx_avatar',
  {
    hash: blob('hash', { mode: 'buffer' }).primaryKey().notNull(),
    bytes: blob('bytes', { mode: 'buffer' }).notNull(),
    createdAt: integer('created_at').notNull(),
  },
  (table) => [check('hash_width', sql`length(${table.hash}) = 32`)],
);

/** The access token of each app. */
export const gkWxAccessToken = sqliteTable(
  'gk_wx_access_token',
  {
    appId: text('app_id').primaryKey().notNull(),
    token: text('token'),
    expiresAt: integer('expires_at').notNull(),
    forcedAt: integer('forced_at').notNull(),
    forcedOnDay: integer('forced_on_day').notNull(),
    leaseOwner: text('lease_owner').notNull(),
    leaseUntil: integer('lease_until').notNull(),
  },
  (table) => [
    atMost(table.appId, widths.appId),
    atMost(table.token, widths.sealedAccessToken),
    atMost(table.leaseOwner, widths.leaseOwner),
  ],
);
