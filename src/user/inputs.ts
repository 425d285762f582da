import { z } from 'zod';
import { code } from '../auth/inputs.ts';
import { fromBase64 } from '../crypto.ts';
import { nickName } from './nickname.ts';

/** Strict padded base64; how long it may be is a matter of the request's limit. */
const avatar = z
  .string()
  .min(1)
  .transform((text, context) => {
    const bytes = fromBase64(text);
    if (bytes) return bytes;
    context.addIssue({ code: 'custom' });
    return z.NEVER;
  });

export const updateProfileInput = z
  .object({ nickName: nickName.nullish(), avatar: avatar.nullish() })
  .refine((input) => input.nickName !== undefined || input.avatar !== undefined);

/** A login code of the caller's, taken for this call. */
export const confirmedInput = z.object({ code });

/** The code of the phone number button, which is not one of `wx.login`. */
export const bindPhoneInput = z.object({ code });
