import type { Session } from '../store/store.ts';
import type { Context } from '../trpc.ts';

/** A phone that logs in at each launch has some hundred in a week. Older ones end by `auth.logoutAll`. */
const maxSessions = 1000;

/** The caller's sessions that are good, the newest first. */
export function listSessions({
  store,
  user,
  now,
}: Pick<Context, 'store' | 'now'> & { user: { openId: string } }): Promise<Session[]> {
  return store.listSessions(user.openId, now(), maxSessions);
}
