import type { AppRouter } from '../types/app-router.js';
import type { AbortSignal } from './abort-controller.js';
/** What this package reads of a router's type. tRPC's own routers fit it, and so does the emitted `AppRouter`. */
export interface Router {
  _def: {
    record: object;
  };
}
interface Procedure {
  _def: {
    type: string;
    $types: {
      input: unknown;
      output: unknown;
    };
  };
}
/** The options of a call. */
export interface CallOptions {
  /** Makes the call fail as `aborted`. Its request is aborted when every call that travels in it is. */
  signal?: AbortSignal;
}
type Call<P extends Procedure> = (
  input: P['_def']['$types']['input'],
  options?: CallOptions,
) => Promise<P['_def']['$types']['output']>;
type Calls<Record> = {
  readonly [K in keyof Record]: Record[K] extends Procedure
    ? Record[K]['_def']['type'] extends 'query'
      ? {
          readonly query: Call<Record[K]>;
        }
      : {
          readonly mutate: Call<Record[K]>;
        }
    : Calls<Record[K]>;
};
/** A router's procedures as calls: `api.user.me.query()`. */
export type Api<TRouter extends Router> = Calls<TRouter['_def']['record']>;
type Auth = AppRouter['_def']['record']['auth'];
/** Who is logged in, as `auth.checkUser` answers it. `expiresAt` is in Unix milliseconds. */
export type SessionState = Auth['checkUser']['_def']['$types']['output'];
/** What the backend tells of a user. */
export type User = SessionState['user'];
/** What `wx.getUserProfile` hands to its `success`, as far as the backend wants it. */
export type SignedProfile = Omit<Auth['login']['_def']['$types']['input'], 'code' | 'appId'>;
export {};
