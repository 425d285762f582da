import { LoginError } from '../errors.ts';
import { StoreError } from '../store/store.ts';
import type { Context } from '../trpc.ts';

/** Stands before requests as large as a picture makes them. */
export interface PictureBodies {
  /**
   * Lets the request be read and answered, if it is of somebody who is logged in and few others are being read: what
   * anybody may send, and many at once, is small. Rejects with LoginError otherwise, before its body is read.
   */
  admit<T>(authorization: string | undefined, answer: () => Promise<T>): Promise<T>;
}

interface PictureBodiesOptions extends Pick<Context, 'tokens' | 'now'> {
  maxAtOnce?: number;
}

export function createPictureBodies({ tokens, now, maxAtOnce = 8 }: PictureBodiesOptions): PictureBodies {
  let present = 0;

  return {
    async admit(authorization, answer) {
      await tokens.verify(authorization, now()).catch((cause: unknown) => {
        if (cause instanceof StoreError && cause.kind === 'unavailable') {
          throw new LoginError('DATABASE_UNAVAILABLE', { cause });
        }
        throw cause;
      });
      if (present >= maxAtOnce) throw new LoginError('RATE_LIMITED', { retryAfterSeconds: 1 });
      present += 1;
      try {
        return await answer();
      } finally {
        present -= 1;
      }
    },
  };
}
