import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '..');
let directory = '';

/** Another project, which sees of this one what `npm run build` emits. */
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'guoke-consumer-'));
  await mkdir(join(directory, 'node_modules'));
  for (const name of ['@trpc', '@types', 'hono', 'undici-types', 'zod']) {
    await symlink(join(root, 'node_modules', name), join(directory, 'node_modules', name));
  }
  const built = await tsc(['-p', join(root, 'src'), '--outDir', join(directory, 'guoke'), '--emitDeclarationOnly']);
  expect(built).toEqual([]);
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** The diagnostics of a compilation, each as `file(line): code`. */
function tsc(args: string[]): Promise<string[]> {
  return new Promise((done) => {
    execFile(
      process.execPath,
      [join(root, 'node_modules/typescript/bin/tsc'), '--pretty', 'false', ...args],
      (_, stdout) => {
        const lines = stdout.split('\n').filter((line) => line.includes('error TS'));
        done(lines.map((line) => line.replace(/^(?:.*\/)?([^/]+)\((\d+),\d+\): error (TS\d+):.*$/, '$1($2): $3')));
      },
    );
  });
}

async function compile(source: string): Promise<string[]> {
  await writeFile(join(directory, 'consumer.ts'), source);
  await writeFile(join(directory, 'package.json'), '{ "type": "module" }');
  const compilerOptions = {
    strict: true,
    noEmit: true,
    module: 'NodeNext',
    target: 'ES2022',
    lib: ['ES2022', 'DOM', 'DOM.AsyncIterable'],
    types: ['node'],
    skipLibCheck: false,
  };
  await writeFile(join(directory, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['consumer.ts'] }));
  return tsc(['-p', directory]);
}

const client = `import { createTRPCClient, httpBatchLink, TRPCClientError } from '@trpc/client';
import type { AppRouter } from './guoke/router.js';
const api = createTRPCClient<AppRouter>({ links: [httpBatchLink({ url: 'http://127.0.0.1:8080/trpc' })] });
`;

describe('a typed client in another project, with skipLibCheck off', () => {
  test('a right program compiles against the emitted types', async () => {
    const source = `${client}
const { hasProfile, user, token } = await api.auth.checkUser.mutate({ code: 'abc' });
const known: boolean = hasProfile;
const name: string | null = user.nickName;
const gender: 0 | 1 | 2 | null = (await api.user.me.query()).gender;
const revoked: true = (await api.auth.logout.mutate()).revoked;
const count: number = (await api.auth.logoutAll.mutate()).revoked;
const sealed = { rawData: '', signature: '', encryptedData: '', iv: '' };
const expiresAt: number = (await api.auth.login.mutate({ code: 'abc', appId: 'wx', ...sealed })).expiresAt;
try {} catch (error) {
  if (error instanceof TRPCClientError) {
    const data = (error as TRPCClientError<AppRouter>).data;
    const retry: 'login' | 'later' | 'never' | undefined = data?.retry;
    const used: boolean = data?.reason === 'CODE_INVALID';
    console.log(retry, used);
  }
}
console.log(known, name, gender, revoked, count, expiresAt, token);
`;
    expect(await compile(source)).toEqual([]);
  });

  test('a program with a wrong input, a wrong procedure, or a query for a mutation does not compile', async () => {
    const wrong = [
      `api.auth.checkUser.mutate({});`,
      `api.auth.checkUser.mutate({ code: 1 });`,
      `api.auth.checkUser.mutate({ code: 'abc', cod: 'abc' });`,
      `api.auth.checkUser.query({ code: 'abc' });`,
      `api.auth.login.mutate({ code: 'abc' });`,
      `api.auth.register.mutate({ code: 'abc' });`,
      `api.user.me.mutate();`,
      `api.user.me.query({ id: 1 });`,
      `(await api.user.me.query()).openId;`,
      `(await api.auth.checkUser.mutate({ code: 'abc' })).sessionKey;`,
      `api.auth.logout.mutate({ token: 'abc' });`,
    ];
    const firstLine = client.split('\n').length;
    const failing = await compile(client + wrong.map((line) => `await ${line}`).join('\n'));
    expect(failing.map((line) => line.split(':')[0])).toEqual(
      wrong.map((_, index) => `consumer.ts(${firstLine + index})`),
    );
  });
});
