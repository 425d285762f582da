import { z } from 'zod';
import type { Session, UserRecord } from '../store/store.ts';

/** Columns that are of no use to the person they belong to: keys, and what is made of them. */
type Withheld = 'sessionKey' | 'prevSessionKey' | 'sessionKeyFingerprint' | 'sessionKeyAt' | 'phoneFingerprint';

/** All that is stored about a person. Times are Unix milliseconds. A column that is added does not compile before it stands here. */
export const exportedData = z.object({
  user: z.object({
    openId: z.string(),
    appId: z.string(),
    unionId: z.string().nullable(),
    nickName: z.string().nullable(),
    /** The picture itself is at this address. */
    avatarUrl: z.string().nullable(),
    gender: z.literal([0, 1, 2]).nullable(),
    language: z.string().nullable(),
    city: z.string().nullable(),
    province: z.string().nullable(),
    country: z.string().nullable(),
    /** In full, with its country code; null also for one that no secret opens any more. */
    phoneNumber: z.string().nullable(),
    realName: z.string().nullable(),
    stuId: z.number().nullable(),
    blockedAt: z.number().nullable(),
    createdAt: z.number(),
    updatedAt: z.number(),
  } satisfies Record<Exclude<keyof UserRecord, Withheld>, z.ZodType>),
  sessions: z.array(
    z.object({
      createdAt: z.number(),
      expiresAt: z.number(),
      lastUsedAt: z.number(),
    } satisfies Record<Exclude<keyof Session, 'tokenHash' | 'openId'>, z.ZodType>),
  ),
});

/** Lets through the columns that are named above, and no other. */
export function toExport(
  record: UserRecord,
  phoneNumber: string | null,
  sessions: readonly Session[],
): z.infer<typeof exportedData> {
  return exportedData.parse({ user: { ...record, phoneNumber }, sessions });
}
