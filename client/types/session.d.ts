import type { SessionState, SignedProfile, User } from './api.js';
import type { StoredSession } from './stored-session.js';
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
/** A session of which at most one login runs at a time. `renew` is for the link, which knows what was refused. */
export declare function createSession({ stored, takeCode, keyHolds, checkUser, login }: Parts): {
  ensure: () => Promise<SessionState>;
  renew: (refused: string | undefined) => Promise<SessionState>;
  login(profile: SignedProfile): Promise<{
    user: {
      nickName: string | null;
      avatarUrl: string | null;
      gender: 0 | 1 | 2 | null;
      language: string | null;
      city: string | null;
      province: string | null;
      country: string | null;
      hasProfile: boolean;
      hasPhone: boolean;
    };
    token: string;
    expiresAt: number;
    hasProfile: boolean;
  }>;
};
export {};
