import { isIP } from 'node:net';
import { z } from 'zod';
import type { Keyring, SealingSecret } from './crypto.ts';
import { logLevels } from './operations/log.ts';
import { mysqlUrl } from './store/mysql/url.ts';
import type { PushSecrets } from './wechat/push-crypto.ts';

/** All that is wrong with the environment, a line each: names and reasons, never values. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`The configuration is wrong or not complete:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
    this.problems = problems;
  }
}

const appIdPattern = /^[A-Za-z0-9_-]{1,64}$/;
/** Whatever a secret may hold, but no space, comma or colon: those separate entries. */
const secretPattern = /^[^\s,:]{1,128}$/;

const integer = (min: number, max: number, byDefault: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/)
    .transform(Number)
    .pipe(z.number().min(min).max(max))
    .optional()
    .transform((value) => value ?? byDefault);

const flag = (byDefault: boolean) =>
  z
    .enum(['true', 'false', '1', '0'])
    .optional()
    .transform((value) => (value === undefined ? byDefault : value === 'true' || value === '1'));

/** `appid:secret,appid:secret`; an appid stands once. */
const apps = z
  .string()
  .transform((text) => text.split(',').map((entry) => entry.trim().split(':')))
  .pipe(z.array(z.tuple([z.string().regex(appIdPattern), z.string().regex(secretPattern)])));

/** `appid:token:aesKey,…`; an appid stands once. WeChat's EncodingAESKey is base64 of 32 bytes without the `=`. */
const pushApps = z
  .string()
  .transform((text) => text.split(',').map((entry) => entry.trim().split(':')))
  .pipe(
    z.array(
      z.tuple([
        z.string().regex(appIdPattern),
        z.string().regex(/^[A-Za-z0-9]{3,32}$/),
        z.string().regex(/^[A-Za-z0-9+/]{43}$/),
      ]),
    ),
  )
  .refine((entries) => new Set(entries.map(([appId]) => appId)).size === entries.length)
  .transform((entries) =>
    entries.map(([appId, token, aesKey]): [string, PushSecrets] => [
      appId,
      { token, key: Buffer.from(aesKey, 'base64') },
    ]),
  );

/** `id:base64-of-32-bytes,…`; an id stands once, is short enough for the column of a fingerprint, and has no dot, which ends it in a sealed value. */
const keyring = z
  .string()
  .transform((text) => text.split(',').map((entry) => entry.trim().split(':')))
  .pipe(
    z.array(
      z.tuple([z.string().regex(/^[A-Za-z0-9_-]{1,20}$/), z.string().regex(/^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/)]),
    ),
  )
  .refine((entries) => new Set(entries.map(([id]) => id)).size === entries.length)
  .transform((entries) => entries.map(([id, key]): SealingSecret => ({ id, key: Buffer.from(key, 'base64') })));

const isDatabaseUrl = (text: string) => {
  if (text.startsWith('file:')) return /^file:[^?#]+$/.test(text) && !text.includes(':memory:');
  return mysqlUrl(text) !== null;
};

const isBaseUrl = (text: string) => {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') return false;
  return `${url.origin}${url.pathname}`.replace(/\/$/, '') === text.replace(/\/$/, '');
};

/** A proxy without a scheme is http, as curl has it. */
const proxy = z
  .string()
  .default('')
  .transform((text) => (text === '' || text.includes('://') ? text : `http://${text}`))
  .refine((text) => text === '' || (URL.canParse(text) && /^https?:\/\//i.test(text)));
/** An address, or a name that the DNS may know: a port or `http://` in it would be asked of the DNS. */
const isHost = (text: string) => isIP(text) !== 0 || /^(?!-)[A-Za-z0-9.-]{1,253}$/.test(text);

export const defaultDatabaseUrl = 'file:.data/guoke.db';

const environment = z.object({
  WX_APPID: z.string().regex(appIdPattern).optional(),
  WX_SECRET: z.string().regex(secretPattern).optional(),
  WX_APPS: apps.optional(),
  WX_PUSH: pushApps.optional(),
  DATABASE_URL: z.string().refine(isDatabaseUrl).default(defaultDatabaseUrl),
  SESSION_KEY_SECRETS: keyring.optional(),
  HOST: z.string().refine(isHost).default('127.0.0.1'),
  PORT: integer(0, 65_535, 8080),
  METRICS_PORT: z
    .string()
    .regex(/^\d{1,5}$/)
    .transform(Number)
    .pipe(z.number().max(65_535))
    .optional(),
  WX_API_BASE_URL: z.string().refine(isBaseUrl).default('https://api.weixin.qq.com'),
  WX_CONTENT_CHECK: flag(false),
  HTTPS_PROXY: proxy,
  HTTP_PROXY: proxy,
  NO_PROXY: z.string().max(4096).default(''),
  WX_TIMEOUT_MS: integer(1, 60_000, 3000),
  DATABASE_TIMEOUT_MS: integer(1, 60_000, 2000),
  DATABASE_POOL_SIZE: integer(1, 1000, 10),
  WATERMARK_MAX_AGE_SECONDS: integer(1, 86_400, 600),
  RATE_LIMIT_PER_MINUTE: integer(0, 1_000_000, 1200),
  USER_WRITES_PER_MINUTE: integer(0, 1_000_000, 60),
  RETENTION_DAYS: integer(0, 36_500, 0),
  TRUST_PROXY_HOPS: integer(0, 16, 0),
  MIGRATE_ON_START: flag(true),
  LOG_LEVEL: z.enum(logLevels).default('info'),
});

const rules: Readonly<Record<keyof z.input<typeof environment>, string>> = {
  WX_APPID: 'must be the appid of a mini program, as mp.weixin.qq.com shows it',
  WX_SECRET: 'must be the AppSecret of that mini program: no space, comma or colon is in it',
  WX_APPS: 'must be appid:secret, more of them separated by commas, each appid once and not that of WX_APPID',
  WX_PUSH:
    'must be appid:token:EncodingAESKey of apps in WX_APPID or WX_APPS, more of them separated by commas, each appid once',
  DATABASE_URL:
    'must be file:<path> or mysql://user:password@host:3306/database, which may end in ?ssl=true; in a password @ / ? # and % are written %40 %2F %3F %23 and %25',
  SESSION_KEY_SECRETS:
    'must be id:<base64 of 32 bytes>, the id of at most 20 letters and digits, more of them separated by commas, each id once; make one with: echo "k1:$(openssl rand -base64 32)"',
  HOST: 'must be an address of this machine, such as 127.0.0.1, 0.0.0.0 or ::, without http://, brackets or a port',
  PORT: 'must be a port from 0 to 65535',
  WX_CONTENT_CHECK: 'must be true or false',
  HTTPS_PROXY: 'must be http://host:port or https://host:port of a proxy',
  HTTP_PROXY: 'must be http://host:port or https://host:port of a proxy',
  NO_PROXY: 'must be hosts, separated by commas',
  METRICS_PORT: 'must be a port from 0 to 65535, and not the one of PORT',
  WX_API_BASE_URL:
    'must be http:// or https:// and a host, without a user or a query: it is not set where WeChat itself is asked',
  WX_TIMEOUT_MS: 'must be a number of milliseconds from 1 to 60000',
  DATABASE_TIMEOUT_MS: 'must be a number of milliseconds from 1 to 60000',
  DATABASE_POOL_SIZE: 'must be a number from 1 to 1000',
  WATERMARK_MAX_AGE_SECONDS: 'must be a number of seconds from 1 to 86400',
  RATE_LIMIT_PER_MINUTE: 'must be a number from 0 (off) to 1000000',
  USER_WRITES_PER_MINUTE: 'must be a number from 0 (off) to 1000000',
  RETENTION_DAYS: 'must be a number of days from 0 (off) to 36500',
  TRUST_PROXY_HOPS: 'must be a number from 0 to 16',
  MIGRATE_ON_START: 'must be true or false',
  LOG_LEVEL: `must be one of ${logLevels.join(', ')}`,
};

export type Config = ReturnType<typeof loadConfig>;

/**
 * Reads the configuration from environment variables; an empty one counts as absent. Throws ConfigError with all
 * problems at once. `secrets` stands apart, so that `settings` may be shown.
 */
export function loadConfig(env: Readonly<Record<string, string | undefined>>) {
  const present = Object.fromEntries(
    Object.entries(withProxies(env)).filter(([, value]) => value !== undefined && value !== ''),
  );
  const parsed = environment.safeParse(present);
  const problems = new Set<string>();
  for (const { path } of parsed.error?.issues ?? []) {
    const name = String(path[0]) as keyof typeof rules;
    problems.add(`${name} ${rules[name]}`);
  }
  for (const problem of missingIn(present)) problems.add(problem);
  const { PORT, METRICS_PORT } = parsed.data ?? {};
  if (METRICS_PORT !== undefined && METRICS_PORT !== 0 && METRICS_PORT === PORT) {
    problems.add(`METRICS_PORT ${rules.METRICS_PORT}`);
  }
  if (!parsed.success) throw new ConfigError([...problems]);

  const { WX_APPID, WX_SECRET, WX_APPS = [], WX_PUSH = [], SESSION_KEY_SECRETS, DATABASE_URL, ...rest } = parsed.data;
  const all = WX_APPID && WX_SECRET ? [[WX_APPID, WX_SECRET] as const, ...WX_APPS] : WX_APPS;
  const appSecrets = new Map(all);
  if (appSecrets.size !== all.length) problems.add(`WX_APPS ${rules.WX_APPS}`);
  if (WX_PUSH.some(([appId]) => !appSecrets.has(appId))) problems.add(`WX_PUSH ${rules.WX_PUSH}`);
  const [defaultApp] = appSecrets.keys();
  if (problems.size > 0 || defaultApp === undefined) throw new ConfigError([...problems]);
  return {
    settings: {
      /** The app of callers that name none. */
      defaultApp,
      host: rest.HOST,
      port: rest.PORT,
      metricsPort: rest.METRICS_PORT,
      wechatBaseUrl: rest.WX_API_BASE_URL,
      contentCheck: rest.WX_CONTENT_CHECK,
      wechatTimeoutMs: rest.WX_TIMEOUT_MS,
      databaseTimeoutMs: rest.DATABASE_TIMEOUT_MS,
      databasePoolSize: rest.DATABASE_POOL_SIZE,
      watermarkMaxAgeSeconds: rest.WATERMARK_MAX_AGE_SECONDS,
      rateLimitPerMinute: rest.RATE_LIMIT_PER_MINUTE,
      userWritesPerMinute: rest.USER_WRITES_PER_MINUTE,
      /** 0: users are kept. */
      retentionDays: rest.RETENTION_DAYS,
      trustProxyHops: rest.TRUST_PROXY_HOPS,
      migrateOnStart: rest.MIGRATE_ON_START,
      logLevel: rest.LOG_LEVEL,
    },
    secrets: {
      /** It may hold a password. */
      databaseUrl: DATABASE_URL,
      /** App id → app secret. */
      appSecrets: appSecrets as ReadonlyMap<string, string>,
      /** App id → what its message push is verified and decrypted with. */
      pushApps: new Map(WX_PUSH) as ReadonlyMap<string, PushSecrets>,
      /** They may hold passwords; null: there are none. */
      proxies:
        rest.HTTP_PROXY || rest.HTTPS_PROXY
          ? { httpProxy: rest.HTTP_PROXY, httpsProxy: rest.HTTPS_PROXY, noProxy: rest.NO_PROXY }
          : null,
      /** null: SQLite, and the file beside the database has it. */
      keyring: toKeyring(SESSION_KEY_SECRETS),
    },
  };
}

/** What is missing, given the other variables. */
function missingIn(present: Readonly<Record<string, string | undefined>>): string[] {
  const problems: string[] = [];
  const isMissing = (name: 'WX_APPID' | 'WX_SECRET' | 'SESSION_KEY_SECRETS') =>
    problems.push(`${name} is missing: it ${rules[name]}`);
  if (!present.WX_APPS) {
    if (!present.WX_APPID) isMissing('WX_APPID');
    if (!present.WX_SECRET) isMissing('WX_SECRET');
  } else if (Boolean(present.WX_APPID) !== Boolean(present.WX_SECRET)) {
    problems.push('WX_APPID and WX_SECRET go together: one of them is missing');
  }
  if (present.DATABASE_URL?.startsWith('mysql:') && !present.SESSION_KEY_SECRETS) isMissing('SESSION_KEY_SECRETS');
  return problems;
}

/** curl and other programs take these names in lower case too. The name in capitals comes first. */
function withProxies(env: Readonly<Record<string, string | undefined>>) {
  const lower = ['HTTPS_PROXY', 'HTTP_PROXY', 'NO_PROXY'].map((name) => [name, env[name.toLowerCase()]] as const);
  return { ...Object.fromEntries(lower.filter(([, value]) => value)), ...env };
}

function toKeyring(secrets: readonly SealingSecret[] = []): Keyring | null {
  const [first, ...rest] = secrets;
  return first ? [first, ...rest] : null;
}
