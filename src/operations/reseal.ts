import { isDeepStrictEqual } from 'node:util';
import { sessionKeyContext } from '../auth/session-keys.ts';
import { fingerprint, type Keyring, openOrNull, seal } from '../crypto.ts';
import type { Reseal, SealedValues, Store, User } from '../store/store.ts';
import { phoneFingerprintContext, phoneNumberContext } from '../user/phone.ts';

export interface ResealCounts {
  /** Users looked at, and users there were at the start. */
  done: number;
  total: number;
  /** Rows written. */
  resealed: number;
  /** Sealed values that no secret opens: they stay as they are, and count as no value. */
  unreadable: number;
  /** Rows that a login changed at each try. */
  contended: number;
}

interface ResealOptions {
  store: Pick<Store, 'countUsers' | 'listUsers' | 'reseal'>;
  /** The first secret seals, all open. */
  keyring: Keyring;
  batchSize?: number;
  onProgress?: (counts: Readonly<ResealCounts>) => void;
}

const maxTries = 5;

/**
 * Seals every user's values with the first secret, in the order of openids. Values sealed with it already are left alone, so
 * that the next run continues one that was broken off. Servers may run meanwhile: a row that a login changes at that moment
 * is read again, never overwritten.
 */
export async function resealAll({
  store,
  keyring,
  batchSize = 100,
  onProgress = () => {},
}: ResealOptions): Promise<ResealCounts> {
  const counts = { done: 0, total: await store.countUsers(), resealed: 0, unreadable: 0, contended: 0 };
  for (let after = ''; ;) {
    const { users, ...batch } = await resealBatch(after);
    const last = users.at(-1);
    if (!last) return counts;
    after = last.openId;
    counts.done += users.length;
    counts.resealed += batch.resealed;
    counts.unreadable += batch.unreadable;
    counts.contended += batch.contended;
    onProgress(counts);
  }

  async function resealBatch(after: string) {
    let resealed = 0;
    for (let attempt = 1; ; attempt++) {
      const users = await store.listUsers(after, batchSize);
      const rows = users.map((user) => resealedRow(keyring, user));
      const unreadable = rows.reduce((sum, row) => sum + row.unreadable, 0);
      const changes = rows.flatMap(({ change }) => change ?? []);
      const changed = changes.length > 0 ? await store.reseal(changes) : 0;
      resealed += changed;
      const contended = changes.length - changed;
      if (contended === 0 || attempt === maxTries) return { users, resealed, unreadable, contended };
    }
  }
}

function resealedRow(keyring: Keyring, user: User): { change: Reseal | null; unreadable: number } {
  const [{ id }] = keyring;
  const sessionKey = sessionKeyContext(user);
  const phoneNumber = phoneNumberContext(user);
  let unreadable = 0;

  const from: SealedValues = {
    sessionKey: user.sessionKey,
    prevSessionKey: user.prevSessionKey,
    sessionKeyFingerprint: user.sessionKeyFingerprint,
    phoneNumber: user.phoneNumber,
    phoneFingerprint: user.phoneFingerprint,
  };
  const to: SealedValues = {
    sessionKey: resealed(user.sessionKey, sessionKey),
    prevSessionKey: resealed(user.prevSessionKey, sessionKey),
    sessionKeyFingerprint: refingerprinted(user.sessionKeyFingerprint, user.sessionKey, sessionKey, sessionKey),
    phoneNumber: resealed(user.phoneNumber, phoneNumber),
    phoneFingerprint: refingerprinted(user.phoneFingerprint, user.phoneNumber, phoneNumber, phoneFingerprintContext),
  };
  return { change: isDeepStrictEqual(to, from) ? null : { openId: user.openId, from, to }, unreadable };

  function resealed(sealed: string | null, context: readonly string[]): string | null {
    if (sealed === null || sealed.startsWith(`v1.${id}.`)) return sealed;
    const text = openOrNull(keyring, sealed, context);
    if (text !== null) return seal(keyring, text, context);
    unreadable += 1;
    return sealed;
  }

  /** A row of an older version has a number, and no fingerprint of it. */
  function refingerprinted(
    stored: string | null,
    sealed: string | null,
    sealContext: readonly string[],
    context: readonly string[],
  ): string | null {
    if (sealed === null || stored?.startsWith(`${id}.`)) return stored;
    const text = openOrNull(keyring, sealed, sealContext);
    return text === null ? stored : fingerprint(keyring, text, context);
  }
}
