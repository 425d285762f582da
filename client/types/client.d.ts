import type { AppRouter } from '../types/app-router.js';
import type { Api, Router, User } from './api.js';
import { type Session } from './session.js';
import { type Wx } from './wx.js';
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
export declare function createClient<TRouter extends Router = AppRouter>({
  baseUrl,
  timeoutMs,
  wx: platform,
  appId,
}: ClientOptions): Client<TRouter>;
