import { describe, expect, test } from 'vitest';
import { fingerprint } from '../src/crypto.ts';
import { widths } from '../src/store/widths.ts';
import { ConfigError, loadConfig } from '../src/config.ts';

const secret = Buffer.alloc(32, 7).toString('base64');
const complete = { WX_APPID: 'wx0123456789abcdef', WX_SECRET: 'app-secret' };

function problemsOf(env: Record<string, string>): readonly string[] {
  try {
    loadConfig(env);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems;
  }
}

describe('configuration', () => {
  test('an app and its secret are enough, and every other setting has its documented default', () => {
    const { settings, secrets } = loadConfig(complete);
    expect(settings).toEqual({
      defaultApp: 'wx0123456789abcdef',
      host: '127.0.0.1',
      port: 8080,
      metricsPort: undefined,
      wechatBaseUrl: 'https://api.weixin.qq.com',
      contentCheck: false,
      wechatTimeoutMs: 3000,
      databaseTimeoutMs: 2000,
      databasePoolSize: 10,
      watermarkMaxAgeSeconds: 600,
      rateLimitPerMinute: 1200,
      userWritesPerMinute: 60,
      retentionDays: 0,
      trustProxyHops: 0,
      migrateOnStart: true,
      logLevel: 'info',
    });
    expect(secrets.databaseUrl).toBe('file:.data/guoke.db');
    expect(secrets.keyring).toBeNull();
  });

  test('one error names every wrong variable at once', () => {
    const problems = problemsOf({ PORT: 'http', DATABASE_URL: 'postgres://x', LOG_LEVEL: 'loud', WX_TIMEOUT_MS: '-1' });
    const names = problems.map((problem) => problem.split(' ')[0]);
    expect(names.toSorted((a = '', b = '') => a.localeCompare(b))).toEqual([
      'DATABASE_URL',
      'LOG_LEVEL',
      'PORT',
      'WX_APPID',
      'WX_SECRET',
      'WX_TIMEOUT_MS',
    ]);
  });

  test('a push secret belongs to a configured app, and each app has one at most', () => {
    const key = '0123456789abcdef0123456789abcdef0123456789a';
    const push = `wx0123456789abcdef:token:${key}`;
    const { pushApps } = loadConfig({ ...complete, WX_PUSH: push }).secrets;
    expect(pushApps.get('wx0123456789abcdef')).toEqual({ token: 'token', key: Buffer.from(`${key}=`, 'base64') });
    for (const wrong of ['x', `wxother:token:${key}`, `${push},${push}`, `${push}x`, `wx0123456789abcdef:t:${key}`]) {
      expect(problemsOf({ ...complete, WX_PUSH: wrong })).toEqual([expect.stringMatching(/^WX_PUSH must be/)]);
    }
  });

  test('an error holds no value, neither a password nor a secret', () => {
    const values: Record<string, string> = {
      WX_APPID: 'hush hush',
      WX_SECRET: 'hush,hush',
      WX_APPS: 'hush:hush:hush',
      WX_PUSH: 'hush:hush',
      DATABASE_URL: 'mysql://root:hush@[broken',
      SESSION_KEY_SECRETS: 'k1:hush',
      WX_API_BASE_URL: 'https://hush@host',
      PORT: 'hush',
    };
    const problems = problemsOf(values);
    expect(problems).toHaveLength(Object.keys(values).length);
    expect(problems.join()).not.toContain('hush');
  });

  test('a configuration with MySQL needs SESSION_KEY_SECRETS, which instances must share', () => {
    const env = { ...complete, DATABASE_URL: 'mysql://root:pw@db:3306/guoke' };
    expect(problemsOf(env)).toEqual([expect.stringMatching(/^SESSION_KEY_SECRETS is missing/)]);
    expect(loadConfig({ ...env, SESSION_KEY_SECRETS: `k1:${secret}` }).secrets.keyring).toHaveLength(1);
  });

  test('secrets are 32 bytes in strict base64, and each id stands once', () => {
    const other = Buffer.alloc(32, 8).toString('base64');
    const keyring = loadConfig({ ...complete, SESSION_KEY_SECRETS: `new:${secret},old:${other}` }).secrets.keyring;
    expect(keyring?.map(({ id, key }) => [id, key.length])).toEqual([
      ['new', 32],
      ['old', 32],
    ]);
    const short = Buffer.alloc(31).toString('base64');
    for (const odd of [`k1:${short}`, `k1:${secret},k1:${other}`, secret, `k.1:${secret}`, 'k1:', `k1:${secret},`]) {
      expect(problemsOf({ ...complete, SESSION_KEY_SECRETS: odd }), odd).toHaveLength(1);
    }
  });

  test('the id of a secret may be as long as its fingerprints fit their column, and no longer', () => {
    const idOf = (length: number) => ({ ...complete, SESSION_KEY_SECRETS: `${'k'.repeat(length)}:${secret}` });
    const { keyring } = loadConfig(idOf(20)).secrets;
    expect(fingerprint(keyring ?? expect.unreachable(), 'text', [])).toHaveLength(widths.fingerprint);
    expect(problemsOf(idOf(21))).toEqual([expect.stringMatching(/^SESSION_KEY_SECRETS must be .*20/)]);
  });

  test('WX_APPS adds mini programs to the first, or replaces it', () => {
    const beside = loadConfig({ ...complete, WX_APPS: 'wxsecond:s2,wxthird:s3' });
    expect([...beside.secrets.appSecrets.keys()]).toEqual(['wx0123456789abcdef', 'wxsecond', 'wxthird']);
    const instead = loadConfig({ WX_APPS: 'wxsecond:s2,wxthird:s3' });
    expect(instead.settings.defaultApp).toBe('wxsecond');
    expect(problemsOf({ WX_APPS: 'wxsecond:s2,wxsecond:s3' })).toHaveLength(1);
    expect(problemsOf({ ...complete, WX_APPS: 'wx0123456789abcdef:s2' })).toHaveLength(1);
    expect(problemsOf({ WX_APPID: 'wxfirst', WX_APPS: 'wxsecond:s2' })).toHaveLength(1);
  });

  test('an empty variable counts as absent', () => {
    expect(loadConfig({ ...complete, PORT: '', SESSION_KEY_SECRETS: '' }).settings.port).toBe(8080);
    expect(problemsOf({ ...complete, WX_SECRET: '' })).toHaveLength(1);
  });

  test('WX_API_BASE_URL is an origin with an optional path, and nothing more', () => {
    expect(loadConfig({ ...complete, WX_API_BASE_URL: 'http://127.0.0.1:8081' }).settings.wechatBaseUrl).toBe(
      'http://127.0.0.1:8081',
    );
    for (const odd of ['ftp://x', 'https://x?y', 'https://u:p@x', 'x', 'file:///etc']) {
      expect(problemsOf({ ...complete, WX_API_BASE_URL: odd }), odd).toHaveLength(1);
    }
  });

  test('DATABASE_URL is read strictly: a spelling that only URL forgives is refused', () => {
    const env = { ...complete, SESSION_KEY_SECRETS: `k1:${secret}` };
    const good = 'mysql://root:pw@db:3306/guoke?ssl=true';
    expect(loadConfig({ ...env, DATABASE_URL: good }).secrets.databaseUrl).toBe(good);
    for (const odd of [
      'MySQL://root:pw@db/guoke',
      'MYSQL://root:pw@db/guoke',
      ' mysql://root:pw@db/guoke',
      'mysql:root:pw@db/guoke',
      'mysql://root:pw@db/guoke?ssl=false',
      'mysql://root:pw@db/guoke?ssl=true&multipleStatements=true',
      'mysql://root:pw@db/guoke#ssl=true',
      'FILE:guoke.db',
      // Passwords that are not percent-encoded, whose rest becomes a host or a name.
      'mysql://guoke:p@ss/w0rd@db/guoke',
      'mysql://guoke:p/w0rd@db/guoke',
      'mysql://guoke:p#w0rd@db/guoke',
      'mysql://guoke:p?w0rd@db/guoke',
    ]) {
      for (const SESSION_KEY_SECRETS of [`k1:${secret}`, '']) {
        const problems = problemsOf({ ...env, SESSION_KEY_SECRETS, DATABASE_URL: odd });
        expect(problems[0], odd).toMatch(
          /^DATABASE_URL must be file:<path> or mysql:.*in a password @ .* are written %40 /,
        );
        expect(problems.join(), odd).not.toContain('w0rd');
      }
    }
  });

  test('HOST is an address or a name; anything else is refused before DNS is asked', () => {
    for (const good of ['127.0.0.1', '0.0.0.0', '::', '::1', 'fe80::1%eth0', 'localhost', 'login-1.example'])
      expect(loadConfig({ ...complete, HOST: good }).settings.host).toBe(good);
    for (const odd of ['http://localhost', '127.0.0.1:8080', '[::1]', '127.0.0.1 ', '-h', '*', 'a,b']) {
      const problem = /^HOST must be an address of this machine, such as 127\.0\.0\.1/;
      expect(problemsOf({ ...complete, HOST: odd }), odd).toEqual([expect.stringMatching(problem)]);
    }
  });

  test('METRICS_PORT differs from PORT', () => {
    const problem = /^METRICS_PORT must be .*not the one of PORT$/;
    expect(problemsOf({ ...complete, METRICS_PORT: '8080' })).toEqual([expect.stringMatching(problem)]);
    expect(problemsOf({ ...complete, PORT: '9000', METRICS_PORT: '9000' })).toEqual([expect.stringMatching(problem)]);
    expect(problemsOf({ ...complete, PORT: '0', METRICS_PORT: '0' })).toEqual([]);
  });

  test('every problem names its variable and what it must be, and a missing secret how to make one', () => {
    const odd = ' , ';
    const names = [
      'WX_APPID',
      'WX_SECRET',
      'WX_APPS',
      'DATABASE_URL',
      'SESSION_KEY_SECRETS',
      'HOST',
      'PORT',
      'METRICS_PORT',
    ];
    names.push('WX_API_BASE_URL', 'WX_TIMEOUT_MS', 'DATABASE_TIMEOUT_MS', 'DATABASE_POOL_SIZE', 'TRUST_PROXY_HOPS');
    names.push('WATERMARK_MAX_AGE_SECONDS', 'RATE_LIMIT_PER_MINUTE', 'MIGRATE_ON_START', 'LOG_LEVEL');
    for (const name of names) {
      expect(problemsOf({ ...complete, [name]: odd })).toEqual([
        expect.stringMatching(new RegExp(`^${name} must be `)),
      ]);
    }
    const [hex] = problemsOf({ ...complete, SESSION_KEY_SECRETS: `k1:${'0a'.repeat(32)}` });
    expect(hex).toContain('openssl rand -base64 32');
  });

  test('a SQLite database in memory is refused: its first connection would lose the tables', () => {
    for (const odd of ['file::memory:', 'file:', 'file:x?mode=memory', 'mysql://host', 'mysql:///db']) {
      expect(problemsOf({ ...complete, SESSION_KEY_SECRETS: `k1:${secret}`, DATABASE_URL: odd }), odd).toHaveLength(1);
    }
  });
});
