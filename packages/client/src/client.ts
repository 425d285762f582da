import { createTRPCClient, httpBatchLink, splitLink } from '@trpc/client';
import type { AnyRouter } from '@trpc/server';
import type { AppRouter } from '../types/app-router.js';
import type { Api, Router, User } from './api.ts';
import { bearer, isLogin, sessionLink } from './session-link.ts';
import { createSession, type Session } from './session.ts';
import { createStoredSession } from './stored-session.ts';
import { createWxFetch } from './wx-fetch.ts';
import { keyHolds, ownAppId, takeCode, type Wx } from './wx.ts';

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

/** A client of the backend for one mini program: one of it per app, made at launch. */
export function createClient<TRouter extends Router = AppRouter>({
  baseUrl,
  timeoutMs = 10_000,
  wx: platform = wx,
  appId = ownAppId(platform),
}: ClientOptions): Client<TRouter> {
  const origin = baseUrl.replace(/\/+$/, '');
  const stored = createStoredSession(platform, `guoke.session:${appId ?? ''}:${origin}`);
  const app = appId === undefined ? {} : { appId };

  const { renew, ...session } = createSession({
    stored,
    takeCode: () => takeCode(platform, timeoutMs),
    keyHolds: () => keyHolds(platform, timeoutMs),
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
    fetch: createWxFetch(platform, timeoutMs),
  } as const;
  const trpc = createTRPCClient<AnyRouter>({
    links: [
      sessionLink({ stored, renew }),
      // One batch has one set of headers, and a login goes without a token: it travels apart.
      splitLink({
        condition: isLogin,
        true: httpBatchLink(http),
        false: httpBatchLink({ ...http, headers: bearer(stored) }),
      }),
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
