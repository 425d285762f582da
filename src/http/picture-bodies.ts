import { AppError } from '../errors.ts';
import { createConcurrencyLimiter } from '../limits/concurrency-limiter.ts';
import { StoreError } from '../store/store.ts';
import type { Context } from '../trpc.ts';

/** Stands before requests as large as a picture makes them. */
export interface PictureBodies {
  /**
   * Lets the request be read and answered, if it is of somebody who is logged in and few others are being read, fewer of
   * the same user: what anybody may send, and many at once, is small. Rejects with AppError before its body is read.
   */
  admit<T>(caller: Pick<Context, 'tokens' | 'authorization' | 'now'>, answer: () => Promise<T>): Promise<T>;
}

export function createPictureBodies({ maxAtOnce = 8, maxOfOneUser = 2 } = {}): PictureBodies {
  const limiter = createConcurrencyLimiter({ max: maxAtOnce, maxPerKey: maxOfOneUser });

  return {
    async admit({ tokens, authorization, now }, answer) {
      const { user } = await tokens.verify(authorization, now()).catch((cause: unknown) => {
        if (cause instanceof StoreError && cause.kind === 'unavailable') {
          throw new AppError('DATABASE_UNAVAILABLE', { cause });
        }
        throw cause;
      });
      const release = limiter.acquire(user.openId);
      if (!release) throw new AppError('RATE_LIMITED', { retryAfterSeconds: 1 });
      return await answer().finally(release);
    },
  };
}
