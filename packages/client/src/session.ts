import type { SessionState, SignedProfile, User } from './api.ts';
import { failureOf } from './errors.ts';
import { whenOver } from './login-turn.ts';
import type { StoredSession } from './stored-session.ts';

/** Who is logged in on this phone. */
export interface Session {
  /**
   * The session to work with: the stored one, unless WeChat's `checkSession`, asked once a launch, says that its key has
   * expired; else that of a new login. Rejects as calls do.
   */
  ensure: () => Promise<SessionState>;
  /**
   * Logs in with the profile of `wx.getUserProfile`, which the page itself calls, first in its tap handler. Taps while
   * this runs share its outcome. Rejects as calls do; it never tries again by itself, but after PROFILE_REJECTED the
   * session is a new one, with which the profile of the next tap can be opened.
   */
  login: (profile: SignedProfile) => Promise<SessionState>;
  /** A fresh code of `wx.login`, for `user.exportData` and `user.deleteAccount`. Rejects as calls do. */
  takeCode: () => Promise<string>;
  /** What is stored at the moment, without asking anybody. */
  peek: () => SessionState | undefined;
  /** Puts a newer user into the stored session, such as the answer of `user.updateProfile`. */
  update: (user: User) => void;
  /** Drops the session if it still is the one with this token. */
  invalidate: (token: string) => void;
  /** Tells of each newer user, from a login or from `update`, until the function that it gives back is called. */
  onUpdate: (listener: (user: User) => void) => () => void;
}

interface Parts {
  stored: StoredSession;
  takeTurn: <T>(login: () => Promise<T>) => Promise<T>;
  takeCode: () => Promise<string>;
  hasKeyExpired: () => Promise<boolean>;
  checkUser: (code: string) => Promise<SessionState>;
  login: (code: string, profile: SignedProfile) => Promise<SessionState>;
}

function isProfileRejected(error: unknown): boolean {
  const failure = failureOf(error);
  return failure.kind === 'refused' && failure.reason === 'PROFILE_REJECTED';
}

/** A session of which at most one login runs at a time. `renew` is for the link, which knows what was refused. */
export function createSession({ stored, takeTurn, takeCode, hasKeyExpired, checkUser, login }: Parts) {
  let expiry: Promise<boolean> | undefined;
  let silentLogin: Promise<SessionState> | undefined;
  let profileLogin: Promise<SessionState> | undefined;

  /** What is stored, unless it is the session with this token. */
  function otherThan(token: string | undefined): SessionState | undefined {
    const state = stored.peek();
    return state?.token === token ? undefined : state;
  }

  async function checkIn(refused: string | undefined): Promise<SessionState> {
    // Another client on this storage may have logged in while this one waited for its turn.
    const state = otherThan(refused) ?? (await checkUser(await takeCode()));
    expiry = Promise.resolve(false);
    return state;
  }

  function loginSilently(refused: string | undefined): Promise<SessionState> {
    silentLogin ??= whenOver(
      takeTurn(() => checkIn(refused)),
      () => {
        silentLogin = undefined;
      },
    );
    return silentLogin;
  }

  async function loginWith({ rawData, signature, encryptedData, iv }: SignedProfile): Promise<SessionState> {
    // A second wx.login beside this one could rotate away the key that sealed the profile.
    await silentLogin?.catch(() => undefined);
    const attempt = takeTurn(async () => login(await takeCode(), { rawData, signature, encryptedData, iv }));
    const state = await attempt.catch(async (error: unknown) => {
      // The server stored nothing, not even the key from this code's exchange: without a new session it could
      // refuse the next profile too.
      if (isProfileRejected(error)) await loginSilently(stored.peek()?.token).catch(() => undefined);
      throw error;
    });
    expiry = Promise.resolve(false);
    return state;
  }

  /** A session with another token than the one refused: what is stored by now, or that of a login all callers share. */
  function renew(refused: string | undefined): Promise<SessionState> {
    const state = otherThan(refused);
    if (state) return Promise.resolve(state);
    if (profileLogin) return profileLogin.catch(() => renew(refused));
    return loginSilently(refused);
  }

  async function ensure(): Promise<SessionState> {
    const state = stored.peek();
    if (!state) return renew(undefined);
    expiry ??= hasKeyExpired();
    return renew((await expiry) ? state.token : undefined);
  }

  return {
    ensure,
    renew,
    takeCode,
    login(profile: SignedProfile) {
      profileLogin ??= whenOver(loginWith(profile), () => {
        profileLogin = undefined;
      });
      return profileLogin;
    },
  };
}
