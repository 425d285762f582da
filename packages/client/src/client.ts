import { createTRPCClient, httpBatchLink, type TRPCLink } from '@trpc/client';
import type { AnyRouter } from '@trpc/server';
import type { AppRouter } from '../types/app-router.js';
import type { Api, Router, User } from './api.ts';
import { failureOf, type Failure } from './errors.ts';
import { createLoginTurn } from './login-turn.ts';
import { notify } from './notify.ts';
import { bearer, isLogin, sessionLink } from './session-link.ts';
import { createSession, type Session } from './session.ts';
import { createStoredSession } from './stored-session.ts';
import { createWxFetch } from './wx-fetch.ts';
import { hasKeyExpired, ownAppId, takeCode, type Transport, type Wx } from './wx.ts';

/** The server refuses a longer batch before any of its calls runs. */
const maxBatchSize = 10;

/** What `createClient` wants to know; only where the backend is has no default. */
export interface ClientOptions {
  /** The backend's origin, such as `https://login.example.com`; its procedures are found under `/trpc` there. */
  baseUrl: string;
  /** Which of the backend's mini programs this is: by default the one that `wx.getAccountInfoSync` tells. */
  appId?: string;
  /** How long one request, one `wx.login` or one `wx.checkSession` may take. */
  timeoutMs?: number;
  /** Headers for each request, beside the client's own: asked anew each time. */
  headers?: () => Record<string, string> | Promise<Record<string, string>>;
  /** What sends requests in place of `wx.request`, such as `overContainer`. */
  transport?: Transport;
  /** Is told of each call, by its procedure's path, and of each `wx.login` that fails: for a log. Not of what was aborted. */
  onFailure?: (failure: Failure, path: string) => void;
  /** Stands in for WeChat's global `wx`. */
  wx?: Wx;
}

/** The backend as a mini program sees it: its procedures, and who is logged in. */
export interface Client<TRouter extends Router> {
  /** The backend's procedures. Rejections are read with `failureOf`. */
  api: Api<TRouter>;
  session: Session;
  /** Where the user's avatar is found: the backend tells one that it keeps itself as a path, for it does not know its own name. */
  avatarUrlOf: (user: User) => string | null;
}

/** An owner's headers under lower-case names, so that one name is not sent twice. The token is the session's to send. */
async function ownHeaders(headers: ClientOptions['headers']): Promise<Record<string, string>> {
  const given = Object.entries((await headers?.()) ?? {});
  const lowerCase = given.map(([name, value]): [string, string] => [name.toLowerCase(), value]);
  return Object.fromEntries(lowerCase.filter(([name]) => name !== 'authorization'));
}

/** One batch has one set of headers, and a login goes without a token: it travels apart. */
function splitLogins(logins: TRPCLink<AnyRouter>, others: TRPCLink<AnyRouter>): TRPCLink<AnyRouter> {
  return (runtime) => {
    const [sendLogin, sendOther] = [logins(runtime), others(runtime)];
    return (call) => (isLogin(call.op) ? sendLogin(call) : sendOther(call));
  };
}

/*! @guoke/client, MIT. Contains @trpc/client and @trpc/server, MIT, (c) Alex Johansson. */
/** A client of the backend for one mini program: one of it per app, made at launch. */
export function createClient<TRouter extends Router = AppRouter>({
  baseUrl,
  timeoutMs = 10_000,
  wx: platform = wx,
  appId = ownAppId(platform),
  headers,
  transport = (options) => platform.request(options),
  onFailure,
}: ClientOptions): Client<TRouter> {
  const origin = baseUrl.replace(/\/+$/, '');
  const key = `guoke.session:${appId ?? ''}:${origin}`;
  const stored = createStoredSession(platform, key);
  const app = appId === undefined ? {} : { appId };

  function report(error: unknown, path: string): void {
    const failure = failureOf(error);
    if (onFailure && failure.kind !== 'aborted') notify(onFailure, failure, path);
  }

  const { renew, ...session } = createSession({
    stored,
    takeTurn: createLoginTurn(platform, `${key}:login`),
    async takeCode() {
      try {
        return await takeCode(platform, timeoutMs);
      } catch (error) {
        report(error, 'wx.login');
        throw error;
      }
    },
    hasKeyExpired: () => hasKeyExpired(platform, timeoutMs),
    checkUser: (code) => auth().checkUser.mutate({ code, ...app }),
    login: async (code, profile) => {
      const answer = await auth().login.mutate({ code, ...profile, ...app });
      return { ...answer, hasProfile: answer.user.hasProfile };
    },
  });

  // Queries go as POST too: nothing personal may stand in a URL.
  const http = {
    url: `${origin}/trpc`,
    methodOverride: 'POST',
    maxItems: maxBatchSize,
    fetch: createWxFetch(transport, timeoutMs),
  } as const;
  const more = () => ownHeaders(headers);
  const trpc = createTRPCClient<AnyRouter>({
    links: [
      sessionLink({ stored, renew, report }),
      splitLogins(httpBatchLink({ ...http, headers: more }), httpBatchLink({ ...http, headers: bearer(stored, more) })),
    ],
  });
  /** The one place where the untyped calls get their types. They are those that the build took from the server. */
  const typed = <T extends Router>() => trpc as unknown as Api<T>;
  const auth = () => typed<AppRouter>().auth;

  const { peek, update, invalidate, onUpdate } = stored;
  return {
    api: typed<TRouter>(),
    session: { ...session, peek, update, invalidate, onUpdate },
    avatarUrlOf: ({ avatarUrl }) => (avatarUrl?.startsWith('/') ? origin + avatarUrl : avatarUrl),
  };
}
