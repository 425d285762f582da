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

/** As WeChat makes them. */
const openIdPattern = /^[A-Za-z0-9_-]{16,64}$/;

export type LegacyRow =
  | { kind: 'user'; user: LegacyUser }
  /** It stays in the old table: `why` is for the operator. */
  | { kind: 'left'; why: string }
  /** Columns whose values have no place in our table: nothing is cut. */
  | { kind: 'unfit'; columns: readonly LegacyColumn[] };

/** As with a signed profile: pages show it as a picture, and any other scheme counts as unknown. */
const webAddress = (text: string | null) => (text !== null && /^https?:\/\//i.test(text) ? text : null);

/** The row in our words. A row without a session key may be a test: it counts as a user only with `takesKeyless`. */
export function readLegacyRow(row: RawRow, takesKeyless: boolean): LegacyRow {
  const openId = row.open_id;
  if (typeof openId !== 'string' || !openIdPattern.test(openId))
    return { kind: 'left', why: 'it has no openid of WeChat' };
  if (!row.session_key && !takesKeyless) return { kind: 'left', why: 'it has no session key' };
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

  const sessionKey = text('session_key', 24);
  if (sessionKey !== null && !base64Of16BytesPattern.test(sessionKey)) unfit.push('session_key');
  const gender = integer('gender', 0, 2);
  const user: LegacyUser = {
    openId,
    sessionKey,
    nickName: text('nick_name', widths.nickName),
    avatarUrl: webAddress(text('avatar_url', widths.avatarUrl)),
    gender: gender === 0 || gender === 1 || gender === 2 ? gender : null,
    language: text('language', widths.language),
    city: text('city', widths.place),
    province: text('province', widths.place),
    country: text('country', widths.place),
    realName: text('real_name', widths.realName, ''),
    stuId: integer('stu_id', -(2 ** 31), 2 ** 31 - 1),
  };
  return unfit.length > 0 ? { kind: 'unfit', columns: [...new Set(unfit)] } : { kind: 'user', user };
}
