import { randomBytes } from 'node:crypto';

/** One JSON object, as WeChat's side answers it. */
export type Answer = Readonly<Record<string, unknown>>;

const messages: Readonly<Record<string, string>> = {
  '-1': 'system error',
  40001: 'invalid credential, access_token is invalid or not latest',
  40002: 'invalid grant_type',
  40003: 'invalid openid',
  40013: 'invalid appid',
  40029: 'invalid code',
  40125: 'invalid appsecret',
  40129: 'content too long',
  40163: 'code been used',
  40164: 'invalid ip 127.0.0.1 ipv6 ::ffff:127.0.0.1, not in whitelist',
  40226: 'code blocked',
  41001: 'access_token missing',
  41002: 'appid missing',
  41004: 'appsecret missing',
  41005: 'media data missing',
  41008: 'missing code',
  42001: 'access_token expired',
  45009: 'reach max api daily quota limit',
  45011: 'api minute-quota reach limit, must slower, retry next minute',
  47001: 'data format error',
  87009: 'invalid signature',
  87014: 'risky content',
};

/** A failure as WeChat words it: HTTP 200, an errcode, and a message that ends in a request id of three groups. */
export function refusal(errcode: number | string, errmsg?: string): Answer {
  return { errcode, errmsg: errmsg ?? `${messages[errcode] ?? 'unknown error'}, rid: ${requestId()}` };
}

function requestId(): string {
  return randomBytes(12)
    .toString('hex')
    .replace(/^(.{8})(.{8})/, '$1-$2-');
}
