import { AppError } from '../errors.ts';
import type { Profile, User } from '../store/store.ts';
import type { Context } from '../trpc.ts';
import type { Exchange } from '../wechat/exchange.ts';

/** Stores the user and a new session in one write, and gives back the user as stored. Rejects with USER_BLOCKED. */
export async function recordLogin(
  { store, tokens, sessionKeys, now }: Pick<Context, 'store' | 'tokens' | 'sessionKeys' | 'now'>,
  exchange: Exchange,
  profile: Profile,
): Promise<{ user: User; token: string; expiresAt: number }> {
  const loggedInAt = now();
  const { token, tokenHash, expiresAt } = tokens.issue(loggedInAt);
  const user = await store.saveLogin({
    openId: exchange.openId,
    appId: exchange.appId,
    unionId: exchange.unionId,
    ...sessionKeys.seal(exchange),
    sessionKeyAt: exchange.startedAt,
    profile,
    tokenHash,
    now: loggedInAt,
    expiresAt,
  });
  if (user.blockedAt !== null) {
    // The write itself says so, and costs no query more; the session, whose token is not answered, is deleted again.
    await store.deleteSession(tokenHash);
    throw new AppError('USER_BLOCKED');
  }
  return { user, token, expiresAt };
}
