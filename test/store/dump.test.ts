import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { createSessionKeys } from '../../src/auth/session-keys.ts';
import { createTokens } from '../../src/auth/tokens.ts';
import { openStore } from '../../src/store/open.ts';
import { noProfile } from '../../src/user/profile.ts';
import { databases } from '../support/databases.ts';

const count = 10_000;

describe.each(databases)('a dump of 10,000 users from $name', ({ createUrl, dump }) => {
  test('the dump holds no session key, in any encoding, and no token', { timeout: 120_000 }, async () => {
    const databaseUrl = await createUrl();
    const store = await openStore({ databaseUrl, timeoutMs: 30_000, poolSize: 4 });
    await store.migrate();
    const sessionKeys = createSessionKeys([{ id: 'k1', key: randomBytes(32) }]);
    const tokens = createTokens(store);
    const now = Date.now();
    /** By how they begin, so that one pass over the dump finds them all. */
    const secrets = new Map<string, string[]>();
    const remember = (secret: string) => {
      const start = secret.slice(0, 8);
      secrets.set(start, [...(secrets.get(start) ?? []), secret]);
    };

    const login = async (index: number) => {
      const key = randomBytes(16);
      const { token, tokenHash, expiresAt } = tokens.issue(now);
      for (const encoding of ['base64', 'base64url', 'hex'] as const) remember(key.toString(encoding));
      remember(token);
      const user = { appId: 'wx0123456789abcdef', openId: `oDUMP${String(index).padStart(23, '0')}`, unionId: null };
      const exchange = { ...user, sessionKey: key.toString('base64'), startedAt: now };
      const sealed = sessionKeys.seal(exchange);
      await store.saveLogin({ ...user, ...sealed, sessionKeyAt: now, profile: noProfile, tokenHash, now, expiresAt });
    };
    for (let from = 0; from < count; from += 500) {
      await Promise.all(Array.from({ length: 500 }, (_, index) => login(from + index)));
    }
    const text = await dump(databaseUrl);
    await store.close();

    expect(text.match(/oDUMP\d{23}/g)?.length).toBeGreaterThanOrEqual(2 * count);
    const found: string[] = [];
    for (let at = 0; at < text.length; at++) {
      for (const secret of secrets.get(text.slice(at, at + 8)) ?? []) {
        if (text.startsWith(secret, at)) found.push(`a secret of ${secret.length} characters at ${at}`);
      }
    }
    expect([...secrets.values()].flat()).toHaveLength(4 * count);
    expect(found).toEqual([]);
  });
});
