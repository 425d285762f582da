import { z } from 'zod';
import type { Profile, User } from '../store/store.ts';
import { parseSignedJson } from '../wechat/signed-json.ts';

/** Whether every database and phone gives the text back unchanged: no control characters, no lone surrogates, not too long. */
function isStorable(value: string, maxCharacters: number): boolean {
  if (/[\p{Cc}\p{Cs}]/u.test(value)) return false;
  return value.length <= maxCharacters || Array.from(value).length <= maxCharacters;
}

/** Text that a user types: what cannot be stored exactly is refused. */
export const text = (maxCharacters: number) => z.string().refine((value) => isStorable(value, maxCharacters));

/** Text in WeChat's own profile: the user cannot correct a value that cannot be stored, so it counts as unknown. */
const known = (maxCharacters: number, isUsable: (value: string) => boolean = () => true) =>
  z
    .string()
    .nullish()
    .transform((value) => (value && isStorable(value, maxCharacters) && isUsable(value) ? value : null));

/** A phone or a browser that shows the picture runs no script of it. */
const isHttpUrl = (value: string) => /^https?:\/\//i.test(value) && URL.canParse(value);

/** The profile in WeChat's `rawData`. Empty text means unknown, and other keys are ignored. */
const wechatProfile = z.object({
  // 64 emoji of ten code points each, the longest that are in use, and room to spare.
  nickName: known(1024),
  avatarUrl: known(2048, isHttpUrl),
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
  /** null when a field is of a type that WeChat does not give: those fields are in `unfit`. */
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
    const json = parseSignedJson(text);
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
