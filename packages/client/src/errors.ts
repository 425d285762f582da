import { TRPCClientError } from '@trpc/client';
import type { AnyRouter } from '@trpc/server';
import type { Reason, Retry } from '../types/app-router.js';

interface ClientErrorOptions {
  status?: number;
  requestId?: string | undefined;
  cause?: unknown;
}

/** A call that got no answer of the backend's. `api` wraps it in tRPC's own error: ask `failureOf`. */
export class ClientError extends Error {
  readonly kind: 'network' | 'timeout' | 'aborted' | 'bad-response' | 'wx-login';
  readonly status: number | undefined;
  readonly requestId: string | undefined;
  override readonly cause: unknown;

  constructor(kind: ClientError['kind'], message: string, { status, requestId, cause }: ClientErrorOptions = {}) {
    super(message);
    this.name = 'ClientError';
    this.kind = kind;
    this.status = status;
    this.requestId = requestId;
    this.cause = cause;
  }
}

/** Why a call failed, in a form that a page can branch on. */
export type Failure =
  /** The backend said no. `requestId` finds the call in its log; `fields` are those that make it INPUT_INVALID. */
  | { kind: 'refused'; reason: Reason; retry: Retry; requestId: string | undefined; fields: readonly string[] }
  /** Something answered, and not as the backend does: a gateway's HTML, half a body. */
  | { kind: 'bad-response'; status: number | undefined; retry: 'later'; requestId: string | undefined }
  /** The backend was not reached, or did not answer within `timeoutMs`; or `wx.login` failed. */
  | { kind: 'network' | 'timeout' | 'wx-login'; retry: 'later' }
  /** `aborted` was asked for; `unexpected` is a mistake in the program. */
  | { kind: 'aborted' | 'unexpected'; retry: 'never' };

/** What the server's error formatter and `createWxFetch` put on tRPC's error, where it came to that. */
function detailsOf({ data, meta }: TRPCClientError<AnyRouter>) {
  return {
    refusal: data as { reason?: Reason; retry?: Retry } | null | undefined,
    response: meta?.['response'] as { status: number; requestId: string | undefined } | undefined,
  };
}

/** The wire has them in the message alone. */
function fieldsIn(message: string): string[] {
  return /^The input is not valid: (.+)$/.exec(message)?.[1]?.split(', ') ?? [];
}

/** Says why a call failed, whatever was caught. */
export function failureOf(error: unknown): Failure {
  if (error instanceof ClientError) {
    const { kind, status, requestId } = error;
    if (kind === 'bad-response') return { kind, status, retry: 'later', requestId };
    return kind === 'aborted' ? { kind, retry: 'never' } : { kind, retry: 'later' };
  }
  if (error instanceof TRPCClientError) {
    if (error.cause instanceof ClientError) return failureOf(error.cause);
    const { refusal, response } = detailsOf(error);
    const requestId = response?.requestId;
    if (refusal?.reason && refusal.retry) {
      const { reason, retry } = refusal;
      return { kind: 'refused', reason, retry, requestId, fields: fieldsIn(error.message) };
    }
    if (response) return { kind: 'bad-response', status: response.status, retry: 'later', requestId };
  }
  return { kind: 'unexpected', retry: 'never' };
}
