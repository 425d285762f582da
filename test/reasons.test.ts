import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from '@libsql/client';
import { TRPCError } from '@trpc/server';
import { createConnection } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { outcomes, type Reason } from '../src/errors.ts';
import { explain } from '../src/trpc.ts';
import { loginInputOf, startBackend, type Backend } from './support/backend.ts';
import { databases, type TestDatabase } from './support/databases.ts';

interface Scene {
  backend: Backend;
  /** An instance on the same database with room for one call a minute. */
  limited: Backend;
  /** An instance on the same database that has content checked. */
  checked: Backend;
  /** Of the user `refused`. */
  token: string;
  database: TestDatabase;
  url: string;
}

interface Trouble {
  /** The call that is refused. */
  call: () => Promise<Response>;
  /** What has to be put back before the database is looked at. */
  undo?: () => Promise<unknown>;
  /** Whose log has the line; the first instance's when left out. */
  loggedBy?: Backend;
}

const post = (backend: Backend, procedure: string, input?: unknown, token = '') =>
  fetch(`${backend.url}/trpc/${procedure}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    ...(input !== undefined && { body: JSON.stringify(input) }),
  });

const codeOf = ({ standin }: Backend, user: string) => standin.phone.login({ user }).code;

/** Work that began late has a later deadline than the call that waits for it: the database must not come back between. */
const givenUp = () => sleep(1000);

/** What WeChat does to the code of one call. */
const troubleAtWechat =
  (fault: Parameters<Backend['standin']['phone']['fault']>[0]['fault']) =>
  ({ backend }: Scene): Trouble => {
    const code = codeOf(backend, 'refused');
    backend.standin.phone.fault({ code, times: 3, fault });
    return { call: () => post(backend, 'auth.checkUser', { code }) };
  };

/** The reasons of calls; a body that is too large never becomes one. */
type CallReason = Exclude<Reason, 'TOO_LARGE'>;

/** One way to each reason of the contract: a new reason does not compile without its own. */
const troubles: Record<CallReason, (scene: Scene) => Trouble | Promise<Trouble>> = {
  INPUT_INVALID: ({ backend }) => {
    const input = { ...loginInputOf(backend, 'refused'), iv: 'no iv' };
    return { call: () => post(backend, 'auth.login', input) };
  },
  CODE_INVALID: ({ backend }) => ({ call: () => post(backend, 'auth.checkUser', { code: 'made-up' }) }),
  CONTENT_REJECTED: async ({ checked, token }) => {
    checked.standin.person('refused');
    // By then there is an access token, which a call would write otherwise.
    await post(checked, 'user.updateProfile', { nickName: 'Before' }, token);
    return { call: () => post(checked, 'user.updateProfile', { nickName: '违规' }, token), loggedBy: checked };
  },
  PROFILE_REJECTED: ({ backend }) => {
    const input = { ...loginInputOf(backend, 'refused'), signature: '0'.repeat(40) };
    return { call: () => post(backend, 'auth.login', input) };
  },
  SESSION_INVALID: ({ backend }) => ({ call: () => post(backend, 'auth.logoutAll', undefined, 'A'.repeat(43)) }),
  USER_BLOCKED: ({ backend }) => {
    backend.standin.phone.block({ user: 'blocked' });
    const code = codeOf(backend, 'blocked');
    return { call: () => post(backend, 'auth.checkUser', { code }) };
  },
  RATE_LIMITED: async ({ limited }) => {
    await post(limited, 'auth.checkUser', { code: codeOf(limited, 'first') });
    const code = codeOf(limited, 'refused');
    return { call: () => post(limited, 'auth.checkUser', { code }), loggedBy: limited };
  },
  WECHAT_BUSY: troubleAtWechat({ kind: 'errcode', errcode: -1 }),
  WECHAT_TIMEOUT: troubleAtWechat({ kind: 'hang' }),
  WECHAT_BAD_RESPONSE: troubleAtWechat({ kind: 'html' }),
  WECHAT_REJECTED: troubleAtWechat({ kind: 'errcode', errcode: 40125 }),
  DATABASE_UNAVAILABLE: async ({ backend, database, url }) => {
    const input = loginInputOf(backend, 'refused');
    const call = () => post(backend, 'auth.login', input);
    if (database.name === 'SQLite') {
      const rival = createClient({ url });
      const lock = await rival.transaction('write');
      return {
        call,
        undo: () =>
          givenUp()
            .then(() => lock.rollback())
            .then(() => rival.close()),
      };
    }
    const rival = await createConnection(url);
    await rival.query('lock tables gk_wx_user write, gk_wx_session write');
    return { call, undo: () => givenUp().then(() => rival.end()) };
  },
  INTERNAL: async ({ backend, database, url }) => {
    const input = loginInputOf(backend, 'refused');
    await database.query(url, 'alter table gk_wx_session rename column expires_at to elsewhere');
    return {
      call: () => post(backend, 'auth.login', input),
      undo: () => database.query(url, 'alter table gk_wx_session rename column elsewhere to expires_at'),
    };
  },
  WECHAT_RATE_LIMITED: troubleAtWechat({ kind: 'errcode', errcode: 45011 }),
};

describe.each(databases)('a refusal on $name', (database) => {
  let scene: Scene;
  beforeAll(async () => {
    const url = await database.createUrl();
    const env = { WX_TIMEOUT_MS: '700', DATABASE_TIMEOUT_MS: '400' };
    const backend = await startBackend({ databaseUrl: url, env });
    const limited = await startBackend({ databaseUrl: url, env: { ...env, RATE_LIMIT_PER_MINUTE: '1' } });
    const checked = await startBackend({ databaseUrl: url, env: { ...env, WX_CONTENT_CHECK: 'true' } });
    // A user of whom something could be changed.
    const { token } = await backend
      .client()
      .auth.login.mutate(loginInputOf(backend, 'refused', { nickName: 'Before' }));
    scene = { backend, limited, checked, token, database, url };
  });
  afterAll(async () => {
    await scene.limited.close();
    await scene.checked.close();
    await scene.backend.close();
  });

  test.each(Object.keys(troubles) as CallReason[])(
    'a call refused with %s has its own status and words, one log line, and writes nothing',
    async (reason) => {
      const { call, undo, loggedBy = scene.backend } = await troubles[reason](scene);
      const dumped = undo ? null : await database.dump(scene.url);
      const linesBefore = loggedBy.logged.length;
      const response = await call();
      await undo?.();
      const { error } = (await response.json()) as { error: { message: string; data: object } };

      const { code, httpStatus, retry, message } = outcomes[reason];
      expect(response.status).toBe(httpStatus);
      expect(error.data).toEqual({ code, httpStatus, path: expect.stringMatching(/^(auth|user)\./), reason, retry });
      expect(error.message).toBe(reason === 'INPUT_INVALID' ? `${message}: iv` : message);
      expect(response.headers.get('cache-control')).toBe('no-store');
      expect(Number(response.headers.get('retry-after') ?? 0) > 0).toBe(httpStatus === 429);

      const lines = loggedBy.logged.slice(linesBefore).map((line) => JSON.parse(line) as Record<string, unknown>);
      const calls = lines.filter(({ msg }) => msg === 'call');
      expect(calls).toEqual([expect.objectContaining({ reason, requestId: response.headers.get('x-request-id') })]);

      // Where the trouble writes to the database itself, the dumps differ: then the user and the sessions are compared.
      if (dumped !== null) expect(await database.dump(scene.url)).toBe(dumped);
      const user = await scene.backend.store.findUser(scene.backend.standin.person('refused').openid);
      expect(user?.nickName).toBe('Before');
      expect(await database.query(scene.url, 'select count(*) as count from gk_wx_session')).toEqual([
        { count: sessions(reason) },
      ]);
    },
  );
});

/** The first login's, and that of the call that used up the limit. */
function sessions(reason: CallReason): number {
  const order = Object.keys(troubles);
  return order.indexOf(reason) >= order.indexOf('RATE_LIMITED') ? 2 : 1;
}

test('an error outside of a procedure reveals nothing', () => {
  const cause = new Error('select session_key from gk_wx_user');
  for (const code of ['INTERNAL_SERVER_ERROR', 'BAD_GATEWAY', 'CONFLICT'] as const) {
    const error = new TRPCError({ code, message: cause.message, cause });
    const { retry, message } = outcomes.INTERNAL;
    expect(explain(error)).toEqual({ reason: 'INTERNAL', retry, message });
  }
});
