import { base64Of16BytesPattern } from '../../../crypto.ts';
import type { Profile } from '../../store.ts';
import { widths } from '../../widths.ts';

/** A row of the tutorial's own table, as it will stand in ours. */
export interface LegacyUser extends Profile {
  openId: string;
  /** In clear, base64; null where there was none. */
  sessionKey: string | null;
  realName: string | null;
  stuId: number | null;
}

/** The columns that the tutorial's table has; all but the first may be missing. */
export const legacyColumns = [
  'open_id',
  'session_key',
  'avatar_url',
  'city',
  'country',
  'gender',
  'language',
  'nick_name',
  'real_name',
  'province',
  'stu_id',
] as const;

type LegacyColumn = (typeof legacyColumns)[number];
type RawRow = Readonly<Partial<Record<LegacyColumn, unknown>>>;

/** The row in our words, or the names of the columns whose values have no place in our table: nothing is cut. */
export function readLegacyUser(row: RawRow): { user: LegacyUser } | { unfit: readonly LegacyColumn[] } {
  const unfit: LegacyColumn[] = [];

  /** Empty text is what an unknown value of a profile is. */
  function text(column: LegacyColumn, width: number, empty: '' | null = null): string | null {
    const value = row[column] ?? null;
    if (value === null) return null;
    if (typeof value !== 'string' || Array.from(value).length > width) {
      unfit.push(column);
      return null;
    }
    return value === '' ? empty : value;
  }

  function integer(column: LegacyColumn, min: number, max: number): number | null {
    const value = row[column] ?? null;
    if (value === null || value === '') return null;
    const number = Number(value);
    // `007` is a text, and would come back as 7.
    const isExact = number === value || String(number) === value;
    if (!Number.isInteger(number) || !isExact || number < min || number > max) {
      unfit.push(column);
      return null;
    }
    return number;
  }

  const openId = text('open_id', widths.openId);
  if (openId === null || !/^[A-Za-z0-9_-]+$/.test(openId)) unfit.push('open_id');
  const sessionKey = text('session_key', 24);
  if (sessionKey !== null && !base64Of16BytesPattern.test(sessionKey)) unfit.push('session_key');
  const gender = integer('gender', 0, 2);
  const user: LegacyUser = {
    openId: openId ?? '',
    sessionKey,
    nickName: text('nick_name', widths.nickName),
    avatarUrl: text('avatar_url', widths.avatarUrl),
    gender: gender === 0 || gender === 1 || gender === 2 ? gender : null,
    language: text('language', widths.language),
    city: text('city', widths.place),
    province: text('province', widths.place),
    country: text('country', widths.place),
    realName: text('real_name', widths.realName, ''),
    stuId: integer('stu_id', -(2 ** 31), 2 ** 31 - 1),
  };
  return unfit.length > 0 ? { unfit: [...new Set(unfit)] } : { user };
}
