import type { Context as HonoContext } from 'hono';
import { AppError } from '../errors.ts';
import { createConcurrencyLimiter } from '../limits/concurrency-limiter.ts';
import { StoreError } from '../store/store.ts';
import type { CallEnv } from './context.ts';

interface Upload {
  /** Resolves when the body is there, or to the refusal of a body that is too large. */
  readBody: () => Promise<Response | void>;
  answer: () => Promise<Response | void>;
}

/** Limits requests with a large body, such as a picture's: only signed-in users send them, and few at a time. */
export interface UploadLimiter {
  /**
   * Answers the request of a signed-in user, unless too many uploads, or too many of that user, are being read already.
   * A body that does not arrive in 3 s loses its place. Rejects with AppError: SESSION_INVALID, DATABASE_UNAVAILABLE,
   * RATE_LIMITED.
   */
  run(c: HonoContext<CallEnv>, upload: Upload): Promise<Response | void>;
}

const maxAtOnce = 64;
const maxPerUser = 2;
const maxReadMs = 3000;

export function createUploadLimiter(): UploadLimiter {
  const limiter = createConcurrencyLimiter({ max: maxAtOnce, maxPerKey: maxPerUser });

  return {
    async run(c, { readBody, answer }) {
      const { tokens, authorization, now } = c.get('context');
      const { user } = await tokens.verify(authorization, now()).catch((cause: unknown) => {
        if (!(cause instanceof StoreError && cause.kind === 'unavailable')) throw cause;
        throw new AppError('DATABASE_UNAVAILABLE', { cause });
      });
      const release = limiter.acquire(user.openId);
      if (!release) throw tooMany();
      try {
        return (await inTime(maxReadMs, readBody())) ?? (await answer());
      } finally {
        release();
      }
    },
  };
}

async function inTime<T>(timeoutMs: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(tooMany()), timeoutMs);
  });
  return await Promise.race([work, late]).finally(() => clearTimeout(timer));
}

function tooMany(): AppError {
  return new AppError('RATE_LIMITED', { retryAfterSeconds: 1 });
}
