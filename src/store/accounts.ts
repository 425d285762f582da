import { avatarUrlOf } from './avatar-url.ts';

// What the calls about one user's account are given: see store.ts.

/** Names a user, and refuses another one of the same openid. Times are Unix milliseconds. */
export interface UserSelector {
  openId: string;
  /** Made at this time or before: a user who was deleted and came back is another one. */
  createdUpTo?: number | undefined;
  /** Neither seen nor changed from this time on. */
  unseenSince?: number | undefined;
}

/** What is written into a user's row. A field that is left out stays as it is; null clears it. */
export interface UserChanges {
  nickName?: string | null | undefined;
  /** `hash` is the SHA-256 of `bytes`, by which the avatar is stored once and found. */
  avatar?: { hash: Buffer; bytes: Buffer } | null | undefined;
  /** The number sealed, and its fingerprint. */
  phone?: { sealed: string; fingerprint: string } | null | undefined;
  /** Since when the operator refuses this user. */
  blockedAt?: number | null | undefined;
}

/** The columns of these changes. */
export function changedColumns({ nickName, avatar, phone, blockedAt }: UserChanges) {
  return {
    ...(nickName !== undefined && { nickName }),
    ...(avatar !== undefined && { avatarUrl: avatar && avatarUrlOf(avatar.hash) }),
    ...(phone !== undefined && { phoneNumber: phone?.sealed ?? null, phoneFingerprint: phone?.fingerprint ?? null }),
    ...(blockedAt !== undefined && { blockedAt }),
  };
}

/** A session key that WeChat gave outside of a login. */
export interface SessionKeyWrite {
  sessionKey: string;
  sessionKeyFingerprint: string;
  sessionKeyAt: number;
  now: number;
}
