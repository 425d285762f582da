import { randomUUID } from 'node:crypto';
import { createTokens } from '../auth/tokens.ts';
import { withBudget } from '../store/budget.ts';
import type { Context } from '../trpc.ts';
import { clientAddress } from './client-address.ts';

export interface ContextsOptions extends Omit<Context, 'tokens' | 'requestId' | 'authorization' | 'clientAddress'> {
  /** What one statement may take; see store/budget.ts. */
  databaseTimeoutMs: number;
  /** How many proxies stand in front: they may name the request, and say whose it is. */
  trustedProxies: number;
}

/** What a request says of itself, however it came. */
interface Caller {
  requestId: string;
  remoteAddress: string | undefined;
  /** Gives a header by its name in lower case. */
  header: (name: string) => string | undefined;
}

/** Makes what each call has at hand. */
export function createContexts({ databaseTimeoutMs, trustedProxies, ...parts }: ContextsOptions) {
  return {
    /** The name that the proxy in front gave the request, or one of our own. */
    requestIdOf(header: Caller['header']): string {
      const given = trustedProxies > 0 ? header('x-request-id') : undefined;
      return given !== undefined && /^[\w=-]{1,64}$/.test(given) ? given : randomUUID();
    },
    contextOf({ requestId, remoteAddress, header }: Caller): Context {
      const store = withBudget(parts.store, databaseTimeoutMs);
      // Named one by one: a copy of an object this large is a slow one in V8, and each call makes one.
      return {
        store,
        tokens: createTokens(store),
        wechat: parts.wechat,
        sessionKeys: parts.sessionKeys,
        phoneCodes: parts.phoneCodes,
        phoneNumbers: parts.phoneNumbers,
        pictures: parts.pictures,
        watermarkMaxAgeSeconds: parts.watermarkMaxAgeSeconds,
        log: parts.log,
        calls: parts.calls,
        codeLimit: parts.codeLimit,
        now: parts.now,
        requestId,
        authorization: header('authorization'),
        clientAddress: clientAddress({ remoteAddress, forwardedFor: header('x-forwarded-for'), trustedProxies }),
      };
    },
  };
}

export type Contexts = ReturnType<typeof createContexts>;
