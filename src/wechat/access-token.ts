import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { CryptoError, type Keyring, open, seal } from '../crypto.ts';
import { AppError } from '../errors.ts';
import type { AccessToken, Store } from '../store/store.ts';
import type { WechatApi } from './api.ts';
import { before, type Deadline, pause, withinDeadline } from './deadline.ts';
import { badResponse } from './http.ts';

/** The access tokens of our apps, fetched by one instance at a time and shared by all through the database. */
export interface AccessTokens {
  /** A token that is good as far as we know. */
  get(appId: string, deadline: Deadline): Promise<string>;
  /**
   * Another token than the one that WeChat refused: the one that another instance has got meanwhile, or one whose
   * renewal is forced. The same one where WeChat's limits allow no more of it.
   */
  renew(appId: string, refused: string, deadline: Deadline): Promise<string>;
}

interface AccessTokensOptions {
  api: WechatApi;
  /** App id → app secret. */
  appSecrets: ReadonlyMap<string, string>;
  store: Pick<Store, 'findAccessToken' | 'leaseAccessToken' | 'updateAccessToken'>;
  /** Seals the tokens in the store. */
  keyring: Keyring;
  /** For one fetch of a token. */
  timeoutMs: number;
  now?: () => number;
  random?: () => number;
}

interface Known {
  token: string;
  expiresAt: number;
  renewAt: number;
}

// WeChat gives the next token from five minutes before the end, and until the end both are good.
const latestRenewalMs = 60_000;
const earliestRenewalMs = 240_000;
/** How much of its life a token must have left to be used at all. */
const lastUseMs = 10_000;
const pollMs = 50;
// WeChat's limits to forced renewals: 20 a day, of China, and none within 30 s, with a second for the clocks.
const forcedEveryMs = 31_000;
const forcedADay = 20;

const success = z.object({
  access_token: z.string().regex(/^[\x21-\x7e]{1,512}$/),
  expires_in: z.number().int().min(1).max(86_400),
});

export function createAccessTokens({
  api,
  appSecrets,
  store,
  keyring,
  timeoutMs,
  now = Date.now,
  random = Math.random,
}: AccessTokensOptions): AccessTokens {
  const known = new Map<string, Known>();
  const fetches = new Map<string, Promise<string>>();
  /** The instances do not all come at the same moment. */
  const renewalMs = latestRenewalMs + random() * (earliestRenewalMs - latestRenewalMs);

  return {
    async get(appId, deadline) {
      const mine = known.get(appId);
      if (mine && now() < mine.renewAt) return mine.token;
      return await before(deadline, fetches.get(appId) ?? begin(appId, null));
    },
    async renew(appId, refused, deadline) {
      const mine = known.get(appId);
      if (mine && mine.token !== refused && now() < mine.renewAt) return mine.token;
      known.delete(appId);
      const running = fetches.get(appId);
      const fetched = running && (await before(deadline, running));
      if (fetched !== undefined && fetched !== refused) return fetched;
      return await before(deadline, fetches.get(appId) ?? begin(appId, refused));
    },
  };

  /** One fetch for all who wait in this process. */
  function begin(appId: string, refused: string | null): Promise<string> {
    const fetch = withinDeadline(timeoutMs, (deadline) => obtain(appId, refused, deadline)).finally(() =>
      fetches.delete(appId),
    );
    // Whoever waits may have left by the time that it fails.
    fetch.catch(() => {});
    fetches.set(appId, fetch);
    return fetch;
  }

  /** The database's token if it will do; else the lease, and with it WeChat's; else what the lease's owner gets. */
  async function obtain(appId: string, refused: string | null, deadline: Deadline): Promise<string> {
    const owner = randomUUID();
    for (;;) {
      const found = await store.findAccessToken(appId);
      const fresh = found && opened(found, refused);
      if (fresh && now() < fresh.renewAt) return keep(appId, fresh, fresh.renewAt);
      const row = found && now() < found.leaseUntil ? found : await lease(appId, owner);
      const stored = opened(row, refused);
      if (row.leaseOwner === owner) return await asOwner(row, stored, refused, deadline);
      // While another one renews it, an old token that is good still serves.
      if (stored) return keep(appId, stored, now() + pollMs);
      await pause(deadline, pollMs * (1 + random()));
    }
  }

  function lease(appId: string, owner: string): Promise<AccessToken> {
    const at = now();
    // Longer than WeChat is waited for. A database that is slow besides may outlast it: then a token is fetched twice.
    return store.leaseAccessToken({ appId, owner, now: at, until: at + timeoutMs + 1000 });
  }

  async function asOwner(
    row: AccessToken,
    stored: Known | null,
    refused: string | null,
    deadline: Deadline,
  ): Promise<string> {
    const { appId, leaseOwner: owner } = row;
    try {
      if (stored && now() < stored.renewAt) return keep(appId, stored, stored.renewAt);
      const fetched = await fetchFromWechat(row, refused !== null, deadline);
      const { token, expiresAt } = fetched;
      await store.updateAccessToken(appId, owner, { token: seal(keyring, token, contextOf(appId)), expiresAt });
      return keep(appId, fetched, fetched.renewAt);
    } catch (error) {
      // A renewal in time that failed is tried again soon; meanwhile the old token is good.
      if (stored && error instanceof AppError) return keep(appId, stored, now() + lastUseMs);
      throw error;
    } finally {
      // A lease that cannot be given back ends by itself.
      await store.updateAccessToken(appId, owner, { leaseUntil: 0 }).catch(() => {});
    }
  }

  async function fetchFromWechat(row: AccessToken, isRefused: boolean, deadline: Deadline): Promise<Known> {
    const { appId, leaseOwner: owner } = row;
    const secret = appSecrets.get(appId);
    if (secret === undefined) throw new AppError('WECHAT_REJECTED', { detail: { appId, code: 'APP_NOT_OURS' } });
    const startedAt = now();
    const forcedToday = dayOf(row.forcedAt) === dayOf(startedAt) ? row.forcedOnDay : 0;
    const forces = isRefused && startedAt - row.forcedAt >= forcedEveryMs && forcedToday < forcedADay;
    // Counted before it is done: what is lost on the way may have been done.
    if (forces) {
      await store.updateAccessToken(appId, owner, { forcedAt: startedAt, forcedOnDay: forcedToday + 1 });
    }
    const body = { grant_type: 'client_credential', appid: appId, secret, ...(forces && { force_refresh: true }) };
    const request = { method: 'POST', path: '/cgi-bin/stable_token', query: {}, body } as const;
    const answer = await api.requestWithRetry({ ...request, appId, isRepeatable: !forces }, deadline);
    const parsed = success.safeParse(answer);
    if (!parsed.success) throw badResponse('WRONG_SHAPE');
    const { access_token: token, expires_in: expiresInSeconds } = parsed.data;
    const lifeMs = expiresInSeconds * 1000;
    const expiresAt = startedAt + lifeMs;
    return { token, expiresAt, renewAt: Math.max(expiresAt - renewalMs, startedAt + lifeMs / 2) };
  }

  /** The row's token, if it opens, is still good, and is not the refused one. */
  function opened({ appId, token, expiresAt }: AccessToken, refused: string | null): Known | null {
    if (token === null || now() >= expiresAt - lastUseMs) return null;
    try {
      const clear = open(keyring, token, contextOf(appId));
      return clear === refused ? null : { token: clear, expiresAt, renewAt: expiresAt - renewalMs };
    } catch (error) {
      if (error instanceof CryptoError) return null;
      throw error;
    }
  }

  function keep(appId: string, { token, expiresAt }: Known, renewAt: number): string {
    known.set(appId, { token, expiresAt, renewAt: Math.min(renewAt, expiresAt - lastUseMs) });
    return token;
  }
}

const contextOf = (appId: string) => ['access_token', appId];

/** Days as China counts them. */
function dayOf(time: number): number {
  return Math.floor((time + 8 * 3_600_000) / 86_400_000);
}
