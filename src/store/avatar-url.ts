/** Where an avatar of ours is found, below the URL of this server: a path, since the server does not know its own name. */
export function avatarUrlOf(hash: Buffer): string {
  return `${avatarUrlStart}${hash.toString('hex')}${avatarUrlEnd}`;
}

/** What stands before and after the hash, in 64 hex digits of lower case. */
export const avatarUrlStart = '/avatars/';
export const avatarUrlEnd = '.webp';
