import { randomBytes } from 'node:crypto';
import { createBoundedMap } from './bounded.ts';
import type { Person } from './people.ts';

/** WeChat's own figure. */
const CODE_LIFE_MS = 5 * 60 * 1000;

interface Entry {
  readonly person: Person;
  readonly expiresAt: number;
  used: boolean;
}

type Found = { state: 'unknown' } | { state: 'used' } | { state: 'good'; person: Person; spend: () => void };

/** One-time codes: those of `wx.login`, or those of the phone button. */
export interface Codes {
  mint(person: Person): string;
  /** Looks a code up and changes nothing; `spend` uses it up. Both in one tick are atomic. */
  find(code: string, appId: string): Found;
  reset(): void;
}

/** The login codes in circulation. One that is expired, forgotten or another app's is as good as unknown. */
export function createCodes({ now, max = 500_000 }: { now: () => number; max?: number }): Codes {
  const codes = createBoundedMap<Entry>(max);

  return {
    mint: (person) => {
      // All codes live equally long, so the expired ones stand in front.
      const time = now();
      codes.sweep((entry) => entry.expiresAt <= time);
      const code = `0${randomBytes(24).toString('base64url').slice(1)}`;
      codes.set(code, { person, expiresAt: time + CODE_LIFE_MS, used: false });
      return code;
    },
    find: (code, appId) => {
      const entry = codes.get(code);
      if (!entry || entry.expiresAt <= now() || entry.person.appId !== appId) return { state: 'unknown' };
      if (entry.used) return { state: 'used' };
      return {
        state: 'good',
        person: entry.person,
        spend: () => {
          entry.used = true;
        },
      };
    },
    reset: () => codes.clear(),
  };
}
