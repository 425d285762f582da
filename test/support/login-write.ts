import { randomBytes } from 'node:crypto';
import type { LoginWrite, Profile } from '../../src/store/store.ts';

export const noProfile: Profile = {
  nickName: null,
  avatarUrl: null,
  gender: null,
  language: null,
  city: null,
  province: null,
  country: null,
};

export const band: Profile = {
  nickName: 'Band',
  avatarUrl: 'https://thirdwx.qlogo.cn/mmopen/vi_32/band/132',
  gender: 1,
  language: 'zh_CN',
  city: '广州',
  province: '广东',
  country: '中国',
};

const time = 1_763_830_000_000;
let openIds = 0;

/** An openid that no other test has. */
export const newOpenId = () => `oTEST${String(++openIds).padStart(6, '0')}${randomBytes(8).toString('hex')}`;

/** What a login with a session key of a name writes; `at` is the time of the exchange and of the write. */
export function loginWrite({
  key = 'key-1',
  at = time,
  profile = noProfile,
  ...rest
}: Partial<Omit<LoginWrite, 'sessionKey' | 'sessionKeyFingerprint' | 'sessionKeyAt'>> & {
  key?: string;
  at?: number;
} = {}) {
  return {
    openId: newOpenId(),
    appId: 'wx0123456789abcdef',
    unionId: null,
    sessionKey: `v1.k1.${key}`,
    sessionKeyFingerprint: `fingerprint-of-${key}`,
    sessionKeyAt: at,
    profile,
    tokenHash: randomBytes(32),
    now: at,
    expiresAt: at + 7 * 24 * 60 * 60 * 1000,
    ...rest,
  } satisfies LoginWrite;
}
