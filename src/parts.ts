import { createSessionKeys } from './auth/session-keys.ts';
import type { Config } from './config.ts';
import type { ContextParts } from './http/context.ts';
import { createRateLimiter } from './limits/rate-limiter.ts';
import { keyringOf } from './operations/keyring-file.ts';
import { createLog, type Log } from './operations/log.ts';
import type { Metrics } from './operations/metrics.ts';
import { openStore } from './store/open.ts';
import type { OnUserDeleted } from './user/erasure.ts';
import { createPhoneNumbers } from './user/phone.ts';
import { createPictures } from './user/pictures.ts';
import { createAccessTokens } from './wechat/access-token.ts';
import { createWechatApi } from './wechat/api.ts';
import { createContentCheck } from './wechat/content-check.ts';
import { createWechat } from './wechat/exchange.ts';
import { createPhoneCodes } from './wechat/phone.ts';
import { createSessionKeyCalls } from './wechat/session-key-calls.ts';
import type { PushSecrets } from './wechat/push-crypto.ts';

/** All that a server is made of but its sockets. `store.migrate` makes the tables. */
export interface Parts extends ContextParts {
  /** null when they are off. */
  metrics: Metrics | null;
  /** App id → the secrets of its message push. */
  pushApps: ReadonlyMap<string, PushSecrets>;
  close(): Promise<void>;
}

/** For each user: enough to try a few avatars in a row. */
const picturesPerMinute = 5;

interface PartsOptions {
  log?: Log;
  now?: () => number;
  onUserDeleted?: OnUserDeleted;
}

/** Makes the parts as the configuration has them, without a request to the database or to WeChat yet. */
export async function createParts(
  { settings, secrets }: Config,
  { log = createLog(settings.logLevel), now = Date.now, onUserDeleted = () => {} }: PartsOptions = {},
): Promise<Parts> {
  const keyring = await keyringOf(secrets);
  const store = await openStore({
    databaseUrl: secrets.databaseUrl,
    timeoutMs: settings.databaseTimeoutMs,
    poolSize: settings.databasePoolSize,
  });
  const api = createWechatApi({ baseUrl: settings.wechatBaseUrl, proxies: secrets.proxies, now });
  const { appSecrets } = secrets;
  const timeoutMs = settings.wechatTimeoutMs;
  const accessTokens = createAccessTokens({ api, appSecrets, store, keyring, timeoutMs, now });
  const metrics =
    settings.metricsPort === undefined
      ? null
      : (await import('./operations/metrics.ts')).createMetrics({
          exchangesInFlight: () => api.inFlight(),
          pool: () => store.poolStats(),
        });

  const sessionKeyCalls = createSessionKeyCalls({ api, accessTokens, timeoutMs });

  return {
    store,
    wechat: {
      ...createWechat({ api, appSecrets, defaultApp: settings.defaultApp, timeoutMs, now }),
      ...sessionKeyCalls,
    },
    sessionKeyCalls,
    sessionKeys: createSessionKeys(keyring),
    phoneCodes: createPhoneCodes({ api, accessTokens, timeoutMs }),
    phoneNumbers: createPhoneNumbers(keyring),
    pictures: createPictures({ limit: createRateLimiter({ perMinute: picturesPerMinute }) }),
    contentCheck: settings.contentCheck ? createContentCheck({ api, accessTokens, log, timeoutMs }) : null,
    onUserDeleted,
    watermarkMaxAgeSeconds: settings.watermarkMaxAgeSeconds,
    log,
    codeLimit: createRateLimiter({ perMinute: settings.rateLimitPerMinute }),
    writeLimit: createRateLimiter({ perMinute: settings.userWritesPerMinute }),
    now,
    trustedProxies: settings.trustProxyHops,
    databaseTimeoutMs: settings.databaseTimeoutMs,
    metrics,
    pushApps: secrets.pushApps,
    async close() {
      await api.close();
      await store.close();
    },
  };
}
