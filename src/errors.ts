import { TRPCError } from '@trpc/server';
import type { LogFields } from './operations/log.ts';

type TrpcCode = TRPCError['code'];
export type Retry = 'login' | 'later' | 'never';

export interface Outcome {
  code: TrpcCode;
  retry: Retry;
  message: string;
  /** What `Retry-After` says where the error itself does not. */
  retryAfterSeconds?: number;
}

/** Every way in which a call can fail, and what the caller is told. The only such table. */
export const outcomes = {
  INPUT_INVALID: { code: 'BAD_REQUEST', httpStatus: 400, retry: 'never', message: 'The input is not valid' },
  CONTENT_REJECTED: {
    code: 'BAD_REQUEST',
    httpStatus: 400,
    retry: 'never',
    message: 'WeChat finds this nickname or picture to be unsafe',
  },
  CODE_INVALID: {
    code: 'UNAUTHORIZED',
    httpStatus: 401,
    retry: 'login',
    message: 'WeChat does not accept this code: it is wrong, used or expired',
  },
  PROFILE_REJECTED: {
    code: 'UNAUTHORIZED',
    httpStatus: 401,
    retry: 'login',
    message: 'The profile data could not be verified',
  },
  SESSION_INVALID: { code: 'UNAUTHORIZED', httpStatus: 401, retry: 'login', message: 'Not logged in' },
  USER_BLOCKED: { code: 'FORBIDDEN', httpStatus: 403, retry: 'never', message: 'This user is blocked' },
  TOO_LARGE: { code: 'PAYLOAD_TOO_LARGE', httpStatus: 413, retry: 'never', message: 'The request is too large' },
  RATE_LIMITED: {
    code: 'TOO_MANY_REQUESTS',
    httpStatus: 429,
    retry: 'later',
    message: 'Too many calls',
    // The limits count minutes.
    retryAfterSeconds: 60,
  },
  WECHAT_RATE_LIMITED: {
    code: 'TOO_MANY_REQUESTS',
    httpStatus: 429,
    retry: 'later',
    message: 'WeChat accepts no more calls for now',
    retryAfterSeconds: 60,
  },
  WECHAT_BUSY: { code: 'SERVICE_UNAVAILABLE', httpStatus: 503, retry: 'later', message: 'WeChat is busy' },
  DATABASE_UNAVAILABLE: {
    code: 'SERVICE_UNAVAILABLE',
    httpStatus: 503,
    retry: 'later',
    message: 'The database is not available',
  },
  WECHAT_TIMEOUT: {
    code: 'GATEWAY_TIMEOUT',
    httpStatus: 504,
    retry: 'later',
    message: 'WeChat did not answer in time',
  },
  WECHAT_BAD_RESPONSE: {
    code: 'BAD_GATEWAY',
    httpStatus: 502,
    retry: 'later',
    message: 'WeChat gave an answer that makes no sense',
  },
  WECHAT_REJECTED: {
    code: 'BAD_GATEWAY',
    httpStatus: 502,
    retry: 'never',
    message: 'WeChat rejects this mini program: its set-up on the server is wrong',
  },
  INTERNAL: { code: 'INTERNAL_SERVER_ERROR', httpStatus: 500, retry: 'later', message: 'Something went wrong' },
} as const satisfies Record<string, Outcome & { httpStatus: number }>;

/** Why a call failed: stable, and safe to branch on. */
export type Reason = keyof typeof outcomes;

/** A reason of an owner's, made by `defineReasons`: `throw new AppError(reasons.NOTES_FULL)`. */
export interface OwnReason<Name extends string = string> extends Outcome {
  readonly name: Name;
}

interface AppErrorOptions {
  /** Paths of the input's fields that are wrong; never their values. */
  fields?: readonly string[];
  retryAfterSeconds?: number;
  /** What the log may know and the caller may not. */
  detail?: LogFields;
  cause?: unknown;
}

/** The one door by which a known failure leaves. tRPC passes it through unchanged, with the right HTTP status. */
export class AppError extends TRPCError {
  readonly reason: string;
  readonly retry: Retry;
  readonly retryAfterSeconds: number | undefined;
  readonly detail: LogFields;

  constructor(reason: Reason | OwnReason, { fields, retryAfterSeconds, detail = {}, cause }: AppErrorOptions = {}) {
    const outcome: Outcome = typeof reason === 'string' ? outcomes[reason] : reason;
    const { code, message, retry } = outcome;
    super({ code, message: fields?.length ? `${message}: ${fields.join(', ')}` : message, cause });
    this.reason = typeof reason === 'string' ? reason : reason.name;
    this.retry = retry;
    this.retryAfterSeconds = retryAfterSeconds ?? outcome.retryAfterSeconds;
    this.detail = detail;
  }
}
