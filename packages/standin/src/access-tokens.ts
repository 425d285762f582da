import { randomBytes } from 'node:crypto';
import { createBoundedMap } from './bounded.ts';

/** WeChat's own figures. */
const LIFE_MS = 7200 * 1000;
const OVERLAP_MS = 5 * 60 * 1000;
const FORCED_EVERY_MS = 30 * 1000;
const FORCED_A_DAY = 20;

interface Token {
  readonly appId: string;
  readonly value: string;
  /** A forced renewal ends it at once, a renewal in time leaves it the rest of its life. */
  expiresAt: number;
  revoked: boolean;
}

interface Forced {
  readonly at: number;
  readonly day: number;
  readonly times: number;
}

type Issued = { state: 'issued'; value: string; expiresInSeconds: number } | { state: 'tooOften' };
type Checked = { state: 'good'; appId: string } | { state: 'unknown' } | { state: 'expired' };

/** The access tokens of each app, as WeChat gives them out. */
export interface AccessTokens {
  /** The app's token: the same one until five minutes before its end. A forced renewal within 30 s renews nothing. */
  issue(appId: string, options: { force: boolean }): Issued;
  check(value: string): Checked;
  reset(): void;
}

/** Tokens by WeChat's own figures; of them the latest `max` are known. */
export function createAccessTokens({ now, max = 10_000 }: { now: () => number; max?: number }): AccessTokens {
  const tokens = createBoundedMap<Token>(max);
  const latest = new Map<string, Token>();
  const forced = new Map<string, Forced>();

  function renew(appId: string): Token {
    // Of the length that WeChat's have, 130 and more.
    const token = {
      appId,
      value: `9_${randomBytes(99).toString('base64url')}`,
      expiresAt: now() + LIFE_MS,
      revoked: false,
    };
    tokens.set(token.value, token);
    latest.set(appId, token);
    return token;
  }

  return {
    issue: (appId, { force }) => {
      const time = now();
      let token = latest.get(appId) ?? renew(appId);
      if (force) {
        const day = Math.floor((time + 8 * 3_600_000) / 86_400_000);
        const before = forced.get(appId);
        const times = before?.day === day ? before.times : 0;
        if (times >= FORCED_A_DAY) return { state: 'tooOften' };
        if (!before || time - before.at >= FORCED_EVERY_MS) {
          forced.set(appId, { at: time, day, times: times + 1 });
          token.revoked = true;
          token = renew(appId);
        }
      } else if (time >= token.expiresAt - OVERLAP_MS) token = renew(appId);
      return { state: 'issued', value: token.value, expiresInSeconds: Math.floor((token.expiresAt - time) / 1000) };
    },
    check: (value) => {
      const token = tokens.get(value);
      if (!token || token.revoked) return { state: 'unknown' };
      return token.expiresAt <= now() ? { state: 'expired' } : { state: 'good', appId: token.appId };
    },
    reset: () => [tokens, latest, forced].forEach((map) => map.clear()),
  };
}
