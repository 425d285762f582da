import { AppError } from '../errors.ts';
import type { User } from '../store/store.ts';
import type { Context } from '../trpc.ts';

/**
 * Confirms with a fresh login code that the caller holds the phone, and not the token alone. Rejects with CODE_INVALID for
 * the code of another user or app.
 */
export async function confirmCode(
  { wechat, store, sessionKeys, now, user }: Pick<Context, 'wechat' | 'store' | 'sessionKeys' | 'now'> & { user: User },
  code: string,
): Promise<void> {
  const exchange = await wechat.exchangeCode(code, user.appId);
  if (exchange.openId !== user.openId || exchange.appId !== user.appId) throw new AppError('CODE_INVALID');
  // `wx.login` may have rotated the session key: without the new one the next open data would not decrypt.
  await store.saveSessionKey(
    { openId: user.openId, createdUpTo: user.createdAt },
    { ...sessionKeys.seal(exchange), sessionKeyAt: exchange.startedAt, now: now() },
  );
}
