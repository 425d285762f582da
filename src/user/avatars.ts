import { randomBytes } from 'node:crypto';
import type { Store } from '../store/store.ts';
import type { Sweep } from '../operations/sweeper.ts';

/** What this path names: the hash in it, null when it is no avatar's. */
export function avatarHashOf(fileName: string): Buffer | null {
  const hex = /^([0-9a-f]{64})\.webp$/.exec(fileName)?.[1];
  return hex === undefined ? null : Buffer.from(hex, 'hex');
}

/** The answer to `GET /avatars/<hash>.webp`, null when there is no such avatar. A name stands for one content for ever. */
export async function answerAvatar(
  store: Pick<Store, 'findAvatar'>,
  hash: Buffer,
  ifNoneMatch: string | undefined,
): Promise<Response | null> {
  const etag = `"${hash.toString('hex')}"`;
  const headers = { etag, 'cache-control': 'public, max-age=31536000, immutable' };
  // Whoever has this content has it right: the database need not be asked.
  if (ifNoneMatch?.split(',').some((each) => each.trim().replace(/^W\//, '') === etag)) {
    return new Response(null, { status: 304, headers });
  }
  const bytes = await store.findAvatar(hash);
  if (!bytes) return null;
  return new Response(new Uint8Array(bytes), {
    headers: {
      ...headers,
      'content-type': 'image/webp',
      'content-length': String(bytes.length),
      // It is a picture of our own making; should it ever be taken for a page, it may do nothing.
      'content-security-policy': "default-src 'none'; sandbox",
    },
  });
}

/**
 * Deletes avatars that nobody uses any more and that have been there for `graceMs`: one is stored before its user is
 * changed. Looks at so many a time, from a place of its own on, and begins anew at the end.
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
