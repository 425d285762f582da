import { createSessionKeys } from './auth/session-keys.ts';
import type { Config } from './config.ts';
import type { ContextParts } from './http/context.ts';
import { keyringOf } from './operations/keyring-file.ts';
import { createLog, type Log } from './operations/log.ts';
import type { Metrics } from './operations/metrics.ts';
import { createRateLimit } from './rate-limit.ts';
import { openStore } from './store/open.ts';
import { createPhoneNumbers } from './user/phone.ts';
import { createPictures } from './user/pictures.ts';
import { createWechat } from './wechat/exchange.ts';
import { createGate } from './wechat/gate.ts';
import { createPhoneCodes } from './wechat/phone.ts';

/** All that a server is made of but its sockets; its tables are `store.migrate`'s. */
export interface Parts extends ContextParts {
  /** null when they are off. */
  metrics: Metrics | null;
  close(): Promise<void>;
}

/** Of one user. Whoever tries a few avatars in a row does not notice. */
const picturesPerMinute = 5;

/** Makes the parts as the configuration has them. Asks nothing of the database or of WeChat yet. */
export async function createParts(
  { settings, secrets }: Config,
  { log = createLog(settings.logLevel), now = Date.now }: { log?: Log; now?: () => number } = {},
): Promise<Parts> {
  const keyring = await keyringOf(secrets);
  const store = await openStore({
    databaseUrl: secrets.databaseUrl,
    timeoutMs: settings.databaseTimeoutMs,
    poolSize: settings.databasePoolSize,
  });
  const gate = createGate({ now });
  const outside = {
    baseUrl: settings.wechatBaseUrl,
    appSecrets: secrets.appSecrets,
    timeoutMs: settings.wechatTimeoutMs,
    now,
    gate,
  };
  const wechat = createWechat({ ...outside, defaultApp: settings.defaultApp });
  const phoneCodes = createPhoneCodes({ ...outside, store, keyring });
  const metrics =
    settings.metricsPort === undefined
      ? null
      : (await import('./operations/metrics.ts')).createMetrics({
          exchangesInFlight: () => gate.inFlight(),
          pool: () => store.poolStats(),
        });
  const { rateLimitPerMinute } = settings;

  return {
    store,
    wechat,
    sessionKeys: createSessionKeys(keyring),
    phoneCodes,
    phoneNumbers: createPhoneNumbers(keyring),
    pictures: createPictures({
      limit: createRateLimit({ perMinute: rateLimitPerMinute === 0 ? 0 : picturesPerMinute }),
    }),
    watermarkMaxAgeSeconds: settings.watermarkMaxAgeSeconds,
    log,
    codeLimit: createRateLimit({ perMinute: rateLimitPerMinute }),
    now,
    trustedProxies: settings.trustProxyHops,
    databaseTimeoutMs: settings.databaseTimeoutMs,
    metrics,
    async close() {
      await Promise.all([wechat.close(), phoneCodes.close()]);
      await store.close();
    },
  };
}
