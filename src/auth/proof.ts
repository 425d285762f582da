import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { CryptoError, decryptOpenData, signatureMatches } from '../crypto.ts';
import { AppError } from '../errors.ts';
import type { Profile } from '../store/store.ts';
import { profileFields, type RawData } from '../user/profile.ts';
import { parseSignedJson } from '../wechat/signed-json.ts';

/** What the phone sends along, as `wx.getUserProfile` and `wx.getUserInfo` gave it. */
export interface SealedProfile {
  rawData: RawData;
  signature: string;
  encryptedData: string;
  iv: string;
}

interface Expected {
  appId: string;
  openId: string;
  /** Unix milliseconds. */
  now: number;
  maxAgeSeconds: number;
}

/** WeChat's clocks and ours may differ by this much. */
const maxAheadSeconds = 300;

const openData = z.object({
  watermark: z.object({ appid: z.string(), timestamp: z.number().int() }),
});

/** The session keys, in base64, that may have signed and sealed a profile. */
interface Keys {
  fresh: string;
  /** The key before it, or null; asked for only when the fresh key did not sign. */
  previous: () => Promise<string | null>;
}

/**
 * The profile, once everything agrees: the signature, the watermark's app and age, the openid where there is one,
 * and each decrypted field with the signed one. The signature alone covers rawData only; the encryption alone is not
 * authenticated. Rejects with one and the same PROFILE_REJECTED for whatever does not fit: the caller learns no more.
 */
export async function prove(sealed: SealedProfile, keys: Keys, expected: Expected): Promise<Profile> {
  const sessionKey = await findSigningKey(sealed, keys);
  if (sessionKey === null) throw rejected('signature');
  const { watermark, plaintext } = decrypt(sealed, sessionKey);
  const { watermark: _, openId, unionId: __, ...decrypted } = plaintext;
  if (watermark.appid !== expected.appId) throw rejected('watermark appid');
  const ageSeconds = Math.floor(expected.now / 1000) - watermark.timestamp;
  if (ageSeconds > expected.maxAgeSeconds || ageSeconds < -maxAheadSeconds) throw rejected('watermark age');
  if (openId !== undefined && openId !== expected.openId) throw rejected('openid');

  const { fields: signed, profile } = sealed.rawData;
  if (!signed || !profile) throw rejected('rawData');
  const names = new Set([...Object.keys(decrypted), ...profileFields]);
  for (const name of names) {
    if (!isDeepStrictEqual(own(decrypted, name), own(signed, name))) throw rejected('fields');
  }
  return profile;
}

async function findSigningKey({ rawData, signature }: SealedProfile, keys: Keys): Promise<string | null> {
  if (signatureMatches(rawData.text, keys.fresh, signature)) return keys.fresh;
  const previous = await keys.previous();
  return previous !== null && signatureMatches(rawData.text, previous, signature) ? previous : null;
}

function decrypt({ encryptedData, iv }: SealedProfile, sessionKey: string) {
  try {
    const plaintext = parseSignedJson(decryptOpenData(encryptedData, sessionKey, iv));
    // zod's copy of an object would lack a key named __proto__, so the fields come from the plaintext itself.
    return { watermark: openData.parse(plaintext).watermark, plaintext: Object(plaintext) as Record<string, unknown> };
  } catch (error) {
    // Neither error may travel on: both of the parsers' quote the plaintext.
    throw rejected(error instanceof CryptoError ? 'decryption' : 'plaintext');
  }
}

function own(record: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

function rejected(check: string): AppError {
  return new AppError('PROFILE_REJECTED', { detail: { check } });
}
