import { TRPCError } from '@trpc/server';
import { getHTTPStatusCodeFromError } from '@trpc/server/http';
import { getErrorShape } from '@trpc/server/shared';
import type { MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { AppError } from '../errors.ts';
import { appRouter } from '../router.ts';
import type { Context } from '../trpc.ts';
import type { PictureBodies } from './picture-bodies.ts';

type TrpcCode = TRPCError['code'];

/** Of a request without a picture. */
export const maxBodyBytes = 64 * 1024;
/** Of a request that brings a picture. */
const maxPictureBodyBytes = 512 * 1024;

/**
 * Why a request is none of what the contract calls a call, null when it is one; tRPC by itself takes forms, byte streams and
 * streamed answers too. `header` gives a header by its name in lower case.
 */
export function notACall(method: string | undefined, header: (name: string) => string | undefined): TrpcCode | null {
  if (method !== 'GET' && method !== 'POST') return 'METHOD_NOT_SUPPORTED';
  const mediaType = header('content-type');
  if (mediaType === undefined ? method === 'POST' : !isJson(mediaType)) return 'UNSUPPORTED_MEDIA_TYPE';
  if ((header('content-encoding') ?? 'identity') !== 'identity') return 'UNSUPPORTED_MEDIA_TYPE';
  const accepted = `${header('trpc-accept') ?? ''},${header('accept') ?? ''}`;
  return accepted.includes('application/jsonl') ? 'UNSUPPORTED_MEDIA_TYPE' : null;
}

/** Lets through calls alone. */
export const callsOnly: MiddlewareHandler = async (c, next) => {
  const code = notACall(c.req.method, (name) => c.req.header(name));
  return code ? refusal(code, code === 'METHOD_NOT_SUPPORTED' ? { allow: 'GET, POST' } : {}) : next();
};

/** Refuses all calls until the tables are there: one that was made before would spend its code, and then fail. */
export function tablesFirst(areThere: () => boolean): MiddlewareHandler {
  return async (_, next) => {
    if (areThere()) return next();
    const error = new AppError('DATABASE_UNAVAILABLE', { retryAfterSeconds: 1 });
    return refusal(error, retryAfter([error]));
  };
}

function isJson(mediaType: string): boolean {
  return mediaType === 'application/json' || /^application\/json *(; *charset="?utf-8"? *)?$/i.test(mediaType.trim());
}

const tooLarge = () => refusal('PAYLOAD_TOO_LARGE');
/** Of a body whose end nobody knows: the rest of it is not read. */
const tooLargeSoFar = () => refusal('PAYLOAD_TOO_LARGE', { connection: 'close' });
const limitUndeclared = bodyLimit({ maxSize: maxBodyBytes, onError: tooLargeSoFar });
const limitUndeclaredPicture = bodyLimit({ maxSize: maxPictureBodyBytes, onError: tooLargeSoFar });

/** Hono's limit builds the whole Request with a stream around its body; one that declares its length needs none. */
export function limitBody(pictureBodies: PictureBodies): MiddlewareHandler<{ Variables: { context: Context } }> {
  return async (c, next) => {
    const declared = c.req.header('transfer-encoding') === undefined ? c.req.header('content-length') : undefined;
    const length = Number(declared ?? Infinity);
    // Nobody reads the body of a GET, whose end need not be known.
    if (length <= maxBodyBytes || (c.req.method === 'GET' && declared === undefined)) return next();
    const names = c.req.path.slice('/trpc/'.length).split(',');
    const hasPicture = c.req.method === 'POST' && names.includes('user.updateProfile');
    if (declared === undefined && !hasPicture) return limitUndeclared(c, next);
    if (declared !== undefined && !(hasPicture && length <= maxPictureBodyBytes)) return tooLarge();
    try {
      return await pictureBodies.admit(c.get('context'), async () =>
        declared === undefined ? limitUndeclaredPicture(c, next) : next(),
      );
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      return refusal(error, retryAfter([error]));
    }
  };
}

/** The header that says when to come back, where one of the errors knows. */
export function retryAfter(errors: readonly TRPCError[]): Record<string, string> {
  const seconds = errors.map((error) => (error instanceof AppError ? (error.retryAfterSeconds ?? 0) : 0));
  const longest = Math.max(0, ...seconds);
  return longest > 0 ? { 'retry-after': String(longest) } : {};
}

/** A refusal of the whole request, in tRPC's own shape. */
export function refusal(what: TRPCError | TrpcCode, headers: Record<string, string> = {}): Response {
  const error = typeof what === 'string' ? new TRPCError({ code: what }) : what;
  const status = getHTTPStatusCodeFromError(error);
  return Response.json(refusalBody(error, status), { status, headers });
}

/** tRPC has no code for some of HTTP's statuses: then the status is another one than the code's. */
export function refusalBody(error: TRPCError, httpStatus: number) {
  const shape = getErrorShape({
    config: appRouter._def._config,
    error,
    type: 'unknown',
    path: undefined,
    input: undefined,
    ctx: undefined,
  });
  return { error: { ...shape, data: { ...shape.data, httpStatus } } };
}
