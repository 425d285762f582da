import { createDecipheriv, hash, timingSafeEqual } from 'node:crypto';
import { fromBase64 } from '../crypto.ts';

/** What WeChat and the owner agreed on for one app, under 消息推送 at mp.weixin.qq.com. */
export interface PushSecrets {
  token: string;
  /** 32 bytes: the base64 of EncodingAESKey and a `=`. */
  key: Buffer;
}

/** A decrypted push. */
interface OpenedPush {
  text: string;
  /** The app that WeChat encrypted it for. */
  appId: string;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Whether `signature` (40 hex digits, lower case) is WeChat's for these parts: sha1 of the token and the parts, sorted and
 * joined. Takes the same time wherever they differ.
 */
export function isPushSignature(signature: string, token: string, parts: readonly string[]): boolean {
  const expected = hash('sha1', [token, ...parts].toSorted().join(''), 'buffer');
  return /^[0-9a-f]{40}$/.test(signature) && timingSafeEqual(expected, Buffer.from(signature, 'hex'));
}

const maxPadding = 32;
/** Random bytes, which begin the plaintext, and the length of the text after them. */
const textStart = 16 + 4;

/**
 * Decrypts an `Encrypt` of WeChat's: AES-256-CBC, the iv the key's first 16 bytes; inside 16 random bytes, the length of the
 * text, the text, the app id. null for everything else. Check the signature first: the encryption is not authenticated.
 */
export function openPush(encrypted: string, key: Buffer): OpenedPush | null {
  const data = fromBase64(encrypted);
  if (!data || data.length === 0 || data.length % 16 !== 0) return null;
  // OpenSSL knows padding to blocks of 16 bytes only; WeChat pads to 32.
  const decipher = createDecipheriv('aes-256-cbc', key, key.subarray(0, 16)).setAutoPadding(false);
  const content = withoutPadding(Buffer.concat([decipher.update(data), decipher.final()]));
  if (!content || content.length < textStart) return null;
  const textEnd = textStart + content.readUInt32BE(16);
  if (textEnd > content.length) return null;
  try {
    return { text: utf8.decode(content.subarray(textStart, textEnd)), appId: utf8.decode(content.subarray(textEnd)) };
  } catch {
    return null;
  }
}

function withoutPadding(padded: Buffer): Buffer | null {
  const padding = padded.at(-1) ?? 0;
  if (padding < 1 || padding > maxPadding || padding > padded.length) return null;
  const end = padded.length - padding;
  return padded.subarray(end).every((byte) => byte === padding) ? padded.subarray(0, end) : null;
}
