import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { emitTypes } from '../emit-types.mts';

const fromRoot = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'guoke-mini-program-'));
afterAll(() => rmSync(directory, { recursive: true }));

// Once: what stands in types/ may be of an older server.
beforeAll(() => emitTypes(), 60_000);

interface Program {
  code: string;
  compilerOptions?: Record<string, unknown>;
}

/** Type-checks a page as a mini program's developer does, who has neither Node nor a browser; lists line and code of each error. */
function check({ code, compilerOptions = {} }: Program): string[] {
  const options = {
    lib: ['ES2020'],
    types: [],
    strict: true,
    skipLibCheck: false,
    module: 'ESNext',
    moduleResolution: 'bundler',
    noEmit: true,
    paths: { '@guoke/client': [fromRoot('packages/client/types/index.d.ts')] },
    ...compilerOptions,
  };
  writeFileSync(join(directory, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, files: ['page.ts'] }));
  writeFileSync(join(directory, 'page.ts'), code);
  const { stdout } = spawnSync(process.execPath, [fromRoot('node_modules/typescript/bin/tsc'), '-p', directory], {
    encoding: 'utf8',
  });
  // An error without a place, such as that of an option, stays as it is.
  const errors = stdout.split('\n').filter((line) => line.includes('error TS'));
  return errors.map((line) => line.replace(/^(?:.*\/)?(.+)\((\d+),\d+\): error (TS\d+): .*$/, '$1:$2 $3'));
}

const start = `import { createClient, failureOf, overContainer, AbortController, type AppRouter, type Reason } from '@guoke/client';
const { api, session } = createClient<AppRouter>({ baseUrl: 'https://example.com' });
`;

describe('the types of the client, in a program without Node and without DOM', () => {
  it('right calls compile, with their answers typed', () => {
    const code = `${start}
export async function page(profile: { rawData: string; signature: string; encryptedData: string; iv: string; errMsg: string }) {
  const controller = new AbortController();
  const { hasProfile, user, token, expiresAt } = await api.auth.checkUser.mutate({ code: 'c' }, { signal: controller.signal });
  const me = await api.user.me.query();
  const name: string | null = me.nickName ?? user.nickName;
  const revoked: true = (await api.auth.logout.mutate()).revoked;
  const count: number = (await api.auth.logoutAll.mutate()).revoked + expiresAt;
  await session.login(profile);
  session.update(me);
  session.invalidate(token);
  const state: { hasProfile: boolean } | undefined = session.peek() ?? (await session.ensure());
  return [hasProfile, name, revoked, count, state, me.gender === 1];
}

export function sentence(error: unknown): string {
  const failure = failureOf(error);
  switch (failure.kind) {
    case 'refused': {
      const reason: Reason = failure.reason;
      return failure.retry === 'login' || reason === 'PROFILE_REJECTED' ? 'again' : String(failure.requestId);
    }
    case 'bad-response':
      return String(failure.status);
    case 'network':
    case 'timeout':
    case 'wx-login':
      return failure.errMsg + String(failure.errno);
    case 'set-up':
    case 'aborted':
    case 'unexpected':
      return failure.retry;
  }
}
`;
    expect(check({ code })).toEqual([]);
  }, 30_000);

  it('each wrong call is refused by the compiler', () => {
    const wrong: [line: string, error: string][] = [
      ['await api.auth.checkUser.mutate({ code: 1 });', 'TS2322'],
      ['await api.auth.checkUser.mutate({});', 'TS2741'],
      ['await api.auth.checkUser.mutate();', 'TS2554'],
      ["await api.auth.checkUser.mutate({ code: 'c', openid: 'o' });", 'TS2353'],
      ["await api.auth.login.mutate({ code: 'c' });", 'TS2739'],
      ["await api.auth.checkUsers.mutate({ code: 'c' });", 'TS2551'],
      ['await api.users.me.query();', 'TS2551'],
      ["await api.auth.checkUser.query({ code: 'c' });", 'TS2339'],
      ['await api.user.me.mutate();', 'TS2339'],
      ["await api.user.me.query({ id: '1' });", 'TS2345'],
      ['(await api.user.me.query()).openid;', 'TS2339'],
      ['const name: string = (await api.user.me.query()).nickName;', 'TS2322'],
      ["await session.login({ rawData: '', signature: '', iv: '' });", 'TS2741'],
      ['session.peek().token;', 'TS2532'],
      ["createClient({ url: 'https://example.com' });", 'TS2353'],
      ["createClient({ baseUrl: 'https://example.com', wx: {} });", 'TS2740'],
      ["if (failureOf(null).reason === 'CODE_INVALID') throw null;", 'TS2339'],
      ["const reason: Reason = 'NO_SUCH_REASON';", 'TS2322'],
      ['fetch;', 'TS2304'],
      ['new URL("");', 'TS2304'],
      ['process;', 'TS2591'],
    ];
    const code = start + wrong.map(([line]) => `${line}\n`).join('') + 'export {};\n';
    const found = check({ code });
    const firstLine = start.split('\n').length;
    expect(found).toEqual(wrong.map(([, error], index) => `page.ts:${firstLine + index} ${error}`));
  }, 30_000);

  it('WeChat’s own wx is accepted, as its typings describe it', () => {
    const code = `${start}
createClient({ baseUrl: 'https://example.com', wx });
createClient({ baseUrl: 'https://example.com', transport: overContainer({ env: 'prod', service: 'login', wx }) });
createClient({ baseUrl: 'https://example.com', transport: (options) => wx.request(options) });
wx.getUserProfile({ desc: 'd', success: (profile) => void session.login(profile) });
`;
    const found = check({
      code,
      compilerOptions: { typeRoots: [fromRoot('node_modules')], types: ['miniprogram-api-typings'] },
    });
    expect(found).toEqual([]);
  }, 30_000);

  it('tRPC’s own client takes the types as they are, with the reasons of a refusal', () => {
    const code = `import { createTRPCClient, httpBatchLink, type TRPCClientErrorLike } from '@trpc/client';
import type { inferRouterInputs, inferRouterOutputs } from '@trpc/server';
import type { AppRouter } from '@guoke/client';
const api = createTRPCClient<AppRouter>({ links: [httpBatchLink({ url: 'https://example.com/trpc' })] });
type Me = inferRouterOutputs<AppRouter>['user']['me'];
export const name: string | null = (await api.user.me.query()).nickName;
export const code: inferRouterInputs<AppRouter>['auth']['checkUser'] = { code: 'c' };
export const isNew = (me: Me, error: TRPCClientErrorLike<AppRouter>) => me.gender === 1 || error.data?.reason === 'CODE_INVALID';
export const wrongReason = (error: TRPCClientErrorLike<AppRouter>) => error.data?.reason === 'NO_SUCH_REASON';
await api.user.me.mutate();
await api.auth.checkUser.mutate({ code: 1 });
export const wrongName: number = (await api.user.me.query()).nickName;
`;
    const found = check({
      code,
      compilerOptions: {
        lib: ['ES2022', 'DOM', 'DOM.AsyncIterable'],
        target: 'ES2022',
        skipLibCheck: true,
        paths: {
          '@guoke/client': [fromRoot('packages/client/types/index.d.ts')],
          '@trpc/client': [fromRoot('node_modules/@trpc/client')],
          '@trpc/server': [fromRoot('node_modules/@trpc/server')],
        },
      },
    });
    expect(found).toEqual(['page.ts:9 TS2367', 'page.ts:10 TS2339', 'page.ts:11 TS2322', 'page.ts:12 TS2322']);
  }, 30_000);
});
