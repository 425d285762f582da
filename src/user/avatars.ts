import { randomBytes } from 'node:crypto';
import type { Store } from '../store/store.ts';
import type { Sweep } from '../operations/sweeper.ts';

/** The hash in an avatar's file name; null for any other name. */
export function avatarHashOf(fileName: string): Buffer | null {
  const hex = /^([0-9a-f]{64})\.webp$/.exec(fileName)?.[1];
  return hex === undefined ? null : Buffer.from(hex, 'hex');
}

/** The answer to `GET /avatars/<hash>.webp`; null when there is no such avatar. */
export async function answerAvatar(
  store: Pick<Store, 'findAvatar'>,
  hash: Buffer,
  ifNoneMatch: string | undefined,
): Promise<Response | null> {
  const etag = `"${hash.toString('hex')}"`;
  const headers = { etag, 'cache-control': 'public, max-age=31536000, immutable' };
  // The content of a name never changes: a client that has it needs no answer from the database.
  if (ifNoneMatch?.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag)) {
    return new Response(null, { status: 304, headers });
  }
  const bytes = await store.findAvatar(hash);
  if (!bytes) return null;
  return new Response(new Uint8Array(bytes), {
    headers: {
      ...headers,
      'content-type': 'image/webp',
      'content-length': String(bytes.length),
      // We made the picture ourselves; should a browser ever take it for a page, that page may do nothing.
      'content-security-policy': "default-src 'none'; sandbox",
    },
  });
}

/**
 * Deletes avatars that no user has, and that are older than `graceMs`: an avatar is stored before its user is changed.
 * Each sweep looks at `limit` avatars after those of the last one, and starts again at the end; the first starts anywhere.
 */
export function createAvatarSweep(store: Pick<Store, 'sweepAvatars'>, { graceMs }: { graceMs: number }): Sweep {
  const beginning = Buffer.alloc(32);
  let after: Buffer = randomBytes(32);
  return async (now, limit) => {
    const { deleted, next } = await store.sweepAvatars({ after, limit, createdBefore: now - graceMs });
    after = next ?? beginning;
    // Hashes are spread evenly: where this stretch had nothing to delete, the others have next to nothing.
    return { deleted, hasMore: next !== null && deleted > 0 };
  };
}
