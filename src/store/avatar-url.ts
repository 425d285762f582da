/** The path of an avatar; the server does not know the name by which phones reach it. */
export function avatarUrlOf(hash: Buffer): string {
  return `${avatarUrlStart}${hash.toString('hex')}${avatarUrlEnd}`;
}

/** What stands before and after the hash, which is 64 hex digits of lower case. */
export const avatarUrlStart = '/avatars/';
export const avatarUrlEnd = '.webp';
