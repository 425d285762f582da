import { z } from 'zod';
import { base64Of16BytesPattern, base64Pattern, tokenPattern } from '../crypto.ts';
import { readRawData } from '../user/profile.ts';

/** A one-time code of WeChat's, of `wx.login` or of the phone number button. */
export const code = z.string().regex(/^[A-Za-z0-9_-]{1,128}$/);

/** One of the backend's mini programs; the first that is configured when it is left out. */
const appId = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,64}$/)
  .optional();

const maxRawDataBytes = 8 * 1024;
const maxEncryptedDataCharacters = 16 * 1024;

const rawData = z
  .string()
  .min(1)
  .max(maxRawDataBytes)
  .refine((text) => Buffer.byteLength(text) <= maxRawDataBytes && !/\p{Cs}/u.test(text))
  // A field of the wrong type is refused here, before a code is spent on it. Whether the text is a profile at all is for
  // prove() to say.
  .transform((text, context) => {
    const read = readRawData(text);
    for (const field of read.unfit) context.addIssue({ code: 'custom', path: [field] });
    return read;
  });

export const checkUserInput = z.object({ code, appId });

/** As `auth.sessions` gives it. */
export const revokeSessionInput = z.object({ id: z.string().regex(tokenPattern) });

export const loginInput = z.object({
  code,
  rawData,
  signature: z.string().regex(/^[0-9a-f]{40}$/),
  encryptedData: z.string().min(1).max(maxEncryptedDataCharacters).regex(base64Pattern),
  iv: z.string().regex(base64Of16BytesPattern),
  appId,
});
