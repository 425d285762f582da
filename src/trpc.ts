import { getTRPCErrorFromUnknown, initTRPC, TRPCError } from '@trpc/server';
import { ZodError } from 'zod';
import type { SessionKeys } from './auth/session-keys.ts';
import type { Tokens } from './auth/tokens.ts';
import { AppError, outcomes, type Reason, type Retry } from './errors.ts';
import type { RateLimiter } from './limits/rate-limiter.ts';
import { describeError, type Log } from './operations/log.ts';
import { StoreError, type Store } from './store/store.ts';
import type { PhoneNumbers } from './user/phone.ts';
import type { Pictures } from './user/pictures.ts';
import type { Wechat } from './wechat/exchange.ts';
import type { PhoneCodes } from './wechat/phone.ts';

/** Who is told of every call of a procedure, once it has ended. */
export interface CallObserver {
  observe(call: { procedure: string; reason: Reason | 'OK'; durationMs: number }): void;
}

/** What every call has at hand: plain interfaces, so that this type asks nothing of who imports `AppRouter`. */
export interface Context {
  store: Store;
  wechat: Wechat;
  tokens: Tokens;
  sessionKeys: SessionKeys;
  phoneCodes: PhoneCodes;
  phoneNumbers: PhoneNumbers;
  pictures: Pictures;
  watermarkMaxAgeSeconds: number;
  log: Log;
  calls: CallObserver;
  /** Of the calls that spend a code, for each client address. */
  codeLimit: RateLimiter;
  /** Unix milliseconds. */
  now: () => number;
  requestId: string;
  /** As client-address.ts has it. */
  clientAddress: string;
  /** The `Authorization` header as it came. */
  authorization: string | undefined;
}

/** What a caller gets to know of a failure, in `error.data`. */
export interface ErrorData {
  code: TRPCError['code'];
  httpStatus: number;
  path: string | null;
  reason: Reason;
  retry: Retry;
}

const t = initTRPC.context<Context>().create({
  isDev: false,
  errorFormatter({ shape, error, ctx, path }) {
    const { reason, message } = explain(error);
    const { code, httpStatus } = shape.data;
    // A path that is no procedure's is the caller's own text: it is not given back.
    const data: ErrorData = {
      code,
      httpStatus,
      path: ctx && error.code !== 'NOT_FOUND' ? (path ?? null) : null,
      reason,
      retry: outcomes[reason].retry,
    };
    return { code: shape.code, message, data };
  },
});

/** tRPC's own refusals, made before a procedure is reached. Its messages quote the request, so none of them is used. */
const refusals: Partial<Record<TRPCError['code'], string>> = {
  BAD_REQUEST: 'The request is not a valid call: see its JSON, its batch and their size',
  PARSE_ERROR: 'The request is not valid JSON',
  NOT_FOUND: 'There is no such procedure',
  METHOD_NOT_SUPPORTED: 'Mutations are called with POST, queries with GET or POST',
  TIMEOUT: 'The request took too long to arrive',
  PAYLOAD_TOO_LARGE: 'The request is too large',
  UNSUPPORTED_MEDIA_TYPE: 'Calls are application/json in utf-8, not encoded or streamed',
};

/** The reason and the words for an error of any kind; what nobody foresaw says nothing of itself. */
export function explain(error: TRPCError): { reason: Reason; message: string } {
  if (error instanceof AppError) return { reason: error.reason, message: error.message };
  const message = refusals[error.code];
  return message ? { reason: 'INPUT_INVALID', message } : { reason: 'INTERNAL', message: outcomes.INTERNAL.message };
}

/** Gives each failure of a procedure its name: the input's, the database's, or one nobody foresaw. */
function named(error: TRPCError): AppError {
  const { cause } = error;
  if (error instanceof AppError) return error;
  // Input is read within the call, so that broken JSON shows here too; its own error quotes the text.
  if (error.code === 'BAD_REQUEST') {
    const issues = cause instanceof ZodError ? cause.issues : [];
    return new AppError('INPUT_INVALID', {
      fields: [...new Set(issues.map(({ path }) => path.join('.') || 'input'))],
    });
  }
  if (cause instanceof StoreError && cause.kind === 'unavailable') {
    const { code, errno } = cause;
    return new AppError('DATABASE_UNAVAILABLE', { cause, detail: { code, ...(errno !== undefined && { errno }) } });
  }
  return new AppError('INTERNAL', { cause, detail: describeError(cause ?? error) });
}

/** How loud a failure is: our own faults are errors, the world's are warnings, the caller's are information. */
function levelOf(reason: Reason): 'error' | 'warn' | 'info' {
  if (reason === 'INTERNAL' || reason === 'WECHAT_REJECTED') return 'error';
  return outcomes[reason].httpStatus >= 500 || reason === 'WECHAT_RATE_LIMITED' ? 'warn' : 'info';
}

type Outcome = { ok: true } | { ok: false; error: TRPCError };

/** Runs the rest of a call, tells of its end, and gives its failure a name. */
async function observed<Ran extends Outcome>(
  { ctx, path }: { ctx: Context; path: string },
  run: () => Promise<Ran>,
): Promise<Ran> {
  const startedAt = performance.now();
  const ran = await run().catch((cause: unknown) => getTRPCErrorFromUnknown(cause));
  const durationMs = performance.now() - startedAt;
  const call = { requestId: ctx.requestId, procedure: path, durationMs: Math.round(durationMs) };
  if (!(ran instanceof TRPCError) && ran.ok) {
    ctx.calls.observe({ procedure: path, reason: 'OK', durationMs });
    ctx.log.info({ ...call, reason: 'OK' }, 'call');
    return ran;
  }
  const error = named(ran instanceof TRPCError ? ran : ran.error);
  ctx.calls.observe({ procedure: path, reason: error.reason, durationMs });
  ctx.log[levelOf(error.reason)]({ ...call, reason: error.reason, ...error.detail }, 'call');
  throw error;
}

export const router = t.router;

/** A procedure that anybody may call. */
export const publicProcedure = t.procedure.use(({ ctx, path, next }) => observed({ ctx, path }, () => next()));

/**
 * Stands before what spends a code, and after the input: what is no input spends none. Counted here, call by call:
 * a batch is one request.
 */
export const spendsCode = t.middleware(({ ctx, next }) => {
  const waitSeconds = ctx.codeLimit.take(ctx.clientAddress, ctx.now());
  if (waitSeconds > 0) throw new AppError('RATE_LIMITED', { retryAfterSeconds: waitSeconds });
  return next();
});

/**
 * A procedure for callers with a valid token: `ctx.user` and `ctx.session` are theirs. One middleware where two would do:
 * each costs a signed-in call as much as its look-up in the database.
 */
export const signedInProcedure = t.procedure.use(({ ctx, path, next }) =>
  observed({ ctx, path }, async () => {
    const { session, user } = await ctx.tokens.verify(ctx.authorization, ctx.now());
    return next({ ctx: { session, user } });
  }),
);
