import type { SessionState, SignedProfile, User } from './api.ts';
import { failureOf } from './errors.ts';
import type { StoredSession } from './stored-session.ts';

/** Who is logged in on this phone. */
export interface Session {
  /**
   * The session to work with: the stored one if WeChat's `checkSession`, asked once a launch, still honours its key,
   * else that of a new login. Rejects as calls do.
   */
  ensure: () => Promise<SessionState>;
  /**
   * Logs in with the profile of `wx.getUserProfile`, which the page itself calls, first in its tap handler. Taps while
   * this runs share its outcome. Rejects as calls do; it never tries again by itself, but after PROFILE_REJECTED the
   * session is a new one, with which the profile of the next tap can be opened.
   */
  login: (profile: SignedProfile) => Promise<SessionState>;
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
  takeCode: () => Promise<string>;
  keyHolds: () => Promise<boolean>;
  checkUser: (code: string) => Promise<SessionState>;
  login: (code: string, profile: SignedProfile) => Promise<SessionState>;
}

function isProfileRejected(error: unknown): boolean {
  const failure = failureOf(error);
  return failure.kind === 'refused' && failure.reason === 'PROFILE_REJECTED';
}

/** A session of which at most one login runs at a time. `renew` is for the link, which knows what was refused. */
export function createSession({ stored, takeCode, keyHolds, checkUser, login }: Parts) {
  let checked: Promise<boolean> | undefined;
  let silentLogin: Promise<SessionState> | undefined;
  let profileLogin: Promise<SessionState> | undefined;

  async function checkIn(): Promise<SessionState> {
    const state = await checkUser(await takeCode());
    checked = Promise.resolve(true);
    return state;
  }

  function loginSilently(): Promise<SessionState> {
    silentLogin ??= checkIn().finally(() => {
      silentLogin = undefined;
    });
    return silentLogin;
  }

  async function loginWith({ rawData, signature, encryptedData, iv }: SignedProfile): Promise<SessionState> {
    // A second wx.login beside this one could rotate away the key that sealed the profile.
    await silentLogin?.catch(() => undefined);
    const state = await login(await takeCode(), { rawData, signature, encryptedData, iv }).catch(
      async (error: unknown) => {
        // The server kept nothing of it, not even the key that the code brought: without a new session it could
        // refuse the next profile too.
        if (isProfileRejected(error)) await loginSilently().catch(() => undefined);
        throw error;
      },
    );
    checked = Promise.resolve(true);
    return state;
  }

  /** A session with another token than the one refused: what is stored by now, or that of a login all callers share. */
  function renew(refused: string | undefined): Promise<SessionState> {
    const state = stored.peek();
    if (state && state.token !== refused) return Promise.resolve(state);
    if (profileLogin) return profileLogin.catch(() => renew(refused));
    return loginSilently();
  }

  async function ensure(): Promise<SessionState> {
    const state = stored.peek();
    if (!state) return renew(undefined);
    checked ??= keyHolds();
    return renew((await checked) ? undefined : state.token);
  }

  return {
    ensure,
    renew,
    login(profile: SignedProfile) {
      profileLogin ??= loginWith(profile).finally(() => {
        profileLogin = undefined;
      });
      return profileLogin;
    },
  };
}
