/** How many code points each text column holds, in both dialects: a longer value is refused, never cut. */
export const widths = {
  openId: 64,
  appId: 64,
  unionId: 64,
  sealed: 255,
  fingerprint: 64,
  /** WeChat asks for room for 512 characters, before sealing. */
  sealedAccessToken: 1024,
  leaseOwner: 64,
  /** 64 emoji, each a ZWJ sequence of up to 16 code points. */
  nickName: 1024,
  avatarUrl: 2048,
  language: 64,
  place: 128,
  realName: 64,
} as const;
