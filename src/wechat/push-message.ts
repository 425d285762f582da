/** The fields of a message as WeChat names them. In XML all values are text. */
export type PushFields = Readonly<Record<string, unknown>>;

/**
 * The `Encrypt` in the body of a push, null where it has no such field. Any caller may send a body, and 64 KiB of elements
 * take an XML parser a third of a second: only the signed text is looked for, and the signature tells whether it is WeChat's.
 */
export function encryptedIn(body: string): string | null {
  if (body.trimStart().startsWith('<')) {
    return /<Encrypt>\s*(?:<!\[CDATA\[)?([A-Za-z0-9+/=]+)(?:\]\]>)?\s*<\/Encrypt>/.exec(body)?.[1] ?? null;
  }
  try {
    const { Encrypt: encrypted }: { Encrypt?: unknown } = Object(JSON.parse(body));
    return typeof encrypted === 'string' ? encrypted : null;
  } catch {
    return null;
  }
}

/** Reads a decrypted message: XML or a JSON object. null for everything else. */
export async function readPushMessage(text: string): Promise<PushFields | null> {
  try {
    const message: unknown = text.trimStart().startsWith('<') ? await readXml(text) : JSON.parse(text);
    if (typeof message !== 'object' || message === null || Array.isArray(message)) return null;
    // In WeChat's own example of JSON some names begin with a blank.
    return Object.fromEntries(Object.entries(message).map(([name, value]) => [name.trim(), value]));
  } catch {
    return null;
  }
}

/** The children of the element `xml`. */
async function readXml(text: string): Promise<unknown> {
  // WeChat sends elements and CDATA alone: no document type, which could declare entities, and no comment.
  if (/<!(?!\[CDATA\[)/.test(text)) return null;
  // Most servers get no XML: the parser is loaded with the first.
  const { XMLParser } = await import('fast-xml-parser');
  const parser = new XMLParser({ processEntities: false, parseTagValue: false, maxNestedTags: 8 });
  const { xml }: { xml?: unknown } = Object(parser.parse(text, true));
  return xml;
}

/** What of a user WeChat tells us to forget. */
export type PushEvent =
  /** The user deregistered. */
  | { kind: 'delete'; openId: string; createdAt: number }
  /** The user took these back, or WeChat found them to be risky. `others`: the push names more than these. */
  | { kind: 'clear'; openId: string; createdAt: number; cleared: readonly Clearable[]; others: boolean }
  | { kind: 'other' };

export type Clearable = 'nickName' | 'avatar' | 'phone';

/** WeChat's numbers in RevokeInfo. */
const revoked = new Map<string, readonly Clearable[]>([
  ['6', ['nickName', 'avatar']],
  ['8', ['phone']],
  ['19', ['nickName']],
  ['20', ['avatar']],
]);

/** When WeChat made a message, in Unix milliseconds; null where it does not say. */
export function createdAtOf(fields: PushFields): number | null {
  const seconds = textOf(fields['CreateTime']);
  return /^\d{1,12}$/.test(seconds) ? Number(seconds) * 1000 : null;
}

/** What a message of the app means to us. Times are Unix milliseconds. */
export function toPushEvent(fields: PushFields, appId: string): PushEvent {
  const openId = textOf(fields['OpenID']);
  const createdAt = createdAtOf(fields);
  const isOurs = /^[A-Za-z0-9_-]{16,64}$/.test(openId) && textOf(fields['AppID'] ?? appId) === appId;
  if (textOf(fields['MsgType']) !== 'event' || !isOurs || createdAt === null) return { kind: 'other' };
  const concerns = { openId, createdAt };
  switch (textOf(fields['Event'])) {
    case 'user_authorization_cancellation':
      return { kind: 'delete', ...concerns };
    case 'user_info_modified':
      return { kind: 'clear', ...concerns, cleared: ['nickName', 'avatar'], others: false };
    case 'user_authorization_revoke': {
      // One number, or several in a text or a list.
      const numbers = [fields['RevokeInfo']].flat().map(textOf).join(' ').match(/\d+/g) ?? [];
      const cleared = numbers.flatMap((number) => revoked.get(number) ?? []);
      const others = numbers.some((number) => !revoked.has(number));
      return cleared.length > 0 ? { kind: 'clear', ...concerns, cleared, others } : { kind: 'other' };
    }
    default:
      return { kind: 'other' };
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value).trim() : '';
}
