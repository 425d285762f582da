/** The path of an avatar; the server does not know the name by which phones reach it. */
export function avatarUrlOf(hash: Buffer): string {
  return `${avatarUrlStart}${hash.toString('hex')}${avatarUrlEnd}`;
}

/** The hash in the path of an avatar; null for any other URL. */
export function hashInAvatarUrl(url: string | null): Buffer | null {
  const hash = Buffer.from(url?.slice(avatarUrlStart.length, -avatarUrlEnd.length) ?? '', 'hex');
  return hash.length === 32 && url === avatarUrlOf(hash) ? hash : null;
}

/** What stands before and after the hash, which is 64 hex digits of lower case. */
export const avatarUrlStart = '/avatars/';
export const avatarUrlEnd = '.webp';
