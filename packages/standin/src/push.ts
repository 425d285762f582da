import { createCipheriv, createHash, randomBytes } from 'node:crypto';

/** What the owner of a mini program enters under 消息推送: where to, and what proves that it is WeChat. */
export interface PushTarget {
  url: string;
  token: string;
  /** EncodingAESKey, 43 characters. */
  aesKey: string;
}

interface PushMessage {
  fields: Readonly<Record<string, unknown>>;
  format: 'json' | 'xml';
  appId: string;
  timestampSeconds: number;
}

/** The request of an encrypted push: its query and its body. */
export function sealPush(
  { fields, format, appId, timestampSeconds }: PushMessage,
  { token, aesKey }: Omit<PushTarget, 'url'>,
): { query: Record<string, string>; body: string } {
  const encrypted = encryptPush(written(fields, format), appId, aesKey);
  const timestamp = String(timestampSeconds);
  const nonce = String(randomBytes(4).readUInt32BE());
  const query = {
    signature: signPush([token, timestamp, nonce]),
    timestamp,
    nonce,
    openid: typeof fields['OpenID'] === 'string' ? fields['OpenID'] : '',
    encrypt_type: 'aes',
    msg_signature: signPush([token, timestamp, nonce, encrypted]),
  };
  const toUser = { ToUserName: String(fields['ToUserName']) };
  return { query, body: written({ ...toUser, Encrypt: encrypted }, format) };
}

/** Exported beside `encryptPush` for tests that forge what WeChat would not send. */
export function signPush(parts: readonly string[]): string {
  return createHash('sha1').update(parts.toSorted().join('')).digest('hex');
}

/** AES-256-CBC of 16 random bytes, the length, the text and the app id, padded to blocks of 32 bytes. */
export function encryptPush(text: string | Buffer, appId: string, aesKey: string): string {
  const bytes = Buffer.from(text);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  const content = Buffer.concat([randomBytes(16), length, bytes, Buffer.from(appId)]);
  const padding = 32 - (content.length % 32);
  return encryptBytes(Buffer.concat([content, Buffer.alloc(padding, padding)]), aesKey);
}

/** Of any plaintext, its padding included. */
export function encryptBytes(padded: Buffer, aesKey: string): string {
  const key = Buffer.from(`${aesKey}=`, 'base64');
  const cipher = createCipheriv('aes-256-cbc', key, key.subarray(0, 16)).setAutoPadding(false);
  return Buffer.concat([cipher.update(padded), cipher.final()]).toString('base64');
}

function written(fields: Readonly<Record<string, unknown>>, format: 'json' | 'xml'): string {
  if (format === 'json') return JSON.stringify(fields);
  const elements = Object.entries(fields).map(([name, value]) =>
    typeof value === 'number' ? `<${name}>${value}</${name}>` : `<${name}><![CDATA[${String(value)}]]></${name}>`,
  );
  return `<xml>${elements.join('')}</xml>`;
}

/** Sends it as WeChat does, and gives back what was answered. */
export async function sendPush(message: PushMessage, target: PushTarget): Promise<{ status: number; answer: string }> {
  const { query, body } = sealPush(message, target);
  const response = await fetch(`${target.url}?${new URLSearchParams(query).toString()}`, {
    method: 'POST',
    headers: { 'content-type': message.format === 'json' ? 'application/json' : 'text/xml' },
    body,
    redirect: 'manual',
    // As long as WeChat waits.
    signal: AbortSignal.timeout(5000),
  });
  return { status: response.status, answer: (await response.text()).slice(0, 1000) };
}
