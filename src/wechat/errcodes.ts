import { z } from 'zod';
import { AppError, type Reason } from '../errors.ts';
import { badResponse } from './http.ts';

/**
 * What WeChat's errcodes mean to a caller. Those that are missing from its documentation of code2Session were seen
 * in practice. Any other errcode is taken for a fault of our own set-up.
 */
const reasons = new Map<number, Reason>([
  [-1, 'WECHAT_BUSY'],
  [40003, 'CODE_INVALID'], // An openid that does not go with the code of the phone button.
  [40029, 'CODE_INVALID'],
  [40163, 'CODE_INVALID'],
  [41008, 'CODE_INVALID'],
  [40226, 'USER_BLOCKED'],
  [87014, 'CONTENT_REJECTED'],
  [45009, 'WECHAT_RATE_LIMITED'],
  [45011, 'WECHAT_RATE_LIMITED'],
]);

/** What the operator can do about a fault of our own set-up, for the log. */
const advice = new Map<number, string>([
  [40001, 'WX_SECRET is not the secret of WX_APPID, or another program keeps renewing its access token by force'],
  [48001, 'The mini program may not use this API: phone numbers need a verified account of a company'],
  [40013, 'WeChat does not know the appid in WX_APPID: compare it with 开发管理 → 开发设置 at mp.weixin.qq.com'],
  [40125, 'WX_SECRET is not the secret of WX_APPID, or was reset: make a new one at mp.weixin.qq.com and set it'],
  [
    40164,
    'Add the address from which this server calls out to the IP allow-list of the mini program at mp.weixin.qq.com',
  ],
  [41002, 'No appid arrived at WeChat: see WX_APPID, and whether WX_API_BASE_URL leads through a proxy that drops it'],
  [
    41004,
    'No secret arrived at WeChat: see WX_SECRET, and whether WX_API_BASE_URL leads through a proxy that drops it',
  ],
]);
const otherAdvice = "Look the errcode up in WeChat's list of return codes, or ask its support with the rid";

// errcode has been seen as a string.
const withErrcode = z.object({
  errcode: z
    .union([
      z.number().int(),
      z
        .string()
        .regex(/^-?\d{1,9}$/)
        .transform(Number),
    ])
    .default(0),
  errmsg: z.string().optional().catch(undefined),
});

/** The error in an answer of WeChat's; null when it has none. Throws WECHAT_BAD_RESPONSE when its shape says neither. */
export function errorIn(answer: unknown, appId: string, now: number): AppError | null {
  const parsed = withErrcode.safeParse(answer);
  if (!parsed.success) throw badResponse('WRONG_SHAPE');
  const { errcode, errmsg = '' } = parsed.data;
  if (errcode === 0) return null;
  const reason = reasons.get(errcode) ?? 'WECHAT_REJECTED';
  // WeChat's support asks for the rid. The rest of errmsg may repeat what was sent.
  const rid = /\brid: ([0-9A-Za-z-]{1,64})/.exec(errmsg)?.[1];
  return new AppError(reason, {
    detail: {
      errcode,
      appId,
      ...(rid && { rid }),
      ...(reason === 'WECHAT_REJECTED' && { advice: advice.get(errcode) ?? otherAdvice }),
    },
    ...(reason === 'WECHAT_RATE_LIMITED' && { retryAfterSeconds: secondsToNextMinute(now) }),
  });
}

/** WeChat's quotas start anew with the minute. */
function secondsToNextMinute(now: number): number {
  return 60 - (Math.floor(now / 1000) % 60);
}
