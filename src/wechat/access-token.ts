import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { type Keyring, openOrNull, seal } from '../crypto.ts';
import { AppError } from '../errors.ts';
import { isFromWrongClock } from '../store/clock.ts';
import type { AccessToken, Store } from '../store/store.ts';
import type { WechatApi } from './api.ts';
import { before, type Deadline, pause, withinDeadline } from './deadline.ts';
import { badResponse } from './http.ts';

/** The access tokens of our apps, fetched by one instance at a time and shared by all through the database. */
export interface AccessTokens {
  /** A token that is good as far as this instance knows. */
  get(appId: string, deadline: Deadline): Promise<string>;
  /**
   * Another token than the one that WeChat refused: one that another instance has fetched meanwhile, or one by a forced
   * renewal. The same token where WeChat's limits allow no forced renewal.
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
  /** The deadline of one fetch of a token. */
  timeoutMs: number;
  now?: () => number;
  random?: () => number;
}

interface KnownToken {
  token: string;
  expiresAt: number;
  renewAt: number;
}

// WeChat gives the next token from five minutes before the old one's end, and both are good until then.
const latestRenewalMs = 60_000;
const earliestRenewalMs = 240_000;
/** How much of its life a token must have left to be used at all. */
const lastUseMs = 10_000;
const pollMs = 50;
// WeChat forces a renewal 20 times a day, as China counts days, and not within 30 s; a second more is for the clocks.
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
  const known = new Map<string, KnownToken>();
  const fetches = new Map<string, Promise<string>>();
  /** Random, so that the instances do not all renew at the same moment. */
  const renewalMs = latestRenewalMs + random() * (earliestRenewalMs - latestRenewalMs);

  return {
    async get(appId, deadline) {
      const own = known.get(appId);
      if (own && now() < own.renewAt) return own.token;
      return await before(deadline, fetches.get(appId) ?? startFetch(appId, null));
    },
    async renew(appId, refused, deadline) {
      const own = known.get(appId);
      if (own && own.token !== refused && now() < own.renewAt) return own.token;
      known.delete(appId);
      const running = fetches.get(appId);
      const fetched = running && (await before(deadline, running));
      if (fetched !== undefined && fetched !== refused) return fetched;
      return await before(deadline, fetches.get(appId) ?? startFetch(appId, refused));
    },
  };

  /** One fetch for all calls that wait in this process. */
  function startFetch(appId: string, refused: string | null): Promise<string> {
    const fetch = withinDeadline(timeoutMs, (deadline) => obtain(appId, refused, deadline)).finally(() =>
      fetches.delete(appId),
    );
    // All callers may have given up by the time that it fails.
    fetch.catch(() => {});
    fetches.set(appId, fetch);
    return fetch;
  }

  /** The database's token if it is good; else WeChat's, if the lease can be had; else the one that the lease's owner fetches. */
  async function obtain(appId: string, refused: string | null, deadline: Deadline): Promise<string> {
    const owner = randomUUID();
    for (;;) {
      const found = await store.findAccessToken(appId);
      const fresh = found && openStored(found, refused);
      if (fresh && now() < fresh.renewAt) return remember(appId, fresh, fresh.renewAt);
      const row =
        found && now() < found.leaseUntil && !isFromWrongClock(found.leaseUntil, now())
          ? found
          : await lease(appId, owner);
      const stored = openStored(row, refused);
      if (row.leaseOwner === owner) return await fetchAsOwner(row, stored, refused, deadline);
      // While another instance renews it, an old token that is good still serves.
      if (stored) return remember(appId, stored, now() + pollMs);
      await pause(deadline, pollMs * (1 + random()));
    }
  }

  function lease(appId: string, owner: string): Promise<AccessToken> {
    const startedAt = now();
    // Longer than the wait for WeChat. A slow database may outlast the lease: then a token is fetched twice.
    return store.leaseAccessToken({ appId, owner, now: startedAt, until: startedAt + timeoutMs + 1000 });
  }

  async function fetchAsOwner(
    row: AccessToken,
    stored: KnownToken | null,
    refused: string | null,
    deadline: Deadline,
  ): Promise<string> {
    const { appId, leaseOwner: owner } = row;
    try {
      if (stored && now() < stored.renewAt) return remember(appId, stored, stored.renewAt);
      const fetched = await fetchFromWechat(row, refused !== null, deadline);
      const { token, expiresAt } = fetched;
      await store.updateAccessToken(appId, owner, { token: seal(keyring, token, sealContext(appId)), expiresAt });
      return remember(appId, fetched, fetched.renewAt);
    } catch (error) {
      // The renewal is tried again soon; meanwhile the old token is good.
      if (stored && error instanceof AppError) return remember(appId, stored, now() + lastUseMs);
      throw error;
    } finally {
      // A lease that cannot be given back expires.
      await store.updateAccessToken(appId, owner, { leaseUntil: 0 }).catch(() => {});
    }
  }

  async function fetchFromWechat(row: AccessToken, isRefused: boolean, deadline: Deadline): Promise<KnownToken> {
    const { appId, leaseOwner: owner } = row;
    const secret = appSecrets.get(appId);
    if (secret === undefined) throw new AppError('WECHAT_REJECTED', { detail: { appId, code: 'APP_NOT_OURS' } });
    const startedAt = now();
    const forcedToday = dayOf(row.forcedAt) === dayOf(startedAt) ? row.forcedOnDay : 0;
    const forces =
      isRefused &&
      (startedAt - row.forcedAt >= forcedEveryMs || isFromWrongClock(row.forcedAt, startedAt)) &&
      forcedToday < forcedADay;
    // Counted before it is sent: a request that is lost on the way may have been carried out.
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

  /** The row's token, unless it does not open, is about to expire, or is the refused one. */
  function openStored({ appId, token, expiresAt }: AccessToken, refused: string | null): KnownToken | null {
    if (now() >= expiresAt - lastUseMs) return null;
    const opened = openOrNull(keyring, token, sealContext(appId));
    if (opened === null || opened === refused) return null;
    return { token: opened, expiresAt, renewAt: expiresAt - renewalMs };
  }

  function remember(appId: string, { token, expiresAt }: KnownToken, renewAt: number): string {
    known.set(appId, { token, expiresAt, renewAt: Math.min(renewAt, expiresAt - lastUseMs) });
    return token;
  }
}

const sealContext = (appId: string) => ['access_token', appId];

/** Days as China counts them. */
function dayOf(time: number): number {
  return Math.floor((time + 8 * 3_600_000) / 86_400_000);
}
