import type { Profile, User } from '../store/store.ts';
import type { Context } from '../trpc.ts';
import type { Exchange } from '../wechat/exchange.ts';

/** Stores the user and a new session in one write, and gives back the user as stored. */
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
  return { user, token, expiresAt };
}
