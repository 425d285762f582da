import { z } from 'zod';
import type { Profile, User } from '../store/store.ts';

/** Text that every database and phone gives back unchanged: no control characters, no lone surrogates. */
export const text = (maxCharacters: number) =>
  z
    .string()
    .refine((value) => !/[\p{Cc}\p{Cs}]/u.test(value))
    .refine((value) => value.length <= maxCharacters || Array.from(value).length <= maxCharacters);

const known = (maxCharacters: number) =>
  text(maxCharacters)
    .nullish()
    .transform((value) => value || null);

/** The profile in WeChat's `rawData`. Empty text means unknown, and other keys are ignored. */
const wechatProfile = z.object({
  // 64 emoji of ten code points each, the longest that are in use, and room to spare.
  nickName: known(1024),
  avatarUrl: known(2048),
  gender: z
    .literal([0, 1, 2])
    .nullish()
    .transform((value) => value ?? null),
  language: known(64),
  city: known(128),
  province: known(128),
  country: known(128),
}) satisfies z.ZodType<Profile>;

export const profileFields = wechatProfile.keyof().options;

export const noProfile: Profile = {
  nickName: null,
  avatarUrl: null,
  gender: null,
  language: null,
  city: null,
  province: null,
  country: null,
};

/** WeChat's `rawData`, read once. */
export interface RawData {
  /** As it arrived: the signature covers these very bytes. */
  text: string;
  /** The fields of the text, unknown ones too; null when it is not the JSON of an object. */
  fields: Readonly<Record<string, unknown>> | null;
  /** null when a field is not as WeChat has it, or cannot be stored exactly: those fields are in `unfit`. */
  profile: Profile | null;
  unfit: readonly string[];
}

/** Reads any text without throwing. */
export function readRawData(text: string): RawData {
  const fields = objectIn(text);
  const { data = null, error } = fields ? wechatProfile.safeParse(fields) : {};
  return { text, fields, profile: data, unfit: error?.issues.map(({ path }) => String(path[0])) ?? [] };
}

function objectIn(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const json: unknown = JSON.parse(text);
    return typeof json === 'object' && !Array.isArray(json) ? (json as Record<string, unknown> | null) : null;
  } catch {
    return null;
  }
}

// Since 8 November 2022 WeChat gives this name and a grey avatar to versions published after that day.
const anonymousNickName = '微信用户';
const greyAvatar = 'POgEwh4mIHO4nibH0KlMECNjjGxQUq24ZEaGT4poC6icRiccVGKSyXwibcPq4BWmiaIGuG1icwxaQX6grC9VemZoJ8rg';

/** Characters that show nothing on a screen: blanks, joiners and fillers, Braille's empty pattern among them. */
const invisible = /[\s\p{Cf}\p{Default_Ignorable_Code_Point}\u2800]/gu;

/** Whether the user has this name: it can be seen, and is not the one that WeChat gives to everybody, blanks aside. */
export function isOwnName(nickName: string | null): boolean {
  const visible = nickName?.replace(invisible, '') ?? '';
  return visible !== '' && visible !== anonymousNickName;
}

/** The part of a profile that is worth storing: nothing of an anonymous one, and no grey avatar. */
export function ownProfile(profile: Profile): Profile {
  if (!isOwnName(profile.nickName)) return noProfile;
  return profile.avatarUrl?.includes(greyAvatar) ? { ...profile, avatarUrl: null } : profile;
}

/** A user as the phone sees it: no openid, no key, nothing of the business. */
export const publicUser = z.object({
  nickName: z.string().nullable(),
  avatarUrl: z.string().nullable(),
  gender: z.literal([0, 1, 2]).nullable(),
  language: z.string().nullable(),
  city: z.string().nullable(),
  province: z.string().nullable(),
  country: z.string().nullable(),
  /** Whether the user has a nickname of their own. */
  hasProfile: z.boolean(),
  hasPhone: z.boolean(),
});

export function toPublicUser(user: User): z.infer<typeof publicUser> {
  const { nickName, avatarUrl, gender, language, city, province, country } = user;
  return {
    nickName,
    avatarUrl,
    gender,
    language,
    city,
    province,
    country,
    hasProfile: isOwnName(nickName),
    hasPhone: user.phoneNumber !== null,
  };
}
