import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readdir, readFile, stat, symlink } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, inject, test } from 'vitest';

const root = path.resolve(import.meta.dirname, '../..');
const run = promisify(execFile);
const configured = { WX_APPID: 'wx0123456789abcdef', WX_SECRET: '0123456789abcdef0123456789abcdef', PORT: '0' };

/** A copy of the project, as a clone has it after `npm ci`. */
let project = '';
beforeAll(async () => {
  project = await mkdtemp(path.join(inject('scratch'), 'clone-'));
  for (const name of ['package.json', 'guoke.js', 'tsconfig.json', 'compile.ts', 'src', 'drizzle', 'packages'])
    await cp(path.join(root, name), path.join(project, name), {
      recursive: true,
      filter: (file) => !/\/(dist|node_modules|miniprogram_dist|types)$/.test(file),
    });
  await symlink(path.join(root, 'node_modules'), path.join(project, 'node_modules'));
});

/** Runs `npm start` until the server listens or the command ends. Nothing of this machine's own configuration reaches it. */
async function start(env: Record<string, string>): Promise<{ code: number | null; output: string }> {
  const command = spawn('npm', ['start'], {
    cwd: project,
    env: { PATH: process.env.PATH ?? '', NO_COLOR: '1', ...env },
    detached: true,
  });
  const ended = once(command, 'close');
  let output = '';
  for (const stream of [command.stdout, command.stderr])
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      if (output.includes('"msg":"listening"') && command.pid) process.kill(-command.pid, 'SIGKILL');
    });
  const [code] = (await ended) as [number | null];
  return { code, output };
}

/** The text of every file that a build has made, by name. */
async function readBuild(): Promise<Map<string, string>> {
  const names = await readdir(path.join(project, 'dist'), { recursive: true });
  const files = names.filter((name) => /\.(js|d\.ts)$/.test(name));
  return new Map(
    await Promise.all(
      files.map(async (name) => [name, await readFile(path.join(project, 'dist', name), 'utf8')] as const),
    ),
  );
}

// The tests go on from one another: nothing built, built, built again.
describe('npm start', () => {
  test('npm start without a build says what to do in one sentence, and exits 1', async () => {
    const { code, output } = await start(configured);
    expect(code).toBe(1);
    expect(output).toContain('\nNothing is built here yet: run npm run build first.\n');
    expect(output).not.toMatch(/^\s+at /m);
  });

  test('npm start without its configuration names all that is missing in one message, and exits 1', async () => {
    await run('npm', ['run', 'build'], { cwd: project });
    const { code, output } = await start({ DATABASE_URL: 'mysql://root:hush@h/db' });
    expect(code).toBe(1);
    expect(output).toMatch(/WX_APPID is missing.*WX_SECRET is missing.*SESSION_KEY_SECRETS is missing/s);
    expect(output).not.toContain('hush');
    expect(output).not.toMatch(/^\s+at /m);
  }, 120_000);

  test('npm start, run four times at once, serves four times and compiles nothing', async () => {
    const builtAt = (await stat(path.join(project, 'dist/bin/guoke.js'))).ctimeMs;
    const starts = await Promise.all(
      [1, 2, 3, 4].map((number) => start({ ...configured, DATABASE_URL: `file:${project}/${number}.db` })),
    );
    for (const { output } of starts) expect(output).toContain('"msg":"listening"');
    expect((await stat(path.join(project, 'dist/bin/guoke.js'))).ctimeMs).toBe(builtAt);
  }, 120_000);

  test('npm start finds every file whole while two builds replace them', async () => {
    const before = await readBuild();
    let areBuilding = true;
    const compile = () => run('npx', ['tsx', 'compile.ts', 'src', 'dist'], { cwd: project });
    const builds = Promise.all([compile(), compile()]).finally(() => (areBuilding = false));
    const differing = new Set<string>();
    while (areBuilding) {
      for (const [name, text] of before) {
        if ((await readFile(path.join(project, 'dist', name), 'utf8').catch(() => '')) !== text) differing.add(name);
      }
    }
    await builds;
    expect([...differing]).toEqual([]);
    expect(await readBuild()).toEqual(before);
    // What the builds worked in is gone.
    expect((await readdir(project)).filter((name) => name.startsWith('.dist'))).toEqual([]);
  }, 120_000);
});
