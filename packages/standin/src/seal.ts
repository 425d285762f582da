import { createCipheriv, createHash, randomBytes } from 'node:crypto';

/** What a profile call hands the page, apart from `userInfo` and `errMsg`. */
export interface Sealed {
  rawData: string;
  signature: string;
  encryptedData: string;
  iv: string;
}

interface Seal {
  userInfo: Readonly<Record<string, unknown>>;
  appId: string;
  sessionKey: string;
  timestampSeconds: number;
  /** `getUserInfo` data holds the ids; `getUserProfile` data holds none. */
  ids?: { openid: string; unionid: string | undefined };
  iv?: Buffer;
}

/** Signs and encrypts a profile as the phone does. Independent of the backend's crypto on purpose. */
export function sealProfile({
  userInfo,
  appId,
  sessionKey,
  timestampSeconds,
  ids,
  iv = randomBytes(16),
}: Seal): Sealed {
  const rawData = JSON.stringify(userInfo);
  const plaintext = JSON.stringify({
    ...(ids && { openId: ids.openid }),
    ...userInfo,
    ...(ids?.unionid && { unionId: ids.unionid }),
    watermark: { timestamp: timestampSeconds, appid: appId },
  });
  return { rawData, signature: sign(rawData, sessionKey), ...encrypt(plaintext, sessionKey, iv) };
}

/** The key goes in as its base64 text, not decoded. */
export function sign(rawData: string, sessionKey: string): string {
  return createHash('sha1').update(rawData, 'utf8').update(sessionKey, 'ascii').digest('hex');
}

/** AES-128-CBC with PKCS#7. Exported beside `sign` for tests that forge what WeChat would not seal. */
export function encrypt(
  plaintext: string,
  sessionKey: string,
  iv: Buffer = randomBytes(16),
): Pick<Sealed, 'encryptedData' | 'iv'> {
  const cipher = createCipheriv('aes-128-cbc', Buffer.from(sessionKey, 'base64'), iv);
  const encryptedData = Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final()]).toString('base64');
  return { encryptedData, iv: iv.toString('base64') };
}
