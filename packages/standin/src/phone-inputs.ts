import { z } from 'zod';

// What the functions of the phone's side take: see phone.ts.

const user = z.string().min(1).max(128);
const appId = z.string().min(1).max(64).optional();
export const who = z.strictObject({ user, appId });
export const loginInput = z.strictObject({ user, appId, rotate: z.boolean().optional() });
export const profileInput = z.strictObject({
  user,
  appId,
  api: z.enum(['getUserProfile', 'getUserInfo']).default('getUserProfile'),
  /** Laid over the default one; unknown keys are sealed too. */
  profile: z
    .looseObject({
      nickName: z.string().exactOptional(),
      gender: z.number().exactOptional(),
      language: z.string().exactOptional(),
      city: z.string().exactOptional(),
      province: z.string().exactOptional(),
      country: z.string().exactOptional(),
      avatarUrl: z.string().exactOptional(),
    })
    .default({}),
  /** In which language the places are named; that of `wx.getUserProfile`. */
  lang: z.enum(['en', 'zh_CN']).default('en'),
  anonymous: z.boolean().default(false),
  timestamp: z.int().min(0).optional(),
  /** Calls `wx.login` afterwards, as the well-known tutorial does: the answer is then a whole login. */
  login: z.boolean().default(false),
});
export const phoneNumberInput = z.strictObject({
  user,
  appId,
  /** From now on the user's. */
  phoneNumber: z
    .string()
    .regex(/^\d{4,20}$/)
    .optional(),
  countryCode: z
    .string()
    .regex(/^\d{1,4}$/)
    .optional(),
});
export const openDataInput = z.strictObject({
  user,
  appId,
  /** What WeChat knows: `{ stepInfoList: [{ timestamp, step }] }` of WeRun, `{ openGId }` of a group. The watermark is added. */
  data: z.record(z.string().max(64), z.json()),
  timestamp: z.int().min(0).optional(),
});
export const pushInput = z.strictObject({
  user,
  appId,
  event: z.string().min(1).max(64),
  /** Laid over the message: `{ RevokeInfo: "6,8" }`. */
  fields: z.record(z.string().regex(/^ ?[A-Za-z]{1,64}$/), z.union([z.string().max(10_000), z.number()])).default({}),
  format: z.enum(['json', 'xml']).default('json'),
  /** Where it goes, and by which secrets; those of the stand-in's start where nothing is said. */
  url: z.url({ protocol: /^https?$/ }).optional(),
  token: z.string().min(1).max(64).optional(),
  aesKey: z
    .string()
    .regex(/^[A-Za-z0-9+/]{43}$/)
    .optional(),
});
export const blockInput = z.strictObject({ user, appId, blocked: z.boolean().default(true) });
export const resetInput = z.strictObject({ what: z.enum(['all', 'faults', 'stats']).default('all') });
