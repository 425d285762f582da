import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readFile, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { emitTypes } from '../client/emit-types.ts';
import { devApp, startStandin } from '../src/standin/server.ts';

const root = path.resolve(import.meta.dirname, '..');
const run = promisify(execFile);
const bin = (name: string) => path.join(root, 'node_modules', name);
const node = (file: string, args: string[], cwd: string) => run(process.execPath, [file, ...args], { cwd });

/** The tarball that `npm pack` makes of a fresh build. */
let tarball = '';
/** A project of somebody else's, examples/notes, with the tarball installed. */
let project = '';

beforeAll(async () => {
  const directory = await mkdtemp(path.join(inject('scratch'), 'library-'));
  const source = path.join(directory, 'source');
  for (const name of ['package.json', 'drizzle', 'README.md'])
    await cp(path.join(root, name), path.join(source, name), { recursive: true });
  const build = ['-p', path.join(root, 'tsconfig.build.json'), '--outDir', path.join(source, 'dist')];
  await node(bin('typescript/bin/tsc'), build, root);
  const { stdout } = await run('npm', ['pack', '--ignore-scripts', '--silent'], { cwd: source });
  emitTypes();
  tarball = path.join(source, stdout.trim());

  project = path.join(directory, 'notes');
  await cp(path.join(root, 'examples/notes'), project, { recursive: true });
  const modules = path.join(project, 'node_modules');
  await mkdir(path.join(modules, '@guoke'), { recursive: true });
  await run('tar', ['-xzf', tarball, '-C', modules]);
  await run('mv', [path.join(modules, 'package'), path.join(modules, 'guoke')]);
  // As npm would lay them out: what guoke depends on, and nothing of its tools; and what the example asks for.
  const { dependencies } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  const own = JSON.parse(await readFile(path.join(project, 'package.json'), 'utf8')) as {
    devDependencies: Record<string, string>;
  };
  for (const name of [...Object.keys(dependencies), ...Object.keys(own.devDependencies)]) {
    if (name === '@guoke/client') continue;
    await mkdir(path.dirname(path.join(modules, name)), { recursive: true });
    await symlink(bin(name), path.join(modules, name));
  }
  await symlink(path.join(root, 'client'), path.join(modules, '@guoke/client'));
}, 60_000);

describe('the package', () => {
  test('is what publint and are-the-types-wrong want of an ESM library', async () => {
    const { stdout } = await node(bin('publint/src/cli.js'), ['--strict', tarball], root);
    expect(stdout).toContain('All good!');
    await node(
      bin('@arethetypeswrong/cli/dist/index.js'),
      [tarball, '--profile', 'esm-only', '--no-emoji', '--no-color'],
      root,
    );
  });

  test('holds no source, no test and no map, but the migrations', async () => {
    const { stdout } = await run('tar', ['-tzf', tarball]);
    const files = stdout.trim().split('\n');
    expect(files).toContain('package/dist/index.d.ts');
    expect(files).toContain('package/drizzle/sqlite/0000_login.sql');
    expect(
      files.filter((name) => !/^package\/(dist\/.*\.(js|d\.ts)|drizzle\/.*|package\.json|[A-Z][^/]*)$/.test(name)),
    ).toEqual([]);
  });

  test('offers the crypto module, the stand-in and the store by their own names', async () => {
    await writeFile(
      path.join(project, 'parts.mjs'),
      `import { hashToken } from 'guoke/crypto';
import { startStandin } from 'guoke/standin';
import { openStore, appRouter, createApp } from 'guoke';
const store = openStore({ databaseUrl: 'file:parts.db', timeoutMs: 1000, poolSize: 1 });
await store.migrate();
const standin = await startStandin();
console.log(hashToken('a').length, standin.phone.login({ user: 'a' }).code.length > 0, await store.findUser('o1'), typeof createApp, 'auth.login' in appRouter._def.procedures);
await standin.close();
await store.close();
`,
    );
    expect((await node('parts.mjs', [], project)).stdout).toBe('32 true null function true\n');
  });
});

describe('examples/notes: a procedure with a table of its own', () => {
  test('compiles against the package, on the server and on the phone, with skipLibCheck off', async () => {
    // Hono's own declarations want those of the browser.
    const strictly = ['--skipLibCheck', 'false', '--lib', 'es2023,dom,dom.asynciterable'];
    const told: { stdout?: string } = await node(bin('typescript/bin/tsc'), strictly, project).catch(
      (error: object) => error,
    );
    expect(told.stdout).toBe('');
    const wrong = `import { createClient } from '@guoke/client';
import type { AppRouter } from './router.ts';
const { api } = createClient<AppRouter>({ baseUrl: '' });
await api.notes.add.mutate({ txt: 'a' });
await api.notes.mine.mutate();
export const text: number = (await api.notes.mine.query())[0]!.text;
`;
    await writeFile(path.join(project, 'wrong.ts'), wrong);
    const failure: { stdout?: string } = await node(bin('typescript/bin/tsc'), ['--noEmit'], project).catch(
      (error: object) => error,
    );
    expect(failure.stdout?.match(/wrong\.ts\(\d+/g)).toEqual(['wrong.ts(4', 'wrong.ts(5', 'wrong.ts(6']);
  });

  test('serves a signed-in user their notes, and nobody else', async () => {
    const standin = await startStandin();
    const server = spawn(process.execPath, ['dist/main.js'], {
      cwd: project,
      env: { WX_APPID: devApp.appId, WX_SECRET: devApp.secret, WX_API_BASE_URL: standin.url, PORT: '0' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = once(server, 'exit');
    try {
      const line = await new Promise<string>((resolve) => {
        createInterface(server.stdout).on('line', (each) => each.includes('"listening"') && resolve(each));
      });
      const { url } = JSON.parse(line) as { url: string };
      const call = async (procedure: string, input: unknown, token = '') => {
        const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
        const answer = await fetch(`${url}/trpc/${procedure}`, {
          method: 'POST',
          headers,
          body: JSON.stringify(input),
        });
        return (await answer.json()) as {
          result: { data: Record<string, unknown> };
          error: { data: { reason: string } };
        };
      };
      const tokenOf = async (user: string) => {
        const { result } = await call('auth.checkUser', { code: standin.phone.login({ user }).code });
        return String(result.data.token);
      };
      const [ming, hong] = [await tokenOf('ming'), await tokenOf('hong')];
      expect((await call('notes.add', { text: '牛奶' }, ming)).result.data).toMatchObject({ id: 1, text: '牛奶' });
      const mine = async (token: string) => {
        const answer = await fetch(`${url}/trpc/notes.mine`, { headers: { authorization: `Bearer ${token}` } });
        return ((await answer.json()) as { result?: { data: unknown } }).result?.data;
      };
      expect(await mine(ming)).toMatchObject([{ text: '牛奶' }]);
      expect(await mine(hong)).toEqual([]);
      expect((await call('notes.add', { text: 'x' })).error.data.reason).toBe('SESSION_INVALID');
      expect((await call('notes.add', { text: '' }, ming)).error.data.reason).toBe('INPUT_INVALID');
    } finally {
      server.kill('SIGTERM');
      await ended;
      await standin.close();
    }
  });
});
