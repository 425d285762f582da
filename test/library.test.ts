import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { devApp, startStandin } from '../packages/standin/src/server.ts';

const root = path.resolve(import.meta.dirname, '..');
const run = promisify(execFile);
const bin = (name: string) => path.join(root, 'node_modules', name);
const node = (file: string, args: string[], cwd: string, env: Record<string, string> = {}) =>
  run(process.execPath, [file, ...args], { cwd, env: { ...process.env, ...env } });

/** The tarball that `npm pack` makes of a fresh build. */
let tarball = '';
/** A project that `guoke init` of the tarball wrote, with that tarball, the client's and the stand-in's installed. */
let project = '';

beforeAll(async () => {
  const directory = await mkdtemp(path.join(inject('scratch'), 'library-'));
  const source = path.join(directory, 'source');
  const parts = ['client', 'standin', 'preview'].map((name) => `packages/${name}/package.json`);
  for (const name of ['package.json', 'guoke.js', 'drizzle', 'examples', 'README.md', 'LICENSE', ...parts])
    await cp(path.join(root, name), path.join(source, name), { recursive: true });
  const compile = (from: string, to: string) =>
    node(bin('tsx/dist/cli.mjs'), [path.join(root, 'compile.ts'), from, path.join(source, to)], root);
  await compile('src', 'dist');
  await compile('packages/standin', 'packages/standin/dist');
  const client = path.join(source, 'packages/client');
  await cp(path.join(root, 'packages/client/router'), path.join(client, 'router'), { recursive: true });
  await node(bin('tsx/dist/cli.mjs'), [path.join(root, 'packages/client/build.mts'), client], root);
  const pack = async (...more: string[]) => {
    const { stdout } = await run('npm', ['pack', '--ignore-scripts', '--silent', ...more], { cwd: source });
    return path.join(source, stdout.trim());
  };
  tarball = await pack();

  await mkdir(path.join(directory, 'tools'));
  await run('tar', ['-xzf', tarball, '-C', path.join(directory, 'tools')]);
  // Nothing is installed beside the command yet: what it needs is in its bundle.
  project = path.join(directory, 'notes');
  await node(path.join(directory, 'tools/package/guoke.js'), ['init', project, '--lang', 'en'], directory);
  const quietly = ['--prefer-offline', '--no-audit', '--no-fund'];
  const others = [await pack('-w', 'packages/client'), await pack('-w', 'packages/standin')];
  await run('npm', ['install', ...quietly, tarball, ...others], { cwd: project });
}, 300_000);

describe('the package', () => {
  test('the package passes publint and are-the-types-wrong as an ESM library', async () => {
    const { stdout } = await node(bin('publint/src/cli.js'), ['--strict', tarball], root);
    expect(stdout).toContain('All good!');
    await node(
      bin('@arethetypeswrong/cli/dist/index.js'),
      [tarball, '--profile', 'esm-only', '--no-emoji', '--no-color'],
      root,
    );
  });

  test('the package holds no source, no test and no map, but the migrations and the template of guoke init', async () => {
    const { stdout } = await run('tar', ['-tzf', tarball]);
    const files = stdout.trim().split('\n');
    expect(files).toContain('package/dist/index.d.ts');
    expect(files).toContain('package/drizzle/sqlite/0000_login.sql');
    expect(
      files.filter(
        (name) =>
          !/^package\/(dist\/.*\.(js|d\.ts)|drizzle\/.*|examples\/notes\/.*|guoke\.js|package\.json|[A-Z][^/]*)$/.test(
            name,
          ),
      ),
    ).toEqual([]);
  });

  test('the package exports the crypto module and the store by their own names, and the stand-in is a package beside it', async () => {
    await writeFile(
      path.join(project, 'parts.mjs'),
      `import { hashToken } from 'guoke/crypto';
import { startStandin } from '@guoke/standin';
import { openStore, appRouter } from 'guoke';
const store = await openStore({ databaseUrl: 'file:parts.db', timeoutMs: 1000, poolSize: 1 });
await store.migrate();
const standin = await startStandin();
console.log(hashToken('a').length, standin.phone.login({ user: 'a' }).code.length > 0, await store.findUser('o1'), 'auth.login' in appRouter._def.procedures);
await standin.close();
await store.close();
`,
    );
    expect((await node('parts.mjs', [], project)).stdout).toBe('32 true null true\n');
  });

  test('the app takes an owner’s CORS, request logger and routes, which calls pass too', async () => {
    await cp(path.join(root, 'examples/own-middleware.mjs'), path.join(project, 'own-middleware.mjs'));
    const env = { WX_APPID: 'wx0123456789abcdef', WX_SECRET: 'x', LOG_LEVEL: 'silent', PORT: '0' };
    const server = spawn(process.execPath, ['own-middleware.mjs'], {
      cwd: project,
      env: { ...env, DATABASE_URL: 'file:own.db' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const lines: string[] = [];
    const url = await new Promise<string>((resolve) => {
      createInterface(server.stdout).on('line', (line) => {
        lines.push(line);
        if (line.startsWith('http:')) resolve(line);
      });
    });
    const ended = once(server, 'exit');
    try {
      const headers = { origin: 'https://shop.example.com' };
      const call = await fetch(`${url}/trpc/user.me`, { headers });
      expect(call.status).toBe(401);
      expect(call.headers.get('access-control-allow-origin')).toBe('https://shop.example.com');
      expect(await (await fetch(`${url}/shop/hours`)).json()).toEqual({ opens: '09:00' });
      await expect.poll(() => lines.join('\n')).toMatch(/--> GET \/trpc\/user\.me .*401/);
    } finally {
      server.kill('SIGTERM');
      await ended;
    }
  });

  test('the app can be mounted in another app', async () => {
    await cp(path.join(root, 'examples/app-alone.mjs'), path.join(project, 'app-alone.mjs'));
    const env = { WX_APPID: 'wx0123456789abcdef', WX_SECRET: 'x', LOG_LEVEL: 'silent' };
    expect((await node('app-alone.mjs', [], project, env)).stdout).toBe('200\n');
  });
});

describe('published packages', () => {
  const folders = ['.', 'packages/client', 'packages/standin'];

  test.each(folders)('%s has a licence, a README, a repository and the version of the changelog', async (folder) => {
    const manifest = JSON.parse(await readFile(path.join(root, folder, 'package.json'), 'utf8')) as Record<
      string,
      unknown
    >;
    const changelog = await readFile(path.join(root, 'CHANGELOG.md'), 'utf8');
    const [, newest] = /^## (\d+\.\d+\.\d+)$/m.exec(changelog) ?? [];
    expect(manifest).toMatchObject({ version: newest, license: 'MIT', repository: { type: 'git' } });
    expect(manifest).not.toHaveProperty('private');
    expect(manifest.keywords).toContain('wechat');
    expect(manifest.scripts).toHaveProperty('prepack');
    const files = await readdir(path.join(root, folder));
    expect(files).toEqual(expect.arrayContaining(['README.md', 'LICENSE']));
    expect(await readFile(path.join(root, folder, 'LICENSE'), 'utf8')).toBe(
      await readFile(path.join(root, 'LICENSE'), 'utf8'),
    );
  });

  test.each(folders)('the README of %s has links that work on a package page too', async (folder) => {
    const text = await readFile(path.join(root, folder, 'README.md'), 'utf8');
    const targets = [...text.matchAll(/\]\(([^)\s]+)/g)].map(([, target = '']) => target);
    expect(targets.length).toBeGreaterThan(0);
    expect(targets.filter((target) => !/^(https:|#)/.test(target))).toEqual([]);
  });

  test('the package compiles with the language’s own library alone, and can be loaded from CommonJS', async () => {
    await writeFile(
      path.join(project, 'es2022.ts'),
      `import { startStandin } from '@guoke/standin';
import { createClient } from '@guoke/client';
import type { AppRouter } from 'guoke/router';
import { startServer } from 'guoke';
export const all = [startStandin, startServer, createClient<AppRouter>({ baseUrl: '' })];
`,
    );
    for (const module of ['nodenext', 'node16']) {
      const options = `--noEmit --strict --target es2022 --lib ES2022 --types node --skipLibCheck false --module ${module}`;
      const told: { stdout?: string } = await node(
        bin('typescript/bin/tsc'),
        [...options.split(' '), '--ignoreConfig', 'es2022.ts'],
        project,
      ).catch((error: object) => error);
      expect(told.stdout).toBe('');
    }
    await writeFile(
      path.join(project, 'common.cjs'),
      `const { createClient } = require('@guoke/client');
Promise.all([import('guoke'), import('@guoke/standin')]).then(([{ startServer }, { startStandin }]) =>
  console.log(typeof createClient, typeof startServer, typeof startStandin));
`,
    );
    expect((await node('common.cjs', [], project)).stdout).toBe('function function function\n');
  });
});

describe('what guoke init writes: procedures with a table of their own', () => {
  test('the new project passes its own tests, and its name is that of the folder', async () => {
    expect(JSON.parse(await readFile(path.join(project, 'package.json'), 'utf8'))).toMatchObject({ name: 'notes' });
    const { stdout } = await run('npm', ['test'], { cwd: project });
    expect(stdout).toMatch(/pass 2\b/);
  });

  test('the README of the written project has lines that work when pasted while npm run dev runs', async () => {
    const readme = await readFile(path.join(project, 'README.md'), 'utf8');
    const [, [, block = ''] = []] = [...readme.matchAll(/```sh\n([\s\S]*?)```/g)];
    const dev = spawn('npm', ['run', 'dev'], {
      cwd: project,
      env: { ...process.env, PORT: '0', DATABASE_URL: 'file:readme.db', NOTES_FILE: 'readme-notes.db' },
      detached: true,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = once(dev, 'exit');
    try {
      const [server, standin] = await new Promise<string[]>((resolve) => {
        createInterface(dev.stdout).on('line', (line) => {
          if (line.startsWith('The server: ')) resolve(line.match(/http:\S+/g) ?? []);
        });
      });
      const here = block.replace('http://127.0.0.1:8080', server ?? '').replace('http://127.0.0.1:8081', standin ?? '');
      const { stdout } = await run('bash', ['-ec', here]);
      expect(stdout).toMatch(/"text":"milk".*\[\{"id":1,"text":"milk"/s);
    } finally {
      process.kill(-(dev.pid ?? 0), 'SIGINT');
      await ended;
    }
  });

  test('the new project is not written into a folder that is not empty', async () => {
    const before = await readdir(project);
    const guoke = path.join(project, 'node_modules/.bin/guoke');
    await expect(run(guoke, ['init', project])).rejects.toMatchObject({ code: 2 });
    expect(await readdir(project)).toEqual(before);
  });

  test('the new project compiles against the package, with skipLibCheck off', async () => {
    const strictly = ['--skipLibCheck', 'false'];
    const told: { stdout?: string } = await node(bin('typescript/bin/tsc'), strictly, project).catch(
      (error: object) => error,
    );
    expect(told.stdout).toBe('');
  });

  test('guoke-router-types types the new project for a mini program that has none of the server’s packages', async () => {
    const phone = path.join(path.dirname(project), 'mini-program');
    const installed = path.join(project, 'node_modules/@guoke/client');
    await cp(installed, path.join(phone, 'node_modules/@guoke/client'), { recursive: true });
    await run('npm', ['run', '--silent', 'phone'], { cwd: project });
    await cp(path.join(project, 'phone'), phone, { recursive: true });
    expect(await readFile(path.join(phone, 'app-router.d.ts'), 'utf8')).not.toContain('import');
    await writeFile(
      path.join(phone, 'wrong.ts'),
      `import { createClient, failureOf } from '@guoke/client';
import type { AppRouter, Reason } from './app-router';
const { api } = createClient<AppRouter>({ baseUrl: '' });
const failure = failureOf<Reason>(null);
export const isFull = failure.kind === 'refused' && (failure.reason === 'NOTES_FULL' || failure.reason === 'SESSION_INVALID');
export const isOdd = failure.kind === 'refused' && failure.reason === 'NOTES_FUL';
export const right = async () => [(await api.notes.mine.query())[0]?.text, (await api.user.me.query()).nickName];
export const wrong = () => api.notes.add.mutate({ txt: 'a' });
`,
    );
    const options =
      '--noEmit --strict --skipLibCheck false --lib es2020 --module esnext --moduleResolution bundler --types';
    const told: { stdout?: string } = await node(
      bin('typescript/bin/tsc'),
      [...options.split(' '), '', 'add-note.ts', 'wrong.ts'],
      phone,
    ).catch((error: object) => error);
    expect(told.stdout?.match(/\w+\.ts\(\d+/g)).toEqual(['wrong.ts(6', 'wrong.ts(8']);
  });

  test('guoke-router-types says what is wrong, with a status other than 0', async () => {
    const command = path.join(project, 'node_modules/.bin/guoke-router-types');
    const attempt = (...args: string[]) =>
      run(command, args, { cwd: project }).then(
        () => ({ code: 0, stderr: '' }),
        ({ code, stderr }: { code: number; stderr: string }) => ({ code, stderr }),
      );
    await writeFile(
      path.join(project, 'class.ts'),
      `import { publicProcedure, router } from 'guoke';
class Secret { #hidden = 1; shown = this.#hidden; }
export type AppRouter = ReturnType<typeof create>;
const create = () => router({ a: publicProcedure.query((): Tree => ({ next: null })) });
export interface Tree { next: Tree | null; secret?: Secret }
`,
    );
    expect(await attempt()).toMatchObject({ code: 2 });
    expect(await attempt('router.ts')).toMatchObject({ code: 2 });
    expect(await attempt('no-such.ts', 'out.d.ts')).toMatchObject({ code: 1 });
    expect(await attempt('class.ts', 'out.d.ts')).toMatchObject({ code: 1 });
    expect((await run(command, ['--help'])).stdout).toContain('Usage: guoke-router-types');
  });

  test('the new project serves a signed-in user their own notes alone', async () => {
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
      // It listens before its tables are there.
      await expect.poll(async () => (await fetch(`${url}/readyz`)).status).toBe(200);
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
      for (let count = 1; count < 100; count++) await call('notes.add', { text: 'x' }, ming);
      expect((await call('notes.add', { text: 'x' }, ming)).error.data.reason).toBe('NOTES_FULL');
    } finally {
      server.kill('SIGTERM');
      await ended;
      await standin.close();
    }
  });
});
