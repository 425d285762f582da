import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createTokens } from '../../src/auth/tokens.ts';
import { hashToken } from '../../src/crypto.ts';
import { AppError } from '../../src/errors.ts';
import { type Session, StoreError, type User } from '../../src/store/store.ts';
import { loginWrite, noProfile } from '../support/login-write.ts';

const hourMs = 60 * 60 * 1000;
const dayMs = 24 * hourMs;
const { openId, appId } = loginWrite();
const user: User = {
  ...noProfile,
  openId,
  appId,
  unionId: null,
  phoneNumber: null,
  phoneFingerprint: null,
  sessionKey: null,
  prevSessionKey: null,
  sessionKeyFingerprint: null,
  sessionKeyAt: 0,
  blockedAt: null,
  createdAt: 0,
  updatedAt: 0,
};

/** One stored session, and every question that the store is asked. */
function stage(now = 0) {
  const asked: Buffer[] = [];
  const extended: number[] = [];
  let session: Session | null = null;
  const tokens = createTokens({
    async findSession(tokenHash) {
      asked.push(tokenHash);
      return session?.tokenHash.equals(tokenHash) ? { session, user } : null;
    },
    async extendSession({ lastUsedAt, expiresAt }) {
      extended.push(expiresAt);
      if (session) session = { ...session, lastUsedAt, expiresAt };
    },
  });
  const { token, tokenHash, expiresAt } = tokens.issue(now);
  session = { tokenHash, openId, createdAt: now, expiresAt, lastUsedAt: now };
  const isGood = (authorization: string | undefined, at = now) =>
    tokens.verify(authorization, at).then(
      () => true,
      (error: unknown) => {
        if (error instanceof AppError && error.reason === 'SESSION_INVALID') return false;
        throw error;
      },
    );
  return { token, isGood, asked, extended };
}

describe('a token', () => {
  test('a token is looked up by its hash alone: the store never sees it', async () => {
    const { token, isGood, asked } = stage();
    expect(await isGood(`Bearer ${token}`)).toBe(true);
    expect(asked).toEqual([hashToken(token)]);
  });

  test('a header without a well-formed token is refused as SESSION_INVALID, without a look-up', async () => {
    const { token, isGood, asked } = stage();
    const near = fc
      .tuple(fc.nat(42), fc.constantFrom('A', '-', '_', '=', ' ', '.', 'é', ''))
      .map(([at, character]) => token.slice(0, at) + character + token.slice(at + 1));
    const header = fc.oneof(
      fc.string({ unit: 'binary' }),
      near,
      near.map((text) => `Bearer ${text}`),
      fc.constantFrom(
        undefined,
        '',
        token,
        `Basic ${token}`,
        `Bearer${token}`,
        `xBearer ${token}`,
        `Bearer ${token}\n`,
        `Bearer ${token} x`,
        `Bearer ${token},Bearer ${token}`,
      ),
    );
    await fc.assert(
      fc.asyncProperty(header, async (authorization) => {
        const before = asked.length;
        expect(await isGood(authorization)).toBe(authorization === `Bearer ${token}`);
        if (!/^Bearer +[\w-]{43}$/i.test(authorization ?? '')) expect(asked).toHaveLength(before);
      }),
      { numRuns: 500 },
    );
  });

  test('a token whose use cannot be written is good where the database is away, and any other failure is told', async () => {
    const hourLater = async (failure: Error) => {
      const session = { openId, createdAt: 0, expiresAt: dayMs, lastUsedAt: 0 };
      const tokens = createTokens({
        findSession: async (tokenHash) => ({ session: { ...session, tokenHash }, user }),
        extendSession: () => Promise.reject(failure),
      });
      return await tokens.verify(`Bearer ${tokens.issue(0).token}`, hourMs);
    };
    expect(await hourLater(new StoreError('unavailable', 'READ_ONLY'))).toMatchObject({ user });
    for (const failure of [new StoreError('unexpected', 'ODD'), new TypeError('a mistake of ours')]) {
      await expect(hourLater(failure)).rejects.toBe(failure);
    }
  });

  test('a token, however it is used, lives 7 days from its last use, 60 in all, and is written once an hour at most', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 8 * dayMs }), { maxLength: 40 }), async (pauses) => {
        const { token, isGood, extended } = stage();
        let now = 0;
        let written = 0;
        let expiresAt = 7 * dayMs;
        for (const pause of pauses) {
          now += pause;
          const expected = now < expiresAt;
          expect(await isGood(`Bearer ${token}`, now)).toBe(expected);
          if (!expected) return;
          if (now - written >= hourMs) {
            written = now;
            expiresAt = Math.min(now + 7 * dayMs, 60 * dayMs);
            expect(extended.at(-1)).toBe(expiresAt);
          }
          expect(extended.length).toBeLessThanOrEqual(now / hourMs);
        }
      }),
    );
  });
});
