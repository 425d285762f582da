import type { Reason, Retry } from '../types/app-router.js';
interface ClientErrorOptions {
  status?: number;
  requestId?: string | undefined;
  cause?: unknown;
}
/** A call that got no answer of the backend's. `api` wraps it in tRPC's own error: ask `failureOf`. */
export declare class ClientError extends Error {
  readonly kind: 'network' | 'timeout' | 'aborted' | 'bad-response' | 'wx-login';
  readonly status: number | undefined;
  readonly requestId: string | undefined;
  readonly cause: unknown;
  constructor(kind: ClientError['kind'], message: string, { status, requestId, cause }?: ClientErrorOptions);
}
/** Why a call failed, in a form that a page can branch on. */
export type Failure =
  /** The backend said no. `requestId` finds the call in its log; `fields` are those that make it INPUT_INVALID. */
  | {
      kind: 'refused';
      reason: Reason;
      retry: Retry;
      requestId: string | undefined;
      fields: readonly string[];
    }
  /** Something answered, and not as the backend does: a gateway's HTML, half a body. */
  | {
      kind: 'bad-response';
      status: number | undefined;
      retry: 'later';
      requestId: string | undefined;
    }
  /** The backend was not reached, or did not answer within `timeoutMs`; or `wx.login` failed. */
  | {
      kind: 'network' | 'timeout' | 'wx-login';
      retry: 'later';
    }
  /** `aborted` was asked for; `unexpected` is a mistake in the program. */
  | {
      kind: 'aborted' | 'unexpected';
      retry: 'never';
    };
/** Says why a call failed, whatever was caught. */
export declare function failureOf(error: unknown): Failure;
export {};
