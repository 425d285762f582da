import { createToken, hashToken, tokenPattern } from '../crypto.ts';
import { AppError } from '../errors.ts';
import { isFromWrongClock } from '../store/clock.ts';
import { type Session, type Store, StoreError, type User } from '../store/store.ts';

const hourMs = 60 * 60 * 1000;
const dayMs = 24 * hourMs;
const lifeMs = 7 * dayMs;
const maxLifeMs = 60 * dayMs;

export interface IssuedToken {
  token: string;
  tokenHash: Buffer;
  /** Unix milliseconds. */
  expiresAt: number;
}

/** Our own login tokens: opaque, and known to the database by their hash alone. */
export interface Tokens {
  /** A new token, not yet stored. */
  issue(now: number): IssuedToken;
  /**
   * Finds the session of the token in an `Authorization` header; each call asks the database. Extends its life, with at
   * most one write an hour. Rejects with SESSION_INVALID when the token is missing, unknown, expired or revoked,
   * and with USER_BLOCKED when the operator refuses its user.
   */
  verify(authorization: string | undefined, now: number): Promise<{ session: Session; user: User }>;
}

export function createTokens(store: Pick<Store, 'findSession' | 'extendSession'>): Tokens {
  return {
    issue(now) {
      const token = createToken();
      return { token, tokenHash: hashToken(token), expiresAt: now + lifeMs };
    },
    async verify(authorization, now) {
      const token = /^Bearer +([A-Za-z0-9_-]{43})$/i.exec(authorization ?? '')?.[1];
      if (token === undefined || !tokenPattern.test(token)) throw new AppError('SESSION_INVALID');
      const found = await store.findSession(hashToken(token));
      if (!found || found.session.expiresAt <= now) throw new AppError('SESSION_INVALID');
      const { session, user } = found;
      if (user.blockedAt !== null) throw new AppError('USER_BLOCKED');
      // A clock that was wrong issued it: it would live for years.
      if (isFromWrongClock(session.createdAt, now)) throw new AppError('SESSION_INVALID');
      if (now - session.lastUsedAt >= hourMs || isFromWrongClock(session.lastUsedAt, now)) {
        const { tokenHash, openId } = session;
        const expiresAt = Math.min(now + lifeMs, session.createdAt + maxLifeMs);
        await store
          .extendSession({ tokenHash, openId, unusedSince: now - hourMs, lastUsedAt: now, expiresAt })
          .catch(ignoreUnavailable);
      }
      return found;
    },
  };
}

/** A database that is read-only after a failover can still tell whose token it is: the next use is recorded instead. */
function ignoreUnavailable(error: unknown): void {
  if (!(error instanceof StoreError && error.kind === 'unavailable')) throw error;
}
