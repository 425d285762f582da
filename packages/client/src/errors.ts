import type { Reason, Retry } from '../types/app-router.js';

const kinds = ['network', 'timeout', 'set-up', 'wx-login', 'aborted', 'bad-response'] as const;

interface ClientErrorOptions {
  status?: number;
  requestId?: string | undefined;
  retryAfterMs?: number | undefined;
  errno?: number | undefined;
  cause?: unknown;
}

/** A call that got no answer of the backend's. `api` wraps it in tRPC's own error: ask `failureOf`. */
export class ClientError extends Error {
  readonly kind: (typeof kinds)[number];
  readonly status: number | undefined;
  readonly requestId: string | undefined;
  readonly retryAfterMs: number | undefined;
  readonly errno: number | undefined;
  override readonly cause: unknown;

  constructor(kind: ClientError['kind'], message: string, options: ClientErrorOptions = {}) {
    super(message);
    this.name = 'ClientError';
    this.kind = kind;
    this.status = options.status;
    this.requestId = options.requestId;
    this.retryAfterMs = options.retryAfterMs;
    this.errno = options.errno;
    this.cause = options.cause;
  }
}

/** What the backend, or what stands before it, said beside the answer itself. */
interface Told {
  /** Finds the call in the backend's log. */
  requestId: string | undefined;
  /** From `Retry-After`; at most a day. */
  retryAfterMs: number | undefined;
}

/** The platform's own words for a failure, and its number where it gives one. */
interface Platform {
  errMsg: string;
  errno: number | undefined;
}

/** Why a call failed, in a form that a page can branch on. */
export type Failure<OwnReason extends string = never> =
  /** The backend said no. `fields` are those that make it INPUT_INVALID. */
  | ({ kind: 'refused'; reason: Reason | OwnReason; retry: Retry; fields: readonly string[] } & Told)
  /** Something answered, and not as the backend does: a gateway's HTML, half a body. */
  | ({ kind: 'bad-response'; status: number | undefined; retry: 'later' } & Told)
  /** The backend was not reached, or did not answer within `timeoutMs`; or `wx.login` failed. */
  | ({ kind: 'network' | 'timeout' | 'wx-login'; retry: 'later' } & Platform)
  /** The domain is not on WeChat's list, or the address is invalid: the developer must correct it. */
  | ({ kind: 'set-up'; retry: 'never' } & Platform)
  /** `aborted` was asked for; `unexpected` is a mistake in the program. */
  | { kind: 'aborted' | 'unexpected'; retry: 'never' };

/** By its name, not its class: 独立分包 have a copy of this package of their own. */
function isClientError(error: unknown): error is ClientError {
  const { name, kind } = Object(error) as { name?: unknown; kind?: unknown };
  return name === 'ClientError' && kinds.some((known) => known === kind);
}

/** The parts of tRPC's error that the server's error formatter and `createWxFetch` fill in, where it came to that. */
interface CallError<OwnReason extends string> {
  name: 'TRPCClientError';
  message: string;
  cause?: unknown;
  data?: { reason?: Reason | OwnReason; retry?: Retry } | null;
  meta?: { response?: Told & { status: number } };
}

function isCallError<OwnReason extends string>(error: unknown): error is CallError<OwnReason> {
  return (Object(error) as { name?: unknown }).name === 'TRPCClientError';
}

/** The wire has them in the message alone. */
function fieldsIn(message: string): string[] {
  return /^The input is not valid: (.+)$/.exec(message)?.[1]?.split(', ') ?? [];
}

/** An answer without a reason of the backend's. A body that a gateway finds too large is too large for the next attempt too. */
function badResponse({ status, requestId, retryAfterMs }: Told & { status: number | undefined }): Failure {
  const told = { requestId, retryAfterMs };
  if (status === 413) return { kind: 'refused', reason: 'TOO_LARGE', retry: 'never', fields: [], ...told };
  return { kind: 'bad-response', status, retry: 'later', ...told };
}

function failureOfClientError(error: ClientError): Failure {
  const { kind, message: errMsg, errno } = error;
  switch (kind) {
    case 'bad-response':
      return badResponse(error);
    case 'aborted':
      return { kind, retry: 'never' };
    case 'set-up':
      return { kind, retry: 'never', errMsg, errno };
    default:
      return { kind, retry: 'later', errMsg, errno };
  }
}

/**
 * Says why a call failed, whatever was caught. `failureOf<Reason>`, with the `Reason` of a backend's own app-router.d.ts,
 * knows the reasons that its owner added.
 */
export function failureOf<OwnReason extends string = never>(error: unknown): Failure<OwnReason> {
  if (isClientError(error)) return failureOfClientError(error);
  if (isCallError<OwnReason>(error)) {
    const { cause, data, message, meta } = error;
    if (isClientError(cause)) return failureOfClientError(cause);
    const response = meta?.response;
    if (data?.reason && data.retry) {
      const { reason, retry } = data;
      const retryAfterMs = retry === 'later' ? response?.retryAfterMs : undefined;
      return {
        kind: 'refused',
        reason,
        retry,
        fields: fieldsIn(message),
        requestId: response?.requestId,
        retryAfterMs,
      };
    }
    if (response) return badResponse(response);
  }
  return { kind: 'unexpected', retry: 'never' };
}
