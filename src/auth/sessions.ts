import type { Session } from '../store/store.ts';
import type { Context } from '../trpc.ts';

/** Newest first, as many as a person looks through. Older ones end by `auth.logoutAll`. */
const maxListed = 100;
/** All that a person may have by logging in at every launch; a bound, so that no user's export is without end. */
const maxExported = 1000;

/** The caller's good sessions as they are listed and revoked one by one, the newest first; the caller's own also where it is older. */
export async function listSessions(ctx: Listing & { session: Session }): Promise<Session[]> {
  const listed = await goodSessions(ctx, maxListed);
  const isListed = listed.some(({ tokenHash }) => tokenHash.equals(ctx.session.tokenHash));
  return isListed ? listed : [...listed.slice(0, maxListed - 1), ctx.session];
}

/** The caller's good sessions, for the export of all that is stored about them. */
export const exportSessions = (ctx: Listing) => goodSessions(ctx, maxExported);

type Listing = Pick<Context, 'store' | 'now'> & { user: { openId: string } };

function goodSessions({ store, user, now }: Listing, limit: number): Promise<Session[]> {
  return store.listSessions(user.openId, now(), limit);
}
