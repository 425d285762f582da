import { sql } from 'drizzle-orm';
import {
  bigint,
  customType,
  index,
  int,
  type MySqlColumnBuilderBase,
  mysqlTable,
  tinyint,
} from 'drizzle-orm/mysql-core';
import type { User } from '../store.ts';
import { widths } from '../widths.ts';

/** Compared byte for byte: the default collations take `oabc` and `oABC` for one user. */
const asciiText = customType<{ data: string; config: { length: number }; configRequired: true }>({
  dataType: ({ length }) => `varchar(${length}) CHARACTER SET ascii COLLATE ascii_bin`,
});

const unicodeText = customType<{ data: string; config: { length: number }; configRequired: true }>({
  dataType: ({ length }) => `varchar(${length}) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`,
});

/** Drizzle's own `binary` reads the bytes as text. */
const sha256 = customType<{ data: Buffer }>({ dataType: () => 'binary(32)' });

/** Of up to 16 MiB; a `blob` ends at 64 KiB. */
const mediumBlob = customType<{ data: Buffer }>({ dataType: () => 'mediumblob' });

const epochMs = (name: string) => bigint(name, { mode: 'number' });

/**
 * The columns that a login writes. Their order is the order of the upsert's assignments, and MySQL evaluates those left
 * to right on the values assigned so far: what reads a column stands before it, and `session_key_at` stands last.
 */
export const userColumns = {
  openId: asciiText('open_id', { length: widths.openId }).primaryKey(),
  appId: asciiText('app_id', { length: widths.appId }).notNull(),
  unionId: asciiText('union_id', { length: widths.unionId }),
  prevSessionKey: asciiText('prev_session_key', { length: widths.sealed }),
  sessionKey: asciiText('session_key', { length: widths.sealed }),
  sessionKeyFingerprint: asciiText('session_key_fingerprint', { length: widths.fingerprint }),
  sessionKeyAt: epochMs('session_key_at').notNull(),
  phoneNumber: asciiText('phone_number', { length: widths.sealed }),
  phoneFingerprint: asciiText('phone_fingerprint', { length: widths.fingerprint }),
  nickName: unicodeText('nick_name', { length: widths.nickName }),
  avatarUrl: unicodeText('avatar_url', { length: widths.avatarUrl }),
  gender: tinyint('gender').$type<0 | 1 | 2>(),
  language: unicodeText('language', { length: widths.language }),
  city: unicodeText('city', { length: widths.place }),
  province: unicodeText('province', { length: widths.place }),
  country: unicodeText('country', { length: widths.place }),
  blockedAt: epochMs('blocked_at'),
  createdAt: epochMs('created_at').notNull(),
  updatedAt: epochMs('updated_at').notNull(),
} satisfies Record<keyof User, MySqlColumnBuilderBase>;

/** The whole table. `real_name` and `stu_id` belong to the business: our statements use a table without them. */
export const gkWxUser = mysqlTable(
  'gk_wx_user',
  {
    ...userColumns,
    realName: unicodeText('real_name', { length: widths.realName }),
    stuId: int('stu_id'),
  },
  (table) => [
    index('gk_wx_user_union_id').on(table.unionId),
    index('gk_wx_user_phone_fingerprint').on(table.phoneFingerprint),
    // For the sweep of avatars. The whole column is wider than an index may be; a path of ours has 78 characters.
    index('gk_wx_user_avatar_url').on(sql`${table.avatarUrl}(80)`),
  ],
);

export const gkWxSession = mysqlTable(
  'gk_wx_session',
  {
    tokenHash: sha256('token_hash').primaryKey(),
    openId: asciiText('open_id', { length: widths.openId }).notNull(),
    createdAt: epochMs('created_at').notNull(),
    expiresAt: epochMs('expires_at').notNull(),
    lastUsedAt: epochMs('last_used_at').notNull(),
  },
  (table) => [index('gk_wx_session_open_id').on(table.openId), index('gk_wx_session_expires_at').on(table.expiresAt)],
);

/** Avatars, one row for each content. */
export const gkWxAvatar = mysqlTable('gk_wx_avatar', {
  hash: sha256('hash').primaryKey(),
  bytes: mediumBlob('bytes').notNull(),
  createdAt: epochMs('created_at').notNull(),
});

/** The access token of each app. `lease_until` stands last: the assignment of `lease_owner` reads the stored one. */
export const gkWxAccessToken = mysqlTable('gk_wx_access_token', {
  appId: asciiText('app_id', { length: widths.appId }).primaryKey(),
  token: asciiText('token', { length: widths.sealedAccessToken }),
  expiresAt: epochMs('expires_at').notNull(),
  forcedAt: epochMs('forced_at').notNull(),
  forcedOnDay: int('forced_on_day').notNull(),
  leaseOwner: asciiText('lease_owner', { length: widths.leaseOwner }).notNull(),
  leaseUntil: epochMs('lease_until').notNull(),
});
