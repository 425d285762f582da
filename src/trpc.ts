import { getTRPCErrorFromUnknown, initTRPC, TRPCError } from '@trpc/server';
import { getHTTPStatusCodeFromError } from '@trpc/server/http';
import { createOpenData } from './auth/open-data.ts';
import type { SessionKeys } from './auth/session-keys.ts';
import type { Tokens } from './auth/tokens.ts';
import { AppError, outcomes, type Reason, type Retry } from './errors.ts';
import { invalidFields } from './invalid-fields.ts';
import type { RateLimiter } from './limits/rate-limiter.ts';
import type { CallObserver } from './operations/call-record.ts';
import { describeError, type Log } from './operations/log.ts';
import { StoreError, type Store } from './store/store.ts';
import type { OnUserDeleted } from './user/erasure.ts';
import type { PhoneNumbers } from './user/phone.ts';
import type { Pictures } from './user/pictures.ts';
import type { ContentCheck } from './wechat/content-check.ts';
import type { Wechat } from './wechat/exchange.ts';
import type { PhoneCodes } from './wechat/phone.ts';
import type { PluginCodes, SessionKeyCalls } from './wechat/session-key-calls.ts';

/** What a procedure needs of HTTP: `.meta({ maxBodyBytes: 512 * 1024 })`. */
export interface ProcedureMeta {
  /** How large the body of a request that calls it may be; 64 KiB where nothing is said. Signed-in callers only. */
  maxBodyBytes?: number;
}

/** What every call has at hand: plain interfaces, so that a program that imports `AppRouter` needs no types of our drivers. */
export interface Context {
  store: Store;
  wechat: Wechat & PluginCodes;
  sessionKeyCalls: SessionKeyCalls;
  tokens: Tokens;
  sessionKeys: SessionKeys;
  phoneCodes: PhoneCodes;
  phoneNumbers: PhoneNumbers;
  pictures: Pictures;
  /** null where it is not switched on. */
  contentCheck: ContentCheck | null;
  /** An owner's part in the deletion of a user. */
  onUserDeleted: OnUserDeleted;
  watermarkMaxAgeSeconds: number;
  log: Log;
  calls: CallObserver;
  /** Of the calls that spend a code, for each client address. */
  codeLimit: RateLimiter;
  /** Of our own mutations, for each openid. */
  writeLimit: RateLimiter;
  /** Unix milliseconds. */
  now: () => number;
  requestId: string;
  /** The IPv4 address, or the /64 of the IPv6 one, that the calls are counted against. */
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

/** The part of a router's type that says what its errors hold. */
interface Failing {
  _def: { _config: { $types: { errorShape: { data: ErrorData } } } };
}

/**
 * A router's type, with an owner's reasons beside guoke's in `error.data.reason`, for the phone:
 * `export type AppRouter = WithReasons<ReturnType<typeof createAppRouter>, keyof typeof reasons>`.
 */
export type WithReasons<Router extends Failing, Name extends string> = Omit<Router, '_def'> & {
  _def: Omit<Router['_def'], '_config'> & { _config: WithError<Router['_def']['_config'], Reason | Name> };
};

type WithError<Config extends { $types: object }, Name extends string> = Omit<Config, '$types'> & {
  $types: Omit<Config['$types'], 'errorShape'> & {
    errorShape: { message: string; code: number; data: Omit<ErrorData, 'reason'> & { reason: Name } };
  };
};

const t = initTRPC
  .context<Context>()
  .meta<ProcedureMeta>()
  .create({
    isDev: false,
    errorFormatter({ shape, error, ctx, path }) {
      const { reason, retry, message } = explain(error);
      const { code, httpStatus } = shape.data;
      // The path of an unknown procedure is the caller's own text: it is not given back.
      const data: ErrorData = {
        code,
        httpStatus,
        path: ctx && error.code !== 'NOT_FOUND' ? (path ?? null) : null,
        reason,
        retry,
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
  UNSUPPORTED_MEDIA_TYPE: 'Calls are application/json in utf-8, not encoded or streamed',
};

/** The reason and the words for an error of any kind; an unexpected one gets the same words always. */
export function explain(error: TRPCError): { reason: Reason; retry: Retry; message: string } {
  // The type of an owner's router adds the owner's reasons, by WithReasons: `Reason` has guoke's alone.
  if (error instanceof AppError) {
    return { reason: error.reason as Reason, retry: error.retry, message: error.message };
  }
  const refusal = refusals[error.code];
  const reason =
    refusal !== undefined ? 'INPUT_INVALID' : error.code === 'PAYLOAD_TOO_LARGE' ? 'TOO_LARGE' : 'INTERNAL';
  const { retry, message } = outcomes[reason];
  return { reason, retry, message: refusal ?? message };
}

/** Gives each failure of a procedure its reason: the input's, the database's, or INTERNAL. */
function toAppError(error: TRPCError): AppError {
  const { cause } = error;
  if (error instanceof AppError) return error;
  // Input is read within the call, so that broken JSON shows here too; its own error quotes the text.
  if (error.code === 'BAD_REQUEST') {
    return new AppError('INPUT_INVALID', { fields: invalidFields(cause) });
  }
  if (cause instanceof StoreError && cause.kind === 'unavailable') {
    const { code, errno } = cause;
    return new AppError('DATABASE_UNAVAILABLE', { cause, detail: { code, ...(errno !== undefined && { errno }) } });
  }
  return new AppError('INTERNAL', { cause, detail: describeError(cause ?? error) });
}

type Outcome = { ok: true } | { ok: false; error: TRPCError };

/** Runs the rest of a call, records its end, and gives its failure a reason. */
async function observe<Ran extends Outcome>(
  { ctx, path, batchIndex }: { ctx: Context; path: string; batchIndex: number },
  run: () => Promise<Ran>,
): Promise<Ran> {
  const startedAt = performance.now();
  const ran = await run().catch((cause: unknown) => getTRPCErrorFromUnknown(cause));
  const call = { procedure: path, batchIndex, durationMs: performance.now() - startedAt };
  if (!(ran instanceof TRPCError) && ran.ok) {
    ctx.calls.observe({ ...call, reason: 'OK', httpStatus: 200 });
    return ran;
  }
  const error = toAppError(ran instanceof TRPCError ? ran : ran.error);
  if (error.reason === 'INTERNAL') ctx.log.unexpected?.(error.cause ?? error);
  const httpStatus = getHTTPStatusCodeFromError(error);
  ctx.calls.observe({ ...call, reason: error.reason, httpStatus, detail: error.detail });
  throw error;
}

export const router = t.router;

/** A procedure that anybody may call. */
export const publicProcedure = t.procedure.use(({ ctx, path, batchIndex, next }) =>
  observe({ ctx, path, batchIndex }, () => next()),
);

/**
 * Limits the calls that spend a code, by client address. It follows the input, since a wrong input spends none, and counts
 * call by call, since a batch is one request.
 */
export const codeRateLimit = t.middleware(({ ctx, next }) => {
  takeTurn(ctx.codeLimit, ctx.clientAddress, ctx.now());
  return next();
});

/** Counts one more call of the caller, and throws RATE_LIMITED after too many. */
function takeTurn(limiter: RateLimiter, caller: string, now: number): void {
  const waitSeconds = limiter.take(caller, now);
  if (waitSeconds > 0) throw new AppError('RATE_LIMITED', { retryAfterSeconds: waitSeconds });
}

/**
 * One middleware where two would do: each costs a signed-in call as much as its look-up in the database. A limited
 * mutation counts before its input is read, so that one of a wrong shape counts too.
 */
const createSignedIn = ({ areWritesLimited }: { areWritesLimited: boolean }) =>
  t.procedure.use(({ ctx, path, batchIndex, type, next }) =>
    observe({ ctx, path, batchIndex }, async () => {
      const { session, user } = await ctx.tokens.verify(ctx.authorization, ctx.now());
      if (areWritesLimited && type === 'mutation') takeTurn(ctx.writeLimit, user.openId, ctx.now());
      return next({ ctx: { session, user, openData: createOpenData(ctx, user) } });
    }),
  );

/** A procedure for callers with a valid token: `ctx.user`, `ctx.session` and `ctx.openData` are theirs. */
export const signedInProcedure = createSignedIn({ areWritesLimited: false });

/** The same for procedures of guoke's own: each user's mutations are limited, see USER_WRITES_PER_MINUTE. */
export const accountProcedure = createSignedIn({ areWritesLimited: true });

/**
 * For a query that costs as much as many look-ups. It is limited as mutations are, and apart from them: one token that
 * listed without a pause would hold up all logins.
 */
export const listProcedure = accountProcedure.use(({ ctx, next }) => {
  takeTurn(ctx.writeLimit, `list ${ctx.user.openId}`, ctx.now());
  return next();
});
