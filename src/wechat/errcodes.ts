import { z } from 'zod';
import { LoginError, type Reason } from '../errors.ts';
import { badResponse } from './http.ts';

/**
 * What WeChat's errcodes mean to a caller. Those that are missing from its documentation of code2Session were seen
 * in practice. An errcode that is not here is taken for a fault of our own set-up.
 */
const reasons = new Map<number, Reason>([
  [-1, 'WECHAT_BUSY'],
  [40029, 'CODE_INVALID'],
  [40163, 'CODE_INVALID'],
  [41008, 'CODE_INVALID'],
  [40226, 'USER_BLOCKED'],
  [45009, 'WECHAT_RATE_LIMITED'],
  [45011, 'WECHAT_RATE_LIMITED'],
]);

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

/** The error that an answer stands for, null when it stands for success. Throws WECHAT_BAD_RESPONSE for neither. */
export function errorIn(answer: unknown, appId: string, now: number): LoginError | null {
  const parsed = withErrcode.safeParse(answer);
  if (!parsed.success) throw badResponse('WRONG_SHAPE');
  const { errcode, errmsg = '' } = parsed.data;
  if (errcode === 0) return null;
  const reason = reasons.get(errcode) ?? 'WECHAT_REJECTED';
  // WeChat's support asks for the rid. The rest of errmsg is for people and may repeat what was sent.
  const rid = /\brid: ([0-9A-Za-z-]{1,64})/.exec(errmsg)?.[1];
  return new LoginError(reason, {
    detail: { errcode, appId, ...(rid && { rid }) },
    ...(reason === 'WECHAT_RATE_LIMITED' && { retryAfterSeconds: secondsToNextMinute(now) }),
  });
}

/** WeChat's quotas start anew with the minute. */
function secondsToNextMinute(now: number): number {
  return 60 - (Math.floor(now / 1000) % 60);
}
