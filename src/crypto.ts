import { createCipheriv, createDecipheriv, createHmac, hash, randomBytes, timingSafeEqual } from 'node:crypto';

/** The only error of this module. Its message is a fixed word: no input, no key and no OpenSSL detail. */
export class CryptoError extends Error {
  override readonly name = 'CryptoError';

  constructor(what: 'decryption' | 'seal' | 'secret') {
    super(`${what} failed`);
  }
}

/** Strict padded base64 in its one canonical spelling: the unused bits of the last character are zero. */
export const base64Pattern = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?$/;

/** Base64 of exactly 16 bytes, which an iv and a session key are. 17 and 18 bytes make 24 characters too. */
export const base64Of16BytesPattern = /^[A-Za-z0-9+/]{21}[AQgw]==$/;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The bytes of strict padded base64 in its one canonical spelling, null for everything else: Node accepts junk. */
export function fromBase64(text: string): Buffer | null {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : null;
}

function fromBase64url(text: string): Buffer | null {
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : null;
}

/**
 * Whether `signature` (40 hex digits, lower case) is WeChat's for this `rawData`: sha1 of rawData followed by the
 * session key as base64 text, not decoded. Takes the same time wherever they differ.
 *
 * Source: WeChat documentation, 服务端获取开放数据, 数据签名校验.
 */
export function signatureMatches(rawData: string, sessionKey: string, signature: string): boolean {
  const expected = hash('sha1', rawData + sessionKey, 'buffer');
  const given = Buffer.from(signature, 'hex');
  return /^[0-9a-f]{40}$/.test(signature) && timingSafeEqual(expected, given);
}

/**
 * Decrypts WeChat's `encryptedData`: AES-128-CBC with PKCS#7, key and iv 16 bytes each, all three base64.
 * Not authenticated: a changed iv changes the first 16 bytes of the text, so compare it with signed data.
 *
 * Throws CryptoError for everything that is not exactly that, text that is not UTF-8 included.
 */
export function decryptOpenData(encryptedData: string, sessionKey: string, iv: string): string {
  const data = fromBase64(encryptedData);
  const key = fromBase64(sessionKey);
  const start = fromBase64(iv);
  if (!data || key?.length !== 16 || start?.length !== 16 || data.length === 0 || data.length % 16 !== 0) {
    throw new CryptoError('decryption');
  }
  try {
    const decipher = createDecipheriv('aes-128-cbc', key, start);
    return utf8.decode(Buffer.concat([decipher.update(data), decipher.final()]));
  } catch {
    throw new CryptoError('decryption');
  }
}

let page = Buffer.alloc(0);
let taken = 0;

/** Random bytes. Asked of the system a page at a time, for one request of it costs as much as a seal; none is given twice. */
function freshBytes(count: number): Buffer {
  if (taken + count > page.length) {
    page = randomBytes(4096);
    taken = 0;
  }
  taken += count;
  return page.subarray(taken - count, taken);
}

/** One secret for sealing at rest; `id` stands in every value sealed with it. */
export interface SealingSecret {
  id: string;
  /** 32 bytes. */
  key: Buffer;
}

/** Seals with the first secret, opens with any. Never empty. */
export type Keyring = readonly [SealingSecret, ...SealingSecret[]];

/**
 * Seals a text for storage with AES-256-GCM: `v1.<key id>.<nonce>.<ciphertext and tag>`, the last two base64url.
 * `context` names where it belongs (app and user): it opens nowhere else. The nonce, 12 bytes, must never repeat.
 */
export function seal(keyring: Keyring, text: string, context: readonly string[], nonce = freshBytes(12)): string {
  const [{ id, key }] = keyring;
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: 16 });
  cipher.setAAD(additionalData(id, context));
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  return `v1.${id}.${nonce.toString('base64url')}.${sealed.toString('base64url')}`;
}

/** The text of a sealed value. Throws CryptoError when it is damaged, from elsewhere, or its secret is gone. */
export function open(keyring: Keyring, sealed: string, context: readonly string[]): string {
  const [version, id, nonceText, dataText, ...rest] = sealed.split('.');
  const key = keyring.find((secret) => secret.id === id)?.key;
  const nonce = fromBase64url(nonceText ?? '');
  const data = fromBase64url(dataText ?? '');
  if (version !== 'v1' || !id || !key || nonce?.length !== 12 || !data || data.length < 16 || rest.length > 0) {
    throw new CryptoError('seal');
  }
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: 16 });
    decipher.setAAD(additionalData(id, context));
    decipher.setAuthTag(data.subarray(-16));
    return utf8.decode(Buffer.concat([decipher.update(data.subarray(0, -16)), decipher.final()]));
  } catch {
    throw new CryptoError('seal');
  }
}

/** The text of a sealed value; null where there is none or it does not open: damage in the database must not stop a call. */
export function openOrNull(keyring: Keyring, sealed: string | null, context: readonly string[]): string | null {
  if (sealed === null) return null;
  try {
    return open(keyring, sealed, context);
  } catch (error) {
    if (error instanceof CryptoError) return null;
    throw error;
  }
}

/** The HMAC key for fingerprints that belongs to each secret. */
const subkeys = new WeakMap<Buffer, Buffer>();

/** Tells whether two sealed texts are equal without opening them: `<key id>.<HMAC-SHA256>`, as long as the first secret stays. */
export function fingerprint(keyring: Keyring, text: string, context: readonly string[]): string {
  const [{ id, key }] = keyring;
  const subkey = subkeys.get(key) ?? createHmac('sha256', key).update('guoke fingerprint v1').digest();
  subkeys.set(key, subkey);
  return `${id}.${createHmac('sha256', subkey).update(additionalData(text, context)).digest('base64url')}`;
}

/** JSON keeps the parts apart: ["a","bc"] and ["ab","c"] are two. */
function additionalData(first: string, context: readonly string[]): Buffer {
  return Buffer.from(JSON.stringify([first, ...context]));
}

/** A login token: 32 random bytes as base64url. */
export const tokenPattern = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/;

export function createToken(): string {
  return freshBytes(32).toString('base64url');
}

/** Names a session to its user: made of the stored hash, and no way back to it. 32 bytes as base64url. */
export function sessionIdOf(tokenHash: Buffer): string {
  return createHmac('sha256', tokenHash).update('guoke session v1').digest('base64url');
}

/** What is stored of a token: its SHA-256, 32 bytes. A token is random enough to need no salt. */
export function hashToken(token: string): Buffer {
  return hash('sha256', token, 'buffer');
}
