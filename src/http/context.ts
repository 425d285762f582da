import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Context as HonoContext } from 'hono';
import { createTokens } from '../auth/tokens.ts';
import { type CallObserver, type CallRecord, createCallRecord } from '../operations/call-record.ts';
import { guardedStore } from '../store/guarded-store.ts';
import type { Context } from '../trpc.ts';
import { clientAddress } from './client-address.ts';

/** What the app's middleware hands on. The bindings are missing where the app is called without a socket. */
export interface CallEnv {
  Variables: {
    requestId: string;
    context: Context;
    record: CallRecord;
    /** The answer, where it was made with `answerHeaders`. */
    complete?: Response;
  };
  /** As in `HttpBindings` of @hono/node-server, whose declarations need those of a browser. */
  Bindings: { incoming?: IncomingMessage; outgoing?: ServerResponse };
}

/** What a request adds to the parts of the server. */
type OfRequest = 'tokens' | 'calls' | 'requestId' | 'authorization' | 'clientAddress';

export interface ContextParts extends Omit<Context, OfRequest> {
  /** Told of every call; see call-record.ts. */
  metrics: CallObserver | null;
  /** What one statement may take; see store/guarded-store.ts. */
  databaseTimeoutMs: number;
  /** How many proxies stand in front: they may name the request, and say whose it is. */
  trustedProxies: number;
}

/** The name that the proxy in front gave the request, or one of our own. */
export function getRequestId(c: HonoContext, { trustedProxies }: Pick<ContextParts, 'trustedProxies'>): string {
  const given = trustedProxies > 0 ? c.req.header('x-request-id') : undefined;
  return given !== undefined && /^[\w=-]{1,64}$/.test(given) ? given : randomUUID();
}

/** What the calls of one request have at hand. */
export function createContext(c: HonoContext<CallEnv>, parts: ContextParts): { context: Context; record: CallRecord } {
  const { trustedProxies, databaseTimeoutMs, log, metrics } = parts;
  const requestId = c.get('requestId');
  const store = guardedStore(parts.store, { statementTimeoutMs: databaseTimeoutMs });
  const record = createCallRecord({ requestId, log, metrics });
  // Named one by one: V8 copies an object of this size slowly, and each request makes one.
  const context = {
    store,
    tokens: createTokens(store),
    wechat: parts.wechat,
    sessionKeyCalls: parts.sessionKeyCalls,
    sessionKeys: parts.sessionKeys,
    phoneCodes: parts.phoneCodes,
    phoneNumbers: parts.phoneNumbers,
    pictures: parts.pictures,
    contentCheck: parts.contentCheck,
    onUserDeleted: parts.onUserDeleted,
    watermarkMaxAgeSeconds: parts.watermarkMaxAgeSeconds,
    log,
    calls: record,
    codeLimit: parts.codeLimit,
    writeLimit: parts.writeLimit,
    now: parts.now,
    requestId,
    authorization: c.req.header('authorization'),
    clientAddress: clientAddress({
      remoteAddress: c.env?.incoming?.socket.remoteAddress,
      forwardedFor: c.req.header('x-forwarded-for'),
      trustedProxies,
    }),
  };
  return { context, record };
}
