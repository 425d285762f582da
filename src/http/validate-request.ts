import type { TRPCError } from '@trpc/server';
import type { MiddlewareHandler } from 'hono';
import type { Refusals } from './refusals.ts';

/** Lets JSON calls through: tRPC by itself takes forms, byte streams and streamed answers too. */
export function validateRequest(refusals: Refusals): MiddlewareHandler {
  return async (c, next) => {
    const code = requestRejection(c.req.method, (name) => c.req.header(name));
    if (code === null) return next();
    return refusals.refuse(code, code === 'METHOD_NOT_SUPPORTED' ? { allow: 'GET, POST' } : {});
  };
}

type Rejection = Extract<TRPCError['code'], 'METHOD_NOT_SUPPORTED' | 'UNSUPPORTED_MEDIA_TYPE'>;

/** Why a request is not a JSON call, null when it is one. `header` takes a name in lower case. */
function requestRejection(method: string, header: (name: string) => string | undefined): Rejection | null {
  if (method !== 'GET' && method !== 'POST') return 'METHOD_NOT_SUPPORTED';
  const mediaType = header('content-type');
  if (mediaType === undefined ? method === 'POST' : !isJson(mediaType)) return 'UNSUPPORTED_MEDIA_TYPE';
  if ((header('content-encoding') ?? 'identity') !== 'identity') return 'UNSUPPORTED_MEDIA_TYPE';
  const accepted = `${header('trpc-accept') ?? ''},${header('accept') ?? ''}`;
  return accepted.includes('application/jsonl') ? 'UNSUPPORTED_MEDIA_TYPE' : null;
}

/** Clients write `utf8`, `"UTF-8"` or a `;` with nothing behind it, and mean the one encoding that JSON has. */
function isJson(mediaType: string): boolean {
  if (mediaType === 'application/json') return true;
  return /^application\/json *(?:; *(?:charset *= *("?)utf-?8\1 *)?)*$/i.test(mediaType.trim());
}
