import { z } from 'zod';
import { CryptoError, decryptOpenData } from '../crypto.ts';
import { AppError } from '../errors.ts';
import type { Store, User } from '../store/store.ts';
import { type SessionKeyCalls, userStateSignature } from '../wechat/session-key-calls.ts';
import { parseSignedJson } from '../wechat/signed-json.ts';
import type { SessionKeys } from './session-keys.ts';

interface Sealed {
  encryptedData: string;
  iv: string;
}

/**
 * What only the holder of the caller's session key can do: the key itself is never given away. Without a key that opens
 * all reject with SESSION_INVALID, for the phone to log in again.
 */
export interface OpenData {
  /**
   * Decrypts what WeChat sealed for the caller, by the present key or the one before it; the watermark must be of the
   * caller's app and fresh. One PROFILE_REJECTED for all that does not fit, the schema included.
   */
  decrypt(sealed: Sealed): Promise<unknown>;
  decrypt<Schema extends z.ZodType>(sealed: Sealed, schema: Schema): Promise<z.output<Schema>>;
  /** The user-state signature of a request's body: HMAC-SHA-256 in hex. */
  sign(text: string): string;
  /** Whether WeChat still takes our key for the caller's. */
  checkSessionKey(): Promise<boolean>;
  /** Lets WeChat renew the key, and stores the new one. */
  resetSessionKey(): Promise<void>;
}

interface Deps {
  store: Pick<Store, 'saveSessionKey'>;
  sessionKeys: SessionKeys;
  sessionKeyCalls: SessionKeyCalls;
  watermarkMaxAgeSeconds: number;
  now: () => number;
}

/** WeChat's clocks and ours may differ by this much. */
const maxAheadSeconds = 300;
const watermarked = z.looseObject({ watermark: z.object({ appid: z.string(), timestamp: z.number().int() }) });

/** Made with each signed-in call: nothing is opened before it is asked for. */
export function createOpenData(deps: Deps, user: User): OpenData {
  const { store, sessionKeys, sessionKeyCalls, watermarkMaxAgeSeconds, now } = deps;

  function currentKey(): string {
    const [key] = sessionKeys.openAll(user);
    if (key === undefined) throw new AppError('SESSION_INVALID', { detail: { check: 'session key' } });
    return key;
  }

  return {
    async decrypt(sealed: Sealed, schema: z.ZodType = z.unknown()) {
      for (const key of sessionKeys.openAll(user)) {
        const opened = decryptWith(key, sealed);
        if (!opened) continue;
        const { appid, timestamp } = opened.watermark;
        const ageSeconds = Math.floor(now() / 1000) - timestamp;
        if (appid !== user.appId) throw rejected('watermark appid');
        if (ageSeconds > watermarkMaxAgeSeconds || ageSeconds < -maxAheadSeconds) throw rejected('watermark age');
        const parsed = await schema.safeParseAsync(opened);
        if (!parsed.success) throw rejected('schema');
        return parsed.data;
      }
      throw rejected('decryption');
    },
    sign: (text) => userStateSignature(text, currentKey()),
    checkSessionKey: async () => await sessionKeyCalls.isCurrent(currentKey(), user),
    async resetSessionKey() {
      const startedAt = now();
      const sessionKey = await sessionKeyCalls.reset(currentKey(), user);
      if (sessionKey === null) throw new AppError('SESSION_INVALID', { detail: { check: 'session key' } });
      const { openId, createdAt, appId } = user;
      await store.saveSessionKey(
        { openId, createdUpTo: createdAt },
        { ...sessionKeys.seal({ appId, openId, sessionKey }), sessionKeyAt: startedAt, now: now() },
      );
    },
  };
}

/** null for a wrong key: the text is then no JSON, or has no watermark. */
function decryptWith(key: string, { encryptedData, iv }: Sealed) {
  try {
    return watermarked.parse(parseSignedJson(decryptOpenData(encryptedData, key, iv)));
  } catch (error) {
    if (error instanceof CryptoError || error instanceof SyntaxError || error instanceof z.ZodError) return null;
    throw error;
  }
}

function rejected(check: string): AppError {
  return new AppError('PROFILE_REJECTED', { detail: { check } });
}
